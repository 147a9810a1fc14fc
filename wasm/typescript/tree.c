/* The syntax tree, as the rest wants to see it. */
#include <stdlib.h>
#include <string.h>
#include "transform.h"

const TSLanguage *tree_sitter_typescript(void);
const TSLanguage *tree_sitter_tsx(void);

static uint8_t *kinds; /* by symbol */

static void learn(const TSLanguage *language)
{
#define NAME(name, text) text,
    static const char *const names[] = {"", NODE_KINDS(NAME)};
#undef NAME
    enum { SLOTS = 512 };
    static uint8_t slots[SLOTS];
    for (uint32_t kind = 1; kind < KINDS; kind++) {
        uint32_t slot = 0;
        for (const char *at = names[kind]; *at; at++)
            slot = slot * 31 + (uint8_t)*at;
        while (slots[slot % SLOTS])
            slot++;
        slots[slot % SLOTS] = (uint8_t)kind;
    }
    uint32_t count = ts_language_symbol_count(language);
    kinds = allocate_zeroed(count, 1);
    for (uint32_t symbol = 0; symbol < count; symbol++) {
        const char *name = ts_language_symbol_name(language, (TSSymbol)symbol);
        uint32_t slot = 0;
        for (const char *at = name; at && *at; at++)
            slot = slot * 31 + (uint8_t)*at;
        for (; name && slots[slot % SLOTS]; slot++)
            if (!strcmp(names[slots[slot % SLOTS]], name))
                kinds[symbol] = slots[slot % SLOTS];
    }
}

Kind kind_of(TSNode node)
{
    TSSymbol symbol = ts_node_symbol(node);
    return symbol == (TSSymbol)-1 ? ERROR_NODE : (Kind)kinds[symbol];
}

Slice text_of(TSNode node)
{
    uint32_t start = ts_node_start_byte(node);
    return (Slice){start, ts_node_end_byte(node) - start};
}

bool same(Slice slice, const char *text)
{
    return strlen(text) == slice.length && !memcmp(request.source + slice.start, text, slice.length);
}

/* Of `f<T>`...`` the grammar thinks that a `!` is missing before the template. */
static bool is_tolerable(TSNode node)
{
    return ts_node_is_missing(node) && kind_of(node) == SIGN_BANG && request.source[ts_node_end_byte(node)] == '`';
}

/* Says where the parser got lost: the first error that has no other in it. Returns where it did not. */
static void report(TSNode root)
{
    TSTreeCursor cursor = ts_tree_cursor_new(root);
    for (bool more = true; more;) {
        TSNode node = ts_tree_cursor_current_node(&cursor);
        Slice text = text_of(node);
        if (is_tolerable(node)) {
            while (!(more = ts_tree_cursor_goto_next_sibling(&cursor)) && ts_tree_cursor_goto_parent(&cursor))
                ;
            continue;
        }
        if (ts_node_is_missing(node))
            refuse(text.start, "expected '%s'", ts_node_type(node));
        bool is_error = ts_node_symbol(node) == (TSSymbol)-1;
        if (is_error && ts_tree_cursor_goto_first_child(&cursor)) {
            /* What was read well stands before what was not. */
            while (ts_tree_cursor_goto_next_sibling(&cursor))
                ;
            Slice last = text_of(ts_tree_cursor_current_node(&cursor));
            uint32_t at = last.start, end = at + last.length;
            bool lines;
            if (after_gap(end, &lines) == request.length)
                refuse(end, "the program ends too early");
            last.length = last.length > 40 ? 40 : last.length;
            refuse(at, "unexpected '%v'", last);
        }
        if (is_error)
            refuse(text.start, "unexpected text");
        if (ts_node_has_error(node) && ts_tree_cursor_goto_first_child(&cursor))
            continue;
        while ((more = ts_tree_cursor_goto_next_sibling(&cursor)) == false && ts_tree_cursor_goto_parent(&cursor))
            ;
    }
}

static char *copy; /* of the source, once the parser has to be given something else */

static void show(uint32_t at, const char *text, uint32_t length)
{
    if (!copy) {
        copy = allocate(request.length + 1);
        memcpy(copy, request.source, request.length + 1);
    }
    memcpy(copy + at, text, length);
}

static bool is_letter(char character) { return (character | 32) >= 'a' && (character | 32) <= 'z'; }

