/* What runs when: microtasks, then one task, then microtasks again; the runs the host waits for; rejections that nobody
 * handled. */
#include "internals.h"

#include <stdlib.h>

static void add_rejection(Rejections *list, Rejection *rejection)
{
    rejection->next = NULL;
    *list->tail = rejection;
    list->tail = &rejection->next;
}

static Rejection *take_rejection(Rejections *list, Rejection **at)
{
    Rejection *rejection = *at;
    if (!(*at = rejection->next))
        list->tail = at;
    return rejection;
}

static void free_rejection(Rejection *rejection)
{
    JS_FreeValue(guest.context, rejection->promise);
    JS_FreeValue(guest.context, rejection->reason);
    free(rejection);
}

static bool forget_rejection(Rejections *list, JSValueConst promise)
{
    for (Rejection **at = &list->first; *at; at = &(*at)->next) {
        engine_weigh(sizeof(**at));
        if (JS_VALUE_GET_PTR((*at)->promise) != JS_VALUE_GET_PTR(promise))
            continue;
        free_rejection(take_rejection(list, at));
        return true;
    }
    return false;
}

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque)
{
    (void)opaque;
    if (!handled) {
        Rejection *rejection = malloc(sizeof(*rejection));
        if (!rejection) {
            guest.control.failed_allocations++;
            return;
        }
        *rejection = (Rejection){JS_DupValue(ctx, promise), JS_DupValue(ctx, reason), guest.answering, 0, NULL};
        add_rejection(&guest.rejections, rejection);
        return;
    }
    if (forget_rejection(&guest.rejections, promise) || forget_rejection(&guest.telling, promise))
        return;
    forget_rejection(&guest.told, promise);
    if (guest.rejections_told &&
        jobs_add_task(ctx, JS_DupValue(ctx, guest.hooks[HOOK_HANDLED]), JS_DupValue(ctx, promise)))
        JS_FreeValue(ctx, JS_GetException(ctx));
}

void jobs_drop_rejections(void)
{
    Rejections *const lists[] = {&guest.rejections, &guest.telling, &guest.told};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        while (lists[i]->first)
            free_rejection(take_rejection(lists[i], &lists[i]->first));
}

void jobs_boot(void)
{
    guest.tasks_tail = &guest.tasks;
    guest.rejections.tail = &guest.rejections.first;
    guest.telling.tail = &guest.telling.first;
    guest.told.tail = &guest.told.first;
    JS_SetHostPromiseRejectionTracker(guest.runtime, on_rejection, NULL);
}

static int add_task(JSContext *ctx, JSValue function, JSValue argument, bool is_answer)
{
    Task *task = malloc(sizeof(*task));
    if (!task) {
        JS_FreeValue(ctx, function);
        JS_FreeValue(ctx, argument);
        guest.control.failed_allocations++;
        JS_ThrowOutOfMemory(ctx);
        return -1;
    }
    *task = (Task){function, argument, is_answer, NULL};
    *guest.tasks_tail = task;
    guest.tasks_tail = &task->next;
    return 0;
}

int jobs_add_task(JSContext *ctx, JSValue function, JSValue argument)
{
    return add_task(ctx, function, argument, false);
}

int jobs_add_answer(JSContext *ctx, JSValue settle, JSValue answer)
{
    return add_task(ctx, settle, answer, true);
}

static Task *next_task(void)
{
    Task *task = guest.tasks;
    if (task && !(guest.tasks = task->next))
        guest.tasks_tail = &guest.tasks;
    return task;
}

static void free_task(Task *task)
{
    JS_FreeValue(guest.context, task->function);
    JS_FreeValue(guest.context, task->argument);
    free(task);
}

static void free_run(Run *run)
{
    JS_FreeValue(guest.context, run->promise);
    free(run);
}

/* The turn was stopped: its microtasks may be an endless chain, so none of them may run later. Tasks stay, bindings
 * count on them. */
static void drop_microtasks(void)
{
    JSContext *ctx = guest.context;
    internals_drop_jobs(guest.runtime);
    jobs_drop_rejections();
    if (JS_HasException(ctx))
        JS_FreeValue(ctx, JS_GetException(ctx));
}

static void run_microtasks(void)
{
    JSContext *ctx;
    while (!guest.control.reason) {
        int done = JS_ExecutePendingJob(guest.runtime, &ctx);
        if (done == 0)
            return;
        if (done < 0 && !guest.control.reason)
            failures_uncaught_pending();
    }
}

