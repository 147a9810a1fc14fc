/* What a regular expression may go on with, found out when it is compiled.
 *
 * The engine's code tries one thing after the other: for each repetition, each alternative and each place to begin at it
 * notes a state to come back to, and learns from the next character that it was of no use. So a compiled expression is
 * gone over once more. Characters that are repeated become one instruction (`run`), and those that follow one another
 * become texts. Each place that has a choice gets two sets: the characters that either way may begin with. Where the
 * next one is in one of them only, there is no choice, and nothing to come back to; where a repetition can not go on with
 * what it has repeated, it never gives anything back. Of a search the second characters are known as well. A set holds the characters below 256 as bits, and says of others,
 * and of the end of the text, whether they may come. It may hold too much, but never too little.
 *
 * Patches include this in the midst of the engine's source, before its parser. */
#ifndef REGEXP_SETS_H
#define REGEXP_SETS_H

static bool is_line_terminator(uint32_t c);
static void *lre_bytecode_realloc(void *opaque, void *ptr, size_t size);

enum {
    SET_BYTES = 33, SET_MORE = 32,  /* of these, the byte after the bits */
    MORE_ABOVE = 1, MORE_END = 2,
    SET_COUNT = 64,                 /* of one expression; what finds no place does without */
    FIRST_STEPS = 64,               /* to find out with what a way begins: else it may be anything */
    LONGEST_CODE = 1 << 16,
    FEW_MOVED = 128,                /* bytes of code that need no memory to go over them */
    MOST_JOINED = 64,               /* alternatives of one character each that become a class */
    RUN_BYTES = 20,                 /* of the instruction, before that for one character */
    RUN_KEEPS = 1, RUN_IS_LAZY = 2, /* what it has it never gives back; it takes no more than it must */
    SEARCH_AT_START = 1, SEARCH_AT_LINES = 2,
};

typedef struct {
    uint8_t bits[SET_BYTES];
} RESet;

/* Whether an instruction stands for exactly one character: its length, or 0. */
static int re_one_char(const uint8_t *op)
{
    switch (*op) {
    case REOP_char: case REOP_char_i: case REOP_char32: case REOP_char32_i:
    case REOP_dot: case REOP_any: case REOP_space: case REOP_not_space:
        return reopcode_info[*op].size;
    case REOP_range: case REOP_range_i:
        return 3 + 4 * get_u16(op + 1);
    case REOP_range32: case REOP_range32_i:
        return 3 + 8 * get_u16(op + 1);
    }
    return 0;
}

/* Whether it stands for this one. */
static bool re_holds(const uint8_t *op, uint32_t c, bool is_unicode)
{
    uint32_t low = 0, high;
    switch (*op) {
    case REOP_char_i:
        c = lre_canonicalize(c, is_unicode);
        /* fall through */
    case REOP_char:
        return c == get_u16(op + 1);
    case REOP_char32_i:
        c = lre_canonicalize(c, is_unicode);
        /* fall through */
    case REOP_char32:
        return c == get_u32(op + 1);
    case REOP_dot:
        return !is_line_terminator(c);
    case REOP_space:
        return lre_is_space(c);
    case REOP_not_space:
        return !lre_is_space(c);
    case REOP_range_i:
        c = lre_canonicalize(c, is_unicode);
        /* fall through */
    case REOP_range:
        high = get_u16(op + 1);
        if (c >= 0xffff)
            return get_u16(op + 3 + 4 * (high - 1) + 2) == 0xffff;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (c > get_u16(op + 3 + 4 * middle + 2))
                low = middle + 1;
            else
                high = middle;
        }
        return low < get_u16(op + 1) && c >= get_u16(op + 3 + 4 * low);
    case REOP_range32_i:
        c = lre_canonicalize(c, is_unicode);
        /* fall through */
    case REOP_range32:
        high = get_u16(op + 1);
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (c > get_u32(op + 3 + 8 * middle + 4))
                low = middle + 1;
            else
                high = middle;
        }
        return low < get_u16(op + 1) && c >= get_u32(op + 3 + 8 * low);
    }
    return true;
}

static void re_set_add(RESet *set, uint32_t c)
{
    set->bits[c >> 3] |= (uint8_t)(1 << (c & 7));
}

static void re_set_add_range(RESet *set, uint32_t low, uint32_t high)
{
    if (high > 255)
        set->bits[SET_MORE] |= MORE_ABOVE;
    for (; low <= high && low < 256; low++)
        re_set_add(set, low);
}

