/* Messages of the host as values of the guest. No guest code runs here: properties are defined, never set, and classes
 * come from the realm's own prototypes. */
#include "decoder.h"

bool reserve_number(Reader *reader, uint32_t *number)
{
    *number = reader->object_count;
    if (!reader->references)
        return true;
    if (reader->object_count == reader->object_room) {
        uint32_t room = reader->object_room ? reader->object_room * 2 : 32;
        JSValue *objects = js_realloc(guest.context, reader->objects, room * sizeof(JSValue));
        if (!objects)
            return false;
        reader->objects = objects;
        reader->object_room = room;
    }
    reader->objects[reader->object_count++] = JS_UNDEFINED;
    return true;
}

JSValue *reader_array(Reader *reader, uint32_t *count)
{
    JSContext *ctx = guest.context;
    uint32_t number;
    if (!reserve_number(reader, &number) || !reader_count(reader, 0x90, 0xdc, count))
        return NULL;
    JSValue *values = js_malloc(ctx, sizeof(JSValue) * (*count ? *count : 1));
    if (!values)
        return NULL;
    /* The array itself is not made here: a reference to it finds undefined. */
    for (uint32_t i = 0; i < *count; i++) {
        values[i] = reader_value(reader);
        if (JS_IsException(values[i])) {
            while (i--)
                JS_FreeValue(ctx, values[i]);
            js_free(ctx, values);
            return NULL;
        }
    }
    return values;
}

static JSValue read_array(Reader *reader)
{
    JSContext *ctx = guest.context;
    uint32_t count, number;
    if (!reader->references) {
        JSValue *values = reader_array(reader, &count);
        if (!values)
            return JS_EXCEPTION;
        JSValue array = JS_NewArrayFrom(ctx, (int)count, values);
        js_free(ctx, values);
        return array;
    }
    if (!reserve_number(reader, &number) || !reader_count(reader, 0x90, 0xdc, &count))
        return JS_EXCEPTION;
    JSValue array = JS_NewArray(ctx);
    if (JS_IsException(array))
        return array;
    note(reader, number, array);
    for (uint32_t i = 0; i < count; i++) {
        JSValue item = reader_value(reader);
        if (JS_IsException(item) || JS_DefinePropertyValueUint32(ctx, array, i, item, JS_PROP_C_W_E) < 0) {
            JS_FreeValue(ctx, array);
            return JS_EXCEPTION;
        }
    }
    return array;
}

static JSAtom read_key(Reader *reader)
{
    JSContext *ctx = guest.context;
    Bytes key;
    if (!reader_bytes(reader, &key))
        return JS_ATOM_NULL;
    uint32_t place = key.length ? (uint32_t)key.length + 5 * (uint8_t)key.data[0] + (uint8_t)key.data[key.length - 1] : 0;
    KnownKey *known = &reader->keys[place % KNOWN_KEYS];
    if (known->atom != JS_ATOM_NULL && known->length == key.length && !memcmp(known->data, key.data, key.length))
        return JS_DupAtom(ctx, known->atom);
    if (text_is_ascii((const uint8_t *)key.data, key.length)) {
        JSAtom made = JS_NewAtomLen(ctx, key.data, key.length);
        JS_FreeAtom(ctx, known->atom);
        *known = (KnownKey){.data = key.data, .length = key.length, .atom = JS_DupAtom(ctx, made)};
        return made;
    }
    JSValue text = text_decode(ctx, (const uint8_t *)key.data, key.length);
    JSAtom atom = JS_IsException(text) ? JS_ATOM_NULL : JS_ValueToAtom(ctx, text);
    JS_FreeValue(ctx, text);
    return atom;
}

int read_properties(Reader *reader, JSValueConst object)
{
    JSContext *ctx = guest.context;
    uint32_t count;
    if (!reader_count(reader, 0x80, 0xde, &count))
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        JSAtom key = read_key(reader);
        if (key == JS_ATOM_NULL)
            return -1;
        JSValue value = reader_value(reader);
        int done = JS_IsException(value) ? -1 : JS_DefinePropertyValue(ctx, object, key, value, JS_PROP_C_W_E);
        JS_FreeAtom(ctx, key);
        if (done < 0)
            return -1;
    }
    return 0;
}

static JSValue read_map_object(Reader *reader)
{
    uint32_t number;
    if (!reserve_number(reader, &number))
        return JS_EXCEPTION;
    JSValue object = JS_NewObject(guest.context);
    if (JS_IsException(object))
        return object;
    note(reader, number, object);
    return finish(object, read_properties(reader, object) < 0);
}

JSValue read_text(Reader *reader)
{
    Bytes text;
    if (!reader_bytes(reader, &text))
        return JS_EXCEPTION;
    return text_decode(guest.context, (const uint8_t *)text.data, text.length);
}

