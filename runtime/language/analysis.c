/* SPDX-License-Identifier: Apache-2.0
 *
 * Which values of a rule depend on the product, by following locals until nothing changes; then whether
 * anything looks at such a value in a way that only one product at a time can answer. What is not known to be
 * harmless is not.
 */
#include "language/analysis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 20000 /* of looking for terms: locals can refer to each other in very many ways */
#define TERMS_MAX 256   /* twice what an explanation shows (explain.c) */
#define WORK_MAX                                                                                             \
    4000000                /* places looked at, for the verdict and again for the terms: a tenth of a second \
                            */
#define DEPTH_MAX 4000     /* expressions within expressions, also of the functions called: the C stack */
#define VISITED   0x10000u /* + the pass: mark of a FUNCTION whose body was looked at in this pass */
#define FOLLOWED  0x80000000u /* of a FUNCTION or LOCAL whose terms are being looked for */

enum {                   /* marks of a LOCAL */
       MARK_PRODUCT = 1, /* depends on the product */
       MARK_SEVERAL = 2, /* assigned more than once */
       MARK_OTHER = 4,   /* a parameter that gets something else than the customer */
};

struct analysis {
    struct at_arena *arena;
    struct at_text source;
    const struct at_vocabulary *vocabulary;
    struct at_node *root;         /* the rule */
    const struct at_node *inside; /* the function whose body is being looked at: the rule, or one it calls */
    struct at_rule_report *report;
    bool is_changed, is_checking, is_short;
    uint32_t pass, work, depth;
};

static bool depends(struct analysis *a, struct at_node *node);
static bool visit_list(struct analysis *a, struct at_node *list);
static bool visit_block(struct analysis *a, struct at_node *block);

static bool holds(const char *const *names, struct at_text name) {
    for (; *names; names++)
        if (at_text_is(name, *names)) return true;
    return false;
}

static struct at_text text_of(const struct analysis *a, const struct at_node *node) {
    return (struct at_text){a->source.data + node->from, node->to > node->from ? node->to - node->from : 0};
}

/* The first place that prevents columns is the one that is told. */
static void prevent(struct analysis *a, const struct at_node *node, const char *advice) {
    struct at_rule_report *report = a->report;
    if (!a->is_checking || (report->line && (report->line < node->line ||
                                             (report->line == node->line && report->column <= node->column))))
        return;
    report->is_columnar = false;
    report->line = node->line;
    report->column = node->column;
    report->text = text_of(a, node);
    if (report->text.length > 80) report->text.length = 80;
    const char *end = memchr(report->text.data, '\n', report->text.length);
    if (end) report->text.length = (size_t)(end - report->text.data);
    snprintf(report->advice, sizeof report->advice, "%s", advice);
}

static void mark(struct analysis *a, struct at_node *local, uint32_t bits) {
    if (!local || (local->mark & bits) == bits) return;
    local->mark |= bits;
    a->is_changed = true;
}

/* A function made inside a rule: what it does with values of the product is not followed. */
struct mention {
    const struct at_node *function;
    bool found;
    uint32_t work;
};
static bool find_mention(void *arg, struct at_node *node) {
    struct mention *mention = arg;
    mention->work++;
    const struct at_node *local = node->kind == AT_NODE_NAME ? node->binding : NULL;
    if (!local || !(local->mark & MARK_PRODUCT)) return !mention->found;
    bool is_own =
        local->from > mention->function->from && local->to <= mention->function->to; /* told by calls */
    mention->found |= !is_own;
    return !mention->found;
}
static bool mentions(struct analysis *a, struct at_node *function) {
    struct mention mention = {function, false, 0};
    at_node_walk(function->body, find_mention, &mention);
    a->work += mention.work;
    return mention.found;
}

/* ---- the functions it calls ---- */

static bool is_within(const struct at_node *node, const struct at_node *outer) {
    return node->from >= outer->from && node->to <= outer->to;
}

/* The function a call surely enters; NULL: not known. One that holds the rule itself is not followed: what
 * the rule's own parameters are would no longer be sure. */
