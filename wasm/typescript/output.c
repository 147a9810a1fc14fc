/* What becomes of the source. For every byte of it there is a mark that says whether it stays, and between the bytes
 * stands what is inserted. Line ends always stay, so a line has the same number before and after. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "transform.h"

enum { KEPT, BLANKED, CUT, FIRST_CHARACTER = 32 }; /* marks; from the last one on they are what stands there instead */

enum { MIDDLE = 1u << 29, LATE = 1u << 30 };

typedef struct { uint32_t at, order, text, length; } Insertion;

static uint8_t *marks;
static char *text;
static uint32_t text_length, text_capacity;
static Insertion *insertions;
static uint32_t insertion_count, insertion_capacity;
Mapping *mappings;
uint32_t mapping_count;
static uint32_t mapping_capacity;

static uint8_t *mark(uint32_t at)
{
    if (!marks)
        marks = allocate_zeroed(request.length + 1, 1);
    return &marks[at];
}

static void mark_all(uint32_t start, uint32_t end, uint8_t value)
{
    uint8_t *each = mark(0);
    for (; start < end; start++)
        if (each[start] < FIRST_CHARACTER)
            each[start] = value;
}

void blank(uint32_t start, uint32_t end) { mark_all(start, end, BLANKED); }
void cut(uint32_t start, uint32_t end) { mark_all(start, end, CUT); }
void put(uint32_t at, char character) { *mark(at) = (uint8_t)character; }

bool is_blank(uint32_t at)
{
    uint8_t found = *mark(at);
    return found == BLANKED || found >= FIRST_CHARACTER;
}

static void append(const char *bytes, uint32_t length)
{
    if (text_length + length > text_capacity) {
        text_capacity = 2 * (text_length + length) + 256;
        text = reallocate(text, text_capacity);
    }
    memcpy(text + text_length, bytes, length);
    text_length += length;
}

static void append_format(const char *format, va_list arguments)
{
    for (const char *at = format; *at; at++) {
        if (at[0] == '%' && at[1] == 's') {
            const char *string = va_arg(arguments, const char *);
            append(string, (uint32_t)strlen(string));
            at++;
        } else if (at[0] == '%' && at[1] == 'v') {
            Slice slice = va_arg(arguments, Slice);
            append(request.source + slice.start, slice.length);
            at++;
        } else {
            append(at, 1);
        }
    }
}

static void add(uint32_t at, uint32_t order, const char *format, va_list arguments)
{
    uint32_t before = text_length;
    append_format(format, arguments);
    if (insertion_count == insertion_capacity) {
        insertion_capacity = 2 * insertion_capacity + 64;
        insertions = reallocate(insertions, insertion_capacity * sizeof *insertions);
    }
    insertions[insertion_count] = (Insertion){at, order + insertion_count, before, text_length - before};
    insertion_count++;
}

void insert(uint32_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(at, MIDDLE, format, arguments);
    va_end(arguments);
}

void insert_early(uint32_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(at, 0, format, arguments);
    va_end(arguments);
}

void insert_late(uint32_t at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(at, LATE, format, arguments);
    va_end(arguments);
}

char *formatted(const char *format, va_list arguments)
{
    uint32_t before = text_length;
    append_format(format, arguments);
    append("", 1);
    return text + before;
}

