/* Short ways for what programs do with regular expressions, where nothing unusual is in the way; else the engine's own.
 *
 * The language has each of these ask the expression for its flags, call its `exec`, and read the results from the arrays
 * that this makes. Where all of that is the engine's own, nobody can see it: the text is then searched directly, and only
 * what the program gets is made. A patch includes this in the midst of the engine's source, after `exec`. */
#ifndef FAST_REGEXPS_H
#define FAST_REGEXPS_H

static JSValue js_regexp_get_flags(JSContext *ctx, JSValueConst this_val);
static JSValue js_regexp_Symbol_match(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv);

enum {
    FIRST_FLAG = 2, FLAG_GETTERS = 8, /* as `js_regexp_proto_funcs` has them */
    MATCH_SLOTS = 24,               /* of positions, which need no memory of their own */
    MATCH_ARGUMENTS = 16,           /* of a function that gives what to put in: the same */
    MATCH_GROUPS = 256,
};

/* An own property of the engine's prototype, where it has been from the beginning; NULL: it is there no more. */
static const JSProperty *fast_place(const JSObject *holder, int at, JSAtom atom, int *kind)
{
    if (at >= holder->shape->prop_count || get_shape_prop(holder->shape)[at].atom != atom)
        return NULL;
    *kind = get_shape_prop(holder->shape)[at].flags & JS_PROP_TMASK;
    return &holder->prop[at];
}

/* Whether it is the engine's own function; what was never asked for is not made yet, and is it. */
static bool fast_is_own(JSObject *holder, JSAtom atom, JSCFunction *function)
{
    JSProperty *pr;
    JSShapeProperty *prs = find_own_property(&pr, holder, atom);
    if (!prs || (prs->flags & JS_PROP_TMASK) == JS_PROP_AUTOINIT)
        return prs != NULL;
    if ((prs->flags & JS_PROP_TMASK) != JS_PROP_NORMAL || JS_VALUE_GET_TAG(pr->u.value) != JS_TAG_OBJECT)
        return false;
    const JSObject *value = JS_VALUE_GET_OBJ(pr->u.value);
    return value->class_id == JS_CLASS_C_FUNCTION && value->u.cfunc.c_function.generic == function;
}

static bool fast_is_getter(const JSProperty *pr, int kind, JSCFunctionEnum cproto, JSCFunction *function, int magic)
{
    if (!pr || kind != JS_PROP_GETSET || !pr->u.getset.getter)
        return false;
    const JSObject *getter = pr->u.getset.getter;
    return getter->class_id == JS_CLASS_C_FUNCTION && getter->u.cfunc.cproto == cproto &&
           getter->u.cfunc.c_function.generic == function && getter->u.cfunc.magic == magic;
}

/* The expression, where nothing but the engine decides what executing it does, and its `lastIndex` is an index; or NULL. */
static JSRegExp *fast_regexp(JSContext *ctx, JSValueConst value)
{
    JSRegExp *re = js_get_regexp(ctx, value, false);
    if (!re)
        return NULL;
    const JSObject *object = JS_VALUE_GET_OBJ(value);
    JSObject *proto = object->shape->proto;
    if (object->shape->prop_count != 1 || get_shape_prop(object->shape)->atom != JS_ATOM_lastIndex ||
        !(get_shape_prop(object->shape)->flags & JS_PROP_WRITABLE) ||
        JS_VALUE_GET_TAG(object->prop[0].u.value) != JS_TAG_INT || JS_VALUE_GET_INT(object->prop[0].u.value) < 0 ||
        JS_VALUE_GET_TAG(ctx->class_proto[JS_CLASS_REGEXP]) != JS_TAG_OBJECT ||
        proto != JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_REGEXP]) || !fast_is_own(proto, JS_ATOM_exec, js_regexp_exec))
        return NULL;
    return re;
}

/* The same, where its flags are what they were made with as well. */
static JSRegExp *fast_flagged_regexp(JSContext *ctx, JSValueConst value)
{
    static const struct {
        int8_t name;                /* -1: an atom of the engine's */
        uint16_t atom, mask;
    } flags[FLAG_GETTERS] = {
        {-1, JS_ATOM_global, LRE_FLAG_GLOBAL},
        {NAME_ignoreCase, 0, LRE_FLAG_IGNORECASE},
        {NAME_multiline, 0, LRE_FLAG_MULTILINE},
        {NAME_dotAll, 0, LRE_FLAG_DOTALL},
        {-1, JS_ATOM_unicode, LRE_FLAG_UNICODE},
        {NAME_unicodeSets, 0, LRE_FLAG_UNICODE_SETS},
        {NAME_sticky, 0, LRE_FLAG_STICKY},
        {NAME_hasIndices, 0, LRE_FLAG_INDICES},
    };
    JSRegExp *re = fast_regexp(ctx, value);
    if (!re)
        return NULL;
    const JSObject *proto = JS_VALUE_GET_OBJ(value)->shape->proto;
    int kind = 0;
    const JSProperty *pr = fast_place(proto, 0, JS_ATOM_flags, &kind);
    if (!fast_is_getter(pr, kind, JS_CFUNC_getter, (JSCFunction *)(void *)js_regexp_get_flags, 0))
        return NULL;
    for (int i = 0; i < FLAG_GETTERS; i++) {
        JSAtom atom = flags[i].name < 0 ? flags[i].atom : fast_name(ctx, flags[i].name);
        if (unlikely(atom == JS_ATOM_NULL)) {
            JS_FreeValue(ctx, JS_GetException(ctx));    /* the long way asks for it again, and fails */
            return NULL;
        }
        pr = fast_place(proto, FIRST_FLAG + i, atom, &kind);
        if (!fast_is_getter(pr, kind, JS_CFUNC_getter_magic, (JSCFunction *)(void *)js_regexp_get_flag, flags[i].mask))
            return NULL;
    }
    return re;
}

