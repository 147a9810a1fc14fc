/* The shapes of objects that were made last.
 *
 * A shape goes with the last object that has it, and objects that come and go have it only for a moment: a constructor
 * that sets three properties would make four shapes for each of its objects, and free them. So the last ones are held.
 * A shape holds its prototype; a garbage collection lets all of them go before it begins.
 *
 * Likewise the ways from one shape to the next, by which objects come to have the same properties in the same order: the
 * engine finds the next one by a hash of all that it has, and by comparing these. While both ends of a way are held, neither
 * changes.
 *
 * And the first shapes of what constructors make, with room for as many properties as their objects have come to have:
 * objects have room for two, and had it made anew at the third, the fourth and the fifth. */
#ifndef KEPT_SHAPES_H
#define KEPT_SHAPES_H

enum {
    KEPT_SHAPES = 64,
    KEPT_PROPERTIES = 12,           /* what has more is a table rather than a record, and its shapes are its own */
    KEPT_WAYS = 256,                /* a power of two */
    KEPT_FIRSTS = 32,               /* a power of two */
};

static JSShape *find_hashed_shape_prop(JSRuntime *rt, JSShape *sh, JSAtom atom, int prop_flags);
static JSValue JS_NewObjectFromShape(JSContext *ctx, JSShape *sh, JSClassID class_id, JSProperty *props);

static struct {
    JSShape *shapes[KEPT_SHAPES];
    unsigned next;
} kept;

/* Hold a shape that is new. */
static void kept_shapes_hold(JSRuntime *rt, JSShape *shape)
{
    if (!shape->is_hashed || shape->prop_count > KEPT_PROPERTIES)
        return;
    JSShape *old = kept.shapes[kept.next];
    kept.shapes[kept.next] = js_dup_shape(shape);
    kept.next = (kept.next + 1) % KEPT_SHAPES;
    js_free_shape_null(rt, old);
}

static struct KeptWay {
    JSShape *from, *to;
    JSAtom atom;
    uint64_t free_at;               /* the count of changes when no prototype had anything to say about the property */
} kept_ways[KEPT_WAYS];

/* How often an object that is somebody's prototype has got a property or another prototype. */
static uint64_t prototype_changes = 1;

static inline struct KeptWay *kept_way(const JSShape *from, JSAtom atom)
{
    return &kept_ways[((uint32_t)(uintptr_t)from >> 4 ^ atom) & (KEPT_WAYS - 1)];
}

/* The engine's way, which is kept if it is one of a record. */
static no_inline JSShape *kept_way_found(JSRuntime *rt, JSShape *from, JSAtom atom, int flags, struct KeptWay *way)
{
    JSShape *to = find_hashed_shape_prop(rt, from, atom, flags);
    if (to && flags == JS_PROP_C_W_E && to->prop_count <= KEPT_PROPERTIES) {
        struct KeptWay old = *way;
        way->from = js_dup_shape(from);
        way->to = js_dup_shape(to);
        way->atom = atom;
        way->free_at = 0;
        js_free_shape_null(rt, old.from);
        js_free_shape_null(rt, old.to);
    }
    return to;
}

/* The shape with one property more, if there is one; it is borrowed. `from` has one. */
static inline JSShape *kept_next(JSRuntime *rt, JSShape *from, JSAtom atom, int flags)
{
    struct KeptWay *way = kept_way(from, atom);
    if (likely(way->from == from && way->atom == atom && flags == JS_PROP_C_W_E))
        return way->to;
    return kept_way_found(rt, from, atom, flags, way);
}

static JSShape *kept_firsts[KEPT_FIRSTS];

/* Learn from an object that has just been made how many properties those of its constructor have. */
static inline void kept_first_learn(JSValueConst constructor, JSValueConst object)
{
    JSObject *p = JS_VALUE_GET_OBJ(constructor);
    if (p->class_id == JS_CLASS_BYTECODE_FUNCTION) {
        JSFunctionBytecode *code = p->u.func.function_bytecode;
        int count = JS_VALUE_GET_OBJ(object)->shape->prop_count;
        if (unlikely(count > code->record_size) && count <= KEPT_PROPERTIES)
            code->record_size = (uint8_t)count;
    }
}

static no_inline JSShape *kept_first_made(JSContext *ctx, JSObject *proto, int size, JSShape **first)
{
    int hash_size = JS_PROP_INITIAL_HASH_SIZE;
    while (hash_size < size)
        hash_size *= 2;
    JSShape *old = *first, *made = js_new_shape2(ctx, proto, hash_size, size);
    if (made) {
        *first = made;
        js_free_shape_null(ctx->rt, old);
    }
    return made;
}

/* A new object with room for so many properties. There are as many places for one as for two, since small blocks of memory
 * of different sizes take longer to come by. */
static JSValue kept_object(JSContext *ctx, JSValueConst proto, JSClassID class_id, int count)
{
    int size = ((count < KEPT_PROPERTIES ? count : KEPT_PROPERTIES) + 1) & ~1;
    if (size <= JS_PROP_INITIAL_SIZE)
        return JS_NewObjectProtoClass(ctx, proto, class_id);
    JSObject *p = JS_VALUE_GET_OBJ(proto);
    JSShape **first = &kept_firsts[(((uint32_t)(uintptr_t)p >> 4) + (uint32_t)size) & (KEPT_FIRSTS - 1)], *shape = *first;
    if (unlikely(!shape || shape->proto != p || shape->prop_size != size))
        shape = kept_first_made(ctx, p, size, first);
    return shape ? JS_NewObjectFromShape(ctx, js_dup_shape(shape), class_id, NULL) : JS_EXCEPTION;
}

/* By the kind of a function: the shape of one that has its `length` and its `name`, and nothing else. */
static JSShape *kept_functions[JS_FUNC_ASYNC_GENERATOR + 1];

static no_inline JSShape *kept_function_made(JSContext *ctx, JSObject *proto, JSShape **function)
{
    static const JSShapeProperty properties[] = {{.atom = JS_ATOM_length, .flags = JS_PROP_CONFIGURABLE},
                                                 {.atom = JS_ATOM_name, .flags = JS_PROP_CONFIGURABLE}};
    JSShape *made = js_new_shape_with2(ctx, proto, countof(properties), properties), *old = *function;
    if (made) {
        *function = made;
        js_free_shape_null(ctx->rt, old);
    }
    return made;
}

static void kept_shapes_let_go(JSRuntime *rt, JSShape **shapes, int count)
{
    for (int i = 0; i < count; i++) {
        JSShape *old = shapes[i];
        shapes[i] = NULL;
        js_free_shape_null(rt, old);
    }
}

static void kept_records_drop(JSRuntime *rt);    /* see kept_records.h */

static void kept_shapes_drop(JSRuntime *rt)
{
    kept_records_drop(rt);
    kept_shapes_let_go(rt, kept_firsts, KEPT_FIRSTS);
    kept_shapes_let_go(rt, kept_functions, countof(kept_functions));
    kept_shapes_let_go(rt, kept.shapes, KEPT_SHAPES);
    for (int i = 0; i < KEPT_WAYS; i++) {
        struct KeptWay old = kept_ways[i];
        kept_ways[i] = (struct KeptWay){0};
        js_free_shape_null(rt, old.from);
        js_free_shape_null(rt, old.to);
    }
}

#endif
