/* memcpy and its kin. WebAssembly's own instructions leave the guest for the host's code, which takes longer than most
 * of what an engine copies is long; the compiler's runtime library, built for machines that lack them, works byte by
 * byte. So what is short is moved in words that may overlap, and what is long by the instructions. The compiler is told
 * to call these functions (`-mno-bulk-memory-opt`); they alone may use the instructions. */
#include <stddef.h>
#include <stdint.h>

#define BULK __attribute__((noinline, target("bulk-memory,bulk-memory-opt")))
#define SHORT 64

typedef uint64_t word __attribute__((aligned(1), may_alias));
typedef uint32_t half __attribute__((aligned(1), may_alias));
typedef uint16_t quarter __attribute__((aligned(1), may_alias));

BULK static void move_long(void *to, const void *from, size_t length)
{
    __builtin_memmove(to, from, length);
}

BULK static void fill_long(void *to, int byte, size_t length)
{
    __builtin_memset(to, byte, length);
}

/* At most 16 bytes: all are read before one is written, so the places may overlap. */
static inline void move_short(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length >= 8) {
        const uint64_t first = *(const word *) from, last = *(const word *) (from + length - 8);
        *(word *) to = first;
        *(word *) (to + length - 8) = last;
    } else if (length >= 4) {
        const uint32_t first = *(const half *) from, last = *(const half *) (from + length - 4);
        *(half *) to = first;
        *(half *) (to + length - 4) = last;
    } else if (length >= 2) {
        const uint16_t first = *(const quarter *) from, last = *(const quarter *) (from + length - 2);
        *(quarter *) to = first;
        *(quarter *) (to + length - 2) = last;
    } else if (length) {
        *to = *from;
    }
}

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    uint8_t *out = to;
    const uint8_t *in = from;
    if (length <= 16) {
        move_short(out, in, length);
    } else if (length <= SHORT) {
        const uint64_t low = *(const word *) (in + length - 16), high = *(const word *) (in + length - 8);
        uint8_t *const end = out + length - 16;
        for (; out < end; out += 16, in += 16) {
            *(word *) out = *(const word *) in;
            *(word *) (out + 8) = *(const word *) (in + 8);
        }
        *(word *) end = low;
        *(word *) (end + 8) = high;
    } else {
        move_long(to, from, length);
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    if (length <= 16)
        move_short(to, from, length);
    else
        move_long(to, from, length);
    return to;
}

void *memset(void *to, int byte, size_t length)
{
    uint8_t *out = to;
    const uint64_t pattern = (uint8_t) byte * UINT64_C(0x0101010101010101);
    if (length > SHORT) {
        fill_long(to, byte, length);
    } else if (length >= 8) {
        uint8_t *const end = out + length - 8;
        for (; out < end; out += 8)
            *(word *) out = pattern;
        *(word *) end = pattern;
    } else if (length >= 4) {
        *(half *) out = (uint32_t) pattern;
        *(half *) (out + length - 4) = (uint32_t) pattern;
    } else if (length) {
        out[0] = out[length / 2] = out[length - 1] = (uint8_t) pattern;
    }
    return to;
}

/* Eight bytes at a time, until two differ: the first of them, in memory, is the lowest in a word. */
int memcmp(const void *one, const void *other, size_t length)
{
    const uint8_t *a = one, *b = other;
    for (; length >= sizeof(uint64_t); a += sizeof(uint64_t), b += sizeof(uint64_t), length -= sizeof(uint64_t)) {
        uint64_t left = *(const word *) a, right = *(const word *) b;
        if (left != right)
            return __builtin_bswap64(left) < __builtin_bswap64(right) ? -1 : 1;
    }
    for (; length && *a == *b; a++, b++, length--) {
    }
    return length ? *a - *b : 0;
}
