/* Where a regular expression may begin to match.
 *
 * A search tries the expression at each character in turn, by four steps of its code. Where the expression begins with
 * a character, a class, or the beginning of a line, this goes to the next place at which that fits. A patch includes it
 * in the midst of the engine's source. */
#ifndef FAST_SEARCH_H
#define FAST_SEARCH_H

enum {
    SEARCH_STRIDE = 1 << 14,        /* characters to pass over before the limits are looked at */
    SEARCH_SHIFT = 4,               /* so many of them, by its power of two, count as one step */
    SEARCH_LOOP_BYTES = 6,          /* of the code that goes to the next character: `any`, and `goto` */
};

static bool search_fits(const uint8_t *ranges, int count, uint32_t c)
{
    for (int i = 0; i < count; i++, ranges += 4)
        if (c <= get_u16(ranges + 2))
            return c >= get_u16(ranges);
    return false;
}

/* The first place, from `cptr` on, at which the expression may match; or one to go on searching from. `after` follows
 * the first instruction of a search, which is a split. */
static const uint8_t *fast_search(REExecContext *s, const uint8_t *after, uint32_t target, const uint8_t *cptr)
{
    if (s->cbuf_type == 2 || target != SEARCH_LOOP_BYTES || after[0] != REOP_any || after[1] != REOP_goto ||
        get_u32(after + 2) != (uint32_t)-(5 + SEARCH_LOOP_BYTES))
        return cptr;
    int wide = s->cbuf_type;
    const uint8_t *op = after + SEARCH_LOOP_BYTES, *at = cptr;
    const uint8_t *end = s->cbuf_end - cptr > SEARCH_STRIDE << wide ? cptr + (SEARCH_STRIDE << wide) : s->cbuf_end;
    while (*op == REOP_save_start || *op == REOP_word_boundary)
        op += *op == REOP_save_start ? 2 : 1;
    switch (*op) {
    case REOP_char:
        for (uint32_t c = get_u16(op + 1); at < end && (wide ? *(const uint16_t *)at : *at) != c; at += 1 << wide) {
        }
        break;
    case REOP_range:
        if (get_u16(op + 3 + 4 * (get_u16(op + 1) - 1) + 2) == 0xffff)
            return cptr;            /* all that is above is in it as well */
        while (at < end && !search_fits(op + 3, get_u16(op + 1), wide ? *(const uint16_t *)at : *at))
            at += 1 << wide;
        break;
    case REOP_line_start_m:
        if (wide || at == s->cbuf)
            return cptr;
        while (at < end && at[-1] != '\n' && at[-1] != '\r')
            at++;
        break;
    }
    s->interrupt_counter -= (int)(at - cptr) >> wide >> SEARCH_SHIFT;
    return at;
}

#endif
