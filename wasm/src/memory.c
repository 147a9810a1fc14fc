/* memcpy and its kin by WebAssembly's own instructions. The compiler's runtime library, which is built for machines that
 * lack them, copies byte by byte; the C library's realloc goes through these. */
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
