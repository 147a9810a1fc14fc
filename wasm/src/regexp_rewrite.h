/* Writes a compiled regular expression anew, with what regexp_sets.h finds out about it; a part of that. */
#ifndef REGEXP_REWRITE_H
#define REGEXP_REWRITE_H

/* In the parser: make one instruction of a repetition of one character. `atom` is where that stands, as what was
 * written last. 1: done, 0: it is no such repetition, -1: there is no memory. */
static int re_emit_run(REParseState *s, int atom, int min, int max, bool is_greedy)
{
    int bytes = (int)s->byte_code.size - atom;
    const uint8_t *op = s->byte_code.buf + atom;
    if (max < 2 || bytes <= 0 || bytes > UINT16_MAX || re_one_char(op) != bytes || (!is_greedy && max != INT32_MAX))
        return 0;
    if (dbuf_insert(&s->byte_code, atom, RUN_BYTES))
        return -1;
    uint8_t *run = s->byte_code.buf + atom;
    memset(run, 0, RUN_BYTES);
    run[0] = REOP_run;
    put_u32(run + 9, (uint32_t)min);
    put_u32(run + 13, (uint32_t)max);
    run[17] = is_greedy ? 0 : RUN_IS_LAZY;
    put_u16(run + 18, (uint16_t)bytes);
    return 1;
}

/* In the parser: alternatives that are one character each are one class. They begin at `start` and are what was written
 * last. What follows an empty alternative looks like one more, but no way leads behind it: each ends behind the next one.
 * -1: there is no memory. */
static int re_join_alternatives(REParseState *s, int start)
{
    uint32_t at = (uint32_t)start, end = (uint32_t)s->byte_code.size, splits = 0, goes_on = 0;
    const uint8_t *code = s->byte_code.buf;
    CharRange joined;
    bool is_case = false, is_one = true;
    if (dbuf_error(&s->byte_code))
        return -1;
    for (; at < end && code[at] == REOP_split_next_first && splits < MOST_JOINED; splits++)
        at += reopcode_info[REOP_split_next_first].size;
    if (!splits)
        return 0;
    cr_init(&joined, s->opaque, lre_realloc);
    for (uint32_t i = 0; is_one && i <= splits; i++) {
        const uint8_t *op = code + at;
        is_one = at < end && (*op == REOP_char || *op == REOP_range || *op == REOP_char_i || *op == REOP_range_i);
        if (!is_one)
            break;
        bool ignores = *op == REOP_char_i || *op == REOP_range_i;
        is_one = (i == 0 || ignores == is_case) && joined.len <= 2 * MOST_JOINED;
        is_case = ignores;
        if (!is_one)
            break;
        if (*op == REOP_char || *op == REOP_char_i) {
            if (cr_union_interval(&joined, get_u16(op + 1), get_u16(op + 1)))
                goto no_memory;
        } else {
            is_one = get_u16(op + 1) <= MOST_JOINED;
            for (int n = 0; is_one && n < get_u16(op + 1); n++) {
                if (cr_union_interval(&joined, get_u16(op + 3 + 4 * n), get_u16(op + 5 + 4 * n)))
                    goto no_memory;
            }
        }
        at += (uint32_t)re_one_char(op);
        is_one = is_one && (i == 0 || goes_on == at);
        if (i < splits) {
            is_one = is_one && at < end && code[at] == REOP_goto;
            goes_on = is_one ? at + reopcode_info[REOP_goto].size + get_u32(code + at + 1) : 0;
            at += reopcode_info[REOP_goto].size;
        }
    }
    if (is_one && at == end && joined.len && joined.points[joined.len - 1] < 0xffff) {
        s->byte_code.size = (size_t)start;
        re_emit_op_u16(s, is_case ? REOP_range_i : REOP_range, (uint32_t)joined.len / 2);
        for (int i = 0; i < joined.len; i += 2) {
            dbuf_put_u16(&s->byte_code, (uint16_t)joined.points[i]);
            dbuf_put_u16(&s->byte_code, (uint16_t)(joined.points[i + 1] - 1));
        }
    }
    cr_free(&joined);
    return 0;
no_memory:
    cr_free(&joined);
    return -1;
}

