/* The engine, compiled together with the few accessors that need to see inside it. All of these stand here, for only
 * what is compiled together with the engine sees its types and static functions. */
#include <sys/time.h>
#include <time.h>

/* The engine tells the time by the sandbox's clock, see wasi.c. */
int guest_gettimeofday(struct timeval *restrict out, void *restrict zone);
int guest_clock_gettime(clockid_t id, struct timespec *out);
#define gettimeofday guest_gettimeofday
#define clock_gettime guest_clock_gettime

#include <stdbool.h>
#include <stddef.h>
#include "quickjs.h"
bool engine_has_room(size_t source_bytes);     /* before a source text is compiled; see engine.c */
bool engine_ran_out(JSContext *ctx);           /* while one is compiled; see there */
bool engine_loads_modules(void);               /* whether the engine's own loader may be asked; see modules.c */
JSValue engine_import_job(JSContext *ctx, int argc, JSValueConst *argv); /* a dynamic import; see modules.c */
JSAtom engine_importer_name(JSContext *ctx);   /* the file of the code that imports; see below */
int64_t zones_offset_ms(int64_t utc_ms);       /* of local time from UTC; see zones.c */
int64_t zones_local_offset_ms(int64_t local_ms);

/* Built-in functions run no bytecode, which polls. Where one can go on for long, a patch has it say how much work it has
 * done, in bytes that were read or written, so that the next poll comes sooner; or poll on the spot: not 0, with the
 * exception pending, when the turn is to be unwound; or learn that this has happened in something it called. */
void engine_weigh(size_t bytes);
int engine_poll(size_t bytes);
bool engine_is_stopped(void);
bool engine_is_due(void);                      /* whether a poll would unwind the turn; see engine.c */
static inline int js_poll_interrupts(JSContext *ctx);

/* The engine watches the stack that lies in linear memory. A recursive function that keeps most of what it has in wasm
 * locals uses little of it, but much of wasmtime's own: this has it take some more. */
#define ENGINE_FRAME(bytes) char frame[bytes]; __asm__ volatile("" : : "r"(frame) : "memory")

/* There is one thread, so Atomics lock nothing; that it may not wait, the engine knows without locks. */
#ifdef __wasi__
typedef struct {char unused;} js_once_t, js_mutex_t, js_cond_t;
#define JS_ONCE_INIT {0}
#define js_once(guard, callback) (callback())
#define js_mutex_init(mutex) ((void)(mutex))
#define js_mutex_lock(mutex) ((void)(mutex))
#define js_mutex_unlock(mutex) ((void)(mutex))
#define js_cond_init(condition) ((void)(condition))
#define js_cond_destroy(condition) ((void)(condition))
#define js_cond_signal(condition) ((void)(condition))
#define js_cond_wait(condition, mutex) ((void)(condition))
#define js_cond_timedwait(condition, mutex, timeout) (-1)
#endif

#include "interpreter.h"
#include "trace.h"
struct JSAsyncFunctionData;
static void suspended_dropped(JSRuntime *rt, struct JSAsyncFunctionData *function);   /* see suspended.h */
static void suspended_awaits(JSRuntime *rt, struct JSAsyncFunctionData *function, JSValueConst promise);
static void suspended_freed(JSRuntime *rt, JSValueConst promise);
#include "quickjs.c"
#include "dead_zones.h"
#include "suspended.h"

int iteration_made(JSContext *ctx, JSValue *record)
{
    JSValue iterator = js_create_array_iterator(ctx, record[0], 0, NULL, JS_ITERATOR_KIND_VALUE);
    JSArrayIteratorData *data = JS_GetOpaque(iterator, JS_CLASS_ARRAY_ITERATOR);
    if (!data)
        return -1;
    data->idx = (uint32_t)JS_VALUE_GET_INT(record[1]);
    JS_FreeValue(ctx, record[0]);
    record[0] = iterator;
    return 0;
}

#include "internals.h"
#include "kept_records.h"

#define BYTES_A_POLL_STEP 32    /* as much work as the steps of bytecode between which the engine's counter is counted down */
#define LONGEST_WEIGHT (1 << 30)
#define BYTES_A_LOOK (16 << 10)   /* between two looks at the clock, which take as long as some hundred bytes */
#define LEAST_BYTES 64            /* what counts for each loop, however short */

void engine_weigh(size_t bytes)
{
    JSContext *ctx = guest.context;
    int steps = (int)((bytes < LONGEST_WEIGHT ? bytes : LONGEST_WEIGHT) / BYTES_A_POLL_STEP);
    guest.weighed += (unsigned)steps;
    if (ctx && ctx->interrupt_counter > 0)
        ctx->interrupt_counter -= steps;
}

uint32_t internals_weighed_checks(void)
{
    uint32_t checks = (uint32_t)(guest.weighed / JS_INTERRUPT_COUNTER_INIT);
    guest.weighed = 0;
    return checks;
}

int engine_poll(size_t bytes)
{
    engine_weigh(bytes);
    return guest.context ? js_poll_interrupts(guest.context) : 0;    /* none yet while it is made */
}

int engine_watch(Watch *watch, size_t bytes)
{
    uint32_t entries = guest.entries;
    engine_weigh(bytes);
    if (watch->alone) {
        guest.unseen_bytes += bytes + LEAST_BYTES;
        if (guest.unseen_bytes < BYTES_A_LOOK)
            return 0;
        guest.unseen_bytes = 0;
        if (!engine_is_due())
            return 0;
        guest.context->interrupt_counter = 0;
    }
    if (js_poll_interrupts(guest.context))
        return -1;
    watch->again = guest.entries != entries;
    return watch->again ? -1 : 0;
}

