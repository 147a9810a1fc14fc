/* Work on bytes for the bindings of bodies and blobs: joining, searching, percent-decoding, form fields. What takes long
 * polls where nothing borrowed from a value is held that guest code could change. */
#include "internals.h"

#include <string.h>

#include "utf8.h"

enum { STRETCH_BYTES = 1 << 16 };   /* as much is done between two polls */

/* The bytes of a Uint8Array, borrowed until guest code runs. */
static bool bytes_of(JSContext *ctx, JSValueConst array, const uint8_t **data, size_t *length)
{
    if (JS_GetTypedArrayType(array) < 0 || !internals_view(array, data, length)) {
        JS_ThrowTypeError(ctx, "not bytes");
        return false;
    }
    return true;
}

static bool size_of(JSContext *ctx, JSValueConst value, size_t *size)
{
    double number;
    if (JS_ToFloat64(ctx, &number, value))
        return false;
    *size = number > 0 ? (number < SIZE_MAX ? (size_t)number : SIZE_MAX) : 0;
    return true;
}

/* Every line ending as a line feed; in place. Returns the length. */
static size_t unify_line_endings(uint8_t *text, size_t length)
{
    size_t to = 0;
    for (size_t from = 0; from < length; from++) {
        uint8_t byte = text[from];
        if (byte == '\r') {
            byte = '\n';
            from += from + 1 < length && text[from + 1] == '\n';
        }
        text[to++] = byte;
    }
    return to;
}

/* The bytes an element of a list stands for, written to `out` unless that is NULL; false: an exception. */
static bool element_bytes(JSContext *ctx, JSValueConst element, bool unify, uint8_t *out, size_t room, size_t *length)
{
    Text text;
    const uint8_t *data;
    size_t read;
    if (!JS_IsString(element)) {
        if (!bytes_of(ctx, element, &data, length))
            return false;
        if (out)
            memcpy(out, data, *length < room ? *length : room);
        return true;
    }
    if (!internals_text(ctx, element, &text))
        return false;
    *length = utf8_encoded_bytes(text.units, text.length, text.wide);
    if (out)
        *length = utf8_encode(out, room, text.units, text.length, text.wide, false, &read);
    if (out && unify)
        *length = unify_line_endings(out, *length);
    return true;
}

/* joinBytes(list of Uint8Array and string, whether line endings of strings become native) -> Uint8Array */
static JSValue join(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    JSValue *elements;
    uint32_t count;
    uint64_t total = 0;
    size_t length, at = 0;
    (void)this_value;
    bool unify = argc > 1 && JS_ToBool(ctx, argv[1]) > 0;
    if (!JS_IsArray(argv[0]) || !internals_fast_array(argv[0], &elements, &count))
        return JS_ThrowTypeError(ctx, "not a list");
    for (uint32_t i = 0; i < count; i++) {
        if (!element_bytes(ctx, elements[i], false, NULL, 0, &length))
            return JS_EXCEPTION;
        total += length;
    }
    if (total > INT32_MAX)
        return JS_ThrowRangeError(ctx, "invalid array buffer length");
    uint8_t *out = js_malloc(ctx, total ? (size_t)total : 1);
    bool failed = !out;
    for (uint32_t i = 0; i < count && !failed; i++) {
        failed = !element_bytes(ctx, elements[i], unify, out + at, (size_t)total - at, &length);
        at += failed ? 0 : length;
    }
    if (!failed && !engine_poll(at))
        return internals_bytes_adopt(ctx, out, at);
    js_free(ctx, out);
    return JS_EXCEPTION;
}

/* findBytes(bytes, pattern, from) -> where the pattern begins, or -1. Both are the bindings' own. */
static JSValue find(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const uint8_t *data, *pattern;
    size_t length, size, at;
    (void)this_value, (void)argc;
    if (!bytes_of(ctx, argv[0], &data, &length) || !bytes_of(ctx, argv[1], &pattern, &size) ||
        !size_of(ctx, argv[2], &at))
        return JS_EXCEPTION;
    if (size == 0 || size > length || at > length - size)
        return JS_NewInt32(ctx, -1);
    for (size_t last = length - size, work = 0; at <= last;) {
        size_t stretch = last - at < STRETCH_BYTES ? last - at + 1 : STRETCH_BYTES;
        const uint8_t *hit = memchr(data + at, pattern[0], stretch);
        size_t next = hit ? (size_t)(hit - data) + 1 : at + stretch;
        if (hit && !memcmp(hit, pattern, size))
            return JS_NewUint32(ctx, (uint32_t)(hit - data));
        work += next - at + (hit ? size : 0);
        at = next;
        if (work >= STRETCH_BYTES) {
            if (engine_poll(work))
                return JS_EXCEPTION;
            work = 0;
        }
    }
    return JS_NewInt32(ctx, -1);
}

