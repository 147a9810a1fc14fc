/* Values of the guest as messages: one flag byte, then msgpack (see the table in abi.toml).
 *
 * Values are read from the engine's own state wherever that is possible; getters and proxies do run guest code, under
 * the limits of the turn, and may change what is being read: nothing borrowed is kept across an encode_value(). */
#include "encoder.h"

#define BYTES_A_NODE 256    /* what encoding a node is worth as work */

/* The tag the bindings gave an object of theirs; 0: none. */
static Tag brand_of(JSContext *ctx, JSValueConst value)
{
    JSPropertyDescriptor own;
    if (internals_lacks_own(value, guest.brand))
        return 0;
    if (JS_GetOwnProperty(ctx, &own, value, guest.brand) <= 0)
        return 0;
    return (Tag)JS_VALUE_GET_INT(own.value);
}

/* What a property holds, without running code of the program: undefined for a getter, and behind a proxy. */
static JSValue held_value(JSContext *ctx, JSValueConst object, JSAtom key)
{
    JSValue at = JS_DupValue(ctx, object), value = JS_UNDEFINED;
    while (JS_IsObject(at) && !JS_IsProxy(at)) {
        JSPropertyDescriptor own;
        int found = JS_GetOwnProperty(ctx, &own, at, key);
        if (found < 0) {
            value = JS_EXCEPTION;
            break;
        }
        if (found) {
            value = own.value;
            JS_FreeValue(ctx, own.getter);
            JS_FreeValue(ctx, own.setter);
            break;
        }
        JSValue up = JS_GetPrototype(ctx, at);
        JS_FreeValue(ctx, at);
        at = up;
    }
    JS_FreeValue(ctx, at);
    return value;
}

/* A property's value, by its getter where it has one and code may run. */
JSValue encode_read(Encoder *e, JSValueConst object, JSAtom key)
{
    return e->quiet ? held_value(e->w.ctx, object, key) : JS_GetProperty(e->w.ctx, object, key);
}

JSValue encode_read_index(Encoder *e, JSValueConst object, uint32_t index)
{
    if (!e->quiet)
        return JS_GetPropertyUint32(e->w.ctx, object, index);
    JSAtom key = JS_NewAtomUInt32(e->w.ctx, index);
    JSValue value = held_value(e->w.ctx, object, key);
    JS_FreeAtom(e->w.ctx, key);
    return value;
}

static int encode_branded(Encoder *e, JSValueConst value, Tag tag)
{
    size_t mark;
    JSValueConst arguments[2] = {value, JS_MKVAL(JS_TAG_INT, tag)};
    JSValue parts = hooks_call(e->w.ctx, HOOK_PARTS, 2, arguments);
    if (JS_IsException(parts))
        return -1;
    int failed = open_extension(&e->w, tag, &mark) || encode_value(e, parts);
    JS_FreeValue(e->w.ctx, parts);
    if (!failed)
        close_extension(&e->w, mark);
    return failed;
}

static inline int encode_ordinary(Encoder *e, JSValueConst value)
{
    Tag tag = brand_of(e->w.ctx, value);
    if (tag)
        return encode_branded(e, value, tag);
    if ((tag = internals_iteration(e->w.ctx, value)))
        return encode_by_handle(e, value, tag);
    return encode_properties(e, value);
}

static int encode_by_class(Encoder *e, JSValueConst value)
{
    JSContext *ctx = e->w.ctx;
    const JSValue *values;
    const Record *record = internals_record(ctx, value, &values);
    double ms;
    int element;
    if (record)
        return encode_record(e, value, record, values);
    if (internals_is_ordinary(value))
        return encode_ordinary(e, value);
    if (JS_IsArray(value))
        return encode_array(e, value);
    if (JS_IsFunction(ctx, value))
        return encode_function(e, value);
    if (JS_IsProxy(value) && e->quiet)
        return refuse(e, "a proxy that nobody dealt with");
    if (JS_IsProxy(value))
        return stands_for_array(ctx, value) ? encode_proxied_array(e, value) : encode_properties(e, value);
    if (errors_class(ctx, value))
        return encode_error(e, value);
    if (internals_date_ms(value, &ms)) {
        size_t mark;
        if (open_extension(&e->w, TAG_DATE, &mark) || put_f64(&e->w, ms))
            return -1;
        close_extension(&e->w, mark);
        return 0;
    }
    if (JS_IsMap(value))
        return encode_collection(e, value, TAG_MAP);
    if (JS_IsSet(value))
        return encode_collection(e, value, TAG_SET);
    if (JS_IsRegExp(value))
        return encode_regexp(e, value);
    if (internals_is_buffer(value))
        return encode_buffer(e, value);
    if (JS_IsDataView(value))
        return encode_view(e, value, ELEMENT_DATA_VIEW);
    if ((element = JS_GetTypedArrayType(value)) >= 0)
        return encode_view(e, value, (Element)element);
    if (JS_IsPromise(value)) {
        if (!e->quiet)
            jobs_follow(ctx, value);   /* from here on its rejection is the host's business */
        return encode_by_handle(e, value, TAG_PROMISE);
    }
    if (internals_is_weak(value))
        return refuse(e, "a weak collection or reference");
    return encode_ordinary(e, value);
}

