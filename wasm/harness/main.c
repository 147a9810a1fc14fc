/* One instance, or the server that makes them: a booted guest forks for each connection, as frozen memory is mapped for
 * each instance of the module. Memory of the guest is only touched by memcpy(), which the sanitizer checks. */
#include "harness.h"

#undef access             /* the guest's functions of these names have others here, see native.py */
#undef close
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* The guest's frames are larger here, all variables are on the stack, and it runs more slowly. */
#define STACK_FACTOR 16
#define STACK_BYTES (256u << 20)
#define SLOWNESS 4
#define PAGE_BYTES 4096u
/* Where engine.c puts the messages of the build. */
#define BOOT_INBOX ((void *)0x10000)
#define BOOT_INBOX_BYTES 0x100000

#define EXPORT_OF(name, function, parameters) int32_t function();
#include "exports.h"
#undef EXPORT_OF

typedef struct Export {
    int32_t (*function)();
    uint32_t parameters;
} Export;

/* In the order of the table. */
static const Export exports[] = {
#define EXPORT_OF(name, function, parameters) {function, parameters},
#include "exports.h"
#undef EXPORT_OF
};

/* Where lines are counted (wasm/counts.py): write the counts down, and begin anew. */
__attribute__((weak)) void __gcov_dump(void);
__attribute__((weak)) void __gcov_reset(void);

static int host;          /* the socket */
static const char *reports;            /* the directory of what goes wrong */

/* --- the socket --- */

static _Noreturn void leave(const char *reason)
{
    if (reason)
        perror(reason);
    _exit(reason ? 1 : 0);
}

static void receive(void *to, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t got = read(host, (char *)to + at, length - at);
        if (got == 0)
            leave(NULL);       /* the host is gone */
        if (got < 0 && errno != EINTR)
            leave("read");
        at += got > 0 ? (size_t)got : 0;
    }
}

static void send_all(const void *from, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t put = write(host, (const char *)from + at, length - at);
        if (put < 0 && errno != EINTR)
            leave(errno == EPIPE ? NULL : "write");
        at += put > 0 ? (size_t)put : 0;
    }
}

static void answer(uint32_t kind, uint32_t first, uint32_t second, uint32_t third)
{
    Answer head = {kind, first, second, third};
    send_all(&head, sizeof(head));
}

/* Bytes of the guest go through a copy: a range that is not one block of the guest's is an error of its own, with the
 * guest's stack in the report. */
static void send_guest(uint32_t address, uint32_t length)
{
    void *copy = __real_malloc(length ? length : 1);
    if (!copy)
        leave("malloc");
    if (length)
        memcpy(copy, (const void *)(uintptr_t)address, length);
    send_all(copy, length);
    __real_free(copy);
}

static void receive_guest(uint32_t address, uint32_t length)
{
    void *copy = __real_malloc(length ? length : 1);
    if (!copy)
        leave("malloc");
    receive(copy, length);
    if (length)
        memcpy((void *)(uintptr_t)address, copy, length);
    __real_free(copy);
}

/* --- instances --- */

/* Put the pages with the control block where the host can map them too: any of its threads may write there. */
static int share_control(uint32_t *offset)
{
    uintptr_t start = (uintptr_t)&guest.control & ~(uintptr_t)(PAGE_BYTES - 1);
    size_t length = ((uintptr_t)(&guest.control + 1) - start + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    int file = memfd_create("control", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)length))
        leave("memfd_create");
    /* By system calls: these pages hold red zones of other variables, which nobody may look at or clear. */
    if (syscall(SYS_write, file, start, length) != (long)length)
        leave("write");
    if (syscall(SYS_mmap2, start, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) != (long)start)
        leave("mmap");
    *offset = (uint32_t)((uintptr_t)&guest.control - start);
    return file;
}

/* What the C library and the engine print goes beside the reports of the sanitizers. */
static void redirect_output(void)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/output.%d", reports, (int)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0)
        leave("open");
    close(file);
    setvbuf(stdout, NULL, _IONBF, 0);
}

