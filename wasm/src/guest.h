/* The guest: one QuickJS realm in one wasm instance, and what connects it to its host.
 *
 * Everything lives in `guest`, in linear memory: between turns the memory is the whole program.
 * Ownership words: a `JSValue` parameter or field is owned by the callee or the struct, a `JSValueConst`
 * parameter is borrowed; a `Text` borrows the string it was made from. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "quickjs.h"

#include "buffer.h"
#include "reader.h"
#include "registry.h"

typedef enum RunKind {
    RUN_PLAIN,  /* a value, or a promise of it */
    RUN_SCRIPT, /* an asynchronous script fulfils with {value}: its completion value, perhaps a promise in turn */
    RUN_BOXED,  /* {value}, or a promise of that: the value as it is, also when it has a method `then` */
    RUN_QUIET,  /* a value that is told without running code of the program */
} RunKind;

typedef struct Run {
    uint32_t id;
    JSValue promise;      /* settles the run; owned */
    RunKind kind;
    struct Run *next;
} Run;

typedef struct Task {
    JSValue function;
    JSValue argument;     /* JS_UNINITIALIZED: called without one */
    bool is_answer;       /* of the host, not an abort: a rejection by it has time to be handled until the runs have ended */
    struct Task *next;
} Task;

typedef struct Rejection {
    JSValue promise;
    JSValue reason;
    bool has_time;        /* it is reported when no run is left that could still handle it */
    uint32_t batch;       /* while it is in `telling`: which task will tell it */
    struct Rejection *next;
} Rejection;

typedef struct Rejections {
    Rejection *first, **tail;
} Rejections;

/* Events of the global object that programs listen to; until then, what nobody catches goes to the host as it is. */
typedef enum Listening {
    LISTENING_ERROR = 1,
    LISTENING_REJECTION = 2, /* unhandledrejection or rejectionhandled */
} Listening;

typedef struct Trace Trace;

typedef struct Guest {
    JSRuntime *runtime;
    JSContext *context;
    Control control;

    Buffer inbox;
    Buffer outbox;        /* frames for the host */
    Buffer deferred;      /* frames made while one is being encoded at the end of the outbox */
    Buffer scratch;       /* messages under construction that are not frames of the outbox */
    bool outbox_busy;

    Registry handles;     /* id -> value the host holds */
    Registry requests;    /* id -> (resolve, reject) of a queued request */
    uint32_t next_handle;
    uint32_t next_request;

    Trace *traces;        /* of runs that are traced */
    Buffer executed;      /* see the control block */
    uint32_t telling_places; /* runs whose requests are told with the place where they are made */

    Run *runs;
    Task *tasks, **tasks_tail;
    Rejections rejections;    /* nobody has handled, and nobody was told of */
    Rejections telling;       /* that the program's listeners are about to be told of */
    Rejections told;          /* that they were told of; the host is told when the turn ends, unless they are handled */
    uint32_t batch;           /* of those that are told by one task */
    bool rejections_told;     /* of some rejection: when it is handled, the program is told as well */
    uint32_t listening;       /* set of Listening */
    bool in_uncaught;         /* the program is being told of an exception: another one goes to the host */
    uint32_t task;        /* the number of the task that runs, a turn's beginning counted as one */
    bool answering;       /* an answer of the host is being told right now */

    uint32_t depth;       /* exports on the stack: 1 in a turn, more when the host calls back */
    uint32_t turn;        /* the number of this turn: what an earlier one left half done was cut off */
    uint32_t entries;     /* how often an export was entered that runs guest code */
    uint32_t uncaught;    /* failures of this turn that nobody caught */
    uint64_t resumed_ns;  /* when guest time last began to run */
    uint64_t checks;      /* interrupt checks since the last poll, and work that is worth as many */
    uint64_t weighed;     /* work done at one go since the last check, in steps of bytecode */
    size_t unseen_bytes;  /* of loops of C that may not poll, since they last looked at the clock */
    size_t heap_bytes;
    size_t heap_grace_bytes; /* lent once a turn so that running out can still be reported */
    uint32_t failed_before; /* failed allocations when the last source text began to be compiled */
    bool booting;         /* bindings are being installed: native modules may be imported */
    JSAtom host_exception; /* private property of an Error: id of the host exception behind it */
    JSAtom conversion;     /* private property of a TypeError that says a value cannot cross */
    JSAtom brand;          /* private property of an object that crosses under a tag of its own: the tag */

    /* The realm's own, kept before guest code could replace them. */
    JSValue hooks[HOOK_COUNT]; /* functions of the bindings; JS_UNDEFINED until they are installed */
    JSValue map_constructor, map_set, set_constructor, set_add, data_view_constructor, regexp_constructor;
    JSValue hidden;    /* what a global was that this sandbox does not have */
} Guest;

extern Guest guest;

