/* What is told of runs that are traced: which lines were executed and how often, comments that were passed, where each
 * request was made. Nothing of the program's text is changed: the compiler puts an instruction before each statement. */
#include "internals.h"
#include "trace.h"

#include <stdlib.h>

typedef struct Executed {
    uint32_t run, line, count;
} Executed;

uint32_t engine_traced_run;
bool engine_traces_lines, engine_traces_comments;

/* A run that is traced. Its functions may live longer, and are traced no more. Owned by the list. */
struct Trace {
    uint32_t run;
    uint32_t what;         /* set of Evaluation */
    uint32_t comments;     /* how many were told */
    uint32_t line_count;
    uint32_t *places;      /* by line: where it stands among the executed ones, from 1; 0: it does not yet */
    Trace *next;
};

static Trace *find(uint32_t run)
{
    Trace *trace = guest.traces;
    while (trace && trace->run != run)
        trace = trace->next;
    return trace;
}

static void show_executed(void)
{
    guest.control.executed = (uint32_t)(uintptr_t)guest.executed.data;
    guest.control.executed_bytes = (uint32_t)guest.executed.length;
}

static uint32_t lines_in(Bytes code)
{
    uint32_t count = 1;
    for (size_t i = 0; i < code.length && count < CAP_TRACED_LINES; i++)
        count += code.data[i] == '\n' || code.data[i] == '\r' || (uint8_t)code.data[i] == 0xe2;
    return count;
}

bool trace_begin(uint32_t run, uint32_t what, Bytes code)
{
    if (!(what & (EVALUATION_PLACES | EVALUATION_LINES | EVALUATION_COMMENTS)))
        return true;
    Trace *trace = find(run) ? NULL : calloc(1, sizeof(*trace));
    uint32_t lines = what & EVALUATION_LINES ? lines_in(code) : 0;
    if (trace && lines && !(trace->places = calloc(lines + 1, sizeof(*trace->places)))) {
        free(trace);
        trace = NULL;
    }
    if (!trace) {
        guest.control.failed_allocations++;
        JS_ThrowOutOfMemory(guest.context);
        return false;
    }
    trace->run = run;
    trace->what = what;
    trace->line_count = lines;
    trace->next = guest.traces;
    guest.traces = trace;
    guest.telling_places += (what & EVALUATION_PLACES) != 0;
    engine_traced_run = what & (EVALUATION_LINES | EVALUATION_COMMENTS) ? run : 0;
    engine_traces_lines = what & EVALUATION_LINES;
    engine_traces_comments = what & EVALUATION_COMMENTS;
    return true;
}

void trace_compiled(void)
{
    engine_traced_run = 0;
}

/* Of what was executed, only what runs have done that are traced still. */
static void drop_executed(uint32_t run)
{
    Executed *lines = (Executed *)(void *)guest.executed.data;
    size_t count = guest.executed.length / sizeof(*lines), kept = 0;
    for (size_t i = 0; i < count; i++) {
        Trace *trace = lines[i].run == run ? NULL : find(lines[i].run);
        if (!trace)
            continue;
        lines[kept++] = lines[i];
        trace->places[lines[i].line] = (uint32_t)kept;
    }
    guest.executed.length = kept * sizeof(*lines);
    if (!kept)
        buffer_trim(&guest.executed, 0);
    show_executed();
}

void trace_sweep(void)
{
    for (Trace **at = &guest.traces; *at;) {
        Trace *trace = *at;
        if (jobs_has_run(trace->run)) {
            at = &trace->next;
            continue;
        }
        *at = trace->next;
        guest.telling_places -= (trace->what & EVALUATION_PLACES) != 0;
        if (trace->places)
            drop_executed(trace->run);
        free(trace->places);
        free(trace);
    }
}

bool engine_has_comment(const uint8_t *from, const uint8_t *to)
{
    for (; from < to; from++) {
        if (*from == '/' && from + 1 < to && (from[1] == '/' || from[1] == '*'))
            return true;
    }
    return false;
}

static void tell_comment(Trace *trace, uint32_t offset)
{
    Frame frame;
    if (trace->comments >= CAP_TRACED_COMMENTS)
        return;
    trace->comments++;
    if (encode_message(guest.context, frame_begin(&frame), JS_NewUint32(guest.context, offset), false)) {
        frame_drop(&frame);
        JS_FreeValue(guest.context, JS_GetException(guest.context));
    } else {
        frame_commit(&frame, OP_COMMENT, trace->run);
    }
}

__attribute__((noinline)) void engine_line(uint32_t run, uint32_t line)
{
    if (run == ENGINE_COVERS) {
        coverage_pass(line);
        return;
    }
    Trace *trace = find(run);
    if (!trace)
        return;
    if (line >> 31) {
        tell_comment(trace, line & 0x7fffffff);
        return;
    }
    if (line > trace->line_count)
        return;
    uint32_t place = trace->places[line];
    if (place) {
        Executed *executed = (Executed *)(void *)guest.executed.data + place - 1;
        executed->count += executed->count != UINT32_MAX;
        return;
    }
    Executed executed = {run, line, 1};
    if (buffer_put(&guest.executed, &executed, sizeof(executed)))
        trace->places[line] = (uint32_t)(guest.executed.length / sizeof(executed));
    show_executed();
}

void trace_place(JSContext *ctx)
{
    Frame frame;
    uint32_t line;
    JSValue file = internals_place(ctx, &line);
    JSValue parts[2] = {file, JS_NewFloat64(ctx, (double)(realtime_ns() / 1000u) / 1000.0)};
    JSValue place = JS_IsException(file) ? file : native_array(ctx, 2, parts);
    if (JS_IsException(place)) {
        JS_FreeValue(ctx, JS_GetException(ctx));
        return;
    }
    if (encode_message(ctx, frame_begin(&frame), place, false)) {
        frame_drop(&frame);
        JS_FreeValue(ctx, JS_GetException(ctx));
    } else {
        frame_commit(&frame, OP_PLACE, line);
    }
    JS_FreeValue(ctx, place);
}
