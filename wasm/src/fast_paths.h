/* Short ways for what programs do most, where nothing unusual is in the way; else the engine's own.
 *
 * A patch includes this in the midst of the engine's source, after what it uses and before the interpreter's loop. Each
 * short way comes to what the long one does, in what programs can observe and in what they are charged. */
#ifndef FAST_PATHS_H
#define FAST_PATHS_H

static JSRegExp *js_get_regexp(JSContext *ctx, JSValueConst obj, bool throw_error);
static JSValue js_regexp_get_flag(JSContext *ctx, JSValueConst this_val, int mask);

/* In the interpreter's loop: what a comparison comes to. A branch that waits for it is taken at once. */
#define FAST_TEST(condition)                                                    \
    do {                                                                        \
        bool holds = (condition);                                               \
        sp -= 2;                                                                \
        if (*pc == OP_if_false8) {                                              \
            pc += holds ? 2 : 1 + (int8_t)pc[1];                                \
            if (unlikely(js_poll_interrupts(ctx)))                              \
                goto exception;                                                 \
        } else {                                                                \
            *sp++ = js_bool(holds);                                             \
        }                                                                       \
    } while (0)

/* The value of a name in bytecode, which is nearly always a string. */
static inline JSValue fast_atom_value(JSContext *ctx, JSAtom atom)
{
    if (likely(!__JS_AtomIsTaggedInt(atom))) {
        JSAtomStruct *name = ctx->rt->atom_array[atom];
        if (likely(name->atom_type == JS_ATOM_TYPE_STRING))
            return js_dup(JS_MKPTR(JS_TAG_STRING, name));
    }
    return JS_AtomToValue(ctx, atom);
}

/* Whether an exotic object that has no such property of its own may be passed over: arrays are exotic for indexes only. */
static inline bool fast_is_plain_for(const JSObject *p, JSAtom atom)
{
    return p->class_id == JS_CLASS_ARRAY && !__JS_AtomIsTaggedInt(atom);
}

/* A method of a string. */
static inline bool fast_string_method(JSContext *ctx, JSValueConst text, JSAtom atom, JSValue *out)
{
    JSProperty *pr;
    if (!tag_is_string(JS_VALUE_GET_TAG(text)) || atom == JS_ATOM_length || __JS_AtomIsTaggedInt(atom))
        return false;
    JSShapeProperty *prs = find_own_property(&pr, JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_STRING]), atom);
    if (!prs || (prs->flags & JS_PROP_TMASK))
        return false;
    *out = js_dup(pr->u.value);
    return true;
}

/* JS_DefinePropertyValue() for what is mostly an ordinary object without that property. */
static inline int fast_define(JSContext *ctx, JSValueConst object, JSAtom atom, JSValue value, int flags)
{
    if (likely(JS_VALUE_GET_TAG(object) == JS_TAG_OBJECT)) {
        JSObject *p = JS_VALUE_GET_OBJ(object);
        if (likely(p->class_id == JS_CLASS_OBJECT && !p->is_exotic && p->extensible && !find_own_property1(p, atom))) {
            JSProperty *pr = add_property(ctx, p, atom, JS_PROP_C_W_E);
            if (unlikely(!pr)) {
                JS_FreeValue(ctx, value);
                return -1;
            }
            pr->u.value = value;
            return true;
        }
    }
    return JS_DefinePropertyValue(ctx, object, atom, value, flags);
}

/* Give an ordinary object a property that is new to it and to its prototypes, by assignment. Takes the value unless it
 * returns 0: then nothing was done. -1: there is no memory. */
