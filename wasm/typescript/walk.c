/* The walk over the tree, in the order of the source, and the erasure of what only types are. A type becomes blanks, so
 * that everything else stays where it is; some places need one character more, lest what is left mean something else. */
#include <stdlib.h>
#include <string.h>
#include "transform.h"

Frame *frames;
uint32_t depth;

const Frame *parent_of(uint32_t up)
{
    static const Frame nothing;
    return up <= depth ? &frames[depth - up] : &nothing;
}

static bool has_lines(uint32_t start, uint32_t end)
{
    for (; start < end; start++)
        if (request.source[start] == '\n' || request.source[start] == '\r')
            return true;
    return false;
}

/* Erases a statement, or a member of a class. Where the next line could continue the one before, a semicolon stays. */
void erase_statement(uint32_t start, uint32_t end)
{
    bool lines;
    uint32_t next = after_gap(end, &lines);
    blank(start, end);
    if (next < request.length && strchr("([`+-/*.,<?", request.source[next]))
        put(start, ';');
}

/* `x as T`, where `x` ends a line and the next one begins with what would continue it. */
static void erase_operator(TSNode node, Kind word)
{
    const Child *found = child_of(children(node), word);
    if (!found)
        return;
    uint32_t start = found->start, end = ts_node_end_byte(node);
    blank(start, end);
    bool lines;
    uint32_t next = after_gap(end, &lines);
    if (lines && next < request.length && strchr("([`", request.source[next]))
        put(start, ';');
}

static void enter_arrow(TSNode node)
{
    Children list = children(node);
    uint32_t opening = 0, closing = 0, generic = 0;
    for (uint32_t index = 0; index < list.count; index++) {
        const Child *each = &list.items[index];
        if (each->kind == TYPE_PARAMETERS) {
            generic = each->start;
        } else if (each->kind == PARAMETERS) {
            opening = each->start;
            closing = each->end - 1;
            /* After `async`, `return` and their like no line may end before the parenthesis: it moves up. */
            if (generic && has_lines(generic, opening)) {
                blank(generic, opening + 1);
                put(generic, '(');
            }
        } else if (each->kind == SIGN_ARROW && closing && has_lines(closing, each->start)) {
            /* Nor may one end between the parenthesis and the arrow: it moves down, to the end of the type. */
            uint32_t end = list.items[index - 1].end;
            blank(closing, end);
            put(end - 1, ')');
        }
    }
}

/* `<T>x` */
static void enter_assertion(TSNode node)
{
    Children list = children(node);
    uint32_t start = list.items[0].start, end = ts_node_end_byte(node);
    bool lines;
    uint32_t operand = after_gap(list.items[0].end, &lines);
    char first = operand < request.length ? request.source[operand] : 0;
    blank(start, list.items[0].end);
    /* `return <T>` at the end of a line would return nothing, and `=> <T>{}` would be a block. */
    if (lines || has_lines(start, operand) || first == '{' || first == 'f' || first == 'c') {
        put(start, '(');
        insert(end, ")");
    }
}

/* ``f<T>`...` ``, which the grammar takes for two comparisons. */
static void enter_comparison(TSNode node)
{
    TSNode left = ts_node_child(node, 0), sign = ts_node_child(node, 1);
    uint32_t start = ts_node_start_byte(sign), end = ts_node_end_byte(sign);
    bool lines, is_plain;
    if (same(text_of(sign), "<") && !is_blank(start) && end_before_template(start, &is_plain))
        refuse(start, "these type arguments look like comparisons: write (f<...>) in parentheses before a template");
    if (kind_of(left) != BINARY || request.source[end - 1] != '>' || !same(text_of(sign), ">") ||
        request.source[after_gap(end, &lines)] != '`')
        return;
    TSNode opening = ts_node_child(left, 1);
    if (same(text_of(opening), "<"))
        blank(ts_node_start_byte(opening), end);
}

