/* The WHATWG URL parser (ada) for the URL binding: components in, components out. */
#include "internals.h"

#include <stdlib.h>

#include "ada_c.h"
#include "utf8.h"

/* UTF-8 with lone surrogates replaced, as a USVString has it; free() it. */
static char *usv_string(JSContext *ctx, JSValueConst value, size_t *length)
{
    Text text;
    if (!internals_text(ctx, value, &text)) {
        if (!JS_HasException(ctx))
            JS_ThrowTypeError(ctx, "not a string");
        return NULL;
    }
    size_t read, room = utf8_encoded_bytes(text.units, text.length, text.wide);
    char *bytes = malloc(room + 1);
    if (!bytes) {
        guest.control.failed_allocations++;
        JS_ThrowOutOfMemory(ctx);
        return NULL;
    }
    *length = utf8_encode((uint8_t *)bytes, room, text.units, text.length, text.wide, false, &read);
    bytes[*length] = 0;
    return bytes;
}

static JSValue part(JSContext *ctx, ada_string string)
{
    return JS_NewStringLen(ctx, string.data, string.length);
}

enum { SCHEME_NOT_SPECIAL = 1, SCHEME_FILE = 6 };   /* of ada's numbers */

static JSValue origin_of(JSContext *ctx, ada_url url, ada_string href)
{
    uint8_t scheme = ada_get_scheme_type(url);
    if (scheme != SCHEME_NOT_SPECIAL && scheme != SCHEME_FILE && !ada_has_credentials(url))
        return JS_NewStringLen(ctx, href.data, ada_get_components(url)->pathname_start);
    ada_owned_string origin = ada_get_origin(url);
    JSValue text = JS_NewStringLen(ctx, origin.data, origin.length);
    ada_free_owned_string(origin);
    return text;
}

/* Takes `url`. */
static JSValue components(JSContext *ctx, ada_url url)
{
    if (!ada_is_valid(url)) {
        ada_free(url);
        return JS_UNDEFINED;
    }
    ada_string href = ada_get_href(url);
    JSValue hostname = part(ctx, ada_get_hostname(url));
    JSValue parts[] = {
        part(ctx, href), origin_of(ctx, url, href),
        part(ctx, ada_get_protocol(url)), part(ctx, ada_get_username(url)), part(ctx, ada_get_password(url)),
        ada_has_port(url) ? part(ctx, ada_get_host(url)) : JS_DupValue(ctx, hostname), hostname, part(ctx, ada_get_port(url)),
        part(ctx, ada_get_pathname(url)), part(ctx, ada_get_search(url)), part(ctx, ada_get_hash(url)),
    };
    ada_free(url);
    return native_array(ctx, sizeof(parts) / sizeof(parts[0]), parts);
}

static ada_url parse(JSContext *ctx, int argc, JSValueConst *argv)
{
    size_t input_length, base_length;
    char *input = usv_string(ctx, argv[0], &input_length), *base = NULL;
    ada_url url = NULL;
    if (!input)
        return NULL;
    if (argc < 2 || JS_IsUndefined(argv[1]))
        url = ada_parse(input, input_length);
    else if ((base = usv_string(ctx, argv[1], &base_length)))
        url = ada_parse_with_base(input, input_length, base, base_length);
    free(input);
    free(base);
    return url;
}

static JSValue url_parse(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    (void)this_value;
    ada_url url = parse(ctx, argc, argv);
    return url ? components(ctx, url) : JS_EXCEPTION;
}

static JSValue url_can_parse(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    size_t input_length, base_length;
    char *input = usv_string(ctx, argv[0], &input_length), *base = NULL;
    JSValue valid = JS_EXCEPTION;
    (void)this_value;
    if (!input)
        return JS_EXCEPTION;
    if (argc < 2 || JS_IsUndefined(argv[1]))
        valid = JS_NewBool(ctx, ada_can_parse(input, input_length));
    else if ((base = usv_string(ctx, argv[1], &base_length)))
        valid = JS_NewBool(ctx, ada_can_parse_with_base(input, input_length, base, base_length));
    free(input);
    free(base);
    return valid;
}

static bool set_search(ada_url url, const char *input, size_t length)
{
    ada_set_search(url, input, length);
    return true;
}

static bool set_hash(ada_url url, const char *input, size_t length)
{
    ada_set_hash(url, input, length);
    return true;
}

static const struct { const char *name; bool (*set)(ada_url, const char *, size_t); } setters[] = {
    {"href", ada_set_href}, {"protocol", ada_set_protocol}, {"username", ada_set_username},
    {"password", ada_set_password}, {"host", ada_set_host}, {"hostname", ada_set_hostname}, {"port", ada_set_port},
    {"pathname", ada_set_pathname}, {"search", set_search}, {"hash", set_hash},
};

/* urlSet(href, which, value): the components afterwards; undefined when the value cannot be set. */
static JSValue url_set(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    size_t length;
    (void)this_value, (void)argc;
    ada_url url = parse(ctx, 1, argv);
    char *value = url ? usv_string(ctx, argv[2], &length) : NULL;
    const char *which = value ? JS_ToCString(ctx, argv[1]) : NULL;
    JSValue result = JS_EXCEPTION;
    if (which) {
        bool known = false, done = false;
        for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]) && !known; i++) {
            known = !__builtin_strcmp(setters[i].name, which);
            if (known)
                done = setters[i].set(url, value, length);
        }
        if (!done)
            ada_free(url);
        result = done ? components(ctx, url) : JS_UNDEFINED;
        JS_FreeCString(ctx, which);
    } else if (url) {
        ada_free(url);
    }
    free(value);
    return result;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("urlParse", 2, url_parse),
    JS_CFUNC_DEF("urlCanParse", 2, url_can_parse),
    JS_CFUNC_DEF("urlSet", 3, url_set),
};

int url_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int url_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
