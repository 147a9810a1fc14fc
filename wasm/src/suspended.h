/* Where a program is, as the stack of an Error says it: the calls in progress, or the asynchronous functions that wait
 * for one another. None of its code runs for it, and no property but a function's own name is read. */

#define MOST_CALLS 64              /* of a stack */
#define MOST_REACTIONS 256         /* of one promise; nothing is polled meanwhile */
#define MOST_SUSPENDED (1 << 14)   /* asynchronous functions that are looked through */

/* One line of a stack; takes the name. */
static void put_line(JSContext *ctx, DynBuf *out, const char *name, JSAtom filename, int line, int column)
{
    const char *file = JS_AtomToCString(ctx, filename);
    dbuf_printf(out, "    at %.200s (%.300s", name && *name ? name : "<anonymous>", file ? file : "");
    if (line != -1)
        dbuf_printf(out, ":%d:%d", line, column);
    dbuf_putstr(out, ")\n");
    JS_FreeCString(ctx, name);
    JS_FreeCString(ctx, file);
}

/* Nothing is put for what is no function of the program. */
static bool put_call(JSContext *ctx, DynBuf *out, const JSStackFrame *frame)
{
    JSObject *p = JS_VALUE_GET_OBJ(frame->cur_func);
    JSFunctionBytecode *b = js_class_has_bytecode(p->class_id) ? p->u.func.function_bytecode : NULL;
    int column;
    if (!b || b->filename == JS_ATOM_NULL || !frame->cur_pc)
        return false;
    int line = find_line_num(ctx, b, frame->cur_pc - b->byte_code_buf - 1, &column);
    put_line(ctx, out, get_func_name(ctx, frame->cur_func), b->filename, line, column);
    return true;
}

static JSValue stack_text(JSContext *ctx, DynBuf *out)
{
    JSValue text = dbuf_error(out) ? JS_ThrowOutOfMemory(ctx) : JS_NewStringLen(ctx, (char *)out->buf, out->size);
    dbuf_free(out);
    return text;
}

JSValue internals_stack(JSContext *ctx)
{
    DynBuf out;
    int calls = 0;
    js_dbuf_init(ctx, &out);
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame && calls < MOST_CALLS; frame = frame->prev_frame)
        calls += put_call(ctx, &out, frame);
    return stack_text(ctx, &out);
}

/* The promise that a resolving function settles, borrowed; undefined: it is none of those. */
static JSValueConst promise_behind(JSValueConst resolve)
{
    JSPromiseFunctionData *s = JS_GetOpaque(resolve, JS_CLASS_PROMISE_RESOLVE_FUNCTION);
    return s ? (JSValueConst)s->promise : JS_UNDEFINED;
}

/* The asynchronous function that goes on when a promise is settled; NULL: none awaits it itself. */
static JSAsyncFunctionData *awaiting(JSValueConst promise)
{
    JSPromiseData *s = JS_GetOpaque(promise, JS_CLASS_PROMISE);
    struct list_head *at;
    int looks = 0;
    if (!s)
        return NULL;
    list_for_each(at, &s->promise_reactions[0]) {
        if (looks++ == MOST_REACTIONS)
            break;
        JSPromiseReactionData *reaction = list_entry(at, JSPromiseReactionData, link);
        JSAsyncFunctionData *function = JS_GetOpaque(reaction->handler, JS_CLASS_ASYNC_FUNCTION_RESOLVE);
        if (function && function->is_active)
            return function;
    }
    return NULL;
}

JSValue internals_awaiting(JSContext *ctx, JSValueConst resolve)
{
    DynBuf out;
    js_dbuf_init(ctx, &out);
    JSAsyncFunctionData *function = awaiting(promise_behind(resolve));
    for (int calls = 0; function && calls < MOST_CALLS; calls++) {
        put_call(ctx, &out, &function->func_state.frame);
        function = awaiting(promise_behind(function->resolving_funcs[0]));
    }
    return stack_text(ctx, &out);
}

/* Asynchronous functions that were dropped while they waited, for nothing could ever settle what they waited for: most of
 * those that hang. Kept for the promise of the outermost one, which a run may wait for. */
