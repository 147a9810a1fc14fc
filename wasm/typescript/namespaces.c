/* Namespaces, and what they share with enums: objects that several declarations of one name may fill. */
#include <stdlib.h>
#include <string.h>
#include "transform.h"

enum { DEEPEST_NAMESPACE = 64 };

static Declared *declarations;
static uint32_t declaration_count, declaration_capacity;

/* Where the block begins that holds the declaration being entered. */
static const Frame *block_around(void)
{
    uint32_t up = 1;
    while (parent_of(up)->kind == EXPORT || parent_of(up)->kind == EXPRESSION_STATEMENT)
        up++;
    return parent_of(up);
}

void declare_value(Slice name)
{
    if (declaration_count == declaration_capacity) {
        declaration_capacity = 2 * declaration_capacity + 64;
        declarations = reallocate(declarations, declaration_capacity * sizeof *declarations);
    }
    declarations[declaration_count++] = (Declared){name, block_around()->start, {0, 0, 0}, {0, 0, 0}};
}

static bool is_equal(Slice left, Slice right)
{
    return left.length == right.length && !memcmp(request.source + left.start, request.source + right.start, left.length);
}

static bool is_namespace(Kind kind) { return kind == INTERNAL_MODULE || kind == MODULE; }

/* The name of the object that members of a namespace belong to; its length is 0 outside of namespaces. */
static Slice namespace_around(void)
{
    uint32_t up = 1;
    while (parent_of(up)->kind == EXPORT || parent_of(up)->kind == EXPRESSION_STATEMENT)
        up++;
    if (parent_of(up)->kind != STATEMENT_BLOCK || !is_namespace(parent_of(up + 1)->kind))
        return (Slice){0, 0};
    TSNode name = children(parent_of(up + 1)->node).items[1].node;
    if (kind_of(name) == NESTED_IDENTIFIER || kind_of(name) == MEMBER)
        name = ts_node_child(name, ts_node_child_count(name) - 1);
    return text_of(name);
}

/* Writes what opens and closes the function that fills an object. */
Declared *open_object(uint32_t start, uint32_t body, Slice name, uint32_t end)
{
    const Frame *block = block_around();
    Declared *declared = NULL;
    for (uint32_t index = 0; index < declaration_count && !declared; index++)
        if (declarations[index].container == block->start && is_equal(declarations[index].name, name))
            declared = &declarations[index];
    bool is_exported = parent_of(1)->kind == EXPORT;
    Slice outer = namespace_around();
    bool is_new = !declared;
    if (is_new) {
        declare_value(name);
        declared = &declarations[declaration_count - 1];
    }
    if (is_exported && (outer.length || !is_new))
        blank(parent_of(1)->start, start);
    cut(start, body);
    if (is_new)
        insert(start, block->kind == PROGRAM ? "var %v; " : "let %v; ", name);
    insert(start, "(function (%v) ", name);
    if (is_exported && outer.length)
        insert_late(end, ")(%v = %v.%v || (%v.%v = {}));", name, outer, name, outer, name);
    else
        insert_late(end, ")(%v || (%v = {}));", name, name);
    use_name(name);
    return declared;
}

/* Whether anything in a namespace is more than a type. */
static bool has_values(TSNode body, uint32_t level)
{
    if (level > DEEPEST_NAMESPACE)
        refuse(ts_node_start_byte(body), "namespaces are nested too deeply");
    uint32_t count = ts_node_named_child_count(body);
    for (uint32_t index = 0; index < count; index++) {
        TSNode child = ts_node_named_child(body, index);
        Kind kind = kind_of(child);
        if (kind == EXPORT || kind == EXPRESSION_STATEMENT) {
            if (ts_node_named_child_count(child) != 1)
                return true;
            child = ts_node_named_child(child, 0);
            kind = kind_of(child);
        }
        if (is_namespace(kind)) {
            TSNode inner = ts_node_child(child, ts_node_child_count(child) - 1);
            if (kind_of(inner) == STATEMENT_BLOCK && has_values(inner, level + 1))
                return true;
        } else if (kind != INTERFACE && kind != TYPE_ALIAS && kind != AMBIENT && kind != COMMENT &&
                   kind != FUNCTION_SIGNATURE) {
            return true;
        }
    }
    return false;
}

bool is_type_namespace(TSNode node)
{
    TSNode body = ts_node_child(node, ts_node_child_count(node) - 1);
    return kind_of(body) != STATEMENT_BLOCK || !has_values(body, 0);
}

