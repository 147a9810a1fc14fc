/* Error objects: their class by brand, their wire form, and the private marks that guest code can neither see nor set. */
#include "internals.h"

#include <string.h>

static bool has_own(JSContext *ctx, JSValueConst object, JSAtom atom, JSValue *value)
{
    JSPropertyDescriptor own;
    int found = JS_GetOwnProperty(ctx, &own, object, atom);
    if (found < 0)
        JS_FreeValue(ctx, JS_GetException(ctx));
    if (found <= 0)
        return false;
    JS_FreeValue(ctx, own.getter);
    JS_FreeValue(ctx, own.setter);
    *value = own.value;
    return true;
}

/* The built-in class of an Error or DOMException, NULL for any other object. */
const char *errors_class(JSContext *ctx, JSValueConst error)
{
    JSValue mark;
    if (!JS_IsObject(error) || JS_IsProxy(error))
        return NULL;
    if (JS_IsError(error) && has_own(ctx, error, guest.conversion, &mark)) {
        JS_FreeValue(ctx, mark);
        return "ConversionError";
    }
    return internals_error_class(ctx, error);
}

uint32_t errors_host_exception(JSContext *ctx, JSValueConst error)
{
    JSValue value;
    uint32_t id = 0;
    if (!has_own(ctx, error, guest.host_exception, &value))
        return 0;
    JS_ToUint32(ctx, &id, value);
    JS_FreeValue(ctx, value);
    return id;
}

/* Takes `value`, which counts only when it is a string; false: throws. */
static bool define(JSContext *ctx, JSValueConst object, const char *name, JSValue value)
{
    if (JS_IsString(value))
        return JS_DefinePropertyValueStr(ctx, object, name, value, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE) >= 0;
    JS_FreeValue(ctx, value);
    return true;
}

/* A new Error of a built-in class; an unknown class gives a plain Error. `name`, `message` and `stack` are owned by the
 * callee and count only when they are strings. */
JSValue errors_new(JSContext *ctx, Bytes class_name, JSValue name, JSValue message, JSValue stack,
                   uint32_t host_exception)
{
    char class_text[32] = "Error";
    bool failed = false;
    JSValue error;
    if (class_name.length < sizeof(class_text)) {
        memcpy(class_text, class_name.data, class_name.length);
        class_text[class_name.length] = 0;
    }
    if (!strcmp(class_text, "DOMException")) {
        error = internals_dom_exception(ctx, name, JS_IsString(message) ? message : JS_UNDEFINED);
        JS_FreeValue(ctx, name);
        JS_FreeValue(ctx, message);
    } else {
        JSValue prototype = internals_error_prototype(ctx, class_text);
        error = JS_NewError(ctx);
        if (!JS_IsException(error) && JS_IsObject(prototype))
            failed = JS_SetPrototype(ctx, error, prototype) < 0;
        JS_FreeValue(ctx, prototype);
        if (JS_IsException(error)) {
            JS_FreeValue(ctx, name);
            JS_FreeValue(ctx, message);
        } else {
            failed |= !define(ctx, error, "message", message);
            /* An own name only where the class does not already say it. */
            Text text;
            bool same = JS_IsString(name) && internals_text(ctx, name, &text) && !text.wide &&
                        text.length == class_name.length && !memcmp(text.units, class_name.data, text.length);
            if (same)
                JS_FreeValue(ctx, name);
            else
                failed |= !define(ctx, error, "name", name);
        }
    }
    if (JS_IsException(error)) {
        JS_FreeValue(ctx, stack);
        return error;
    }
    failed |= !define(ctx, error, "stack", stack);
    if (host_exception && JS_DefinePropertyValue(ctx, error, guest.host_exception, JS_NewUint32(ctx, host_exception), 0) < 0)
        failed = true;
    if (!failed)
        return error;
    JS_FreeValue(ctx, error);
    return JS_EXCEPTION;
}
