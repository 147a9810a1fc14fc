/* Arrays whose first elements were taken away, as those of a queue are.
 *
 * `shift` moves all others forward. Where they are many, the array begins one element later instead: the gap is counted in
 * the last of the places before the first element, and closed when the array would have to grow, which it need not do then if
 * the gap was large. So each element is moved a few times, however long the queue. A patch includes this in the midst of
 * the engine's source. */
#ifndef SHIFTED_ARRAYS_H
#define SHIFTED_ARRAYS_H

enum { SHIFTED_ELEMENTS = 32 };     /* so many, or more, are not moved */

/* Where the memory of an array's elements begins. */
static inline JSValue *shifted_start(const JSObject *p)
{
    return p->has_gap ? p->u.array.u.values - JS_VALUE_GET_INT(p->u.array.u.values[-1]) : p->u.array.u.values;
}

/* Take the first element's place out of an array; its value was moved. False: the others are to be moved forward. */
static bool shifted_begins_later(JSObject *p)
{
    if (p->u.array.count < SHIFTED_ELEMENTS)
        return false;
    int32_t gap = (int32_t)(p->u.array.u.values - shifted_start(p)) + 1;
    p->u.array.u.values++;
    p->u.array.u1.size--;
    p->u.array.u.values[-1] = js_int32(gap);
    p->has_gap = 1;
    return true;
}

/* Close the gap of an array that is to hold so many elements. True: there is room for these, and some more. */
static bool shifted_makes_room(JSObject *p, uint32_t count)
{
    JSValue *start = shifted_start(p);
    if (!p->has_gap)
        return false;
    memmove(start, p->u.array.u.values, p->u.array.count * sizeof(JSValue));
    engine_weigh(p->u.array.count * sizeof(JSValue));
    p->u.array.u1.size += (uint32_t)(p->u.array.u.values - start);
    p->u.array.u.values = start;
    p->has_gap = 0;
    return count <= p->u.array.u1.size - p->u.array.u1.size / 4;
}

#endif