static struct at_node *function_called(const struct analysis *a, const struct at_node *call) {
    const struct at_node *local =
        call->kind == AT_NODE_CALL && call->a->kind == AT_NODE_NAME ? call->a->binding : NULL;
    struct at_node *function = local ? local->value : NULL;
    return function && !is_within(a->root, function) ? function : NULL;
}

static bool is_parameter(const struct at_node *local) {
    const struct at_node *parameter = local->function ? local->function->list : NULL;
    while (parameter && parameter != local) parameter = parameter->next;
    return parameter != NULL;
}

/* Surely the customer the rule was given: its own parameter, or one that every call of a helper fills so. */
static bool is_customer(const struct analysis *a, const struct at_node *node) {
    const struct at_node *local = node->kind == AT_NODE_NAME ? node->binding : NULL;
    if (!local || local->mark & (MARK_SEVERAL | MARK_OTHER) || !local->function) return false;
    if (local->function == a->root) return local == a->root->list->next;
    return (local->function->mark & ~FOLLOWED) == VISITED + a->pass && is_parameter(local);
}

/* Each argument once: calls within calls would double the work with every level. The last may give several
 * values. */
static bool visit_arguments(struct analysis *a, struct at_node *argument, struct at_node *parameter) {
    bool result = false, by_it = false;
    for (; argument; argument = argument->next) {
        by_it = depends(a, argument);
        result |= by_it;
        if (!parameter) continue;
        mark(a, parameter, (by_it ? MARK_PRODUCT : 0u) | (is_customer(a, argument) ? 0u : MARK_OTHER));
        parameter = parameter->next;
    }
    for (; parameter; parameter = parameter->next)
        mark(a, parameter, MARK_OTHER | (by_it ? MARK_PRODUCT : 0u));
    return result;
}

/* Its body is looked at like the rule's own, once a pass: what it does with values of the product, and to
 * what outlives the call. */
static void visit_function(struct analysis *a, struct at_node *function) {
    if ((function->mark & ~FOLLOWED) == VISITED + a->pass) return;
    const struct at_node *caller = a->inside;
    function->mark = (function->mark & FOLLOWED) | (VISITED + a->pass);
    a->inside = function;
    visit_block(a, function->body);
    a->inside = caller;
}

/* ---- expressions: true if the value depends on the product ---- */

static bool depends_binary(struct analysis *a, struct at_node *node) {
    bool left = depends(a, node->a), right = depends(a, node->b);
    struct at_text sign = node->text;
    if (!left && !right) return false;
    if (at_text_is(sign, "and") || at_text_is(sign, "or")) {
        if (left)
            prevent(a, node,
                    at_text_is(sign, "or")
                        ? "write any(a, b) for conditions, :or_else(value) for what may be missing"
                        : "write all(a, b)");
        return true;
    }
    if (strchr("<>", sign.data[0]) || at_text_is(sign, "==") || at_text_is(sign, "~=")) {
        bool is_shift = at_text_is(sign, "<<") || at_text_is(sign, ">>");
        prevent(
            a, node,
            is_shift
                ? ""
                : "write :above :below :at_least :at_most :is or :is_not, as in product.price:above(100)");
        return true;
    }
    if (sign.length != 1 || !strchr("+-*/^", sign.data[0])) prevent(a, node, "");
    return true;
}

/* Surely a number, a text or nil, whose methods are the words: a literal, what customer and page hold, what
 * the customer is asked (customer:last gives an event: of that a field). */
static bool is_plain(const struct analysis *a, const struct at_node *node) {
    while (node->kind == AT_NODE_PAREN) node = node->a;
    if (node->kind == AT_NODE_NUMBER || node->kind == AT_NODE_STRING) return true;
    bool is_field = node->kind == AT_NODE_INDEX;
    while (node->kind == AT_NODE_INDEX) node = node->a;
    if (node->kind == AT_NODE_METHOD)
        return is_customer(a, node->a) && (is_field || !at_text_is(node->text, "last"));
    if (!is_field || node->kind != AT_NODE_NAME || !node->binding || node->binding->mark & MARK_SEVERAL)
        return false;
    if (is_customer(a, node)) return true;
    for (const struct at_node *parameter = a->root->list->next; parameter; parameter = parameter->next)
        if (parameter == node->binding) return true;
    return false;
}

