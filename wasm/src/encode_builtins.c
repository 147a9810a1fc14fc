/* Objects of built-in classes as messages: patterns, buffers, functions and what else stays here, errors. */
#include "encoder.h"

int encode_regexp(Encoder *e, JSValueConst value)
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

int encode_buffer(Encoder *e, JSValueConst value)
{
    size_t size;
    uint8_t *data;
    if (internals_is_detached(value))
        return refuse(e, "a detached ArrayBuffer");
    internals_buffer_source(value, &data, &size);
    return put_extension(&e->w, TAG_ARRAY_BUFFER, data, size);
}

int encode_view(Encoder *e, JSValueConst value, Element element)
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

int encode_by_handle(Encoder *e, JSValueConst value, Tag tag)
{
    uint32_t id = add_handle(e, value);
    return !id || put_u32_extension(&e->w, tag, id) ? -1 : 0;
}

int encode_function(Encoder *e, JSValueConst value)
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

int encode_error(Encoder *e, JSValueConst error)
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
            failed = encode_member(e, atom, 0, HELD_BY_US, encode_read(e, error, atom));
    }
    for (uint32_t i = 0; i < extras; i++)
        JS_FreeAtom(e->w.ctx, extra[i]);
    JS_FreePropertyEnum(e->w.ctx, keys, count);
    if (!failed)
        close_extension(&e->w, mark);
    return failed;
}
