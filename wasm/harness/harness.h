/* The guest as a program of this machine, for the sanitizers and to count its lines: what stands in for the host's side
 * of WebAssembly.
 *
 * A process is one instance, and its host is at the other end of a socket. Words are native; a request is one Request,
 * with the bytes of WRITE behind it, an answer one Answer, with the bytes of READ or of HOST_CALL behind it. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum RequestKind {
    CALL = 1,             /* first: number of the export; then its parameters. Answered by RETURNED, perhaps after HOST_CALLs */
    RESUME = 2,           /* first: what the `sandbox.call` that waits returns */
    READ = 3,             /* first, second: address, length */
    WRITE = 4,            /* first, second: address, length; not answered */
    LIMIT = 5,            /* first: the most bytes that may be allocated, 0: any; second: which allocation from now on
                             fails, 0: none; third: whether those after it fail too; fourth: whether the report is to
                             say where that one was; not answered */
    ALLOCATED = 6,        /* answered with the bytes that are allocated, and the number of allocations since LIMIT */
    SERVE = 7,            /* first: a listening socket; each connection gets an instance that is as this one is now */
    CLOSE = 8,            /* free everything, look for leaks, exit; the answer says whether there were any */
    FAIL = 9,             /* first: see failures.c; do something that a sanitizer must see */
} RequestKind;

typedef enum AnswerKind {
    HELLO = 1,            /* first: process; second, third: file descriptor of the control block, and where it is in there */
    RETURNED = 2,         /* first: what the export returned */
    HOST_CALL = 3,        /* first: op; second: length of the message */
    DATA = 4,             /* first: length */
    AMOUNT = 5,           /* first: bytes; second: allocations */
    CLOSED = 6,           /* first: whether a block was lost */
} AnswerKind;

typedef struct Request {
    uint32_t kind, first, second, third, fourth;
} Request;

typedef struct Answer {
    uint32_t kind, first, second, third;
} Answer;

/* memory.c: the allocations of the guest, which those of the harness itself do not count among. */
void *__real_malloc(size_t size);
void __real_free(void *block);
void memory_limit(size_t most_bytes, uint32_t failing, bool all_after, bool trace);
size_t memory_allocated(uint32_t *count);

/* teardown.c */
bool teardown(void);      /* free the guest; true: a block was lost, and the report says which */

/* failures.c: mistakes on purpose, which show that mistakes are seen. */
void make_mistake(uint32_t which);

#endif
