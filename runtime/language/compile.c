/* SPDX-License-Identifier: Apache-2.0
 *
 * Which values of a rule depend on the product, and whether all it does with them is of the subset that
 * compile_write.c can write with masks. What is not known to be harmless is refused: what a rule does is done
 * for products that would not come there alone, so nothing in it may have an effect.
 */
#include <stdio.h>
#include <string.h>
#include "language/compile_internal.h"

#define WORK_MAX   400000
#define DEPTH_MAX  400
#define ROUNDS_MAX 1000 /* of loops within loops */

bool compile_holds(const char *const *names, struct at_text name) {
    for (; *names; names++)
        if (at_text_is(name, *names)) return true;
    return false;
}

bool compile_is_tainted(const struct at_node *node) {
    return node->mark & COMPILE_TAINTED;
}

static void refuse(struct compile *c, const struct at_node *node, const char *advice) {
    if (c->refused && (c->refused->line < node->line ||
                       (c->refused->line == node->line && c->refused->column <= node->column)))
        return;
    c->refused = node;
    c->advice = advice;
}

static bool taint(struct compile *c, struct at_node *node, bool is_tainted) {
    if (!is_tainted || node->mark & COMPILE_TAINTED) return is_tainted;
    node->mark |= COMPILE_TAINTED;
    c->is_changed = true;
    return true;
}

/* ---- what stands outside ---- */

static bool is_within(const struct at_node *node, const struct at_node *outer) {
    return node->from >= outer->from && node->to <= outer->to;
}

static bool is_outside(const struct compile *c, const struct at_node *local) {
    return !is_within(local, c->inside);
}

/* The link of a local from outside; -1: there is no room, or two locals of one name. */
static int link_to(struct compile *c, const struct at_node *name) {
    const struct at_node *local = name->binding;
    for (uint32_t i = 0; i < c->link_count; i++) {
        if (c->linked[i] == local) return (int)i;
        if (at_text_is(local->text, c->links[i].name)) return refuse(c, name, ""), -1;
    }
    char *text = at_arena_dup(c->arena, local->text.data, local->text.length);
    if (!text) c->is_short = true;
    if (!text || c->link_count == AT_LINKS_MAX) return refuse(c, name, ""), -1;
    c->links[c->link_count] = (struct at_link){c->inside_link, text};
    c->linked[c->link_count] = local;
    return (int)c->link_count++;
}

static bool look_name(struct compile *c, struct at_node *node) {
    if (!node->binding) return refuse(c, node, ""), false; /* words are looked at where they are called */
    if (!is_outside(c, node->binding)) return compile_is_tainted(node->binding);
    if (node->binding->value) refuse(c, node, ""); /* a function that is passed on */
    link_to(c, node);
    return false;
}

/* ---- calls ---- */

static bool look_list(struct compile *c, struct at_node *list) {
    bool result = false;
    for (; list; list = list->next) result |= compile_look(c, list);
    return result;
}

struct at_text compile_math_name(const struct at_node *call) {
    const struct at_node *callee = call->kind == AT_NODE_CALL ? call->a : call;
    bool is_math = callee->kind == AT_NODE_INDEX && callee->is_dot && callee->a->kind == AT_NODE_NAME &&
                   !callee->a->binding && at_text_is(callee->a->text, "math");
    return is_math ? callee->b->text : (struct at_text){"", 0};
}

bool compile_is_math_primitive(struct at_text name) {
    static const char *const names[] = {"floor", "ceil", "abs", "sqrt", "log", "max", "min", NULL};
    return compile_holds(names, name);
}

/* Pure functions of Lua, of values that no product decides. */
static bool is_pure(const struct at_node *callee) {
    static const char *const names[] = {"tostring", "tonumber", "type",  "ipairs", "seconds", "minutes",
                                        "hours",    "days",     "weeks", "now",    NULL};
    static const char *const texts[] = {"format", "lower",   "upper", "sub",  "len",
                                        "find",   "reverse", "byte",  "char", NULL};
    if (callee->kind == AT_NODE_NAME) return !callee->binding && compile_holds(names, callee->text);
    return callee->kind == AT_NODE_INDEX && callee->is_dot && callee->a->kind == AT_NODE_NAME &&
           !callee->a->binding && at_text_is(callee->a->text, "string") &&
           compile_holds(texts, callee->b->text);
}

