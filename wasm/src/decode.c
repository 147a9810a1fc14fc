/* Messages of the host as values of the guest. No guest code runs here: properties are defined, never set, and classes
 * come from the realm's own prototypes. */
#include "internals.h"

#include <string.h>

static JSValue malformed_value(Reader *reader)
{
    reader->malformed = true;
    return JS_EXCEPTION;
}

/* Keep the object with this number, when somebody may refer to it: nothing else might, a later key can replace it. */
static void note(Reader *reader, uint32_t number, JSValueConst object)
{
    if (reader->references)
        reader->objects[number] = JS_DupValue(guest.context, object);
}

static bool reserve_number(Reader *reader, uint32_t *number)
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

static int read_properties(Reader *reader, JSValueConst object)
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

static JSValue finish(JSValue object, bool failed)
{
    if (!failed)
        return object;
    JS_FreeValue(guest.context, object);
    return JS_EXCEPTION;
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

static JSValue read_text(Reader *reader)
{
    Bytes text;
    if (!reader_bytes(reader, &text))
        return JS_EXCEPTION;
    return text_decode(guest.context, (const uint8_t *)text.data, text.length);
}

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

static JSValue read_error(Reader *reader)
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
    if (host)
        JS_DefinePropertyValue(guest.context, error, guest.host_exception, JS_NewUint32(guest.context, host), 0);
    return finish(error, read_error_properties(reader, error) < 0);
}

/* Map and Set are filled through the realm's own constructors and methods, kept before guest code could touch them. */
static JSValue read_collection(Reader *reader, bool map)
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

static JSValue read_view(Reader *reader, const uint8_t *data, uint32_t length)
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

static JSValue read_regexp(Reader *reader)
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

static JSValue read_host_function(Reader *reader, uint32_t *op)
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
static JSValue read_hooked(Reader *reader, Hook hook)
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

static JSValue read_made(Reader *reader, Tag tag)
{
    JSValue parts[2] = {JS_MKVAL(JS_TAG_INT, tag), reader_value(reader)};
    if (JS_IsException(parts[1]))
        return JS_EXCEPTION;
    JSValue object = hooks_call(guest.context, HOOK_MAKE, 2, (JSValueConst *)parts);
    JS_FreeValue(guest.context, parts[1]);
    return object;
}

static JSValue read_sparse(Reader *reader)
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