/* Add ranges in order; none is looked at behind the first that is above. */
static void re_set_add_ranges(RESet *set, const uint8_t *op, int width)
{
    uint32_t low = 0;
    for (int i = 0; i < get_u16(op + 1) && low < 256; i++) {
        const uint8_t *range = op + 3 + 2 * width * i;
        low = width == 2 ? get_u16(range) : get_u32(range);
        re_set_add_range(set, low, width == 2 ? get_u16(range + 2) : get_u32(range + 4));
    }
}

/* Add those below 128 that are `v` when case is ignored: no others there are. */
static void re_set_add_case(RESet *set, uint32_t v, bool is_unicode)
{
    if (lre_canonicalize(v, is_unicode) == v)
        re_set_add(set, v);
    if (lre_canonicalize(v ^ 0x20, is_unicode) == v)
        re_set_add(set, v ^ 0x20);
}

static void re_set_add_ends(RESet *set, const uint8_t *ends, int count)
{
    for (int i = 0; i < count; i += 2)
        re_set_add_range(set, ends[i], ends[i + 1]);
}

/* Add what an instruction for one character stands for. */
static void re_set_add_op(RESet *set, const uint8_t *op, bool is_unicode)
{
    static const uint8_t spaces[] = {9, 13, 32, 32, 160, 160}, others[] = {0, 8, 14, 31, 33, 159, 161, 255};
    static const uint8_t in_lines[] = {0, 9, 11, 12, 14, 255};
    int count;
    switch (*op) {
    case REOP_char:
        re_set_add_range(set, get_u16(op + 1), get_u16(op + 1));
        return;
    case REOP_char32:
        re_set_add_range(set, get_u32(op + 1), get_u32(op + 1));
        return;
    case REOP_range:
        re_set_add_ranges(set, op, 2);
        return;
    case REOP_range32:
        re_set_add_ranges(set, op, 4);
        return;
    }
    set->bits[SET_MORE] |= MORE_ABOVE;
    switch (*op) {
    case REOP_dot:
        re_set_add_ends(set, in_lines, sizeof(in_lines));
        return;
    case REOP_space:
        re_set_add_ends(set, spaces, sizeof(spaces));
        return;
    case REOP_not_space:
        re_set_add_ends(set, others, sizeof(others));
        return;
    case REOP_char_i:
        if (get_u16(op + 1) < 128) {
            re_set_add_case(set, get_u16(op + 1), is_unicode);
            return;
        }
        break;
    case REOP_range_i:
        count = get_u16(op + 1);
        if (get_u16(op + 5 + 4 * (count - 1)) < 128) {
            for (int i = 0; i < count; i++)
                for (uint32_t v = get_u16(op + 3 + 4 * i); v <= get_u16(op + 5 + 4 * i); v++)
                    re_set_add_case(set, v, is_unicode);
            return;
        }
        break;
    }
    for (uint32_t c = 0; c < 256; c++)
        if (re_holds(op, c, is_unicode))
            re_set_add(set, c);
}

static bool re_sets_meet(const RESet *one, const RESet *other)
{
    for (int i = 0; i < SET_MORE; i++)
        if (one->bits[i] & other->bits[i])
            return true;
    return one->bits[SET_MORE] & other->bits[SET_MORE] & MORE_ABOVE;
}

/* A compiled expression that is gone over. */
typedef struct {
    REParseState *s;
    const uint8_t *code;            /* as the parser has left it, without the header */
    uint32_t length;
    uint32_t *moved, few[FEW_MOVED]; /* where each instruction has gone; before, whether anything leads to it */
    DynBuf out;
    RESet sets[SET_COUNT];
    int count, steps;
    RESet *second;                  /* where to add what may come after the first character; or NULL */
    bool is_any_second;             /* that may be anything */
    bool is_search;                 /* what begins at the beginning of the text or of a line is looked for elsewhere */
} RERewrite;

/* How long an instruction is. */
static uint32_t re_op_bytes(const uint8_t *op)
{
    uint32_t bytes = (uint32_t)re_one_char(op);
    if (bytes)
        return bytes;
    bytes = reopcode_info[*op].size;
    switch (*op) {
    case REOP_back_reference: case REOP_back_reference_i:
    case REOP_backward_back_reference: case REOP_backward_back_reference_i:
    case REOP_text:
        return bytes + op[1];
    case REOP_run:
        return bytes + get_u16(op + 18);
    case REOP_set:
        return bytes + get_u16(op + 5);
    }
    return bytes;
}

/* Where an instruction has its distance, counted from its own end; 0: it leads nowhere else. */
static uint32_t re_op_leads(const uint8_t *op)
{
    switch (*op) {
    case REOP_goto: case REOP_split_goto_first: case REOP_split_next_first:
    case REOP_split_goto_first_set: case REOP_split_next_first_set:
    case REOP_lookahead: case REOP_negative_lookahead:
        return 1;
    case REOP_loop:
        return 2;
    case REOP_loop_split_goto_first: case REOP_loop_split_next_first:
    case REOP_loop_check_adv_split_goto_first: case REOP_loop_check_adv_split_next_first:
        return 6;
    }
    return 0;
}