static int fast_put_new(JSContext *ctx, JSObject *p, JSAtom atom, JSValue value)
{
    if (p->class_id != JS_CLASS_OBJECT || p->is_exotic || !p->extensible)
        return 0;
    JSShape *shape = p->shape;
    struct KeptWay *way = kept_way(shape, atom);
    if (likely(way->from == shape && way->atom == atom && way->free_at == prototype_changes && !p->is_prototype &&
               way->to->prop_size == shape->prop_size)) {
        JS_REF_COUNT(shape)--;          /* the way has it as well */
        p->shape = js_dup_shape(way->to);
        p->prop[way->to->prop_count - 1].u.value = value;
        return 1;
    }
    for (const JSObject *from = shape->proto; from; from = from->shape->proto) {
        if (from->is_exotic || find_own_property1((JSObject *)from, atom))
            return 0;
        ctx->interrupt_counter--;
    }
    JSProperty *pr = add_property(ctx, p, atom, JS_PROP_C_W_E);
    if (unlikely(!pr)) {
        JS_FreeValue(ctx, value);
        return -1;
    }
    pr->u.value = value;
    if (way->from == shape && way->atom == atom)
        way->free_at = prototype_changes;
    return 1;
}

/* A text of ASCII in the other case. JS_UNDEFINED: there is more in it. */
static JSValue fast_case(JSContext *ctx, JSValueConst text, bool to_lower)
{
    JSString *p = JS_VALUE_GET_STRING(text);
    uint8_t first = to_lower ? 'A' : 'a', all = 0, changed = 0;
    if (p->is_wide_char)
        return JS_UNDEFINED;
    const uint8_t *from = str8(p);
    engine_weigh(p->len);
    for (uint32_t i = 0; i < p->len; i++) {
        all |= from[i];
        changed |= (uint8_t)(from[i] - first) < 26;
    }
    if (all & 0x80)
        return JS_UNDEFINED;
    if (!changed)
        return js_dup(text);
    JSString *made = js_alloc_string(ctx, (int)p->len, 0);
    if (!made)
        return JS_EXCEPTION;
    uint8_t *to = str8(made);
    for (uint32_t i = 0; i < p->len; i++)
        to[i] = (uint8_t)(from[i] ^ ((uint8_t)(from[i] - first) < 26 ? 0x20 : 0));
    to[p->len] = 0;
    return JS_MKPTR(JS_TAG_STRING, made);
}

static bool fast_strict_eq(JSContext *ctx, JSValueConst one, JSValueConst other)
{
    int tag = JS_VALUE_GET_TAG(one);
    if (tag == JS_TAG_OBJECT)
        return JS_VALUE_GET_TAG(other) == tag && JS_VALUE_GET_OBJ(one) == JS_VALUE_GET_OBJ(other);
    if (tag != JS_TAG_STRING || JS_VALUE_GET_TAG(other) != JS_TAG_STRING)
        return js_strict_eq2(ctx, one, other, JS_EQ_STRICT);
    JSString *a = JS_VALUE_GET_STRING(one), *b = JS_VALUE_GET_STRING(other);
    if (a == b || (a->atom_type == JS_ATOM_TYPE_STRING && b->atom_type == JS_ATOM_TYPE_STRING))
        return a == b;                  /* a name is there only once */
    return js_string_eq(a, b);
}

static inline bool fast_is_number(JSValueConst value, uint32_t number)
{
    int tag = JS_VALUE_GET_TAG(value);
    return tag == JS_TAG_INT ? JS_VALUE_GET_INT(value) == (int32_t)number
                             : JS_TAG_IS_FLOAT64(tag) && JS_VALUE_GET_FLOAT64(value) == number;
}