#define MOST_DROPPED 4
#define MOST_DROPPED_CALLS 16

typedef struct DroppedCall {
    const void *promise;   /* of the function */
    JSValue name;
    JSAtom file;
    int line, column;
} DroppedCall;

typedef struct Dropped {
    const void *promise;   /* of the outermost one; NULL: there is nothing here */
    int count;
    DroppedCall calls[MOST_DROPPED_CALLS];
} Dropped;

static Dropped dropped[MOST_DROPPED];
static int next_dropped;
static bool has_dropped;

static void forget_dropped(JSRuntime *rt, Dropped *one)
{
    for (int i = 0; i < one->count; i++) {
        JS_FreeValueRT(rt, one->calls[i].name);
        JS_FreeAtomRT(rt, one->calls[i].file);
    }
    one->count = 0;
    one->promise = NULL;
}

void internals_forget_dropped(JSRuntime *rt)
{
    for (int i = 0; has_dropped && i < MOST_DROPPED; i++)
        forget_dropped(rt, &dropped[i]);
    has_dropped = false;
}

static void note_call(JSRuntime *rt, Dropped *one, const JSAsyncFunctionData *function)
{
    const JSStackFrame *frame = &function->func_state.frame;
    JSObject *p = JS_VALUE_GET_OBJ(frame->cur_func);
    JSFunctionBytecode *b = js_class_has_bytecode(p->class_id) ? p->u.func.function_bytecode : NULL;
    if (!b || b->filename == JS_ATOM_NULL || !frame->cur_pc || one->count == MOST_DROPPED_CALLS)
        return;
    DroppedCall *call = &one->calls[one->count++];
    JSValueConst promise = promise_behind(function->resolving_funcs[0]);
    call->promise = JS_IsObject(promise) ? JS_VALUE_GET_PTR(promise) : NULL;
    call->line = find_line_num(b->realm, b, frame->cur_pc - b->byte_code_buf - 1, &call->column);
    JSProperty *property;
    JSShapeProperty *shape = find_own_property(&property, p, JS_ATOM_name);
    bool is_named = shape && (shape->flags & JS_PROP_TMASK) == JS_PROP_NORMAL && JS_IsString(property->u.value);
    call->name = is_named ? js_dup(property->u.value) : JS_UNDEFINED;
    call->file = JS_DupAtomRT(rt, b->filename);
}

/* The function is freed next. Nothing is allocated here, which may be in the midst of freeing other things. */
static no_inline void suspended_dropped(JSRuntime *rt, JSAsyncFunctionData *function)
{
    JSAsyncFunctionData *outer = function;
    JSValueConst promise = JS_UNDEFINED;
    if (rt->gc_phase == JS_GC_PHASE_REMOVE_CYCLES)
        return;            /* what it refers to may be freed already */
    for (int calls = 0; outer && calls < MOST_CALLS; calls++) {
        promise = promise_behind(outer->resolving_funcs[0]);
        outer = awaiting(promise);
    }
    /* Its own two functions hold a promise; where nobody else does, nobody waits for it. */
    if (!JS_IsObject(promise) || JS_REF_COUNT(JS_VALUE_GET_PTR(promise)) <= 2)
        return;
    for (int i = 0; i < MOST_DROPPED; i++) {
        if (dropped[i].promise == JS_VALUE_GET_PTR(promise))
            return;    /* what it waited for was dropped before */
    }
    Dropped *one = &dropped[next_dropped++ % MOST_DROPPED];
    forget_dropped(rt, one);
    one->promise = JS_VALUE_GET_PTR(promise);
    has_dropped = true;
    for (int calls = 0; function && calls < MOST_CALLS; calls++) {
        note_call(rt, one, function);
        function = awaiting(promise_behind(function->resolving_funcs[0]));
    }
}

static bool is_among(const Dropped *one, const void *promise)
{
    for (int i = 0; i < one->count; i++) {
        if (one->calls[i].promise == promise)
            return true;
    }
    return false;
}

