/* SPDX-License-Identifier: Apache-2.0
 *
 * The types of a file, found by going through it until nothing changes: a local goes from "nothing seen" to a
 * type to "unsure", never back, so it ends.
 */
#include "language/types.h"
#include <string.h>

#define ROUNDS_MAX 100

/* Marks of a FUNCTION: its local or its noun is known; how often its local is named, and how many of these
 * are calls or fields of nouns. */
#define OWNED     0x80000000u
#define NAMED     1u
#define CALLED    0x8000u
#define COUNT_MAX 0x7fffu

static uint32_t named_count(const struct at_node *function) {
    return function->mark & COUNT_MAX;
}
static uint32_t called_count(const struct at_node *function) {
    return function->mark / CALLED & COUNT_MAX;
}

bool types_know_function(const struct at_node *function) {
    return function->mark & OWNED && named_count(function) == called_count(function) &&
           named_count(function) < COUNT_MAX;
}

/* ---- types as texts ---- */

const struct at_owner *type_owner(uint32_t type) {
    return type > TYPE_UNSURE && type % 2 == 0 ? at_vocabulary() + type / 2 : NULL;
}

static uint32_t type_of_owner(const struct at_owner *owner, bool is_list) {
    return owner ? (uint32_t)(owner - at_vocabulary()) * 2 + is_list : TYPE_UNSURE;
}

static uint32_t type_of_text(struct at_text text) {
    bool is_list;
    struct at_text plain = at_type_plain(text, &is_list);
    return type_of_owner(plain.length ? at_owner_of(plain) : NULL, is_list);
}

const struct at_owner *table_owner(struct at_text type) {
    const struct at_owner *owner = type_owner(type_of_text(type));
    return owner && owner->kind == AT_OWNER_TABLE ? owner : NULL;
}

static uint32_t type_named(const char *class_name) {
    return type_of_owner(at_owner_of(at_text_of(class_name)), false);
}

/* ---- types of expressions ---- */

static const struct at_word *global_word(const struct at_node *node) {
    return node->kind == AT_NODE_NAME && !node->binding ? at_word_of(at_vocabulary(), node->text) : NULL;
}

static uint32_t type_of_attribute(const struct typing *typing, struct at_text name) {
    int attribute = typing->root ? at_root_attribute(typing->root, name.data, name.length) : -1;
    if (attribute < 0) return TYPE_UNSURE;
    switch (at_root_attribute_at(typing->root, attribute)->kind) {
    case AT_ATTRIBUTE_TEXT: return type_named("string");
    case AT_ATTRIBUTE_BOOL: return type_named("boolean");
    case AT_ATTRIBUTE_LIST: return type_named("List");
    default: return type_named("number");
    }
}

static const struct at_word *word_asked(const struct typing *typing, const struct at_node *object,
                                        struct at_text name) {
    const struct at_owner *owner = type_owner(type_of(typing, object));
    return owner ? at_word_of(owner, name) : NULL;
}

static uint32_t type_of_name(const struct typing *typing, const struct at_owner *owner, struct at_text name) {
    const struct at_word *word = at_word_of(owner, name);
    if (word) return word->kind == AT_WORD_FIELD ? type_of_text(at_text_of(word->type)) : TYPE_UNSURE;
    bool is_attribute = strcmp(owner->class_name, "Product") == 0;
    if (is_attribute) return type_of_attribute(typing, name);
    return owner->rest ? type_of_text(at_text_of(owner->rest)) : TYPE_UNSURE;
}

static uint32_t type_of_index(const struct typing *typing, const struct at_node *node) {
    uint32_t whole = type_of(typing, node->a);
    bool is_name = node->b->kind == AT_NODE_STRING;
    const struct at_owner *owner = type_owner(whole);
    if (whole <= TYPE_UNSURE) return whole;
    if (!owner) return is_name ? TYPE_UNSURE : whole - 1;
    if (is_name) return type_of_name(typing, owner, node->b->text);
    return owner->rest ? type_of_text(at_text_of(owner->rest)) : TYPE_UNSURE;
}

static uint32_t type_of_binary(const struct typing *typing, const struct at_node *node) {
    if (at_text_is(node->text, "and")) return type_of(typing, node->b);
    if (at_text_is(node->text, "or")) {
        uint32_t a = type_of(typing, node->a), b = type_of(typing, node->b);
        return a == b || b == TYPE_NONE ? a : a == TYPE_NONE ? b : TYPE_UNSURE;
    }
    if (at_text_is(node->text, "..")) return type_named("string");
    bool is_comparison = memchr("<>=~", node->text.data[0], 4) && node->text.length <= 2 &&
                         !at_text_is(node->text, "~") && !at_text_is(node->text, "<<") &&
                         !at_text_is(node->text, ">>");
    return type_named(is_comparison ? "boolean" : "number");
}