/* engine.c: life of the runtime, limits, time. */
int engine_boot(void);
void engine_seal(void);            /* the bindings are in place: from here on no guest can import them */
void engine_start(void);
void engine_resume(void);
bool engine_enter(void);           /* begin an export that runs guest code; false: nested too deeply */
void engine_leave(void);
void engine_refused(void);         /* an allocation beside the engine's failed */
bool engine_has_room(size_t source_bytes); /* to compile that much; false: throws */
void engine_weigh(size_t bytes);   /* so much work was done at one go: the next poll comes sooner; see internals.c */
int engine_poll(size_t bytes);     /* the same, and poll if it is time; not 0: the exception is pending */
bool engine_is_due(void);          /* a poll would unwind the guest */
/* For loops of C over bytes that guest code can reach. When the engine polls, the host may run guest code, which may change
 * or free the bytes: that is when `again` is set, and the work is to be done once more, `alone`, without the host. Not 0:
 * `again`, or an exception is pending. */
typedef struct Watch {
    bool alone, again;
} Watch;
int engine_watch(Watch *watch, size_t bytes);
bool engine_ran_out(JSContext *ctx); /* while compiling; true: throws */
void engine_show_inbox(void);      /* tell the host where the inbox is now */
void engine_pause_clock(void);     /* guest time stops while the host works */
void engine_resume_clock(void);
int32_t engine_host_call(uint32_t op, const uint8_t *message, size_t length);
double engine_now_ms(void);        /* since the time origin, on the sandbox's clock */
uint64_t monotonic_ns(void);       /* wasi.c; never virtual */
uint64_t realtime_ns(void);

/* jobs.c: microtasks, tasks, runs, unhandled rejections. */
void jobs_boot(void);
int jobs_add_task(JSContext *ctx, JSValue function, JSValue argument);
int jobs_add_answer(JSContext *ctx, JSValue settle, JSValue answer); /* likewise, for the promise of a request */
void jobs_begin_run(uint32_t id, JSValue result, RunKind kind); /* finishes at once unless the result is a promise */
void jobs_abandon(uint32_t id);
bool jobs_has_run(uint32_t id);
void jobs_drop_rejections(void);
void jobs_follow(JSContext *ctx, JSValueConst promise);  /* its rejection is somebody's business */
void jobs_pump(void);

/* trace.c: what is told of runs that are traced. */
bool trace_begin(uint32_t run, uint32_t what, Bytes code); /* before it is compiled; false: throws */
void trace_compiled(void);
void trace_sweep(void);            /* forget the runs that have ended */
void trace_place(JSContext *ctx);  /* tell where in the program the next request is made */

/* stacks.c: where the program is, told for its host. */
void stacks_tell_calls(void);                 /* of the calls in progress */
void stacks_tell_awaiting(uint32_t request);  /* of what awaits the answer of a request */
void stacks_tell_hanging(uint32_t id);        /* of what a run waits for */

/* coverage.c: which statements of modules were executed. */
void coverage_begin(size_t head_bytes); /* before a module is compiled whose text begins after so many bytes */
int coverage_end(JSContext *ctx, bool is_compiled, JSValueConst filename); /* -1: throws */
void coverage_tell(void);          /* at the end of a turn */
int coverage_add_exports(JSContext *ctx, JSModuleDef *module);
int coverage_set_exports(JSContext *ctx, JSModuleDef *module);

/* failures.c: what was thrown, as a frame. */
void failures_report(uint32_t op, uint32_t id, JSValue thrown);
void failures_report_pending(uint32_t op, uint32_t id);         /* the context's pending exception */
void failures_uncaught(JSValue thrown, JSValueConst stack);     /* to the program's listeners first */
void failures_uncaught_pending(void);
JSValue failures_throw_conversion(JSContext *ctx, const char *path, const char *reason);

/* encode.c / decode.c: values and messages. */
int encode_message(JSContext *ctx, Buffer *out, JSValueConst value, bool quiet);
int encode_arguments(JSContext *ctx, Buffer *out, int argc, JSValueConst *argv);

JSValue reader_value(Reader *reader);                           /* JS_EXCEPTION: pending exception or malformed */
JSValue *reader_array(Reader *reader, uint32_t *count);         /* values of a msgpack array; free with js_free */

/* errors.c: Error objects to and from their wire form. */
JSValue errors_new(JSContext *ctx, Bytes class_name, JSValue name, JSValue message, JSValue stack,
                   uint32_t host_exception);
uint32_t errors_host_exception(JSContext *ctx, JSValueConst error);
const char *errors_class(JSContext *ctx, JSValueConst error);

/* ops.c: the one path of requests to the host, and functions of the host in the guest. */
JSValue ops_call(JSContext *ctx, uint32_t op, int argc, JSValueConst *argv);
JSValue ops_stop(JSContext *ctx);                               /* throw what unwinds the guest, uncatchably */
JSValue ops_submit(JSContext *ctx, uint32_t op, int argc, JSValueConst *argv, JSValue resolve, JSValue reject,
                   uint32_t *id);