bool engine_is_stopped(void)
{
    return guest.control.reason != REASON_NONE;
}

bool internals_text(JSContext *ctx, JSValueConst string, Text *out)
{
    JSString *s;
    if (JS_VALUE_GET_TAG(string) == JS_TAG_STRING_ROPE) {
        JSStringRope *rope = JS_VALUE_GET_STRING_ROPE(string);
        JSValue flat = js_linearize_string_rope(ctx, string);
        if (JS_IsException(flat))
            return false;
        /* The rope keeps its flat form, so that the text may be borrowed from it. */
        JSValue left = rope->left, right = rope->right;
        rope->left = flat;
        rope->right = JS_AtomToString(ctx, JS_ATOM_empty_string);
        JS_FreeValue(ctx, left);
        JS_FreeValue(ctx, right);
        s = JS_VALUE_GET_STRING(flat);
    } else if (JS_VALUE_GET_TAG(string) == JS_TAG_STRING) {
        s = JS_VALUE_GET_STRING(string);
    } else {
        return false;
    }
    *out = (Text){.units = strv(s), .length = s->len, .wide = s->is_wide_char};
    return true;
}

JSValue internals_string_new(JSContext *ctx, size_t length, bool wide, void **units)
{
    if (length > JS_STRING_LEN_MAX)
        return JS_ThrowRangeError(ctx, "invalid string length");
    if (!length)
        return js_empty_string(ctx->rt);
    JSString *s = js_alloc_string(ctx, (int)length, wide);
    if (!s)
        return JS_EXCEPTION;
    *units = strv(s);
    if (!wide)
        str8(s)[length] = 0;
    return JS_MKPTR(JS_TAG_STRING, s);
}

JSValue internals_string_cut(JSContext *ctx, JSValue string, size_t length)
{
    JSString *s = JS_VALUE_GET_STRING(string);
    if (length == s->len)
        return string;
    if (!length) {
        JS_FreeValue(ctx, string);
        return js_empty_string(ctx->rt);
    }
    bool wide = s->is_wide_char;
#ifdef ENABLE_DUMPS
    list_del(&s->link);    /* of all strings; see the sanitized build */
#endif
    JSString *cut = js_realloc_rt(ctx->rt, s, sizeof(JSString) + (length << wide) + !wide);
    s = cut ? cut : s;
#ifdef ENABLE_DUMPS
    list_add_tail(&s->link, &ctx->rt->string_list);
#endif
    s->len = length;
    if (!wide)
        str8(s)[length] = 0;
    return JS_MKPTR(JS_TAG_STRING, s);
}

JSValue internals_bytes_adopt(JSContext *ctx, uint8_t *bytes, size_t length)
{
    JSValue buffer = js_array_buffer_constructor3(ctx, JS_UNDEFINED, length, NULL, JS_CLASS_ARRAY_BUFFER, bytes,
                                                  js_array_buffer_realloc, NULL, false);
    if (JS_IsException(buffer))
        js_free(ctx, bytes);
    return js_new_uint8array(ctx, buffer);
}

bool internals_atom_text(JSContext *ctx, JSAtom atom, Text *out)
{
    if (__JS_AtomIsTaggedInt(atom))
        return false;
    JSAtomStruct *s = ctx->rt->atom_array[atom];
    if (s->atom_type != JS_ATOM_TYPE_STRING)
        return false;
    *out = (Text){.units = strv(s), .length = s->len, .wide = s->is_wide_char};
    return true;
}

bool internals_atom_index(JSAtom atom, uint32_t *index)
{
    if (!__JS_AtomIsTaggedInt(atom))
        return false;
    *index = __JS_AtomToUInt32(atom);
    return true;
}

bool internals_fast_array(JSValueConst value, JSValue **values, uint32_t *count)
{
    JSObject *p = JS_VALUE_GET_OBJ(value);
    if (p->class_id != JS_CLASS_ARRAY || !p->fast_array)
        return false;
    *values = p->u.array.u.values;
    *count = p->u.array.count;
    /* A length beyond the dense part means holes at the end. */
    return JS_VALUE_GET_TAG(p->prop[0].u.value) == JS_TAG_INT && (uint32_t)JS_VALUE_GET_INT(p->prop[0].u.value) == *count;
}

enum { INDEX_DIGITS = 10 }; /* of array indexes that are too large for an integer atom */

bool internals_properties_open(JSContext *ctx, JSValueConst object, Properties *out)
{
    JSObject *p = JS_VALUE_GET_OBJ(object);
    JSShape *shape = p->shape;
    if (p->is_exotic || p->fast_array || !shape->is_hashed)
        return false;
    uint32_t count = 0, index;
    JSShapeProperty *property = get_shape_prop(shape);
    for (int i = 0; i < shape->prop_count; i++, property++) {
        if (property->atom == JS_ATOM_NULL || !(property->flags & JS_PROP_ENUMERABLE))
            continue;
        if (__JS_AtomIsTaggedInt(property->atom) || (property->flags & JS_PROP_TMASK) != JS_PROP_NORMAL)
            return false;
        JSAtomStruct *name = ctx->rt->atom_array[property->atom];
        if (name->atom_type != JS_ATOM_TYPE_STRING)
            continue;
        if (name->len == INDEX_DIGITS && JS_AtomIsArrayIndex(ctx, &index, property->atom))
            return false;
        count++;
    }
    /* While the cursor holds the hashed shape, a change to the object gives the object another shape. */
    *out = (Properties){.shape = js_dup_shape(shape), .index = 0, .count = count};
    return true;
}

