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

#define HELPERS_MAX 64       /* local functions of one rule that are followed */
#define STEPS_MAX   20000    /* of looking for terms: locals can refer to each other in very many ways */
#define VISITED     0x10000u /* + the pass: mark of a helper's FUNCTION whose body was looked at in this pass */
#define TERMS_MAX   256      /* twice what an explanation shows (explain.c) */
#define WORK_MAX                                                                                             \
    4000000 /* places looked at, for the verdict and again for the terms: a tenth of a second                \
             */

enum { MARK_PRODUCT = 1, MARK_SEVERAL = 2 }; /* of a LOCAL: depends on the product; assigned more than once */

struct helper { /* a local of the rule that stands for one function */
    const struct at_node *local;
    struct at_node *function; /* NULL: it is assigned again */
};
struct analysis {
    struct at_arena *arena;
    struct at_text source;
    const struct at_vocabulary *vocabulary;
    struct at_node *root; /* the file */
    struct at_rule_report *report;
    bool is_changed, is_checking, is_short;
    uint32_t pass, work;
    struct helper helpers[HELPERS_MAX];
    size_t helper_count;
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

/* ---- functions inside the rule ---- */

static struct helper *helper_of(struct analysis *a, const struct at_node *local) {
    for (size_t i = 0; i < a->helper_count; i++)
        if (a->helpers[i].local == local) return &a->helpers[i];
    return NULL;
}

static void add_helper(struct analysis *a, const struct at_node *local, struct at_node *function) {
    if (a->helper_count < HELPERS_MAX) a->helpers[a->helper_count++] = (struct helper){local, function};
}

static bool find_helpers(void *arg, struct at_node *node) {
    struct analysis *a = arg;
    if (node->kind == AT_NODE_FUNCTION_STATEMENT && node->is_local) add_helper(a, node->a->binding, node->b);
    if (node->kind == AT_NODE_LOCALS) {
        const struct at_node *local = node->list;
        for (struct at_node *value = node->list2; local && value; local = local->next, value = value->next)
            if (value->kind == AT_NODE_FUNCTION) add_helper(a, local, value);
    }
    if (node->kind != AT_NODE_ASSIGN) return true;
    for (const struct at_node *target = node->list; target; target = target->next) {
        struct helper *helper = target->kind == AT_NODE_NAME ? helper_of(a, target->binding) : NULL;
        if (helper) helper->function = NULL;
    }
    return true;
}

/* Each argument once: calls within calls would double the work with every level. The last may give several
 * values. */
static bool visit_arguments(struct analysis *a, struct at_node *argument, struct at_node *parameter) {
    bool result = false;
    for (; argument; argument = argument->next) {
        bool is_last = !argument->next, by_it = depends(a, argument);
        result |= by_it;
        while (parameter) {
            if (by_it) mark(a, parameter, MARK_PRODUCT);
            parameter = parameter->next;
            if (!is_last || !by_it) break;
        }
    }
    return result;
}

/* A call of it with values of the product: its body is looked at like the rule's own, once a pass. */
static bool call_function(struct analysis *a, struct at_node *call, struct at_node *function) {
    if (function->is_vararg) {
        prevent(a, call, "");
        return true;
    }
    if (function->mark == VISITED + a->pass) return true;
    function->mark = VISITED + a->pass;
    visit_block(a, function->body);
    return true;
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

/* Surely a number, a text or nil, whose methods are the words: a literal, or what customer and page hold. */
static bool is_plain(const struct analysis *a, const struct at_node *node) {
    while (node->kind == AT_NODE_PAREN) node = node->a;
    if (node->kind == AT_NODE_NUMBER || node->kind == AT_NODE_STRING) return true;
    bool is_field = node->kind == AT_NODE_INDEX;
    while (node->kind == AT_NODE_INDEX) node = node->a;
    if (!is_field || node->kind != AT_NODE_NAME || !node->binding || node->binding->mark & MARK_SEVERAL)
        return false;
    for (const struct at_node *parameter = a->root->list->next; parameter; parameter = parameter->next)
        if (parameter == node->binding) return true;
    return false;
}

static bool depends_call(struct analysis *a, struct at_node *node) {
    struct helper *helper =
        node->kind == AT_NODE_CALL && node->a->kind == AT_NODE_NAME ? helper_of(a, node->a->binding) : NULL;
    struct at_node *function = helper ? helper->function : NULL;
    bool by_arguments = visit_arguments(a, node->list, function ? function->list : NULL);
    if (node->kind == AT_NODE_METHOD) {
        bool by_object = depends(a, node->a);
        bool is_method = holds(a->vocabulary->methods, node->text) && (by_object || is_plain(a, node->a));
        if ((by_object || by_arguments) && !is_method) prevent(a, node, "");
        return by_object || by_arguments;
    }
    bool by_function = depends(a, node->a);
    if (function && by_arguments) return call_function(a, node, function);
    bool is_word =
        node->a->kind == AT_NODE_NAME && !node->a->binding && holds(a->vocabulary->words, node->a->text);
    if (by_function || (by_arguments && !is_word)) prevent(a, node, "");
    return by_function || by_arguments;
}

/* customer.affinity.brand, of the rule's own customer: the one table that answers for a whole column of keys.
 */
static bool is_affinity(const struct analysis *a, const struct at_node *node) {
    const struct at_node *affinity = node->kind == AT_NODE_INDEX ? node->a : NULL;
    if (!affinity || affinity->kind != AT_NODE_INDEX || !at_text_is(affinity->b->text, "affinity"))
        return false;
    const struct at_node *customer = a->root->list->next;
    return node->is_dot && affinity->is_dot && customer && affinity->a->kind == AT_NODE_NAME &&
           affinity->a->binding == customer && !(customer->mark & MARK_SEVERAL);
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

static bool depends(struct analysis *a, struct at_node *node) {
    if (is_spent(a)) return false;
    a->work++;
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

/* Is what stands left of the first dot a local made in the rule? What outlives a call changes once a call. */
static bool is_own(const struct analysis *a, const struct at_node *target) {
    while (target->kind == AT_NODE_INDEX || target->kind == AT_NODE_PAREN) target = target->a;
    return target->kind == AT_NODE_NAME && target->binding && target->binding->from > a->root->from &&
           target->binding->to <= a->root->to;
}

static void visit_assign(struct analysis *a, struct at_node *node) {
    struct at_node *value = node->list2;
    bool last = false;
    for (struct at_node *target = node->list; target; target = target->next) {
        if (value) last = depends(a, value);
        if (target->kind == AT_NODE_NAME) {
            mark(a, target->binding, MARK_SEVERAL | (last ? MARK_PRODUCT : 0u));
            if (last && !target->binding) prevent(a, node, "");
        } else {
            bool by_object = depends(a, target->a), by_key = depends(a, target->b);
            if (last || by_object || by_key || !is_own(a, target))
                prevent(a, node, "keep it in a local instead of a table");
        }
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

struct terms {
    struct analysis *a;
    struct at_node *function;
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

static void add_terms(struct terms *terms, struct at_node *node) {
    bool is_sum = node->kind == AT_NODE_BINARY && node->text.length == 1 && strchr("+-", node->text.data[0]);
    if (terms->count == TERMS_MAX || ++terms->steps > STEPS_MAX || is_spent(terms->a)) return;
    if (is_sum) {
        add_terms(terms, node->a);
        add_terms(terms, node->b);
    } else if (node->kind == AT_NODE_PAREN)
        add_terms(terms, node->a);
    else if (node->kind == AT_NODE_NAME && node->binding && node->binding->mark & MARK_PRODUCT &&
             node->binding != terms->function->list) {
        /* x = x + …: what x was comes from its other values */
        struct values values = {terms, node->binding};
        struct at_node *local = node->binding;
        if (!(local->mark & 4)) {
            local->mark |= 4; /* being followed */
            at_node_walk(terms->function->body, add_values, &values);
            local->mark &= ~4u;
        }
    } else
        add_leaf(terms, node);
}

static bool add_returns(void *arg, struct at_node *node) {
    struct terms *terms = arg;
    if (node->kind == AT_NODE_FUNCTION && node != terms->function) return false;
    if (node->kind == AT_NODE_RETURN && node->list) add_terms(terms, node->list);
    return true;
}

static void find_terms(struct analysis *a, struct at_node *function) {
    struct terms *terms = at_arena_zalloc(a->arena, sizeof *terms);
    if (!terms) {
        a->is_short = true;
        return;
    }
    terms->a = a;
    terms->function = function;
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

enum at_status at_rule_analyse(struct at_arena *arena, struct at_text source, struct at_node *function,
                               const struct at_vocabulary *vocabulary, struct at_rule_report *report) {
    struct analysis a = {
        .arena = arena, .source = source, .vocabulary = vocabulary, .root = function, .report = report};
    memset(report, 0, sizeof *report);
    report->is_columnar = report->is_closed = true;
    at_node_walk(function->body, find_outside, &a);
    a.is_checking = true;
    if (function->is_vararg) prevent(&a, function, "name the product: function(product)");
    a.is_checking = false;
    if (!function->list) { /* a rule that does not take the product: one value for all */
        find_terms(&a, function);
        return a.is_short ? AT_NOMEM : AT_OK;
    }
    function->list->mark |= MARK_PRODUCT;
    at_node_walk(function->body, find_helpers, &a);
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
