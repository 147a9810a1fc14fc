/* What TextDecoder is made of: an object of the engine that holds an encoding and the state of a stream. */
#include "internals.h"

#include <string.h>

#include "legacy.h"
#include "utf8.h"

enum { PIECE_BYTES = 1 << 16 };        /* worked on between two looks at the limits */

typedef struct Decoder {
    Decoding decoding;
    bool ignore_bom;
    bool open;            /* the last call said that more is to come */
    bool begun;           /* some text has come: a mark further on is text */
    uint8_t rest_bytes;
    uint8_t rest[LONGEST_SEQUENCE - 1]; /* the beginning of a sequence that is to be completed */
} Decoder;

static JSClassID decoder_class;

static void decoder_finalize(JSRuntime *runtime, JSValueConst object)
{
    js_free_rt(runtime, JS_GetOpaque(object, decoder_class));
}

int encodings_boot(JSRuntime *runtime)
{
    static const JSClassDef definition = {.class_name = "Decoder", .finalizer = decoder_finalize};
    JS_NewClassID(runtime, &decoder_class);
    return JS_NewClass(runtime, decoder_class, &definition);
}

/* newDecoder(label, fatal, ignoreBOM) -> a decoder; undefined: there is no such encoding, or it cannot be decoded */
static JSValue new_decoder(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Text label;
    uint8_t bytes[64];
    (void)this_value, (void)argc;
    if (!internals_text(ctx, argv[0], &label))
        return JS_HasException(ctx) ? JS_EXCEPTION : JS_ThrowTypeError(ctx, "not a string");
    const void *units = label.units;
    size_t length = label.length;
    if (label.wide) {
        /* White space may make it long, but no label has a character beyond ASCII. */
        const uint16_t *text = units;
        while (length && *text <= ' ')
            text++, length--;
        while (length && text[length - 1] <= ' ')
            length--;
        if (length > sizeof(bytes))
            return JS_UNDEFINED;
        for (size_t i = 0; i < length; i++)
            bytes[i] = text[i] < 0x80 ? (uint8_t)text[i] : 0xff;
        units = bytes;
    }
    const Encoding *encoding = encoding_of(units, length);
    if (!encoding || encoding_is_replacement(encoding))
        return JS_UNDEFINED;
    Decoder *decoder = js_mallocz(ctx, sizeof(*decoder));
    if (!decoder)
        return JS_EXCEPTION;
    decoder->decoding = (Decoding){.encoding = encoding, .fatal = JS_ToBool(ctx, argv[1]) > 0};
    decoder->ignore_bom = JS_ToBool(ctx, argv[2]) > 0;
    JSValue object = JS_NewObjectProtoClass(ctx, JS_NULL, decoder_class);
    if (JS_IsException(object))
        js_free(ctx, decoder);
    else
        JS_SetOpaque(object, decoder);
    return object;
}

static JSValue decoder_encoding(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    Decoder *decoder = JS_GetOpaque(argv[0], decoder_class);
    return JS_NewString(ctx, decoder->decoding.encoding->name);
}

/* A chunk of a stream. */
typedef struct Chunk {
    const uint8_t *bytes;
    size_t length;
    bool last;
} Chunk;

/* The sequence that an earlier chunk began, with what it takes of this one; decoded by the functions below. */
typedef struct Seam {
    uint8_t bytes[2 * LONGEST_SEQUENCE];
    size_t length;
    uint16_t units[2 * LONGEST_SEQUENCE + 1];
    size_t count;
} Seam;

static void seam_begin(Seam *seam, Decoder *decoder, const Chunk *chunk)
{
    size_t taken = chunk->length < LONGEST_SEQUENCE ? chunk->length : LONGEST_SEQUENCE;
    seam->length = decoder->rest_bytes + taken;
    seam->count = 0;
    memcpy(seam->bytes, decoder->rest, decoder->rest_bytes);
    if (taken)
        memcpy(seam->bytes + decoder->rest_bytes, chunk->bytes, taken);
}

/* `consumed` bytes of the seam were decoded: go on in the chunk, or keep all there is for the next one. */
static void seam_end(const Seam *seam, Decoder *decoder, Chunk *chunk, size_t consumed)
{
    if (consumed >= decoder->rest_bytes) {
        size_t taken = consumed - decoder->rest_bytes;
        chunk->bytes += taken;
        chunk->length -= taken;
        decoder->rest_bytes = 0;
        return;
    }
    decoder->rest_bytes = (uint8_t)(seam->length - consumed);
    memcpy(decoder->rest, seam->bytes + consumed, decoder->rest_bytes);
    chunk->length = 0;
}

static void keep_rest(Decoder *decoder, const uint8_t *bytes, size_t length)
{
    memcpy(decoder->rest, bytes, length);
    decoder->rest_bytes = (uint8_t)length;
}

/* --- UTF-8 --- */