/* The next rejection that may be reported now, from one of them on. */
static Rejection **next_due(Rejection **at)
{
    while (*at && (*at)->has_time && guest.runs) {
        engine_weigh(sizeof(**at));
        at = &(*at)->next;
    }
    return at;
}

/* A task: tell the program's listeners of a batch of rejections. What they do not deal with stays for the host. */
static JSValue tell_rejections(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t batch;
    (void)this_value, (void)argc;
    if (JS_ToUint32(ctx, &batch, argv[0]))
        return JS_EXCEPTION;
    while (guest.telling.first && guest.telling.first->batch <= batch && !guest.control.reason) {
        Rejection *rejection = take_rejection(&guest.telling, &guest.telling.first);
        JSValueConst arguments[2] = {rejection->promise, rejection->reason};
        JSValue result = hooks_call(ctx, HOOK_UNHANDLED, 2, arguments);
        if (JS_IsException(result) && !guest.control.reason)
            JS_FreeValue(ctx, JS_GetException(ctx));
        bool dealt_with = JS_VALUE_GET_TAG(result) == JS_TAG_BOOL && JS_VALUE_GET_BOOL(result);
        bool handled = internals_promise_is_handled(rejection->promise);
        JS_FreeValue(ctx, result);
        guest.rejections_told |= !handled;
        if (dealt_with || handled)
            free_rejection(rejection);
        else
            add_rejection(&guest.told, rejection);
    }
    return guest.control.reason ? JS_EXCEPTION : JS_UNDEFINED;
}

/* Have the listeners told, in a task of its own, of the rejections that may be reported now. */
static void notify_of_rejections(void)
{
    JSContext *ctx = guest.context;
    Rejection **at = &guest.rejections.first;
    if (!(guest.listening & LISTENING_REJECTION) || !*(at = next_due(at)))
        return;
    guest.batch++;
    JSValue function = JS_NewCFunction(ctx, tell_rejections, "", 1);
    if (JS_IsException(function) || jobs_add_task(ctx, function, JS_NewUint32(ctx, guest.batch))) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return;
    }
    while (*(at = next_due(at))) {
        (*at)->batch = guest.batch;
        add_rejection(&guest.telling, take_rejection(&guest.rejections, at));
    }
}

static void run_tasks(void)
{
    JSContext *ctx = guest.context;
    Task *task;
    run_microtasks();
    notify_of_rejections();
    while (!guest.control.reason && (task = next_task())) {
        bool argument = JS_VALUE_GET_TAG(task->argument) != JS_TAG_UNINITIALIZED;
        guest.task++;
        guest.answering = task->is_answer;
        JSValue result = JS_Call(ctx, task->function, JS_UNDEFINED, argument, (JSValueConst *)&task->argument);
        guest.answering = false;
        free_task(task);
        if (JS_IsException(result) && !guest.control.reason)
            failures_uncaught_pending();
        JS_FreeValue(ctx, result);
        run_microtasks();
        notify_of_rejections();
    }
}

static void finish(uint32_t id, JSValue value, bool quiet)
{
    JSContext *ctx = guest.context;
    Frame frame;
    int failed = encode_message(ctx, frame_begin(&frame), value, quiet);
    JS_FreeValue(ctx, value);
    if (failed) {
        frame_drop(&frame);
        failures_report_pending(OP_FAIL, id);
    } else {
        frame_commit(&frame, OP_FINISH, id);
    }
}

void jobs_follow(JSContext *ctx, JSValueConst promise)
{
    JS_PromiseMarkAsHandled(ctx, promise);
    on_rejection(ctx, promise, JS_UNDEFINED, true, NULL);
}

/* An asynchronous script fulfils with {value}; a promise in there is what the run waits for next. */
static void unwrap_value(JSContext *ctx, Run *run)
{
    JSValue result = JS_PromiseResult(ctx, run->promise);
    JSValue value = JS_GetPropertyStr(ctx, result, "value");
    JS_FreeValue(ctx, result);
    run->kind = RUN_PLAIN;
    if (!JS_IsPromise(value)) {
        JSValue promise = JS_NewSettledPromise(ctx, false, value);
        JS_FreeValue(ctx, value);
        value = promise;
    } else {
        jobs_follow(ctx, value);
    }
    JS_FreeValue(ctx, run->promise);
    run->promise = value;
}

