/* `sandbox:native`: what the bindings need of C. Importable only while they are installed. */
#include "internals.h"

static bool op_of(JSContext *ctx, JSValueConst value, uint32_t *op)
{
    return JS_ToUint32(ctx, op, value) == 0;
}

/* Takes the values; an exception among them is the outcome. */
JSValue native_array(JSContext *ctx, int count, const JSValue *values)
{
    bool failed = false;
    for (int i = 0; i < count; i++)
        failed = failed || JS_IsException(values[i]);
    if (!failed)
        return JS_NewArrayFrom(ctx, count, values);
    for (int i = 0; i < count; i++)
        JS_FreeValue(ctx, values[i]);
    return JS_EXCEPTION;
}

static JSValue native_call(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t op;
    (void)this_value;
    return op_of(ctx, argv[0], &op) ? ops_call(ctx, op, argc - 1, argv + 1) : JS_EXCEPTION;
}

static JSValue native_send(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t op;
    (void)this_value;
    if (!op_of(ctx, argv[0], &op) || ops_send(ctx, op, argc - 1, argv + 1))
        return JS_EXCEPTION;
    return JS_UNDEFINED;
}

/* submit(op, arguments, resolve, reject) -> id */
static JSValue native_submit(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t op, id, count;
    JSValue *values;
    (void)this_value, (void)argc;
    if (!op_of(ctx, argv[0], &op) || !JS_IsArray(argv[1]) || !internals_fast_array(argv[1], &values, &count))
        return JS_HasException(ctx) ? JS_EXCEPTION : JS_ThrowTypeError(ctx, "submit: not an argument array");
    JSValue done = ops_submit(ctx, op, (int)count, (JSValueConst *)values, JS_DupValue(ctx, argv[2]),
                              JS_DupValue(ctx, argv[3]), &id);
    return JS_IsException(done) ? done : JS_NewUint32(ctx, id);
}

/* brand(object, tag): from now on it crosses under that tag, see the hooks `parts` and `make` */
static JSValue native_brand(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_DefinePropertyValue(ctx, argv[0], guest.brand, JS_DupValue(ctx, argv[1]), 0) < 0 ? JS_EXCEPTION : JS_UNDEFINED;
}

/* opOf(function of the host) -> its op */
static JSValue native_op_of(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_NewUint32(ctx, ops_op_of(argv[0]));
}

