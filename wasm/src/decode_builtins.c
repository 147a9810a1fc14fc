/* Objects of built-in classes, and what stands for objects of the host, from messages. */
#include "decoder.h"

#include <string.h>

/* A string, or undefined for nil. */
static JSValue read_optional_text(Reader *reader)
{
    if (reader->at >= reader->end || *reader->at != 0xc0)
        return read_text(reader);
    reader->at++;
    return JS_UNDEFINED;
}

/* Own properties of an Error. Like those the constructors make, `cause` and `errors` are not enumerable. */
static int read_error_properties(Reader *reader, JSValueConst error)
{
    JSContext *ctx = guest.context;
    JSPropertyEnum *keys = NULL;
    uint32_t count = 0;
    JSValue extra = JS_NewObject(ctx);
    int failed = JS_IsException(extra) || read_properties(reader, extra) < 0 ||
                 JS_GetOwnPropertyNames(ctx, &keys, &count, extra, JS_GPN_STRING_MASK) < 0;
    for (uint32_t i = 0; !failed && i < count; i++) {
        const char *name = JS_AtomToCString(ctx, keys[i].atom);
        bool hidden = name && (!strcmp(name, "cause") || !strcmp(name, "errors"));
        JS_FreeCString(ctx, name);
        JSValue value = JS_GetProperty(ctx, extra, keys[i].atom);
        failed = JS_IsException(value) ||
                 JS_DefinePropertyValue(ctx, error, keys[i].atom, value,
                                        hidden ? JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE : JS_PROP_C_W_E) < 0;
    }
    JS_FreePropertyEnum(ctx, keys, count);
    JS_FreeValue(ctx, extra);
    return failed ? -1 : 0;
}

JSValue read_error(Reader *reader)
{
    Bytes class_name;
    uint32_t number, count, host = 0;
    JSValue parts[3];
    if (!reserve_number(reader, &number) || !reader_count(reader, 0x90, 0xdc, &count))
        return JS_EXCEPTION;
    if (count != 6 || !reader_bytes(reader, &class_name))
        return malformed_value(reader);
    for (int i = 0; i < 3; i++) {
        parts[i] = read_optional_text(reader);
        if (JS_IsException(parts[i])) {
            while (i--)
                JS_FreeValue(guest.context, parts[i]);
            return JS_EXCEPTION;
        }
    }
    JSValue error = errors_new(guest.context, class_name, parts[0], parts[1], parts[2], 0);
    if (JS_IsException(error))
        return error;
    note(reader, number, error);
    if (reader->at < reader->end && *reader->at == 0xc0)
        reader->at++;
    else if (!reader_unsigned(reader, &host))
        return finish(error, true);
    JSValue id = JS_NewUint32(guest.context, host);
    if (host && JS_DefinePropertyValue(guest.context, error, guest.host_exception, id, 0) < 0)
        return finish(error, true);
    return finish(error, read_error_properties(reader, error) < 0);
}

/* Map and Set are filled through the realm's own constructors and methods, kept before guest code could touch them. */
JSValue read_collection(Reader *reader, bool map)
{
    JSContext *ctx = guest.context;
    uint32_t number, count;
    if (!reserve_number(reader, &number) || !reader_count(reader, 0x90, 0xdc, &count))
        return JS_EXCEPTION;
    if (map && count % 2)
        return malformed_value(reader);
    JSValue object = JS_CallConstructor(ctx, map ? guest.map_constructor : guest.set_constructor, 0, NULL);
    if (JS_IsException(object))
        return object;
    note(reader, number, object);
    for (uint32_t i = 0; i < count; i += map ? 2 : 1) {
        JSValue item[2] = {reader_value(reader), JS_UNDEFINED};
        if (!JS_IsException(item[0]) && map)
            item[1] = reader_value(reader);
        if (JS_IsException(item[0]) || JS_IsException(item[1])) {
            JS_FreeValue(ctx, item[0]);
            return finish(object, true);
        }
        JSValue done = JS_Call(ctx, map ? guest.map_set : guest.set_add, object, map ? 2 : 1, (JSValueConst *)item);
        JS_FreeValue(ctx, item[0]);
        JS_FreeValue(ctx, item[1]);
        if (JS_IsException(done))
            return finish(object, true);
        JS_FreeValue(ctx, done);
    }
    return object;
}

