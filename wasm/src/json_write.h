/* JSON.stringify: what writes a value, in the place of the engine's own.
 *
 * An ordinary object is written by its shape, which is held meanwhile: its keys, in order, are those that it had when it
 * was begun, whatever a `toJSON`, a getter or a replacer does to it; its values are where the shape says as long as it is
 * still its own. All other objects are asked for their keys. What an object is in is known by a list on the stack. A patch
 * includes this in the midst of the engine's source. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

enum {
    JSON_CHUNK = 4096,          /* characters between two looks at the limits */
    JSON_VALUE = 4,             /* what a value counts towards the next look, and one that is asked for by name */
    JSON_NAMED_VALUE = 16,
};

static inline int json_poll(JSContext *ctx, int steps)
{
    ctx->interrupt_counter -= steps;
    return js_poll_interrupts(ctx);
}

/* An object that is being written. */
struct JsonLevel {
    const struct JsonLevel *outer;
    const JSObject *object;
};

static int js_json_to_str(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst holder, JSValue val, JSValueConst indent);

/* Make room for characters of 8 bits; -1: it failed, with the exception pending. */
static inline int json_reserve(StringBuffer *out, int count)
{
    return likely(count <= out->size - out->len) ? 0 : string_buffer_realloc(out, out->len + count, 0);
}

static int json_write_escape(StringBuffer *out, uint32_t c)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t text[6] = {'\\', 'u', (uint8_t)digits[c >> 12], (uint8_t)digits[c >> 8 & 15], (uint8_t)digits[c >> 4 & 15],
                       (uint8_t)digits[c & 15]};
    int length = 2;
    switch (c) {
    case '"': case '\\': text[1] = (uint8_t)c; break;
    case '\b': text[1] = 'b'; break;
    case '\f': text[1] = 'f'; break;
    case '\n': text[1] = 'n'; break;
    case '\r': text[1] = 'r'; break;
    case '\t': text[1] = 't'; break;
    default: length = 6;
    }
    return string_buffer_write8(out, text, length);
}

/* The characters of a text from an index on, with escapes where they are needed. */
static no_inline int json_write_escaped(JSContext *ctx, StringBuffer *out, JSString *text, int at)
{
    int length = (int)text->len;
    while (at < length) {
        int from = at, end = length - at > JSON_CHUNK ? at + JSON_CHUNK : length;
        if (js_poll_interrupts(ctx))
            return string_buffer_set_error(out);
        if (text->is_wide_char) {
            const uint16_t *wide = str16(text);
            while (at < end && wide[at] >= ' ' && wide[at] != '"' && wide[at] != '\\' && !is_surrogate(wide[at]))
                at++;
            if (at > from) {
                engine_weigh(2 * (size_t)(at - from));
                if (string_buffer_write16(out, wide + from, at - from))
                    return -1;
            }
            if (at < end) {
                uint32_t c = wide[at++];
                if (is_hi_surrogate(c) && at < length && is_lo_surrogate(wide[at])) {
                    if (string_buffer_write16(out, wide + at++ - 1, 2))
                        return -1;
                } else if (json_write_escape(out, c)) {
                    return -1;
                }
            }
        } else {
            const uint8_t *narrow = str8(text);
            at = (int)(json_plain_end8(narrow + at, narrow + end) - narrow);
            if (at > from) {
                json_weigh((size_t)(at - from));
                if (string_buffer_write8(out, narrow + from, at - from))
                    return -1;
            }
            if (at < end && json_write_escape(out, narrow[at++]))
                return -1;
        }
    }
    return 0;
}

/* A text in quotes, behind `before` characters that are given. */
static int json_write_text(JSContext *ctx, StringBuffer *out, JSString *text, const char *before, int count)
{
    int length = (int)text->len;
    if (json_reserve(out, count + length + 2))
        return -1;
    if (likely(!out->is_wide_char && !text->is_wide_char && length < JSON_CHUNK)) {
        uint8_t *to = str8(out->str) + out->len;
        const uint8_t *bytes = str8(text);
        for (int i = 0; i < count; i++)
            *to++ = (uint8_t)before[i];
        *to++ = '"';
        const uint8_t *end = json_plain_end8(bytes, bytes + length);
        int plain = (int)(end - bytes);
        memcpy(to, bytes, (size_t)plain);
        json_weigh((size_t)plain);
        out->len += count + 1 + plain;
        if (plain == length) {
            to[plain] = '"';
            out->len++;
            return 0;
        }
        return json_write_escaped(ctx, out, text, plain) ? -1 : string_buffer_putc8(out, '"');
    }
    if (string_buffer_write8(out, (const uint8_t *)before, count) || string_buffer_putc8(out, '"') ||
        json_write_escaped(ctx, out, text, 0))
        return -1;
    return string_buffer_putc8(out, '"');
}

