/* Going through arrays without an iterator, in `for (x of array)`, patterns and spreading.
 *
 * The interpreter's loop keeps an iterator and its method `next` on the stack. Where both would be the engine's own, of an
 * array, it keeps the array and an index in their place, which no program can have put there; the object is made should something ask for it after all: a method
 * `return` that a program has given to iterators of arrays. A patch includes this in the midst of the engine's
 * source. */
#ifndef FAST_ITERATION_H
#define FAST_ITERATION_H

static JSValue js_array_iterator_next(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv, int *pdone,
                                      int magic);
static int JS_IteratorClose(JSContext *ctx, JSValueConst enum_obj, bool is_exception_pending);

#define ITERATION_AT(index) JS_MKVAL(JS_TAG_UNINITIALIZED, (int32_t)(index))

/* Whether record[0] and record[1] are an array, or what is left of it, and an index. */
static inline bool iteration_is_on(const JSValue *record)
{
    return JS_VALUE_GET_TAG(record[1]) == JS_TAG_UNINITIALIZED;
}

/* Put the iterator in the place of the array, at record[0]; -1: no memory. See below the engine. */
APART int iteration_made(JSContext *ctx, JSValue *record);

/* Whether iterating over a value is going through an array, by what the program finds in it and its prototypes now. */
static no_inline bool iteration_is_plain(JSContext *ctx, JSValueConst value)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT)
        return false;
    JSObject *p = JS_VALUE_GET_OBJ(value), *proto = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]);
    JSProperty *pr;
    if (p->class_id != JS_CLASS_ARRAY || p->shape->proto != proto ||
        (p->shape != ctx->array_shape && find_own_property1(p, JS_ATOM_Symbol_iterator)))
        return false;
    JSShapeProperty *prs = find_own_property(&pr, proto, JS_ATOM_Symbol_iterator);
    if (!prs || (prs->flags & JS_PROP_TMASK) || JS_VALUE_GET_TAG(pr->u.value) != JS_TAG_OBJECT)
        return false;
    const JSObject *method = JS_VALUE_GET_OBJ(pr->u.value);
    if (method->class_id != JS_CLASS_C_FUNCTION || method->u.cfunc.cproto != JS_CFUNC_generic_magic ||
        method->u.cfunc.c_function.generic_magic != js_create_array_iterator ||
        method->u.cfunc.magic != JS_ITERATOR_KIND_VALUE || method->u.cfunc.realm != ctx)
        return false;
    prs = find_own_property(&pr, JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY_ITERATOR]), JS_ATOM_next);
    if (!prs || (prs->flags & JS_PROP_TMASK) || JS_VALUE_GET_TAG(pr->u.value) != JS_TAG_OBJECT)
        return false;
    method = JS_VALUE_GET_OBJ(pr->u.value);
    return method->class_id == JS_CLASS_C_FUNCTION && method->u.cfunc.cproto == JS_CFUNC_iterator_next &&
           method->u.cfunc.c_function.iterator_next == js_array_iterator_next;
}

/* Begin to go through what is on top of the stack. False: it needs an iterator, as for `yield*`, which drops the third part
 * of what is on the stack and asks for results as objects. */
static no_inline bool iteration_begins(JSContext *ctx, JSValue *sp, const uint8_t *pc)
{
    if (*pc == OP_drop || !iteration_is_plain(ctx, sp[-1]))
        return false;
    sp[0] = ITERATION_AT(0);
    return true;
}

/* The next step, as js_for_of_next() has it. */
static no_inline int iteration_steps(JSContext *ctx, JSValue *sp, JSValue *record)
{
    JSValue value = JS_UNDEFINED;
    uint32_t length, index = (uint32_t)JS_VALUE_GET_INT(record[1]);
    bool fails = js_get_length32(ctx, &length, record[0]), is_done = fails || index >= length;
    if (!is_done) {
        record[1] = ITERATION_AT(index + 1);
        value = JS_GetPropertyUint32(ctx, record[0], index);
        is_done = fails = JS_IsException(value);
    }
    if (is_done) {
        JS_FreeValue(ctx, record[0]);
        record[0] = JS_UNDEFINED;
    }
    if (fails)
        return -1;
    sp[0] = value;
    sp[1] = js_bool(is_done);
    return 0;
}

/* Whether the next step is one through an array, and what it comes to: -1, with the exception pending, or 0. */
static inline bool iteration_goes_on(JSContext *ctx, JSValue *sp, int offset, int *ret)
{
    JSValue *record = sp + offset;
    if (!iteration_is_on(record) || JS_IsUndefined(record[0]))
        return false;
    const JSObject *p = JS_VALUE_GET_OBJ(record[0]);
    uint32_t index = (uint32_t)JS_VALUE_GET_INT(record[1]);
    *ret = 0;
    if (likely(index < p->u.array.count)) {
        record[1] = ITERATION_AT(index + 1);
        sp[0] = js_dup(p->u.array.u.values[index]);
        sp[1] = JS_FALSE;
        return true;
    }
    *ret = iteration_steps(ctx, sp, record);
    return true;
}

