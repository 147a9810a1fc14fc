/* Modules: the engine's own loader, which serves the bindings while they are installed; and, for all later ones, the
 * parts of which the bindings make a loader that may wait. It knows a record by its address. */
#include "internals.h"

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

/* `./x.js` beside `sandbox:a/y.js` is `sandbox:a/x.js`, `../x.js` is `sandbox:x.js`; every other name stands for itself. */
static char *normalize(JSContext *ctx, const char *importer, const char *specifier, void *opaque)
{
    (void)opaque;
    if (!is_reserved(importer) || specifier[0] != '.')
        return js_strdup(ctx, specifier);
    size_t start = strlen("sandbox:"), folder = strlen(importer);
    while (folder > start && importer[folder - 1] != '/')
        folder--;
    for (;;) {
        if (!strncmp(specifier, "./", 2)) {
            specifier += 2;
        } else if (!strncmp(specifier, "../", 3)) {
            specifier += 3;
            for (folder -= folder > start; folder > start && importer[folder - 1] != '/';)
                folder--;
        } else {
            break;
        }
    }
    size_t length = strlen(specifier);
    char *name = js_malloc(ctx, folder + length + 1);
    if (name) {
        memcpy(name, importer, folder);
        memcpy(name + folder, specifier, length + 1);
    }
    return name;
}

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    if (!strcmp(name, "sandbox:native"))
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

/* --- after the build --- */

bool engine_loads_modules(void)
{
    return guest.booting;
}

/* The job of `import()`; its arguments: resolve, reject, the importer's name, specifier, attributes. */
JSValue engine_import_job(JSContext *ctx, int argc, JSValueConst *argv)
{
    JSValueConst parts[5] = {argv[2], argv[3], argv[4], argv[0], argv[1]};
    (void)argc;
    JSValue result = hooks_call(ctx, HOOK_DYNAMIC_IMPORT, 5, parts);
    if (!JS_IsException(result) || guest.control.reason)
        return result;
    JSValue thrown = JS_GetException(ctx);
    result = JS_Call(ctx, argv[1], JS_UNDEFINED, 1, (JSValueConst *)&thrown);
    JS_FreeValue(ctx, thrown);
    return result;
}

static JSModuleDef *record_of(JSContext *ctx, JSValueConst value)
{
    uint32_t address = 0;
    JS_ToUint32(ctx, &address, value);
    return (JSModuleDef *)(uintptr_t)address;
}

static JSValue new_record(JSContext *ctx, JSModuleDef *module)
{
    return module ? JS_NewUint32(ctx, (uint32_t)(uintptr_t)module) : JS_EXCEPTION;
}

/* compileModule(source, filename, whether its coverage may count) -> [record, name, requests, whether it has a top-level
 * await]; the requests are specifier and attributes, in turn */
static JSValue compile_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    JSValue parts[4];
    (void)this_value, (void)argc;
    if (JS_ToBool(ctx, argv[2]))
        coverage_begin(0);
    JSModuleDef *module = internals_module_compile(ctx, argv[0], argv[1], &parts[1]);
    if (coverage_end(ctx, module != NULL, argv[1])) {
        JS_FreeValue(ctx, parts[1]);
        internals_module_free(ctx, module);
        return JS_EXCEPTION;
    }
    if (!module)
        return JS_EXCEPTION;
    uint32_t count = internals_module_request_count(module);
    JSValue *requests = js_malloc(ctx, sizeof(JSValue) * (2 * count + 1));
    for (uint32_t i = 0; requests && i < count; i++)
        internals_module_request(ctx, module, i, &requests[2 * i], &requests[2 * i + 1]);
    parts[0] = new_record(ctx, module);
    parts[2] = requests ? native_array(ctx, (int)(2 * count), requests) : JS_EXCEPTION;
    parts[3] = JS_NewBool(ctx, internals_module_awaits(module));
    js_free(ctx, requests);
    JSValue array = native_array(ctx, 4, parts);
    if (JS_IsException(array))
        internals_module_free(ctx, module);
    return array;
}

/* syntheticModule(filename, values by name) -> record */
static JSValue synthetic_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return new_record(ctx, internals_module_synthetic(ctx, argv[0], argv[1]));
}

