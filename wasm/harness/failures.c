/* Mistakes on purpose: what the sanitizers must see, so that their silence means something. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "internals.h"

enum { USE_AFTER_FREE = 1, OVERFLOW = 2, LEAK = 3, UNDEFINED = 4, LOST_VALUE = 5, LOST_TEXT = 6, ABORT = 7, STALE_OUTBOX = 8 };

void make_mistake(uint32_t which)
{
    JSContext *ctx = guest.context;
    char *volatile block = malloc(16);
    volatile int shift = 40;
    switch (which) {
    case USE_AFTER_FREE:
        free(block);
        block[0] = 1;
        break;
    case OVERFLOW:
        memset(block, 0, (size_t)shift);
        free(block);
        break;
    case LEAK:
        block = NULL;
        break;
    case UNDEFINED:
        guest.turn = 1u << shift;
        free(block);
        break;
    case LOST_VALUE:
        (void)JS_NewObject(ctx);
        free(block);
        break;
    case LOST_TEXT:
        (void)JS_NewAtom(ctx, "a name that nobody else knows");
        free(block);
        break;
    case ABORT:
        abort();
    case STALE_OUTBOX:
        guest.control.outbox = (uint32_t)(uintptr_t)block;
        guest.control.outbox_bytes = 16;
        free(block);
        break;
    }
}
