/* The instructions of regular expressions that regexp_sets.h describes, as they are executed.
 *
 * A search and a repetition each leave one state to come back to, which stays for as long as there is another place to
 * begin at, or to end at. A patch includes this in the midst of the engine's source, before the loop that executes. */
#ifndef REGEXP_RUNS_H
#define REGEXP_RUNS_H

enum {
    RUN_STRIDE = 1 << 14,           /* characters to pass over before the limits are looked at */
    RUN_SHIFT = 4,                  /* so many of them, by its power of two, count as one step */
    RE_EXEC_STATE_RUN = 3,          /* beside those of REExecStateEnum */
};

#define RE_UNIT(at, wide) ((wide) ? *(const uint16_t *)(at) : *(at))
#define RE_HAS(set, c) ((set)[(c) >> 3] >> ((c) & 7) & 1)

/* The set that an instruction names; NULL: everything is in it. */
static inline const uint8_t *re_set_of(const uint8_t *op, int field)
{
    uint32_t distance = get_u32(op + field);
    return distance ? op + distance : NULL;
}

/* Whether what comes next may be what a way begins with. */
static inline bool re_may(const REExecContext *s, const uint8_t *set, const uint8_t *at)
{
    if (!set)
        return true;
    if (at >= s->cbuf_end)
        return set[SET_MORE] & MORE_END;
    uint32_t c = RE_UNIT(at, s->cbuf_type);
    return c < 256 ? RE_HAS(set, c) : set[SET_MORE] & MORE_ABOVE;
}

/* Count what was passed over. Not 0: it must end. */
static inline int re_passed(REExecContext *s, size_t bytes)
{
    s->interrupt_counter -= (int)(bytes >> RUN_SHIFT);
    return unlikely(s->interrupt_counter <= 0) ? lre_poll_timeout(s) : 0;
}

static inline bool re_is_in_pair(const REExecContext *s, const uint8_t *at)
{
    const uint16_t *p = (const uint16_t *)at;
    return s->cbuf_type == 2 && at > s->cbuf && at < s->cbuf_end && is_lo_surrogate(*p) && is_hi_surrogate(p[-1]);
}

static inline bool re_begins_line(const REExecContext *s, const uint8_t *at)
{
    return at == s->cbuf || is_line_terminator(s->cbuf_type ? ((const uint16_t *)at)[-1] : at[-1]);
}

/* Go to the next place at which the expression may begin. 1: it is there, 0: there is none, else it must end. */
static int re_search(REExecContext *s, const uint8_t *op, const uint8_t **place)
{
    const uint8_t *set = re_set_of(op, 1), *second = re_set_of(op, 6), *at = *place, *end = s->cbuf_end;
    int wide = s->cbuf_type != 0, kind = op[5];
    if (at == s->cbuf || (!set && kind == 0))
        return at <= end;
    if (kind == SEARCH_AT_START)
        return 0;
    for (;;) {
        const uint8_t *from = at, *stop = end - at > RUN_STRIDE ? at + RUN_STRIDE : end;
        if (kind == SEARCH_AT_LINES)
            while (at < stop && !(re_begins_line(s, at) && re_may(s, set, at)))
                at += 1 << wide;
        else if (wide)
            while (at < stop && (!re_may(s, set, at) || re_is_in_pair(s, at) ||
                                 (RE_UNIT(at, true) < 256 && !re_may(s, second, at + 2))))
                at += 2;
        else if (!second)
            while (at < stop && !RE_HAS(set, *at))
                at++;
        else
            while (at < stop && !(RE_HAS(set, *at) && (at + 1 < end ? RE_HAS(second, at[1]) : second[SET_MORE] & MORE_END)))
                at++;
        int result = re_passed(s, (size_t)(at - from));
        if (result)
            return result;
        if (at < stop || at >= end)
            break;
    }
    *place = at;
    return at < end || re_may(s, set, at);
}

/* The next character of a repetition; NULL: it is none of it. */
static inline const uint8_t *re_step(const REExecContext *s, const uint8_t *op, const uint8_t *set, const uint8_t *at)
{
    if (at >= s->cbuf_end)
        return NULL;
    uint32_t c = RE_UNIT(at, s->cbuf_type);
    at += s->cbuf_type ? 2 : 1;
    if (set && c < 256)
        return RE_HAS(set, c) ? at : NULL;
    if (s->cbuf_type == 2 && is_hi_surrogate(c) && at < s->cbuf_end && is_lo_surrogate(*(const uint16_t *)at)) {
        c = from_surrogate(c, *(const uint16_t *)at);
        at += 2;
    }
    return re_holds(op + RUN_BYTES, c, s->is_unicode) ? at : NULL;
}

