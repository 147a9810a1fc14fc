/* Values of the guest as messages: one flag byte, then msgpack (see the table in abi.toml).
 *
 * Values are read from the engine's own state wherever that is possible; getters and proxies do run guest code, under
 * the limits of the turn, and may change what is being read: nothing borrowed is kept across an encode_value(). */
#include "writer.h"

enum { HELD_BY_US = 1, HELD_BY_PARENT_AND_US = 2 };
enum { SHORT_ARRAY = 4096 };

typedef struct Encoder {
    Writer w;
    Registry seen;        /* object address -> its number and itself, for objects that something else refers to as well */
    uint32_t handles;     /* the last handle made for this message, 0: none; see handles_chain() */
    uint32_t objects;
    uint32_t nodes;
    uint32_t depth;
    bool references;
} Encoder;

static int encode_value(Encoder *e, JSValueConst value);

static int refuse(Encoder *e, const char *reason)
{
    return writer_refuse(&e->w, reason);
}

/* Takes `value`; `held` says whether the container is known to hold one reference beside ours. */
static int encode_member(Encoder *e, JSAtom key, uint32_t index, uint32_t held, JSValue value)
{
    if (JS_IsException(value))
        return -1;
    Path step = {.up = e->w.path, .key = key, .index = index, .held = held};
    e->w.path = &step;
    int failed = encode_value(e, value);
    e->w.path = step.up;
    JS_FreeValue(e->w.ctx, value);
    return failed;
}

/* A short array with holes is written whole: undefined stands in the holes. */
static int encode_holes(Encoder *e, JSValueConst value, uint32_t length)
{
    if (put_array(&e->w, length))
        return -1;
    for (uint32_t i = 0; i < length; i++) {
        if (encode_member(e, JS_ATOM_NULL, i, HELD_BY_US, JS_GetPropertyUint32(e->w.ctx, value, i)))
            return -1;
    }
    return 0;
}

static int encode_sparse(Encoder *e, JSValueConst value, uint32_t length)
{
    JSPropertyEnum *keys;
    uint32_t count, present = 0, index;
    size_t mark;
    if (JS_GetOwnPropertyNames(e->w.ctx, &keys, &count, value, JS_GPN_STRING_MASK))
        return -1;
    while (present < count && internals_atom_index(keys[present].atom, &index))
        present++;
    int failed = open_extension(&e->w, TAG_SPARSE_ARRAY, &mark) || put_i64(&e->w, length) || put_map(&e->w, present);
    for (uint32_t i = 0; !failed && i < present; i++) {
        internals_atom_index(keys[i].atom, &index);
        failed = put_i64(&e->w, index) || encode_member(e, JS_ATOM_NULL, index, HELD_BY_US,
                                                          JS_GetProperty(e->w.ctx, value, keys[i].atom));
    }
    if (!failed)
        close_extension(&e->w, mark);
    JS_FreePropertyEnum(e->w.ctx, keys, count);
    return failed;
}

static int encode_array(Encoder *e, JSValueConst value)
{
    JSValue *values;
    uint32_t count;
    int64_t length;
    if (internals_fast_array(value, &values, &count)) {
        if (count > guest.control.max_nodes)
            return refuse(e, "more values than the max_nodes limit");
        if (put_array(&e->w, count))
            return -1;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t now;
            bool dense = internals_fast_array(value, &values, &now) && i < now;
            JSValue item = dense ? JS_DupValue(e->w.ctx, values[i]) : JS_GetPropertyUint32(e->w.ctx, value, i);
            if (encode_member(e, JS_ATOM_NULL, i, dense ? HELD_BY_PARENT_AND_US : HELD_BY_US, item))
                return -1;
        }
        return 0;
    }
    if (JS_GetLength(e->w.ctx, value, &length))
        return -1;
    if (length > UINT32_MAX)
        return refuse(e, "an array longer than 2^32 - 1");
    return length <= SHORT_ARRAY ? encode_holes(e, value, (uint32_t)length) : encode_sparse(e, value, (uint32_t)length);
}