static no_inline int json_write_float(StringBuffer *out, double number)
{
    char text[64];
    JSDTOATempMem scratch;
    if (!isfinite(number))
        return string_buffer_write8(out, (const uint8_t *)"null", 4);
    engine_weigh(512);
    return string_buffer_write8(out, (const uint8_t *)text,
                                js_dtoa(text, number, 10, 0, JS_DTOA_FORMAT_FREE, &scratch));
}

/* A value that is no object. Takes it. */
static int json_write_primitive(JSContext *ctx, StringBuffer *out, JSValue val)
{
    char digits[16];
    int ret;
    switch (JS_VALUE_GET_NORM_TAG(val)) {
    case JS_TAG_STRING_ROPE:
        val = JS_ToStringFree(ctx, val);
        if (JS_IsException(val))
            return -1;
        /* fall through */
    case JS_TAG_STRING:
        ret = json_write_text(ctx, out, JS_VALUE_GET_STRING(val), "", 0);
        JS_FreeValue(ctx, val);
        return ret;
    case JS_TAG_INT:
        return string_buffer_write8(out, (const uint8_t *)digits, (int)i32toa(digits, JS_VALUE_GET_INT(val)));
    case JS_TAG_FLOAT64:
        return json_write_float(out, JS_VALUE_GET_FLOAT64(val));
    case JS_TAG_BOOL:
        return JS_VALUE_GET_BOOL(val) ? string_buffer_write8(out, (const uint8_t *)"true", 4)
                                      : string_buffer_write8(out, (const uint8_t *)"false", 5);
    case JS_TAG_NULL:
        return string_buffer_write8(out, (const uint8_t *)"null", 4);
    case JS_TAG_SHORT_BIG_INT:
    case JS_TAG_BIG_INT:
        JS_FreeValue(ctx, val);
        JS_ThrowTypeError(ctx, "BigInt are forbidden in JSON.stringify");
        return -1;
    default:
        JS_FreeValue(ctx, val);
        return 0;
    }
}

/* Begin a line as deep as the object that is being written. */
static int json_write_line(JSONStringifyContext *jsc, int depth)
{
    JSString *gap = JS_VALUE_GET_STRING(jsc->gap);
    if (!gap->len)
        return 0;
    if (string_buffer_putc8(jsc->b, '\n'))
        return -1;
    for (int i = 0; i < depth; i++)
        if (string_buffer_concat(jsc->b, gap, 0, gap->len))
            return -1;
    json_weigh((size_t)depth * gap->len);
    return 0;
}

/* What precedes a value in an object: a comma, the line, its key, the colon. */
static int json_write_key(JSContext *ctx, JSONStringifyContext *jsc, JSString *key, bool is_first)
{
    if (!JS_VALUE_GET_STRING(jsc->gap)->len)
        return json_write_text(ctx, jsc->b, key, ",", !is_first) || string_buffer_putc8(jsc->b, ':') ? -1 : 0;
    if ((!is_first && string_buffer_putc8(jsc->b, ',')) || json_write_line(jsc, jsc->depth) ||
        json_write_text(ctx, jsc->b, key, "", 0))
        return -1;
    return string_buffer_write8(jsc->b, (const uint8_t *)": ", 2);
}

/* Whether a value is written as it is, without a question to the program: no `toJSON` and no replacer has a say. */
static inline bool json_is_final(JSContext *ctx, const JSONStringifyContext *jsc, JSValueConst val)
{
    if (!JS_IsUndefined(jsc->replacer_func))
        return false;
    switch (JS_VALUE_GET_NORM_TAG(val)) {
    case JS_TAG_STRING: case JS_TAG_STRING_ROPE: case JS_TAG_INT: case JS_TAG_FLOAT64: case JS_TAG_BOOL: case JS_TAG_NULL:
        return true;
    case JS_TAG_OBJECT:
        break;
    default:
        return false;
    }
    JSObject *p = JS_VALUE_GET_OBJ(val);
    if (p->class_id != JS_CLASS_OBJECT && p->class_id != JS_CLASS_ARRAY)
        return false;
    for (; p; p = p->shape->proto) {
        if ((p->is_exotic && p->class_id != JS_CLASS_ARRAY) || find_own_property1(p, JS_ATOM_toJSON))
            return false;
        ctx->interrupt_counter--;
    }
    return true;
}

