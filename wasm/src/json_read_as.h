/* The part of json_read.h that is compiled for either width of texts: JSON_CHAR is what they consist of, JSON_AS(name)
 * the name of a function for it. */

typedef struct {
    JSContext *ctx;
    const JSON_CHAR *at, *end;
    JSValue *top, *limit;       /* where the next value is to wait, and where there is no more room */
    bool is_odd;                /* the engine's own reader is to have a look; no exception is pending */
    JSValue room[JSON_ROOM];
} JSON_AS(JsonReader);

static JSValue JSON_AS(json_odd)(JSON_AS(JsonReader) *r)
{
    r->is_odd = true;
    return JS_EXCEPTION;
}

/* The next character that is not white space; `end`, if there is none. */
static inline const JSON_CHAR *JSON_AS(json_next)(const JSON_CHAR *at, const JSON_CHAR *end)
{
    const JSON_CHAR *from = at;
    while (at < end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    if (unlikely(at - from > 64))
        engine_weigh((size_t)(at - from));
    return at;
}

/* A new text of these characters, as narrow as it can be. */
static inline JSValue JSON_AS(json_text_of)(JSContext *ctx, const JSON_CHAR *from, uint32_t length)
{
    if (!length)
        return js_empty_string(ctx->rt);
    json_weigh(length);
#ifdef JSON_IS_WIDE
    uint32_t all = 0;
    for (uint32_t i = 0; i < length; i++)
        all |= from[i];
    if (all > 0xff)
        return js_new_string16_len(ctx, from, (int)length);
    JSString *text = js_alloc_string(ctx, (int)length, 0);
    if (!text)
        return JS_EXCEPTION;
    uint8_t *out = str8(text);
    for (uint32_t i = 0; i < length; i++)
        out[i] = (uint8_t)from[i];
    out[length] = '\0';
    return JS_MKPTR(JS_TAG_STRING, text);
#else
    return js_new_string8_len(ctx, (const char *)from, (int)length);
#endif
}

/* Whether a string consists of these characters. */
static inline bool JSON_AS(json_is)(JSString *text, const JSON_CHAR *from, uint32_t length)
{
    if (text->len != length)
        return false;
#ifdef JSON_IS_WIDE
    if (text->is_wide_char)
        return json_is_same8((const uint8_t *)str16(text), (const uint8_t *)from, length * 2);
    const uint8_t *bytes = str8(text);
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != from[i])
            return false;
    return true;
#else
    return !text->is_wide_char && json_is_same8(str8(text), from, length);
#endif
}

static inline int JSON_AS(json_hex)(const JSON_CHAR *at)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = at[i] < 0x80 ? from_hex(at[i]) : -1;
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

/* A text with escapes: it begins at `from`, and the first of them stands at `at`. What it will be is counted first. */
static no_inline JSValue JSON_AS(json_escaped)(JSON_AS(JsonReader) *r, const JSON_CHAR *from, const JSON_CHAR *at)
{
    uint32_t length = (uint32_t)(at - from), all = 0;
    int code;
    while (at < r->end && *at == '\\') {
        if (js_poll_interrupts(r->ctx))
            return JS_EXCEPTION;
        if (r->end - at < 6 && (r->end - at < 2 || at[1] == 'u'))
            return JSON_AS(json_odd)(r);
        switch (at[1]) {
        case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
            at += 2;
            break;
        case 'u':
            code = JSON_AS(json_hex)(at + 2);
            if (code < 0)
                return JSON_AS(json_odd)(r);
            all |= (uint32_t)code;
            at += 6;
            break;
        default:
            return JSON_AS(json_odd)(r);
        }
        const JSON_CHAR *run = at;
        at = JSON_AS(json_plain_end)(at, r->end);
        length += 1 + (uint32_t)(at - run);
    }
    if (at >= r->end || *at != '"')
        return JSON_AS(json_odd)(r);
#ifdef JSON_IS_WIDE
    for (const JSON_CHAR *each = from; each < at; each++)
        all |= *each;
#endif
    engine_weigh((size_t)(at - from));
    bool is_wide = all > 0xff;
    JSString *text = js_alloc_string(r->ctx, (int)length, is_wide);
    if (!text)
        return JS_EXCEPTION;
    uint8_t *narrow = str8(text);
    uint16_t *wide = str16(text);
    for (uint32_t i = 0; i < length; i++) {
        uint32_t c = *from++;
        if (c == '\\') {
            c = *from++;
            switch (c) {
            case 'b': c = '\b'; break;
            case 'f': c = '\f'; break;
            case 'n': c = '\n'; break;
            case 'r': c = '\r'; break;
            case 't': c = '\t'; break;
            case 'u':
                c = (uint32_t)JSON_AS(json_hex)(from);
                from += 4;
                break;
            }
        }
        if (is_wide)
            wide[i] = (uint16_t)c;
        else
            narrow[i] = (uint8_t)c;
    }
    if (!is_wide)
        narrow[length] = '\0';
    r->at = at + 1;
    return JS_MKPTR(JS_TAG_STRING, text);
}