static bool re_first(RERewrite *r, uint32_t at, RESet *set);

/* After a first character, add what may come second from an instruction on. */
static void re_second(RERewrite *r, uint32_t at)
{
    RESet *second = r->second;
    bool is_search = r->is_search;
    if (!second)
        return;
    r->second = NULL;
    r->is_search = false;
    if (!re_first(r, at, second))
        r->is_any_second = true;
    r->second = second;
    r->is_search = is_search;
}

/* Add what may come first from an instruction on. False: that may be anything. */
static bool re_first(RERewrite *r, uint32_t at, RESet *set)
{
    while (at < r->length && r->steps-- > 0) {
        const uint8_t *op = r->code + at;
        uint32_t bytes = re_op_bytes(op), leads = re_op_leads(op);
        uint32_t target = leads ? at + bytes + get_u32(op + leads) : 0;
        if (re_one_char(op)) {
            re_set_add_op(set, op, r->s->is_unicode);
            re_second(r, at + bytes);
            return true;
        }
        switch (*op) {
        case REOP_run:
            re_set_add_op(set, op + RUN_BYTES, r->s->is_unicode);
            if (r->second)
                re_set_add_op(r->second, op + RUN_BYTES, r->s->is_unicode);
            if (get_u32(op + 9) < 2)
                re_second(r, at + bytes);
            if (get_u32(op + 9))
                return true;
            break;
        case REOP_line_end:
            set->bits[SET_MORE] |= MORE_END;
            r->is_any_second = true;    /* what comes first is none of it */
            return true;
        case REOP_line_end_m:
            r->is_any_second = true;
            re_set_add(set, '\n');
            re_set_add(set, '\r');
            set->bits[SET_MORE] |= MORE_ABOVE | MORE_END;
            return true;
        case REOP_line_start:
            if (r->is_search)
                return true;            /* nowhere but where the text begins */
            break;
        case REOP_goto:
        case REOP_lookahead: case REOP_negative_lookahead:
            at = target;
            continue;
        case REOP_split_goto_first: case REOP_split_next_first:
        case REOP_loop:
        case REOP_loop_split_goto_first: case REOP_loop_split_next_first:
        case REOP_loop_check_adv_split_goto_first: case REOP_loop_check_adv_split_next_first:
            if (!re_first(r, target, set))
                return false;
            break;
        case REOP_line_start_m:
        case REOP_save_start: case REOP_save_end: case REOP_save_reset:
        case REOP_set_i32: case REOP_set_char_pos: case REOP_check_advance:
        case REOP_word_boundary: case REOP_word_boundary_i:
        case REOP_not_word_boundary: case REOP_not_word_boundary_i:
            break;
        default:
            return false;
        }
        at += bytes;
    }
    return false;
}

static bool re_first_of(RERewrite *r, uint32_t at, bool is_search, RESet *set)
{
    memset(set, 0, sizeof(*set));
    r->steps = FIRST_STEPS;
    r->is_search = is_search;
    r->second = NULL;
    return re_first(r, at, set);
}

/* What may come after the first character. False: that may be anything. */
static bool re_second_of(RERewrite *r, uint32_t at, RESet *second)
{
    RESet first = {{0}};
    memset(second, 0, sizeof(*second));
    r->steps = FIRST_STEPS;
    r->is_search = true;
    r->is_any_second = false;
    r->second = second;
    return re_first(r, at, &first) && !r->is_any_second;
}

/* The number of a set, from 1 on; 0: there is no more room. */
static uint32_t re_set_number(RERewrite *r, const RESet *set)
{
    for (int i = 0; i < r->count; i++)
        if (!memcmp(&r->sets[i], set, sizeof(*set)))
            return (uint32_t)i + 1;
    if (r->count == SET_COUNT)
        return 0;
    r->sets[r->count] = *set;
    return (uint32_t)++r->count;
}

/* The number of the set of characters that an instruction stands for. */
static uint32_t re_class_number(RERewrite *r, const uint8_t *op)
{
    RESet set = {{0}};
    re_set_add_op(&set, op, r->s->is_unicode);
    return re_set_number(r, &set);
}

static uint32_t re_first_number(RERewrite *r, uint32_t at, bool is_search)
{
    RESet set;
    return re_first_of(r, at, is_search, &set) ? re_set_number(r, &set) : 0;
}

#include "regexp_rewrite.h"

#endif