static JSValue read_leaf_extension(Reader *reader, Tag tag, const uint8_t *data, uint32_t length)
{
    JSContext *ctx = guest.context;
    uint32_t number;
    double ms;
    switch (tag) {
    case TAG_UNDEFINED:
        return JS_UNDEFINED;
    case TAG_BIGINT:
        return internals_bigint_new(ctx, data, length);
    case TAG_REFERENCE:
        if (!reader_unsigned(reader, &number) || number >= reader->object_count)
            return malformed_value(reader);
        return JS_DupValue(ctx, reader->objects[number]);
    case TAG_HANDLE:
        return reader_unsigned(reader, &number) ? handles_get(ctx, number) : JS_EXCEPTION;
    case TAG_DATE:
        if (length != 9 || data[0] != 0xcb)
            return malformed_value(reader);
        reader->at++;
        return reader_f64(reader, &ms) ? JS_NewDate(ctx, ms) : JS_EXCEPTION;
    case TAG_REGEXP:
        return read_regexp(reader);
    case TAG_ARRAY_BUFFER:
        return JS_NewArrayBufferCopy(ctx, data, length);
    case TAG_TYPED_ARRAY:
        return read_view(reader, data, length);
    case TAG_HOST_FUNCTION:
        return read_host_function(reader, &number);
    case TAG_HOST_ITERATOR:
        return read_hooked(reader, HOOK_HOST_ITERATOR);
    case TAG_HOST_STREAM:
        return read_hooked(reader, HOOK_HOST_STREAM);
    case TAG_HOST_PROMISE:
        return reader_unsigned(reader, &number) ? ops_promise(ctx, number) : JS_EXCEPTION;
    case TAG_HOST_OBJECT:
    case TAG_URL:
    case TAG_BLOB:
    case TAG_FILE:
        return read_made(reader, tag);
    default:
        return malformed_value(reader);
    }
}

static JSValue read_extension(Reader *reader, uint32_t length)
{
    const uint8_t *data, *head, *end = reader->end;
    uint32_t number;
    JSValue value;
    if (!reader_take(reader, 1, &head) || !reader_take(reader, length, &data))
        return JS_EXCEPTION;
    const uint8_t *after = reader->at;
    reader->at = data;
    reader->end = after;
    switch (*head) {
    case TAG_ERROR:
        value = read_error(reader);
        break;
    case TAG_MAP:
    case TAG_SET:
        value = read_collection(reader, *head == TAG_MAP);
        break;
    case TAG_SPARSE_ARRAY:
        value = read_sparse(reader);
        break;
    case TAG_UNDEFINED:
    case TAG_BIGINT:
    case TAG_REFERENCE:
    case TAG_HANDLE:
        value = read_leaf_extension(reader, *head, data, length);
        break;
    default:
        if (!reserve_number(reader, &number))
            return JS_EXCEPTION;
        value = read_leaf_extension(reader, *head, data, length);
        if (!JS_IsException(value))
            note(reader, number, value);
    }
    reader->at = after;
    reader->end = end;
    return value;
}

static JSValue read_integer(uint64_t bits, bool is_signed)
{
    if (is_signed) {
        int64_t number = (int64_t)bits;
        if (number >= -9007199254740991 && number <= 9007199254740991)
            return JS_NewInt64(guest.context, number);
        return JS_NewBigInt64(guest.context, number);
    }
    if (bits <= 9007199254740991)
        return JS_NewInt64(guest.context, (int64_t)bits);
    return JS_NewBigUint64(guest.context, bits);
}

static JSValue read_blob(Reader *reader)
{
    Bytes bytes;
    uint32_t number;
    if (!reserve_number(reader, &number) || !reader_bytes(reader, &bytes))
        return JS_EXCEPTION;
    JSValue array = JS_NewUint8ArrayCopy(guest.context, (const uint8_t *)bytes.data, bytes.length);
    if (!JS_IsException(array))
        note(reader, number, array);
    return array;
}

static JSValue read_by_head(Reader *reader, uint8_t head)
{
    JSContext *ctx = guest.context;
    uint64_t number;
    uint32_t length;
    double real;
    if (head < 0x80 || head >= 0xe0) {
        reader->at++;
        return JS_NewInt32(ctx, (int8_t)head);
    }
    if (head < 0x90 || head == 0xde || head == 0xdf)
        return read_map_object(reader);
    if (head < 0xa0 || head == 0xdc || head == 0xdd)
        return read_array(reader);
    if (head < 0xc0 || (head >= 0xd9 && head <= 0xdb))
        return read_text(reader);
    if (head >= 0xc4 && head <= 0xc6)
        return read_blob(reader);
    reader->at++;
    switch (head) {
    case 0xc0:
        return JS_NULL;
    case 0xc2:
    case 0xc3:
        return JS_NewBool(ctx, head == 0xc3);
    case 0xc7: case 0xc8: case 0xc9:
        return reader_length(reader, 1 << (head - 0xc7), &length) ? read_extension(reader, length) : JS_EXCEPTION;
    case 0xcb:
        return reader_f64(reader, &real) ? JS_NewFloat64(ctx, real) : JS_EXCEPTION;
    case 0xcc: case 0xcd: case 0xce: case 0xcf:
        return reader_number(reader, 1 << (head - 0xcc), &number) ? read_integer(number, false) : JS_EXCEPTION;
    case 0xd0: case 0xd1: case 0xd2: case 0xd3: {
        int size = 1 << (head - 0xd0);
        if (!reader_number(reader, size, &number))
            return JS_EXCEPTION;
        int unused = 64 - 8 * size;
        return read_integer((uint64_t)((int64_t)(number << unused) >> unused), true);
    }
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8:
        return read_extension(reader, 1u << (head - 0xd4));
    default:
        return malformed_value(reader);
    }
}

JSValue reader_value(Reader *reader)
{
    if (reader->at >= reader->end || reader->depth >= CAP_DEPTH)
        return malformed_value(reader);
    reader->depth++;
    JSValue value = read_by_head(reader, *reader->at);
    reader->depth--;
    return value;
}
