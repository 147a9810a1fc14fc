/* memcpy and its kin, by WebAssembly's own instructions where there are some. The compiler's runtime library, which is
 * built for machines that lack them, works byte by byte; the C library's realloc goes through these. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    return __builtin_memcpy(to, from, length);
}

void *memmove(void *to, const void *from, size_t length)
{
    return __builtin_memmove(to, from, length);
}

void *memset(void *to, int byte, size_t length)
{
    return __builtin_memset(to, byte, length);
}

/* Eight bytes at a time, until two differ: the first of them, in memory, is the lowest in a word. */
int memcmp(const void *one, const void *other, size_t length)
{
    const uint8_t *a = one, *b = other;
    for (; length >= sizeof(uint64_t); a += sizeof(uint64_t), b += sizeof(uint64_t), length -= sizeof(uint64_t)) {
        uint64_t left, right;
        __builtin_memcpy(&left, a, sizeof(left));
        __builtin_memcpy(&right, b, sizeof(right));
        if (left != right)
            return __builtin_bswap64(left) < __builtin_bswap64(right) ? -1 : 1;
    }
    for (; length && *a == *b; a++, b++, length--) {
    }
    return length ? *a - *b : 0;
}