/* latin1Decode(bytes, start, end) -> a string of one character a byte */
static JSValue latin1_decode(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const uint8_t *data;
    size_t length, start, end;
    (void)this_value, (void)argc;
    if (!bytes_of(ctx, argv[0], &data, &length) || !size_of(ctx, argv[1], &start) || !size_of(ctx, argv[2], &end))
        return JS_EXCEPTION;
    if (end > length)
        end = length;
    if (start > end)
        start = end;
    void *units;
    JSValue text = internals_string_new(ctx, end - start, false, &units);
    if (JS_IsException(text) || start == end)
        return text;
    memcpy(units, data + start, end - start);
    engine_weigh(end - start);
    return text;
}

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Decode percent signs, and with `plus` also plus signs; `out` may be `data`. Returns the length. */
static size_t percent_decode(uint8_t *out, const uint8_t *data, size_t length, bool plus)
{
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = data[i];
        if (byte == '%' && length - i > 2 && hex_value(data[i + 1]) >= 0 && hex_value(data[i + 2]) >= 0) {
            byte = (uint8_t)(hex_value(data[i + 1]) * 16 + hex_value(data[i + 2]));
            i += 2;
        } else if (byte == '+' && plus) {
            byte = ' ';
        }
        out[to++] = byte;
    }
    return to;
}

/* percentDecode(bytes) -> Uint8Array */
static JSValue decode_percent(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const uint8_t *data;
    size_t length;
    (void)this_value, (void)argc;
    if (!bytes_of(ctx, argv[0], &data, &length))
        return JS_EXCEPTION;
    uint8_t *out = js_malloc(ctx, length ? length : 1);
    if (!out)
        return JS_EXCEPTION;
    length = percent_decode(out, data, length, false);
    if (!engine_poll(length))
        return internals_bytes_adopt(ctx, out, length);
    js_free(ctx, out);
    return JS_EXCEPTION;
}

static JSValue form_text(JSContext *ctx, const uint8_t *data, size_t length, uint8_t *scratch)
{
    Watch watch = {.alone = true};
    return text_decode_after(ctx, NULL, 0, scratch, percent_decode(scratch, data, length, true), false, &watch);
}

/* parseUrlencoded(bytes) -> [name, value, name, value, ...]; the bytes are the bindings' own */
static JSValue parse_urlencoded(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const uint8_t *data;
    size_t length, fields = 1, polled = 0;
    uint32_t count = 0;
    (void)this_value, (void)argc;
    if (!bytes_of(ctx, argv[0], &data, &length))
        return JS_EXCEPTION;
    for (size_t i = 0; i < length; i++)
        fields += data[i] == '&';
    if (engine_poll(length))
        return JS_EXCEPTION;
    JSValue *values = js_malloc(ctx, fields * 2 * sizeof(JSValue)), list = JS_EXCEPTION;
    uint8_t *scratch = values ? js_malloc(ctx, length + 1) : NULL;
    if (!scratch)
        goto done;
    for (size_t start = 0; start < length;) {
        const uint8_t *ampersand = memchr(data + start, '&', length - start);
        size_t end = ampersand ? (size_t)(ampersand - data) : length;
        if (end > start) {
            const uint8_t *equals = memchr(data + start, '=', end - start);
            size_t name_end = equals ? (size_t)(equals - data) : end, value = equals ? name_end + 1 : end;
            values[count++] = form_text(ctx, data + start, name_end - start, scratch);
            values[count++] = form_text(ctx, data + value, end - value, scratch);
            if (JS_IsException(values[count - 1]) || JS_IsException(values[count - 2]))
                goto done;
        }
        start = end + 1;
        if (start - polled >= STRETCH_BYTES) {
            if (engine_poll(start - polled))
                goto done;
            polled = start;
        }
    }
    list = JS_NewArrayFrom(ctx, (int)count, values);   /* takes the values, whatever comes of it */
    count = 0;
done:
    while (count)
        JS_FreeValue(ctx, values[--count]);
    js_free(ctx, scratch);
    js_free(ctx, values);
    return list;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("joinBytes", 2, join),
    JS_CFUNC_DEF("findBytes", 3, find),
    JS_CFUNC_DEF("latin1Decode", 3, latin1_decode),
    JS_CFUNC_DEF("percentDecode", 1, decode_percent),
    JS_CFUNC_DEF("parseUrlencoded", 1, parse_urlencoded),
};

int bytes_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int bytes_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