uint32_t type_of(const struct typing *typing, const struct at_node *node) {
    const struct at_word *word;
    switch (node->kind) {
    case AT_NODE_NAME:
        if (node->binding) return node->binding->mark;
        word = global_word(node);
        return word && word->kind == AT_WORD_LIBRARY ? type_of_text(at_text_of(word->type)) : TYPE_UNSURE;
    case AT_NODE_INDEX: return type_of_index(typing, node);
    case AT_NODE_CALL:
    case AT_NODE_METHOD: return type_of_text(at_type_result(signature_of(typing, node)));
    case AT_NODE_BINARY: return type_of_binary(typing, node);
    case AT_NODE_PAREN: return type_of(typing, node->a);
    case AT_NODE_NUMBER: return type_named("number");
    case AT_NODE_STRING: return type_named("string");
    case AT_NODE_TRUE:
    case AT_NODE_FALSE: return type_named("boolean");
    default: return TYPE_UNSURE;
    }
}

struct at_text signature_of(const struct typing *typing, const struct at_node *call) {
    const struct at_word *word = NULL;
    const struct at_node *callee = call->a;
    if (call->kind == AT_NODE_METHOD)
        word = word_asked(typing, call->a, call->text);
    else if (callee->kind == AT_NODE_CALL)
        return at_type_result(signature_of(typing, callee));
    else if (callee->kind == AT_NODE_INDEX && callee->b->kind == AT_NODE_STRING)
        word = word_asked(typing, callee->a, callee->b->text);
    else
        word = global_word(callee);
    bool is_asked_right = word && (call->kind == AT_NODE_METHOD) == (word->kind == AT_WORD_METHOD);
    return is_asked_right && word->type ? at_text_of(word->type) : (struct at_text){"", 0};
}

struct at_text field_name(const struct at_node *field) {
    bool is_written = field->a && (field->is_dot || field->a->kind == AT_NODE_STRING);
    return is_written ? field->a->text : (struct at_text){"", 0};
}

/* ---- the functions of a noun's table ---- */

static struct at_node *function_of(const struct at_node *value) {
    if (value->kind == AT_NODE_FUNCTION) return (struct at_node *)(uintptr_t)value;
    return value->kind == AT_NODE_NAME && value->binding ? value->binding->value : NULL;
}

/* fn for each function that stands where the table's owner wants one. */
static void each_function(struct typing *typing, const struct at_owner *owner, const struct at_node *table,
                          void (*fn)(struct typing *, const struct at_node *value, struct at_text type)) {
    for (const struct at_node *field = table->list; field; field = field->next) {
        const struct at_word *word = at_word_of(owner, field_name(field));
        struct at_text type = word && word->type ? at_text_of(word->type) : (struct at_text){"", 0};
        const struct at_owner *inner = field->b->kind == AT_NODE_TABLE ? table_owner(type) : NULL;
        if (inner) each_function(typing, inner, field->b, fn);
        if (type.length > 4 && memcmp(type.data, "fun(", 4) == 0 && function_of(field->b))
            fn(typing, field->b, type);
    }
}

static void each_noun_function(struct typing *typing, const struct at_node *call,
                               void (*fn)(struct typing *, const struct at_node *, struct at_text)) {
    struct at_parameter parameter;
    const struct at_node *argument = call->list;
    struct at_text signature = argument ? signature_of(typing, call) : (struct at_text){"", 0};
    for (uint32_t i = 0; argument && at_type_parameter(signature, i, &parameter); i++) {
        const struct at_owner *owner = argument->kind == AT_NODE_TABLE ? table_owner(parameter.type) : NULL;
        if (owner) each_function(typing, owner, argument, fn);
        argument = argument->next;
    }
}

/* ---- before the first round ---- */

/* The parser leaves marks of its own. */
static bool reset(void *arg, struct at_node *node) {
    (void)arg;
    node->mark = 0;
    return true;
}

static void count(struct at_node *function, uint32_t what) {
    if (named_count(function) < COUNT_MAX && called_count(function) < COUNT_MAX) function->mark += what;
}

static void own(struct typing *typing, const struct at_node *value, struct at_text type) {
    struct at_node *function = function_of(value);
    (void)typing;
    (void)type;
    if (value->kind == AT_NODE_NAME)
        count(function, CALLED);
    else
        function->mark |= OWNED;
}