static int by_place(const void *left, const void *right)
{
    const Insertion *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static uint32_t line_end_bytes(uint32_t at)
{
    const uint8_t *bytes = (const uint8_t *)request.source + at;
    if (bytes[0] == '\n' || bytes[0] == '\r')
        return 1;
    return at + 2 < request.length && bytes[0] == 0xe2 && bytes[1] == 0x80 && (bytes[2] & 0xfe) == 0xa8 ? 3 : 0;
}

uint32_t after_gap(uint32_t at, bool *lines)
{
    *lines = false;
    const char *source = request.source;
    while (at < request.length) {
        uint32_t ends = line_end_bytes(at);
        if (ends) {
            *lines = true;
            at += ends;
        } else if (source[at] == ' ' || source[at] == '\t' || source[at] == '\v' || source[at] == '\f') {
            at++;
        } else if (source[at] == '/' && at + 1 < request.length && source[at + 1] == '/') {
            while (at < request.length && !line_end_bytes(at))
                at++;
        } else if (source[at] == '/' && at + 1 < request.length && source[at + 1] == '*') {
            for (at += 2; at + 1 < request.length && !(source[at] == '*' && source[at + 1] == '/'); at++)
                *lines |= line_end_bytes(at) != 0;
            at = at + 2 < request.length ? at + 2 : request.length;
        } else {
            break;
        }
    }
    return at;
}

static uint32_t units(uint8_t first) /* of UTF-16, counted at the first byte of a character */
{
    return first >= 0xf0 ? 2 : (first & 0xc0) != 0x80;
}

static void map(uint32_t line, uint32_t column, uint32_t source_column)
{
    Mapping *last = mapping_count ? &mappings[mapping_count - 1] : NULL;
    if (last && last->line == line && last->column == column) {
        last->source_column = source_column;
        return;
    }
    if (last && last->line == line && column - last->column == source_column - last->source_column &&
        source_column >= last->source_column)
        return;
    if (mapping_count == mapping_capacity) {
        mapping_capacity = 2 * mapping_capacity + 64;
        mappings = reallocate(mappings, mapping_capacity * sizeof *mappings);
    }
    mappings[mapping_count++] = (Mapping){line, column, line, source_column};
}

/* Returns the bytes of the result. Nothing can be changed any more. */
uint32_t code_finish(char **code)
{
    mark(0);
    bool is_sorted = true;
    for (uint32_t index = 1; index < insertion_count && is_sorted; index++)
        is_sorted = by_place(&insertions[index - 1], &insertions[index]) < 0;
    if (!is_sorted)
        qsort(insertions, insertion_count, sizeof *insertions, by_place);
    /* A character that is blanked is no longer than it was: only insertions take room. */
    char *out = *code = allocate(request.length + text_length + 1);
    uint32_t line = 0, column = 0, source_column = 0, next = 0, at = 0;
    while (at < request.length || next < insertion_count) {
        if (next < insertion_count && insertions[next].at <= at) {
            const Insertion *each = &insertions[next++];
            map(line, column, source_column);
            memcpy(out, text + each->text, each->length);
            for (uint32_t index = 0; index < each->length; index++)
                column += units((uint8_t)out[index]);
            out += each->length;
            if (next == insertion_count || insertions[next].at > at)
                map(line, column, source_column);
            continue;
        }
        uint32_t ends = line_end_bytes(at);
        if (ends) {
            memcpy(out, request.source + at, ends);
            bool pair = request.source[at] == '\r' && at + 1 < request.length && request.source[at + 1] == '\n';
            out += ends;
            at += ends;
            if (!pair) {
                line++;
                column = source_column = 0;
            }
            continue;
        }
        uint8_t byte = (uint8_t)request.source[at], to = marks[at];
        uint32_t width = units(byte);
        at++;
        source_column += width;
        if (to == CUT) {
            if (at < request.length && marks[at] != CUT && !line_end_bytes(at))
                map(line, column, source_column);
            continue;
        }
        column += width;
        if (to == KEPT || (to == BLANKED && byte == '\t')) {
            *out++ = (char)byte;
        } else if (to != BLANKED) {
            *out++ = (char)to;
        } else if (byte < 0x80) {
            *out++ = ' ';
        } else if (width) { /* a blank that takes as many bytes and as many units of UTF-16 as the character does */
            const char *wide = width == 2 ? "\u00a0\u00a0" : byte >= 0xe0 ? "\u3000" : "\u00a0";
            memcpy(out, wide, strlen(wide));
            out += strlen(wide);
        }
    }
    return (uint32_t)(out - *code);
}
