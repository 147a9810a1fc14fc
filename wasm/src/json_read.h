/* JSON.parse without a reviver, which runs no code of the program's.
 *
 * The text is read where it is, in its own width, and each value is made once it is known: arrays with as much room as
 * they need, and objects, as far as they have the keys of the one before in the same array or place, in that one's shape.
 * Then keys are only compared. Likewise a text that is the same as its counterpart there is that one.
 *
 * What is no JSON, and a number of very many digits, is left to the engine's own reader, which begins anew: it knows what
 * to say. A patch includes this in the midst of the engine's source. */
#ifndef JSON_READ_H
#define JSON_READ_H

enum {
    JSON_ROOM = 128,            /* values that wait for the end of the objects and arrays that they are in */
    JSON_WAITING = 64,          /* of one; what has more is made at once, and grows */
    JSON_NAME = 64,             /* characters of a wide text's key that is looked up without being made first */
    JSON_DIGITS = 127,          /* characters of a number */
    JSON_STEPS = 3,             /* what a value counts towards the next look at the limits */
};

typedef uint64_t __attribute__((aligned(1), may_alias)) json_word;

/* The bit above each character, in a word of them, that is a quote, a backslash or a control character. Only the lowest
 * one that is set counts. `ones` has the lowest bit of each character set, `tops` the highest. */
static inline uint64_t json_special(uint64_t word, uint64_t ones, uint64_t tops)
{
    uint64_t quotes = word ^ ones * '"', slashes = word ^ ones * '\\';
    return (((word - ones * ' ') & ~word) | ((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes)) & tops;
}

#define BYTE_ONES UINT64_C(0x0101010101010101)
#define WIDE_ONES UINT64_C(0x0001000100010001)

static const uint8_t *json_plain_end8(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t special = json_special(*(const json_word *)at, BYTE_ONES, BYTE_ONES << 7);
        if (special)
            return at + (__builtin_ctzll(special) >> 3);
    }
    while (at < end && *at >= ' ' && *at != '"' && *at != '\\')
        at++;
    return at;
}

static const uint16_t *json_plain_end16(const uint16_t *at, const uint16_t *end)
{
    for (; end - at >= 4; at += 4) {
        uint64_t special = json_special(*(const json_word *)at, WIDE_ONES, WIDE_ONES << 15);
        if (special)
            return at + (__builtin_ctzll(special) >> 4);
    }
    while (at < end && *at >= ' ' && *at != '"' && *at != '\\')
        at++;
    return at;
}

static inline bool json_is_same8(const uint8_t *one, const uint8_t *other, uint32_t count)
{
    for (; count >= 8; one += 8, other += 8, count -= 8)
        if (*(const json_word *)one != *(const json_word *)other)
            return false;
    while (count && *one == *other)
        one++, other++, count--;
    return !count;
}

/* What was read counts towards the next poll; short texts do so as values. */
static inline void json_weigh(size_t bytes)
{
    if (bytes >= 128)
        engine_weigh(bytes);
}

/* The name that ASCII characters are, if there is one already; it is dup'ed. Not for what may be an index. */
static JSAtom json_find_name(JSContext *ctx, const uint8_t *text, uint32_t length)
{
    JSRuntime *rt = ctx->rt;
    uint32_t hash = hash_string8(text, length, JS_ATOM_TYPE_STRING) & JS_ATOM_HASH_MASK;
    for (uint32_t i = rt->atom_hash[hash & (rt->atom_hash_size - 1)]; i; i = rt->atom_array[i]->hash_next) {
        JSAtomStruct *name = rt->atom_array[i];
        ctx->interrupt_counter--;
        if (name->hash == hash && name->atom_type == JS_ATOM_TYPE_STRING && name->len == length &&
            !name->is_wide_char && json_is_same8(str8(name), text, length)) {
            if (!__JS_AtomIsConst(i))
                JS_REF_COUNT(name)++;
            return i;
        }
    }
    return JS_ATOM_NULL;
}

/* Give an object that is being read a property. Takes the value. 1: there was one of that name; -1: no memory. */
static int json_define(JSContext *ctx, JSValueConst object, JSAtom atom, JSValue value)
{
    JSObject *p = JS_VALUE_GET_OBJ(object);
    if (unlikely(find_own_property1(p, atom) != NULL))
        return JS_DefinePropertyValue(ctx, object, atom, value, JS_PROP_C_W_E) < 0 ? -1 : 1;
    JSProperty *pr = add_property(ctx, p, atom, JS_PROP_C_W_E);
    if (unlikely(!pr)) {
        JS_FreeValue(ctx, value);
        return -1;
    }
    pr->u.value = value;
    return 0;
}

/* An object with the first properties of a shape. Takes the values, also when there is no memory. */
static JSValue json_object_of(JSContext *ctx, JSShape *shape, const JSValue *values, uint32_t count)
{
    JSValue object = JS_NewObject(ctx);
    for (uint32_t i = 0; i < count; i++) {
        if (JS_IsException(object)) {
            JS_FreeValue(ctx, values[i]);
        } else if (json_define(ctx, object, get_shape_prop(shape)[i].atom, values[i]) < 0) {
            JS_FreeValue(ctx, object);
            object = JS_EXCEPTION;
        }
    }
    return object;
}

/* The shape whose keys may come again, if a value is an object that was read before. */
static inline JSShape *json_shape_of(JSValueConst like)
{
    if (JS_VALUE_GET_TAG(like) != JS_TAG_OBJECT)
        return NULL;
    const JSObject *p = JS_VALUE_GET_OBJ(like);
    return p->class_id == JS_CLASS_OBJECT && p->shape->is_hashed && p->shape->prop_count <= JSON_WAITING ? p->shape : NULL;
}

/* A number of 64 bits that is not exact by one step. */
static no_inline double json_long_number(const char *text)
{
    JSATODTempMem scratch;
    return js_atod(text, NULL, 10, 0, &scratch);
}

#define JSON_CHAR uint8_t
#define JSON_AS(name) name##8
#include "json_read_as.h"
#undef JSON_CHAR
#undef JSON_AS
#define JSON_CHAR uint16_t
#define JSON_AS(name) name##16
#define JSON_IS_WIDE 1
#include "json_read_as.h"

/* Read a text, which is a flat string. False: nothing was done, and the engine's own reader is to do it. */
static bool json_read(JSContext *ctx, JSValueConst text, JSValue *out)
{
    JSString *string = JS_VALUE_GET_STRING(text);
    if (js_check_stack_overflow(ctx->rt, sizeof(JsonReader8) + 64))
        return false;
    return string->is_wide_char ? json_read16(ctx, str16(string), string->len, out)
                                : json_read8(ctx, str8(string), string->len, out);
}

#endif
