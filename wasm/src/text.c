/* Text between the engine's code units and UTF-8. */
#include "internals.h"

#include <string.h>

bool text_is_ascii(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        if (word & 0x8080808080808080ull)
            return false;
    }
    for (; i < length; i++) {
        if (bytes[i] & 0x80)
            return false;
    }
    return true;
}

/* The code point at `*i` of UTF-16 text; a lone surrogate is returned as it is. */
static uint32_t next_code_point(const uint16_t *units, size_t length, size_t *i)
{
    uint32_t unit = units[(*i)++];
    if ((unit & 0xfc00) == 0xd800 && *i < length && (units[*i] & 0xfc00) == 0xdc00)
        return 0x10000 + ((unit - 0xd800) << 10) + (units[(*i)++] - 0xdc00);
    return unit;
}

size_t text_encoded_bytes(const void *units, size_t length, bool wide, TextForm form)
{
    (void)form;            /* U+FFFD and a lone surrogate both take three bytes */
    size_t bytes = 0;
    if (!wide) {
        const uint8_t *narrow = units;
        if (text_is_ascii(narrow, length))
            return length;
        for (size_t i = 0; i < length; i++)
            bytes += 1 + (narrow[i] >> 7);
        return bytes;
    }
    for (size_t i = 0; i < length;) {
        uint32_t c = next_code_point(units, length, &i);
        bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    return bytes;
}

static size_t put_code_point(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = 0xc0 | c >> 6;
        out[1] = 0x80 | (c & 0x3f);
        return 2;
    }
    if (c < 0x10000) {
        out[0] = 0xe0 | c >> 12;
        out[1] = 0x80 | (c >> 6 & 0x3f);
        out[2] = 0x80 | (c & 0x3f);
        return 3;
    }
    out[0] = 0xf0 | c >> 18;
    out[1] = 0x80 | (c >> 12 & 0x3f);
    out[2] = 0x80 | (c >> 6 & 0x3f);
    out[3] = 0x80 | (c & 0x3f);
    return 4;
}

static uint32_t formed(uint32_t c, TextForm form)
{
    return form == TEXT_UTF8 && c >= 0xd800 && c < 0xe000 ? 0xfffd : c;
}

size_t text_encode(uint8_t *out, const void *units, size_t length, bool wide, TextForm form)
{
    size_t at = 0;
    if (!wide) {
        const uint8_t *narrow = units;
        if (text_is_ascii(narrow, length)) {
            memcpy(out, narrow, length);
            return length;
        }
        for (size_t i = 0; i < length; i++)
            at += put_code_point(out + at, narrow[i]);
        return at;
    }
    for (size_t i = 0; i < length;)
        at += put_code_point(out + at, formed(next_code_point(units, length, &i), form));
    return at;
}

/* One code point of UTF-8, by the WHATWG decoder: -1 for a malformed sequence, whose maximal subpart is consumed.
 * With `surrogates`, ED A0..BF xx is a lone surrogate. */
static int32_t decode_code_point(const uint8_t *bytes, size_t length, size_t *i, bool surrogates)
{
    uint8_t lead = bytes[(*i)++], low = 0x80, high = 0xbf;
    int more;
    int32_t c;
    if (lead < 0x80)
        return lead;
    if (lead >= 0xc2 && lead <= 0xdf) {
        more = 1, c = lead & 0x1f;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        more = 2, c = lead & 0xf;
        if (lead == 0xe0)
            low = 0xa0;
        if (lead == 0xed && !surrogates)
            high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        more = 3, c = lead & 7;
        if (lead == 0xf0)
            low = 0x90;
        if (lead == 0xf4)
            high = 0x8f;
    } else {
        return -1;
    }
    for (; more; more--, low = 0x80, high = 0xbf) {
        if (*i >= length || bytes[*i] < low || bytes[*i] > high)
            return -1;
        c = c << 6 | (bytes[(*i)++] & 0x3f);
    }
    return c;
}

