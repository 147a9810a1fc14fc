/* Writing msgpack to a message for the host, within the size a message may have. Every function returns 0, or -1 with
 * an exception pending. */
#ifndef WRITER_H
#define WRITER_H

#include <math.h>
#include <string.h>

#include "internals.h"
#include "path.h"
#include "utf8.h"

typedef struct Writer {
    JSContext *ctx;
    Buffer *out;
    size_t start;         /* where the message begins in `out` */
    Path *path;           /* of the value being written */
} Writer;

/* Never inlined: its text would take room in every frame of a deep recursion. */
static __attribute__((noinline)) int writer_refuse(Writer *w, const char *reason)
{
    char path[PATH_ROOM];
    path_text(w->ctx, w->path, path);
    JS_FreeValue(w->ctx, failures_throw_conversion(w->ctx, path, reason));
    return -1;
}

static inline int out_of_memory(Writer *w)
{
    guest.control.failed_allocations++;
    JS_ThrowOutOfMemory(w->ctx);
    return -1;
}

static inline int put(Writer *w, const void *data, size_t length)
{
    if (w->out->length - w->start + length > guest.control.max_message_bytes)
        return writer_refuse(w, "larger than the message_bytes limit");
    return buffer_put(w->out, data, length) ? 0 : out_of_memory(w);
}

static inline int put_byte(Writer *w, uint8_t byte)
{
    return put(w, &byte, 1);
}

static inline int put_u32(Writer *w, uint8_t head, uint32_t value)
{
    uint8_t bytes[5] = {head, value >> 24, value >> 16, value >> 8, value};
    return put(w, bytes, 5);
}

static inline int put_size(Writer *w, uint32_t count, uint8_t fix, uint32_t fix_limit, uint8_t head16, uint8_t head32)
{
    if (count < fix_limit)
        return put_byte(w, fix | count);
    if (count < 0x10000) {
        uint8_t bytes[3] = {head16, count >> 8, count};
        return put(w, bytes, 3);
    }
    return put_u32(w, head32, count);
}

static inline int put_array(Writer *w, uint32_t count) { return put_size(w, count, 0x90, 16, 0xdc, 0xdd); }
static inline int put_map(Writer *w, uint32_t count) { return put_size(w, count, 0x80, 16, 0xde, 0xdf); }

static inline int put_f64(Writer *w, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, 8);
    uint8_t bytes[9] = {0xcb};
    bits = __builtin_bswap64(bits);
    memcpy(bytes + 1, &bits, 8);
    return put(w, bytes, 9);
}

static inline int put_i64(Writer *w, int64_t number)
{
    if (number >= -32 && number < 128)
        return put_byte(w, (uint8_t)number);
    if (number >= INT16_MIN && number <= INT16_MAX)
        return put(w, (uint8_t[]){0xd1, (uint8_t)(number >> 8), (uint8_t)number}, 3);
    if (number >= INT32_MIN && number <= INT32_MAX)
        return put_u32(w, 0xd2, (uint32_t)number);
    uint8_t bytes[9] = {0xd3};
    uint64_t bits = __builtin_bswap64((uint64_t)number);
    memcpy(bytes + 1, &bits, 8);
    return put(w, bytes, 9);
}

static inline int put_number(Writer *w, double number)
{
    if (number >= -9007199254740991.0 && number <= 9007199254740991.0) {
        int64_t integer = (int64_t)number;
        if ((double)integer == number && !(integer == 0 && signbit(number)))
            return put_i64(w, integer);
    }
    return put_f64(w, number);
}