/* A text, behind its quote. */
static JSValue JSON_AS(json_text)(JSON_AS(JsonReader) *r, const JSON_CHAR *from, JSValueConst like)
{
    const JSON_CHAR *to = JSON_AS(json_plain_end)(from, r->end);
    if (unlikely(to >= r->end || *to != '"'))
        return JSON_AS(json_escaped)(r, from, to);
    r->at = to + 1;
    if (JS_VALUE_GET_TAG(like) == JS_TAG_STRING &&
        JSON_AS(json_is)(JS_VALUE_GET_STRING(like), from, (uint32_t)(to - from))) {
        json_weigh((size_t)(to - from));
        return js_dup(like);
    }
    return JSON_AS(json_text_of)(r->ctx, from, (uint32_t)(to - from));
}

/* A number: exact where its digits are an integer below 2^53, by one step with a power of ten that is exact as well. */
static JSValue JSON_AS(json_number)(JSON_AS(JsonReader) *r, const JSON_CHAR *at)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const JSON_CHAR *from = at, *end = r->end;
    bool is_negative = *at == '-', is_long = false;
    uint64_t digits = 0;
    int places = 0, exponent = 0;
    at += is_negative;
    if (at >= end || !is_digit(*at))
        return JSON_AS(json_odd)(r);
    if (*at == '0' && end - at > 1 && is_digit(at[1]))
        return JSON_AS(json_odd)(r);
    for (; at < end && is_digit(*at); at++) {
        is_long |= digits >= (UINT64_C(1) << 53) / 10;
        digits = digits * 10 + (uint64_t)(*at - '0');
    }
    if (at >= end || (*at != '.' && (*at | 0x20) != 'e')) {
        if (digits <= INT32_MAX && !is_long && (digits || !is_negative)) {
            r->at = at;
            return js_int32(is_negative ? -(int32_t)digits : (int32_t)digits);
        }
    } else {
        if (*at == '.') {
            const JSON_CHAR *point = at++;
            for (; at < end && is_digit(*at); at++) {
                is_long |= digits >= (UINT64_C(1) << 53) / 10;
                digits = digits * 10 + (uint64_t)(*at - '0');
            }
            places = (int)(at - point) - 1;
            if (!places)
                return JSON_AS(json_odd)(r);
        }
        if (at < end && (*at | 0x20) == 'e') {
            bool is_small = false;
            at++;
            if (at < end && (*at == '+' || *at == '-'))
                is_small = *at++ == '-';
            if (at >= end || !is_digit(*at))
                return JSON_AS(json_odd)(r);
            for (; at < end && is_digit(*at); at++)
                exponent = exponent < 10000 ? exponent * 10 + (int)(*at - '0') : exponent;
            exponent = is_small ? -exponent : exponent;
        }
    }
    if (at - from > JSON_DIGITS)
        return JSON_AS(json_odd)(r);    /* also, neither the exponent nor the places have been too many to be counted */
    r->at = at;
    exponent -= places;
    double number;
    if (!is_long && exponent >= -22 && exponent <= 22) {
        number = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
        return js_float64(is_negative ? -number : number);
    }
    char text[JSON_DIGITS + 1];
    int length = (int)(at - from);
    for (int i = 0; i < length; i++)
        text[i] = (char)from[i];
    text[length] = '\0';
    engine_weigh(1024);
    return js_float64(json_long_number(text));
}

/* A value that is neither an object nor an array. */
static inline JSValue JSON_AS(json_scalar)(JSON_AS(JsonReader) *r, const JSON_CHAR *at, JSValueConst like)
{
    if (*at == '"')
        return JSON_AS(json_text)(r, at + 1, like);
    if (*at == '-' || is_digit(*at))
        return JSON_AS(json_number)(r, at);
    if (r->end - at >= 4) {
        r->at = at + 4;
        if (at[0] == 't' && at[1] == 'r' && at[2] == 'u' && at[3] == 'e')
            return JS_TRUE;
        if (at[0] == 'n' && at[1] == 'u' && at[2] == 'l' && at[3] == 'l')
            return JS_NULL;
        if (at[0] == 'f' && at[1] == 'a' && at[2] == 'l' && at[3] == 's' && r->end - at >= 5 && at[4] == 'e') {
            r->at = at + 5;
            return JS_FALSE;
        }
    }
    return JSON_AS(json_odd)(r);
}

