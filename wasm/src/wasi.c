/* What the C library wants of WASI, without WASI: the clock is the module's only import of that kind, and it obeys the
 * sandbox's virtual clock; output of the engine's debug printing goes nowhere; there are no files. */
#include "guest.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>

__attribute__((import_module("wasi_snapshot_preview1"), import_name("clock_time_get")))
int32_t host_clock_time_get(int32_t id, int64_t precision, int32_t address);

static uint64_t read_clock(int32_t id)
{
    uint64_t nanoseconds = 0;
    host_clock_time_get(id, 1, (int32_t)(uintptr_t)&nanoseconds);
    return nanoseconds;
}

/* All that programs are told of the real time comes from here, so no two of their clocks disagree. */
uint64_t realtime_ns(void)
{
    uint64_t now = read_clock(0), step = (uint64_t)guest.control.clock_resolution_ms * 1000000u;
    return step ? now - now % step : now;
}

uint64_t monotonic_ns(void)
{
    return read_clock(1);
}

static uint64_t guest_realtime_ns(void)
{
    if (guest.control.clock_mode != CLOCK_VIRTUAL)
        return realtime_ns();
    /* The host may set any time: what no clock shows is the first or the last instant. */
    double nanoseconds = (guest.control.time_origin_ms + guest.control.virtual_now_ms) * 1e6;
    return nanoseconds > 0 ? nanoseconds < 0x1p64 ? (uint64_t)nanoseconds : UINT64_MAX : 0;
}

int guest_clock_gettime(clockid_t id, struct timespec *out)
{
    (void)id;
    uint64_t now = guest_realtime_ns();
    *out = (struct timespec){.tv_sec = (time_t)(now / 1000000000u), .tv_nsec = (long)(now % 1000000000u)};
    return 0;
}

int guest_gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    (void)zone;
    uint64_t now = guest_realtime_ns();
    *out = (struct timeval){.tv_sec = (time_t)(now / 1000000000u), .tv_usec = (suseconds_t)(now / 1000u % 1000000u)};
    return 0;
}

/* The imports that the C library's stdio would make, answered here. */
int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t fd)
{
    (void)fd;
    return EBADF;
}

/* The compiler's own `close` imports WASI under a name of its own. */
int close(int fd)
{
    (void)fd;
    errno = EBADF;
    return -1;
}

int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t fd, int32_t out)
{
    (void)fd, (void)out;
    return EBADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t offset, int32_t whence, int32_t out)
{
    (void)fd, (void)offset, (void)whence, (void)out;
    return EBADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t vectors, int32_t count, int32_t written)
{
    (void)fd, (void)vectors, (void)count, (void)written;
    return EBADF;
}