JSValue read_view(Reader *reader, const uint8_t *data, uint32_t length)
{
    static const uint8_t widths[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8};
    JSContext *ctx = guest.context;
    if (!length || data[0] > ELEMENT_DATA_VIEW)
        return malformed_value(reader);
    if (data[0] != ELEMENT_DATA_VIEW && (length - 1) % widths[data[0]])
        return malformed_value(reader);
    JSValue buffer = JS_NewArrayBufferCopy(ctx, data + 1, length - 1), view;
    if (JS_IsException(buffer))
        return buffer;
    if (data[0] == ELEMENT_DATA_VIEW)
        view = JS_CallConstructor(ctx, guest.data_view_constructor, 1, (JSValueConst *)&buffer);
    else
        view = JS_NewTypedArray(ctx, 1, (JSValueConst *)&buffer, (JSTypedArrayEnum)data[0]);
    JS_FreeValue(ctx, buffer);
    return view;
}

JSValue read_regexp(Reader *reader)
{
    uint32_t count;
    if (!reader_count(reader, 0x90, 0xdc, &count) || count != 2)
        return malformed_value(reader);
    JSValue parts[2] = {read_text(reader), JS_UNDEFINED};
    if (!JS_IsException(parts[0]))
        parts[1] = read_text(reader);
    JSValue regexp = JS_IsException(parts[0]) || JS_IsException(parts[1])
                         ? JS_EXCEPTION
                         : JS_CallConstructor(guest.context, guest.regexp_constructor, 2, (JSValueConst *)parts);
    JS_FreeValue(guest.context, parts[0]);
    JS_FreeValue(guest.context, parts[1]);
    return regexp;
}

JSValue read_host_function(Reader *reader, uint32_t *op)
{
    uint32_t count, mode, length;
    Bytes name;
    char text[128];
    if (!reader_count(reader, 0x90, 0xdc, &count) || count != 4 || !reader_unsigned(reader, op) ||
        !reader_unsigned(reader, &mode) || mode > MODE_QUEUE || !reader_bytes(reader, &name) ||
        !reader_unsigned(reader, &length))
        return malformed_value(reader);
    size_t size = name.length < sizeof(text) - 1 ? name.length : sizeof(text) - 1;
    memcpy(text, name.data, size);
    text[size] = 0;
    return ops_function(guest.context, *op, mode, text, length);
}

/* What the bindings make of a function of the host. */
JSValue read_hooked(Reader *reader, Hook hook)
{
    uint32_t op;
    JSValue parts[2] = {read_host_function(reader, &op)};
    if (JS_IsException(parts[0]))
        return JS_EXCEPTION;
    parts[1] = JS_NewUint32(guest.context, op);
    JSValue object = hooks_call(guest.context, hook, 2, (JSValueConst *)parts);
    JS_FreeValue(guest.context, parts[0]);
    return object;
}

JSValue read_made(Reader *reader, Tag tag)
{
    JSValue parts[2] = {JS_MKVAL(JS_TAG_INT, tag), reader_value(reader)};
    if (JS_IsException(parts[1]))
        return JS_EXCEPTION;
    JSValue object = hooks_call(guest.context, HOOK_MAKE, 2, (JSValueConst *)parts);
    JS_FreeValue(guest.context, parts[1]);
    return object;
}

JSValue read_sparse(Reader *reader)
{
    JSContext *ctx = guest.context;
    uint32_t number, count, length, index;
    if (!reserve_number(reader, &number) || !reader_unsigned(reader, &length) ||
        !reader_count(reader, 0x80, 0xde, &count))
        return JS_EXCEPTION;
    JSValue array = JS_NewArray(ctx);
    if (JS_IsException(array))
        return array;
    note(reader, number, array);
    for (uint32_t i = 0; i < count; i++) {
        JSValue value = reader_unsigned(reader, &index) ? reader_value(reader) : JS_EXCEPTION;
        if (JS_IsException(value) || JS_DefinePropertyValueUint32(ctx, array, index, value, JS_PROP_C_W_E) < 0)
            return finish(array, true);
    }
    return finish(array, JS_SetLength(ctx, array, length) < 0);
}
