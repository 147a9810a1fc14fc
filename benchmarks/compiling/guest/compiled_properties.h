/* Properties, globals and elements, and the inline caches. See compiled.h. */
#ifndef COMPILED_PROPERTIES_H
#define COMPILED_PROPERTIES_H

static void free_caches(JSRuntime *rt, JSFunctionBytecode *b)
{
    for (int i = 0; i < b->cache_count; i++) {
        js_free_shape_null(rt, b->caches[i].before);
        js_free_shape_null(rt, b->caches[i].after);
    }
    js_free_rt(rt, b->caches);
}

/* What was found in one place is known in all: where many shapes meet, an inline cache alone would always miss. */
#define SHARED_COUNT 1024
static struct {
    JSAtom atom;
    uint32_t uid, epoch, offset;
    JSObject *holder;
} shared[SHARED_COUNT];

#define IS_GETTER 1

static JSValue *find_value(JSObject *p, JSAtom atom, CompiledCache *cache, JSObject **getter)
{
    uint32_t uid = p->shape->uid, index = (uid * 31 + atom) % SHARED_COUNT;
    if (shared[index].uid == uid && shared[index].atom == atom &&
        (!shared[index].holder || shared[index].epoch == shape_epoch)) {
        JSObject *holder = shared[index].holder;
        if (shared[index].offset & IS_GETTER) {
            *getter = ((JSProperty *)((uint8_t *)(holder ? holder : p)->prop + shared[index].offset - IS_GETTER))->u.getset.getter;
            cache->uid = 0;
            return NULL;
        }
        cache->uid = uid;
        cache->epoch = shape_epoch;
        cache->holder = holder;
        cache->offset = shared[index].offset;
        return (JSValue *)((uint8_t *)(holder ? holder : p)->prop + cache->offset);
    }
    JSProperty *pr;
    JSObject *holder = p;
    JSShapeProperty *prs = find_own_property(&pr, p, atom);
    bool is_index = __JS_AtomIsTaggedInt(atom);
    while (!prs && !is_index && (!holder->is_exotic || holder->class_id == JS_CLASS_ARRAY)) {
        holder = holder->shape->proto;
        if (!holder)
            break;
        prs = find_own_property(&pr, holder, atom);
    }
    cache->uid = 0;
    if (!prs || (prs->flags & JS_PROP_TMASK) != JS_PROP_NORMAL) {
        if (prs && (prs->flags & JS_PROP_TMASK) == JS_PROP_GETSET && pr->u.getset.getter) {
            shared[index].uid = uid;
            shared[index].atom = atom;
            shared[index].epoch = shape_epoch;
            shared[index].offset = (uint32_t)((uint8_t *)pr - (uint8_t *)holder->prop) | IS_GETTER;
            shared[index].holder = holder == p ? NULL : holder;
            *getter = pr->u.getset.getter;
        }
        return NULL;
    }
    cache->uid = uid;
    cache->epoch = shape_epoch;
    cache->holder = holder == p ? NULL : holder;
    cache->offset = (uint32_t)((uint8_t *)pr - (uint8_t *)holder->prop);
    shared[index].uid = uid;
    shared[index].atom = atom;
    shared[index].epoch = shape_epoch;
    shared[index].offset = cache->offset;
    shared[index].holder = cache->holder;
    return &pr->u.value;
}

EXPORT(c_get_field) JSValue c_get_field(CompiledFrame *f, JSValue obj, JSAtom atom, CompiledCache *cache)
{
    if (likely(JS_VALUE_GET_TAG(obj) == JS_TAG_OBJECT)) {
        JSObject *getter = NULL;
        JSValue *found = find_value(JS_VALUE_GET_OBJ(obj), atom, cache, &getter);
        if (found)
            return js_dup(*found);
        if (getter) {
            JSValue func = js_dup(JS_MKPTR(JS_TAG_OBJECT, getter)), value = call_any(f, func, obj, 0, NULL);
            JS_FreeValue(f->ctx, func);
            return value;
        }
    } else if (JS_VALUE_GET_TAG(obj) == JS_TAG_STRING && atom == JS_ATOM_length) {
        return js_int32(JS_VALUE_GET_STRING(obj)->len);
    }
    return JS_GetPropertyInternal(f->ctx, obj, atom, obj, false);
}

/* Takes the value, if it does anything. */
static bool add_as_before(JSContext *ctx, JSObject *p, CompiledCache *cache, JSValue value)
{
    JSShape *before = cache->before, *after = cache->after;
    if (!after || p->shape != before || !p->extensible || p->is_exotic)
        return false;
    if (after->prop_size != before->prop_size) {
        JSProperty *grown = js_realloc_rt(ctx->rt, p->prop, sizeof(p->prop[0]) * after->prop_size);
        if (!grown)
            return false;
        p->prop = grown;
    }
    p->shape = js_dup_shape(after);
    js_free_shape(ctx->rt, before);
    p->prop[after->prop_count - 1].u.value = value;
    return true;
}

#define MAX_MISSES 8

/* The shape to compare with after something may have added a property; owned. NULL: it is not to be remembered. */
static JSShape *look_before(JSValueConst obj, CompiledCache *cache)
{
    if (JS_VALUE_GET_TAG(obj) != JS_TAG_OBJECT || cache->misses++ >= MAX_MISSES)
        return NULL;
    JSObject *p = JS_VALUE_GET_OBJ(obj);
    return p->is_exotic || !p->shape->is_hashed ? NULL : js_dup_shape(p->shape);
}

