/* The exports: read the message, do one thing, leave. See abi.toml for what each takes. */
#include "internals.h"
#include "trace.h"

#include <string.h>

/* Leave a turn that began with `reader`; a message that broke the ABI is the host's fault and told by the status. */
static int32_t leave(Reader *reader)
{
    reader_close(reader);
    if (reader->malformed && JS_HasException(guest.context))
        JS_FreeValue(guest.context, JS_GetException(guest.context));
    engine_leave();
    return reader->malformed ? STATUS_MALFORMED : STATUS_OK;
}

EXPORT(boot) int32_t boot(void)
{
    return engine_boot();
}

EXPORT(start) int32_t start(void)
{
    engine_start();
    return STATUS_OK;
}

EXPORT(zone) int32_t zone(int32_t length)
{
    Reader reader;
    Bytes table;
    bool known = reader_open(&reader, (size_t)(uint32_t)length) && reader_bytes(&reader, &table) &&
                 reader_at_end(&reader) && zones_set(table);
    reader_close(&reader);
    return known ? STATUS_OK : STATUS_MALFORMED;
}

EXPORT(control) int32_t control(void)
{
    return (int32_t)(uintptr_t)&guest.control;
}

EXPORT(reserve) int32_t reserve(int32_t length)
{
    Buffer *inbox = &guest.inbox;
    if ((uint32_t)length < 4096)
        length = 4096;
    if (!guest.booting && inbox->room > 65536 && (uint32_t)length <= 65536)
        buffer_trim(inbox, 65536);
    bool room = (uint32_t)length <= CAP_MESSAGE_BYTES &&
                (guest.booting ? (uint32_t)length < inbox->room : buffer_reserve(inbox, (size_t)(uint32_t)length + 1));
    engine_show_inbox();
    if (!room) {
        guest.control.failed_allocations++;
        return 0;
    }
    return (int32_t)guest.control.inbox;
}

EXPORT(define_module) int32_t define_module(int32_t length)
{
    Reader reader;
    Bytes name, text;
    if (!engine_enter())
        return STATUS_FAILED;
    if (reader_open(&reader, (size_t)(uint32_t)length) && reader_bytes(&reader, &name)) {
        bool source = reader_is_text(&reader);
        reader.malformed = !guest.booting;
        if (!reader.malformed && reader_bytes(&reader, &text) && reader_at_end(&reader) &&
            (source ? modules_define(guest.context, name, text) : modules_define_bytecode(guest.context, text)))
            failures_report_pending(OP_FAIL, 0);
    }
    return leave(&reader);
}

EXPORT(compile) int32_t compile_module(int32_t length)
{
    Reader reader;
    Bytes name;
    if (!engine_enter())
        return STATUS_FAILED;
    if (reader_open(&reader, (size_t)(uint32_t)length) && reader_bytes(&reader, &name)) {
        if (guest.booting)
            jobs_begin_run(0, modules_compile(guest.context, name), RUN_PLAIN);
        else
            reader.malformed = true;
    }
    return leave(&reader);
}

EXPORT(install) int32_t install(int32_t length)
{
    Reader reader;
    Bytes name;
    char text[64] = "";
    if (!engine_enter())
        return STATUS_FAILED;
    if (reader_open(&reader, (size_t)(uint32_t)length) && reader_bytes(&reader, &name)) {
        reader.malformed = !guest.booting || name.length >= sizeof(text);
        if (reader.malformed)
            return leave(&reader);
        memcpy(text, name.data, name.length);
        reader_close(&reader);
        JSValue module = JS_LoadModule(guest.context, "", text);
        jobs_begin_run(0, module, RUN_PLAIN);
        jobs_pump();
        engine_seal();
    }
    return leave(&reader);
}

/* What a function that the host holds makes of a completion value, which it takes over. */
static JSValue received(uint32_t receiver, JSValue value)
{
    JSContext *ctx = guest.context;
    if (JS_IsException(value))
        return value;
    JSValue function = handles_get(ctx, receiver);
    JSValue result = JS_IsException(function) ? function : JS_Call(ctx, function, JS_UNDEFINED, 1, (JSValueConst *)&value);
    JS_FreeValue(ctx, function);
    JS_FreeValue(ctx, value);
    return result;
}