/* The same, where what is made of it would be an expression like it. */
static JSRegExp *fast_copied_regexp(JSContext *ctx, JSValueConst value)
{
    JSRegExp *re = fast_flagged_regexp(ctx, value);
    if (!re)
        return NULL;
    JSProperty *pr;
    JSObject *proto = JS_VALUE_GET_OBJ(value)->shape->proto;
    JSShapeProperty *prs = find_own_property(&pr, proto, JS_ATOM_constructor);
    if (!prs || (prs->flags & JS_PROP_TMASK) != JS_PROP_NORMAL || JS_VALUE_GET_TAG(pr->u.value) != JS_TAG_OBJECT ||
        JS_VALUE_GET_TAG(ctx->regexp_ctor) != JS_TAG_OBJECT ||
        JS_VALUE_GET_OBJ(pr->u.value) != JS_VALUE_GET_OBJ(ctx->regexp_ctor) ||
        !fast_is_own(proto, JS_ATOM_Symbol_match, js_regexp_Symbol_match))
        return NULL;
    prs = find_own_property(&pr, JS_VALUE_GET_OBJ(ctx->regexp_ctor), JS_ATOM_Symbol_species);
    if (!prs || !fast_is_getter(pr, prs->flags & JS_PROP_TMASK, JS_CFUNC_getter, (JSCFunction *)(void *)js_get_this, 0))
        return NULL;
    return re;
}

/* One text in which one expression is looked for. */
typedef struct {
    JSContext *ctx;
    JSString *text;
    const uint8_t *code, *bytes;
    uint8_t **capture, *few[MATCH_SLOTS];
    int count, flags;
    bool is_unicode;
} FastMatch;

static bool fast_match_begin(FastMatch *m, JSContext *ctx, const JSRegExp *re, JSValueConst text)
{
    m->ctx = ctx;
    m->text = JS_VALUE_GET_STRING(text);
    m->code = str8(re->bytecode);
    m->bytes = str8(m->text);
    m->count = lre_get_capture_count(m->code);
    m->flags = lre_get_flags(m->code);
    m->is_unicode = (m->flags & (LRE_FLAG_UNICODE | LRE_FLAG_UNICODE_SETS)) != 0;
    int slots = lre_get_alloc_count(m->code);
    m->capture = slots <= MATCH_SLOTS ? m->few : js_malloc(ctx, sizeof(*m->capture) * (size_t)slots);
    return m->capture != NULL;
}

static void fast_match_end(FastMatch *m)
{
    if (m->capture != m->few)
        js_free(m->ctx, m->capture);
}

/* Where it is from an index on. 1: it is there, 0: it is not, -1: it failed, with the exception pending. */
static int fast_match(FastMatch *m, uint32_t from)
{
    if (js_poll_interrupts(m->ctx) || engine_is_stopped())
        return -1;
    if (from > m->text->len)
        return 0;
    int found = lre_exec(m->capture, m->code, m->bytes, (int)from, (int)m->text->len, m->text->is_wide_char, m->ctx);
    if (found >= 0)
        return found;
    if (found == LRE_RET_TIMEOUT)
        JS_ThrowInterrupted(m->ctx);
    else if (found == LRE_RET_MEMORY_ERROR)
        JS_ThrowInternalError(m->ctx, "out of memory in regexp execution");
    else
        JS_ThrowInternalError(m->ctx, "corrupted bytecode in regexp execution");
    return -1;
}

static int fast_match_at(const FastMatch *m, int slot)
{
    return m->capture[slot] ? (int)(m->capture[slot] - m->bytes) >> m->text->is_wide_char : -1;
}

/* Where to look for the next one. */
static uint32_t fast_match_next(const FastMatch *m)
{
    int end = fast_match_at(m, 1);
    return end > fast_match_at(m, 0) ? (uint32_t)end : (uint32_t)string_advance_index(m->text, end, m->is_unicode);
}

static JSValue fast_match_text(const FastMatch *m, int start, int end)
{
    return start < 0 || end < 0 ? JS_UNDEFINED : js_sub_string(m->ctx, m->text, start, end);
}

