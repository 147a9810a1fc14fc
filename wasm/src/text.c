/* Strings of the engine and UTF-8: for messages, and for the bindings. */
#include "internals.h"

#include <string.h>

#include "utf8.h"

enum { PIECE = 1 << 16 };              /* bytes, or code units, that are worked on between two looks at the limits */

bool text_is_ascii(const uint8_t *bytes, size_t length)
{
    return utf8_ascii_run(bytes, length) == length;
}

/* Where a piece of UTF-8 that begins at `at` ends: in no sequence. */
static size_t piece_end(const uint8_t *bytes, size_t length, size_t at)
{
    if (length - at <= PIECE)
        return length;
    size_t end = at + PIECE;
    for (int back = 0; back < 3 && (bytes[end] & 0xc0) == 0x80; back++)
        end--;
    return end;
}

JSValue text_decode_after(JSContext *ctx, const uint16_t *head, size_t head_count, const uint8_t *bytes, size_t length,
                          bool fatal, Watch *watch)
{
    Measure measure = {.units = head_count, .valid = true};
    for (size_t i = 0; i < head_count; i++)
        measure.wide = measure.wide || head[i] > 0xff;
    for (size_t at = 0, end; at < length; at = end) {
        end = piece_end(bytes, length, at);
        utf8_measure(&measure, bytes + at, end - at);
        if (fatal && !measure.valid)
            return JS_UNDEFINED;
        if (engine_watch(watch, end - at))
            return JS_EXCEPTION;
    }
    void *units;
    JSValue text = internals_string_new(ctx, measure.units, measure.wide, &units);
    if (JS_IsException(text) || !measure.units)
        return text;
    size_t count = head_count;
    for (size_t i = 0; i < head_count; i++) {
        if (measure.wide)
            ((uint16_t *)units)[i] = head[i];
        else
            ((uint8_t *)units)[i] = (uint8_t)head[i];
    }
    for (size_t at = 0, end; at < length; at = end) {
        end = piece_end(bytes, length, at);
        count += utf8_decode((uint8_t *)units + (count << measure.wide), &measure, bytes + at, end - at);
        if (engine_watch(watch, end - at)) {
            JS_FreeValue(ctx, text);
            return JS_EXCEPTION;
        }
    }
    return text;
}

/* With lone surrogates, which the standard's decoder takes for malformed. */
static JSValue decode_surrogates(JSContext *ctx, const uint8_t *bytes, size_t length)
{
    void *units;
    JSValue text = internals_string_new(ctx, length, true, &units);
    if (JS_IsException(text))
        return text;
    uint16_t *out = units;
    for (size_t i = 0; i < length;) {
        int32_t c = utf8_next(bytes, length, &i, true, NULL);
        if (c >= 0x10000) {
            *out++ = (uint16_t)(0xd7c0 + (c >> 10));
            *out++ = (uint16_t)(0xdc00 + (c & 0x3ff));
        } else {
            *out++ = c < 0 ? 0xfffd : (uint16_t)c;
        }
    }
    return internals_string_cut(ctx, text, (size_t)(out - (uint16_t *)units));
}

JSValue text_decode(JSContext *ctx, const uint8_t *bytes, size_t length)
{
    Watch watch = {.alone = true};         /* the bytes are those of a message */
    JSValue text = text_decode_after(ctx, NULL, 0, bytes, length, true, &watch);
    return JS_IsUndefined(text) ? decode_surrogates(ctx, bytes, length) : text;
}

static bool text_of(JSContext *ctx, JSValueConst value, Text *text)
{
    if (internals_text(ctx, value, text))
        return true;
    if (!JS_HasException(ctx))
        JS_ThrowTypeError(ctx, "not a string");
    return false;
}

/* Encode what fits of the next piece of a text, from `*read` on, into the room that is left; returns how many code units. */
static size_t encode_piece(const Text *text, uint8_t *out, size_t room, size_t *read, size_t *written)
{
    size_t from = *read, end = text->length - from <= PIECE ? text->length : from + PIECE, taken;
    const uint16_t *units = text->units;
    if (text->wide && end < text->length && (units[end - 1] & 0xfc00) == 0xd800)
        end++;         /* what may be a pair is not cut */
    *written += utf8_encode(out + *written, room - *written, (const uint8_t *)text->units + (from << text->wide), end - from,
                            text->wide, false, &taken);
    *read += taken;
    return taken;
}

/* utf8Encode(string) -> Uint8Array */
static JSValue utf8_encode_text(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Text text;
    size_t read = 0, written = 0, taken;
    (void)this_value, (void)argc;
    if (!text_of(ctx, argv[0], &text))
        return JS_EXCEPTION;
    size_t length = utf8_encoded_bytes(text.units, text.length, text.wide);
    uint8_t *bytes = js_malloc(ctx, length ? length : 1);
    if (!bytes)
        return JS_EXCEPTION;
    while ((taken = encode_piece(&text, bytes, length, &read, &written))) {
        if (engine_poll(taken)) {
            js_free(ctx, bytes);
            return JS_EXCEPTION;
        }
    }
    return internals_bytes_adopt(ctx, bytes, length);
}

/* utf8EncodeInto(string, Uint8Array) -> [code units read, bytes written] */
static JSValue utf8_encode_into(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Text text;
    uint8_t *out;
    size_t room;
    (void)this_value, (void)argc;
    if (!text_of(ctx, argv[0], &text))
        return JS_EXCEPTION;
    if (!internals_is_buffer_source(argv[1]))
        return JS_ThrowTypeError(ctx, "not a buffer source");
    for (Watch watch = {0};; watch = (Watch){.alone = true}) {
        size_t read = 0, written = 0, taken;
        bool stopped = false;
        if (!internals_buffer_source(argv[1], &out, &room))
            return JS_ThrowTypeError(ctx, "the buffer is immutable");
        while (!stopped && room && (taken = encode_piece(&text, out, room, &read, &written)))
            stopped = engine_watch(&watch, taken) != 0;
        if (stopped && watch.again)
            continue;
        if (stopped)
            return JS_EXCEPTION;
        JSValue pair[2] = {JS_NewUint32(ctx, read), JS_NewUint32(ctx, written)};
        return native_array(ctx, 2, pair);
    }
}

/* utf8Decode(buffer source, fatal) -> string, without a byte order mark's being one; undefined: it is malformed */
static JSValue utf8_decode_bytes(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint8_t *bytes;
    size_t length;
    (void)this_value;
    if (!internals_is_buffer_source(argv[0]))
        return JS_ThrowTypeError(ctx, "not a buffer source");
    for (Watch watch = {0};; watch = (Watch){.alone = true}) {
        internals_buffer_source(argv[0], &bytes, &length);
        JSValue text = text_decode_after(ctx, NULL, 0, bytes, length, argc > 1 && JS_ToBool(ctx, argv[1]) > 0, &watch);
        if (!JS_IsException(text) || !watch.again)
            return text;
    }
}

/* isBufferSource(value, whether its memory may be shared) */
static JSValue is_buffer_source(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    bool accepted = internals_is_buffer_source(argv[0]);
    return JS_NewBool(ctx, accepted && (JS_ToBool(ctx, argv[1]) > 0 || !internals_is_shared(argv[0])));
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("utf8Encode", 1, utf8_encode_text),
    JS_CFUNC_DEF("utf8EncodeInto", 2, utf8_encode_into),
    JS_CFUNC_DEF("utf8Decode", 2, utf8_decode_bytes),
    JS_CFUNC_DEF("isBufferSource", 2, is_buffer_source),
};

int text_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int text_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