static bool is_word(char character)
{
    return is_letter(character) || character == '_' || character == '$' || (uint8_t)character >= 0x80 ||
           (character >= '0' && character <= '9');
}

/* `in` and `out` before the name of a type parameter, of which the grammar knows nothing. */
static void hide_variance(uint32_t at)
{
    static const char *const operators[] = {"as ", "satisfies ", "in ", "instanceof ", "of ", "extends "};
    enum { LONGEST_COMMENT = 256 };
    const char *source = request.source;
    for (;;) {
        while (at < request.length && strchr(" \n\r\t", source[at]))
            at++;
        if (at + 1 < request.length && source[at] == '/' && source[at + 1] == '*') {
            size_t left = request.length - at < LONGEST_COMMENT ? request.length - at : LONGEST_COMMENT;
            const char *end = memmem(source + at, left, "*/", 2);
            if (!end)
                return;
            at = (uint32_t)(end + 2 - source);
            continue;
        }
        uint32_t length = !strncmp(source + at, "in ", 3) ? 2 : !strncmp(source + at, "out ", 4) ? 3 : 0;
        const char *next = source + at + length + 1;
        if (!length || !(is_letter(*next) || *next == '_'))
            return;
        for (uint32_t index = 0; length == 3 && index < sizeof operators / sizeof *operators; index++)
            if (strcmp(operators[index], "in ") && !strncmp(next, operators[index], strlen(operators[index])))
                return; /* it is a name */
        show(at, "   ", length);
        at += length;
    }
}

/* A long name of a type, `a.b.C`, of which the grammar would end the type after `a.b`: for it the dots are letters. */
static void hide_dots(uint32_t at)
{
    const char *source = request.source;
    for (;;) {
        while (at < request.length && strchr(" \n\r\t|&", source[at]))
            at++;
        for (uint32_t from = at; at < request.length; at++) {
            if (source[at] == '.' && at > from && (is_letter(source[at + 1]) || source[at + 1] == '_' || source[at + 1] == '$'))
                show(at, "_", 1);
            else if (!is_word(source[at]))
                break;
        }
        uint32_t next = at;
        while (next < request.length && strchr(" \n\r\t", source[next]))
            next++;
        if ((source[next] != '|' && source[next] != '&') || source[next + 1] == source[next])
            return;
        at = next + 1;
    }
}

uint32_t end_before_template(uint32_t at, bool *is_plain)
{
    enum { LONGEST = 1024 };
    const char *source = request.source;
    *is_plain = true;
    if (!at || !(is_word(source[at - 1]) || strchr(")]", source[at - 1])))
        return 0;
    uint32_t level = 0, limit = request.length - at < LONGEST ? request.length : at + LONGEST;
    for (; at < limit; at++) {
        char character = source[at];
        if (character == '<') {
            level++;
        } else if (character == '>' && source[at - 1] != '=') {
            bool lines;
            if (--level)
                continue;
            uint32_t next = after_gap(at + 1, &lines);
            return next < request.length && source[next] == '`' ? at + 1 : 0;
        } else if (character == '\'' || character == '"') {
            do
                at++;
            while (at < limit && !strchr("\n\\", source[at]) && source[at] != character);
            if (at == limit || source[at] != character)
                return 0;
        } else if (character == '(' || character == ')' || (character == '=' && source[at + 1] == '>')) {
            *is_plain = false;
        } else if ((character == '$' && source[at + 1] == '{') ||
                   !(is_word(character) || (character && strchr("> \n\r\t.,[]{}|&:;?-", character)))) {
            return 0;
        }
    }
    return 0;
}

/* What the grammar can read of the source, of the same length. It does not know `export type *`, of which it gets
 * `export      *`; nor an ampersand in JSX that begins no named character, as in `<a href="?b=1&c=2">`. For an operator
 * it makes no difference here which one it is, so the parser never sees one before a word. */