/* `fatal`: JS_UNDEFINED on the first malformed sequence; else each becomes U+FFFD. */
static JSValue decode(JSContext *ctx, const uint8_t *bytes, size_t length, bool surrogates, bool fatal)
{
    if (text_is_ascii(bytes, length))
        return JS_NewStringLen(ctx, (const char *)bytes, length);
    uint16_t *units = js_malloc(ctx, length * sizeof(uint16_t));
    if (!units)
        return JS_EXCEPTION;
    size_t count = 0;
    JSValue text = JS_UNDEFINED;
    for (size_t i = 0; i < length;) {
        int32_t c = decode_code_point(bytes, length, &i, surrogates);
        if (c < 0 && fatal)
            goto done;
        if (c < 0)
            c = 0xfffd;
        if (c >= 0x10000) {
            units[count++] = 0xd800 + ((c - 0x10000) >> 10);
            units[count++] = 0xdc00 + ((c - 0x10000) & 0x3ff);
        } else {
            units[count++] = c;
        }
    }
    text = JS_NewStringUTF16(ctx, units, count);
done:
    js_free(ctx, units);
    return text;
}

JSValue text_decode(JSContext *ctx, const uint8_t *bytes, size_t length)
{
    return decode(ctx, bytes, length, true, false);
}

JSValue text_utf8_encode(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Text text;
    (void)this_value, (void)argc;
    if (!internals_text(ctx, argv[0], &text))
        return JS_HasException(ctx) ? JS_EXCEPTION : JS_ThrowTypeError(ctx, "not a string");
    size_t length = text_encoded_bytes(text.units, text.length, text.wide, TEXT_UTF8);
    uint8_t *bytes = js_malloc(ctx, length ? length : 1);
    if (!bytes)
        return JS_EXCEPTION;
    text_encode(bytes, text.units, text.length, text.wide, TEXT_UTF8);
    JSValue array = JS_NewUint8ArrayCopy(ctx, bytes, length);
    js_free(ctx, bytes);
    return array;
}

JSValue text_utf8_encode_into(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Text text;
    size_t room, read = 0, written = 0;
    (void)this_value, (void)argc;
    uint8_t *out = JS_GetUint8Array(ctx, &room, argv[1]);
    if ((!out && JS_HasException(ctx)) || !internals_text(ctx, argv[0], &text))
        return JS_HasException(ctx) ? JS_EXCEPTION : JS_ThrowTypeError(ctx, "not a string");
    while (read < text.length) {
        uint8_t bytes[4];
        size_t next = read;
        uint32_t c = text.wide ? next_code_point(text.units, text.length, &next)
                               : ((const uint8_t *)text.units)[next++];
        size_t size = put_code_point(bytes, formed(c, TEXT_UTF8));
        if (size > room - written)
            break;
        memcpy(out + written, bytes, size);
        written += size;
        read = next;
    }
    JSValue pair[2] = {JS_NewUint32(ctx, read), JS_NewUint32(ctx, written)};
    return native_array(ctx, 2, pair);
}

static bool view_bytes(JSContext *ctx, JSValueConst value, const uint8_t **data, size_t *length)
{
    size_t offset, width, size;
    JSValue buffer;
    if (JS_IsArrayBuffer(value)) {
        *data = JS_GetArrayBuffer(ctx, length, value);
        return *data || !JS_HasException(ctx);
    }
    buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, length, &width);
    if (JS_IsException(buffer))
        return false;
    *data = JS_GetArrayBuffer(ctx, &size, buffer);
    JS_FreeValue(ctx, buffer);
    if (!*data && JS_HasException(ctx))
        return false;
    if (offset > size || *length > size - offset)
        *length = 0;       /* the buffer shrank under the view */
    *data += offset;
    return true;
}

JSValue text_utf8_decode(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const uint8_t *data;
    size_t length;
    (void)this_value;
    if (!view_bytes(ctx, argv[0], &data, &length))
        return JS_EXCEPTION;
    return decode(ctx, data, length, false, argc > 1 && JS_ToBool(ctx, argv[1]) > 0);
}
