/* The module's door. The host reserves room for a request, writes it, and calls `transform` once; the instance is then
 * of no further use. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "transform.h"

#define EXPORTED(name) __attribute__((export_name(#name)))

/* As the host writes it; the texts follow, in this order, each ended by a NUL, and then the source. */
typedef struct { uint32_t language, flags, factory_bytes, fragment_bytes, import_source_bytes, source_bytes; } Header;

/* As the host reads it. Either code, or a message: positions count from 0, columns in bytes. */
typedef struct {
    uint32_t status, code, code_bytes, mappings, mapping_count, message, message_bytes, line, column_bytes;
} Result;

enum { UNFINISHED, TRANSFORMED, REFUSED, OUT_OF_MEMORY };

Request request;
static Result result;

EXPORTED(reserve) int32_t reserve(int32_t bytes)
{
    return (int32_t)(uintptr_t)allocate((uint32_t)bytes);
}

_Noreturn void refuse(uint32_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (uint32_t index = 0; index < at; index++) {
        result.column_bytes++;
        if (request.source[index] == '\n') {
            result.line++;
            result.column_bytes = 0;
        }
    }
    result.message = (uint32_t)(uintptr_t)formatted(format, arguments);
    result.message_bytes = (uint32_t)strlen((char *)(uintptr_t)result.message);
    va_end(arguments);
    result.status = REFUSED;
    __builtin_trap(); /* whatever the stack holds ends here: the host reads the result */
}

static void *checked(void *block)
{
    if (!block) {
        result.status = OUT_OF_MEMORY;
        __builtin_trap();
    }
    return block;
}

void *allocate(size_t bytes) { return checked(malloc(bytes ? bytes : 1)); }
void *allocate_zeroed(size_t count, size_t bytes) { return checked(calloc(count ? count : 1, bytes ? bytes : 1)); }
void *reallocate(void *block, size_t bytes) { return checked(realloc(block, bytes ? bytes : 1)); }

EXPORTED(outcome) int32_t outcome(void)
{
    return (int32_t)(uintptr_t)&result;
}

EXPORTED(transform) int32_t transform(int32_t address)
{
    const Header *header = (const Header *)(uintptr_t)address;
    ts_set_allocator(allocate, allocate_zeroed, reallocate, free);
    const char *text = (const char *)(header + 1);
    request.flags = header->flags;
    request.factory = text;
    request.fragment = request.factory + header->factory_bytes + 1;
    request.import_source = request.fragment + header->fragment_bytes + 1;
    request.source = request.import_source + header->import_source_bytes + 1;
    request.length = header->source_bytes;
    TSNode root = parse(header->language);
    walk(root);
    settle_modules();
    settle_jsx(root);
    char *code;
    result.code_bytes = code_finish(&code);
    result.code = (uint32_t)(uintptr_t)code;
    result.mappings = (uint32_t)(uintptr_t)mappings;
    result.mapping_count = mapping_count;
    result.status = TRANSFORMED;
    return 0;
}

/* What the C library wants of WASI for output that nobody makes. */
int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t fd) { return fd ? EBADF : EBADF; }
int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t fd, int32_t out) { return fd | out ? EBADF : EBADF; }
int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t offset, int32_t whence, int32_t out)
{
    return (void)fd, (void)offset, (void)whence, (void)out, EBADF;
}
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t vectors, int32_t count, int32_t written)
{
    return (void)fd, (void)vectors, (void)count, (void)written, EBADF;
}
int close(int fd) { return (void)fd, errno = EBADF, -1; }
