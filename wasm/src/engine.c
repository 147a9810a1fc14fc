/* The runtime's life, its memory, its time, and the way out to the host. */
#include "internals.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

Guest guest;

#define KEPT_BUFFER_BYTES 65536        /* room a buffer may keep between turns */
#define FIRST_INBOX_BYTES 4096
#define FIRST_ROOM_BYTES (512 * 1024)
#define GRACE_BYTES (512 * 1024)       /* lent when memory runs out, so that the failure can be told */
#define LEAST_ROOM_BYTES (64 * 1024)   /* what a turn needs to begin with */
#define ROOM_FOR_A_SOURCE_BYTE 8       /* what compiling takes, roughly */

/* --- memory: the engine allocates large blocks and pages of small ones here, so counting them is cheap and exact --- */

static bool admit(size_t more)
{
    size_t limit = guest.control.heap_limit_bytes;
    engine_weigh(more);    /* what is allocated is written as well */
    if (!limit || guest.heap_bytes + more <= limit + guest.heap_grace_bytes)
        return true;
    guest.control.failed_allocations++;
    guest.heap_grace_bytes = GRACE_BYTES;
    return false;
}

void engine_refused(void)
{
    guest.control.failed_allocations++;
}

static void *counted(void *block)
{
    if (block)
        guest.heap_bytes += malloc_usable_size(block);
    else
        guest.control.failed_allocations++;
    return block;
}

static void *guest_malloc(void *opaque, size_t size)
{
    (void)opaque;
    return admit(size) ? counted(malloc(size)) : NULL;
}

static void *guest_calloc(void *opaque, size_t count, size_t size)
{
    (void)opaque;
    return admit(count * size) ? counted(calloc(count, size)) : NULL;
}

static void guest_free(void *opaque, void *block)
{
    (void)opaque;
    if (block) {
        size_t size = malloc_usable_size(block);
        guest.heap_bytes -= size;
        if (guest.booting)
            memset(block, 0, size);    /* what is frozen holds no remains */
    }
    free(block);
}

static void *guest_realloc(void *opaque, void *block, size_t size)
{
    (void)opaque;
    size_t before = block ? malloc_usable_size(block) : 0;
    if (size > before && !admit(size - before))
        return NULL;
    void *moved = realloc(block, size);
    if (!moved) {
        guest.control.failed_allocations++;
        return NULL;
    }
    guest.heap_bytes += malloc_usable_size(moved) - before;
    return moved;
}

static size_t guest_usable_size(const void *block)
{
    return malloc_usable_size((void *)block);
}

/* Shared memory is memory like any other: there is one thread. A buffer that can grow has all of it from the start. */
static void *shared_malloc(void *opaque, size_t size)
{
    (void)opaque;
    return js_malloc(guest.context, size);    /* throws, which the caller does not */
}

static void shared_free(void *opaque, void *block)
{
    (void)opaque;
    js_free_rt(guest.runtime, block);
}

static const JSSharedArrayBufferFunctions shared_memory = {.sab_alloc = shared_malloc, .sab_free = shared_free};

static const JSMallocFunctions guest_memory = {guest_calloc, guest_malloc, guest_free, guest_realloc, guest_usable_size};

/* --- time --- */

static uint64_t used_ns(void)
{
    return guest.control.cpu_used_ns + (monotonic_ns() - guest.resumed_ns);
}

void engine_pause_clock(void)
{
    guest.control.cpu_used_ns = used_ns();
}

void engine_resume_clock(void)
{
    guest.resumed_ns = monotonic_ns();
}

double engine_now_ms(void)
{
    if (guest.control.clock_mode == CLOCK_VIRTUAL)
        return guest.control.virtual_now_ms;
    uint64_t now = realtime_ns();    /* more than a double can hold to the nanosecond */
    return (double)(now / 1000000u) - guest.control.time_origin_ms + (double)(now % 1000000u) / 1e6;
}

/* Whether a poll would unwind the guest before it asks the host. */
bool engine_is_due(void)
{
    Control *control = &guest.control;
    return control->reason || control->interrupt || (control->cpu_budget_ns && used_ns() > control->cpu_budget_ns);
}