bool enter_namespace(TSNode node)
{
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    if (is_type_namespace(node)) {
        erase_statement(start, end);
        return false;
    }
    Children list = children(node);
    TSNode name_node = list.items[1].node;
    Slice whole = text_of(name_node);
    uint32_t body = list.items[list.count - 1].start;
    if (kind_of(name_node) == STRING)
        refuse(whole.start, "only 'declare module' has a string for a name");
    Slice names[DEEPEST_NAMESPACE];
    uint32_t count = 0;
    for (uint32_t at = whole.start; at < whole.start + whole.length;) {
        uint32_t from = at;
        while (at < whole.start + whole.length && !strchr(". \t\r\n/", request.source[at]))
            at++;
        if (at == from || count == DEEPEST_NAMESPACE)
            refuse(whole.start, "this name of a namespace cannot be read");
        names[count++] = (Slice){from, at - from};
        bool lines;
        at = after_gap(at, &lines);
        if (at < whole.start + whole.length && request.source[at] == '.')
            at = after_gap(at + 1, &lines);
    }
    for (uint32_t index = count; index-- > 1;) /* the innermost is closed first */
        insert_late(end, ")(%v = %v.%v || (%v.%v = {})); }", names[index], names[index - 1], names[index],
                    names[index - 1], names[index]);
    open_object(start, body, names[0], end);
    for (uint32_t index = 1; index < count; index++)
        insert(start, "{ let %v; (function (%v) ", names[index], names[index]);
    return true;
}

/* The names that a pattern binds, each given to the object of the namespace around. */
static void assign(TSNode pattern, Slice object, bool is_constant, uint32_t at)
{
    TSTreeCursor cursor = ts_tree_cursor_new(pattern);
    uint32_t level = 0;
    for (;;) {
        TSNode node = ts_tree_cursor_current_node(&cursor);
        Kind kind = kind_of(node);
        Slice name = text_of(node);
        if (kind == IDENTIFIER || kind == SHORTHAND_PATTERN) {
            if (is_constant)
                insert_late(at, " %v.%v = %v;", object, name, name);
            else /* its value may change on both sides */
                insert_late(at, " Object.defineProperty(%v, \"%v\", { get: () => %v, set: (_) => { %v = _; }, "
                            "enumerable: true, configurable: true });", object, name, name, name);
        }
        bool is_default = kind == SIGN_EQUALS; /* what follows is an initializer */
        if (!is_default && ts_tree_cursor_goto_first_child(&cursor)) {
            level++;
            continue;
        }
        while (level && (is_default || !ts_tree_cursor_goto_next_sibling(&cursor))) {
            is_default = false;
            ts_tree_cursor_goto_parent(&cursor);
            level--;
        }
        if (!level)
            break;
    }
    ts_tree_cursor_delete(&cursor);
}

/* An export of a namespace: the declaration stays as it is, and its names are given to the object. */
bool enter_namespace_export(TSNode node)
{
    Slice object = namespace_around();
    if (!object.length)
        return false;
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    Children list = children(node);
    if (list.count < 2)
        refuse(start, "this export of a namespace is not supported");
    TSNode declaration = list.items[list.count - 1].node;
    uint32_t from = list.items[list.count - 1].start;
    Kind kind = list.items[list.count - 1].kind;
    blank(start, from);
    list = children(declaration);
    if (kind == ENUM || is_namespace(kind))
        return true;
    if (kind == FUNCTION || kind == GENERATOR || kind == CLASS_DECLARATION || kind == ABSTRACT_CLASS) {
        const Child *name = child_of(list, kind == FUNCTION || kind == GENERATOR ? IDENTIFIER : TYPE_IDENTIFIER);
        Slice text = text_of(name->node);
        insert_late(end, " %v.%v = %v;", object, text, text);
    } else if (kind == IMPORT_ALIAS) {
        Slice text = text_of(child_of(list, IDENTIFIER)->node);
        use_name(text);
        insert_late(end, " %v.%v = %v;", object, text, text);
    } else if (kind == LEXICAL || kind == VARIABLE) {
        bool is_constant = list.items[0].kind == WORD_CONST;
        if (request.source[end - 1] != ';')
            insert_late(end, ";");
        uint32_t count = ts_node_named_child_count(declaration);
        for (uint32_t index = 0; index < count; index++) {
            TSNode declarator = ts_node_named_child(declaration, index);
            if (kind_of(declarator) == VARIABLE_DECLARATOR)
                assign(ts_node_child(declarator, 0), object, is_constant, end);
        }
    } else {
        refuse(start, "this export of a namespace is not supported");
    }
    return true;
}
