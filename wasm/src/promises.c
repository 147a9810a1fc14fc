/* What bindings need of promises, microtasks, calls and bytes. Nothing here looks at `then`, `constructor` or a species that
 * guest code may have put somewhere, except where the standards resolve a promise with a value of the guest's. */
#include "internals.h"

#include <string.h>

/* newPromise() */
static JSValue new_promise(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc, (void)argv;
    return internals_promise_new(ctx);
}

/* resolvePromise(promise, value): asks an object for its `then`, as every promise does; once for each promise */
static JSValue resolve_promise(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return internals_promise_resolve(ctx, argv[0], argv[1]) ? JS_EXCEPTION : JS_UNDEFINED;
}

/* fulfilPromise(promise, value): whatever the value is */
static JSValue fulfil_promise(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    internals_promise_settle(ctx, argv[0], argv[1], false);
    return JS_UNDEFINED;
}

/* rejectPromise(promise, reason) */
static JSValue reject_promise(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    internals_promise_settle(ctx, argv[0], argv[1], true);
    return JS_UNDEFINED;
}

/* resolvedWith(value) -> a new promise */
static JSValue resolved_with(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    JSValue promise = internals_promise_new(ctx);
    if (!JS_IsException(promise) && internals_promise_resolve(ctx, promise, argv[0])) {
        JS_FreeValue(ctx, promise);
        return JS_EXCEPTION;
    }
    return promise;
}

/* rejectedWith(reason) -> a new promise */
static JSValue rejected_with(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    JSValue promise = internals_promise_new(ctx);
    if (!JS_IsException(promise))
        internals_promise_settle(ctx, promise, argv[0], true);
    return promise;
}

/* reaction(promise, fulfilled, rejected) -> the promise of what they give; both may be undefined */
static JSValue reaction(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_PromiseThen(ctx, argv[0], argv[1], argv[2]);
}

/* markHandled(promise): its rejection is nobody's news, before and after it comes */
static JSValue mark_handled(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    jobs_follow(ctx, argv[0]);
    return JS_UNDEFINED;
}

static JSValue microtask_job(JSContext *ctx, int argc, JSValueConst *argv)
{
    return JS_Call(ctx, argv[0], JS_UNDEFINED, argc - 1, argv + 1);
}

/* microtask(function, ...arguments) */
static JSValue microtask(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value;
    return JS_EnqueueJob(ctx, microtask_job, argc, argv) ? JS_EXCEPTION : JS_UNDEFINED;
}

/* invoke(function, this, argument) -> what it returns */
static JSValue invoke(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value;
    return JS_Call(ctx, argv[0], argv[1], argc - 2, argv + 2);
}

/* outcome(function, this, ...arguments): calls a function that is to return a promise. undefined: it has ended, with a value
 * of no consequence; else a promise that settles as what it returned, or that is rejected with what it threw. */
static JSValue outcome(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    JSValue value = invoke(ctx, this_value, argc, argv);
    bool failed = JS_IsException(value);
    if (!failed && !JS_IsObject(value)) {
        JS_FreeValue(ctx, value);
        return JS_UNDEFINED;
    }
    if (failed && guest.control.reason)
        return value;
    if (failed)
        value = JS_GetException(ctx);
    JSValueConst borrowed = value;
    JSValue promise = failed ? rejected_with(ctx, JS_UNDEFINED, 1, &borrowed) : resolved_with(ctx, JS_UNDEFINED, 1, &borrowed);
    JS_FreeValue(ctx, value);
    return promise;
}

static uint8_t *range(JSContext *ctx, JSValueConst buffer, JSValueConst offset, uint32_t length)
{
    size_t size;
    uint32_t start;
    uint8_t *bytes;
    if (JS_ToUint32(ctx, &start, offset))
        return NULL;
    if (!internals_is_buffer_source(buffer)) {
        JS_ThrowTypeError(ctx, "not a buffer");
        return NULL;
    }
    internals_buffer_source(buffer, &bytes, &size);
    if (!bytes || start > size || length > size - start) {
        JS_ThrowRangeError(ctx, "copyBytes: outside of the buffer");
        return NULL;
    }
    return bytes + start;
}

/* copyBytes(to, its offset, from, its offset, length): between ArrayBuffers */
static JSValue copy_bytes(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t length;
    (void)this_value, (void)argc;
    if (JS_ToUint32(ctx, &length, argv[4]))
        return JS_EXCEPTION;
    if (length == 0)
        return JS_UNDEFINED;
    uint8_t *to = range(ctx, argv[0], argv[1], length), *from = to ? range(ctx, argv[2], argv[3], length) : NULL;
    if (!from)
        return JS_EXCEPTION;
    memmove(to, from, length);
    engine_weigh(length);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("newPromise", 0, new_promise),
    JS_CFUNC_DEF("resolvePromise", 2, resolve_promise),
    JS_CFUNC_DEF("fulfilPromise", 2, fulfil_promise),
    JS_CFUNC_DEF("rejectPromise", 2, reject_promise),
    JS_CFUNC_DEF("resolvedWith", 1, resolved_with),
    JS_CFUNC_DEF("rejectedWith", 1, rejected_with),
    JS_CFUNC_DEF("reaction", 3, reaction),
    JS_CFUNC_DEF("markHandled", 1, mark_handled),
    JS_CFUNC_DEF("microtask", 1, microtask),
    JS_CFUNC_DEF("invoke", 2, invoke),
    JS_CFUNC_DEF("outcome", 2, outcome),
    JS_CFUNC_DEF("copyBytes", 5, copy_bytes),
};

int promises_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int promises_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
