/* What the files that encode values share: encode.c knows what a value is, the others how each kind is written.
 * Every function returns 0, or -1 with an exception pending. */
#ifndef ENCODER_H
#define ENCODER_H

#include "writer.h"

/* How many references a container holds to what is encoded beside our own. */
enum { HELD_BY_US = 1, HELD_BY_PARENT_AND_US = 2 };

typedef struct Encoder {
    Writer w;
    Registry seen;        /* object address -> its number and itself, for objects that something else refers to as well */
    uint32_t handles;     /* the last handle made for this message, 0: none; see handles_chain() */
    uint32_t objects;
    uint32_t nodes;
    uint32_t depth;
    bool references;
    bool quiet;           /* no code of the program runs: getters count as undefined, proxies cannot cross */
} Encoder;

static inline int refuse(Encoder *e, const char *reason)
{
    return writer_refuse(&e->w, reason);
}

/* The limits are looked at every so many values; a look may run code of the program. */
#define NODES_A_POLL 128

/* A number or a text, or what is written like one; it has been counted. */
static inline int put_leaf(Encoder *e, JSValueConst value)
{
    Text text;
    switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_INT:
        return put_i64(&e->w, JS_VALUE_GET_INT(value));
    case JS_TAG_FLOAT64:
        return put_number(&e->w, JS_VALUE_GET_FLOAT64(value));
    case JS_TAG_BOOL:
        return put_byte(&e->w, JS_VALUE_GET_BOOL(value) ? 0xc3 : 0xc2);
    case JS_TAG_NULL:
        return put_byte(&e->w, 0xc0);
    default:
        return internals_text(e->w.ctx, value, &text) ? put_text(&e->w, &text) : -1;
    }
}

/* encode.c */
int encode_value(Encoder *e, JSValueConst value);
JSValue encode_read(Encoder *e, JSValueConst object, JSAtom key);
JSValue encode_read_index(Encoder *e, JSValueConst object, uint32_t index);

/* encode_containers.c; encode_member() takes `value`, and `held` says what its container holds of it. */
int encode_member(Encoder *e, JSAtom key, uint32_t index, uint32_t held, JSValue value);
int encode_array(Encoder *e, JSValueConst value);
int encode_properties(Encoder *e, JSValueConst value);
int encode_record(Encoder *e, JSValueConst object, const Record *record, const JSValue *values);
int encode_collection(Encoder *e, JSValueConst value, Tag tag);
bool stands_for_array(JSContext *ctx, JSValueConst value);
int encode_proxied_array(Encoder *e, JSValueConst value);

/* encode_builtins.c */
int encode_regexp(Encoder *e, JSValueConst value);
int encode_buffer(Encoder *e, JSValueConst value);
int encode_view(Encoder *e, JSValueConst value, Element element);
int encode_by_handle(Encoder *e, JSValueConst value, Tag tag);
int encode_function(Encoder *e, JSValueConst value);
int encode_error(Encoder *e, JSValueConst error);

#endif
