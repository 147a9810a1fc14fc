/* A message of the host, from the inbox to its end, and the plain parts of it that exports ask for. */
#include "guest.h"

#include <stdlib.h>

bool reader_open(Reader *reader, size_t length)
{
    /* The message is the reader's while it is read: guest code that runs meanwhile (Error.prepareStackTrace when an Error
     * is made, getters on a path) may call the host, whose reply must not fall on it. */
    *reader = (Reader){.message = guest.inbox, .open = true};
    guest.inbox = (Buffer){0};
    engine_show_inbox();
    if (!length || length >= reader->message.room)
        return reader_malformed(reader);
    reader->at = reader->message.data;
    reader->end = reader->at + length;
    reader->references = *reader->at++ & FLAG_REFERENCES;
    return true;
}

void reader_close(Reader *reader)
{
    if (!reader->open)
        return;
    reader->open = false;
    for (uint32_t i = 0; i < reader->object_count; i++)
        JS_FreeValue(guest.context, reader->objects[i]);
    js_free(guest.context, reader->objects);
    for (int i = 0; i < KNOWN_KEYS; i++)
        JS_FreeAtom(guest.context, reader->keys[i].atom);
    free(guest.inbox.data);
    guest.inbox = reader->message;
    engine_show_inbox();
}

bool reader_at_end(Reader *reader)
{
    return reader->at == reader->end || reader_malformed(reader);
}

bool reader_bytes(Reader *reader, Bytes *out)
{
    const uint8_t *data;
    uint32_t length;
    if (!reader_take(reader, 1, &data))
        return false;
    uint8_t head = *data;
    if ((head & 0xe0) == 0xa0)
        length = head & 0x1f;
    else if (head >= 0xd9 && head <= 0xdb) {
        if (!reader_length(reader, 1 << (head - 0xd9), &length))
            return false;
    } else if (head >= 0xc4 && head <= 0xc6) {
        if (!reader_length(reader, 1 << (head - 0xc4), &length))
            return false;
    } else {
        return reader_malformed(reader);
    }
    if (!reader_take(reader, length, &data))
        return false;
    *out = (Bytes){.data = (const char *)data, .length = length};
    return true;
}

bool reader_is_text(const Reader *reader)
{
    return reader->at < reader->end && ((*reader->at & 0xe0) == 0xa0 || (*reader->at >= 0xd9 && *reader->at <= 0xdb));
}

bool reader_unsigned(Reader *reader, uint32_t *out)
{
    const uint8_t *data;
    uint64_t number;
    if (!reader_take(reader, 1, &data))
        return false;
    if (*data < 0x80) {
        *out = *data;
        return true;
    }
    if (*data < 0xcc || *data > 0xcf || !reader_number(reader, 1 << (*data - 0xcc), &number) || number > UINT32_MAX)
        return reader_malformed(reader);
    *out = (uint32_t)number;
    return true;
}