static bool depends_call(struct analysis *a, struct at_node *node) {
    struct at_node *function = function_called(a, node);
    bool by_arguments = visit_arguments(a, node->list, function ? function->list : NULL);
    if (node->kind == AT_NODE_METHOD) {
        bool by_object = depends(a, node->a);
        bool is_method = holds(a->vocabulary->methods, node->text) && (by_object || is_plain(a, node->a));
        if ((by_object || by_arguments) && !is_method) prevent(a, node, "");
        return by_object || by_arguments;
    }
    bool by_function = depends(a, node->a);
    if (function) visit_function(a, function);
    bool is_word =
        node->a->kind == AT_NODE_NAME && !node->a->binding && holds(a->vocabulary->words, node->a->text);
    bool is_followed = function && !function->is_vararg;
    if (by_function || (by_arguments && !is_word && !is_followed)) prevent(a, node, "");
    return by_function || by_arguments;
}

/* customer.affinity.brand: the one table that answers for a whole column of keys. */
static bool is_affinity(const struct analysis *a, const struct at_node *node) {
    const struct at_node *affinity = node->kind == AT_NODE_INDEX ? node->a : NULL;
    if (!affinity || affinity->kind != AT_NODE_INDEX || !at_text_is(affinity->b->text, "affinity"))
        return false;
    return node->is_dot && affinity->is_dot && is_customer(a, affinity->a);
}

static bool depends_index(struct analysis *a, struct at_node *node) {
    bool by_object = depends(a, node->a), by_key = depends(a, node->b);
    if (by_key && !is_affinity(a, node->a)) prevent(a, node, "");
    bool is_id = node->is_dot && node->a->kind == AT_NODE_NAME && node->a->binding == a->root->list &&
                 at_text_is(node->b->text, "id");
    if (is_id) prevent(a, node, ""); /* every product has its own: there is no column of them */
    return by_object || by_key;
}

static bool depends_table(struct analysis *a, struct at_node *node) {
    bool result = false;
    for (struct at_node *field = node->list; field; field = field->next) {
        bool by_key = field->a && depends(a, field->a), by_value = depends(a, field->b);
        if (by_key || by_value) prevent(a, field, "");
        result |= by_key || by_value;
    }
    return result;
}

static bool is_spent(const struct analysis *a) {
    return a->work > WORK_MAX;
}

static bool depends_kind(struct analysis *a, struct at_node *node) {
    switch (node->kind) {
    case AT_NODE_NAME: return node->binding && node->binding->mark & MARK_PRODUCT;
    case AT_NODE_INDEX: return depends_index(a, node);
    case AT_NODE_CALL:
    case AT_NODE_METHOD: return depends_call(a, node);
    case AT_NODE_BINARY: return depends_binary(a, node);
    case AT_NODE_UNARY: {
        bool result = depends(a, node->a);
        if (result && !at_text_is(node->text, "-"))
            prevent(a, node, at_text_is(node->text, "not") ? "write no(condition)" : "");
        return result;
    }
    case AT_NODE_PAREN: return depends(a, node->a);
    case AT_NODE_TABLE: return depends_table(a, node);
    case AT_NODE_FUNCTION:
        if (!mentions(a, node)) return false;
        prevent(a, node, "");
        return true;
    default: return false;
    }
}

static bool depends(struct analysis *a, struct at_node *node) {
    if (a->depth >= DEPTH_MAX) a->work = WORK_MAX + 1;
    if (is_spent(a)) return false;
    a->work++;
    a->depth++;
    bool result = depends_kind(a, node);
    a->depth--;
    return result;
}

static bool visit_list(struct analysis *a, struct at_node *list) {
    bool result = false;
    for (; list; list = list->next) result |= depends(a, list);
    return result;
}

/* ---- statements ---- */

