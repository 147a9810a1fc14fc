/* What CompressionStream and DecompressionStream are made of: zlib-ng's streams as objects of the engine. Their memory is
 * the engine's, so it counts against the limit. */
#include "internals.h"

#include <string.h>

#include "zlib-ng.h.in"

enum {
    OUTPUT_BYTES = 1 << 16,        /* of a chunk that is made; also what is worked on between two polls */
    MEMORY_LEVEL = 8,
    /* Work on a byte, in bytes that are copied in that time. */
    DEFLATE_WEIGHT = 32,
    INFLATE_WEIGHT = 8,
};

typedef struct Codec {
    zng_stream stream;
    int8_t window_bits;   /* as zlib understands them: they name the format as well */
    bool deflates;
    bool begun;
    bool open;            /* the library holds memory */
    bool ended;           /* all compressed data has been read, or written */
    bool excess;          /* there was input beyond its end */
    bool running;
} Codec;

static JSClassID codec_class;

static void *codec_alloc(void *opaque, uint32_t count, uint32_t size)
{
    (void)opaque;
    return js_malloc_rt(guest.runtime, (size_t)count * size);
}

static void codec_free(void *opaque, void *block)
{
    (void)opaque;
    js_free_rt(guest.runtime, block);
}

static void codec_close(Codec *codec)
{
    if (codec->open && codec->deflates)
        zng_deflateEnd(&codec->stream);
    else if (codec->open)
        zng_inflateEnd(&codec->stream);
    codec->open = false;
}

static void codec_finalize(JSRuntime *runtime, JSValueConst object)
{
    Codec *codec = JS_GetOpaque(object, codec_class);
    if (codec)
        codec_close(codec);
    js_free_rt(runtime, codec);
}

int compression_boot(JSRuntime *runtime)
{
    static const JSClassDef definition = {.class_name = "Codec", .finalizer = codec_finalize};
    JS_NewClassID(runtime, &codec_class);
    return JS_NewClass(runtime, codec_class, &definition);
}

/* newCodec(window bits, whether to compress) -> a codec, which takes its memory when it is first run */
static JSValue new_codec(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    int32_t window_bits;
    (void)this_value, (void)argc;
    if (JS_ToInt32(ctx, &window_bits, argv[0]))
        return JS_EXCEPTION;
    JSValue object = JS_NewObjectProtoClass(ctx, JS_NULL, codec_class);
    Codec *codec = JS_IsException(object) ? NULL : js_mallocz(ctx, sizeof(*codec));
    if (!codec) {
        JS_FreeValue(ctx, object);
        return JS_EXCEPTION;
    }
    codec->window_bits = (int8_t)window_bits;
    codec->deflates = JS_ToBool(ctx, argv[1]) > 0;
    JS_SetOpaque(object, codec);
    return object;
}

static bool codec_begin(JSContext *ctx, Codec *codec)
{
    zng_stream *stream = &codec->stream;
    stream->zalloc = codec_alloc;
    stream->zfree = codec_free;
    int32_t status = codec->deflates ? zng_deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, codec->window_bits,
                                                        MEMORY_LEVEL, Z_DEFAULT_STRATEGY)
                                     : zng_inflateInit2(stream, codec->window_bits);
    codec->begun = true;
    codec->open = status == Z_OK;
    if (!codec->open)
        JS_ThrowOutOfMemory(ctx);
    return codec->open;
}

/* Where a run of a codec puts its chunks. */
typedef struct Chunks {
    JSValue *values;
    uint32_t count, room;
    uint8_t *bytes;       /* of the chunk that is being made */
} Chunks;

static bool chunk_begin(JSContext *ctx, Chunks *chunks, zng_stream *stream)
{
    chunks->bytes = js_malloc(ctx, OUTPUT_BYTES);
    stream->next_out = chunks->bytes;
    stream->avail_out = chunks->bytes ? OUTPUT_BYTES : 0;
    return chunks->bytes != NULL;
}

/* Add what was made to the list; the chunk is given up in any case. */
static bool chunk_end(JSContext *ctx, Chunks *chunks, zng_stream *stream)
{
    size_t length = OUTPUT_BYTES - stream->avail_out;
    uint8_t *bytes = chunks->bytes, *fitting = length ? js_realloc(ctx, bytes, length) : NULL;
    chunks->bytes = NULL;
    if (!fitting) {
        js_free(ctx, bytes);
        return !length;
    }
    if (chunks->count == chunks->room) {
        uint32_t room = chunks->room * 2 + 4;
        JSValue *values = js_realloc(ctx, chunks->values, room * sizeof(*values));
        if (!values) {
            js_free(ctx, fitting);
            return false;
        }
        chunks->values = values;
        chunks->room = room;
    }
    JSValue chunk = internals_bytes_adopt(ctx, fitting, length);
    if (JS_IsException(chunk))
        return false;
    chunks->values[chunks->count++] = chunk;
    return true;
}