/* The engine polls here every few thousand steps. Non-zero unwinds the guest; no guest code can stop that. */
static int on_poll(JSRuntime *runtime, void *opaque)
{
    Control *control = &guest.control;
    (void)runtime, (void)opaque;
    if (control->reason)
        return 1;
    if (control->interrupt) {
        control->reason = REASON_INTERRUPTED;
        return 1;
    }
    uint64_t used = used_ns();
    if (control->cpu_budget_ns && used > control->cpu_budget_ns) {
        control->reason = REASON_CPU;
        return 1;
    }
    guest.checks += 1 + internals_weighed_checks();
    if (control->poll_interval && guest.checks >= control->poll_interval) {
        guest.checks = 0;
        if (engine_host_call(OP_POLL, NULL, 0) == STATUS_STOP) {
            if (!control->reason)
                control->reason = REASON_STOP;
            return 1;
        }
    }
    return 0;
}

/* --- the way out --- */

int32_t engine_host_call(uint32_t op, const uint8_t *message, size_t length)
{
    Control *control = &guest.control;
    engine_pause_clock();
    frames_expose();
    int32_t status = host_call((int32_t)op, (int32_t)(uintptr_t)message, (int32_t)length);
    frames_collect();
    engine_resume_clock();
    /* What the host did may count as guest time. The program learns of no answer for which there is no time left. */
    if (control->cpu_budget_ns && control->cpu_used_ns > control->cpu_budget_ns) {
        if (!control->reason)
            control->reason = REASON_CPU;
        return STATUS_STOP;
    }
    /* Where the host could not even answer, something else stands in its place. */
    return status == STATUS_OK || status == STATUS_FAILED ? status : STATUS_STOP;
}

static bool has_room(size_t source_bytes)
{
    size_t limit = guest.control.heap_limit_bytes, wanted = LEAST_ROOM_BYTES + source_bytes * ROOM_FOR_A_SOURCE_BYTE;
    return !limit || guest.heap_bytes + wanted <= limit + guest.heap_grace_bytes;
}

/* Whether a source text can be compiled: one that certainly finds no memory is not begun. Where a program has left the
 * heap full, the next one gets the grace at once, and may free what the first one holds. */
bool engine_has_room(size_t source_bytes)
{
    bool room = has_room(source_bytes);
    if (!room) {
        guest.control.failed_allocations++;
        guest.heap_grace_bytes = GRACE_BYTES;
        JS_ThrowOutOfMemory(guest.context);
    }
    guest.failed_before = guest.control.failed_allocations;
    return room;
}

/* Whether an allocation failed since a source text is compiled; true: throws. The compiler itself does not always look,
 * so it is asked for at each step. */
bool engine_ran_out(JSContext *ctx)
{
    if (guest.control.failed_allocations == guest.failed_before)
        return false;
    if (!JS_HasException(ctx))
        JS_ThrowOutOfMemory(ctx);
    return true;
}

bool engine_enter(void)
{
    if (guest.depth > CAP_REENTRY)
        return false;
    guest.entries++;
    if (guest.depth++ == 0) {
        guest.turn++;
        guest.task++;
        guest.uncaught = 0;
        if (guest.traces)
            trace_sweep();
        guest.control.reason = REASON_NONE;
        guest.heap_grace_bytes = has_room(0) ? 0 : GRACE_BYTES;
        guest.outbox_busy = false;
        guest.outbox.length = guest.deferred.length = guest.scratch.length = 0;
        buffer_trim(&guest.outbox, KEPT_BUFFER_BYTES);
        buffer_trim(&guest.scratch, KEPT_BUFFER_BYTES);
        buffer_trim(&guest.deferred, KEPT_BUFFER_BYTES);
        guest.checks = 0;
    } else {
        frames_collect();    /* the host may have drained the outbox before it called back */
    }
    engine_resume_clock();
    return true;
}

void engine_leave(void)
{
    Control *control = &guest.control;
    jobs_pump();
    ops_flush_released();
    if (--guest.depth == 0) {
        coverage_tell();
        /* What nobody has looked at, such as why an Error has no stack, is over with the turn. */
        if (JS_HasException(guest.context))
            JS_FreeValue(guest.context, JS_GetException(guest.context));
        if (guest.heap_grace_bytes) {
            JS_RunGC(guest.runtime);
            guest.heap_grace_bytes = 0;
        }
    }
    control->heap_bytes = guest.heap_bytes;
    frames_expose();
    engine_pause_clock();
}

/* --- life --- */

static JSValue global_property(JSContext *ctx, const char *name)
{
    JSValue global = JS_GetGlobalObject(ctx);
    JSValue value = JS_GetPropertyStr(ctx, global, name);
    JS_FreeValue(ctx, global);
    return value;
}

static JSValue method(JSContext *ctx, JSValueConst constructor, const char *name)
{
    JSValue prototype = JS_GetPropertyStr(ctx, constructor, "prototype");
    JSValue value = JS_GetPropertyStr(ctx, prototype, name);
    JS_FreeValue(ctx, prototype);
    return value;
}

