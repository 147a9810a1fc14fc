/* Scripts: how they are compiled, and what a session that evaluates one after another needs of them. */
#include "internals.h"
#include "trace.h"

#include <string.h>

static bool mentions_await(Bytes code)
{
    return memmem(code.data, code.length, "await", 5) != NULL;
}

static JSValue compile(Bytes code, const char *filename, int flags)
{
    return JS_Eval(guest.context, code.data, code.length, filename, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY | flags);
}

/* A script; one that uses top-level await is an asynchronous one. `await (x)` is also a call of a function of that name:
 * it is taken for one only where it cannot be anything else. */
JSValue scripts_compile(Bytes code, const char *filename, uint32_t what, bool *asynchronous)
{
    int flags = (what & EVALUATION_RETURN ? JS_EVAL_FLAG_RETURN : 0) | (what & EVALUATION_STRICT ? JS_EVAL_FLAG_STRICT : 0);
    if (what & EVALUATION_YIELD)
        return compile(code, filename, flags | JS_EVAL_FLAG_ASYNC | JS_EVAL_FLAG_YIELD);
    JSValue function = compile(code, filename, flags);
    if (!asynchronous)
        return function;
    bool parsed = !JS_IsException(function);
    *asynchronous = !guest.control.reason && mentions_await(code) && (!parsed || internals_reads_await(function));
    if (!*asynchronous)
        return function;
    if (!parsed)
        JS_FreeValue(guest.context, JS_GetException(guest.context));
    JSValue with_await = compile(code, filename, flags | JS_EVAL_FLAG_ASYNC);
    if (parsed && JS_IsException(with_await) && !guest.control.reason) {
        JS_FreeValue(guest.context, JS_GetException(guest.context));
        *asynchronous = false;
        return function;
    }
    if (parsed)
        JS_FreeValue(guest.context, function);
    return with_await;
}

/* evaluateScript(code, file name) -> [its completion value, or for an asynchronous one a promise of {value}; which].
 * What it declares replaces what scripts before it have declared. */
static JSValue evaluate_script(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    Bytes code;
    bool asynchronous = false;
    JSValue function = JS_EXCEPTION, parts[2] = {JS_EXCEPTION, JS_UNDEFINED};
    (void)this_value, (void)argc;
    const char *name = JS_ToCString(ctx, argv[1]);
    code.data = name ? JS_ToCStringLen(ctx, &code.length, argv[0]) : NULL;
    if (code.data)
        function = scripts_compile(code, name, 0, &asynchronous);
    JS_FreeCString(ctx, code.data);
    JS_FreeCString(ctx, name);
    if (!JS_IsException(function) && internals_redeclare(ctx, function)) {
        JS_FreeValue(ctx, function);
        function = JS_EXCEPTION;
    }
    if (!JS_IsException(function))
        parts[0] = JS_EvalFunction(ctx, function);
    parts[1] = JS_NewBool(ctx, asynchronous);
    return native_array(ctx, 2, parts);
}

static JSValue lexical_names(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    JSPropertyEnum *names;
    uint32_t count;
    (void)this_value, (void)argc, (void)argv;
    if (internals_lexical_names(ctx, &names, &count))
        return JS_EXCEPTION;
    JSValue *texts = js_malloc(ctx, sizeof(JSValue) * (count + 1));
    for (uint32_t i = 0; texts && i < count; i++)
        texts[i] = JS_AtomToString(ctx, names[i].atom);
    JS_FreePropertyEnum(ctx, names, count);
    JSValue list = texts ? native_array(ctx, (int)count, texts) : JS_EXCEPTION;
    js_free(ctx, texts);
    return list;
}

static JSValue lexical_value(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    JSAtom name = JS_ValueToAtom(ctx, argv[0]);
    if (name == JS_ATOM_NULL)
        return JS_EXCEPTION;
    JSValue value = internals_lexical_value(ctx, name);
    JS_FreeAtom(ctx, name);
    return value;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("evaluateScript", 2, evaluate_script),
    JS_CFUNC_DEF("lexicalNames", 0, lexical_names),
    JS_CFUNC_DEF("lexicalValue", 1, lexical_value),
};

int scripts_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int scripts_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