bool internals_properties_next(JSContext *ctx, JSValueConst object, Properties *cursor, JSAtom *key, JSValue *value)
{
    JSShape *shape = cursor->shape;
    JSObject *p = JS_VALUE_GET_OBJ(object);
    while (cursor->index < shape->prop_count) {
        int i = cursor->index++;
        JSShapeProperty *property = &get_shape_prop(shape)[i];
        if (property->atom == JS_ATOM_NULL || !(property->flags & JS_PROP_ENUMERABLE))
            continue;
        if (ctx->rt->atom_array[property->atom]->atom_type != JS_ATOM_TYPE_STRING)
            continue;
        *key = property->atom;
        *value = p->shape == shape ? js_dup(p->prop[i].u.value) : JS_GetProperty(ctx, object, property->atom);
        return true;
    }
    return false;
}

Properties internals_properties_behind(JSValueConst object, int at)
{
    return (Properties){.shape = js_dup_shape(JS_VALUE_GET_OBJ(object)->shape), .index = at + 1};
}

void internals_properties_close(JSContext *ctx, Properties *cursor)
{
    js_free_shape(ctx->rt, cursor->shape);
}

bool internals_bigint_bytes(JSValueConst value, const uint8_t **bytes, size_t *length, int32_t *small)
{
    if (JS_VALUE_GET_TAG(value) == JS_TAG_SHORT_BIG_INT) {
        *small = JS_VALUE_GET_SHORT_BIG_INT(value);
        *bytes = (const uint8_t *)small;
        *length = sizeof(*small);
        return true;
    }
    if (JS_VALUE_GET_TAG(value) != JS_TAG_BIG_INT)
        return false;
    JSBigInt *p = JS_VALUE_GET_PTR(value);
    *bytes = (const uint8_t *)p->tab;
    *length = p->len * sizeof(p->tab[0]);
    return true;
}

JSValue internals_bigint_new(JSContext *ctx, const uint8_t *bytes, size_t length)
{
    size_t limbs = (length + sizeof(js_limb_t) - 1) / sizeof(js_limb_t);
    if (!length)
        return JS_NewBigInt64(ctx, 0);
    if (limbs > JS_BIGINT_MAX_SIZE)
        return JS_ThrowRangeError(ctx, "BigInt is too large to allocate");
    JSBigInt *p = js_bigint_new(ctx, limbs);
    if (!p)
        return JS_EXCEPTION;
    memset(p->tab, bytes[length - 1] & 0x80 ? 0xff : 0, limbs * sizeof(p->tab[0]));
    memcpy(p->tab, bytes, length);
    p = js_bigint_normalize(ctx, p);
    return p ? JS_CompactBigInt(ctx, p) : JS_EXCEPTION;
}

bool internals_collection(JSContext *ctx, JSValueConst value, JSValue **values, uint32_t *count)
{
    JSObject *p = JS_VALUE_GET_OBJ(value);
    JSMapState *state = p->u.map_state;
    bool map = p->class_id == JS_CLASS_MAP;
    struct list_head *el;
    uint32_t at = 0;

    *values = NULL;
    *count = 0;
    if (!state->record_count)
        return true;
    JSValue *copies = js_malloc(ctx, sizeof(JSValue) * state->record_count * (map ? 2 : 1));
    if (!copies)
        return false;
    list_for_each(el, &state->records) {
        JSMapRecord *record = list_entry(el, JSMapRecord, link);
        if (record->empty)
            continue;
        copies[at++] = js_dup(record->key);
        if (map)
            copies[at++] = js_dup(record->value);
    }
    *values = copies;
    *count = at;
    return true;
}

bool internals_regexp(JSContext *ctx, JSValueConst value, JSValue *source, JSValue *flags)
{
    static const struct { int bit; char letter; } letters[] = {
        {LRE_FLAG_INDICES, 'd'}, {LRE_FLAG_GLOBAL, 'g'}, {LRE_FLAG_IGNORECASE, 'i'}, {LRE_FLAG_MULTILINE, 'm'},
        {LRE_FLAG_DOTALL, 's'}, {LRE_FLAG_UNICODE, 'u'}, {LRE_FLAG_UNICODE_SETS, 'v'}, {LRE_FLAG_STICKY, 'y'},
    };
    JSObject *p = JS_VALUE_GET_OBJ(value);
    if (p->class_id != JS_CLASS_REGEXP)
        return false;
    int bits = lre_get_flags(str8(p->u.regexp.bytecode));
    char text[16];
    size_t length = 0;
    for (size_t i = 0; i < countof(letters); i++) {
        if (bits & letters[i].bit)
            text[length++] = letters[i].letter;
    }
    *source = js_dup(JS_MKPTR(JS_TAG_STRING, p->u.regexp.pattern));
    *flags = JS_NewStringLen(ctx, text, length);
    return true;
}

bool internals_date_ms(JSValueConst value, double *ms)
{
    JSObject *p = JS_VALUE_GET_OBJ(value);
    if (p->class_id != JS_CLASS_DATE)
        return false;
    JSValue data = p->u.object_data;
    *ms = JS_VALUE_GET_TAG(data) == JS_TAG_INT ? JS_VALUE_GET_INT(data) : JS_VALUE_GET_FLOAT64(data);
    return true;
}