/* Append a text of fewer than 32 ASCII characters, which names mostly are; false: it is another one, or may not fit. */
static inline bool put_short_ascii(Writer *w, const Text *text)
{
    Buffer *out = w->out;
    size_t length = text->length, at = 0;
    if (text->wide || length >= 32 || out->room - out->length <= length ||
        out->length - w->start + length >= guest.control.max_message_bytes)
        return false;
    const uint8_t *from = text->units;
    uint8_t *to = out->data + out->length;
    uint64_t word, seen = 0;
    *to++ = (uint8_t)(0xa0 | length);
    for (; at + 8 <= length; at += 8) {
        memcpy(&word, from + at, 8);
        memcpy(to + at, &word, 8);
        seen |= word;
    }
    if (at && at < length) {       /* the last eight, some of them once more */
        memcpy(&word, from + length - 8, 8);
        memcpy(to + length - 8, &word, 8);
        seen |= word;
    } else {
        for (; at < length; at++) {
            to[at] = from[at];
            seen |= from[at];
        }
    }
    if (seen & 0x8080808080808080ull)
        return false;
    out->length += 1 + length;
    return true;
}

/* Append the key of a record, which has room for RECORD_KEY_BYTES. */
static inline int put_key(Writer *w, const uint8_t *key, size_t length)
{
    Buffer *out = w->out;
    if (out->room - out->length < RECORD_KEY_BYTES || out->length - w->start + length > guest.control.max_message_bytes)
        return put(w, key, length);
    memcpy(out->data + out->length, key, 8);
    if (length > 8)
        memcpy(out->data + out->length + 8, key + 8, RECORD_KEY_BYTES - 8);
    out->length += length;
    return 0;
}

static inline int put_text_head(Writer *w, size_t length)
{
    return length < 256 && length >= 32 ? put(w, (uint8_t[]){0xd9, length}, 2)
                                        : put_size(w, length, 0xa0, 32, 0xda, 0xdb);
}

static inline int put_text(Writer *w, const Text *text)
{
    if (put_short_ascii(w, text))
        return 0;
    if (!text->wide) {             /* mostly it is ASCII all through, and need not be measured first */
        size_t mark = w->out->length;
        if (put_text_head(w, text->length))
            return -1;
        if (w->out->length - w->start + text->length <= guest.control.max_message_bytes &&
            buffer_reserve(w->out, text->length) &&
            utf8_copy_ascii(w->out->data + w->out->length, text->units, text->length) == text->length) {
            w->out->length += text->length;
            return 0;
        }
        w->out->length = mark;
    }
    size_t read, length = utf8_encoded_bytes(text->units, text->length, text->wide);
    if (put_text_head(w, length))
        return -1;
    if (w->out->length - w->start + length > guest.control.max_message_bytes)
        return put(w, NULL, length);
    if (!buffer_reserve(w->out, length))
        return out_of_memory(w);
    utf8_encode(w->out->data + w->out->length, length, text->units, text->length, text->wide, true, &read);
    w->out->length += length;
    return 0;
}

static inline int put_chars(Writer *w, const char *chars)
{
    return put_text(w, &(Text){.units = chars, .length = strlen(chars), .wide = false});
}

static inline int put_blob(Writer *w, const void *data, size_t length)
{
    int failed = length < 256 ? put(w, (uint8_t[]){0xc4, length}, 2) : put_u32(w, 0xc6, length);
    return failed || put(w, data, length) ? -1 : 0;
}

/* Extensions whose length is known only afterwards: five bytes of head now, the length when they end. */
static inline int open_extension(Writer *w, Tag tag, size_t *mark)
{
    if (put_u32(w, 0xc9, 0) || put_byte(w, tag))
        return -1;
    *mark = w->out->length;
    return 0;
}

static inline void close_extension(Writer *w, size_t mark)
{
    uint32_t length = w->out->length - mark;
    uint8_t *at = w->out->data + mark - 5;
    at[0] = length >> 24;
    at[1] = length >> 16;
    at[2] = length >> 8;
    at[3] = length;
}

static inline int put_extension(Writer *w, Tag tag, const void *data, uint32_t length)
{
    if (length < 256)
        return put(w, (uint8_t[]){0xc7, length, tag}, 3) || put(w, data, length) ? -1 : 0;
    return put_u32(w, 0xc9, length) || put_byte(w, tag) || put(w, data, length) ? -1 : 0;
}

static inline int put_u32_extension(Writer *w, Tag tag, uint32_t number)
{
    uint8_t bytes[5] = {0xce, number >> 24, number >> 16, number >> 8, number};
    return put_extension(w, tag, bytes, 5);
}

#endif
