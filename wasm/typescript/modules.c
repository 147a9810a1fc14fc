/* Imports and exports. What is imported and then used as a type alone is no part of the program: TypeScript leaves it
 * out, and a module with types only may not exist. That is settled at the end, when it is known which names are used. */
#include <stdlib.h>
#include <string.h>
#include "transform.h"

typedef struct { TSNode node; Kind kind; } Pending;

static Names used, types;
static Pending *pending;
static uint32_t pending_count, pending_capacity;

static void settle_later(TSNode node, Kind kind)
{
    if (pending_count == pending_capacity) {
        pending_capacity = 2 * pending_capacity + 16;
        pending = reallocate(pending, pending_capacity * sizeof *pending);
    }
    pending[pending_count++] = (Pending){node, kind};
}

void use_name(Slice name)
{
    names_add(&used, name);
}

void declare_type(TSNode declaration)
{
    const Child *name = child_of(children(declaration), TYPE_IDENTIFIER);
    if (name)
        names_add(&types, text_of(name->node));
}

/* The name under which an import or an export specifier is known here: the last one of an import, the first one of an
 * export. */
static Slice local_name(TSNode specifier, bool last)
{
    Children list = children(specifier);
    Slice name = {0, 0};
    for (uint32_t index = 0; index < list.count; index++)
        if (list.items[index].kind == IDENTIFIER && (last || !name.length))
            name = (Slice){list.items[index].start, list.items[index].end - list.items[index].start};
    return name;
}

static bool is_type_only(TSNode specifier)
{
    Children list = children(specifier);
    return list.count > 1 && (list.items[0].kind == WORD_TYPE || list.items[0].kind == WORD_TYPEOF) &&
           list.items[1].kind == IDENTIFIER;
}

static void declare_types(TSNode clause, bool all)
{
    uint32_t count = ts_node_named_child_count(clause);
    for (uint32_t index = 0; index < count; index++) {
        TSNode child = ts_node_named_child(clause, index);
        Kind kind = kind_of(child);
        if (kind == IDENTIFIER && all)
            names_add(&types, text_of(child));
        else if (kind == IMPORT_SPECIFIER && (all || is_type_only(child)))
            names_add(&types, local_name(child, true));
        else if (kind == NAMED_IMPORTS || kind == NAMESPACE_IMPORT)
            declare_types(child, all);
    }
}

bool enter_import(TSNode node, Kind kind)
{
    Children list = children(node);
    if (kind == IMPORT_ALIAS) {
        settle_later(node, IMPORT_ALIAS);
        const Child *name = child_of(list, IDENTIFIER);
        if (parent_of(1)->kind == EXPORT && name)
            use_name(text_of(name->node));
        return false;
    }
    const Child *require = child_of(list, IMPORT_REQUIRE);
    if (require && !child_of(list, WORD_TYPE)) {
        settle_later(node, IMPORT_REQUIRE);
        return false;
    }
    const Child *clause = child_of(list, IMPORT_CLAUSE);
    TSNode clause_node = clause ? clause->node : node;
    if (child_of(list, WORD_TYPE) || child_of(list, WORD_TYPEOF)) {
        erase_statement(ts_node_start_byte(node), ts_node_end_byte(node));
        if (clause)
            declare_types(clause_node, true);
    } else if (clause) {
        declare_types(clause_node, false);
        settle_later(node, IMPORT);
    }
    return false;
}

/* `import a = b.c` and `import a = require("b")`: a constant, unless it is a type's name alone. */
static void settle_alias(TSNode node, Kind kind)
{
    uint32_t start = ts_node_start_byte(node);
    TSNode holder = kind == IMPORT_REQUIRE ? child_of(children(node), IMPORT_REQUIRE)->node : node;
    if (!names_have(&used, local_name(holder, false))) {
        erase_statement(start, ts_node_end_byte(node));
        return;
    }
    static const char word[] = "const";
    blank(start, start + sizeof word); /* as long as `import` */
    for (uint32_t index = 0; index + 1 < sizeof word; index++)
        put(start + index, word[index]);
    if (kind == IMPORT_ALIAS) { /* uses the first of the names after the sign */
        Children list = children(node);
        TSNode target = child_of(list, SIGN_EQUALS)[1].node;
        while (ts_node_child_count(target))
            target = ts_node_child(target, 0);
        use_name(text_of(target));
    }
}