bool internals_view(JSValueConst view, const uint8_t **bytes, size_t *length)
{
    JSTypedArray *state = JS_VALUE_GET_OBJ(view)->u.typed_array;
    JSArrayBuffer *buffer = state->buffer->u.array_buffer;
    size_t size = buffer->detached ? 0 : buffer->byte_length, unit = 1;
    int class_id = JS_VALUE_GET_OBJ(view)->class_id;
    if (class_id != JS_CLASS_DATAVIEW)
        unit = (size_t)1 << typed_array_size_log2(class_id);
    if (buffer->detached || state->offset > size)
        return false;
    *length = state->track_rab ? (size - state->offset) / unit * unit : state->length;
    *bytes = buffer->data ? buffer->data + state->offset : NULL;
    return *length <= size - state->offset;
}

bool internals_view_tracks(JSValueConst view)
{
    return JS_VALUE_GET_OBJ(view)->u.typed_array->track_rab;
}

bool internals_is_buffer_source(JSValueConst value)
{
    int class_id = JS_VALUE_GET_TAG(value) == JS_TAG_OBJECT ? JS_VALUE_GET_OBJ(value)->class_id : 0;
    return class_id == JS_CLASS_ARRAY_BUFFER || class_id == JS_CLASS_SHARED_ARRAY_BUFFER ||
           class_id == JS_CLASS_DATAVIEW || is_typed_array(class_id);
}

/* The buffer of a buffer source, which may be one itself. */
static JSArrayBuffer *buffer_of(JSValueConst source)
{
    JSObject *p = JS_VALUE_GET_OBJ(source);
    return internals_is_buffer(source) ? p->u.array_buffer : p->u.typed_array->buffer->u.array_buffer;
}

bool internals_is_shared(JSValueConst source)
{
    return buffer_of(source)->shared;
}

bool internals_is_detached(JSValueConst source)
{
    return buffer_of(source)->detached;
}

bool internals_buffer_source(JSValueConst source, uint8_t **bytes, size_t *length)
{
    JSArrayBuffer *buffer = buffer_of(source);
    const uint8_t *data = buffer->data;
    *length = buffer->detached ? 0 : (size_t)buffer->byte_length;
    if (!internals_is_buffer(source) && !internals_view(source, &data, length))
        *length = 0;
    *bytes = *length ? (uint8_t *)data : NULL;
    return !buffer->immutable;
}

uint32_t internals_references(JSValueConst object)
{
    return (uint32_t)JS_REF_COUNT(JS_VALUE_GET_PTR(object));
}

const char *internals_error_class(JSContext *ctx, JSValueConst error)
{
    JSObject *p = JS_VALUE_GET_OBJ(error);
    if (p->class_id == JS_CLASS_DOM_EXCEPTION)
        return "DOMException";
    if (p->class_id != JS_CLASS_ERROR)
        return NULL;
    /* Guest code can make the chain long; no polls happen here. */
    JSObject *proto = p->shape->proto;
    for (int hops = 0; hops < 64 && proto && proto->class_id != JS_CLASS_PROXY; hops++, proto = proto->shape->proto) {
        for (int i = 0; i < JS_NATIVE_ERROR_COUNT; i++) {
            if (proto == JS_VALUE_GET_OBJ(ctx->native_error_proto[i]))
                return native_error_name[i];
        }
    }
    return "Error";
}

JSValue internals_error_prototype(JSContext *ctx, const char *class_name)
{
    for (int i = 0; i < JS_NATIVE_ERROR_COUNT; i++) {
        if (!strcmp(native_error_name[i], class_name))
            return js_dup(ctx->native_error_proto[i]);
    }
    return strcmp(class_name, "Error") ? JS_UNDEFINED : js_dup(ctx->class_proto[JS_CLASS_ERROR]);
}

JSValue internals_dom_exception(JSContext *ctx, JSValueConst name, JSValueConst message)
{
    JSValueConst arguments[2] = {message, name};
    return js_domexception_constructor0(ctx, JS_UNDEFINED, 2, arguments, 0);
}

bool internals_boxed(JSValueConst object, JSValueConst *primitive)
{
    JSObject *p = JS_VALUE_GET_OBJ(object);
    switch (p->class_id) {
    case JS_CLASS_NUMBER:
    case JS_CLASS_STRING:
    case JS_CLASS_BOOLEAN:
    case JS_CLASS_SYMBOL:
    case JS_CLASS_BIG_INT:
        *primitive = p->u.object_data;
        return true;
    }
    return false;
}

bool internals_is_ordinary(JSValueConst object)
{
    return JS_VALUE_GET_OBJ(object)->class_id == JS_CLASS_OBJECT;
}

bool internals_lacks_own(JSValueConst object, JSAtom key)
{
    JSObject *p = JS_VALUE_GET_OBJ(object);
    return !p->is_exotic && !find_own_property1(p, key);
}

void *internals_closure_data(JSValueConst value, JSCClosure *function)
{
    JSCClosureRecord *record = JS_GetOpaque(value, JS_CLASS_C_CLOSURE);
    return record && record->func == function ? record->opaque : NULL;
}

bool internals_is_buffer(JSValueConst object)
{
    int class_id = JS_VALUE_GET_OBJ(object)->class_id;
    return class_id == JS_CLASS_ARRAY_BUFFER || class_id == JS_CLASS_SHARED_ARRAY_BUFFER;
}