static const char *readable(uint32_t language)
{
    const char *source = request.source, *end = source + request.length;
    for (const char *at = source; (at = memmem(at, (size_t)(end - at), "export", 6));) {
        at += 6;
        bool lines;
        uint32_t word = after_gap((uint32_t)(at - source), &lines);
        if (word + 4 >= request.length || memcmp(source + word, "type", 4))
            continue;
        uint32_t star = after_gap(word + 4, &lines);
        if (star < request.length && source[star] == '*')
            show(word, "    ", 4);
    }
    /* Nor does it know escapes in types that are templates. What is escaped means nothing here, but for quotes. */
    for (const char *at = source; (at = memchr(at, '\\', (size_t)(end - at))) && at + 1 < end; at += 2)
        if (strchr("`\\$nrt/{}", at[1]) && at[1])
            show((uint32_t)(at - source), "__", 2);
    for (const char *at = source; (at = memmem(at, (size_t)(end - at), "as ", 3)); at += 3)
        if (at > source && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '\n'))
            hide_dots((uint32_t)(at + 3 - source));
    for (const char *at = source; (at = memmem(at, (size_t)(end - at), " satisfies ", 11)); at += 11)
        hide_dots((uint32_t)(at + 11 - source));
    for (uint32_t at = 0; at < request.length; at++)
        if (source[at] == '<' || source[at] == ',')
            hide_variance(at + 1);
    for (const char *at = source; language == LANGUAGE_TSX && (at = memchr(at, '&', (size_t)(end - at))); at++)
        if ((at == source || at[-1] != '&') && (at[1] == '#' || is_letter(at[1])))
            show((uint32_t)(at - source), "|", 1);
    /* ``f<A, B>`...` `` it would take for comparisons: it gets the template alone, and the walk finds what is in between. */
    for (uint32_t at = 0; !(request.flags & KEEP_TYPES) && at < request.length; at++) {
        bool is_plain;
        uint32_t after = source[at] == '<' ? end_before_template(at, &is_plain) : 0;
        for (; after && is_plain && at < after; at++)
            show(at, " ", 1);
    }
    return copy ? copy : source;
}

TSNode parse(uint32_t language)
{
    const TSLanguage *grammar = language == LANGUAGE_TSX ? tree_sitter_tsx() : tree_sitter_typescript();
    TSParser *parser = ts_parser_new();
    ts_parser_set_language(parser, grammar);
    learn(grammar);
    TSTree *tree = ts_parser_parse_string(parser, NULL, readable(language), request.length);
    TSNode root = ts_tree_root_node(tree);
    if (ts_node_has_error(root))
        report(root);
    return root;
}

Children children(TSNode node)
{
    static Child *items;
    static uint32_t capacity;
    static TSTreeCursor cursor;
    if (!cursor.tree)
        cursor = ts_tree_cursor_new(node);
    else
        ts_tree_cursor_reset(&cursor, node);
    uint32_t count = 0;
    for (bool more = ts_tree_cursor_goto_first_child(&cursor); more; more = ts_tree_cursor_goto_next_sibling(&cursor)) {
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            items = reallocate(items, capacity * sizeof *items);
        }
        TSNode child = ts_tree_cursor_current_node(&cursor);
        items[count++] = (Child){child, kind_of(child), ts_node_start_byte(child), ts_node_end_byte(child)};
    }
    return (Children){items, count};
}

const Child *child_of(Children list, Kind kind)
{
    for (uint32_t index = 0; index < list.count; index++)
        if (list.items[index].kind == kind)
            return &list.items[index];
    return NULL;
}

static Slice *find(const Names *names, Slice name)
{
    uint32_t hash = 2166136261u;
    for (uint32_t at = 0; at < name.length; at++)
        hash = (hash ^ (uint8_t)request.source[name.start + at]) * 16777619u;
    for (;; hash++) {
        Slice *slot = &names->slots[hash & (names->capacity - 1)];
        if (!slot->length || (slot->length == name.length && !memcmp(request.source + slot->start,
                                                                     request.source + name.start, name.length)))
            return slot;
    }
}

bool names_have(const Names *names, Slice name)
{
    return names->capacity && find(names, name)->length;
}

void names_add(Names *names, Slice name)
{
    if (!name.length)
        return;
    if (2 * names->count >= names->capacity) {
        Names larger = {allocate_zeroed(names->capacity ? 2 * names->capacity : 256, sizeof(Slice)),
                        names->capacity ? 2 * names->capacity : 256, names->count};
        for (uint32_t index = 0; index < names->capacity; index++)
            if (names->slots[index].length)
                *find(&larger, names->slots[index]) = names->slots[index];
        *names = larger;
    }
    Slice *slot = find(names, name);
    names->count += !slot->length;
    *slot = name;
}