static JSValue native_hook(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t hook;
    (void)this_value, (void)argc;
    return JS_ToUint32(ctx, &hook, argv[0]) || hooks_set(ctx, hook, argv[1]) ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue native_cancel(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t id;
    (void)this_value, (void)argc;
    if (JS_ToUint32(ctx, &id, argv[0]))
        return JS_EXCEPTION;
    ops_cancel(id);
    return JS_UNDEFINED;
}

/* task(function, argument or undefined: called without one) */
static JSValue native_task(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    JSValue argument = JS_IsUndefined(argv[1]) ? JS_UNINITIALIZED : JS_DupValue(ctx, argv[1]);
    return jobs_add_task(ctx, JS_DupValue(ctx, argv[0]), argument) ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue native_current_task(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc, (void)argv;
    return JS_NewUint32(ctx, guest.task);
}

/* report(what was thrown, stack or undefined) */
static JSValue native_report(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    failures_uncaught(JS_DupValue(ctx, argv[0]), argv[1]);
    return guest.control.reason ? ops_stop(ctx) : JS_UNDEFINED;
}

/* listen...(whether the program listens to such events of the global object) */
static JSValue native_listen(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv, int which)
{
    (void)this_value, (void)argc;
    guest.listening = JS_ToBool(ctx, argv[0]) ? guest.listening | (uint32_t)which : guest.listening & ~(uint32_t)which;
    return JS_UNDEFINED;
}

/* viewState(typed array or DataView) -> whether its length follows its buffer's; undefined: it lies outside of that */
static JSValue native_view_state(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    const uint8_t *bytes;
    size_t length;
    (void)this_value, (void)argc;
    return internals_view(argv[0], &bytes, &length) ? JS_NewBool(ctx, internals_view_tracks(argv[0])) : JS_UNDEFINED;
}

static JSValue native_promise_is_handled(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_NewBool(ctx, internals_promise_is_handled(argv[0]));
}

static JSValue native_now(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc, (void)argv;
    return JS_NewFloat64(ctx, engine_now_ms());
}

static JSValue native_time_origin(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc, (void)argv;
    return JS_NewFloat64(ctx, guest.control.time_origin_ms);
}

static JSValue native_class_of(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    if (JS_IsProxy(argv[0]))
        return JS_NewString(ctx, "Proxy");
    JSAtom name = JS_IsObject(argv[0]) ? JS_GetClassName(guest.runtime, JS_GetClassID(argv[0])) : JS_ATOM_NULL;
    if (name == JS_ATOM_NULL)
        return JS_NewString(ctx, "");
    JSValue text = JS_AtomToString(ctx, name);
    JS_FreeAtom(ctx, name);
    return text;
}

static JSValue native_proxy_parts(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    if (!JS_IsProxy(argv[0]))
        return JS_UNDEFINED;
    JSValue parts[2] = {JS_GetProxyTarget(ctx, argv[0]), JS_GetProxyHandler(ctx, argv[0])};
    for (int i = 0; i < 2; i++) {
        if (!JS_IsException(parts[i]))
            continue;
        JS_FreeValue(ctx, JS_GetException(ctx));       /* revoked */
        parts[i] = JS_NULL;
    }
    return native_array(ctx, 2, parts);
}

static JSValue native_promise_state(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    static const char *const names[] = {"pending", "fulfilled", "rejected"};
    (void)this_value, (void)argc;
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    if (state == JS_PROMISE_NOT_A_PROMISE)
        return JS_UNDEFINED;
    JSValue parts[2] = {JS_NewString(ctx, names[state]), JS_PromiseResult(ctx, argv[0])};
    return native_array(ctx, 2, parts);
}

static JSValue native_collection_entries(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    JSValue *values;
    uint32_t count;
    (void)this_value, (void)argc;
    if (!JS_IsMap(argv[0]) && !JS_IsSet(argv[0]))
        return JS_UNDEFINED;
    if (!internals_collection(ctx, argv[0], &values, &count))
        return JS_EXCEPTION;
    JSValue array = JS_NewArrayFrom(ctx, (int)count, values);
    js_free(ctx, values);
    return array;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("call", 1, native_call),
    JS_CFUNC_DEF("send", 1, native_send),
    JS_CFUNC_DEF("submit", 4, native_submit),
    JS_CFUNC_DEF("brand", 2, native_brand),
    JS_CFUNC_DEF("opOf", 1, native_op_of),
    JS_CFUNC_DEF("hook", 2, native_hook),
    JS_CFUNC_DEF("cancel", 1, native_cancel),
    JS_CFUNC_DEF("task", 2, native_task),
    JS_CFUNC_DEF("currentTask", 0, native_current_task),
    JS_CFUNC_DEF("report", 2, native_report),
    JS_CFUNC_MAGIC_DEF("listenToErrors", 1, native_listen, LISTENING_ERROR),
    JS_CFUNC_MAGIC_DEF("listenToRejections", 1, native_listen, LISTENING_REJECTION),
    JS_CFUNC_DEF("viewState", 1, native_view_state),
    JS_CFUNC_DEF("promiseIsHandled", 1, native_promise_is_handled),
    JS_CFUNC_DEF("now", 0, native_now),
    JS_CFUNC_DEF("timeOrigin", 0, native_time_origin),
    JS_CFUNC_DEF("classOf", 1, native_class_of),
    JS_CFUNC_DEF("proxyParts", 1, native_proxy_parts),
    JS_CFUNC_DEF("promiseState", 1, native_promise_state),
    JS_CFUNC_DEF("collectionEntries", 1, native_collection_entries),
};

/* What other files have the bindings import. */
static const struct {
    int (*add)(JSContext *ctx, JSModuleDef *module);
    int (*set)(JSContext *ctx, JSModuleDef *module);
} parts[] = {
    {compression_add_exports, compression_set_exports},
    {coverage_add_exports, coverage_set_exports},
    {bytes_add_exports, bytes_set_exports},
    {encodings_add_exports, encodings_set_exports},
    {modules_add_exports, modules_set_exports},
    {promises_add_exports, promises_set_exports},
    {queue_add_exports, queue_set_exports},
    {text_add_exports, text_set_exports},
    {scripts_add_exports, scripts_set_exports},
    {url_add_exports, url_set_exports},
};
enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static int initialize(JSContext *ctx, JSModuleDef *module)
{
    int failed = JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
    for (int i = 0; i < PARTS && !failed; i++)
        failed = parts[i].set(ctx, module);
    return failed ? -1 : 0;
}

JSModuleDef *native_module(JSContext *ctx, const char *name)
{
    JSModuleDef *module = JS_NewCModule(ctx, name, initialize);
    if (!module || JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0])))
        return NULL;
    for (int i = 0; i < PARTS; i++) {
        if (parts[i].add(ctx, module))
            return NULL;
    }
    return module;
}
