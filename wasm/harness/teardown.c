/* Free all that the guest holds, which no instance ever does: its memory goes as a whole. What is left then was lost. */
#include "harness.h"

#include <sanitizer/lsan_interface.h>
#include <stdlib.h>

#include "internals.h"

static void free_registry(Registry *registry)
{
    for (uint32_t slot = 0; slot < registry->room; slot++) {
        Entry *entry = &registry->entries[slot];
        if (!entry->id)
            continue;
        JS_FreeValue(guest.context, entry->first);
        JS_FreeValue(guest.context, entry->second);
    }
    registry_free(registry);
}

static void free_lists(JSContext *ctx)
{
    for (Run *run = guest.runs, *next; run; run = next) {
        next = run->next;
        JS_FreeValue(ctx, run->promise);
        free(run);
    }
    for (Task *task = guest.tasks, *next; task; task = next) {
        next = task->next;
        JS_FreeValue(ctx, task->function);
        JS_FreeValue(ctx, task->argument);
        free(task);
    }
    jobs_drop_rejections();
    guest.runs = NULL;
    guest.tasks = NULL;
}

static void free_realm(JSContext *ctx)
{
    JSValue *const values[] = {
        &guest.map_constructor, &guest.map_set, &guest.set_constructor, &guest.set_add, &guest.data_view_constructor,
        &guest.regexp_constructor, &guest.hidden,
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        JS_FreeValue(ctx, *values[i]);
    for (int i = 0; i < HOOK_COUNT; i++)
        JS_FreeValue(ctx, guest.hooks[i]);
    JS_FreeAtom(ctx, guest.host_exception);
    JS_FreeAtom(ctx, guest.conversion);
    JS_FreeAtom(ctx, guest.brand);
}

bool teardown(void)
{
    JSContext *ctx = guest.context;
    memory_limit(0, 0, false, false);
    if (ctx) {
        JS_SetHostPromiseRejectionTracker(guest.runtime, NULL, NULL);
        JS_SetInterruptHandler(guest.runtime, NULL, NULL);
        free_lists(ctx);
        trace_sweep();          /* of runs that are no more */
        free_registry(&guest.handles);
        free_registry(&guest.requests);
        free_realm(ctx);
        internals_drop_names(ctx);
        /* The engine says on standard output what it still holds, and ends the program if that is an object. */
        JS_SetDumpFlags(guest.runtime, JS_DUMP_LEAKS | JS_DUMP_ATOM_LEAKS);
        JS_FreeContext(ctx);
        internals_forget_dropped(guest.runtime);
        JS_FreeRuntime(guest.runtime);
        ops_flush_released();
    }
    if (!guest.booting)
        free(guest.inbox.data);
    free(guest.outbox.data);
    free(guest.deferred.data);
    free(guest.scratch.data);
    free(guest.executed.data);
    guest = (Guest){0};
    return __lsan_do_recoverable_leak_check() != 0;
}