static void visit_locals(struct analysis *a, struct at_node *node) {
    struct at_node *value = node->list2;
    bool last = false;
    for (struct at_node *local = node->list; local; local = local->next) {
        if (value) last = depends(a, value);
        if (last) mark(a, local, MARK_PRODUCT); /* the last value may give several */
        if (value) value = value->next;
        if (value) last = false;
    }
    for (; value; value = value->next) depends(a, value);
}

/* Is it a local made in this call of the rule, or of the function it called? What outlives a call changes
 * once a call, not once a product. */
static bool is_own(const struct analysis *a, const struct at_node *target) {
    const struct at_node *local = target->kind == AT_NODE_NAME ? target->binding : NULL;
    return local && (is_within(local, a->root) || is_within(local, a->inside));
}

/* by_it: what it gets depends on the product. */
static void visit_target(struct analysis *a, struct at_node *node, struct at_node *target, bool by_it) {
    if (target->kind == AT_NODE_NAME) {
        mark(a, target->binding, MARK_SEVERAL | (by_it ? MARK_PRODUCT : 0u));
        if (!is_own(a, target)) prevent(a, node, "");
        return;
    }
    bool by_object = depends(a, target->a), by_key = depends(a, target->b);
    const struct at_node *holder = target->a; /* what stands left of the first dot */
    while (holder->kind == AT_NODE_INDEX || holder->kind == AT_NODE_PAREN) holder = holder->a;
    bool is_given = a->inside != a->root && holder->binding && is_parameter(holder->binding);
    if (by_it || by_object || by_key || is_given || !is_own(a, holder))
        prevent(a, node, "keep it in a local instead of a table");
}

static void visit_assign(struct analysis *a, struct at_node *node) {
    struct at_node *value = node->list2;
    bool last = false;
    for (struct at_node *target = node->list; target; target = target->next) {
        if (value) last = depends(a, value);
        visit_target(a, node, target, last);
        if (value) value = value->next;
        if (value) last = false;
    }
    for (; value; value = value->next) depends(a, value);
}

static void visit_condition(struct analysis *a, struct at_node *condition, const char *advice) {
    if (depends(a, condition)) prevent(a, condition, advice);
}

static void visit_if(struct analysis *a, struct at_node *node) {
    visit_condition(a, node->a, "write when(condition, yes, no) instead of if");
    visit_block(a, node->body);
    if (!node->else_part) return;
    if (node->else_part->kind == AT_NODE_IF)
        visit_if(a, node->else_part);
    else
        visit_block(a, node->else_part);
}

static void visit_for(struct analysis *a, struct at_node *node) {
    bool by_values = false;
    for (struct at_node *value = node->list2; value; value = value->next) {
        if (!depends(a, value)) continue;
        prevent(a, value, "");
        by_values = true;
    }
    for (struct at_node *local = node->list; local && by_values; local = local->next)
        mark(a, local, MARK_PRODUCT);
    visit_block(a, node->body);
}

static void visit_statement(struct analysis *a, struct at_node *node) {
    if (is_spent(a)) return;
    a->work++;
    switch (node->kind) {
    case AT_NODE_LOCALS: visit_locals(a, node); break;
    case AT_NODE_ASSIGN: visit_assign(a, node); break;
    case AT_NODE_EXPRESSION_STATEMENT: depends(a, node->a); break;
    case AT_NODE_DO: visit_block(a, node->body); break;
    case AT_NODE_WHILE:
    case AT_NODE_REPEAT:
        visit_condition(a, node->a, "");
        visit_block(a, node->body);
        break;
    case AT_NODE_IF: visit_if(a, node); break;
    case AT_NODE_FOR_NUMBER:
    case AT_NODE_FOR_IN: visit_for(a, node); break;
    case AT_NODE_FUNCTION_STATEMENT:
        if (!node->is_local)
            prevent(a, node, ""); /* it outlives the call */
        else if (mentions(a, node->b))
            prevent(a, node, "");
        break; /* one that does not mention the product is looked at where it is called */
    case AT_NODE_RETURN: visit_list(a, node->list); break;
    case AT_NODE_GOTO: prevent(a, node, ""); break;
    default: break;
    }
}