/* bindModule(record, number of the request, record) */
static JSValue bind_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t index;
    (void)this_value, (void)argc;
    JSModuleDef *module = record_of(ctx, argv[0]);
    if (JS_ToUint32(ctx, &index, argv[1]) || index >= internals_module_request_count(module))
        return JS_ThrowRangeError(ctx, "no such request");
    internals_module_bind(module, index, record_of(ctx, argv[2]));
    return JS_UNDEFINED;
}

static JSValue link_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return internals_module_link(ctx, record_of(ctx, argv[0])) ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue evaluate_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    JSValue promise = internals_module_evaluate(ctx, record_of(ctx, argv[0]));
    if (!guest.control.reason)
        return promise;
    /* The promise says only that the evaluation was cut off. */
    JS_FreeValue(ctx, promise);
    return ops_stop(ctx);
}

static JSValue module_namespace(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_GetModuleNamespace(ctx, record_of(ctx, argv[0]));
}

static JSValue module_meta(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_GetImportMeta(ctx, record_of(ctx, argv[0]));
}

static JSValue module_state(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    static const char *const names[] = {"new", "evaluating", "evaluated", "failed"};
    (void)this_value, (void)argc;
    return JS_NewString(ctx, names[internals_module_state(record_of(ctx, argv[0]))]);
}

/* freeModule(record) -> whether it could be: never inside a nested turn, whose outer one may be at work on it */
static JSValue free_module(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return JS_NewBool(ctx, guest.depth == 1 && internals_module_free(ctx, record_of(ctx, argv[0])));
}

/* compileFunction(expression, filename, in whose text so many bytes come before the program's own, or -1: its coverage
 * does not count) -> [its value, name]; the first line of the text counts as line 0 */
static JSValue compile_function(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    JSValue parts[2];
    int32_t head_bytes;
    (void)this_value, (void)argc;
    if (JS_ToInt32(ctx, &head_bytes, argv[2]))
        return JS_EXCEPTION;
    if (head_bytes >= 0)
        coverage_begin((size_t)head_bytes);
    parts[0] = internals_compile_function(ctx, argv[0], argv[1], &parts[1]);
    if (coverage_end(ctx, !JS_IsException(parts[0]), argv[1])) {
        JS_FreeValue(ctx, parts[0]);
        parts[0] = JS_EXCEPTION;
    }
    return native_array(ctx, 2, parts);
}

/* parseJSON(text, filename) */
static JSValue parse_json(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    size_t length;
    (void)this_value, (void)argc;
    const char *text = JS_ToCStringLen(ctx, &length, argv[0]), *filename = text ? JS_ToCString(ctx, argv[1]) : NULL;
    JSValue value = filename ? JS_ParseJSON(ctx, text, length, filename) : JS_EXCEPTION;
    JS_FreeCString(ctx, text);
    JS_FreeCString(ctx, filename);
    return value;
}

/* whenSettled(promise, fulfilled, rejected): both may be undefined */
static JSValue when_settled(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc;
    return internals_promise_then(ctx, argv[0], argv[1], argv[2]) ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue turn_number(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value, (void)argc, (void)argv;
    return JS_NewUint32(ctx, guest.turn);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("compileModule", 3, compile_module),
    JS_CFUNC_DEF("syntheticModule", 2, synthetic_module),
    JS_CFUNC_DEF("bindModule", 3, bind_module),
    JS_CFUNC_DEF("linkModule", 1, link_module),
    JS_CFUNC_DEF("evaluateModule", 1, evaluate_module),
    JS_CFUNC_DEF("moduleNamespace", 1, module_namespace),
    JS_CFUNC_DEF("moduleMeta", 1, module_meta),
    JS_CFUNC_DEF("moduleState", 1, module_state),
    JS_CFUNC_DEF("freeModule", 1, free_module),
    JS_CFUNC_DEF("compileFunction", 3, compile_function),
    JS_CFUNC_DEF("parseJSON", 2, parse_json),
    JS_CFUNC_DEF("whenSettled", 3, when_settled),
    JS_CFUNC_DEF("turn", 0, turn_number),
};

int modules_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int modules_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
