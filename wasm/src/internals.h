/* What the guest reads of the engine beyond its public interface, so that values are taken from their internal state
 * and no guest code runs on the way. internals.c holds the engine itself. */
#ifndef INTERNALS_H
#define INTERNALS_H

#include "guest.h"

/* A string's code units: Latin-1 (`wide` false) or UTF-16. Borrowed from the value; ropes are flattened in place. */
typedef struct Text {
    const void *units;
    uint32_t length;
    bool wide;
} Text;
bool internals_text(JSContext *ctx, JSValueConst string, Text *out);
/* A new string whose code units are still to be written, unless it is empty; the same one, shorter. */
JSValue internals_string_new(JSContext *ctx, size_t length, bool wide, void **units);
JSValue internals_string_cut(JSContext *ctx, JSValue string, size_t length);
/* A Uint8Array of bytes from js_malloc, which are taken in any case. */
JSValue internals_bytes_adopt(JSContext *ctx, uint8_t *bytes, size_t length);
bool internals_atom_text(JSContext *ctx, JSAtom atom, Text *out);   /* false: an integer key or a symbol */
bool internals_atom_index(JSAtom atom, uint32_t *index);

/* The elements of a dense array, borrowed; only until guest code runs. */
bool internals_fast_array(JSValueConst value, JSValue **values, uint32_t *count);

/* The own enumerable string-keyed properties of an ordinary object whose values are plain data and whose keys are not
 * integers. The cursor keeps the list of keys it began with; a value is read where it stands now. */
typedef struct Properties {
    void *shape;
    int index;
    uint32_t count;
} Properties;
/* Those behind one that stands at a place of the object. */
Properties internals_properties_behind(JSValueConst object, int at);
bool internals_properties_open(JSContext *ctx, JSValueConst object, Properties *out);
bool internals_properties_next(JSContext *ctx, JSValueConst object, Properties *cursor, JSAtom *key, JSValue *value);
void internals_properties_close(JSContext *ctx, Properties *cursor);

/* What is known of the objects of a shape that are written property by property: the keys as they are written, and where the
 * values stand. */
enum { RECORD_FIELDS = 16, RECORD_KEY_BYTES = 32 };
typedef struct RecordField {
    uint8_t key[RECORD_KEY_BYTES];
    uint8_t key_bytes, at;
    JSAtom atom;
} RecordField;
typedef struct Record {
    void *shape;
    uint64_t changes;     /* how often prototypes had changed */
    uint32_t count;
    RecordField fields[RECORD_FIELDS];
} Record;
/* Of this object, and its values; until code of the program runs. NULL: it is to be looked at. */
const Record *internals_record(JSContext *ctx, JSValueConst object, const JSValue **values);

bool internals_bigint_bytes(JSValueConst value, const uint8_t **bytes, size_t *length, int32_t *small);
JSValue internals_bigint_new(JSContext *ctx, const uint8_t *bytes, size_t length);

/* Keys and values of a Map, or members of a Set, in order, as an array of owned values; NULL when empty. False: throws. */
bool internals_collection(JSContext *ctx, JSValueConst value, JSValue **values, uint32_t *count);
bool internals_regexp(JSContext *ctx, JSValueConst value, JSValue *source, JSValue *flags);
bool internals_date_ms(JSValueConst value, double *ms);
/* The bytes of a typed array or DataView, borrowed until guest code runs; false: it lies outside its buffer. */
bool internals_view(JSValueConst view, const uint8_t **bytes, size_t *length);
bool internals_view_tracks(JSValueConst view);       /* its length follows that of its buffer */
/* ArrayBuffer, SharedArrayBuffer or a view of one, and its bytes, borrowed until guest code runs. Detached, or outside its
 * buffer: it has none. False: they must not be written. */
bool internals_is_buffer_source(JSValueConst value);
bool internals_is_shared(JSValueConst source);
bool internals_is_detached(JSValueConst source);
bool internals_buffer_source(JSValueConst source, uint8_t **bytes, size_t *length);
uint32_t internals_references(JSValueConst object);  /* how many references keep it alive */
/* TypeError, ..., by its prototype chain; DOMException; NULL: neither an Error nor a DOMException. */
const char *internals_error_class(JSContext *ctx, JSValueConst error);
JSValue internals_error_prototype(JSContext *ctx, const char *class_name); /* JS_UNDEFINED: no such class */
JSValue internals_dom_exception(JSContext *ctx, JSValueConst name, JSValueConst message);