/* The name that a key without escapes is. JS_ATOM_NULL: no memory. */
static JSAtom JSON_AS(json_name)(JSContext *ctx, const JSON_CHAR *from, uint32_t length)
{
    if (length && length <= JSON_NAME && !is_digit(*from)) {
#ifdef JSON_IS_WIDE
        uint8_t narrow[JSON_NAME];
        uint32_t all = 0;
        for (uint32_t i = 0; i < length; i++) {
            all |= from[i];
            narrow[i] = (uint8_t)from[i];
        }
        JSAtom found = all > 0xff ? JS_ATOM_NULL : json_find_name(ctx, narrow, length);
#else
        JSAtom found = json_find_name(ctx, from, length);
#endif
        if (found != JS_ATOM_NULL)
            return found;
    }
    JSValue text = JSON_AS(json_text_of)(ctx, from, length);
    return JS_IsException(text) ? JS_ATOM_NULL : JS_NewAtomStr(ctx, JS_VALUE_GET_STRING(text));
}

static JSValue JSON_AS(json_container)(JSON_AS(JsonReader) *r, JSValueConst like);

/* A value, at its first character, at which the reader stands. `like` is one that may be like it; it is borrowed. */
static inline JSValue JSON_AS(json_value)(JSON_AS(JsonReader) *r, JSValueConst like)
{
    const JSON_CHAR *at = JSON_AS(json_next)(r->at, r->end);
    r->ctx->interrupt_counter -= JSON_STEPS;
    if (unlikely(js_poll_interrupts(r->ctx)))
        return JS_EXCEPTION;
    if (unlikely(at >= r->end))
        return JSON_AS(json_odd)(r);
    if (*at != '{' && *at != '[')
        return JSON_AS(json_scalar)(r, at, like);
    r->at = at;
    return JSON_AS(json_container)(r, like);
}

/* The values of an array follow. */
static inline JSValue JSON_AS(json_array)(JSON_AS(JsonReader) *r, JSValueConst like)
{
    JSContext *ctx = r->ctx;
    JSValue *base = r->top, array = JS_UNDEFINED, value;
    JSValueConst before = JS_UNDEFINED;
    const JSON_CHAR *at = JSON_AS(json_next)(r->at, r->end);
    if (at < r->end && *at == ']') {
        r->at = at + 1;
        return JS_NewArray(ctx);
    }
    if (JS_VALUE_GET_TAG(like) == JS_TAG_OBJECT) {
        const JSObject *p = JS_VALUE_GET_OBJ(like);
        if (p->class_id == JS_CLASS_ARRAY && p->u.array.count)
            before = p->u.array.u.values[0];
    }
    for (;;) {
        value = JSON_AS(json_value)(r, before);
        if (JS_IsException(value))
            break;
        if (!JS_IsObject(before) || JS_IsObject(value))
            before = value;
        if (JS_IsUndefined(array)) {
            if (r->top < r->limit && r->top - base < JSON_WAITING) {
                *r->top++ = value;
            } else {
                array = JS_NewArrayFrom(ctx, (int)(r->top - base), base);
                r->top = base;
                if (JS_IsException(array)) {
                    JS_FreeValue(ctx, value);
                    return JS_EXCEPTION;
                }
            }
        }
        if (!JS_IsUndefined(array) && add_fast_array_element(ctx, JS_VALUE_GET_OBJ(array), value, 0) < 0)
            break;
        at = JSON_AS(json_next)(r->at, r->end);
        if (at < r->end && *at == ',') {
            r->at = at + 1;
            continue;
        }
        if (at < r->end && *at == ']') {
            r->at = at + 1;
            if (!JS_IsUndefined(array))
                return array;
            value = JS_NewArrayFrom(ctx, (int)(r->top - base), base);
            r->top = base;
            return value;
        }
        JSON_AS(json_odd)(r);
        break;
    }
    while (r->top > base)
        JS_FreeValue(ctx, *--r->top);
    JS_FreeValue(ctx, array);
    return JS_EXCEPTION;
}

/* The members of an object follow. As long as their keys are those of `like`, their values wait; then the object is made
 * of them, and gets the others one by one. */