/* Characters below 256 that follow one another: how many instructions of one each, 255 at most. */
static uint32_t re_text_length(const RERewrite *r, uint32_t at)
{
    uint32_t count = 0;
    while (count < 255 && at + 3 <= r->length && r->code[at] == REOP_char && get_u16(r->code + at + 1) < 256 &&
           (!count || !r->moved[at])) {
        count++;
        at += 3;
    }
    return count;
}

/* The search for where it begins. */
static void re_write_search(RERewrite *r)
{
    uint32_t at = 1 + 5 + 5, kind = 0;
    RESet set, second;
    uint32_t number = 0, second_number = 0;
    if (re_first_of(r, at, true, &set)) {
        RESet none = {{0}};
        if (!memcmp(&set, &none, sizeof(set)))
            kind = SEARCH_AT_START;
        number = re_set_number(r, &set);
        if (re_second_of(r, at, &second))
            second_number = re_set_number(r, &second);
    }
    while (r->code[at] == REOP_save_start)
        at += 2;
    if (r->code[at] == REOP_line_start_m)
        kind = SEARCH_AT_LINES;
    dbuf_putc(&r->out, REOP_search);
    dbuf_put_u32(&r->out, number);
    dbuf_putc(&r->out, (uint8_t)kind);
    dbuf_put_u32(&r->out, second_number);
}

static void re_write_split(RERewrite *r, const uint8_t *op, uint32_t target, uint32_t next)
{
    uint32_t there = re_first_number(r, target, false), here = re_first_number(r, next, false);
    bool is_known = there || here;
    dbuf_putc(&r->out, (uint8_t)(!is_known ? *op : *op == REOP_split_goto_first ? REOP_split_goto_first_set
                                                                                : REOP_split_next_first_set));
    dbuf_put_u32(&r->out, target);
    if (is_known) {
        dbuf_put_u32(&r->out, there);
        dbuf_put_u32(&r->out, here);
    }
}

static void re_write_run(RERewrite *r, const uint8_t *op, uint32_t next)
{
    RESet class = {{0}}, follow;
    uint32_t start = (uint32_t)r->out.size;
    dbuf_put(&r->out, op, re_op_bytes(op));
    if (dbuf_error(&r->out))
        return;
    uint8_t *run = r->out.buf + start;
    re_set_add_op(&class, op + RUN_BYTES, r->s->is_unicode);
    put_u32(run + 1, re_set_number(r, &class));
    if (re_first_of(r, next, false, &follow)) {
        put_u32(run + 5, re_set_number(r, &follow));
        if (!re_sets_meet(&class, &follow) && !(run[17] & RUN_IS_LAZY))
            run[17] |= RUN_KEEPS;
    }
}

/* Write one instruction, or some. How far that has come. */
static uint32_t re_write(RERewrite *r, uint32_t at)
{
    const uint8_t *op = r->code + at;
    uint32_t bytes = re_op_bytes(op), leads = re_op_leads(op), count, number;
    if ((count = re_text_length(r, at)) >= 2) {
        dbuf_putc(&r->out, REOP_text);
        dbuf_putc(&r->out, (uint8_t)count);
        for (; count; count--, at += 3)
            dbuf_putc(&r->out, r->code[at + 1]);
        return at;
    }
    switch (*op) {
    case REOP_split_goto_first: case REOP_split_next_first:
        re_write_split(r, op, at + bytes + get_u32(op + 1), at + bytes);
        return at + bytes;
    case REOP_run:
        re_write_run(r, op, at + bytes);
        return at + bytes;
    case REOP_char_i: case REOP_dot: case REOP_space: case REOP_not_space:
    case REOP_range: case REOP_range_i: case REOP_range32: case REOP_range32_i:
        if (bytes <= UINT16_MAX && (number = re_class_number(r, op))) {
            dbuf_putc(&r->out, REOP_set);
            dbuf_put_u32(&r->out, number);
            dbuf_put_u16(&r->out, (uint16_t)bytes);
        }
        break;
    }
    uint32_t start = (uint32_t)r->out.size;
    dbuf_put(&r->out, op, bytes);
    if (leads && !dbuf_error(&r->out))
        put_u32(r->out.buf + start + leads, at + bytes + get_u32(op + leads));
    return at + bytes;
}