static void chunks_free(JSContext *ctx, Chunks *chunks)
{
    for (uint32_t i = 0; i < chunks->count; i++)
        JS_FreeValue(ctx, chunks->values[i]);
    js_free(ctx, chunks->values);
    js_free(ctx, chunks->bytes);
}

typedef enum Outcome { DONE, GOES_ON, MALFORMED, THROWN } Outcome;

/* Work on up to 64 KiB of input, from `*at` on, and as much output. */
static Outcome step(JSContext *ctx, Codec *codec, Chunks *chunks, JSValueConst source, size_t *at, bool finish)
{
    zng_stream *stream = &codec->stream;
    uint8_t *bytes = NULL;
    size_t length = 0;
    if (!chunks->bytes && !chunk_begin(ctx, chunks, stream))
        return THROWN;
    /* Read anew each time: while the engine polled, the host may have run guest code. */
    if (!JS_IsUndefined(source))
        internals_buffer_source(source, &bytes, &length);
    size_t left = *at < length ? length - *at : 0, given = left < OUTPUT_BYTES ? left : OUTPUT_BYTES;
    uint32_t room = stream->avail_out;
    stream->next_in = bytes ? bytes + *at : NULL;
    stream->avail_in = (uint32_t)given;
    int32_t status = codec->deflates ? zng_deflate(stream, finish ? Z_FINISH : Z_NO_FLUSH)
                                     : zng_inflate(stream, Z_NO_FLUSH);
    size_t consumed = given - stream->avail_in, made = room - stream->avail_out;
    stream->next_in = NULL;
    *at += consumed;
    codec->ended = status == Z_STREAM_END;
    if (status == Z_MEM_ERROR) {
        JS_ThrowOutOfMemory(ctx);
        return THROWN;
    }
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return MALFORMED;
    bool full = !stream->avail_out;
    if ((full || codec->ended) && !chunk_end(ctx, chunks, stream))
        return THROWN;
    if (engine_poll(codec->deflates ? consumed * DEFLATE_WEIGHT + made : consumed + made * INFLATE_WEIGHT))
        return THROWN;
    return codec->ended || (!full && consumed == left && !finish) || (!consumed && !made) ? DONE : GOES_ON;
}

static JSValue run(JSContext *ctx, Codec *codec, JSValueConst source, bool finish)
{
    Chunks chunks = {0};
    Outcome outcome = GOES_ON;
    size_t at = 0, length = 0;
    uint8_t *bytes;
    if (!codec->begun && !codec_begin(ctx, codec))
        return JS_EXCEPTION;
    while (codec->open && outcome == GOES_ON)
        outcome = step(ctx, codec, &chunks, source, &at, finish);
    if (outcome == MALFORMED) {
        const char *reason = codec->stream.msg ? codec->stream.msg : "it needs a dictionary";
        JS_ThrowTypeError(ctx, "The compressed data was not valid: %s.", reason);
        outcome = THROWN;
    }
    if (outcome == THROWN || (chunks.bytes && !chunk_end(ctx, &chunks, &codec->stream))) {
        chunks_free(ctx, &chunks);
        codec_close(codec);
        return JS_EXCEPTION;
    }
    if (!JS_IsUndefined(source))
        internals_buffer_source(source, &bytes, &length);
    codec->excess = codec->ended && at < length;
    if (codec->ended)
        codec_close(codec);
    JSValue list = JS_NewArrayFrom(ctx, (int)chunks.count, chunks.values);
    chunks.count = 0;
    chunks_free(ctx, &chunks);
    return list;
}

/* codecRun(codec, buffer source or undefined, whether it is the end) -> a list of Uint8Arrays; throws what streams want */
static JSValue codec_run(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    Codec *codec = JS_GetOpaque(argv[0], codec_class);
    if (codec->running)
        return JS_ThrowTypeError(ctx, "the codec is running");
    codec->running = true;
    JSValue list = run(ctx, codec, argv[1], JS_ToBool(ctx, argv[2]) > 0);
    codec->running = false;
    return list;
}

/* codecEnded(codec) -> whether all compressed data has been read; codecExcess(codec) -> whether more was given */
static JSValue codec_ended(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_NewBool(ctx, ((Codec *)JS_GetOpaque(argv[0], codec_class))->ended);
}

static JSValue codec_excess(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_NewBool(ctx, ((Codec *)JS_GetOpaque(argv[0], codec_class))->excess);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("newCodec", 2, new_codec),
    JS_CFUNC_DEF("codecRun", 3, codec_run),
    JS_CFUNC_DEF("codecEnded", 1, codec_ended),
    JS_CFUNC_DEF("codecExcess", 1, codec_excess),
};

int compression_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int compression_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