static JSValue compile_traced(Bytes code, const char *filename, uint32_t run, uint32_t what, bool *asynchronous)
{
    JSContext *ctx = guest.context;
    if (!trace_begin(run, what, code))
        return JS_EXCEPTION;
    JSValue function = scripts_compile(code, filename, what, asynchronous);
    trace_compiled();
    if (JS_IsException(function) || !(what & EVALUATION_NAMES))
        return function;
    Frame frame;
    JSValue names = internals_declared(ctx, function);
    if (!JS_IsException(names) && !encode_message(ctx, frame_begin(&frame), names, false)) {
        frame_commit(&frame, OP_NAMES, run);
    } else {
        if (!JS_IsException(names))
            frame_drop(&frame);
        JS_FreeValue(ctx, function);
        function = JS_EXCEPTION;
    }
    JS_FreeValue(ctx, names);
    return function;
}

EXPORT(eval) int32_t eval(int32_t run, int32_t length)
{
    Reader reader;
    Bytes filename, code;
    uint32_t what = 0, receiver = 0;
    char name[256];
    if (!engine_enter())
        return STATUS_FAILED;
    if (reader_open(&reader, (size_t)(uint32_t)length) && reader_bytes(&reader, &filename) &&
        reader_bytes(&reader, &code) && (reader.at == reader.end || reader_unsigned(&reader, &what)) &&
        (reader.at == reader.end || reader_unsigned(&reader, &receiver)) &&
        reader_at_end(&reader)) {
        bool asynchronous = false;
        size_t size = filename.length < sizeof(name) - 1 ? filename.length : sizeof(name) - 1;
        memcpy(name, filename.data, size);
        name[size] = 0;
        /* The compiler wants its text to end with a zero, where the message goes on. */
        ((char *)code.data)[code.length] = 0;
        JSValue function = compile_traced(code, name, (uint32_t)run, what, receiver ? NULL : &asynchronous);
        reader_close(&reader);
        JSValue value = JS_IsException(function) ? function : JS_EvalFunction(guest.context, function);
        jobs_begin_run((uint32_t)run, receiver ? received(receiver, value) : value, asynchronous ? RUN_SCRIPT : RUN_PLAIN);
    }
    return leave(&reader);
}

EXPORT(module) int32_t module(int32_t run, int32_t length)
{
    JSContext *ctx = guest.context;
    Reader reader;
    JSValue parts[3];
    int count = 0;
    if (!engine_enter())
        return STATUS_FAILED;
    bool ok = reader_open(&reader, (size_t)(uint32_t)length);
    while (ok && count < 3 && !JS_IsException(parts[count] = reader_value(&reader)))
        count++;
    ok = count == 3 && reader_at_end(&reader);
    reader_close(&reader);
    if (ok)
        jobs_begin_run((uint32_t)run, hooks_call(ctx, HOOK_IMPORT_ENTRY, 3, (JSValueConst *)parts), RUN_BOXED);
    else if (!reader.malformed)
        failures_report_pending(OP_FAIL, (uint32_t)run);
    while (count--)
        JS_FreeValue(ctx, parts[count]);
    return leave(&reader);
}

/* The value at a dotted path from globalThis, and the object it was read from. Getters on the way are guest code: the
 * reader of the path must stay open. */