bool internals_is_weak(JSValueConst object)
{
    switch (JS_VALUE_GET_OBJ(object)->class_id) {
    case JS_CLASS_WEAKMAP:
    case JS_CLASS_WEAKSET:
    case JS_CLASS_WEAK_REF:
    case JS_CLASS_FINALIZATION_REGISTRY:
        return true;
    }
    return false;
}

/* Whether a method of this name is on the object or its prototypes, without running a getter. */
static bool has_method(JSContext *ctx, JSObject *p, JSAtom name)
{
    JSObject *end = JS_VALUE_GET_OBJ(ctx->class_proto[JS_CLASS_OBJECT]);
    for (int hops = 0; hops < 64 && p && p != end && p->class_id != JS_CLASS_PROXY; hops++, p = p->shape->proto) {
        JSProperty *property;
        JSShapeProperty *shape = find_own_property(&property, p, name);
        if (shape)
            return (shape->flags & JS_PROP_TMASK) != JS_PROP_NORMAL || JS_IsFunction(ctx, property->u.value);
    }
    return false;
}

int internals_iteration(JSContext *ctx, JSValueConst value)
{
    JSObject *p = JS_VALUE_GET_OBJ(value);
    switch (p->class_id) {
    case JS_CLASS_GENERATOR:
    case JS_CLASS_ITERATOR_CONCAT:
    case JS_CLASS_ITERATOR_HELPER:
    case JS_CLASS_ITERATOR_WRAP:
    case JS_CLASS_MAP_ITERATOR:
    case JS_CLASS_SET_ITERATOR:
    case JS_CLASS_ARRAY_ITERATOR:
    case JS_CLASS_STRING_ITERATOR:
    case JS_CLASS_REGEXP_STRING_ITERATOR:
        return TAG_ITERATOR;
    case JS_CLASS_ASYNC_GENERATOR:
    case JS_CLASS_ASYNC_FROM_SYNC_ITERATOR:
        return TAG_ASYNC_ITERATOR;
    }
    if (has_method(ctx, p, JS_ATOM_Symbol_asyncIterator))
        return TAG_ASYNC_ITERATOR;
    return has_method(ctx, p, JS_ATOM_Symbol_iterator) && has_method(ctx, p, JS_ATOM_next) ? TAG_ITERATOR : 0;
}

bool internals_reads_await(JSValueConst script)
{
    if (JS_VALUE_GET_TAG(script) != JS_TAG_FUNCTION_BYTECODE)
        return false;
    JSFunctionBytecode *bytecode = JS_VALUE_GET_PTR(script);
    for (int at = 0; at < bytecode->byte_code_len;) {
        const uint8_t *code = bytecode->byte_code_buf + at;
        if ((*code == OP_get_var || *code == OP_get_var_undef) && get_u32(code + 1) == JS_ATOM_await)
            return true;
        at += short_opcode_info(*code).size;
    }
    return false;
}

void internals_drop_names(JSContext *ctx)
{
    for (int name = 0; name < NAMES; name++) {
        JS_FreeAtom(ctx, fast_names[name]);
        fast_names[name] = JS_ATOM_NULL;
    }
    kept_chars_drop(ctx);
}

/* The binding of a script's own scope, or of the global object where only a `var` can have made it so, goes. */
static int forget(JSContext *ctx, JSAtom name, bool lexical)
{
    JSProperty *property;
    JSObject *global = JS_VALUE_GET_OBJ(ctx->global_obj);
    JSShapeProperty *shape = lexical ? find_own_property(&property, global, name) : NULL;
    const int fixed = JS_PROP_TMASK | JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE;
    if (shape && (shape->flags & fixed) == (JS_PROP_NORMAL | JS_PROP_WRITABLE)) {
        if (js_update_property_flags(ctx, global, &shape, shape->flags | JS_PROP_CONFIGURABLE))
            return -1;
        if (delete_property(ctx, global, name) < 0)
            return -1;
    }
    return delete_property(ctx, JS_VALUE_GET_OBJ(ctx->global_var_obj), name) < 0 ? -1 : 0;
}

int internals_redeclare(JSContext *ctx, JSValueConst script)
{
    if (JS_VALUE_GET_TAG(script) != JS_TAG_FUNCTION_BYTECODE)
        return 0;
    JSFunctionBytecode *bytecode = JS_VALUE_GET_PTR(script);
    for (int at = 0; at < bytecode->byte_code_len; at += short_opcode_info(bytecode->byte_code_buf[at]).size) {
        const uint8_t *code = bytecode->byte_code_buf + at;
        if (*code == OP_check_define_var && forget(ctx, get_u32(code + 1), code[5] & DEFINE_GLOBAL_LEX_VAR))
            return -1;
    }
    return 0;
}

int internals_lexical_names(JSContext *ctx, JSPropertyEnum **names, uint32_t *count)
{
    return JS_GetOwnPropertyNames(ctx, names, count, ctx->global_var_obj, JS_GPN_STRING_MASK);
}

/* What a variable of the top has: JS_UNINITIALIZED where it has nothing yet, where something runs to make it, and where
 * there is none. */
static JSValue variable(JSObject *scope, JSAtom name, bool *found)
{
    JSProperty *property;
    JSShapeProperty *shape = find_own_property(&property, scope, name);
    *found = shape != NULL;
    return shape && (shape->flags & JS_PROP_TMASK) == JS_PROP_NORMAL ? js_dup(property->u.value) : JS_UNINITIALIZED;
}

