/* What went wrong in the guest, on its way to the host. */
#include "internals.h"

/* Failures of one turn that the host is told of. The first one is what its run ends with; the others would only be work
 * for the host, which no limit of the guest counts: a few bytes here may be a list of a million items there. */
#define MOST_UNCAUGHT 16

JSValue failures_throw_conversion(JSContext *ctx, const char *path, const char *reason)
{
    JSValue error = JS_NewTypeError(ctx, "%s cannot cross the sandbox boundary (at %s)", reason, path);
    if (JS_IsException(error) ||
        JS_DefinePropertyValueStr(ctx, error, "path", JS_NewString(ctx, path), JS_PROP_C_W_E) < 0 ||
        JS_DefinePropertyValue(ctx, error, guest.conversion, JS_NewString(ctx, reason), 0) < 0) {
        JS_FreeValue(ctx, error);
        return JS_EXCEPTION;
    }
    return JS_Throw(ctx, error);
}

/* A stand-in for a thrown value that cannot be encoded itself: a symbol, or an Error whose properties cannot cross. */
static JSValue describe(JSContext *ctx, JSValueConst thrown)
{
    JSValue text = JS_UNDEFINED, message = JS_UNDEFINED, stack = JS_UNDEFINED;
    const char *class_name = errors_class(ctx, thrown);
    if (class_name) {
        message = JS_GetPropertyStr(ctx, thrown, "message");
        stack = JS_GetPropertyStr(ctx, thrown, "stack");
    } else if (JS_IsSymbol(thrown)) {
        JSAtom atom = JS_ValueToAtom(ctx, thrown);
        const char *name = JS_AtomToCString(ctx, atom);
        JS_FreeAtom(ctx, atom);
        JSValue described = JS_NewPlainError(ctx, "a thrown Symbol(%.200s)", name ? name : "");
        JS_FreeCString(ctx, name);
        return described;
    } else {
        message = JS_NewString(ctx, "a thrown value that cannot cross the sandbox boundary");
    }
    if (JS_HasException(ctx))
        JS_FreeValue(ctx, JS_GetException(ctx));
    Bytes name = {.data = class_name ? class_name : "Error"};
    name.length = __builtin_strlen(name.data);
    return errors_new(ctx, name, text, message, stack, class_name ? errors_host_exception(ctx, thrown) : 0);
}

void failures_report(uint32_t op, uint32_t id, JSValue thrown)
{
    JSContext *ctx = guest.context;
    Frame frame;
    if (op == OP_UNCAUGHT && guest.uncaught++ >= MOST_UNCAUGHT) {
        JS_FreeValue(ctx, thrown);
        return;
    }
    Buffer *out = frame_begin(&frame);
    JSValue report = thrown;
    bool quiet = op == OP_UNCAUGHT, encoded = encode_message(ctx, out, report, quiet) == 0;
    if (!encoded && !guest.control.reason) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        report = describe(ctx, thrown);
        encoded = !JS_IsException(report) && encode_message(ctx, out, report, quiet) == 0;
        JS_FreeValue(ctx, report);
    }
    if (!encoded) {
        if (JS_HasException(ctx))
            JS_FreeValue(ctx, JS_GetException(ctx));
        /* No room or no time to say more: flag byte and nil. The host knows the reason from the control block. */
        buffer_put(out, "\0\xc0", 2);
    }
    frame_commit(&frame, op, id);
    JS_FreeValue(ctx, thrown);
}

/* Whether a listener of the program has dealt with it. */
static bool told_program(JSValueConst thrown, JSValueConst stack)
{
    JSContext *ctx = guest.context;
    if (!(guest.listening & LISTENING_ERROR) || guest.in_uncaught || guest.control.reason)
        return false;
    JSValueConst arguments[2] = {thrown, stack};
    guest.in_uncaught = true;
    JSValue result = hooks_call(ctx, HOOK_UNCAUGHT, 2, arguments);
    guest.in_uncaught = false;
    if (JS_IsException(result))
        JS_FreeValue(ctx, JS_GetException(ctx));
    bool dealt_with = JS_VALUE_GET_TAG(result) == JS_TAG_BOOL && JS_VALUE_GET_BOOL(result);
    JS_FreeValue(ctx, result);
    return dealt_with;
}

void failures_uncaught(JSValue thrown, JSValueConst stack)
{
    if (told_program(thrown, stack))
        JS_FreeValue(guest.context, thrown);
    else if (!guest.control.reason)
        failures_report(OP_UNCAUGHT, 0, thrown);
    else
        JS_FreeValue(guest.context, thrown);
}

void failures_uncaught_pending(void)
{
    failures_uncaught(JS_GetException(guest.context), JS_UNDEFINED);
}

void failures_report_pending(uint32_t op, uint32_t id)
{
    failures_report(op, id, JS_GetException(guest.context));
}
