#include "buffer.h"

#include <stdlib.h>

enum { SLACK_BYTES = 16 };

bool buffer_reserve(Buffer *buffer, size_t more)
{
    /* A little more than asked for: what closes a frame or a text must not move a large message once more. */
    size_t needed = buffer->length + more + SLACK_BYTES;
    if (needed < more)
        return false;
    if (needed <= buffer->room)
        return true;
    size_t room = buffer->room + buffer->room / 2;
    if (room < needed)
        room = needed;
    if (room < 1024)
        room = 1024;
    uint8_t *data = realloc(buffer->data, room);
    if (!data && room > needed) {
        room = needed;
        data = realloc(buffer->data, room);
    }
    if (!data)
        return false;
    buffer->data = data;
    buffer->room = room;
    return true;
}

void buffer_trim(Buffer *buffer, size_t keep)
{
    if (buffer->room <= keep || buffer->length > keep)
        return;
    uint8_t *data = realloc(buffer->data, keep);
    if (data) {
        buffer->data = data;
        buffer->room = keep;
    }
}