static JSValue walk(Bytes path, JSValue *owner)
{
    JSContext *ctx = guest.context;
    JSValue at = JS_GetGlobalObject(ctx);
    *owner = JS_UNDEFINED;
    for (const char *key = path.data, *end = path.data + path.length; !JS_IsException(at);) {
        const char *dot = memchr(key, '.', end - key);
        JSAtom atom = JS_NewAtomLen(ctx, key, (dot ? dot : end) - key);
        JS_FreeValue(ctx, *owner);
        *owner = at;
        at = atom == JS_ATOM_NULL ? JS_EXCEPTION : JS_GetProperty(ctx, at, atom);
        if (JS_IsUndefined(at) && key == path.data) {
            /* Not a property of globalThis: perhaps a top-level let, const or class. */
            const char *name = JS_AtomToCString(ctx, atom);
            at = name ? JS_Eval(ctx, name, strlen(name), "<call>", JS_EVAL_TYPE_GLOBAL) : JS_EXCEPTION;
            JS_FreeCString(ctx, name);
        }
        JS_FreeAtom(ctx, atom);
        if (!dot)
            break;
        key = dot + 1;
    }
    return at;
}

EXPORT(call) int32_t call(int32_t run, int32_t length)
{
    JSContext *ctx = guest.context;
    Reader reader;
    Bytes path = {0};
    uint32_t handle = 0, count = 0;
    if (!engine_enter())
        return STATUS_FAILED;
    bool ok = reader_open(&reader, (size_t)(uint32_t)length);
    bool by_path = ok && reader_is_text(&reader);
    ok = ok && (by_path ? reader_bytes(&reader, &path) : reader_unsigned(&reader, &handle));
    JSValue this_value = ok ? reader_value(&reader) : JS_EXCEPTION;
    JSValue *arguments = JS_IsException(this_value) ? NULL : reader_array(&reader, &count);
    if (arguments) {
        JSValue owner = JS_UNDEFINED;
        JSValue function = !reader_at_end(&reader) ? JS_EXCEPTION
                           : by_path ? walk(path, &owner)
                           : handle ? handles_get(ctx, handle)
                                    : JS_DupValue(ctx, guest.hooks[HOOK_ENTRY]);
        reader_close(&reader);
        JSValue result = JS_IsException(function)
                             ? function
                             : JS_Call(ctx, function, by_path ? owner : this_value, (int)count, (JSValueConst *)arguments);
        JS_FreeValue(ctx, function);
        JS_FreeValue(ctx, owner);
        for (uint32_t i = 0; i < count; i++)
            JS_FreeValue(ctx, arguments[i]);
        js_free(ctx, arguments);
        if (!reader.malformed)
            jobs_begin_run((uint32_t)run, result, RUN_PLAIN);
    } else if (!reader.malformed) {
        failures_report_pending(OP_FAIL, (uint32_t)run);
    }
    JS_FreeValue(ctx, this_value);
    return leave(&reader);
}