/* The primitive value a wrapper object stands for, borrowed; false: no such object. */
bool internals_boxed(JSValueConst object, JSValueConst *primitive);
bool internals_is_ordinary(JSValueConst object);     /* of the class of what `{}` makes: no state but its properties */
bool internals_lacks_own(JSValueConst object, JSAtom key);  /* certainly; false: it may have it */
/* The data of a closure of C with this function; NULL: another value. */
void *internals_closure_data(JSValueConst value, JSCClosure *function);
bool internals_is_buffer(JSValueConst object);        /* ArrayBuffer or SharedArrayBuffer */
bool internals_is_weak(JSValueConst object);          /* what keeps nothing alive, and shows nothing of itself */
/* What an object is to loops: 0, TAG_ITERATOR or TAG_ASYNC_ITERATOR. No guest code runs. */
int internals_iteration(JSContext *ctx, JSValueConst value);

/* Whether the code of a compiled script itself, not that of its functions, reads a variable called `await`. */
bool internals_reads_await(JSValueConst script);
/* Forget what earlier scripts have declared under the names that a compiled one is about to declare. -1: an exception. */
int internals_redeclare(JSContext *ctx, JSValueConst script);
/* Let go of the names that short ways keep, before the context goes. */
void internals_drop_names(JSContext *ctx);
/* The names that scripts have declared by let, const and class, to be freed by the caller; the value of one, owned,
 * JS_UNDEFINED where it has none yet. */
int internals_lexical_names(JSContext *ctx, JSPropertyEnum **names, uint32_t *count);
JSValue internals_lexical_value(JSContext *ctx, JSAtom name);
/* The names that a compiled script declares at its top, as an array without a prototype. */
JSValue internals_declared(JSContext *ctx, JSValueConst script);
/* A variable of the global scope; JS_UNINITIALIZED: there is none, or it has no value. No guest code runs. */
JSValue internals_binding(JSContext *ctx, JSAtom name);
/* Freeze a value of the host, and what it holds of arrays and plain objects; not 0: throws. No guest code runs. */
int internals_freeze(JSContext *ctx, JSValueConst value);
JSValue internals_place(JSContext *ctx, uint32_t *line); /* file and line of the program's innermost call */

/* suspended.h: stacks as text. Of the calls in progress; of the asynchronous functions that wait for a promise, by the
 * function that resolves it; of those that a promise waits for, which nothing is going to settle. */
JSValue internals_stack(JSContext *ctx);
JSValue internals_awaiting(JSContext *ctx, JSValueConst resolve);
JSValue internals_hanging(JSContext *ctx, JSValueConst promise);
void internals_forget_dropped(JSRuntime *rt);   /* what is known of functions that hang; no run is left */
uint32_t internals_weighed_checks(void); /* what was done at one go since the last check, in checks */
void internals_seed_random(JSContext *ctx, uint64_t seed);
void internals_drop_jobs(JSRuntime *rt);
bool internals_has_jobs(JSRuntime *rt);

void internals_drop_modules(JSContext *ctx);

/* Modules. A record is owned by the context until it is freed; `name` is the symbol that its functions carry as the
 * name of their file. NULL: an exception. */
typedef enum ModuleState { MODULE_NEW, MODULE_EVALUATING, MODULE_EVALUATED, MODULE_FAILED } ModuleState;
JSModuleDef *internals_module_compile(JSContext *ctx, JSValueConst source, JSValueConst filename, JSValue *name);
JSModuleDef *internals_module_synthetic(JSContext *ctx, JSValueConst filename, JSValueConst values);
uint32_t internals_module_request_count(const JSModuleDef *m);
void internals_module_request(JSContext *ctx, const JSModuleDef *m, uint32_t index, JSValue *specifier, JSValue *attributes);
void internals_module_bind(JSModuleDef *m, uint32_t index, JSModuleDef *to);
int internals_module_link(JSContext *ctx, JSModuleDef *m);             /* all its requests are bound */
JSValue internals_module_evaluate(JSContext *ctx, JSModuleDef *m);     /* it is linked; a promise */
bool internals_module_awaits(const JSModuleDef *m);                    /* at its top level */
ModuleState internals_module_state(const JSModuleDef *m);
bool internals_module_free(JSContext *ctx, JSModuleDef *m);
JSValue internals_compile_function(JSContext *ctx, JSValueConst source, JSValueConst filename, JSValue *name);
bool internals_promise_is_handled(JSValueConst promise);
/* As `promise.then`, without what guest code may have made of that; functions, or JS_UNDEFINED. */
int internals_promise_then(JSContext *ctx, JSValueConst promise, JSValueConst fulfilled, JSValueConst rejected);
JSValue internals_promise_new(JSContext *ctx);                         /* pending, of the realm's own class */
/* Settle a promise that was made so, and is pending. */
void internals_promise_settle(JSContext *ctx, JSValueConst promise, JSValueConst value, bool is_reject);
/* As its resolving function would: a thenable is followed. Not 0: an exception that guest code cannot catch. */
int internals_promise_resolve(JSContext *ctx, JSValueConst promise, JSValueConst value);

#endif
