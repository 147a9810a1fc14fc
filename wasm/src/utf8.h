/* UTF-8, between bytes and code units. Nothing here knows the engine. */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a text will be when it is decoded. */
typedef struct Measure {
    size_t units;
    bool valid;           /* nothing is malformed */
    bool wide;            /* some code point is above U+00FF */
} Measure;

/* How many bytes at the beginning are ASCII. */
size_t utf8_ascii_run(const uint8_t *bytes, size_t length);
/* Copy the ASCII bytes at the beginning, and return how many they are. */
size_t utf8_copy_ascii(uint8_t *out, const uint8_t *bytes, size_t length);
/* Write the ASCII bytes at the beginning as code units, and return how many they are. */
size_t utf8_widen_ascii(uint16_t *out, const uint8_t *bytes, size_t length);

/* Add what some bytes become to `measure`, which begins as {0, true, false}. */
void utf8_measure(Measure *measure, const uint8_t *bytes, size_t length);
/* Write what was measured: Latin-1 or UTF-16, as `measure` says; returns the number of code units. */
size_t utf8_decode(void *out, const Measure *measure, const uint8_t *bytes, size_t length);

/* One code point, by the WHATWG decoder: -1 for a malformed sequence, whose maximal subpart is consumed; with `surrogates`,
 * ED A0..BF xx is a lone surrogate. `*cut`, unless NULL, says that it is malformed only because no more bytes are there. */
int32_t utf8_next(const uint8_t *bytes, size_t length, size_t *i, bool surrogates, bool *cut);
/* How many bytes at the end begin a sequence that later bytes may complete: 0 to 3. */
size_t utf8_cut_off(const uint8_t *bytes, size_t length);

/* As many bytes as code units of a string become; `wide` says that they are UTF-16. */
size_t utf8_encoded_bytes(const void *units, size_t length, bool wide);
/* Encode as many code units as the room suffices for; with `surrogates` lone ones are kept, else they become U+FFFD.
 * Returns the number of bytes, and in `read` that of code units. */
size_t utf8_encode(uint8_t *out, size_t room, const void *units, size_t length, bool wide, bool surrogates, size_t *read);

#endif