static bool look_helper(struct compile *c, struct at_node *call);

static bool look_math(struct compile *c, struct at_node *node, struct at_text name) {
    bool is_tainted = look_list(c, node->list);
    bool is_one = node->list && !node->list->next;
    bool takes_columns =
        compile_is_math_primitive(name) && (is_one || at_text_is(name, "max") || at_text_is(name, "min"));
    if (is_tainted && !takes_columns)
        refuse(c, node, "of products' values math has floor, ceil, abs, sqrt, log, max and min");
    return is_tainted;
}

static bool look_call(struct compile *c, struct at_node *node) {
    const struct at_node *callee = node->a;
    struct at_text math = compile_math_name(node);
    if (math.length) return look_math(c, node, math);
    bool is_word =
        callee->kind == AT_NODE_NAME && !callee->binding && compile_holds(c->vocabulary->words, callee->text);
    if (is_word && (at_text_is(callee->text, "normalize") || at_text_is(callee->text, "rank_of")))
        refuse(c, node, "normalize and rank_of look at all products: keep them out of rules with if");
    if (is_word) return look_list(c, node->list);
    if (is_pure(callee)) {
        if (look_list(c, node->list)) refuse(c, node, "");
        return false;
    }
    return look_helper(c, node);
}

static bool look_method(struct compile *c, struct at_node *node) {
    bool is_tainted = compile_look(c, node->a);
    is_tainted |= look_list(c, node->list);
    if (compile_holds(c->vocabulary->methods, node->text)) return is_tainted;
    const struct at_node *holder = node->a;
    while (holder->kind == AT_NODE_INDEX || holder->kind == AT_NODE_PAREN) holder = holder->a;
    bool is_ours = holder->kind == AT_NODE_NAME && holder->binding && is_outside(c, holder->binding);
    if (is_tainted || is_ours) refuse(c, node, "");
    return is_tainted;
}

/* ---- functions of the file ---- */

/* Whether a block surely ends with a return, so that the function gives one value. */
static bool surely_returns(const struct at_node *block) {
    const struct at_node *last = block ? block->list : NULL;
    while (last && last->next) last = last->next;
    if (!last) return false;
    if (last->kind == AT_NODE_DO) return surely_returns(last->body);
    if (last->kind != AT_NODE_IF) return last->kind == AT_NODE_RETURN;
    for (; last && last->kind == AT_NODE_IF; last = last->else_part)
        if (!surely_returns(last->body)) return false;
    return surely_returns(last);
}

static void look_block(struct compile *c, struct at_node *block);

static void enter(struct compile *c, struct at_node *function, int link) {
    struct compile outer = *c;
    function->mark |= COMPILE_ENTERED;
    c->inside = function;
    c->inside_link = link;
    c->branch = c->break_branch = NULL;
    c->in_list = false;
    look_block(c, function->body);
    function->mark &= ~(uint32_t)COMPILE_ENTERED;
    c->inside = outer.inside;
    c->inside_link = outer.inside_link;
    c->branch = outer.branch;
    c->break_branch = outer.break_branch;
    c->in_list = outer.in_list;
    c->rounds = outer.rounds;
}

static struct at_node *helper_of(const struct compile *c, const struct at_node *call) {
    struct at_node *local = call->a->kind == AT_NODE_NAME ? call->a->binding : NULL;
    struct at_node *function = local ? local->value : NULL;
    bool is_known = function && is_outside(c, local) && !is_within(c->rule, function) &&
                    !is_within(function, c->rule) && !function->is_vararg && !local->function &&
                    surely_returns(function->body);
    return is_known ? function : NULL;
}