static bool enter_types(TSNode node, Kind kind)
{
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    switch (kind) {
    case TYPE_ANNOTATION: case ASSERTS_TYPE: case PREDICATE_TYPE: case ADDING_TYPE: case OMITTING_TYPE: case OPTING_TYPE:
    case TYPE_PARAMETERS: case TYPE_ARGUMENTS: case IMPLEMENTS:
        blank(start, end);
        return false;
    case TYPE_ALIAS: case INTERFACE:
        declare_type(node);
        erase_statement(start, end);
        return false;
    case AMBIENT: case FUNCTION_SIGNATURE:
        erase_statement(start, end);
        return false;
    case AS:
        erase_operator(node, WORD_AS);
        return true;
    case SATISFIES:
        erase_operator(node, WORD_SATISFIES);
        return true;
    case NON_NULL:
        if (request.source[end - 1] == '!' && !ts_node_is_missing(ts_node_child(node, 1)))
            blank(end - 1, end);
        return true;
    case TYPE_ASSERTION:
        enter_assertion(node);
        return true;
    case BINARY:
        enter_comparison(node);
        return true;
    case CALL: {
        Children list = children(node);
        const Child *last = &list.items[list.count - 1];
        bool lines;
        uint32_t opening = last->kind == TEMPLATE ? after_gap(last[-1].end, &lines) : start;
        if (opening > start && request.source[opening] == '<')
            blank(opening, last->start);
        return true;
    }
    case MEMBER: {
        /* `x as a.b.C`: the grammar may end the type too early. A type has no members. */
        enum { LONGEST_NAME = 16 };
        TSNode object = ts_node_child(node, 0);
        for (uint32_t level = 0; level < LONGEST_NAME && kind_of(object) == MEMBER; level++)
            object = ts_node_child(object, 0);
        if (kind_of(object) == AS || kind_of(object) == SATISFIES)
            blank(ts_node_end_byte(object), end);
        return true;
    }
    case ARROW_FUNCTION:
        enter_arrow(node);
        return true;
    case VARIABLE_DECLARATOR: {
        const Child *bang = child_of(children(node), SIGN_BANG);
        if (bang)
            blank(bang->start, bang->end);
        return true;
    }
    case ABSTRACT_CLASS: {
        Children list = children(node);
        const Child *word = child_of(list, WORD_ABSTRACT), *name = child_of(list, TYPE_IDENTIFIER);
        if (word)
            blank(word->start, word->end);
        if (name)
            declare_value(text_of(name->node));
        return true;
    }
    case FIELD: case METHOD: case METHOD_SIGNATURE: case ABSTRACT_METHOD: case INDEX_SIGNATURE:
        return enter_member(node, kind);
    case REQUIRED_PARAMETER: case OPTIONAL_PARAMETER:
        return enter_parameter(node, kind);
    case IMPORT: case IMPORT_ALIAS:
        return enter_import(node, kind);
    case EXPORT:
        return enter_export(node);
    case DECORATOR:
        refuse(start, "decorators are not supported; call the function yourself, on the class or the method");
    case ENUM:
        enter_enum(node);
        return true;
    case INTERNAL_MODULE: case MODULE:
        return enter_namespace(node);
    case IDENTIFIER:
        qualify_member(node);
        use_name(text_of(node));
        return true;
    case SHORTHAND_PROPERTY:
        use_name(text_of(node));
        return true;
    case FUNCTION: case GENERATOR: case CLASS_DECLARATION: {
        const Child *name = child_of(children(node), kind == CLASS_DECLARATION ? TYPE_IDENTIFIER : IDENTIFIER);
        if (name)
            declare_value(text_of(name->node));
        return true;
    }
    case TYPE_IDENTIFIER: /* the name of a class: others are in what is erased */
        use_name(text_of(node));
        return true;
    default:
        return true;
    }
}

/* Says whether the walk goes on below a node. */
static bool enter(TSNode node, Kind kind)
{
    uint32_t start = ts_node_start_byte(node);
    if (kind == OTHER || kind == COMMENT)
        return true;
    /* The parenthesis of parameters may have moved, and braces of JSX are gone; what is in them is not. */
    if (start < ts_node_end_byte(node) && is_blank(start) && kind != PARAMETERS && kind != JSX_EXPRESSION)
        return false;
    if (kind == JSX_ELEMENT || kind == JSX_SELF_CLOSING)
        enter_element(node, kind);
    if (request.flags & KEEP_TYPES)
        return true;
    return enter_types(node, kind);
}

static void leave(const Frame *frame)
{
    (void)frame;
}

void walk(TSNode root)
{
    uint32_t capacity = 0;
    TSTreeCursor cursor = ts_tree_cursor_new(root);
    for (;;) {
        TSNode node = ts_tree_cursor_current_node(&cursor);
        Kind kind = kind_of(node);
        bool goes_on = enter(node, kind);
        if (depth + 2 > capacity) {
            capacity = capacity ? 2 * capacity : 256;
            frames = reallocate(frames, capacity * sizeof *frames);
        }
        frames[depth] = (Frame){node, kind, ts_node_start_byte(node), ts_node_end_byte(node), 0};
        if (goes_on && ts_tree_cursor_goto_first_child(&cursor)) {
            depth++;
            continue;
        }
        leave(&frames[depth]);
        while (!ts_tree_cursor_goto_next_sibling(&cursor)) {
            if (!ts_tree_cursor_goto_parent(&cursor))
                return;
            leave(&frames[--depth]);
        }
    }
}
