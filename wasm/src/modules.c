/* Sources the module loader may serve, by name, and the native module while the bindings are installed. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

typedef struct Source {
    struct Source *next;
    char *name;
    char *text;
    size_t length;
} Source;

static Source *sources;

static Source **find(const char *name)
{
    Source **at = &sources;
    while (*at && strcmp((*at)->name, name))
        at = &(*at)->next;
    return at;
}

static bool is_reserved(const char *name)
{
    return !strncmp(name, "sandbox:", 8);
}

/* `./x.js` beside `sandbox:y.js` is `sandbox:x.js`; every other name stands for itself. */
static char *normalize(JSContext *ctx, const char *importer, const char *specifier, void *opaque)
{
    (void)opaque;
    if (guest.booting && is_reserved(importer) && !strncmp(specifier, "./", 2)) {
        size_t length = strlen(specifier) - 2;
        char *name = js_malloc(ctx, 8 + length + 1);
        if (!name)
            return NULL;
        memcpy(name, "sandbox:", 8);
        memcpy(name + 8, specifier + 2, length + 1);
        return name;
    }
    if (is_reserved(specifier) && !guest.booting) {
        JS_ThrowReferenceError(ctx, "cannot find module '%s'", specifier);
        return NULL;
    }
    return js_strdup(ctx, specifier);
}

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    if (guest.booting && !strcmp(name, "sandbox:native"))
        return native_module(ctx, name);
    Source *source = *find(name);
    if (!source) {
        JS_ThrowReferenceError(ctx, "cannot find module '%s'", name);
        return NULL;
    }
    JSValue module = JS_Eval(ctx, source->text, source->length, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(module))
        return NULL;
    JSModuleDef *definition = JS_VALUE_GET_PTR(module);
    JS_FreeValue(ctx, module);
    return definition;
}

void modules_boot(void)
{
    JS_SetModuleLoaderFunc(guest.runtime, normalize, load, NULL);
}

static char *copy(Bytes bytes)
{
    char *text = malloc(bytes.length + 1);
    if (text) {
        memcpy(text, bytes.data, bytes.length);
        text[bytes.length] = 0;
    }
    return text;
}

int modules_define(JSContext *ctx, Bytes name, Bytes text)
{
    Source *source = malloc(sizeof(*source));
    char *name_text = source ? copy(name) : NULL, *source_text = name_text ? copy(text) : NULL;
    if (!source_text) {
        free(name_text);
        free(source);
        guest.control.failed_allocations++;
        JS_ThrowOutOfMemory(ctx);
        return -1;
    }
    Source **at = find(name_text), *old = *at;
    *source = (Source){old ? old->next : NULL, name_text, source_text, text.length};
    *at = source;
    if (old) {
        free(old->name);
        free(old->text);
        free(old);
    }
    return 0;
}

/* Bytecode of a module whose source is defined, to be read by another instance of the same engine. Source text would be
 * a third of the image; without it the bindings' functions show themselves as native code. */
JSValue modules_compile(JSContext *ctx, Bytes name)
{
    char name_text[64] = "";
    size_t size;
    if (name.length >= sizeof(name_text))
        return JS_ThrowRangeError(ctx, "module name too long");
    memcpy(name_text, name.data, name.length);
    JSModuleDef *module = load(ctx, name_text, NULL);
    if (!module)
        return JS_EXCEPTION;
    uint8_t *bytecode = JS_WriteObject(ctx, &size, JS_MKPTR(JS_TAG_MODULE, module),
                                       JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE | JS_WRITE_OBJ_STRIP_DEBUG);
    if (!bytecode)
        return JS_EXCEPTION;
    JSValue bytes = JS_NewUint8ArrayCopy(ctx, bytecode, size);
    js_free(ctx, bytecode);
    return bytes;
}

/* A module from bytecode of our own build; it carries its name. */
int modules_define_bytecode(JSContext *ctx, Bytes bytecode)
{
    JSValue module = JS_ReadObject(ctx, (const uint8_t *)bytecode.data, bytecode.length, JS_READ_OBJ_BYTECODE);
    int failed = JS_IsException(module);
    JS_FreeValue(ctx, module);
    return failed ? -1 : 0;
}