JSValue internals_lexical_value(JSContext *ctx, JSAtom name)
{
    bool found;
    JSValue value = variable(JS_VALUE_GET_OBJ(ctx->global_var_obj), name, &found);
    return JS_IsUninitialized(value) ? JS_UNDEFINED : value;
}

JSValue internals_declared(JSContext *ctx, JSValueConst script)
{
    JSFunctionBytecode *bytecode = JS_VALUE_GET_PTR(script);
    JSValue names = JS_NewArray(ctx);
    uint32_t count = 0;
    if (JS_IsException(names) || JS_SetPrototype(ctx, names, JS_NULL) < 0) {
        JS_FreeValue(ctx, names);
        return JS_EXCEPTION;
    }
    for (int at = 0; at < bytecode->byte_code_len;) {
        const uint8_t *code = bytecode->byte_code_buf + at;
        if (*code == OP_define_var || *code == OP_define_func) {
            JSValue name = JS_AtomToString(ctx, get_u32(code + 1));
            if (JS_IsException(name) ||
                JS_DefinePropertyValueUint32(ctx, names, count++, name, JS_PROP_C_W_E) < 0) {
                JS_FreeValue(ctx, names);
                return JS_EXCEPTION;
            }
        }
        at += short_opcode_info(*code).size;
    }
    return names;
}

JSValue internals_binding(JSContext *ctx, JSAtom name)
{
    bool found;
    JSValue value = variable(JS_VALUE_GET_OBJ(ctx->global_var_obj), name, &found);
    return found ? value : variable(JS_VALUE_GET_OBJ(ctx->global_obj), name, &found);
}

int internals_freeze(JSContext *ctx, JSValueConst value)
{
    JSPropertyEnum *keys;
    uint32_t count;
    int failed = 0;
    if (!JS_IsObject(value))
        return 0;
    JSObject *p = JS_VALUE_GET_OBJ(value);
    bool is_plain = p->class_id == JS_CLASS_OBJECT || p->class_id == JS_CLASS_ARRAY;
    if (!is_plain || !p->extensible)
        return 0;
    if (js_check_stack_overflow(ctx->rt, 256)) {
        JS_ThrowStackOverflow(ctx);
        return -1;
    }
    if (JS_FreezeObject(ctx, value) < 0 ||
        JS_GetOwnPropertyNames(ctx, &keys, &count, value, JS_GPN_STRING_MASK | JS_GPN_SYMBOL_MASK))
        return -1;
    for (uint32_t i = 0; i < count && !failed; i++) {
        JSProperty *property;
        JSShapeProperty *shape = find_own_property(&property, p, keys[i].atom);
        if (shape && (shape->flags & JS_PROP_TMASK) == JS_PROP_NORMAL)
            failed = internals_freeze(ctx, property->u.value);
    }
    JS_FreePropertyEnum(ctx, keys, count);
    return failed;
}

JSValue internals_place(JSContext *ctx, uint32_t *line)
{
    *line = 0;
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame; frame = frame->prev_frame) {
        JSObject *p = JS_VALUE_GET_OBJ(frame->cur_func);
        JSFunctionBytecode *b = js_class_has_bytecode(p->class_id) ? p->u.func.function_bytecode : NULL;
        int column;
        if (!b || b->filename == JS_ATOM_NULL || !frame->cur_pc)
            continue;
        int found = find_line_num(ctx, b, frame->cur_pc - b->byte_code_buf - 1, &column);
        *line = found < 0 ? 0 : (uint32_t)found;
        return JS_AtomToString(ctx, b->filename);
    }
    return js_empty_string(ctx->rt);
}

void internals_seed_random(JSContext *ctx, uint64_t seed)
{
    ctx->random_state = seed ? seed : 1;
}

void internals_drop_jobs(JSRuntime *rt)
{
    while (!list_empty(&rt->job_list)) {
        JSJobEntry *job = list_entry(rt->job_list.next, JSJobEntry, link);
        list_del(&job->link);
        for (int i = 0; i < job->argc; i++)
            JS_FreeValueRT(rt, job->argv[i]);
        js_free_rt(rt, job);
    }
}

bool internals_has_jobs(JSRuntime *rt)
{
    return !list_empty(&rt->job_list);
}

/* Module records are only needed to link and to import; what their functions use keeps itself alive. */
void internals_drop_modules(JSContext *ctx)
{
    struct list_head *at, *next;
    list_for_each_safe(at, next, &ctx->loaded_modules)
        js_free_module_def(ctx, list_entry(at, JSModuleDef, link));
}

/* --- modules --- */

/* Without this much stack the parser may take the end of the stack for a mistake in the text. */
#define PARSER_STACK_BYTES (16 << 10)

static bool has_stack_to_parse(JSContext *ctx)
{
    if (!js_check_stack_overflow(ctx->rt, PARSER_STACK_BYTES))
        return true;
    JS_ThrowStackOverflow(ctx);
    return false;
}

/* A name that is like no other, and reads as the filename in stacks and errors: the engine finds the module of a
 * running function by the name of its file. */
static JSValue unique_name(JSContext *ctx, const char *filename)
{
    JSValue text = JS_NewString(ctx, filename);
    return JS_IsException(text) ? text : JS_NewSymbolInternal(ctx, JS_VALUE_GET_STRING(text), JS_ATOM_TYPE_SYMBOL);
}