static inline const uint8_t *re_step_back(const REExecContext *s, const uint8_t *at)
{
    PREV_CHAR(at, s->cbuf, s->cbuf_type);
    return at;
}

/* Take as many characters as there are, but at most `max`. Where that ends; NULL: it must end. `least` becomes where it
 * has had as many as it needs; NULL: there are fewer. */
static const uint8_t *re_run(REExecContext *s, const uint8_t *op, const uint8_t *at, uint32_t max, const uint8_t **least)
{
    const uint8_t *set = re_set_of(op, 1), *next, *begin = at, *end = s->cbuf_end;
    uint32_t min = get_u32(op + 9), count = 0;
    *least = min ? NULL : at;
    if (s->cbuf_type == 0 && set) {
        const uint8_t *last = (uint32_t)(end - at) > max ? at + max : end;
        while (at < last) {
            const uint8_t *from = at, *stop = last - at > RUN_STRIDE ? at + RUN_STRIDE : last;
            while (at < stop && RE_HAS(set, *at))
                at++;
            if (re_passed(s, (size_t)(at - from)))
                return NULL;
            if (at < stop)
                break;
        }
        if ((uint32_t)(at - begin) >= min)
            *least = begin + min;
        return at;
    }
    while (count < max && (next = re_step(s, op, set, at))) {
        at = next;
        if (++count == min)
            *least = at;
        if (!(count & (RUN_STRIDE - 1)) && re_passed(s, RUN_STRIDE))
            return NULL;
    }
    return re_passed(s, count & (RUN_STRIDE - 1)) ? NULL : at;
}

/* Go back to where what follows may begin, but no further than to `least`. NULL: it must end. */
static const uint8_t *re_give_back(REExecContext *s, const uint8_t *op, const uint8_t *at, const uint8_t *least)
{
    const uint8_t *follow = re_set_of(op, 5), *from = at;
    while (at > least && !re_may(s, follow, at)) {
        at = re_step_back(s, at);
        if (from - at > RUN_STRIDE) {
            if (re_passed(s, (size_t)(from - at)))
                return NULL;
            from = at;
        }
    }
    return re_passed(s, (size_t)(from - at)) ? NULL : at;
}

/* Go on to where what follows may begin, from `place` on. 1: it is there, 0: there is no such place, else it must end. */
static int re_take_more(REExecContext *s, const uint8_t *op, const uint8_t **place)
{
    const uint8_t *set = re_set_of(op, 1), *follow = re_set_of(op, 5), *at = *place, *from = at;
    while (!re_may(s, follow, at)) {
        at = re_step(s, op, set, at);
        if (!at)
            return 0;
        if (at - from > RUN_STRIDE) {
            int result = re_passed(s, (size_t)(at - from));
            if (result)
                return result;
            from = at;
        }
    }
    *place = at;
    int result = re_passed(s, (size_t)(at - from));
    return result ? result : 1;
}

/* What becomes of a state below `sp` that a search or a repetition has left. 2: it goes on and the state stays, 1: it goes
 * on and the state is done, 0: there is nothing more, else it must end. */
static int re_come_back(REExecContext *s, StackElem *sp, const uint8_t **pc, const uint8_t **cptr)
{
    const uint8_t *op = sp[-3].ptr, *place = sp[-2].ptr;
    int found = 1;
    *pc = op + (*op == REOP_search ? reopcode_info[REOP_search].size : RUN_BYTES + get_u16(op + 18));
    if (*op == REOP_search) {
        if (place >= s->cbuf_end)
            return 0;
        place += s->cbuf_type ? 2 : 1;
        if (re_is_in_pair(s, place))
            place += 2;
        found = re_search(s, op, &place);
    } else if (op[17] & RUN_IS_LAZY) {
        place = re_step(s, op, re_set_of(op, 1), place);
        found = place ? re_take_more(s, op, &place) : 0;
    } else {
        const uint8_t *least = sp[-4].ptr;
        place = re_give_back(s, op, re_step_back(s, place), least);
        if (!place)
            return LRE_RET_TIMEOUT;
        if (place == least) {
            *cptr = place;
            return re_may(s, re_set_of(op, 5), place);
        }
    }
    if (found != 1)
        return found;
    sp[-2].ptr = (uint8_t *)place;
    *cptr = place;
    return 2;
}

#endif
