/* malloc and its kin. The compiler's own rounds every block up to a power of two and never joins or splits one, which
 * leaves up to half of a bounded memory unused and what was freed of no use for blocks of another size.
 *
 * Blocks lie side by side and know their neighbours, so what is free is joined at once. Free blocks are kept in lists by
 * size, sixteen lists for each power of two; two levels of bit maps find the first list with a block that is large enough.
 * So every operation takes the same few steps, whatever a guest does to the heap. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Block {
    uint32_t before;      /* size of the block before, while that one is free; until then it belongs to its payload */
    uint32_t state;       /* size of this block, a multiple of 16, and the two bits below */
    struct Block *next, *previous; /* in its list, while it is free: the payload begins here */
} Block;

enum { FREE = 1, FREE_BEFORE = 2, BITS = 15 };
enum {
    GRAIN = 16,
    HEADER = offsetof(Block, next),
    OWN = sizeof(uint32_t),        /* what an allocated block keeps of itself: its state */
    LEVELS = 26,
    LISTS = 16,                    /* a level; the first level holds the sizes below 256, one list for each */
    WASM_PAGE = 65536,
    LEAST_GROWTH = 4 * WASM_PAGE,
};
static const size_t LARGEST = 0x7fff0000;

extern uint8_t __heap_base;

static struct {
    Block *lists[LEVELS][LISTS];
    uint32_t levels, used_lists[LEVELS]; /* bit maps of what is not empty */
    uintptr_t end;                 /* of the heap; a block without payload stands before it */
    uintptr_t untouched;           /* from here on memory is zero but for the headers of free blocks that begin there */
} heap;

static size_t size_of(const Block *block) { return block->state & ~(uint32_t)BITS; }
static Block *after(const Block *block) { return (Block *)((uintptr_t)block + size_of(block)); }
static Block *block_of(void *payload) { return (Block *)((uintptr_t)payload - HEADER); }
static void *payload_of(Block *block) { return &block->next; }

static void list_of(size_t size, uint32_t *level, uint32_t *list)
{
    uint32_t power = 31 - __builtin_clz(size);
    *level = power < 8 ? 0 : power - 7;
    *list = power < 8 ? size / GRAIN : size >> (power - 4) & (LISTS - 1);
}

/* The first list whose blocks are all large enough. */
static bool list_for(size_t size, uint32_t *level, uint32_t *list)
{
    if (size >= 256)
        size += ((size_t)1 << (27 - __builtin_clz(size))) - 1;
    list_of(size, level, list);
    uint32_t lists = heap.used_lists[*level] & ~0u << *list;
    if (!lists) {
        uint32_t levels = heap.levels & ~0u << 1 << *level;
        if (!levels)
            return false;
        *level = __builtin_ctz(levels);
        lists = heap.used_lists[*level];
    }
    *list = __builtin_ctz(lists);
    return true;
}

/* Make a block free: tell its neighbour, and put it into its list. */
static void put(Block *block, size_t size)
{
    uint32_t level, list;
    block->state = (uint32_t)size | (block->state & FREE_BEFORE) | FREE;
    after(block)->before = (uint32_t)size;
    after(block)->state |= FREE_BEFORE;
    list_of(size, &level, &list);
    Block *first = heap.lists[level][list];
    block->next = first;
    block->previous = NULL;
    if (first)
        first->previous = block;
    heap.lists[level][list] = block;
    heap.used_lists[level] |= 1u << list;
    heap.levels |= 1u << level;
}

/* Take a free block out of its list; it counts as allocated then. */
static void take(Block *block)
{
    uint32_t level, list;
    list_of(size_of(block), &level, &list);
    if (block->next)
        block->next->previous = block->previous;
    if (block->previous)
        block->previous->next = block->next;
    else if (!(heap.lists[level][list] = block->next) && !(heap.used_lists[level] &= ~(1u << list)))
        heap.levels &= ~(1u << level);
    block->state &= ~(uint32_t)FREE;
    after(block)->state &= ~(uint32_t)FREE_BEFORE;
}

/* Free `size` bytes at `block`, joined with what is free on either side. */
static void put_joined(Block *block, size_t size)
{
    Block *end = (Block *)((uintptr_t)block + size);
    if (end->state & FREE) {
        size += size_of(end);
        take(end);
    }
    if (block->state & FREE_BEFORE) {
        block = (Block *)((uintptr_t)block - block->before);
        size += size_of(block);
        take(block);
    }
    put(block, size);
}