/* An iterator, which is record[0], is not asked to its end; record[1] has been freed. -1: an exception is pending. */
static no_inline int iteration_ends(JSContext *ctx, JSValue *record, bool is_exception_pending)
{
    if (!iteration_is_on(record))
        return JS_IteratorClose(ctx, record[0], is_exception_pending);
    const JSObject *p = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY_ITERATOR]);
    while (p && !p->is_exotic && !find_own_property1((JSObject *)p, JS_ATOM_return))
        p = p->shape->proto;
    if (!p || JS_IsUndefined(record[0]))
        return 0;
    if (is_exception_pending && JS_IsUncatchableError(ctx->rt->current_exception))
        return -1;
    JSValue pending = ctx->rt->current_exception;
    ctx->rt->current_exception = JS_UNINITIALIZED;
    int ret = iteration_made(ctx, record);
    if (is_exception_pending)
        JS_Throw(ctx, pending);
    return ret ? -1 : JS_IteratorClose(ctx, record[0], is_exception_pending);
}

/* Append an array to one that is being made, from its element `at` on. False: it has to be iterated over. -1 in `ret`: no
 * memory. */
static no_inline bool iteration_copies(JSContext *ctx, JSValueConst target, uint32_t at, JSValueConst source, int *ret)
{
    if (!iteration_is_plain(ctx, source) || JS_VALUE_GET_TAG(target) != JS_TAG_OBJECT)
        return false;
    JSObject *to = JS_VALUE_GET_OBJ(target);
    const JSObject *from = JS_VALUE_GET_OBJ(source);
    uint32_t count = from->u.array.count;
    if (!from->fast_array || JS_VALUE_GET_TAG(from->prop[0].u.value) != JS_TAG_INT ||
        (uint32_t)JS_VALUE_GET_INT(from->prop[0].u.value) != count || to->class_id != JS_CLASS_ARRAY || !to->fast_array ||
        to == from || to->u.array.count != at || JS_VALUE_GET_TAG(to->prop[0].u.value) != JS_TAG_INT ||
        (uint32_t)JS_VALUE_GET_INT(to->prop[0].u.value) != at || count > INT32_MAX - at)
        return false;
    engine_weigh((size_t)count * 32);
    *ret = 0;
    if (at + count > to->u.array.u1.size && expand_fast_array(ctx, to, at + count)) {
        *ret = -1;
        return true;
    }
    for (uint32_t i = 0; i < count; i++)
        to->u.array.u.values[at + i] = js_dup(from->u.array.u.values[i]);
    to->u.array.count = at + count;
    to->prop[0].u.value = js_int32((int32_t)(at + count));
    return true;
}

/* An element of what should be a pair. */
static inline JSValue iteration_part(JSContext *ctx, JSValueConst pair, uint32_t index)
{
    const JSObject *p = JS_VALUE_GET_OBJ(pair);
    return p->class_id == JS_CLASS_ARRAY && index < p->u.array.count ? js_dup(p->u.array.u.values[index])
                                                                    : JS_GetPropertyUint32(ctx, pair, index);
}

/* Object.fromEntries() of an array, into an object, which is taken. */
static JSValue iteration_of_entries(JSContext *ctx, JSValue object, JSValueConst entries)
{
    JSValue record[4] = {js_dup(entries), ITERATION_AT(0)};
    int ret;
    for (;;) {
        if (js_poll_interrupts(ctx))
            goto fail;
        if (!iteration_goes_on(ctx, record + 2, -2, &ret) || ret)
            goto fail;
        if (JS_VALUE_GET_BOOL(record[3]))
            return object;
        JSValue pair = record[2], key, value;
        if (!JS_IsObject(pair)) {
            JS_FreeValue(ctx, pair);
            JS_ThrowTypeErrorNotAnObject(ctx);
            goto fail;
        }
        key = iteration_part(ctx, pair, 0);
        value = JS_IsException(key) ? JS_EXCEPTION : iteration_part(ctx, pair, 1);
        if (JS_IsException(value)) {
            JS_FreeValue(ctx, key);
            ret = -1;
        } else {
            ret = fast_define_value(ctx, object, key, value, JS_PROP_C_W_E | JS_PROP_THROW);
        }
        JS_FreeValue(ctx, pair);
        if (ret < 0)
            goto fail;
    }
fail:
    iteration_ends(ctx, record, true);
    JS_FreeValue(ctx, record[0]);
    JS_FreeValue(ctx, object);
    return JS_EXCEPTION;
}

#endif
