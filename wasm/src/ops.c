/* The one path of requests to the host: answered at once (call), later (submit), or not at all (send). */
#include "internals.h"

#include <stdlib.h>

static JSValue read_reply(JSContext *ctx)
{
    Reader reader;
    JSValue value = JS_EXCEPTION;
    if (reader_open(&reader, guest.control.reply_bytes))
        value = reader_value(&reader);
    reader_close(&reader);
    if (!JS_IsException(value) || !reader.malformed)
        return value;
    return JS_HasException(ctx) ? JS_EXCEPTION : JS_ThrowInternalError(ctx, "malformed reply of the host");
}

JSValue ops_stop(JSContext *ctx)
{
    if (!guest.control.reason) {
        guest.control.reason = REASON_STOP;
        stacks_tell_calls();
    }
    JS_ThrowInternalError(ctx, "stopped by the host");
    JSValue error = JS_GetException(ctx);
    JS_SetUncatchableError(ctx, error);
    return JS_Throw(ctx, error);
}

JSValue ops_call(JSContext *ctx, uint32_t op, int argc, JSValueConst *argv)
{
    Buffer *scratch = &guest.scratch;
    size_t start = scratch->length;
    if (guest.control.reason)
        return ops_stop(ctx);      /* it is being unwound already, and asks for nothing any more */
    if (guest.telling_places)
        trace_place(ctx);
    if (encode_arguments(ctx, scratch, argc, argv))
        return JS_EXCEPTION;
    int32_t status = engine_host_call(op, scratch->data + start, scratch->length - start);
    scratch->length = start;
    if (status == STATUS_STOP)
        return ops_stop(ctx);
    JSValue reply = read_reply(ctx);
    if (guest.control.interrupt) {
        /* A call of the host may take long: a guest that is to stop makes no other one before its next poll. */
        JS_FreeValue(ctx, reply);
        guest.control.reason = guest.control.reason ? guest.control.reason : REASON_INTERRUPTED;
        return ops_stop(ctx);
    }
    return status == STATUS_OK || JS_IsException(reply) ? reply : JS_Throw(ctx, reply);
}

static int commit_request(JSContext *ctx, uint32_t op, uint32_t id, int argc, JSValueConst *argv)
{
    Frame frame;
    if (guest.telling_places)
        trace_place(ctx);
    Buffer *out = frame_begin(&frame);
    if (encode_arguments(ctx, out, argc, argv)) {
        frame_drop(&frame);
        return -1;
    }
    frame_commit(&frame, op, id);
    if (guest.outbox.length > guest.control.max_outbox_bytes && !guest.outbox_busy &&
        engine_host_call(OP_POLL, NULL, 0) == STATUS_STOP) {
        ops_stop(ctx);
        return -1;
    }
    return 0;
}

int ops_send(JSContext *ctx, uint32_t op, int argc, JSValueConst *argv)
{
    return commit_request(ctx, op, 0, argc, argv);
}

/* Takes `resolve` and `reject`. */
JSValue ops_submit(JSContext *ctx, uint32_t op, int argc, JSValueConst *argv, JSValue resolve, JSValue reject,
                   uint32_t *id)
{
    Entry *entry = registry_add(&guest.requests, ++guest.next_request);
    if (!entry) {
        JS_FreeValue(ctx, resolve);
        JS_FreeValue(ctx, reject);
        guest.control.failed_allocations++;
        return JS_ThrowOutOfMemory(ctx);
    }
    *id = entry->id;
    entry->first = resolve;
    entry->second = reject;
    guest.control.pending_requests = guest.requests.count;
    if (commit_request(ctx, op, *id, argc, argv)) {
        JSValue thrown = JS_GetException(ctx);
        ops_settle(*id, STATUS_OK, JS_UNINITIALIZED);
        return JS_Throw(ctx, thrown);
    }
    return JS_UNDEFINED;
}