static bool list_function(struct compile *c, struct at_node *function, struct at_node *local) {
    if (function->mark & COMPILE_LISTED) return true;
    if (c->function_count == COMPILE_FUNCTIONS_MAX) return false;
    function->mark |= COMPILE_LISTED;
    c->names[c->function_count] = local;
    c->functions[c->function_count++] = function;
    return true;
}

static bool look_helper(struct compile *c, struct at_node *call) {
    struct at_node *function = helper_of(c, call), *parameter = function ? function->list : NULL;
    if (!function || function->mark & COMPILE_ENTERED || !list_function(c, function, call->a->binding)) {
        look_list(c, call->list);
        refuse(c, call, "");
        return false;
    }
    int link = link_to(c, call->a);
    bool is_tainted = false, last = false;
    for (struct at_node *argument = call->list; argument; argument = argument->next) {
        last = compile_look(c, argument);
        is_tainted |= last;
        if (parameter) taint(c, parameter, last), parameter = parameter->next;
    }
    for (; parameter; parameter = parameter->next) taint(c, parameter, last);
    enter(c, function, link);
    return is_tainted || compile_is_tainted(function);
}

/* ---- expressions ---- */

static bool look_index(struct compile *c, struct at_node *node) {
    if (compile_math_name(node).length) return false; /* math.huge */
    bool by_object = compile_look(c, node->a), by_key = compile_look(c, node->b);
    bool is_id =
        by_object && node->is_dot && node->a->kind == AT_NODE_NAME && at_text_is(node->b->text, "id");
    if (is_id) refuse(c, node, "every product has its own id: ask for an attribute instead");
    if (by_object && !node->is_dot && node->b->kind != AT_NODE_STRING) refuse(c, node, "");
    return by_object || by_key;
}

static bool look_binary(struct compile *c, struct at_node *node) {
    bool is_tainted = compile_look(c, node->a);
    is_tainted |= compile_look(c, node->b);
    static const char *const signs[] = {"+",  "-", "*",  "/",  "^",  "//",  "%",  "<",
                                        "<=", ">", ">=", "==", "~=", "and", "or", NULL};
    if (is_tainted && !compile_holds(signs, node->text)) refuse(c, node, "");
    return is_tainted;
}

static bool look_table(struct compile *c, struct at_node *node) {
    bool is_tainted = false;
    for (struct at_node *field = node->list; field; field = field->next) {
        if (field->a) is_tainted |= compile_look(c, field->a);
        is_tainted |= compile_look(c, field->b);
    }
    if (is_tainted) refuse(c, node, "keep it in locals instead of a table");
    return false;
}

static bool look_kind(struct compile *c, struct at_node *node) {
    switch (node->kind) {
    case AT_NODE_NIL:
    case AT_NODE_TRUE:
    case AT_NODE_FALSE:
    case AT_NODE_NUMBER:
    case AT_NODE_STRING: return false;
    case AT_NODE_NAME: return look_name(c, node);
    case AT_NODE_INDEX: return look_index(c, node);
    case AT_NODE_CALL: return look_call(c, node);
    case AT_NODE_METHOD: return look_method(c, node);
    case AT_NODE_BINARY: return look_binary(c, node);
    case AT_NODE_PAREN: return compile_look(c, node->a);
    case AT_NODE_TABLE: return look_table(c, node);
    case AT_NODE_UNARY: {
        bool is_tainted = compile_look(c, node->a);
        if (is_tainted && !at_text_is(node->text, "-") && !at_text_is(node->text, "not"))
            refuse(c, node,
                   at_text_is(node->text, "#") ? "ask :contains, or keep the count as an attribute" : "");
        return is_tainted;
    }
    default: refuse(c, node, ""); return false;
    }
}

bool compile_look(struct compile *c, struct at_node *node) {
    if (++c->work > WORK_MAX || c->depth >= DEPTH_MAX) {
        refuse(c, node, "the rule is too long to compile: write a shorter one");
        return false;
    }
    c->depth++;
    bool is_tainted = look_kind(c, node);
    c->depth--;
    return taint(c, node, is_tainted);
}

