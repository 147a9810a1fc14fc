/* The C library's malloc, within the bounds that linear memory would have, and failing when it is told to. The linker
 * sends what the guest calls here. */
#include "harness.h"

#include <errno.h>
#include <malloc.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>

void *__real_calloc(size_t count, size_t each);
void *__real_realloc(void *block, size_t size);

static size_t allocated_bytes, most_bytes;
static uint32_t allocations, failing;      /* since the limit was set; the number of the one that fails */
static bool all_after, traced;

void memory_limit(size_t bytes, uint32_t which, bool all, bool trace)
{
    most_bytes = bytes;
    failing = which;
    all_after = all;
    traced = trace;
    allocations = 0;
}

size_t memory_allocated(uint32_t *count)
{
    *count = allocations;
    return allocated_bytes;
}

/* WebAssembly's memory is 2 GiB at most as far as the guest's malloc goes. */
static bool admit(size_t more)
{
    allocations++;
    if (traced && allocations == failing)
        __sanitizer_print_stack_trace();       /* goes into the report, if there is one */
    bool refused = failing && (allocations == failing || (all_after && allocations > failing));
    if (!refused && more < 0x7fff0000 && (!most_bytes || allocated_bytes + more <= most_bytes))
        return true;
    errno = ENOMEM;
    return false;
}

static void *counted(void *block)
{
    if (block)
        allocated_bytes += malloc_usable_size(block);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return admit(size) ? counted(__real_malloc(size)) : NULL;
}

void *__wrap_calloc(size_t count, size_t each)
{
    size_t size;
    if (__builtin_mul_overflow(count, each, &size) || !admit(size))
        return NULL;
    return counted(__real_calloc(count, each));
}

void __wrap_free(void *block)
{
    if (block)
        allocated_bytes -= malloc_usable_size(block);
    __real_free(block);
}

/* Always moves the block, so that every pointer into the old one is seen. */
void *__wrap_realloc(void *block, size_t size)
{
    size_t before = block ? malloc_usable_size(block) : 0;
    if (!admit(size > before ? size - before : 0))
        return NULL;
    void *moved = __real_realloc(block, size ? size : 1);
    if (moved)
        allocated_bytes += malloc_usable_size(moved) - before;
    return moved;
}