JSValue ops_promise(JSContext *ctx, uint32_t request)
{
    JSValue settle[2];
    JSValue promise = JS_NewPromiseCapability(ctx, settle);
    if (JS_IsException(promise))
        return promise;
    Entry *entry = request < CAP_FIRST_HOST_REQUEST || registry_find(&guest.requests, request)
                       ? NULL
                       : registry_add(&guest.requests, request);
    if (!entry) {
        JS_FreeValue(ctx, settle[0]);
        JS_FreeValue(ctx, settle[1]);
        JS_FreeValue(ctx, promise);
        guest.control.failed_allocations++;
        return JS_ThrowOutOfMemory(ctx);
    }
    entry->first = settle[0];
    entry->second = settle[1];
    guest.control.pending_requests = guest.requests.count;
    return promise;
}

/* Answer a request; JS_UNINITIALIZED forgets it instead. Takes `value`. */
int ops_settle(uint32_t request, Status outcome, JSValue value)
{
    JSContext *ctx = guest.context;
    Entry *entry = registry_find(&guest.requests, request);
    if (!entry) {
        JS_FreeValue(ctx, value);
        return 0;
    }
    bool ok = outcome == STATUS_OK;
    JSValue chosen = ok ? entry->first : entry->second;
    JSValue other = ok ? entry->second : entry->first;
    registry_remove(&guest.requests, entry);
    guest.control.pending_requests = guest.requests.count;
    JS_FreeValue(ctx, other);
    if (JS_VALUE_GET_TAG(value) == JS_TAG_UNINITIALIZED) {
        JS_FreeValue(ctx, chosen);
        return 0;
    }
    return outcome == STATUS_ABORTED ? jobs_add_task(ctx, chosen, value) : jobs_add_answer(ctx, chosen, value);
}

void ops_cancel(uint32_t id)
{
    Frame frame;
    if (!registry_find(&guest.requests, id))
        return;
    ops_settle(id, STATUS_OK, JS_UNINITIALIZED);
    frame_begin(&frame);
    frame_commit(&frame, OP_CANCEL, id);
}

/* A function of the host: its op, and whether it is answered at once. Lives as long as its function object. */
typedef struct HostFunction {
    uint32_t op;
    struct HostFunction *next_released;
} HostFunction;

static HostFunction *released;

static void host_function_finalize(void *opaque)
{
    HostFunction *function = opaque;
    function->next_released = released;
    released = function;
}

void ops_flush_released(void)
{
    while (released) {
        HostFunction *function = released;
        Frame frame;
        released = function->next_released;
        frame_begin(&frame);
        frame_commit(&frame, OP_RELEASE, function->op);
        free(function);
    }
}

static JSValue host_function_call(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int mode,
                                  void *opaque)
{
    uint32_t op = ((HostFunction *)opaque)->op, id;
    (void)this_value;
    if (mode == MODE_CALL)
        return ops_call(ctx, op, argc, argv);
    JSValue settle[2];
    JSValue promise = JS_NewPromiseCapability(ctx, settle);
    if (JS_IsException(promise))
        return promise;
    JSValue done = ops_submit(ctx, op, argc, argv, settle[0], settle[1], &id);
    if (JS_IsException(done)) {
        JS_FreeValue(ctx, promise);
        return done;
    }
    return promise;
}

uint32_t ops_op_of(JSValueConst function)
{
    HostFunction *host = internals_closure_data(function, host_function_call);
    return host ? host->op : 0;
}

JSValue ops_function(JSContext *ctx, uint32_t op, uint32_t mode, const char *name, uint32_t length)
{
    HostFunction *function = malloc(sizeof(*function));
    if (!function) {
        guest.control.failed_allocations++;
        return JS_ThrowOutOfMemory(ctx);
    }
    *function = (HostFunction){.op = op};
    JSValue object = JS_NewCClosure(ctx, host_function_call, name, host_function_finalize, length, (int)mode, function);
    /* Without an object there may be no finalizer either; the host hears that the op is free in any case. */
    if (JS_IsException(object) && released != function)
        host_function_finalize(function);
    return object;
}