static void name_functions(JSContext *ctx, JSFunctionBytecode *b, JSAtom name)
{
    JS_FreeAtom(ctx, b->filename);
    b->filename = JS_DupAtom(ctx, name);
    for (int i = 0; i < b->cpool_count; i++) {
        if (JS_VALUE_GET_TAG(b->cpool[i]) == JS_TAG_FUNCTION_BYTECODE)
            name_functions(ctx, JS_VALUE_GET_PTR(b->cpool[i]), name);
    }
}

/* The variables of a module are made with it: the engine would do so by recursion into all that it imports. */
static JSModuleDef *with_variables(JSContext *ctx, JSModuleDef *m)
{
    for (int i = 0; m->init_func && i < m->export_entries_count; i++) {
        if (!(m->export_entries[i].u.local.var_ref = js_create_module_var(ctx, false)))
            goto failed;
    }
    if (!m->init_func && js_create_module_bytecode_function(ctx, m))
        goto failed;
    m->func_created = true;
    return m;
failed:
    js_free_module_def(ctx, m);
    return NULL;
}

JSModuleDef *internals_module_compile(JSContext *ctx, JSValueConst source, JSValueConst filename, JSValue *name)
{
    size_t length;
    const char *text = has_stack_to_parse(ctx) ? JS_ToCStringLen(ctx, &length, source) : NULL;
    const char *file = text ? JS_ToCString(ctx, filename) : NULL;
    JSValue module = JS_EXCEPTION;
    *name = file ? unique_name(ctx, file) : JS_EXCEPTION;
    if (!JS_IsException(*name))
        module = JS_Eval(ctx, text, length, file, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    JS_FreeCString(ctx, text);
    JS_FreeCString(ctx, file);
    JSModuleDef *m = NULL;
    if (!JS_IsException(module)) {
        m = JS_VALUE_GET_PTR(module);
        JS_FreeValue(ctx, module);
        JS_FreeAtom(ctx, m->module_name);
        m->module_name = JS_ValueToAtom(ctx, *name);
        name_functions(ctx, JS_VALUE_GET_PTR(m->func_obj), m->module_name);
        m = with_variables(ctx, m);
    }
    if (!m) {
        JS_FreeValue(ctx, *name);
        *name = JS_EXCEPTION;
    }
    return m;
}

static int export_values(JSContext *ctx, JSModuleDef *m)
{
    for (int i = 0; i < m->export_entries_count; i++) {
        JSExportEntry *entry = &m->export_entries[i];
        JSValue value = JS_GetProperty(ctx, m->private_value, entry->export_name);
        if (JS_IsException(value))
            return -1;
        set_value(ctx, entry->u.local.var_ref->pvalue, value);
    }
    return 0;
}

JSModuleDef *internals_module_synthetic(JSContext *ctx, JSValueConst filename, JSValueConst values)
{
    JSPropertyEnum *names;
    uint32_t count;
    const char *file = JS_ToCString(ctx, filename);
    JSValue name = file ? unique_name(ctx, file) : JS_EXCEPTION;
    JS_FreeCString(ctx, file);
    if (JS_IsException(name))
        return NULL;
    JSModuleDef *m = js_new_module_def(ctx, JS_ValueToAtom(ctx, name));
    JS_FreeValue(ctx, name);
    if (!m)
        return NULL;
    m->init_func = export_values;
    m->resolved = true;
    m->private_value = js_dup(values);
    if (JS_GetOwnPropertyNames(ctx, &names, &count, values, JS_GPN_STRING_MASK)) {
        js_free_module_def(ctx, m);
        return NULL;
    }
    bool failed = false;
    for (uint32_t i = 0; i < count && !failed; i++)
        failed = !add_export_entry2(ctx, NULL, m, JS_ATOM_NULL, names[i].atom, JS_EXPORT_TYPE_LOCAL);
    JS_FreePropertyEnum(ctx, names, count);
    if (failed) {
        js_free_module_def(ctx, m);
        return NULL;
    }
    return with_variables(ctx, m);
}

uint32_t internals_module_request_count(const JSModuleDef *m)
{
    return (uint32_t)m->req_module_entries_count;
}

void internals_module_request(JSContext *ctx, const JSModuleDef *m, uint32_t index, JSValue *specifier, JSValue *attributes)
{
    *specifier = JS_AtomToString(ctx, m->req_module_entries[index].module_name);
    *attributes = js_dup(m->req_module_entries[index].attributes);
}

void internals_module_bind(JSModuleDef *m, uint32_t index, JSModuleDef *to)
{
    m->req_module_entries[index].module = to;
}

int internals_module_link(JSContext *ctx, JSModuleDef *m)
{
    return js_link_module(ctx, m);
}

JSValue internals_module_evaluate(JSContext *ctx, JSModuleDef *m)
{
    return js_evaluate_module(ctx, m);
}

bool internals_module_awaits(const JSModuleDef *m)
{
    return m->has_tla;
}

/* The name of the file of the running function; for a text given to `eval` or `new Function`, that of the nearest
 * caller that has one. */
JSAtom engine_importer_name(JSContext *ctx)
{
    JSAtom none = JS_NewAtom(ctx, "<input>"), name = JS_ATOM_NULL;
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame && name == JS_ATOM_NULL; frame = frame->prev_frame) {
        if (JS_VALUE_GET_TAG(frame->cur_func) != JS_TAG_OBJECT)
            continue;
        JSObject *function = JS_VALUE_GET_OBJ(frame->cur_func);
        if (js_class_has_bytecode(function->class_id) && function->u.func.function_bytecode->filename != none)
            name = function->u.func.function_bytecode->filename;
    }
    JS_FreeAtom(ctx, none);
    return JS_DupAtom(ctx, name);
}