/* Move the runs whose promise has settled to a list of their own, in the order they began. No guest code runs here. */
static Run *take_settled(void)
{
    JSContext *ctx = guest.context;
    Run *settled = NULL;
    for (Run **at = &guest.runs; *at;) {
        Run *run = *at;
        if (run->kind == RUN_SCRIPT && JS_PromiseState(ctx, run->promise) == JS_PROMISE_FULFILLED)
            unwrap_value(ctx, run);
        if (JS_PromiseState(ctx, run->promise) == JS_PROMISE_PENDING) {
            at = &run->next;
            continue;
        }
        *at = run->next;
        run->next = settled;
        settled = run;
    }
    return settled;
}

static JSValue value_of(JSContext *ctx, Run *run)
{
    JSValue result = JS_PromiseResult(ctx, run->promise);
    if (run->kind != RUN_BOXED)
        return result;
    JSValue value = JS_GetPropertyStr(ctx, result, "value");
    JS_FreeValue(ctx, result);
    return value;
}

/* Report every run whose promise has settled. Reporting runs getters, and these may begin and end other runs. */
static bool settle_runs(void)
{
    JSContext *ctx = guest.context;
    Run *run = take_settled(), *next;
    bool any = run != NULL;
    for (; run; run = next) {
        next = run->next;
        if (JS_IsException(run->promise))
            failures_report_pending(OP_FAIL, run->id);
        else if (JS_PromiseState(ctx, run->promise) == JS_PROMISE_FULFILLED)
            finish(run->id, value_of(ctx, run), run->kind == RUN_QUIET);
        else
            failures_report(OP_FAIL, run->id, JS_PromiseResult(ctx, run->promise));
        free_run(run);
    }
    return any;
}

/* Takes `result`: the value of a run, the promise of it, or JS_EXCEPTION. */
void jobs_begin_run(uint32_t id, JSValue result, RunKind kind)
{
    JSContext *ctx = guest.context;
    if (JS_IsException(result)) {
        failures_report_pending(OP_FAIL, id);
        return;
    }
    Run *run = malloc(sizeof(*run));
    if (!run) {
        JS_FreeValue(ctx, result);
        JS_ThrowOutOfMemory(ctx);
        guest.control.failed_allocations++;
        failures_report_pending(OP_FAIL, id);
        return;
    }
    if (JS_IsPromise(result)) {
        jobs_follow(ctx, result);
    } else {
        /* Reported when its jobs have run, like every other: what they change is still seen. */
        JSValue promise = JS_NewSettledPromise(ctx, false, result);
        JS_FreeValue(ctx, result);
        if (JS_IsException(promise)) {
            free(run);
            failures_report_pending(OP_FAIL, id);
            return;
        }
        result = promise;
        kind = kind == RUN_SCRIPT ? RUN_PLAIN : kind;
    }
    *run = (Run){.id = id, .promise = result, .kind = kind, .next = guest.runs};
    guest.runs = run;
}

void jobs_abandon(uint32_t id)
{
    for (Run **at = &guest.runs; *at; at = &(*at)->next) {
        Run *run = *at;
        if (run->id != id)
            continue;
        *at = run->next;
        free_run(run);
        return;
    }
}

/* From the beginning each time: reporting one runs getters, and these may handle others. */
static void report_rejections(Rejections *list)
{
    for (Rejection **at; !guest.control.reason && *(at = next_due(&list->first));) {
        Rejection *rejection = take_rejection(list, at);
        failures_report(OP_UNCAUGHT, 1, rejection->reason);
        JS_FreeValue(guest.context, rejection->promise);
        free(rejection);
    }
}

void jobs_pump(void)
{
    /* A nested export leaves the queue to the turn it interrupts; only what is settled already is reported. */
    if (guest.depth > 1) {
        settle_runs();
        return;
    }
    do {
        run_tasks();
        if (!guest.control.reason)
            settle_runs();
        if (!guest.control.reason && !guest.runs)
            notify_of_rejections();
    } while (!guest.control.reason && (internals_has_jobs(guest.runtime) || guest.tasks));
    if (!guest.runs)
        internals_forget_dropped(guest.runtime);
    report_rejections(&guest.told);
    report_rejections(&guest.rejections);
    if (guest.control.reason)
        drop_microtasks();
}

bool jobs_has_run(uint32_t id)
{
    for (Run *run = guest.runs; run; run = run->next) {
        if (run->id == id)
            return true;
    }
    return false;
}