static void serve(int listening)
{
    signal(SIGCHLD, SIG_IGN);              /* nobody waits for them */
    for (;;) {
        int connection = (int)syscall(SYS_accept4, listening, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0 && errno != EINTR)
            leave("accept");
        if (connection < 0)
            continue;
        pid_t child = fork();
        if (child < 0)
            leave("fork");
        if (child) {
            close(connection);
            continue;
        }
        uint32_t offset;
        if (__gcov_reset)
            __gcov_reset();
        close(listening);
        close(host);
        host = connection;
        redirect_output();
        int file = share_control(&offset);
        answer(HELLO, (uint32_t)getpid(), (uint32_t)file, offset);
        return;
    }
}

static int32_t call_export(const Request *request)
{
    if (request->first >= sizeof(exports) / sizeof(exports[0]))
        leave("no such export");
    const Export *export = &exports[request->first];
    switch (export->parameters) {
    case 0:
        return export->function();
    case 1:
        return export->function(request->second);
    case 2:
        return export->function(request->second, request->third);
    default:
        return export->function(request->second, request->third, request->fourth);
    }
}

/* Do what the host asks until it lets the guest go on; returns what `sandbox.call` returns. */
static int32_t obey(void)
{
    for (;;) {
        Request request;
        uint32_t count;
        receive(&request, sizeof(request));
        switch (request.kind) {
        case CALL:
            answer(RETURNED, (uint32_t)call_export(&request), 0, 0);
            break;
        case RESUME:
            return (int32_t)request.first;
        case READ:
            answer(DATA, request.second, 0, 0);
            send_guest(request.first, request.second);
            break;
        case WRITE:
            receive_guest(request.first, request.second);
            break;
        case LIMIT:
            memory_limit(request.first, request.second, request.third != 0, request.fourth != 0);
            break;
        case ALLOCATED: {
            size_t bytes = memory_allocated(&count);
            answer(AMOUNT, (uint32_t)bytes, count, 0);
            break;
        }
        case SERVE:
            serve((int)request.first);
            break;
        case CLOSE: {
            if (__gcov_dump)
                __gcov_dump();
            bool lost = teardown();
            answer(CLOSED, lost, 0, 0);
            leave(NULL);
        }
        case FAIL:
            make_mistake(request.first);
            break;
        default:
            leave("no such request");
        }
    }
}

/* --- the imports --- */

int32_t host_call(int32_t op, int32_t address, int32_t length)
{
    answer(HOST_CALL, (uint32_t)op, (uint32_t)length, 0);
    send_guest((uint32_t)address, (uint32_t)length);
    return obey();
}

int32_t host_clock_time_get(int32_t id, int64_t precision, int32_t address)
{
    struct timespec now;
    (void)precision;
    /* The monotonic clock is for the limit of CPU time, which so ends a program about where it does elsewhere. */
    clock_gettime(id ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_REALTIME, &now);
    uint64_t nanoseconds = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    if (id)
        nanoseconds /= SLOWNESS;
    memcpy((void *)(uintptr_t)address, &nanoseconds, sizeof(nanoseconds));
    return 0;
}

/* --- the stack --- */

void __real_JS_SetMaxStackSize(JSRuntime *runtime, size_t bytes);

void __wrap_JS_SetMaxStackSize(JSRuntime *runtime, size_t bytes)
{
    __real_JS_SetMaxStackSize(runtime, bytes * STACK_FACTOR);
}

static void want_stack(char **argv)
{
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur >= STACK_BYTES)
        return;
    limit.rlim_cur = STACK_BYTES;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < STACK_BYTES)
        limit.rlim_max = STACK_BYTES;
    if (setrlimit(RLIMIT_STACK, &limit))
        leave("setrlimit");
    execv("/proc/self/exe", argv);         /* a stack has the size of when the program began */
    leave("exec");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    want_stack(argv);
    host = atoi(argv[1]);
    reports = argv[2];
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    redirect_output();
    if (mmap(BOOT_INBOX, BOOT_INBOX_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != BOOT_INBOX)
        leave("mmap");
    answer(HELLO, (uint32_t)getpid(), 0, 0);
    obey();
    return 1;
}