/* Whether a shape's keys, in its order, are what the keys of an ordinary object are: none is an index. */
static bool json_is_in_order(JSContext *ctx, const JSShape *shape)
{
    const JSShapeProperty *prs = get_shape_prop((JSShape *)shape);
    for (int i = 0; i < shape->prop_count; i++) {
        if (__JS_AtomIsTaggedInt(prs[i].atom))
            return false;
        JSAtomStruct *name = ctx->rt->atom_array[prs[i].atom];
        if (name->len && name->atom_type == JS_ATOM_TYPE_STRING && is_digit(string_get(name, 0)))
            return false;
    }
    return true;
}

/* The members of an ordinary object, by its shape, which the caller holds. -1: an exception is pending. */
static int json_write_members(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst object, JSShape *shape)
{
    JSObject *p = JS_VALUE_GET_OBJ(object);
    bool is_first = true;
    for (int i = 0; i < shape->prop_count; i++) {
        const JSShapeProperty *prs = &get_shape_prop(shape)[i];
        JSAtomStruct *key = ctx->rt->atom_array[prs->atom];
        if (prs->atom == JS_ATOM_NULL || !(prs->flags & JS_PROP_ENUMERABLE) || key->atom_type != JS_ATOM_TYPE_STRING)
            continue;
        if (json_poll(ctx, JSON_VALUE))
            return -1;
        JSValue val = likely(p->shape == shape && !(prs->flags & JS_PROP_TMASK))
            ? js_dup(p->prop[i].u.value) : JS_GetProperty(ctx, object, prs->atom);
        if (unlikely(!json_is_final(ctx, jsc, val))) {
            if (JS_IsException(val))
                return -1;
            val = js_json_check(ctx, jsc, object, val, JS_MKPTR(JS_TAG_STRING, key));
            if (JS_IsException(val))
                return -1;
            if (JS_IsUndefined(val))
                continue;
        }
        if (json_write_key(ctx, jsc, key, is_first)) {
            JS_FreeValue(ctx, val);
            return -1;
        }
        is_first = false;
        if (JS_IsObject(val) ? js_json_to_str(ctx, jsc, object, val, JS_UNDEFINED)
                             : json_write_primitive(ctx, jsc->b, val))
            return -1;
    }
    return is_first ? 0 : json_write_line(jsc, jsc->depth - 1);
}

/* The members of any object, by a list of its keys, or by the one that the program has given. */
static int json_write_listed(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst object, JSValueConst keys)
{
    int64_t count;
    bool is_first = true;
    if (js_get_length64(ctx, &count, keys))
        return -1;
    for (int64_t i = 0; i < count; i++) {
        if (json_poll(ctx, JSON_NAMED_VALUE))
            return -1;
        JSValue key = JS_GetPropertyInt64(ctx, keys, i);
        if (JS_IsException(key))
            return -1;
        JSValue val = JS_GetPropertyValue(ctx, object, js_dup(key));
        if (!JS_IsException(val))
            val = js_json_check(ctx, jsc, object, val, key);
        int ret = JS_IsException(val) ? -1 : 0;
        if (!ret && !JS_IsUndefined(val)) {
            key = JS_ToStringFree(ctx, key);
            ret = JS_IsException(key) ? -1 : json_write_key(ctx, jsc, JS_VALUE_GET_STRING(key), is_first);
            is_first = false;
            if (ret)
                JS_FreeValue(ctx, val);
            else
                ret = js_json_to_str(ctx, jsc, object, val, JS_UNDEFINED);
        }
        JS_FreeValue(ctx, key);
        if (ret)
            return ret;
    }
    return is_first ? 0 : json_write_line(jsc, jsc->depth - 1);
}

static int json_write_elements(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst array)
{
    const JSObject *p = JS_VALUE_GET_OBJ(array);
    int64_t count;
    if (js_get_length64(ctx, &count, array))
        return -1;
    for (int64_t i = 0; i < count; i++) {
        if (json_poll(ctx, JSON_VALUE))
            return -1;
        if ((i && string_buffer_putc8(jsc->b, ',')) || json_write_line(jsc, jsc->depth))
            return -1;
        JSValue val = p->class_id == JS_CLASS_ARRAY && i < p->u.array.count
            ? js_dup(p->u.array.u.values[i]) : JS_GetPropertyInt64(ctx, array, i);
        if (unlikely(!json_is_final(ctx, jsc, val))) {
            if (JS_IsException(val))
                return -1;
            JSValue key = JS_ToStringFree(ctx, js_int64(i));
            if (JS_IsException(key)) {
                JS_FreeValue(ctx, val);
                return -1;
            }
            val = js_json_check(ctx, jsc, array, val, key);
            JS_FreeValue(ctx, key);
            if (JS_IsException(val))
                return -1;
            if (JS_IsUndefined(val))
                val = JS_NULL;
        }
        if (JS_IsObject(val) ? js_json_to_str(ctx, jsc, array, val, JS_UNDEFINED)
                             : json_write_primitive(ctx, jsc->b, val))
            return -1;
    }
    return count ? json_write_line(jsc, jsc->depth - 1) : 0;
}

