/* What the files that decode values share: decode.c knows what comes next, decode_builtins.c makes objects of built-in
 * classes. Values are JS_EXCEPTION, and numbers -1 or false, when an exception is pending or the message is malformed. */
#ifndef DECODER_H
#define DECODER_H

#include "internals.h"

static inline JSValue malformed_value(Reader *reader)
{
    reader->malformed = true;
    return JS_EXCEPTION;
}

/* Keep the object with this number, when somebody may refer to it: nothing else might, a later key can replace it. */
static inline void note(Reader *reader, uint32_t number, JSValueConst object)
{
    if (reader->references)
        reader->objects[number] = JS_DupValue(guest.context, object);
}

static inline JSValue finish(JSValue object, bool failed)
{
    if (!failed)
        return object;
    JS_FreeValue(guest.context, object);
    return JS_EXCEPTION;
}

/* decode.c */
bool reserve_number(Reader *reader, uint32_t *number);
int read_properties(Reader *reader, JSValueConst object);
JSValue read_text(Reader *reader);

/* decode_builtins.c */
JSValue read_error(Reader *reader);
JSValue read_collection(Reader *reader, bool map);
JSValue read_view(Reader *reader, const uint8_t *data, uint32_t length);
JSValue read_regexp(Reader *reader);
JSValue read_host_function(Reader *reader, uint32_t *op);
JSValue read_hooked(Reader *reader, Hook hook);
JSValue read_made(Reader *reader, Tag tag);
JSValue read_sparse(Reader *reader);

#endif
