/* Queues of chunks for the bindings: a ring of values, each with a size. What would be a dozen steps of bytecode for every
 * chunk is one call. */
#include "internals.h"

#include <math.h>
#include <string.h>

enum { FIRST_ROOM = 4, KEPT_ROOM = 64 };

/* Owns the values and both arrays. `sizes` is NULL as long as every size is 1. */
typedef struct Queue {
    JSValue *values;
    double *sizes;
    uint32_t room, head, length;
    double total;
} Queue;

static JSClassID class_id;

static Queue *queue_of(JSValueConst value)
{
    return JS_GetOpaque(value, class_id);
}

static uint32_t slot_of(const Queue *queue, uint32_t index)
{
    return (queue->head + index) & (queue->room - 1);
}

static void mark(JSRuntime *runtime, JSValueConst value, JS_MarkFunc *mark_value)
{
    Queue *queue = queue_of(value);
    for (uint32_t i = 0; queue && i < queue->length; i++)
        JS_MarkValue(runtime, queue->values[slot_of(queue, i)], mark_value);
}

/* The queue is empty before the first value is freed: that may run anything but guest code. */
static void clear(JSRuntime *runtime, Queue *queue)
{
    Queue old = *queue;
    *queue = (Queue){0};
    for (uint32_t i = 0; i < old.length; i++)
        JS_FreeValueRT(runtime, old.values[slot_of(&old, i)]);
    js_free_rt(runtime, old.values);
    js_free_rt(runtime, old.sizes);
}

static void finalize(JSRuntime *runtime, JSValueConst value)
{
    Queue *queue = queue_of(value);
    if (!queue)
        return;
    clear(runtime, queue);
    js_free_rt(runtime, queue);
}

static const JSClassDef class = {"Queue", .finalizer = finalize, .gc_mark = mark};

static int grow(JSContext *ctx, Queue *queue)
{
    uint32_t room = queue->room ? queue->room * 2 : FIRST_ROOM, kept = queue->room - queue->head;
    JSValue *values = js_malloc(ctx, room * sizeof(*values));
    double *sizes = values && queue->sizes ? js_malloc(ctx, room * sizeof(*sizes)) : NULL;
    if (!values || (queue->sizes && !sizes)) {
        js_free(ctx, values);
        return -1;
    }
    /* The ring is full: what lies behind the head comes first. */
    if (queue->room) {
        memcpy(values, queue->values + queue->head, kept * sizeof(*values));
        memcpy(values + kept, queue->values, queue->head * sizeof(*values));
    }
    if (sizes) {
        memcpy(sizes, queue->sizes + queue->head, kept * sizeof(*sizes));
        memcpy(sizes + kept, queue->sizes, queue->head * sizeof(*sizes));
    }
    js_free(ctx, queue->values);
    js_free(ctx, queue->sizes);
    queue->values = values;
    queue->sizes = sizes;
    queue->room = room;
    queue->head = 0;
    return 0;
}

static int need_sizes(JSContext *ctx, Queue *queue)
{
    if (queue->sizes)
        return 0;
    if (!(queue->sizes = js_malloc(ctx, queue->room * sizeof(*queue->sizes))))
        return -1;
    for (uint32_t i = 0; i < queue->room; i++)
        queue->sizes[i] = 1;
    return 0;
}

/* newQueue() */
static JSValue new_queue(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc, (void)argv;
    JSValue object = JS_NewObjectProtoClass(ctx, JS_NULL, class_id);
    if (JS_IsException(object))
        return object;
    Queue *queue = js_mallocz(ctx, sizeof(*queue));
    if (!queue) {
        JS_FreeValue(ctx, object);
        return JS_EXCEPTION;
    }
    JS_SetOpaque(object, queue);
    return object;
}

/* queuePush(queue, value, size): a RangeError unless the size is a number that can be one */
static JSValue push(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    double size;
    Queue *queue = queue_of(argv[0]);
    (void)this_value, (void)argc;
    if (JS_ToFloat64(ctx, &size, argv[2]))
        return JS_EXCEPTION;
    if (!(size >= 0 && size < INFINITY))
        return JS_ThrowRangeError(ctx, "The size of a chunk must be a finite number that is not negative");
    if (queue->length == queue->room && grow(ctx, queue))
        return JS_EXCEPTION;
    if (size != 1 && need_sizes(ctx, queue))
        return JS_EXCEPTION;
    uint32_t slot = slot_of(queue, queue->length);
    queue->values[slot] = JS_DupValue(ctx, argv[1]);
    if (queue->sizes)
        queue->sizes[slot] = size;
    queue->length++;
    queue->total += size;
    return JS_UNDEFINED;
}

/* queueShift(queue) -> the first value; the queue is not empty */
static JSValue shift(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Queue *queue = queue_of(argv[0]);
    (void)this_value, (void)argc;
    if (!queue->length)
        return JS_UNDEFINED;
    JSValue value = queue->values[queue->head];
    queue->total -= queue->sizes ? queue->sizes[queue->head] : 1;
    if (queue->total < 0)
        queue->total = 0;          /* rounding */
    queue->head = slot_of(queue, 1);
    if (--queue->length == 0 && queue->room > KEPT_ROOM) {
        double total = queue->total;
        clear(JS_GetRuntime(ctx), queue);
        queue->total = total;
    }
    return value;
}

/* queueFirst(queue) -> the first value, or undefined */
static JSValue first(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Queue *queue = queue_of(argv[0]);
    (void)this_value, (void)argc;
    return queue->length ? JS_DupValue(ctx, queue->values[queue->head]) : JS_UNDEFINED;
}

/* queueShrink(queue, by): so much of the first value has been taken */
static JSValue shrink(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    double by;
    Queue *queue = queue_of(argv[0]);
    (void)this_value, (void)argc;
    if (JS_ToFloat64(ctx, &by, argv[1]) || !queue->length || need_sizes(ctx, queue))
        return JS_EXCEPTION;
    queue->sizes[queue->head] -= by;
    queue->total -= by;
    return JS_UNDEFINED;
}

/* queueLength(queue) */
static JSValue length(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_NewUint32(ctx, queue_of(argv[0])->length);
}

/* queueTotal(queue) -> the sum of the sizes */
static JSValue total(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_NewNumber(ctx, queue_of(argv[0])->total);
}

/* queueClear(queue) */
static JSValue clear_queue(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Queue *queue = queue_of(argv[0]);
    (void)this_value, (void)argc;
    engine_weigh(queue->length * sizeof(JSValue));
    clear(JS_GetRuntime(ctx), queue);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("newQueue", 0, new_queue),
    JS_CFUNC_DEF("queuePush", 3, push),
    JS_CFUNC_DEF("queueShift", 1, shift),
    JS_CFUNC_DEF("queueFirst", 1, first),
    JS_CFUNC_DEF("queueShrink", 2, shrink),
    JS_CFUNC_DEF("queueLength", 1, length),
    JS_CFUNC_DEF("queueTotal", 1, total),
    JS_CFUNC_DEF("queueClear", 1, clear_queue),
};

int queue_add_exports(JSContext *ctx, JSModuleDef *module)
{
    JS_NewClassID(guest.runtime, &class_id);
    if (!JS_IsRegisteredClass(guest.runtime, class_id) && JS_NewClass(guest.runtime, class_id, &class))
        return -1;
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int queue_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