static void seam_utf8(Seam *seam, Decoder *decoder, Chunk *chunk)
{
    seam_begin(seam, decoder, chunk);
    size_t i = 0;
    while (i < decoder->rest_bytes) {
        bool cut = false;
        size_t next = i;
        int32_t c = utf8_next(seam->bytes, seam->length, &next, false, &cut);
        if (cut && !chunk->last)
            break;
        i = next;
        if (c >= 0x10000) {
            seam->units[seam->count++] = (uint16_t)(0xd7c0 + (c >> 10));
            seam->units[seam->count++] = (uint16_t)(0xdc00 + (c & 0x3ff));
        } else {
            seam->units[seam->count++] = c < 0 ? 0xfffd : (uint16_t)c;
        }
        decoder->decoding.malformed = decoder->decoding.malformed || (c < 0 && decoder->decoding.fatal);
    }
    seam_end(seam, decoder, chunk, i);
}

static JSValue decode_utf8(JSContext *ctx, Decoder *decoder, Chunk chunk, Watch *watch)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    Seam seam = {0};
    const uint16_t *head = seam.units;
    if (decoder->rest_bytes)
        seam_utf8(&seam, decoder, &chunk);
    size_t held = chunk.last ? 0 : utf8_cut_off(chunk.bytes, chunk.length);
    if (held) {
        chunk.length -= held;
        keep_rest(decoder, chunk.bytes + chunk.length, held);
    }
    if (decoder->decoding.malformed)
        return JS_UNDEFINED;
    if (!decoder->begun && seam.count) {
        decoder->begun = true;
        if (*head == 0xfeff && !decoder->ignore_bom)
            head++, seam.count--;
    } else if (!decoder->begun && chunk.length) {
        decoder->begun = true;
        if (chunk.length >= sizeof(mark) && !memcmp(chunk.bytes, mark, sizeof(mark)) && !decoder->ignore_bom) {
            chunk.bytes += sizeof(mark);
            chunk.length -= sizeof(mark);
        }
    }
    return text_decode_after(ctx, head, seam.count, chunk.bytes, chunk.length, decoder->decoding.fatal, watch);
}

/* --- other encodings --- */

static JSValue decode_legacy(JSContext *ctx, Decoder *decoder, Chunk chunk, Watch *watch)
{
    Decoding *decoding = &decoder->decoding;
    size_t most = decoding_most_units(decoding, decoder->rest_bytes + chunk.length), at = 0;
    void *units;
    JSValue text = internals_string_new(ctx, most, true, &units);
    if (JS_IsException(text))
        return text;
    uint16_t *start = units, *out = start;
    if (decoder->rest_bytes) {
        Seam seam;
        seam_begin(&seam, decoder, &chunk);
        size_t stop = decoder->rest_bytes;
        seam_end(&seam, decoder, &chunk,
                 decoding_run(decoding, &out, seam.bytes, seam.length, stop, chunk.last));
    }
    while (at < chunk.length && !decoding->malformed) {
        size_t left = chunk.length - at, stop = left < PIECE_BYTES ? left : PIECE_BYTES;
        size_t consumed = decoding_run(decoding, &out, chunk.bytes + at, left, stop, chunk.last);
        at += consumed;
        if (consumed < stop)
            break;
        if (engine_watch(watch, 4 * consumed)) {
            JS_FreeValue(ctx, text);
            return JS_EXCEPTION;
        }
    }
    if (decoding->malformed) {
        JS_FreeValue(ctx, text);
        return JS_UNDEFINED;
    }
    if (at < chunk.length)
        keep_rest(decoder, chunk.bytes + at, chunk.length - at);
    size_t count = (size_t)(out - start);
    if (!decoder->begun && count && encoding_is_utf16(decoding->encoding)) {
        decoder->begun = true;
        if (*start == 0xfeff && !decoder->ignore_bom)
            memmove(start, start + 1, --count * sizeof(*start));
    }
    return internals_string_cut(ctx, text, count);
}

static JSValue decode_once(JSContext *ctx, Decoder *decoder, JSValueConst source, bool more, Watch *watch)
{
    Decoding *decoding = &decoder->decoding;
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (!JS_IsUndefined(source))
        internals_buffer_source(source, &bytes, &length);
    if (!decoder->open) {
        decoder->begun = decoding->escaped = false;
        decoder->rest_bytes = decoding->mode = 0;
    }
    decoder->open = more;
    decoding->malformed = false;
    Chunk chunk = {bytes, length, !more};
    JSValue text = encoding_is_utf8(decoding->encoding) ? decode_utf8(ctx, decoder, chunk, watch)
                                                        : decode_legacy(ctx, decoder, chunk, watch);
    if (!JS_IsString(text))
        decoder->rest_bytes = 0;
    return text;
}

/* decode(decoder, buffer source or undefined, whether more is to come) -> string; undefined: it is malformed, and that is fatal */
static JSValue decode(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    Decoder *decoder = JS_GetOpaque(argv[0], decoder_class);
    const Decoder before = *decoder;
    for (Watch watch = {0};; watch = (Watch){.alone = true}) {
        JSValue text = decode_once(ctx, decoder, argv[1], JS_ToBool(ctx, argv[2]) > 0, &watch);
        if (!JS_IsException(text) || !watch.again)
            return text;
        *decoder = before;
    }
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("newDecoder", 3, new_decoder),
    JS_CFUNC_DEF("decoderEncoding", 1, decoder_encoding),
    JS_CFUNC_DEF("decode", 3, decode),
};

int encodings_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int encodings_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