/* An object that stands for a primitive value, as that; 1: it is none. Takes it, unless it is none. */
static no_inline int json_write_boxed(JSContext *ctx, JSONStringifyContext *jsc, JSValue val)
{
    JSValue inner;
    int ret;
    switch (JS_VALUE_GET_OBJ(val)->class_id) {
    case JS_CLASS_STRING:
        inner = JS_ToString(ctx, val);
        break;
    case JS_CLASS_NUMBER:
        inner = JS_ToNumber(ctx, val);
        break;
    case JS_CLASS_BOOLEAN:
    case JS_CLASS_BIG_INT:
        inner = js_dup(JS_VALUE_GET_OBJ(val)->u.object_data);
        break;
    case JS_CLASS_RAWJSON:
        inner = JS_GetProperty(ctx, val, JS_ATOM_rawJSON);
        JS_FreeValue(ctx, val);
        return JS_IsException(inner) ? -1 : string_buffer_concat_value_free(jsc->b, inner);
    default:
        return 1;
    }
    ret = JS_IsException(inner) ? -1 : json_write_primitive(ctx, jsc->b, inner);
    JS_FreeValue(ctx, val);
    return ret;
}

/* An object as one with members, or as an array. */
static inline int json_write_content(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst val)
{
    JSObject *p = JS_VALUE_GET_OBJ(val);
    int is_array = p->class_id == JS_CLASS_OBJECT ? 0 : js_is_array(ctx, val), ret;
    if (is_array < 0 || string_buffer_putc8(jsc->b, is_array ? '[' : '{'))
        return -1;
    if (is_array) {
        ret = json_write_elements(ctx, jsc, val);
    } else if (!JS_IsUndefined(jsc->property_list)) {
        ret = json_write_listed(ctx, jsc, val, jsc->property_list);
    } else if (!p->is_exotic && p->shape->is_hashed && json_is_in_order(ctx, p->shape)) {
        JSShape *shape = js_dup_shape(p->shape);
        ret = json_write_members(ctx, jsc, val, shape);
        js_free_shape(ctx->rt, shape);
    } else {
        JSValue keys = js_object_keys(ctx, JS_UNDEFINED, 1, &val, JS_ITERATOR_KIND_KEY);
        ret = JS_IsException(keys) ? -1 : json_write_listed(ctx, jsc, val, keys);
        JS_FreeValue(ctx, keys);
    }
    return ret ? ret : string_buffer_putc8(jsc->b, is_array ? ']' : '}');
}

/* A value, which is taken. -1: an exception is pending. */
static int js_json_to_str(JSContext *ctx, JSONStringifyContext *jsc, JSValueConst holder, JSValue val, JSValueConst indent)
{
    ENGINE_FRAME(96);
    struct JsonLevel level;
    int ret;
    if (!JS_IsObject(val))
        return json_write_primitive(ctx, jsc->b, val);
    if (js_check_stack_overflow(ctx->rt, 0)) {
        JS_FreeValue(ctx, val);
        JS_ThrowStackOverflow(ctx);
        return -1;
    }
    if (JS_VALUE_GET_OBJ(val)->class_id != JS_CLASS_OBJECT) {
        ret = json_write_boxed(ctx, jsc, val);
        if (ret <= 0)
            return ret;
    }
    level.outer = jsc->within;
    level.object = JS_VALUE_GET_OBJ(val);
    for (const struct JsonLevel *each = level.outer; each; each = each->outer) {
        if (unlikely(each->object == level.object)) {
            JS_FreeValue(ctx, val);
            JS_ThrowTypeError(ctx, "circular reference");
            return -1;
        }
    }
    if (jsc->depth > 16)
        engine_weigh((size_t)jsc->depth * 8);
    jsc->within = &level;
    jsc->depth++;
    ret = js_poll_interrupts(ctx) ? -1 : json_write_content(ctx, jsc, val);
    jsc->depth--;
    jsc->within = level.outer;
    JS_FreeValue(ctx, val);
    return ret;
}

#endif