static bool visit_block(struct analysis *a, struct at_node *block) {
    for (struct at_node *node = block ? block->list : NULL; node; node = node->next) visit_statement(a, node);
    return true;
}

/* ---- terms ---- */

struct frame { /* the rule, or a call of a function by it */
    struct at_node *function, *arguments;
    const struct frame *caller;
};
struct terms {
    struct analysis *a;
    const struct frame *frame;
    struct at_term list[TERMS_MAX];
    size_t count;
    uint32_t steps;
};

static void add_terms(struct terms *terms, struct at_node *node);

struct values {
    struct terms *terms;
    const struct at_node *local;
};
/* Every value a local gets, in the order of the source. */
static bool add_values(void *arg, struct at_node *node) {
    struct values *values = arg;
    values->terms->a->work++;
    if (node->kind != AT_NODE_LOCALS && node->kind != AT_NODE_ASSIGN) return true;
    struct at_node *value = node->list2;
    for (struct at_node *target = node->list; target;
         target = target->next, value = value ? value->next : NULL) {
        bool is_it =
            target == values->local || (target->kind == AT_NODE_NAME && target->binding == values->local);
        if (is_it && value) add_terms(values->terms, value);
    }
    return true;
}

/* The line Lua gives the operation: of its operator; of anything else the line it begins on. */
static uint32_t line_of_leaf(const struct analysis *a, const struct at_node *node) {
    if (node->kind != AT_NODE_BINARY) return node->line;
    uint32_t at = node->a->to, line = node->line;
    while (at < node->b->from) { /* blanks and comments stand between */
        char c = a->source.data[at];
        if (c == '-' && a->source.data[at + 1] == '-')
            while (at < node->b->from && a->source.data[at] != '\n') at++;
        else if (strchr(" \t\r\n\v\f", c))
            at++;
        else
            break;
    }
    for (uint32_t i = node->from; i < at; i++) line += a->source.data[i] == '\n';
    return line;
}

static void add_leaf(struct terms *terms, struct at_node *node) {
    if (!depends(terms->a, node)) return;
    struct at_text text = text_of(terms->a, node);
    char *folded = at_arena_alloc(terms->a->arena, text.length + 1);
    size_t n = 0;
    if (!folded) {
        terms->a->is_short = true;
        return;
    }
    for (size_t i = 0; i < text.length; i++) {
        bool is_blank = strchr(" \t\r\n", text.data[i]) != NULL;
        if (!is_blank)
            folded[n++] = text.data[i];
        else if (n && folded[n - 1] != ' ')
            folded[n++] = ' ';
    }
    folded[n] = 0;
    terms->list[terms->count++] = (struct at_term){line_of_leaf(terms->a, node), {folded, n}};
}

/* Every value the local gets. x = x + …: what x was comes from its other values. */
static void add_terms_of_local(struct terms *terms, struct at_node *local) {
    struct values values = {terms, local};
    if (local->mark & FOLLOWED) return;
    local->mark |= FOLLOWED;
    at_node_walk(terms->frame->function->body, add_values, &values);
    local->mark &= ~FOLLOWED;
}

static bool add_returns(void *arg, struct at_node *node) {
    struct terms *terms = arg;
    if (node->kind == AT_NODE_FUNCTION) return false;
    if (node->kind == AT_NODE_RETURN && node->list) add_terms(terms, node->list);
    return true;
}

static void add_terms_of_call(struct terms *terms, struct at_node *call, struct at_node *function) {
    struct frame frame = {function, call->list, terms->frame};
    terms->frame = &frame;
    function->mark |= FOLLOWED;
    at_node_walk(function->body, add_returns, terms);
    function->mark &= ~FOLLOWED;
    terms->frame = frame.caller;
}

/* What the call gave for a parameter stands in the caller; false: it is none of this call. */
static bool add_terms_of_argument(struct terms *terms, const struct at_node *local) {
    const struct frame *frame = terms->frame;
    struct at_node *argument = frame->arguments;
    const struct at_node *parameter = frame->caller ? frame->function->list : NULL;
    for (; parameter && parameter != local; parameter = parameter->next)
        argument = argument && argument->next ? argument->next : NULL;
    if (!parameter) return false;
    terms->frame = frame->caller;
    if (argument) add_terms(terms, argument);
    terms->frame = frame;
    return true;
}