static const struct known_function *known_of(const struct typing *typing, const struct at_node *function) {
    for (uint32_t i = 0; i < typing->known_count; i++)
        if (typing->known[i].from == function->from) return &typing->known[i];
    return NULL;
}

static bool prepare(void *arg, struct at_node *node) {
    struct typing *typing = arg;
    if (node->kind == AT_NODE_LOCAL && node->value) node->value->mark |= OWNED;
    if (node->kind == AT_NODE_NAME && node->binding && node->binding->value)
        count(node->binding->value, NAMED);
    if (node->kind == AT_NODE_CALL && node->a->kind == AT_NODE_NAME && function_of(node->a))
        count(function_of(node->a), CALLED);
    if (node->kind == AT_NODE_FUNCTION_STATEMENT && node->is_local) count(node->b, CALLED); /* its own name */
    if (node->kind == AT_NODE_CALL) each_noun_function(typing, node, own);
    if (node->kind == AT_NODE_ASSIGN)
        for (struct at_node *target = node->list; target; target = target->next)
            if (target->kind == AT_NODE_NAME && target->binding) target->binding->mark = TYPE_UNSURE;
    if (node->kind == AT_NODE_FUNCTION_STATEMENT && !node->is_local && node->a->kind == AT_NODE_NAME &&
        node->a->binding)
        node->a->binding->mark = TYPE_UNSURE;
    return true;
}

/* ---- a round ---- */

static void meet(struct typing *typing, struct at_node *local, uint32_t type) {
    if (type == TYPE_NONE || local->mark == type || local->mark == TYPE_UNSURE) return;
    local->mark = local->mark == TYPE_NONE ? type : TYPE_UNSURE;
    typing->has_changed = true;
}

static void meet_values(struct typing *typing, struct at_node *local, const struct at_node *value) {
    for (; local; local = local->next) {
        meet(typing, local, value ? type_of(typing, value) : TYPE_UNSURE);
        value = value ? value->next : NULL;
    }
}

static void meet_signature(struct typing *typing, const struct at_node *value, struct at_text signature) {
    struct at_parameter wanted;
    struct at_node *local = function_of(value)->list;
    for (uint32_t i = 0; local; i++, local = local->next)
        meet(typing, local,
             at_type_parameter(signature, i, &wanted) ? type_of_text(wanted.type) : TYPE_UNSURE);
}

/* for i, item in ipairs(list): what the list is of. */
static void meet_loop(struct typing *typing, const struct at_node *loop) {
    const struct at_node *call = loop->list2;
    bool is_call = call->kind == AT_NODE_CALL && call->list && !call->a->binding && !call->next &&
                   (at_text_is(call->a->text, "ipairs") || at_text_is(call->a->text, "pairs")) &&
                   call->a->kind == AT_NODE_NAME;
    uint32_t whole = is_call ? type_of(typing, call->list) : TYPE_UNSURE;
    struct at_node *item = loop->list->next;
    meet(typing, loop->list, TYPE_UNSURE);
    if (!item) return;
    meet(typing, item, whole <= TYPE_UNSURE ? whole : whole % 2 ? whole - 1 : TYPE_UNSURE);
    for (item = item->next; item; item = item->next) meet(typing, item, TYPE_UNSURE);
}

static bool go(void *arg, struct at_node *node) {
    struct typing *typing = arg;
    struct at_node *helper = NULL;
    const struct known_function *known;
    switch (node->kind) {
    case AT_NODE_LOCALS: meet_values(typing, node->list, node->list2); break;
    case AT_NODE_FOR_NUMBER:
        if (node->list) meet(typing, node->list, type_named("number"));
        break;
    case AT_NODE_FOR_IN:
        if (node->list && node->list2) meet_loop(typing, node); /* else its head could not be read */
        break;
    case AT_NODE_CALL:
        helper = node->a->kind == AT_NODE_NAME ? function_of(node->a) : NULL;
        if (helper) meet_values(typing, helper->list, node->list);
        each_noun_function(typing, node, meet_signature);
        break;
    case AT_NODE_FUNCTION:
        known = known_of(typing, node);
        if (known) meet_signature(typing, node, known->signature);
        if (!known && !types_know_function(node)) meet_values(typing, node->list, NULL);
        break;
    default: break;
    }
    return true;
}

bool types_infer(struct typing *typing, struct at_node *block) {
    at_node_walk(block, reset, NULL);
    at_node_walk(block, prepare, typing);
    typing->has_changed = true;
    for (int round = 0; round < ROUNDS_MAX && typing->has_changed; round++) {
        typing->has_changed = false;
        at_node_walk(block, go, typing);
    }
    return !typing->has_changed;
}