ModuleState internals_module_state(const JSModuleDef *m)
{
    if (m->status == JS_MODULE_STATUS_EVALUATING)
        return MODULE_EVALUATING;
    if (m->status < JS_MODULE_STATUS_EVALUATING)
        return MODULE_NEW;
    return m->eval_has_exception ? MODULE_FAILED : MODULE_EVALUATED;
}

/* Whatever else still knows the module forgets it; false: it is in use. Nothing may import it. */
bool internals_module_free(JSContext *ctx, JSModuleDef *m)
{
    struct list_head *el;
    if (JS_REF_COUNT(m) > 1 || m->status == JS_MODULE_STATUS_LINKING || m->status == JS_MODULE_STATUS_EVALUATING ||
        m->status == JS_MODULE_STATUS_EVALUATING_ASYNC)
        return false;
    list_for_each(el, &ctx->loaded_modules) {
        JSModuleDef *other = list_entry(el, JSModuleDef, link);
        int kept = 0;
        if (other->cycle_root == m)
            other->cycle_root = other;
        for (int i = 0; i < other->async_parent_modules_count; i++) {
            if (other->async_parent_modules[i] != m)
                other->async_parent_modules[kept++] = other->async_parent_modules[i];
        }
        other->async_parent_modules_count = kept;
    }
    js_free_module_def(ctx, m);
    return true;
}

/* The value of an expression whose first line is not the program's; see `name` in internals_module_compile. */
JSValue internals_compile_function(JSContext *ctx, JSValueConst source, JSValueConst filename, JSValue *name)
{
    size_t length;
    const char *text = has_stack_to_parse(ctx) ? JS_ToCStringLen(ctx, &length, source) : NULL;
    const char *file = text ? JS_ToCString(ctx, filename) : NULL;
    JSValue script = JS_EXCEPTION;
    *name = file ? unique_name(ctx, file) : JS_EXCEPTION;
    if (!JS_IsException(*name))
        script = JS_EvalInternal(ctx, ctx->global_obj, text, length, file, 0,
                                 JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY, -1);
    JS_FreeCString(ctx, text);
    JS_FreeCString(ctx, file);
    if (!JS_IsException(script)) {
        JSAtom atom = JS_ValueToAtom(ctx, *name);
        name_functions(ctx, JS_VALUE_GET_PTR(script), atom);
        JS_FreeAtom(ctx, atom);
        script = JS_EvalFunction(ctx, script);
    }
    if (JS_IsException(script)) {
        JS_FreeValue(ctx, *name);
        *name = JS_EXCEPTION;
    }
    return script;
}

int internals_promise_then(JSContext *ctx, JSValueConst promise, JSValueConst fulfilled, JSValueConst rejected)
{
    JSValueConst handlers[2] = {fulfilled, rejected}, nobody[2] = {JS_UNDEFINED, JS_UNDEFINED};
    return perform_promise_then(ctx, promise, handlers, nobody);
}

bool internals_promise_is_handled(JSValueConst promise)
{
    JSPromiseData *data = JS_GetOpaque(promise, JS_CLASS_PROMISE);
    return data && data->is_handled;
}

/* Without the two functions that `new Promise` makes. */
JSValue internals_promise_new(JSContext *ctx)
{
    JSValue promise = JS_NewObjectClass(ctx, JS_CLASS_PROMISE);
    if (JS_IsException(promise))
        return promise;
    JSPromiseData *s = js_mallocz(ctx, sizeof(*s));
    if (!s) {
        JS_FreeValue(ctx, promise);
        return JS_EXCEPTION;
    }
    s->promise_state = JS_PROMISE_PENDING;
    init_list_head(&s->promise_reactions[0]);
    init_list_head(&s->promise_reactions[1]);
    s->promise_result = JS_UNDEFINED;
    JS_SetOpaqueInternal(promise, s);
    return promise;
}

void internals_promise_settle(JSContext *ctx, JSValueConst promise, JSValueConst value, bool is_reject)
{
    fulfill_or_reject_promise(ctx, promise, value, is_reject);
}

int internals_promise_resolve(JSContext *ctx, JSValueConst promise, JSValueConst value)
{
    JSValue then = JS_UNDEFINED;
    bool failed = false;
    if (JS_IsObject(value)) {
        if (JS_VALUE_GET_OBJ(value) == JS_VALUE_GET_OBJ(promise))
            then = JS_ThrowTypeError(ctx, "promise self resolution");
        else
            then = JS_GetProperty(ctx, value, JS_ATOM_then);
    }
    if (JS_IsException(then)) {
        if (JS_IsUncatchableError(ctx->rt->current_exception))
            return -1;
        JSValue error = JS_GetException(ctx);
        fulfill_or_reject_promise(ctx, promise, error, true);
        JS_FreeValue(ctx, error);
    } else if (!JS_IsFunction(ctx, then)) {
        fulfill_or_reject_promise(ctx, promise, value, false);
    } else {
        JSValueConst args[3] = {promise, value, then};
        failed = JS_EnqueueJob(ctx, js_promise_resolve_thenable_job, 3, args) != 0;
    }
    JS_FreeValue(ctx, then);
    return failed ? -1 : 0;
}