static int encode_properties(Encoder *e, JSValueConst value)
{
    Properties cursor;
    JSAtom key;
    JSValue property;
    Text text;
    int failed;
    if (internals_properties_open(e->w.ctx, value, &cursor)) {
        failed = put_map(&e->w, cursor.count);
        while (!failed && internals_properties_next(e->w.ctx, value, &cursor, &key, &property)) {
            failed = !internals_atom_text(e->w.ctx, key, &text) || put_text(&e->w, &text);
            if (failed)
                JS_FreeValue(e->w.ctx, property);
            else
                failed = encode_member(e, key, 0, HELD_BY_PARENT_AND_US, property);
        }
        internals_properties_close(e->w.ctx, &cursor);
        return failed;
    }
    JSPropertyEnum *keys;
    uint32_t count;
    if (JS_GetOwnPropertyNames(e->w.ctx, &keys, &count, value, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return -1;
    failed = put_map(&e->w, count);
    for (uint32_t i = 0; !failed && i < count; i++) {
        JSValue name = JS_AtomToString(e->w.ctx, keys[i].atom);
        failed = JS_IsException(name) || !internals_text(e->w.ctx, name, &text) || put_text(&e->w, &text);
        JS_FreeValue(e->w.ctx, name);
        if (!failed)
            failed = encode_member(e, keys[i].atom, 0, HELD_BY_US, JS_GetProperty(e->w.ctx, value, keys[i].atom));
    }
    JS_FreePropertyEnum(e->w.ctx, keys, count);
    return failed;
}

static int encode_collection(Encoder *e, JSValueConst value, Tag tag)
{
    uint32_t count, at = 0;
    size_t mark;
    JSValue *values = internals_collection(e->w.ctx, value, &count);
    if (!values && JS_HasException(e->w.ctx))
        return -1;
    int failed = open_extension(&e->w, tag, &mark) || put_array(&e->w, count);
    for (; !failed && at < count; at++)
        failed = encode_member(e, JS_ATOM_NULL, tag == TAG_MAP ? at / 2 : at, HELD_BY_PARENT_AND_US, values[at]);
    for (; at < count; at++)
        JS_FreeValue(e->w.ctx, values[at]);
    js_free(e->w.ctx, values);
    if (!failed)
        close_extension(&e->w, mark);
    return failed;
}

static int encode_regexp(Encoder *e, JSValueConst value)
{
    JSValue source, flags;
    Text text;
    size_t mark;
    internals_regexp(e->w.ctx, value, &source, &flags);
    int failed = open_extension(&e->w, TAG_REGEXP, &mark) || put_array(&e->w, 2) ||
                 !internals_text(e->w.ctx, source, &text) || put_text(&e->w, &text) ||
                 !internals_text(e->w.ctx, flags, &text) || put_text(&e->w, &text);
    JS_FreeValue(e->w.ctx, source);
    JS_FreeValue(e->w.ctx, flags);
    if (!failed)
        close_extension(&e->w, mark);
    return failed;
}

static int encode_buffer(Encoder *e, JSValueConst value)
{
    size_t size;
    uint8_t *data = JS_GetArrayBuffer(e->w.ctx, &size, value);
    if (!data && JS_HasException(e->w.ctx)) {
        JS_FreeValue(e->w.ctx, JS_GetException(e->w.ctx));
        return refuse(e, "a detached ArrayBuffer");
    }
    return put_extension(&e->w, TAG_ARRAY_BUFFER, data, size);
}

static int encode_view(Encoder *e, JSValueConst value, Element element)
{
    const uint8_t *data;
    size_t length;
    if (!internals_view(value, &data, &length))
        return refuse(e, "a view of a detached or shrunk ArrayBuffer");
    if (element == ELEMENT_UINT8)
        return put_blob(&e->w, data, length);
    return put_u32(&e->w, 0xc9, length + 1) || put_byte(&e->w, TAG_TYPED_ARRAY) || put_byte(&e->w, element) ||
           put(&e->w, data, length) ? -1 : 0;
}

/* 0: an exception is pending. */
static uint32_t add_handle(Encoder *e, JSValueConst value)
{
    uint32_t id = handles_add(e->w.ctx, value);
    if (id)
        e->handles = handles_chain(id, e->handles);
    return id;
}

static int encode_by_handle(Encoder *e, JSValueConst value, Tag tag)
{
    uint32_t id = add_handle(e, value);
    return !id || put_u32_extension(&e->w, tag, id) ? -1 : 0;
}

static int encode_function(Encoder *e, JSValueConst value)
{
    size_t mark;
    Text text = {.units = "", .length = 0};
    JSPropertyDescriptor name = {.value = JS_UNDEFINED, .getter = JS_UNDEFINED, .setter = JS_UNDEFINED};
    JSAtom atom = JS_NewAtom(e->w.ctx, "name");
    if (!JS_IsProxy(value) && JS_GetOwnProperty(e->w.ctx, &name, value, atom) < 0)
        JS_FreeValue(e->w.ctx, JS_GetException(e->w.ctx));
    JS_FreeAtom(e->w.ctx, atom);
    if (JS_IsString(name.value))
        internals_text(e->w.ctx, name.value, &text);
    uint32_t id = add_handle(e, value);
    int failed = !id || open_extension(&e->w, TAG_FUNCTION, &mark) || put_array(&e->w, 2) || put_i64(&e->w, id) ||
                 put_text(&e->w, &text);
    JS_FreeValue(e->w.ctx, name.value);
    JS_FreeValue(e->w.ctx, name.getter);
    JS_FreeValue(e->w.ctx, name.setter);
    if (failed)
        return -1;
    close_extension(&e->w, mark);
    return 0;
}

/* A property of an Error as text, or nil. Its getter may run; what it throws is ignored unless it ends the turn. */
static int encode_error_text(Encoder *e, JSValueConst error, const char *name)
{
    JSValue value = JS_GetPropertyStr(e->w.ctx, error, name);
    if (JS_IsException(value)) {
        JSValue thrown = JS_GetException(e->w.ctx);
        if (JS_IsUncatchableError(thrown)) {
            JS_Throw(e->w.ctx, thrown);
            return -1;
        }
        JS_FreeValue(e->w.ctx, thrown);
    }
    Text text;
    int failed;
    if (JS_IsString(value) && internals_text(e->w.ctx, value, &text)) {
        if (text.length > CAP_ERROR_TEXT_BYTES / 3)
            text.length = CAP_ERROR_TEXT_BYTES / 3;
        failed = put_text(&e->w, &text);
    } else {
        failed = put_byte(&e->w, 0xc0);
    }
    JS_FreeValue(e->w.ctx, value);
    return failed;
}

static int encode_error(Encoder *e, JSValueConst error)
{
    static const char *const hidden[] = {"cause", "errors"};
    JSPropertyEnum *keys = NULL;
    JSAtom extra[2];
    uint32_t count, kept = 0, extras = 0;
    size_t mark;
    uint32_t host = errors_host_exception(e->w.ctx, error);
    int failed = open_extension(&e->w, TAG_ERROR, &mark) || put_array(&e->w, 6) ||
                 put_chars(&e->w, errors_class(e->w.ctx, error)) ||
                 encode_error_text(e, error, "name") || encode_error_text(e, error, "message") ||
                 encode_error_text(e, error, "stack") || (host ? put_i64(&e->w, host) : put_byte(&e->w, 0xc0)) ||
                 JS_GetOwnPropertyNames(e->w.ctx, &keys, &count, error, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY);
    if (failed)
        return -1;
    for (int i = 0; i < 2; i++) {
        JSPropertyDescriptor own;
        JSAtom atom = JS_NewAtom(e->w.ctx, hidden[i]);
        int found = JS_GetOwnProperty(e->w.ctx, &own, error, atom);
        if (found > 0) {
            JS_FreeValue(e->w.ctx, own.value);
            JS_FreeValue(e->w.ctx, own.getter);
            JS_FreeValue(e->w.ctx, own.setter);
        }
        if (found > 0 && !(own.flags & JS_PROP_ENUMERABLE))
            extra[extras++] = atom;
        else
            JS_FreeAtom(e->w.ctx, atom);
        if (found < 0)
            failed = -1;
    }
    /* The two lists become one: enumerable properties, then the standard ones that are not enumerable. */
    kept = count + extras;
    failed = failed || put_map(&e->w, kept);
    for (uint32_t i = 0; !failed && i < kept; i++) {
        JSAtom atom = i < count ? keys[i].atom : extra[i - count];
        Text text;
        JSValue name = JS_AtomToString(e->w.ctx, atom);
        failed = JS_IsException(name) || !internals_text(e->w.ctx, name, &text) || put_text(&e->w, &text);
        JS_FreeValue(e->w.ctx, name);
        if (!failed)
            failed = encode_member(e, atom, 0, HELD_BY_US, JS_GetProperty(e->w.ctx, error, atom));
    }
    for (uint32_t i = 0; i < extras; i++)
        JS_FreeAtom(e->w.ctx, extra[i]);
    JS_FreePropertyEnum(e->w.ctx, keys, count);
    if (!failed)
        close_extension(&e->w, mark);
    return failed;
}

/* Through proxies, down to what they stand for; NULL-safe against chains that were revoked. */
static bool stands_for_array(JSContext *ctx, JSValueConst value)
{
    JSValue at = JS_DupValue(ctx, value);
    for (int hops = 0; hops < 64 && JS_IsProxy(at); hops++) {
        JSValue target = JS_GetProxyTarget(ctx, at);
        JS_FreeValue(ctx, at);
        at = target;
        if (JS_IsException(at)) {
            JS_FreeValue(ctx, JS_GetException(ctx));
            return false;
        }
    }
    bool array = JS_IsArray(at);
    JS_FreeValue(ctx, at);
    return array;
}

static int encode_proxied_array(Encoder *e, JSValueConst value)
{
    int64_t length;
    if (JS_GetLength(e->w.ctx, value, &length))
        return -1;
    if (length > guest.control.max_nodes)
        return refuse(e, "more values than the max_nodes limit");
    if (put_array(&e->w, (uint32_t)length))
        return -1;
    for (int64_t i = 0; i < length; i++) {
        if (encode_member(e, JS_ATOM_NULL, (uint32_t)i, HELD_BY_US, JS_GetPropertyInt64(e->w.ctx, value, i)))
            return -1;
    }
    return 0;
}

/* The tag the bindings gave an object of theirs; 0: none. */
static Tag brand_of(JSContext *ctx, JSValueConst value)
{
    JSPropertyDescriptor own;
    if (JS_GetOwnProperty(ctx, &own, value, guest.brand) <= 0)
        return 0;
    return (Tag)JS_VALUE_GET_INT(own.value);
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

static int encode_by_class(Encoder *e, JSValueConst value)
{
    JSContext *ctx = e->w.ctx;
    double ms;
    int element;
    Tag tag;
    if (JS_IsArray(value))
        return encode_array(e, value);
    if (JS_IsFunction(ctx, value))
        return encode_function(e, value);
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
        jobs_follow(ctx, value);       /* from here on its rejection is the host's business */
        return encode_by_handle(e, value, TAG_PROMISE);
    }
    if (internals_is_weak(value))
        return refuse(e, "a weak collection or reference");
    if ((tag = brand_of(ctx, value)))
        return encode_branded(e, value, tag);
    if ((tag = internals_iteration(ctx, value)))
        return encode_by_handle(e, value, tag);
    return encode_properties(e, value);
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

static int encode_value(Encoder *e, JSValueConst value)
{
    Text text;
    const uint8_t *bytes;
    size_t length;
    int32_t small;
    if (++e->nodes > guest.control.max_nodes)
        return refuse(e, "more values than the max_nodes limit");
    switch (JS_VALUE_GET_NORM_TAG(value)) {
    case JS_TAG_INT:
        return put_i64(&e->w, JS_VALUE_GET_INT(value));
    case JS_TAG_FLOAT64:
        return put_number(&e->w, JS_VALUE_GET_FLOAT64(value));
    case JS_TAG_BOOL:
        return put_byte(&e->w, JS_VALUE_GET_BOOL(value) ? 0xc3 : 0xc2);
    case JS_TAG_NULL:
        return put_byte(&e->w, 0xc0);
    case JS_TAG_UNDEFINED:
    case JS_TAG_UNINITIALIZED:
        return put(&e->w, (uint8_t[]){0xc7, 0, TAG_UNDEFINED}, 3);
    case JS_TAG_STRING:
    case JS_TAG_STRING_ROPE:
        return internals_text(e->w.ctx, value, &text) ? put_text(&e->w, &text) : -1;
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

int encode_message(JSContext *ctx, Buffer *out, JSValueConst value)
{
    Encoder e = open_message(ctx, out);
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
