/* Coverage: which statements and functions of a program's modules were executed, and how often.
 *
 * Where a module is compiled that counts, the compiler makes a point of each statement and each function, and emits the
 * instruction `line` there with the point's number. The host is told of the points of a module once, and at the end of
 * each turn of the points that were passed in it. So what a rollback undoes was counted. The bindings say by which
 * numbers it is told; until they do, nothing counts. */
#include "internals.h"
#include "trace.h"
#include "writer.h"

#include <string.h>

typedef struct Point {
    uint32_t line;
    uint32_t offset;       /* in bytes of the text; the highest bit: it is a function */
} Point;

typedef struct Passed {
    uint32_t point, count;
} Passed;

static struct {
    uint32_t points_op, counts_op;
    Buffer places;         /* u32 for each point: where it stands in `passed`, from 1; 0: it does not */
    Buffer passed;         /* since the host was told: Passed, in the order of the first time */
    Buffer points;         /* Point: those of the module that is being compiled */
    uint32_t first;        /* the number of the first of them */
    size_t head_bytes;     /* of the text that is compiled, what comes before the program's own */
} coverage;

void coverage_start(uint32_t points_op, uint32_t counts_op)
{
    coverage.points_op = points_op;
    coverage.counts_op = counts_op;
}

void coverage_begin(size_t head_bytes)
{
    if (!coverage.points_op)
        return;
    coverage.first = (uint32_t)(coverage.places.length / sizeof(uint32_t));
    coverage.points.length = 0;
    coverage.head_bytes = head_bytes;
    engine_traced_run = ENGINE_COVERS;
    engine_traces_lines = true;
    engine_traces_comments = false;
}

/* Tell the host of a module that was compiled; -1: throws. */
int coverage_end(JSContext *ctx, bool is_compiled, JSValueConst filename)
{
    if (engine_traced_run != ENGINE_COVERS)
        return 0;
    engine_traced_run = 0;
    int status = 0;
    if (!is_compiled) {
        coverage.places.length = coverage.first * sizeof(uint32_t);
    } else {
        JSValue first = JS_NewUint32(ctx, coverage.first);
        JSValue points = JS_NewUint8ArrayCopy(ctx, coverage.points.data, coverage.points.length);
        JSValueConst parts[3] = {filename, first, points};
        status = JS_IsException(points) ? -1 : ops_send(ctx, coverage.points_op, 3, parts);
        JS_FreeValue(ctx, points);
    }
    coverage.points.length = 0;
    buffer_trim(&coverage.points, 0);
    return status;
}

bool engine_new_point(uint32_t line, size_t offset, bool is_function, uint32_t *number)
{
    Point point = {line, (uint32_t)(offset - coverage.head_bytes) | (uint32_t)is_function << 31};
    uint32_t none = 0;
    *number = (uint32_t)(coverage.places.length / sizeof(none));
    if ((int32_t)line < 1 || offset < coverage.head_bytes || *number >= CAP_COVERED_POINTS)
        return false;
    if (!buffer_put(&coverage.points, &point, sizeof(point)))
        return false;
    if (buffer_put(&coverage.places, &none, sizeof(none)))
        return true;
    coverage.points.length -= sizeof(point);
    return false;
}

void coverage_pass(uint32_t number)
{
    uint32_t *places = (uint32_t *)(void *)coverage.places.data;
    if (places[number]) {
        Passed *passed = (Passed *)(void *)coverage.passed.data + places[number] - 1;
        passed->count += passed->count != UINT32_MAX;
        return;
    }
    Passed passed = {number, 1};
    if (buffer_put(&coverage.passed, &passed, sizeof(passed)))
        places[number] = (uint32_t)(coverage.passed.length / sizeof(passed));
}

/* A message like that of `ops_send`, with one bin. Written without the engine, for the heap may be full. */
static bool put_counts(Buffer *out)
{
    static const uint8_t head[3] = {0, 0x91, 0xc6}; /* no flags, an array of one, a bin with a length of 4 bytes */
    uint32_t length = (uint32_t)coverage.passed.length;
    uint8_t size[4] = {length >> 24, length >> 16, length >> 8, length};
    return buffer_put(out, head, sizeof(head)) && buffer_put(out, size, sizeof(size)) &&
           buffer_put(out, coverage.passed.data, length);
}

void coverage_tell(void)
{
    size_t count = coverage.passed.length / sizeof(Passed);
    if (!count || guest.outbox_busy)
        return;
    Frame frame;
    if (!put_counts(frame_begin(&frame))) {
        guest.control.failed_allocations++;
        frame_drop(&frame);
        return;
    }
    frame_commit(&frame, coverage.counts_op, 0);
    Passed *passed = (Passed *)(void *)coverage.passed.data;
    for (size_t i = 0; i < count; i++)
        ((uint32_t *)(void *)coverage.places.data)[passed[i].point] = 0;
    coverage.passed.length = 0;
}

/* coverModules(op that tells of points, op that tells of counts): from now on, modules count that are compiled. */
static JSValue cover_modules(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    uint32_t points_op, counts_op;
    (void)this_value, (void)argc;
    if (JS_ToUint32(ctx, &points_op, argv[0]) || JS_ToUint32(ctx, &counts_op, argv[1]))
        return JS_EXCEPTION;
    coverage_start(points_op, counts_op);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("coverModules", 2, cover_modules),
};

int coverage_add_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_AddModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}

int coverage_set_exports(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExportList(ctx, module, functions, sizeof(functions) / sizeof(functions[0]));
}