/* Keep the index that it goes on from, where it has one. */
static void fast_match_keep(const FastMatch *m, JSValueConst regexp, int found)
{
    if (m->flags & (LRE_FLAG_GLOBAL | LRE_FLAG_STICKY))
        JS_VALUE_GET_OBJ(regexp)->prop[0].u.value = js_int32(found ? fast_match_at(m, 1) : 0);
}

static uint32_t fast_match_from(const FastMatch *m, JSValueConst regexp)
{
    bool has_index = (m->flags & (LRE_FLAG_GLOBAL | LRE_FLAG_STICKY)) != 0;
    return has_index ? (uint32_t)JS_VALUE_GET_INT(JS_VALUE_GET_OBJ(regexp)->prop[0].u.value) : 0;
}

/* `exec`, of which only whether it has found something is wanted. 1, 0, or -1. */
static int fast_test(JSContext *ctx, const JSRegExp *re, JSValueConst regexp, JSValueConst text)
{
    FastMatch m;
    JSValue whole = JS_ToString(ctx, text);
    int found = -1;
    if (!JS_IsException(whole) && fast_match_begin(&m, ctx, re, whole)) {
        found = fast_match(&m, fast_match_from(&m, regexp));
        if (found >= 0)
            fast_match_keep(&m, regexp, found);
        fast_match_end(&m);
    }
    JS_FreeValue(ctx, whole);
    return found;
}

/* The index of the first match, or -1. */
static JSValue fast_search_text(JSContext *ctx, const JSRegExp *re, JSValueConst text)
{
    FastMatch m;
    if (!fast_match_begin(&m, ctx, re, text))
        return JS_EXCEPTION;
    int found = fast_match(&m, 0), at = found > 0 ? fast_match_at(&m, 0) : -1;
    fast_match_end(&m);
    return found < 0 ? JS_EXCEPTION : js_int32(at);
}

static int fast_push(JSContext *ctx, JSValueConst array, JSValue value)
{
    if (JS_IsException(value))
        return -1;
    return add_fast_array_element(ctx, JS_VALUE_GET_OBJ(array), value, JS_PROP_THROW);
}

/* All matches, or null. */
static JSValue fast_match_all(JSContext *ctx, const JSRegExp *re, JSValueConst regexp, JSValueConst text)
{
    FastMatch m;
    int found;
    JSValue all = JS_NULL;
    if (!fast_match_begin(&m, ctx, re, text))
        return JS_EXCEPTION;
    for (uint32_t from = 0; (found = fast_match(&m, from)) > 0; from = fast_match_next(&m)) {
        if (JS_IsNull(all))
            all = JS_NewArray(ctx);
        if (JS_IsException(all) ||
            fast_push(ctx, all, fast_match_text(&m, fast_match_at(&m, 0), fast_match_at(&m, 1))) < 0) {
            found = -1;
            break;
        }
    }
    fast_match_keep(&m, regexp, 0);
    fast_match_end(&m);
    if (found >= 0)
        return all;
    JS_FreeValue(ctx, all);
    return JS_EXCEPTION;
}

/* The pieces of a text. An expression that may match anywhere is looked for once for each of them, and not at each
 * character, as the one would be that is made of it with the flag `y`. */
static JSValue fast_split(JSContext *ctx, const JSRegExp *re, JSValueConst text, uint32_t limit)
{
    FastMatch m;
    uint32_t from = 0, piece = 0, count = 0;
    int found = 0;
    JSValue pieces = JS_NewArray(ctx);
    if (JS_IsException(pieces) || limit == 0 || !fast_match_begin(&m, ctx, re, text))
        return limit == 0 ? pieces : (JS_FreeValue(ctx, pieces), JS_EXCEPTION);
    uint32_t length = m.text->len;
    bool is_full = false;
    if (length == 0) {
        found = fast_match(&m, 0);
        is_full = found > 0;
    }
    while (from < length && !is_full && (found = fast_match(&m, from)) > 0) {
        uint32_t start = (uint32_t)fast_match_at(&m, 0), end = (uint32_t)fast_match_at(&m, 1);
        if (start >= length)
            break;
        if (end == piece || start < from) {
            from = (uint32_t)string_advance_index(m.text, from, m.is_unicode);
            continue;
        }
        if (fast_push(ctx, pieces, fast_match_text(&m, (int)piece, (int)start)) < 0)
            found = -1;
        is_full = ++count == limit;
        for (int i = 1; i < m.count && !is_full && found >= 0; i++) {
            JSValue captured = fast_match_text(&m, fast_match_at(&m, 2 * i), fast_match_at(&m, 2 * i + 1));
            if (fast_push(ctx, pieces, captured) < 0)
                found = -1;
            is_full = ++count == limit;
        }
        if (found < 0)
            break;
        from = piece = end;
    }
    if (found >= 0 && !is_full && fast_push(ctx, pieces, fast_match_text(&m, (int)piece, (int)length)) < 0)
        found = -1;
    fast_match_end(&m);
    if (found >= 0)
        return pieces;
    JS_FreeValue(ctx, pieces);
    return JS_EXCEPTION;
}

#include "fast_replace.h"

#endif
