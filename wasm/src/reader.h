/* Reading msgpack from a message of the host. Every read is checked against the end of the message. */
#ifndef READER_H
#define READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "abi.h"
#include "buffer.h"
#include "quickjs.h"

enum { KNOWN_KEYS = 16 };

typedef struct KnownKey {
    const char *data;     /* in the message */
    size_t length;
    JSAtom atom;          /* owned; JS_ATOM_NULL: the place is free */
} KnownKey;

typedef struct Reader {
    Buffer message;       /* what was the inbox; owned while the reader is open */
    bool open;
    bool malformed;       /* the message broke the ABI */
    const uint8_t *at, *end;
    bool references;
    uint32_t depth;
    JSValue *objects;     /* numbered objects, only in a message with references; owned */
    uint32_t object_count, object_room;
    KnownKey keys[KNOWN_KEYS];      /* met before: records have the same keys again and again */
} Reader;

typedef struct Bytes {
    const char *data;
    size_t length;
} Bytes;

bool reader_open(Reader *reader, size_t length);                /* takes the inbox and reads the flag byte */
void reader_close(Reader *reader);                              /* gives the inbox back; idempotent */
bool reader_at_end(Reader *reader);                             /* false: malformed, bytes are left */
bool reader_bytes(Reader *reader, Bytes *out);                  /* a msgpack str or bin, borrowed from the message */
bool reader_is_text(const Reader *reader);                      /* whether a msgpack str comes next */
bool reader_unsigned(Reader *reader, uint32_t *out);

static inline bool reader_malformed(Reader *reader)
{
    reader->malformed = true;
    return false;
}

static inline bool reader_take(Reader *reader, size_t length, const uint8_t **data)
{
    if ((size_t)(reader->end - reader->at) < length)
        return reader_malformed(reader);
    *data = reader->at;
    reader->at += length;
    return true;
}

static inline bool reader_number(Reader *reader, int size, uint64_t *out)
{
    const uint8_t *data;
    uint64_t number = 0;
    if (!reader_take(reader, size, &data))
        return false;
    for (int i = 0; i < size; i++)
        number = number << 8 | data[i];
    *out = number;
    return true;
}

static inline bool reader_f64(Reader *reader, double *out)
{
    uint64_t bits;
    if (!reader_number(reader, 8, &bits))
        return false;
    memcpy(out, &bits, 8);
    return true;
}

/* The length after a head whose last two bits say 8, 16 or 32 bits. */
static inline bool reader_length(Reader *reader, int size, uint32_t *length)
{
    uint64_t number;
    if (!reader_number(reader, size, &number))
        return false;
    *length = (uint32_t)number;
    return true;
}

static inline bool reader_count(Reader *reader, uint8_t fix, uint8_t head16, uint32_t *count)
{
    const uint8_t *data;
    if (!reader_take(reader, 1, &data))
        return false;
    if ((*data & 0xf0) == fix)
        *count = *data & 0xf;
    else if (*data != head16 && *data != head16 + 1)
        return reader_malformed(reader);
    else if (!reader_length(reader, *data == head16 ? 2 : 4, count))
        return false;
    /* Each element is at least one byte: a count beyond the rest of the message is a lie. */
    return (*count <= CAP_NODES && *count <= (size_t)(reader->end - reader->at)) || reader_malformed(reader);
}

#endif
