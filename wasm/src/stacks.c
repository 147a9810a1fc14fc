/* Where the program was when its host ended it, or where it hangs: told in a frame, as the stack of an Error says it. */
#include "internals.h"

/* Takes `stack`; what found no memory is not told, and nobody else hears of that. */
static void tell(uint32_t run, JSValue stack)
{
    JSContext *ctx = guest.context;
    Frame frame;
    if (!JS_IsException(stack) && encode_message(ctx, frame_begin(&frame), stack, true))
        frame_drop(&frame);
    else if (!JS_IsException(stack))
        frame_commit(&frame, OP_STACK, run);
    JS_FreeValue(ctx, stack);
    if (JS_HasException(ctx))
        JS_FreeValue(ctx, JS_GetException(ctx));
}

void stacks_tell_calls(void)
{
    tell(0, internals_stack(guest.context));
}

void stacks_tell_awaiting(uint32_t request)
{
    Entry *entry = registry_find(&guest.requests, request);
    if (entry)
        tell(0, internals_awaiting(guest.context, entry->first));
}

void stacks_tell_hanging(uint32_t id)
{
    for (Run *run = guest.runs; run; run = run->next) {
        if (run->id == id)
            tell(id, internals_hanging(guest.context, run->promise));
    }
}