static no_inline void look_among_dropped(JSRuntime *rt, JSAsyncFunctionData *function, JSValueConst promise)
{
    for (int i = 0; has_dropped && i < MOST_DROPPED; i++) {
        JSValueConst own = promise_behind(function->resolving_funcs[0]);
        if (!JS_IsObject(own))
            continue;
        if (is_among(&dropped[i], JS_VALUE_GET_PTR(own)))
            forget_dropped(rt, &dropped[i]);
        if (dropped[i].promise != JS_VALUE_GET_PTR(promise))
            continue;
        note_call(rt, &dropped[i], function);
        dropped[i].promise = JS_VALUE_GET_PTR(own);
    }
}

/* A function begins to wait for a promise: for one of those that nothing settles, it hangs as well. Where it was said to
 * hang before, it has gone on. Its caller is on the stack once for each function that awaits another: nothing may make that
 * frame larger. */
static inline void suspended_awaits(JSRuntime *rt, JSAsyncFunctionData *function, JSValueConst promise)
{
    if (has_dropped)
        look_among_dropped(rt, function, promise);
}

static no_inline void forget_promise(JSRuntime *rt, JSValueConst promise)
{
    for (int i = 0; has_dropped && i < MOST_DROPPED; i++) {
        if (dropped[i].promise == JS_VALUE_GET_PTR(promise))
            forget_dropped(rt, &dropped[i]);
        for (int at = 0; at < dropped[i].count; at++) {
            if (dropped[i].calls[at].promise == JS_VALUE_GET_PTR(promise))
                dropped[i].calls[at].promise = NULL;
        }
    }
}

/* A promise is freed: nobody waits for it, and another one may come to stand where it was. */
static inline void suspended_freed(JSRuntime *rt, JSValueConst promise)
{
    if (has_dropped)
        forget_promise(rt, promise);
}

static bool put_dropped(JSContext *ctx, DynBuf *out, JSValueConst promise)
{
    for (int i = 0; i < MOST_DROPPED; i++) {
        if (!JS_IsObject(promise) || dropped[i].promise != JS_VALUE_GET_PTR(promise))
            continue;
        for (int at = 0; at < dropped[i].count; at++) {
            const DroppedCall *call = &dropped[i].calls[at];
            const char *name = JS_IsUndefined(call->name) ? NULL : JS_ToCString(ctx, call->name);
            put_line(ctx, out, name, call->file, call->line, call->column);
        }
        return true;
    }
    return false;
}

JSValue internals_hanging(JSContext *ctx, JSValueConst promise)
{
    JSRuntime *rt = ctx->rt;
    struct list_head *at;
    int count = 0, calls = 0;
    DynBuf out;
    JSAsyncFunctionData *chain[MOST_CALLS], **found = js_malloc(ctx, MOST_SUSPENDED * sizeof(*found));
    if (!found)
        return JS_EXCEPTION;
    list_for_each_prev(at, &rt->gc_obj_list) {   /* the youngest first: the run's own script is one of these */
        JSGCObjectHeader *header = list_entry(at, JSGCObjectHeader, link);
        JSAsyncFunctionData *function = (JSAsyncFunctionData *)header;
        if (JS_GC_TYPE(header) == JS_GC_OBJ_TYPE_ASYNC_FUNCTION && function->is_active && count < MOST_SUSPENDED)
            found[count++] = function;
    }
    /* From whose promise it is to the one that it waits for, and so on: the last one waits for nobody. */
    for (JSAsyncFunctionData *outer = NULL; calls < MOST_CALLS; calls++) {
        JSAsyncFunctionData *inner = NULL;
        for (int i = 0; i < count && !inner; i++) {
            JSValueConst own = promise_behind(found[i]->resolving_funcs[0]);
            if (outer ? awaiting(own) == outer : js_strict_eq(ctx, own, promise))
                inner = found[i];
        }
        if (!inner)
            break;
        chain[calls] = outer = inner;
    }
    js_free(ctx, found);
    js_dbuf_init(ctx, &out);
    if (!put_dropped(ctx, &out, promise)) {
        while (calls > 0)
            put_call(ctx, &out, &chain[--calls]->func_state.frame);
    }
    return stack_text(ctx, &out);
}