/* ---- statements ---- */

static void look_values(struct compile *c, struct at_node *targets, struct at_node *value,
                        bool is_assignment) {
    bool last = false, is_several = false; /* the last value is a call, which may give several */
    for (struct at_node *target = targets; target; target = target->next) {
        if (value) {
            last = compile_look(c, value);
            is_several = !value->next && (value->kind == AT_NODE_CALL || value->kind == AT_NODE_METHOD);
            value = value->next;
        } else if (!is_several)
            last = false;
        struct at_node *local = is_assignment ? target->binding : target;
        bool by_branch = c->branch && local->from < c->branch->from;
        taint(c, local, last || by_branch);
    }
    look_list(c, value);
}

static void look_locals(struct compile *c, struct at_node *node) {
    for (const struct at_node *local = node->list; local; local = local->next)
        if (at_text_is(local->text2, "close")) refuse(c, node, "");
    look_values(c, node->list, node->list2, false);
}

static void look_assign(struct compile *c, struct at_node *node) {
    for (const struct at_node *target = node->list; target; target = target->next) {
        bool is_own = target->kind == AT_NODE_NAME && target->binding && !is_outside(c, target->binding);
        if (!is_own) {
            refuse(c, node, "keep it in a local instead of a table");
            return;
        }
    }
    look_values(c, node->list, node->list2, true);
}

static void look_if(struct compile *c, struct at_node *node) {
    const struct at_node *outer = c->branch;
    if (taint(c, node, compile_look(c, node->a))) c->branch = node;
    look_block(c, node->body);
    if (node->else_part && node->else_part->kind == AT_NODE_IF)
        look_if(c, node->else_part);
    else
        look_block(c, node->else_part);
    c->branch = outer;
}

/* How often a loop of literal bounds runs; 0: not known, or too often. What runs for products that would not
 * come there may not take their time. */
static uint32_t rounds_of(const struct at_node *loop) {
    const struct at_node *from = loop->list2, *to = from->next, *step = to->next;
    double by = step ? step->number : 1;
    bool is_literal =
        from->kind == AT_NODE_NUMBER && to->kind == AT_NODE_NUMBER && (!step || step->kind == AT_NODE_NUMBER);
    double rounds = is_literal && by > 0 ? (to->number - from->number) / by + 1 : 0;
    return rounds >= 1 && rounds <= ROUNDS_MAX ? (uint32_t)rounds : 0;
}

static void look_loop(struct compile *c, struct at_node *node) {
    const struct at_node *outer = c->break_branch;
    uint32_t outer_rounds = c->rounds, rounds = node->kind == AT_NODE_FOR_NUMBER ? rounds_of(node) : 0;
    bool was_in_list = c->in_list, is_list = node->kind == AT_NODE_FOR_IN, is_tainted = false;
    for (struct at_node *value = node->list2; value; value = value->next)
        is_tainted |= compile_look(c, value);
    c->rounds *= is_list ? 1 : rounds;
    if (is_tainted || !c->rounds || c->rounds > ROUNDS_MAX)
        refuse(c, node, "a loop in such a rule has constant bounds: for i = 1, 3 do");
    c->break_branch = c->branch;
    c->in_list |= is_list;
    look_block(c, node->body);
    c->rounds = outer_rounds;
    c->break_branch = outer;
    c->in_list = was_in_list;
}

static void look_return(struct compile *c, struct at_node *node) {
    struct at_node *function = c->inside;
    if (look_list(c, node->list) || c->branch) taint(c, function, true);
    bool is_single = node->list ? !node->list->next : function == c->rule;
    if (!is_single) refuse(c, node, "return one value");
    if (!c->branch || function->mark & COMPILE_RETURNS) return;
    if (c->in_list) refuse(c, node, "");
    function->mark |= COMPILE_RETURNS;
    c->is_changed = true;
}