static inline JSValue JSON_AS(json_object)(JSON_AS(JsonReader) *r, JSValueConst like)
{
    JSContext *ctx = r->ctx;
    JSShape *shape = json_shape_of(like);
    JSValue *base = r->top, object = JS_UNDEFINED, value;
    JSValueConst before = JS_UNDEFINED;         /* an object among the values */
    JSAtom atom;
    const JSON_CHAR *at = JSON_AS(json_next)(r->at, r->end), *to;
    if (at < r->end && *at == '}') {
        r->at = at + 1;
        return JS_NewObject(ctx);
    }
    for (;;) {
        if (at >= r->end || *at != '"')
            goto odd;
        at++;
        to = JSON_AS(json_plain_end)(at, r->end);
        if (shape) {
            uint32_t known = (uint32_t)(r->top - base);
            atom = known < (uint32_t)shape->prop_count && r->top < r->limit ? get_shape_prop(shape)[known].atom : JS_ATOM_NULL;
            if (to < r->end && *to == '"' && atom != JS_ATOM_NULL && !__JS_AtomIsTaggedInt(atom) &&
                JSON_AS(json_is)(ctx->rt->atom_array[atom], at, (uint32_t)(to - at))) {
                at = JSON_AS(json_next)(to + 1, r->end);
                if (at >= r->end || *at != ':')
                    goto odd;
                r->at = at + 1;
                value = JSON_AS(json_value)(r, JS_VALUE_GET_OBJ(like)->prop[known].u.value);
                if (JS_IsException(value))
                    goto fail;
                *r->top++ = value;
                goto next;
            }
        }
        if (JS_IsUndefined(object)) {
            object = shape ? json_object_of(ctx, shape, base, (uint32_t)(r->top - base)) : JS_NewObject(ctx);
            shape = NULL;
            r->top = base;
            if (JS_IsException(object))
                return JS_EXCEPTION;
        }
        if (to < r->end && *to == '"') {
            atom = JSON_AS(json_name)(ctx, at, (uint32_t)(to - at));
            at = to + 1;
        } else {
            value = JSON_AS(json_escaped)(r, at, to);
            if (JS_IsException(value))
                goto fail;
            at = r->at;
            atom = JS_NewAtomStr(ctx, JS_VALUE_GET_STRING(value));
        }
        if (atom == JS_ATOM_NULL)
            goto fail;
        at = JSON_AS(json_next)(at, r->end);
        if (at >= r->end || *at != ':') {
            JS_FreeAtom(ctx, atom);
            goto odd;
        }
        r->at = at + 1;
        value = JSON_AS(json_value)(r, before);
        if (JS_IsException(value)) {
            JS_FreeAtom(ctx, atom);
            goto fail;
        }
        int was = json_define(ctx, object, atom, value);
        JS_FreeAtom(ctx, atom);
        if (was < 0)
            goto fail;
        if (was)
            before = JS_UNDEFINED;              /* it may have been the value before */
    next:
        if (JS_IsObject(value))
            before = value;
        at = JSON_AS(json_next)(r->at, r->end);
        if (at < r->end && *at == ',') {
            at = JSON_AS(json_next)(at + 1, r->end);
            continue;
        }
        if (at >= r->end || *at != '}')
            goto odd;
        r->at = at + 1;
        if (shape) {
            uint32_t known = (uint32_t)(r->top - base);
            object = known == (uint32_t)shape->prop_count
                ? JS_NewObjectFromShape(ctx, js_dup_shape(shape), JS_CLASS_OBJECT, (JSProperty *)base)
                : json_object_of(ctx, shape, base, known);
            r->top = base;
        }
        return object;
    }
odd:
    JSON_AS(json_odd)(r);
fail:
    while (r->top > base)
        JS_FreeValue(ctx, *--r->top);
    JS_FreeValue(ctx, object);
    return JS_EXCEPTION;
}

static JSValue JSON_AS(json_container)(JSON_AS(JsonReader) *r, JSValueConst like)
{
    ENGINE_FRAME(32);
    if (js_check_stack_overflow(r->ctx->rt, 0))
        return JS_ThrowStackOverflow(r->ctx);
    return *r->at++ == '{' ? JSON_AS(json_object)(r, like) : JSON_AS(json_array)(r, like);
}

static bool JSON_AS(json_read)(JSContext *ctx, const JSON_CHAR *text, uint32_t length, JSValue *out)
{
    JSON_AS(JsonReader) r;
    r.ctx = ctx;
    r.at = text;
    r.end = text + length;
    r.top = r.room;
    r.limit = r.room + JSON_ROOM;
    r.is_odd = false;
    *out = JSON_AS(json_value)(&r, JS_UNDEFINED);
    if (!JS_IsException(*out) && JSON_AS(json_next)(r.at, r.end) != r.end) {
        JS_FreeValue(ctx, *out);
        r.is_odd = true;
    }
    return !r.is_odd;
}