bool enter_export(TSNode node)
{
    uint32_t start = ts_node_start_byte(node), end = ts_node_end_byte(node);
    Children list = children(node);
    if (list.count > 1 && (list.items[1].kind == SIGN_STAR || list.items[1].kind == NAMESPACE_EXPORT)) { /* `export type *`, see `parse` */
        bool lines;
        if (after_gap(start + strlen("export"), &lines) < list.items[1].start)
            erase_statement(start, end);
        return false;
    }
    for (uint32_t index = 0; index < list.count; index++) {
        const Child *each = &list.items[index];
        switch (each->kind) {
        case INTERFACE: case TYPE_ALIAS: {
            declare_type(each->node);
            erase_statement(start, end);
            return false;
        }
        case WORD_TYPE: case AMBIENT: case FUNCTION_SIGNATURE: case WORD_NAMESPACE:
            erase_statement(start, end);
            return false;
        case SIGN_EQUALS:
            cut(start, each->start);
            insert(start, "module.exports ");
            return true;
        case INTERNAL_MODULE: case MODULE:
            if (is_type_namespace(each->node)) {
                erase_statement(start, end);
                return false;
            }
            goto values;
        case EXPORT_CLAUSE:
            settle_later(node, EXPORT);
            return false;
        case IDENTIFIER:
            settle_later(node, WORD_DEFAULT);
            return false;
        default:
            break;
        }
    }
values:
    enter_namespace_export(node);
    return true;
}

/* Blanks an element of a list, and the comma that follows it. */
static void blank_element(uint32_t start, uint32_t end)
{
    bool lines;
    uint32_t next = after_gap(end, &lines);
    blank(start, next < request.length && request.source[next] == ',' ? next + 1 : end);
}

static bool is_used(Slice name) { return names_have(&used, name) || jsx_uses(name); }

static void settle_import(TSNode node)
{
    bool keeps_all = request.flags & VERBATIM_IMPORTS;
    TSNode clause = child_of(children(node), IMPORT_CLAUSE)->node;
    uint32_t count = ts_node_named_child_count(clause), kept = 0;
    for (uint32_t index = 0; index < count; index++) {
        TSNode child = ts_node_named_child(clause, index);
        Slice text = text_of(child);
        Kind kind = kind_of(child);
        if (kind == IDENTIFIER) {
            if (keeps_all || is_used(text))
                kept++;
            else
                blank_element(text.start, text.start + text.length);
        } else if (kind == NAMESPACE_IMPORT) {
            if (keeps_all || is_used(local_name(child, true)))
                kept++;
            else
                blank(text.start, text.start + text.length);
        } else if (kind == NAMED_IMPORTS) {
            uint32_t specifiers = ts_node_named_child_count(child), left = 0;
            for (uint32_t each = 0; each < specifiers; each++) {
                TSNode specifier = ts_node_named_child(child, each);
                if (kind_of(specifier) != IMPORT_SPECIFIER)
                    continue;
                Slice whole = text_of(specifier);
                if (!is_type_only(specifier) && (keeps_all || is_used(local_name(specifier, true))))
                    left++;
                else
                    blank_element(whole.start, whole.start + whole.length);
            }
            if (left || keeps_all) {
                kept++;
            } else {
                blank(text.start, text.start + text.length);
                if (kept) { /* the comma after the default */
                    uint32_t comma = text.start;
                    while (request.source[comma] != ',')
                        comma--;
                    blank(comma, comma + 1);
                }
            }
        }
    }
    if (!kept)
        erase_statement(ts_node_start_byte(node), ts_node_end_byte(node));
}

static void settle_export(TSNode node)
{
    Children list = children(node);
    TSNode clause = child_of(list, EXPORT_CLAUSE)->node;
    bool is_local = !child_of(list, STRING);
    uint32_t count = ts_node_named_child_count(clause), erased = 0, kept = 0;
    for (uint32_t index = 0; index < count; index++) {
        TSNode specifier = ts_node_named_child(clause, index);
        if (kind_of(specifier) != EXPORT_SPECIFIER)
            continue;
        Slice text = text_of(specifier), name = local_name(specifier, false);
        if (is_type_only(specifier) || (is_local && names_have(&types, name) && !names_have(&used, name))) {
            blank_element(text.start, text.start + text.length);
            erased++;
        } else {
            kept++;
            if (is_local)
                use_name(name);
        }
    }
    if (erased && !kept && !is_local && !(request.flags & VERBATIM_IMPORTS))
        erase_statement(ts_node_start_byte(node), ts_node_end_byte(node));
}

void settle_modules(void)
{
    for (uint32_t index = 0; index < pending_count; index++) {
        TSNode node = pending[index].node;
        if (pending[index].kind == EXPORT) {
            settle_export(node);
        } else if (pending[index].kind == WORD_DEFAULT) {
            Slice name = text_of(child_of(children(node), IDENTIFIER)->node);
            if (names_have(&types, name) && !names_have(&used, name))
                erase_statement(ts_node_start_byte(node), ts_node_end_byte(node));
            else
                use_name(name);
        }
    }
    for (uint32_t index = pending_count; index-- > 0;) /* one may use another */
        if (pending[index].kind == IMPORT_ALIAS || pending[index].kind == IMPORT_REQUIRE)
            settle_alias(pending[index].node, pending[index].kind);
    for (uint32_t index = 0; index < pending_count; index++)
        if (pending[index].kind == IMPORT)
            settle_import(pending[index].node);
}