static void look_statement(struct compile *c, struct at_node *node) {
    c->work++;
    switch (node->kind) {
    case AT_NODE_LOCALS: look_locals(c, node); break;
    case AT_NODE_ASSIGN: look_assign(c, node); break;
    case AT_NODE_DO: look_block(c, node->body); break;
    case AT_NODE_IF: look_if(c, node); break;
    case AT_NODE_FOR_NUMBER:
    case AT_NODE_FOR_IN: look_loop(c, node); break;
    case AT_NODE_RETURN: look_return(c, node); break;
    case AT_NODE_BREAK:
        if (c->branch != c->break_branch) refuse(c, node, "");
        break;
    default: refuse(c, node, ""); /* while, functions within the rule, calls for their effect, goto */
    }
}

static void look_block(struct compile *c, struct at_node *block) {
    if (c->depth >= DEPTH_MAX) return refuse(c, block ? block : c->rule, "");
    c->depth++;
    for (struct at_node *node = block ? block->list : NULL; node && c->work <= WORK_MAX; node = node->next)
        look_statement(c, node);
    c->depth--;
}

/* ---- one rule ---- */

static bool find_global(void *arg, struct at_node *node) {
    struct compile *c = arg;
    if (node->kind != AT_NODE_NAME || node->binding) return true;
    bool is_closed = compile_holds(c->vocabulary->words, node->text) || at_text_is(node->text, "math");
    c->is_closed &= is_closed;
    for (uint32_t i = 0; i < c->link_count; i++) /* a word here, a function's name there */
        if (at_text_is(node->text, c->links[i].name)) refuse(c, node, "");
    return true;
}

static bool clear_mark(void *arg, struct at_node *node) {
    (void)arg;
    node->mark = 0;
    return true;
}

static void look_rule(struct compile *c, struct at_node *file) {
    at_node_walk(file, clear_mark, NULL);
    c->rule->list->mark = COMPILE_TAINTED;
    do {
        c->is_changed = false;
        c->refused = NULL;
        enter(c, c->rule, -1);
    } while (c->is_changed && c->work <= WORK_MAX);
    for (uint32_t i = 0; i < c->function_count; i++) at_node_walk(c->functions[i]->body, find_global, c);
    at_node_walk(c->rule->body, find_global, c);
    if (c->rule->is_vararg) refuse(c, c->rule, "name the product: function(product)");
}

static void tell_refused(const struct compile *c, struct at_rule_report *report) {
    const struct at_node *node = c->refused;
    report->line = node->line;
    report->column = node->column;
    report->text =
        (struct at_text){c->source.data + node->from, node->to > node->from ? node->to - node->from : 0};
    if (report->text.length > 80) report->text.length = 80;
    const char *end = memchr(report->text.data, '\n', report->text.length);
    if (end) report->text.length = (size_t)(end - report->text.data);
    snprintf(report->advice, sizeof report->advice, "%s", c->advice);
}

enum at_status at_rule_compile(struct at_arena *arena, struct at_text source, struct at_node *file,
                               struct at_node *function, const struct at_vocabulary *vocabulary,
                               struct at_rule_report *report) {
    report->compiled = NULL;
    if (!function->list || memmem(source.data, source.length, "__at_", 5)) return AT_OK;
    struct compile *c = at_arena_zalloc(arena, sizeof *c);
    struct at_compiled *compiled = at_arena_zalloc(arena, sizeof *compiled);
    if (!c || !compiled) return AT_NOMEM;
    *c = (struct compile){
        .arena = arena, .source = source, .vocabulary = vocabulary, .rule = function, .rounds = 1};
    c->is_closed = true;
    look_rule(c, file);
    if (c->is_short) return AT_NOMEM;
    if (c->refused) return tell_refused(c, report), AT_OK;
    enum at_status status = compile_write(c, compiled);
    if (status == AT_OK && c->refused)
        tell_refused(c, report);
    else if (status == AT_OK)
        report->compiled = compiled;
    return status;
}