static void add_terms_of(struct terms *terms, struct at_node *node) {
    struct analysis *a = terms->a;
    bool is_sum = node->kind == AT_NODE_BINARY && node->text.length == 1 && strchr("+-", node->text.data[0]);
    struct at_node *function = function_called(a, node);
    struct at_node *local = node->kind == AT_NODE_NAME && node->binding && node->binding != a->root->list &&
                                    node->binding->mark & MARK_PRODUCT
                                ? node->binding
                                : NULL;
    if (is_sum) {
        add_terms(terms, node->a);
        add_terms(terms, node->b);
    } else if (node->kind == AT_NODE_PAREN)
        add_terms(terms, node->a);
    else if (function && !(function->mark & FOLLOWED) && depends(a, node))
        add_terms_of_call(terms, node, function);
    else if (local) {
        add_terms_of_argument(terms, local);
        add_terms_of_local(terms, local);
    } else
        add_leaf(terms, node);
}

static void add_terms(struct terms *terms, struct at_node *node) {
    struct analysis *a = terms->a;
    if (terms->count == TERMS_MAX || ++terms->steps > STEPS_MAX || is_spent(a) || a->depth >= DEPTH_MAX)
        return;
    a->depth++;
    add_terms_of(terms, node);
    a->depth--;
}

static void find_terms(struct analysis *a, struct at_node *function) {
    struct terms *terms = at_arena_zalloc(a->arena, sizeof *terms);
    if (!terms) {
        a->is_short = true;
        return;
    }
    const struct frame frame = {.function = function};
    terms->a = a;
    terms->frame = &frame;
    at_node_walk(function->body, add_returns, terms);
    for (size_t i = 1; i < terms->count; i++) { /* stable: within a line the order of evaluation stays */
        struct at_term term = terms->list[i];
        size_t at = i;
        for (; at && terms->list[at - 1].line > term.line; at--) terms->list[at] = terms->list[at - 1];
        terms->list[at] = term;
    }
    a->report->terms = terms->list;
    a->report->term_count = terms->count;
}

static bool find_outside(void *arg, struct at_node *node) {
    struct analysis *a = arg;
    bool is_global = node->kind == AT_NODE_NAME && !node->binding;
    if (is_global && !holds(a->vocabulary->words, node->text)) a->report->is_closed = false;
    return true;
}

static bool clear_mark(void *arg, struct at_node *node) {
    (void)arg;
    node->mark = 0;
    return true;
}

enum at_status at_rule_analyse(struct at_arena *arena, struct at_text source, struct at_node *file,
                               struct at_node *function, const struct at_vocabulary *vocabulary,
                               struct at_rule_report *report) {
    struct analysis a = {arena, source, vocabulary, function, function, report, .pass = 0};
    memset(report, 0, sizeof *report);
    report->is_columnar = report->is_closed = true;
    at_node_walk(file, clear_mark, NULL); /* of rules looked at before */
    at_node_walk(function->body, find_outside, &a);
    a.is_checking = true;
    if (function->is_vararg) prevent(&a, function, "name the product: function(product)");
    a.is_checking = false;
    if (!function->list) { /* a rule that does not take the product: one value for all */
        find_terms(&a, function);
        return a.is_short ? AT_NOMEM : AT_OK;
    }
    function->list->mark |= MARK_PRODUCT;
    do {
        a.is_changed = false;
        a.pass++;
        visit_block(&a, function->body);
    } while (a.is_changed);
    a.is_checking = true;
    a.pass++;
    visit_block(&a, function->body);
    if (is_spent(&a)) prevent(&a, function, "the rule is too long to look through: write a shorter one");
    a.is_checking = false;
    a.work = 0;
    find_terms(&a, function);
    return a.is_short ? AT_NOMEM : AT_OK;
}
