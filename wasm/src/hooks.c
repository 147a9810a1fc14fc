/* Functions of the bindings that C calls: what is easier said in JavaScript, and must not depend on what guest code has
 * done to the realm. See [hook] in abi.toml. */
#include "guest.h"

int hooks_set(JSContext *ctx, uint32_t hook, JSValueConst function)
{
    if (!guest.booting || hook >= HOOK_COUNT || !JS_IsFunction(ctx, function)) {
        JS_ThrowTypeError(ctx, "no such hook");
        return -1;
    }
    JS_FreeValue(ctx, guest.hooks[hook]);
    guest.hooks[hook] = JS_DupValue(ctx, function);
    return 0;
}

JSValue hooks_call(JSContext *ctx, Hook hook, int argc, JSValueConst *argv)
{
    return JS_Call(ctx, guest.hooks[hook], JS_UNDEFINED, argc, argv);
}