static JSValue own_keys(JSContext *ctx, JSValueConst object)
{
    JSPropertyEnum *keys;
    uint32_t count;
    if (JS_GetOwnPropertyNames(ctx, &keys, &count, object, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return JS_EXCEPTION;
    JSValue array = JS_NewArray(ctx);
    /* Without a prototype: a promise of it must not ask the guest's Array.prototype for `then`. */
    if (!JS_IsException(array) && JS_SetPrototype(ctx, array, JS_NULL) < 0) {
        JS_FreeValue(ctx, array);
        array = JS_EXCEPTION;
    }
    for (uint32_t i = 0; i < count && !JS_IsException(array); i++) {
        JSValue name = JS_AtomToString(ctx, keys[i].atom);
        if (JS_IsException(name) || JS_DefinePropertyValueUint32(ctx, array, i, name, JS_PROP_C_W_E) < 0) {
            JS_FreeValue(ctx, array);
            array = JS_EXCEPTION;
        }
    }
    JS_FreePropertyEnum(ctx, keys, count);
    return array;
}

static JSValue step(JSContext *ctx, JSValueConst iterator, JSAtom method, JSValueConst value)
{
    JSValue name = JS_AtomToString(ctx, method);
    if (JS_IsException(name))
        return name;
    JSValueConst parts[3] = {iterator, name, value};
    JSValue result = hooks_call(ctx, HOOK_STEP, 3, parts);
    JS_FreeValue(ctx, name);
    return result;
}

static JSValue construct(JSContext *ctx, JSValueConst class, JSValueConst arguments)
{
    JSValue *values;
    uint32_t count;
    if (!JS_IsArray(arguments) || !internals_fast_array(arguments, &values, &count))
        return JS_ThrowTypeError(ctx, "construct: not an argument array");
    return JS_CallConstructor(ctx, class, (int)count, (JSValueConst *)values);
}

/* Names and values in turn, in an array without a prototype. */
static JSValue bindings(JSContext *ctx, JSValueConst names)
{
    JSValue *wanted;
    uint32_t count, filled = 0;
    if (!JS_IsArray(names) || !internals_fast_array(names, &wanted, &count))
        return JS_ThrowTypeError(ctx, "bindings: not an array of names");
    JSValue array = JS_NewArray(ctx);
    if (JS_IsException(array) || JS_SetPrototype(ctx, array, JS_NULL) < 0) {
        JS_FreeValue(ctx, array);
        return JS_EXCEPTION;
    }
    for (uint32_t i = 0; i < count; i++) {
        JSAtom name = JS_ValueToAtom(ctx, wanted[i]);
        JSValue value = name == JS_ATOM_NULL ? JS_EXCEPTION : internals_binding(ctx, name);
        JS_FreeAtom(ctx, name);
        if (JS_VALUE_GET_TAG(value) == JS_TAG_UNINITIALIZED)
            continue;
        if (JS_IsException(value) ||
            JS_DefinePropertyValueUint32(ctx, array, filled++, JS_DupValue(ctx, wanted[i]), JS_PROP_C_W_E) < 0 ||
            JS_DefinePropertyValueUint32(ctx, array, filled++, JS_DupValue(ctx, value), JS_PROP_C_W_E) < 0) {
            JS_FreeValue(ctx, value);
            JS_FreeValue(ctx, array);
            return JS_EXCEPTION;
        }
        JS_FreeValue(ctx, value);
    }
    return array;
}

static JSValue access_property(JSContext *ctx, uint32_t verb, JSValueConst object, JSAtom key, JSValue value)
{
    int answer;
    JSValue result;
    switch (verb) {
    case VERB_GET:
        result = JS_GetProperty(ctx, object, key);
        break;
    case VERB_SET: /* takes the value */
        answer = JS_SetProperty(ctx, object, key, value);
        return answer < 0 ? JS_EXCEPTION : JS_UNDEFINED;
    case VERB_FREEZE:
        if (internals_freeze(ctx, value)) {
            JS_FreeValue(ctx, value);
            return JS_EXCEPTION;
        }
        answer = JS_SetProperty(ctx, object, key, value);
        return answer < 0 ? JS_EXCEPTION : JS_UNDEFINED;
    case VERB_DELETE:
        answer = JS_DeleteProperty(ctx, object, key, 0);
        result = answer < 0 ? JS_EXCEPTION : JS_NewBool(ctx, answer);
        break;
    case VERB_HAS:
        answer = JS_HasProperty(ctx, object, key);
        result = answer < 0 ? JS_EXCEPTION : JS_NewBool(ctx, answer);
        break;
    case VERB_KEYS:
        result = own_keys(ctx, object);
        break;
    case VERB_CONSTRUCT:
        result = construct(ctx, object, value);
        break;
    case VERB_BINDINGS:
    case VERB_LOOK:
        result = bindings(ctx, value);
        break;
    case VERB_WHERE:
        if (JS_VALUE_GET_TAG(value) == JS_TAG_INT)
            stacks_tell_hanging((uint32_t)JS_VALUE_GET_INT(value));
        result = JS_UNDEFINED;
        break;
    case VERB_STEP:
    case VERB_OPEN:
        result = step(ctx, object, key, value);
        break;
    default:
        result = JS_DupValue(ctx, object);
        break;
    }
    JS_FreeValue(ctx, value);
    return result;
}

EXPORT(access) int32_t access(int32_t run, int32_t length)
{
    JSContext *ctx = guest.context;
    Reader reader;
    uint32_t verb, handle;
    if (!engine_enter())
        return STATUS_FAILED;
    if (reader_open(&reader, (size_t)(uint32_t)length) && reader_unsigned(&reader, &verb) && reader_unsigned(&reader, &handle)) {
        JSValue key = reader_value(&reader);
        JSValue value = JS_IsException(key) ? JS_EXCEPTION : reader_value(&reader);
        reader.malformed |= verb > VERB_WHERE;
        if (!JS_IsException(value) && !reader.malformed && reader_at_end(&reader)) {
            reader_close(&reader);
            JSValue object = handle ? handles_get(ctx, handle) : JS_GetGlobalObject(ctx);
            JSAtom atom = JS_IsException(object) ? JS_ATOM_NULL : JS_ValueToAtom(ctx, key);
            if (atom == JS_ATOM_NULL)
                JS_FreeValue(ctx, value);
            JSValue result = atom == JS_ATOM_NULL ? JS_EXCEPTION : access_property(ctx, verb, object, atom, value);
            if (verb == VERB_OPEN && !JS_IsException(result)) {
                handles_replace(ctx, handle, result);
                result = JS_UNDEFINED;
            }
            jobs_begin_run((uint32_t)run, result, verb == VERB_LOOK ? RUN_QUIET : RUN_PLAIN);
            JS_FreeAtom(ctx, atom);
            JS_FreeValue(ctx, object);
        } else {
            JS_FreeValue(ctx, value);
            if (!reader.malformed)
                failures_report_pending(OP_FAIL, (uint32_t)run);
        }
        JS_FreeValue(ctx, key);
    }
    return leave(&reader);
}

EXPORT(settle) int32_t settle(int32_t request, int32_t outcome, int32_t length)
{
    JSContext *ctx = guest.context;
    Reader reader;
    if (!engine_enter())
        return STATUS_FAILED;
    JSValue value = reader_open(&reader, (size_t)(uint32_t)length) ? reader_value(&reader) : JS_EXCEPTION;
    if (JS_IsException(value) && !reader.malformed) {
        /* The answer does not fit into the guest, or its turn is over: that is how the request fails. What follows is
         * not read. */
        value = JS_GetException(ctx);
        JS_ClearUncatchableError(ctx, value);
        outcome = guest.control.reason ? STATUS_ABORTED : outcome == STATUS_OK ? STATUS_FAILED : outcome;
        reader.at = reader.end;
    }
    if (outcome == STATUS_FORGET && !reader.malformed) {
        stacks_tell_awaiting((uint32_t)request);
        JS_FreeValue(ctx, value);
        value = JS_UNINITIALIZED;
    }
    if (reader.malformed || !reader_at_end(&reader))
        JS_FreeValue(ctx, value);
    else if (ops_settle((uint32_t)request, (Status)outcome, value))
        failures_report_pending(OP_UNCAUGHT, 0);
    return leave(&reader);
}

EXPORT(abandon) int32_t abandon(int32_t run, int32_t length)
{
    (void)length;
    if (!engine_enter())
        return STATUS_FAILED;
    jobs_abandon((uint32_t)run);
    engine_leave();
    return STATUS_OK;
}

EXPORT(release) int32_t release(int32_t length)
{
    Reader reader;
    if (!engine_enter())
        return STATUS_FAILED;
    if (reader_open(&reader, (size_t)(uint32_t)length)) {
        uint32_t id;
        while (reader.at < reader.end && reader_unsigned(&reader, &id))
            handles_release(id);
    }
    return leave(&reader);
}

EXPORT(resume) int32_t resume(int32_t length)
{
    Reader reader;
    Registry kept = {0};
    uint32_t id;
    bool room = true;
    if (!engine_enter())
        return STATUS_FAILED;
    engine_resume();
    if (reader_open(&reader, (size_t)(uint32_t)length)) {
        while (room && reader.at < reader.end && reader_unsigned(&reader, &id))
            room = handles_keep(id, &kept);
        handles_replace_all(&kept);
    }
    return leave(&reader);
}

EXPORT(collect) int32_t collect(void)
{
    if (!engine_enter())
        return STATUS_FAILED;
    JS_RunGC(guest.runtime);
    engine_leave();
    return STATUS_OK;
}
