/* The shapes of objects that were made last.
 *
 * A shape goes with the last object that has it, and objects that come and go have it only for a moment: a constructor
 * that sets three properties would make four shapes for each of its objects, and free them. So the last ones are held.
 * A shape holds its prototype; a garbage collection lets all of them go before it begins. */
#ifndef KEPT_SHAPES_H
#define KEPT_SHAPES_H

enum {
    KEPT_SHAPES = 64,
    KEPT_PROPERTIES = 12,           /* what has more is a table rather than a record, and its shapes are its own */
};

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

static void kept_shapes_drop(JSRuntime *rt)
{
    for (int i = 0; i < KEPT_SHAPES; i++) {
        JSShape *old = kept.shapes[i];
        kept.shapes[i] = NULL;
        js_free_shape_null(rt, old);
    }
}

#endif