int ops_send(JSContext *ctx, uint32_t op, int argc, JSValueConst *argv);
void ops_cancel(uint32_t id);
JSValue ops_function(JSContext *ctx, uint32_t op, uint32_t mode, const char *name, uint32_t length);
uint32_t ops_op_of(JSValueConst function);                      /* 0: no function of the host */
int ops_settle(uint32_t request, Status outcome, JSValue value);
JSValue ops_promise(JSContext *ctx, uint32_t request);          /* of a request that the host made */
void ops_flush_released(void);

/* frames.c: what waits in the outbox. */
typedef struct Frame {
    Buffer *target;
    size_t start;
    bool deferred;
    bool headed;          /* there was room for its header; else it is dropped in the end */
} Frame;
Buffer *frame_begin(Frame *frame);
void frame_commit(Frame *frame, uint32_t op, uint32_t id);
void frame_drop(Frame *frame);
void frames_expose(void);          /* show the host the finished frames */
void frames_collect(void);         /* forget what the host has read */

/* handles.c: guest values the host holds by id. */
uint32_t handles_add(JSContext *ctx, JSValueConst value);
JSValue handles_get(JSContext *ctx, uint32_t id);               /* throws when the id is unknown */
void handles_replace(JSContext *ctx, uint32_t id, JSValue value); /* takes `value` */
uint32_t handles_chain(uint32_t id, uint32_t previous);         /* note which handle a message got before; `id` */
void handles_take_back(uint32_t id);                            /* release a chain: its message is not sent */
void handles_release(uint32_t id);
bool handles_keep(uint32_t id, Registry *kept);                 /* move an entry; false: out of memory */
void handles_replace_all(Registry *kept);                       /* takes `kept`, releases what was not moved */

/* zones.c: the sandbox's time zone; the engine's Date asks for offsets of local time from UTC. */
bool zones_set(Bytes table);                                    /* false: no table, or no memory */
int64_t zones_offset_ms(int64_t utc_ms);
int64_t zones_local_offset_ms(int64_t local_ms);                /* when it is so late in local time */

/* hooks.c: functions of the bindings that C calls. */
int hooks_set(JSContext *ctx, uint32_t hook, JSValueConst function);  /* only while the bindings are installed */
JSValue hooks_call(JSContext *ctx, Hook hook, int argc, JSValueConst *argv);

/* modules.c, native.c, promises.c, queue.c, scripts.c, url.c */
void modules_boot(void);
int modules_define(JSContext *ctx, Bytes name, Bytes source);
int modules_define_bytecode(JSContext *ctx, Bytes bytecode);
JSValue modules_compile(JSContext *ctx, Bytes name);
int modules_add_exports(JSContext *ctx, JSModuleDef *module);
int modules_set_exports(JSContext *ctx, JSModuleDef *module);
JSModuleDef *native_module(JSContext *ctx, const char *name);
JSValue native_array(JSContext *ctx, int count, const JSValue *values);
int promises_add_exports(JSContext *ctx, JSModuleDef *module);
int promises_set_exports(JSContext *ctx, JSModuleDef *module);
int queue_add_exports(JSContext *ctx, JSModuleDef *module);
int queue_set_exports(JSContext *ctx, JSModuleDef *module);
/* A set of EVALUATION_*; a zero follows the code. NULL: it is no asynchronous script, whatever it says. */
JSValue scripts_compile(Bytes code, const char *filename, uint32_t what, bool *asynchronous);
int scripts_add_exports(JSContext *ctx, JSModuleDef *module);
int scripts_set_exports(JSContext *ctx, JSModuleDef *module);
int url_add_exports(JSContext *ctx, JSModuleDef *module);
int url_set_exports(JSContext *ctx, JSModuleDef *module);

/* text.c: strings of the engine and UTF-8. */
JSValue text_decode(JSContext *ctx, const uint8_t *bytes, size_t length); /* lone surrogates may come in */
bool text_is_ascii(const uint8_t *bytes, size_t length);
/* As the WHATWG decoder, after code units that have been decoded before; `fatal`: JS_UNDEFINED where it is malformed. */
JSValue text_decode_after(JSContext *ctx, const uint16_t *head, size_t head_count, const uint8_t *bytes, size_t length,
                          bool fatal, Watch *watch);
int text_add_exports(JSContext *ctx, JSModuleDef *module);
int text_set_exports(JSContext *ctx, JSModuleDef *module);

/* compression.c: what CompressionStream and DecompressionStream are made of. */
int compression_boot(JSRuntime *runtime);
int compression_add_exports(JSContext *ctx, JSModuleDef *module);
int compression_set_exports(JSContext *ctx, JSModuleDef *module);
/* bytes.c: bytes of bodies and blobs. */
int bytes_add_exports(JSContext *ctx, JSModuleDef *module);
int bytes_set_exports(JSContext *ctx, JSModuleDef *module);

/* encodings.c: what TextDecoder is made of. */
int encodings_boot(JSRuntime *runtime);
int encodings_add_exports(JSContext *ctx, JSModuleDef *module);
int encodings_set_exports(JSContext *ctx, JSModuleDef *module);

#endif