static JSAtom private_name(JSContext *ctx, const char *description)
{
    JSValue symbol = JS_NewPrivateSymbol(ctx, description);
    JSAtom atom = JS_ValueToAtom(ctx, symbol);
    JS_FreeValue(ctx, symbol);
    return atom;
}

/* The build's messages are large. They arrive in the far end of the stack, which nothing reaches at build time, so that
 * they leave no hole in the heap that is frozen. */
#define BOOT_INBOX ((uint8_t *)0x10000)
#define BOOT_INBOX_BYTES 0x100000

void engine_show_inbox(void)
{
    guest.control.inbox = (uint32_t)(uintptr_t)guest.inbox.data;
    /* One byte is kept back: source text is closed with a zero. */
    guest.control.inbox_bytes = guest.inbox.room ? guest.inbox.room - 1 : 0;
}

void engine_seal(void)
{
    guest.booting = false;
    internals_drop_modules(guest.context);
    JS_RunGC(guest.runtime);
    /* Room that small programs use before the memory must grow; volatile, or the compiler sees through it. */
    void *volatile room = malloc(FIRST_ROOM_BYTES);
    free(room);
    guest.inbox = (Buffer){0};
    if (!buffer_reserve(&guest.inbox, FIRST_INBOX_BYTES))
        guest.control.failed_allocations++;
    engine_show_inbox();
}

int engine_boot(void)
{
    Control *control = &guest.control;
    guest.booting = true;
    control->max_nodes = CAP_NODES;
    control->max_depth = CAP_DEPTH;
    control->max_message_bytes = CAP_MESSAGE_BYTES;
    control->max_outbox_bytes = CAP_MESSAGE_BYTES;
    guest.runtime = JS_NewRuntime2(&guest_memory, NULL);
    JSContext *ctx = guest.runtime ? JS_NewContext(guest.runtime) : NULL;
    if (!ctx || encodings_boot(guest.runtime) || compression_boot(guest.runtime))
        return STATUS_FAILED;
    guest.context = ctx;
    JS_SetMaxStackSize(guest.runtime, CAP_STACK_BYTES);
    JS_SetInterruptHandler(guest.runtime, on_poll, NULL);
    JS_SetSharedArrayBufferFunctions(guest.runtime, &shared_memory);
    guest.host_exception = private_name(ctx, "host exception");
    guest.conversion = private_name(ctx, "conversion");
    guest.brand = private_name(ctx, "brand");
    guest.map_constructor = global_property(ctx, "Map");
    guest.set_constructor = global_property(ctx, "Set");
    guest.data_view_constructor = global_property(ctx, "DataView");
    guest.regexp_constructor = global_property(ctx, "RegExp");
    guest.map_set = method(ctx, guest.map_constructor, "set");
    guest.set_add = method(ctx, guest.set_constructor, "add");
    jobs_boot();
    modules_boot();
    guest.inbox = (Buffer){.data = BOOT_INBOX, .room = BOOT_INBOX_BYTES};
    engine_show_inbox();
    return STATUS_OK;
}

/* What it stands for stays: to free all of it would write to a page in three of the image. */
static JSValue remove_global(JSContext *ctx, const char *name)
{
    JSValue global = JS_GetGlobalObject(ctx);
    JSAtom key = JS_NewAtom(ctx, name);
    JSValue removed = JS_GetProperty(ctx, global, key);
    JS_DeleteProperty(ctx, global, key, 0);
    JS_FreeAtom(ctx, key);
    JS_FreeValue(ctx, global);
    return removed;
}

static void take_stack_limit(void)
{
    /* More than the default would end in a trap: the wasm stack below is made for just that. */
    uint32_t stack_bytes = guest.control.stack_limit_bytes;
    JS_UpdateStackTop(guest.runtime);
    JS_SetMaxStackSize(guest.runtime, stack_bytes && stack_bytes < CAP_STACK_BYTES ? stack_bytes : CAP_STACK_BYTES);
}

/* What a guest is told again whose memory another instance has left. */
void engine_resume(void)
{
    take_stack_limit();
    if (guest.control.random_seed)
        internals_seed_random(guest.context, guest.control.random_seed);
}

void engine_start(void)
{
    take_stack_limit();
    internals_seed_random(guest.context, guest.control.random_seed);
    if (!guest.control.has_locales)
        guest.hidden = remove_global(guest.context, "Intl");
    guest.control.heap_bytes = guest.heap_bytes;
}
