/* The decoders of the Encoding Standard other than UTF-8. Nothing here knows the engine.
 *
 * All of them work on bytes that lie side by side, a sequence at a time. What a decoder of the standard keeps between bytes
 * is here the bytes of the last, unfinished sequence, which the caller keeps, and for ISO-2022-JP the state below. */
#ifndef LEGACY_H
#define LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Encoding {
    const char *name;
    uint8_t kind;         /* an EncodingKind of the tables */
    uint8_t table;        /* of a single-byte encoding */
} Encoding;

/* By a label, with white space around it and letters of any case; NULL: it is none of the standard's. */
const Encoding *encoding_of(const uint8_t *label, size_t length);
bool encoding_is_utf8(const Encoding *encoding);
bool encoding_is_utf16(const Encoding *encoding);
bool encoding_is_replacement(const Encoding *encoding);

typedef struct Decoding {
    const Encoding *encoding;
    bool fatal;
    bool malformed;       /* `fatal`, and something was malformed: decoding has ended */
    uint8_t mode;         /* of ISO-2022-JP */
    bool escaped;         /* its last escape sequence was followed by nothing yet */
} Decoding;

enum { LONGEST_SEQUENCE = 4 };

/* The code units that so many bytes may become at most. */
size_t decoding_most_units(const Decoding *decoding, size_t bytes);

/* Decode the sequences that begin before `stop`. With `last` nothing follows; else an unfinished sequence at the end is left.
 * Returns how many bytes were consumed; `*out` moves on by the code units that were written. */
size_t decoding_run(Decoding *decoding, uint16_t **out, const uint8_t *bytes, size_t length, size_t stop, bool last);

#endif