/* Takes `before`. */
static void look_after(CompiledFrame *f, JSValueConst obj, JSAtom atom, JSShape *before, CompiledCache *cache)
{
    JSRuntime *rt = f->ctx->rt;
    if (!before)
        return;
    JSShape *after = JS_VALUE_GET_OBJ(obj)->shape;
    if (after == before || !after->is_hashed || !before->is_hashed || after->proto != before->proto ||
        after->prop_count != before->prop_count + 1 || get_shape_prop(after)[before->prop_count].atom != atom ||
        get_shape_prop(after)[before->prop_count].flags != JS_PROP_C_W_E) {
        js_free_shape(rt, before);
        return;
    }
    js_free_shape_null(rt, cache->before);
    js_free_shape_null(rt, cache->after);
    cache->before = before;
    cache->after = js_dup_shape(after);
    cache->epoch = shape_epoch;
}

static bool may_write(JSObject *p, JSAtom atom)
{
    JSProperty *pr;
    JSShapeProperty *prs = find_own_property(&pr, p, atom);
    return prs && (prs->flags & (JS_PROP_TMASK | JS_PROP_WRITABLE | JS_PROP_LENGTH)) == JS_PROP_WRITABLE;
}

/* Takes the value. The epoch is that of `after`: where a property exists, nobody asks what is inherited. */
EXPORT(c_put_field) int c_put_field(CompiledFrame *f, JSValue obj, JSValue value, JSAtom atom, CompiledCache *cache)
{
    if (likely(JS_VALUE_GET_TAG(obj) == JS_TAG_OBJECT)) {
        JSObject *p = JS_VALUE_GET_OBJ(obj);
        if (cache->after && cache->epoch == shape_epoch && add_as_before(f->ctx, p, cache, value))
            return 0;
        if (may_write(p, atom)) {
            JSProperty *pr;
            find_own_property(&pr, p, atom);
            cache->uid = p->shape->uid;
            cache->offset = (uint32_t)((uint8_t *)pr - (uint8_t *)p->prop);
            set_value(f->ctx, &pr->u.value, value);
            return 0;
        }
    }
    JSShape *before = look_before(obj, cache);
    int ret = JS_SetPropertyInternal2(f->ctx, obj, atom, value, obj, JS_PROP_THROW_STRICT);
    look_after(f, obj, atom, before, cache);
    return ret < 0;
}

/* Takes the value. */
EXPORT(c_define_field) int c_define_field(CompiledFrame *f, JSValue obj, JSValue value, JSAtom atom, CompiledCache *cache)
{
    if (add_as_before(f->ctx, JS_VALUE_GET_OBJ(obj), cache, value))
        return 0;
    JSShape *before = look_before(obj, cache);
    int ret = JS_DefinePropertyValue(f->ctx, obj, atom, value, JS_PROP_C_W_E | JS_PROP_THROW);
    look_after(f, obj, atom, before, cache);
    return ret < 0;
}

/* A global: uid and epoch are those of the shapes of the two objects, offset the address of the value. */
EXPORT(c_get_global) JSValue c_get_global(CompiledFrame *f, JSAtom atom, int throws, CompiledCache *cache)
{
    JSContext *ctx = f->ctx;
    JSObject *p = JS_VALUE_GET_OBJ(ctx->global_var_obj), *global = JS_VALUE_GET_OBJ(ctx->global_obj);
    JSProperty *pr;
    JSShapeProperty *prs = find_own_property(&pr, p, atom);
    cache->uid = 0;
    if (!prs && !global->is_exotic)
        prs = find_own_property(&pr, global, atom);
    if (prs && (prs->flags & JS_PROP_TMASK) == JS_PROP_NORMAL) {
        cache->uid = p->shape->uid;
        cache->epoch = global->shape->uid;
        cache->offset = (uint32_t)(uintptr_t)&pr->u.value;
    }
    JSValue value = JS_GetGlobalVar(ctx, atom, throws);
    if (JS_IsException(value))
        cache->uid = 0;
    return value;
}

/* Takes the value. */
EXPORT(c_put_global) int c_put_global(CompiledFrame *f, JSAtom atom, JSValue value, int flags)
{
    return JS_SetGlobalVar(f->ctx, atom, value, flags) < 0;
}

/* Takes the index. */
EXPORT(c_get_element) JSValue c_get_element(CompiledFrame *f, JSValue obj, JSValue index)
{
    JSValue value;
    if (JS_VALUE_GET_TAG(obj) == JS_TAG_OBJECT && JS_VALUE_GET_TAG(index) == JS_TAG_INT &&
        js_get_fast_array_element(f->ctx, JS_VALUE_GET_OBJ(obj), JS_VALUE_GET_INT(index), &value))
        return value;
    return JS_GetPropertyValue(f->ctx, obj, index);
}

/* Takes index and value. */
EXPORT(c_put_element) int c_put_element(CompiledFrame *f, JSValue obj, JSValue index, JSValue value)
{
    return JS_SetPropertyValue(f->ctx, obj, index, value, JS_PROP_THROW_STRICT) < 0;
}

EXPORT(c_uninitialized) void c_uninitialized(CompiledFrame *f, int index, int is_captured)
{
    JSObject *p = JS_VALUE_GET_OBJ(f->sf.cur_func);
    JS_ThrowReferenceErrorUninitialized2(f->ctx, p->u.func.function_bytecode, index, is_captured);
}

#endif