/* Keep `size` bytes of an allocated block and free the rest. */
static void trim(Block *block, size_t size)
{
    size_t rest = size_of(block) - size;
    if (rest) {
        block->state -= (uint32_t)rest;
        Block *second = after(block);
        second->state = 0;
        put_joined(second, rest);
    }
    uintptr_t touched = (uintptr_t)after(block) + sizeof(Block);
    if (heap.untouched < touched)
        heap.untouched = touched;
}

/* Take the memory from `start` to `end` into the heap. */
static void extend(uintptr_t start, uintptr_t end)
{
    Block *block, *last = (Block *)(end - HEADER);
    if (start == heap.end) {
        block = (Block *)(start - HEADER);     /* the block without payload becomes this one */
    } else {
        block = (Block *)((start + HEADER + GRAIN - 1) / GRAIN * GRAIN - HEADER);
        block->state = 0;
        heap.untouched = (uintptr_t)block + sizeof(Block);
    }
    last->state = 0;
    heap.end = end;
    bool joins = block->state & FREE_BEFORE;
    put_joined(block, (uintptr_t)last - (uintptr_t)block);
    if (joins)
        memset(block, 0, sizeof(Block));       /* it is the middle of a block now, which is to be untouched */
}

/* Make room for a block at the end of the heap. */
static bool grow(size_t size)
{
    uintptr_t end = __builtin_wasm_memory_size(0) * WASM_PAGE;
    if (!heap.end && end - (uintptr_t)&__heap_base > 2 * sizeof(Block) + GRAIN) {
        extend((uintptr_t)&__heap_base, end);
        return true;
    }
    const Block *last = (const Block *)(heap.end - HEADER);
    if (heap.end == end && (last->state & FREE_BEFORE) && last->before < size)
        size -= last->before;                  /* it is joined with what comes */
    size_t wanted = (size + HEADER + WASM_PAGE - 1) / WASM_PAGE, least = LEAST_GROWTH / WASM_PAGE;
    size_t pages = wanted < least ? least : wanted;
    size_t before = __builtin_wasm_memory_grow(0, pages);
    if (before == SIZE_MAX && pages > wanted)
        before = __builtin_wasm_memory_grow(0, pages = wanted);
    if (before == SIZE_MAX)
        return false;
    extend(before * WASM_PAGE, (before + pages) * WASM_PAGE);
    return true;
}

/* The size of a block for a payload; 0: too large. */
static size_t block_size(size_t length)
{
    if (length > LARGEST)
        return 0;
    return length <= GRAIN - OWN ? GRAIN : (length + OWN + GRAIN - 1) & ~(size_t)(GRAIN - 1);
}

static void *allocate(size_t length)
{
    uint32_t level, list;
    size_t size = block_size(length);
    while (size && !list_for(size, &level, &list)) {
        /* What is asked for here is found afterwards: list_for() looks for a sixteenth more at most. */
        if (!grow(size + size / LISTS))
            size = 0;
    }
    if (!size) {
        errno = ENOMEM;
        return NULL;
    }
    Block *block = heap.lists[level][list];
    take(block);
    trim(block, size);
    return payload_of(block);
}

void *malloc(size_t length)
{
    return allocate(length);
}

void free(void *payload)
{
    if (payload)
        put_joined(block_of(payload), size_of(block_of(payload)));
}

void *calloc(size_t count, size_t each)
{
    size_t length;
    if (__builtin_mul_overflow(count, each, &length))
        length = SIZE_MAX;
    uintptr_t untouched = heap.untouched;
    uint8_t *payload = allocate(length);
    if (payload) {
        size_t used = (uintptr_t)payload < untouched ? untouched - (uintptr_t)payload : sizeof(Block);
        memset(payload, 0, used < length ? used : length);
    }
    return payload;
}

void *realloc(void *payload, size_t length)
{
    if (!payload)
        return allocate(length);
    Block *block = block_of(payload);
    size_t size = block_size(length), before = size_of(block);
    if (size > before && (after(block)->state & FREE) && before + size_of(after(block)) >= size) {
        Block *second = after(block);
        take(second);
        block->state += (uint32_t)size_of(second);
    }
    if (size && size <= size_of(block)) {
        trim(block, size);
        return payload;
    }
    void *moved = allocate(length);
    if (moved) {
        memcpy(moved, payload, before - OWN);
        free(payload);
    }
    return moved;
}

size_t malloc_usable_size(void *payload)
{
    return payload ? size_of(block_of(payload)) - OWN : 0;
}

/* Blocks are aligned to 16 bytes, and nothing here needs more. */
void *aligned_alloc(size_t alignment, size_t length)
{
    return alignment <= GRAIN ? allocate(length) : NULL;
}

int posix_memalign(void **out, size_t alignment, size_t length)
{
    *out = aligned_alloc(alignment, length);
    return *out ? 0 : ENOMEM;
}
