/* Frames wait in the outbox until an export returns or a `sandbox.call` lets the host read them.
 *
 * A frame is encoded in place at the end of the outbox. Encoding may run guest code, which may make frames of its own:
 * those are built in the scratch buffer and wait in `deferred` until the outer one is complete. */
#include "guest.h"

static Buffer *visible(void)
{
    return guest.outbox_busy ? &guest.deferred : &guest.outbox;
}

Buffer *frame_begin(Frame *frame)
{
    frame->deferred = guest.outbox_busy;
    frame->target = frame->deferred ? &guest.scratch : &guest.outbox;
    frame->start = frame->target->length;
    guest.outbox_busy = true;
    frame->headed = buffer_reserve(frame->target, FRAME_HEADER_BYTES);
    if (frame->headed)
        frame->target->length += FRAME_HEADER_BYTES;
    else
        guest.control.failed_allocations++;
    return frame->target;
}

static void put_header(uint8_t *at, uint32_t op, uint32_t id, uint32_t length)
{
    uint32_t words[3] = {op, id, length};
    __builtin_memcpy(at, words, FRAME_HEADER_BYTES);
}

void frame_drop(Frame *frame)
{
    frame->target->length = frame->start;
    if (!frame->deferred) {
        guest.outbox_busy = false;
        buffer_put(&guest.outbox, guest.deferred.data, guest.deferred.length);
        guest.deferred.length = 0;
    }
}

void frame_commit(Frame *frame, uint32_t op, uint32_t id)
{
    Buffer *target = frame->target;
    if (!frame->headed) {
        frame_drop(frame);
        return;
    }
    uint32_t length = target->length - frame->start - FRAME_HEADER_BYTES;
    put_header(target->data + frame->start, op, id, length);
    static const uint8_t zeros[4];
    buffer_put(target, zeros, -length & 3);
    if (frame->deferred) {
        if (!buffer_put(&guest.deferred, target->data + frame->start, target->length - frame->start))
            guest.control.failed_allocations++;
        target->length = frame->start;
    } else {
        guest.outbox_busy = false;
        if (guest.deferred.length && !buffer_put(target, guest.deferred.data, guest.deferred.length))
            guest.control.failed_allocations++;
        guest.deferred.length = 0;
        frames_expose();   /* a trap may come at any moment, and what was said before it counts */
    }
}

void frames_expose(void)
{
    Buffer *frames = visible();
    guest.control.outbox = (uint32_t)(uintptr_t)frames->data;
    guest.control.outbox_bytes = frames->length;
}

void frames_collect(void)
{
    if (guest.control.outbox_bytes == 0)
        visible()->length = 0;
}