/* The cases of a `switch`, each with the jump after it, from what the first one compares with on; where the code goes on. */
static const uint8_t *fast_cases(JSContext *ctx, JSValueConst value, const uint8_t *pc)
{
    JSString *text = JS_VALUE_GET_TAG(value) == JS_TAG_STRING ? JS_VALUE_GET_STRING(value) : NULL;
    bool is_name = text && text->atom_type == JS_ATOM_TYPE_STRING, is_same, jumps;
    do {
        JSAtom atom = get_u32(pc);
        if (__JS_AtomIsTaggedInt(atom)) {
            is_same = fast_is_number(value, __JS_AtomToUInt32(atom));
        } else {
            JSString *name = ctx->rt->atom_array[atom];
            is_same = text == name || (!is_name && fast_strict_eq(ctx, value, JS_MKPTR(JS_TAG_STRING, name)));
        }
        pc += 4;
        if (*pc == OP_drop)    /* instead of a jump to what comes next */
            return pc + 1;
        jumps = (*pc == OP_if_true8 || *pc == OP_if_true) == is_same;
        if (*pc == OP_if_false8 || *pc == OP_if_true8)
            pc += jumps ? 1 + (int8_t)pc[1] : 2;
        else
            pc += jumps ? 1 + (int32_t)get_u32(pc + 1) : 5;
        ctx->interrupt_counter--;
    } while (!is_same && *pc++ == OP_case_atom);
    return is_same ? pc : pc - 1;
}

/* Names that are no atoms of the engine's; its built-in bytecode counts these, so there can be no more of them. */
enum { NAME_hasIndices, NAME_ignoreCase, NAME_multiline, NAME_dotAll, NAME_unicodeSets, NAME_sticky, NAMES };

static JSAtom fast_names[NAMES];

/* One of these, kept until the context goes; JS_ATOM_NULL, with the exception pending: no memory. */
static JSAtom fast_name(JSContext *ctx, int name)
{
    static const char *const texts[NAMES] = {"hasIndices", "ignoreCase", "multiline", "dotAll", "unicodeSets", "sticky"};
    if (!fast_names[name])
        fast_names[name] = JS_NewAtom(ctx, texts[name]);
    return fast_names[name];
}

/* Whether a flag of a regular expression is set, without a call where its getter is the engine's. */
static int fast_regexp_flag(JSContext *ctx, JSValueConst regexp, JSAtom atom)
{
    JSRegExp *re = js_get_regexp(ctx, regexp, false);
    JSProperty *pr;
    if (atom == JS_ATOM_NULL)
        return -1;
    if (re && !find_own_property1(JS_VALUE_GET_OBJ(regexp), atom) && JS_VALUE_GET_OBJ(regexp)->shape->proto) {
        JSShapeProperty *prs = find_own_property(&pr, JS_VALUE_GET_OBJ(regexp)->shape->proto, atom);
        if (prs && (prs->flags & JS_PROP_TMASK) == JS_PROP_GETSET && pr->u.getset.getter) {
            const JSObject *getter = pr->u.getset.getter;
            if (getter->class_id == JS_CLASS_C_FUNCTION && getter->u.cfunc.cproto == JS_CFUNC_getter_magic &&
                getter->u.cfunc.c_function.getter_magic == js_regexp_get_flag)
                return (lre_get_flags(str8(re->bytecode)) & getter->u.cfunc.magic) != 0;
        }
    }
    return JS_ToBoolFree(ctx, JS_GetProperty(ctx, regexp, atom));
}

/* The number that a text in JSON is. Exact where its digits are an integer below 2^53, by one division of two exact
 * numbers; all else is read in the long way. */
static JSValue fast_json_number(const char *text, const char *end)
{
    static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
                                    1e15, 1e16, 1e17, 1e18};
    bool is_negative = *text == '-', has_point = false;
    const char *at = text + is_negative;
    uint64_t digits = 0;
    int places = 0;
    if (end - at <= 18) {
        for (; at < end && (is_digit(*at) || *at == '.'); at++) {
            if (*at == '.') {
                has_point = true;
            } else {
                digits = digits * 10 + (uint64_t)(*at - '0');
                places += has_point;
            }
        }
        if (at == end && !has_point && digits <= INT32_MAX && (digits || !is_negative))
            return js_int32(is_negative ? -(int32_t)digits : (int32_t)digits);
        if (at == end && digits < 1ull << 53) {
            double number = (double)digits / powers[places];
            return js_float64(is_negative ? -number : number);
        }
    }
    JSATODTempMem scratch;
    return js_float64(js_atod(text, NULL, 10, 0, &scratch));
}

#endif