/* Numbers of sets become distances to them, from the instruction on. */
static void re_place_set(uint8_t *op, uint32_t field, uint32_t sets, uint32_t at)
{
    uint32_t number = get_u32(op + field);
    if (number)
        put_u32(op + field, sets + (number - 1) * SET_BYTES - at);
}

/* What led to old places leads to the new ones. */
static void re_relocate(RERewrite *r, uint32_t sets)
{
    for (uint32_t at = 0, bytes; at < sets; at += bytes) {
        uint8_t *op = r->out.buf + RE_HEADER_LEN + at;
        uint32_t leads = re_op_leads(op);
        bytes = re_op_bytes(op);
        if (leads)
            put_u32(op + leads, r->moved[get_u32(op + leads)] - (at + bytes));
        switch (*op) {
        case REOP_set:
            re_place_set(op, 1, sets, at);
            break;
        case REOP_search:
            re_place_set(op, 1, sets, at);
            re_place_set(op, 6, sets, at);
            break;
        case REOP_run:
            re_place_set(op, 1, sets, at);
            re_place_set(op, 5, sets, at);
            break;
        case REOP_split_goto_first_set: case REOP_split_next_first_set:
            re_place_set(op, 5, sets, at);
            re_place_set(op, 9, sets, at);
            break;
        }
    }
}

/* What is written comes behind the header; how far that is. */
static uint32_t re_written(const RERewrite *r)
{
    return (uint32_t)r->out.size - RE_HEADER_LEN;
}

/* Write the code of an expression anew. -1: there is no memory, or it was interrupted. */
static no_inline int re_rewrite(REParseState *s)
{
    RERewrite rewrite, *r = &rewrite;
    int result = -1;
    if (dbuf_error(&s->byte_code))
        return -1;
    r->s = s;
    r->code = s->byte_code.buf + RE_HEADER_LEN;
    r->length = (uint32_t)s->byte_code.size - RE_HEADER_LEN;
    r->count = 0;
    if (r->length > LONGEST_CODE)
        return 0;
    size_t bytes = (r->length + 1) * sizeof(uint32_t);
    r->moved = bytes <= sizeof(r->few) ? r->few : lre_realloc(s->opaque, NULL, bytes);
    if (!r->moved)
        return -1;
    memset(r->moved, 0, bytes);
    dbuf_init2(&r->out, s->opaque, lre_bytecode_realloc);
    if (dbuf_claim(&r->out, 2 * r->length + 4 * SET_BYTES) || dbuf_put(&r->out, s->byte_code.buf, RE_HEADER_LEN))
        goto done;
    for (uint32_t at = 0; at < r->length; at += re_op_bytes(r->code + at)) {
        const uint8_t *op = r->code + at;
        if (re_op_leads(op))
            r->moved[at + re_op_bytes(op) + get_u32(op + re_op_leads(op))] = 1;
    }
    for (uint32_t at = 0, next; at < r->length; at = next) {
        if (engine_poll(1024))
            goto done;
        uint32_t to = re_written(r);
        if (at == 0 && !(s->re_flags & LRE_FLAG_STICKY)) {
            re_write_search(r);
            next = 1 + 5 + 5;
        } else {
            next = re_write(r, at);
        }
        r->moved[at] = to;
    }
    if (dbuf_error(&r->out))
        goto done;
    uint32_t sets = re_written(r);
    r->moved[r->length] = sets;
    re_relocate(r, sets);
    if (dbuf_put(&r->out, (uint8_t *)r->sets, (size_t)r->count * sizeof(RESet)))
        goto done;
    DynBuf old = s->byte_code;
    s->byte_code = r->out;
    r->out = old;
    result = 0;
done:
    dbuf_free(&r->out);
    if (r->moved != r->few)
        lre_realloc(s->opaque, r->moved, 0);
    return result;
}

#endif
