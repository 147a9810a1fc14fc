/* Text in JSX: lines are trimmed and joined as React's documentation says, and characters may be named. */
#include <stdlib.h>
#include <string.h>
#include "entity_table.h"
#include "transform.h"

enum { LONGEST_NAME = 12 };

typedef struct { char *bytes; uint32_t length, capacity; } Literal;

static void add_bytes(Literal *out, const char *bytes, uint32_t length)
{
    if (out->length + length + 1 > out->capacity) {
        out->capacity = 2 * (out->length + length) + 64;
        out->bytes = reallocate(out->bytes, out->capacity);
    }
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
    out->bytes[out->length] = 0;
}

static void add_unit(Literal *out, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    char text[] = {'\\', 'u', digits[unit >> 12 & 15], digits[unit >> 8 & 15], digits[unit >> 4 & 15], digits[unit & 15]};
    add_bytes(out, text, sizeof text);
}

/* One byte of the source as a string literal has it. */
static void add_byte(Literal *out, char byte)
{
    if (byte == '"' || byte == '\\') {
        char text[] = {'\\', byte};
        add_bytes(out, text, 2);
    } else if ((uint8_t)byte < 0x20) {
        add_unit(out, (uint8_t)byte);
    } else {
        add_bytes(out, &byte, 1);
    }
}

static void add_character(Literal *out, uint32_t code)
{
    if (code >= 0x20 && code < 0x7f) {
        add_byte(out, (char)code);
    } else if (code < 0x10000) {
        add_unit(out, code);
    } else {
        add_unit(out, 0xd800 + ((code - 0x10000) >> 10));
        add_unit(out, 0xdc00 + (code & 0x3ff));
    }
}

/* Returns the code of the character that is named from `at` on, and where the name ends; -1: none is. */
static int64_t named(uint32_t at, uint32_t end, uint32_t *after)
{
    const char *source = request.source;
    uint32_t stop = at + 1;
    while (stop < end && stop - at <= LONGEST_NAME && source[stop] != ';' && source[stop] != '&')
        stop++;
    if (stop >= end || source[stop] != ';' || stop == at + 1)
        return -1;
    *after = stop + 1;
    if (source[at + 1] == '#') {
        bool is_hex = source[at + 2] == 'x' || source[at + 2] == 'X';
        uint32_t digit = at + 2 + is_hex;
        int64_t code = 0;
        if (digit == stop)
            return -1;
        for (; digit < stop; digit++) {
            char each = source[digit];
            int value = each >= '0' && each <= '9' ? each - '0'
                        : is_hex && (each | 32) >= 'a' && (each | 32) <= 'f' ? (each | 32) - 'a' + 10 : -1;
            if (value < 0)
                return -1;
            code = code * (is_hex ? 16 : 10) + value;
        }
        return code <= 0x10ffff ? code : -1;
    }
    uint32_t low = 0, high = sizeof entities / sizeof *entities;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = strncmp(entities[middle].name, source + at + 1, stop - at - 1);
        if (!order)
            order = entities[middle].name[stop - at - 1] != 0;
        if (!order)
            return entities[middle].code;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static void add_text(Literal *out, uint32_t start, uint32_t end)
{
    while (start < end) {
        uint32_t after;
        int64_t code = request.source[start] == '&' ? named(start, end, &after) : -1;
        if (code >= 0) {
            add_character(out, (uint32_t)code);
            start = after;
        } else {
            add_byte(out, request.source[start++]);
        }
    }
}

static bool is_line_end(char character) { return character == '\n' || character == '\r'; }
static bool is_space(char character) { return character == ' ' || character == '\t'; }

/* Text between tags. With `before`, which then stands before it, it becomes a string literal; returns whether there is
 * any. */
uint32_t jsx_text(uint32_t start, uint32_t end, const char *before)
{
    Literal literal = {NULL, 0, 0};
    uint32_t place = start;
    bool some = false;
    for (uint32_t at = start; at <= end;) {
        uint32_t stop = at;
        while (stop < end && !is_line_end(request.source[stop]))
            stop++;
        bool is_first = at == start, is_last = stop == end;
        uint32_t from = at, to = stop;
        while (!is_first && from < to && is_space(request.source[from]))
            from++;
        while (!is_last && to > from && is_space(request.source[to - 1]))
            to--;
        if (from < to) {
            if (before) {
                if (some)
                    add_bytes(&literal, " ", 1);
                else
                    place = from;
                add_text(&literal, from, to);
            }
            some = true;
        }
        if (is_last)
            break;
        at = stop + 1;
    }
    if (!before)
        return some;
    if (some) {
        cut(start, end);
        insert(place, "%s \"%s\"", before, literal.bytes ? literal.bytes : "");
    } else {
        blank(start, end);
    }
    free(literal.bytes);
    return some;
}

/* The text of an attribute, in the place of the literal it is in. A literal of JSX knows no escapes. */
void write_jsx_string(uint32_t start, uint32_t end, uint32_t whole_start, uint32_t whole_end)
{
    bool is_plain = true;
    for (uint32_t at = start; at < end; at++)
        is_plain &= request.source[at] != '&' && request.source[at] != '\\' && !is_line_end(request.source[at]);
    if (is_plain)
        return;
    Literal literal = {NULL, 0, 0};
    add_text(&literal, start, end);
    cut(whole_start, whole_end);
    insert(whole_start, "\"%s\"", literal.bytes ? literal.bytes : "");
    free(literal.bytes);
}