static int encode_object(Encoder *e, JSValueConst value)
{
    JSValueConst primitive;
    if (internals_boxed(value, &primitive))
        return encode_value(e, primitive);
    if (internals_references(value) > (e->w.path ? e->w.path->held : HELD_BY_US)) {
        uint32_t address = (uint32_t)(uintptr_t)JS_VALUE_GET_PTR(value);
        Entry *entry = registry_find(&e->seen, address);
        if (entry) {
            e->references = true;
            return put_u32_extension(&e->w, TAG_REFERENCE, (uint32_t)JS_VALUE_GET_INT(entry->first));
        }
        if (!(entry = registry_add(&e->seen, address)))
            return out_of_memory(&e->w);
        entry->first = JS_NewInt32(e->w.ctx, (int32_t)e->objects);
        entry->second = JS_DupValue(e->w.ctx, value);    /* or guest code might free it, and another take its address */
    }
    e->objects++;
    if (e->depth >= guest.control.max_depth)
        return refuse(e, "nested deeper than the max_depth limit");
    e->depth++;
    int failed = encode_by_class(e, value);
    e->depth--;
    return failed;
}

int encode_value(Encoder *e, JSValueConst value)
{
    const uint8_t *bytes;
    size_t length;
    int32_t small;
    if (++e->nodes > guest.control.max_nodes)
        return refuse(e, "more values than the max_nodes limit");
    if (e->nodes % NODES_A_POLL == 0 && engine_poll(NODES_A_POLL * BYTES_A_NODE))
        return -1;
    switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_INT:
    case JS_TAG_FLOAT64:
    case JS_TAG_BOOL:
    case JS_TAG_NULL:
    case JS_TAG_STRING:
    case JS_TAG_STRING_ROPE:
        return put_leaf(e, value);
    case JS_TAG_UNDEFINED:
    case JS_TAG_UNINITIALIZED:
        return put(&e->w, (uint8_t[]){0xc7, 0, TAG_UNDEFINED}, 3);
    case JS_TAG_BIG_INT:
    case JS_TAG_SHORT_BIG_INT:
        internals_bigint_bytes(value, &bytes, &length, &small);
        return put_extension(&e->w, TAG_BIGINT, bytes, length);
    case JS_TAG_OBJECT:
        return encode_object(e, value);
    case JS_TAG_SYMBOL:
        return refuse(e, "a symbol");
    default:
        return refuse(e, "an internal value");
    }
}

static Encoder open_message(JSContext *ctx, Buffer *out)
{
    Encoder e = {.w = {.ctx = ctx, .out = out, .start = out->length}};
    return e;
}

static int close_message(Encoder *e, int failed)
{
    for (uint32_t slot = 0; slot < e->seen.room; slot++) {
        if (e->seen.entries[slot].id)
            JS_FreeValue(e->w.ctx, e->seen.entries[slot].second);
    }
    registry_free(&e->seen);
    if (failed) {
        e->w.out->length = e->w.start;
        handles_take_back(e->handles);
    } else if (e->references)
        e->w.out->data[e->w.start] = FLAG_REFERENCES;
    return failed;
}

int encode_message(JSContext *ctx, Buffer *out, JSValueConst value, bool quiet)
{
    Encoder e = open_message(ctx, out);
    e.quiet = quiet;
    return close_message(&e, put_byte(&e.w, 0) || encode_value(&e, value) ? -1 : 0);
}

int encode_arguments(JSContext *ctx, Buffer *out, int argc, JSValueConst *argv)
{
    Encoder e = open_message(ctx, out);
    int failed = put_byte(&e.w, 0) || put_array(&e.w, argc);
    e.objects = 1;         /* the argument array itself is number 0 */
    for (int i = 0; !failed && i < argc; i++)
        failed = encode_member(&e, JS_ATOM_NULL, i, HELD_BY_PARENT_AND_US, JS_DupValue(ctx, argv[i]));
    return close_message(&e, failed ? -1 : 0);
}
