/* Short ways for objects as a whole: their keys, values and entries, copies of them, new functions, copies of arrays.
 *
 * They are taken where nothing can be observed: of ordinary objects, by their shapes. A patch includes this in the midst of
 * the engine's source, behind fast_paths.h. */
#ifndef FAST_OBJECTS_H
#define FAST_OBJECTS_H

static JSValue js_get_this(JSContext *ctx, JSValueConst this_val);
static JSValue js_create_array_iterator(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv, int magic);

enum { FAST_MEMBERS = 1024 };       /* of an object; with more, there are looks at the limits in between */

/* Whether all properties of an object can be read without running code; none is an index, if they are to be in order. */
static bool fast_is_plain(JSContext *ctx, const JSObject *p, bool in_order)
{
    const JSShape *shape = p->shape;
    const JSShapeProperty *prs = get_shape_prop((JSShape *)shape);
    if (p->is_exotic || shape->prop_count > FAST_MEMBERS)
        return false;
    for (int i = 0; i < shape->prop_count; i++) {
        if (prs[i].flags & JS_PROP_TMASK)
            return false;
        if (!in_order || prs[i].atom == JS_ATOM_NULL)
            continue;
        if (__JS_AtomIsTaggedInt(prs[i].atom))
            return false;
        JSAtomStruct *name = ctx->rt->atom_array[prs[i].atom];
        if (name->atom_type == JS_ATOM_TYPE_STRING && name->len && is_digit(string_get(name, 0)))
            return false;
    }
    return true;
}

/* Object.keys(), values() and entries() of such an object; false: it is none. */
static bool fast_listed(JSContext *ctx, JSValueConst object, int kind, JSValue *out)
{
    if (JS_VALUE_GET_TAG(object) != JS_TAG_OBJECT || !fast_is_plain(ctx, JS_VALUE_GET_OBJ(object), true))
        return false;
    const JSObject *p = JS_VALUE_GET_OBJ(object);
    JSShape *shape = p->shape;
    engine_weigh((size_t)shape->prop_count * 256);
    *out = JS_NewArray(ctx);
    if (JS_IsException(*out) || !shape->prop_count)
        return true;
    JSObject *list = JS_VALUE_GET_OBJ(*out);
    uint32_t count = 0;
    if (expand_fast_array(ctx, list, (uint32_t)shape->prop_count))
        goto fail;
    for (int i = 0; i < shape->prop_count; i++) {
        const JSShapeProperty *prs = &get_shape_prop(shape)[i];
        if (prs->atom == JS_ATOM_NULL || !(prs->flags & JS_PROP_ENUMERABLE))
            continue;
        JSAtomStruct *name = ctx->rt->atom_array[prs->atom];
        if (name->atom_type != JS_ATOM_TYPE_STRING)
            continue;
        JSValue value = js_dup(kind == JS_ITERATOR_KIND_KEY ? JS_MKPTR(JS_TAG_STRING, name) : p->prop[i].u.value);
        if (kind == JS_ITERATOR_KIND_KEY_AND_VALUE) {
            JSValue pair[2] = {js_dup(JS_MKPTR(JS_TAG_STRING, name)), value};
            value = JS_NewArrayFrom(ctx, 2, pair);
            if (JS_IsException(value))
                goto fail;
        }
        list->u.array.u.values[count++] = value;
        list->u.array.count = count;
    }
    list->prop[0].u.value = js_int32((int32_t)count);
    return true;
fail:
    JS_FreeValue(ctx, *out);
    *out = JS_EXCEPTION;
    return true;
}

/* Have an object without properties share a shape, and hold the values that another one has there. -1: no memory. */
static int fast_clone(JSContext *ctx, JSObject *to, const JSObject *from)
{
    JSShape *shape = from->shape;
    JSProperty *properties = js_realloc(ctx, to->prop, sizeof(JSProperty) * (size_t)shape->prop_size);
    if (!properties)
        return -1;
    for (int i = 0; i < shape->prop_count; i++)
        properties[i].u.value = js_dup(from->prop[i].u.value);
    to->prop = properties;
    js_free_shape(ctx->rt, to->shape);
    to->shape = js_dup_shape(shape);
    return 0;
}

/* Copy the properties of such an object, but those that `excluded` has, to one that was just made: `{...object}`, and the
 * rest of a pattern. False: nothing was done; else `ret` is -1 where there is no memory. */
static bool fast_copied(JSContext *ctx, JSValueConst target, const JSObject *from, JSObject *excluded, int *ret)
{
    JSObject *to = JS_VALUE_GET_OBJ(target);
    JSShape *shape = from->shape;
    if (to->class_id != JS_CLASS_OBJECT || to->is_exotic || !to->extensible || to == from ||
        (excluded && excluded->is_exotic) || !fast_is_plain(ctx, from, false))
        return false;
    engine_weigh((size_t)shape->prop_count * 128);
    bool is_same = !excluded && shape->is_hashed && to->shape->is_hashed && !to->shape->prop_count &&
                   to->shape->proto == shape->proto;
    for (int i = 0; is_same && i < shape->prop_count; i++) {
        const JSShapeProperty *prs = &get_shape_prop(shape)[i];
        is_same = prs->flags == JS_PROP_C_W_E && prs->atom != JS_ATOM_NULL &&
                  JS_AtomGetKind(ctx, prs->atom) != JS_ATOM_KIND_PRIVATE;
    }
    *ret = 0;
    if (is_same) {
        *ret = fast_clone(ctx, to, from);
        return true;
    }
    for (int i = 0; i < shape->prop_count && *ret >= 0; i++) {
        const JSShapeProperty *prs = &get_shape_prop(shape)[i];
        if (prs->atom == JS_ATOM_NULL || !(prs->flags & JS_PROP_ENUMERABLE) ||
            JS_AtomGetKind(ctx, prs->atom) == JS_ATOM_KIND_PRIVATE ||
            (excluded && find_own_property1(excluded, prs->atom)))
            continue;
        *ret = fast_define(ctx, target, prs->atom, js_dup(from->prop[i].u.value), JS_PROP_C_W_E);
    }
    return true;
}

