/* The shapes of objects that were made last.
 *
 * A shape goes with the last object that has it, and objects that come and go have it only for a moment: a constructor
 * that sets three properties would make four shapes for each of its objects, and free them. So the last ones are held.
 * A shape holds its prototype; a garbage collection lets all of them go before it begins.
 *
 * Likewise the ways from one shape to the next, by which objects come to have the same properties in the same order: the
 * engine finds the next one by a hash of all that it has, and by comparing these. While both ends of a way are held, neither
 * changes. */
#ifndef KEPT_SHAPES_H
#define KEPT_SHAPES_H

enum {
    KEPT_SHAPES = 64,
    KEPT_PROPERTIES = 12,           /* what has more is a table rather than a record, and its shapes are its own */
    KEPT_WAYS = 64,                 /* a power of two */
};

static JSShape *find_hashed_shape_prop(JSRuntime *rt, JSShape *sh, JSAtom atom, int prop_flags);

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
} kept_ways[KEPT_WAYS];

/* The engine's way, which is kept if it is one of a record. */
static no_inline JSShape *kept_way_found(JSRuntime *rt, JSShape *from, JSAtom atom, int flags, struct KeptWay *way)
{
    JSShape *to = find_hashed_shape_prop(rt, from, atom, flags);
    if (to && flags == JS_PROP_C_W_E && to->prop_count <= KEPT_PROPERTIES) {
        struct KeptWay old = *way;
        way->from = js_dup_shape(from);
        way->to = js_dup_shape(to);
        way->atom = atom;
        js_free_shape_null(rt, old.from);
        js_free_shape_null(rt, old.to);
    }
    return to;
}

/* The shape with one property more, if there is one; it is borrowed. `from` has one. */
static inline JSShape *kept_next(JSRuntime *rt, JSShape *from, JSAtom atom, int flags)
{
    struct KeptWay *way = &kept_ways[((uint32_t)(uintptr_t)from >> 4 ^ atom) & (KEPT_WAYS - 1)];
    if (likely(way->from == from && way->atom == atom && flags == JS_PROP_C_W_E))
        return way->to;
    return kept_way_found(rt, from, atom, flags, way);
}

static void kept_shapes_drop(JSRuntime *rt)
{
    for (int i = 0; i < KEPT_WAYS; i++) {
        struct KeptWay old = kept_ways[i];
        kept_ways[i] = (struct KeptWay){0};
        js_free_shape_null(rt, old.from);
        js_free_shape_null(rt, old.to);
    }
    for (int i = 0; i < KEPT_SHAPES; i++) {
        JSShape *old = kept.shapes[i];
        kept.shapes[i] = NULL;
        js_free_shape_null(rt, old);
    }
}

#endif
