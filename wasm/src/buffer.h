/* A growable run of bytes in the guest's own memory, outside the engine's heap. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Buffer {
    uint8_t *data;
    size_t length, room;
} Buffer;

bool buffer_reserve(Buffer *buffer, size_t more);   /* room for `more` bytes after `length` */
void buffer_trim(Buffer *buffer, size_t keep);      /* give back what is beyond `keep` bytes of room */

static inline bool buffer_put(Buffer *buffer, const void *data, size_t length)
{
    if (!length)
        return true;           /* `data` and the buffer may both be none */
    if (buffer->room - buffer->length < length && !buffer_reserve(buffer, length))
        return false;
    __builtin_memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    return true;
}

static inline bool buffer_put_byte(Buffer *buffer, uint8_t byte)
{
    if (buffer->room == buffer->length && !buffer_reserve(buffer, 1))
        return false;
    buffer->data[buffer->length++] = byte;
    return true;
}

#endif