/* Define a property whose key is a value, of an object that the engine makes. Takes both. */
static int fast_define_value(JSContext *ctx, JSValueConst object, JSValue key, JSValue value, int flags)
{
    JSAtom atom = JS_ValueToAtom(ctx, key);
    JS_FreeValue(ctx, key);
    if (unlikely(atom == JS_ATOM_NULL)) {
        JS_FreeValue(ctx, value);
        return -1;
    }
    int ret = fast_define(ctx, object, atom, value, flags);
    JS_FreeAtom(ctx, atom);
    return ret;
}

/* A new function of some code, with its properties `length` and `name`. */
static JSValue fast_function(JSContext *ctx, JSClassID class_id, const JSFunctionBytecode *code)
{
    JSShape *shape = kept_functions[code->func_kind];
    JSAtom name = code->func_name == JS_ATOM_NULL ? JS_ATOM_empty_string : code->func_name;
    bool is_text = !__JS_AtomIsTaggedInt(name) && ctx->rt->atom_array[name]->atom_type == JS_ATOM_TYPE_STRING;
    JSValue text = is_text ? js_dup(JS_MKPTR(JS_TAG_STRING, ctx->rt->atom_array[name])) : JS_AtomToString(ctx, name);
    if (JS_IsException(text))
        return text;
    if (unlikely(!shape || shape->proto != JS_VALUE_GET_OBJ(ctx->class_proto[class_id])))
        shape = kept_function_made(ctx, JS_VALUE_GET_OBJ(ctx->class_proto[class_id]), &kept_functions[code->func_kind]);
    if (unlikely(!shape)) {
        JS_FreeValue(ctx, text);
        return JS_EXCEPTION;
    }
    JSProperty properties[] = {{.u.value = js_int32(code->defined_arg_count)}, {.u.value = text}};
    return JS_NewObjectFromShape(ctx, js_dup_shape(shape), class_id, properties);
}

/* The length of an array, which is its first property. False: it is none, or too long. */
static inline bool fast_length(JSValueConst object, uint32_t *length)
{
    if (JS_VALUE_GET_TAG(object) != JS_TAG_OBJECT)
        return false;
    const JSObject *p = JS_VALUE_GET_OBJ(object);
    if (p->class_id != JS_CLASS_ARRAY || JS_VALUE_GET_TAG(p->prop[0].u.value) != JS_TAG_INT)
        return false;
    *length = (uint32_t)JS_VALUE_GET_INT(p->prop[0].u.value);
    return true;
}

/* A new array of this length. */
static JSValue fast_array_of(JSContext *ctx, JSValueConst length)
{
    if (JS_VALUE_GET_TAG(length) != JS_TAG_INT || JS_VALUE_GET_INT(length) < 0)
        return js_array_constructor(ctx, JS_UNDEFINED, 1, &length);
    JSValue array = JS_NewArray(ctx);
    if (likely(!JS_IsException(array)))
        JS_VALUE_GET_OBJ(array)->prop[0].u.value = length;
    return array;
}

/* Whether a copy of an array is to be an ordinary array, as `constructor` and Symbol.species say unless someone has changed
 * them. */
static bool fast_has_own_species(JSContext *ctx, JSValueConst object)
{
    JSObject *p = JS_VALUE_GET_OBJ(object), *proto = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_ARRAY]);
    JSProperty *pr;
    if (p->class_id != JS_CLASS_ARRAY || p->shape->proto != proto ||
        (p->shape != ctx->array_shape && find_own_property1(p, JS_ATOM_constructor)))
        return false;
    JSShapeProperty *prs = find_own_property(&pr, proto, JS_ATOM_constructor);
    if (!prs || (prs->flags & JS_PROP_TMASK) || JS_VALUE_GET_TAG(pr->u.value) != JS_TAG_OBJECT ||
        JS_VALUE_GET_OBJ(pr->u.value) != JS_VALUE_GET_OBJ(ctx->array_ctor))
        return false;
    prs = find_own_property(&pr, JS_VALUE_GET_OBJ(pr->u.value), JS_ATOM_Symbol_species);
    if (!prs || (prs->flags & JS_PROP_TMASK) != JS_PROP_GETSET || !pr->u.getset.getter)
        return false;
    const JSObject *getter = pr->u.getset.getter;
    return getter->class_id == JS_CLASS_C_FUNCTION && getter->u.cfunc.cproto == JS_CFUNC_getter &&
           getter->u.cfunc.c_function.getter == js_get_this;
}

/* The iterator over the values of an object that its method Symbol.iterator makes, where that is the one of arrays. False:
 * it is another. */
static bool fast_array_iterator(JSContext *ctx, JSValueConst object, JSValueConst method, JSValue *out)
{
    if (JS_VALUE_GET_TAG(method) != JS_TAG_OBJECT || JS_VALUE_GET_TAG(object) != JS_TAG_OBJECT)
        return false;
    const JSObject *p = JS_VALUE_GET_OBJ(method);
    if (p->class_id != JS_CLASS_C_FUNCTION || p->u.cfunc.cproto != JS_CFUNC_generic_magic ||
        p->u.cfunc.c_function.generic_magic != js_create_array_iterator || p->u.cfunc.realm != ctx)
        return false;
    *out = js_create_array_iterator(ctx, object, 0, NULL, p->u.cfunc.magic);
    return true;
}

#endif
