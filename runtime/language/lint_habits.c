/* SPDX-License-Identifier: Apache-2.0
 *
 * What Lua reads otherwise than it was meant: a colon for a dot, "x == 1 or 2", "not a == b", bit signs
 * between conditions, ipairs with one name, a step of a flow in a rule.
 */
#include "language/lint.h"

#include <stdio.h>
#include <string.h>

static bool is_comparison(const struct at_node *node) {
    static const char *const signs[] = {"==", "~=", "<", "<=", ">", ">=", NULL};
    return node && node->kind == AT_NODE_BINARY && at_text_in(node->text, signs);
}
/* All of it: what is cut off a fix is lost. */
static const char *cut(const struct lint *lint, const struct at_node *node) {
    struct at_text text = lint_cut(lint, node);
    const char *kept = at_arena_dup(lint->findings->arena, text.data, text.length);
    if (!kept) lint->findings->is_short = true;
    return kept ? kept : "";
}

/* ---- a colon for a dot ---- */

static bool belongs_to_rule(const struct lint *lint, const struct at_node *node) {
    while (node && node->kind == AT_NODE_INDEX) node = node->a;
    return lint_role_of(lint, node) != LINT_NOTHING;
}

/* math:floor(x) */
static void colon_for_dot(struct lint *lint, struct at_node *node) {
    static const char *const libraries[] = {"math", "string", "table", "utf8", NULL};
    const struct at_node *of = node->a;
    if (!of || of->kind != AT_NODE_NAME || of->binding || !at_text_in(of->text, libraries)) return;
    struct at_finding *finding =
        lint_error(lint, node, "colon_for_dot", "what is in %.*s is called with a dot", (int)of->text.length,
                   of->text.data);
    lint_fix(lint, finding, of->to, of->to + 1, ".");
    lint_hint(finding, "write %.*s.%.*s", (int)of->text.length, of->text.data, (int)node->text.length,
              node->text.data);
}

/* ---- and, or, not ---- */

static bool is_value(const struct at_node *node) {
    return node && (node->kind == AT_NODE_STRING || node->kind == AT_NODE_NUMBER);
}

/* country == "DE" or "AT" */
static void or_a_value(struct lint *lint, struct at_node *node) {
    if (!at_text_is(node->text, "or") || !is_value(node->b) || !is_comparison(node->a)) return;
    if (!node->a->a || (!at_text_is(node->a->text, "==") && !at_text_is(node->a->text, "~="))) return;
    const char *thing = cut(lint, node->a->a), *value = cut(lint, node->b);
    bool differs = at_text_is(node->a->text, "~=");
    struct at_finding *finding = lint_error(
        lint, node, "or_a_value", "this is always a yes: %.60s is not compared with anything", value);
    const char *sign = differs ? "and" : "or";
    lint_fix(lint, finding, node->a->to, node->b->to, " %s %s %.*s %s", sign, thing,
             (int)node->a->text.length, node->a->text.data, value);
    lint_hint(finding, "write %s %.*s … %s %s %.*s %s", thing, (int)node->a->text.length, node->a->text.data,
              sign, thing, (int)node->a->text.length, node->a->text.data, value);
}

/* not a == b */
static void not_equal(struct lint *lint, struct at_node *node) {
    if (!is_comparison(node) || !node->a || node->a->kind != AT_NODE_UNARY || !node->b || !node->a->a ||
        !at_text_is(node->a->text, "not") || node->b->kind == AT_NODE_TRUE || node->b->kind == AT_NODE_FALSE)
        return;
    static const char *const pairs[][2] = {{"==", "~="}, {"~=", "=="}, {"<", ">="},
                                           {"<=", ">"},  {">", "<="},  {">=", "<"}};
    const char *left = cut(lint, node->a->a), *right = cut(lint, node->b);
    struct at_finding *finding = lint_error(
        lint, node, "not_binds_first",
        "\"not\" takes only what stands right behind it: this compares yes or no with %.60s", right);
    for (size_t i = 0; i < AT_LENGTH(pairs); i++)
        if (at_text_is(node->text, pairs[i][0]) && i < 2) {
            lint_fix(lint, finding, node->a->from, node->to, "%s %s %s", left, pairs[i][1], right);
            return;
        }
    lint_fix(lint, finding, node->a->from, node->to, "not (%s %.*s %s)", left, (int)node->text.length,
             node->text.data, right);
}

/* 10 < price < 50 */
static void chained(struct lint *lint, struct at_node *node) {
    if (!is_comparison(node) || !is_comparison(node->a) || !node->b || !node->a->b) return;
    if (node->a->b->kind == AT_NODE_BINARY && node->a->b->text.length == 1 &&
        strchr("&|", node->a->b->text.data[0]))
        return; /* bit_sign says it */
    bool is_order = node->text.data[0] == '<' || node->text.data[0] == '>' || node->a->text.data[0] == '<' ||
                    node->a->text.data[0] == '>';
    if (!is_order) return;
    const char *middle = cut(lint, node->a->b);
    struct at_finding *finding = lint_error(
        lint, node, "chained", "two comparisons in a row: the second has only a yes or no to look at");
    lint_fix(lint, finding, node->a->to, node->a->to, " and %s", middle);
    lint_hint(finding, "write … and %s %.*s …", middle, (int)node->text.length, node->text.data);
}

/* stock > 0 & price < 100: reads as stock > (0 & price) < 100 */
static void bit_sign(struct lint *lint, struct at_node *node) {
    const struct at_node *left = node->a;
    if (!is_comparison(node) || !is_comparison(left) || !left->b || left->b->kind != AT_NODE_BINARY) return;
    const struct at_node *bits = left->b;
    bool is_and = at_text_is(bits->text, "&"), is_or = at_text_is(bits->text, "|");
    if ((!is_and && !is_or) || !bits->a || !bits->b) return;
    struct at_finding *finding = lint_error(
        lint, node, "bit_sign", "\"%s\" calculates with the bits of numbers: conditions are joined by %s",
        is_and ? "&" : "|", is_and ? "and" : "or");
    lint_fix(lint, finding, bits->a->to, bits->b->from, is_and ? " and " : " or ");
    lint_hint(finding, "write %s", is_and ? "and" : "or");
}

/* is_known & has_ordered */
static void bits_of_conditions(struct lint *lint, struct at_node *node) {
    bool is_and = at_text_is(node->text, "&"), is_or = at_text_is(node->text, "|");
    if (!is_and && !is_or) return;
    enum lint_kind a = lint_kind_of(lint, node->a), b = lint_kind_of(lint, node->b);
    if (a != KIND_BOOL && b != KIND_BOOL) return;
    struct at_finding *finding = lint_error(
        lint, node, "bit_sign", "\"%s\" calculates with the bits of numbers: conditions are joined by %s",
        is_and ? "&" : "|", is_and ? "and" : "or");
    lint_fix(lint, finding, node->a->to, node->b->from, is_and ? " and " : " or ");
    lint_hint(finding, "write %s", is_and ? "and" : "or");
}

static void same_both_sides(struct lint *lint, struct at_node *node) {
    if (!is_comparison(node) || !node->a || !node->b || node->a->kind == AT_NODE_NUMBER) return;
    if (!at_text_equal(lint_cut(lint, node->a), lint_cut(lint, node->b)) || node->a->kind == AT_NODE_CALL)
        return;
    lint_hint(lint_warn(lint, node, "same_both_sides", "the same stands on both sides"),
              "one of them was meant to be something else");
}

/* local fit = product.affinity // taste */
static void slash_comment(struct lint *lint, struct at_node *node) {
    uint32_t at = node->a->to;
    while (at < node->b->from && lint->source.data[at] != '/') at++;
    struct at_node sign = *node;
    sign.from = at;
    sign.to = at + 2;
    sign.line = node->b->line;
    sign.column = node->b->column - (node->b->from - at);
    struct at_finding *finding =
        lint_error(lint, &sign, "slash_comment", "// does not begin a comment here: -- does");
    lint_fix(lint, finding, at, at + 2, "--");
    node->b->mark = LINT_IS_TARGET; /* it is no name to look for */
}

/* product.affinity // 2: a share divided and rounded down is 0 */
static void rounds_down(struct lint *lint, struct at_node *node) {
    if (!at_text_is(node->text, "//") || !node->a || !node->b) return;
    if (node->b->kind == AT_NODE_NAME && !node->b->binding && !lint_is_word(lint, node->b->text)) {
        slash_comment(lint, node);
        return;
    }
    bool is_share = lint_kind_of(lint, node->a) == KIND_SHARE;
    bool is_less = node->a->kind == AT_NODE_NUMBER && node->b->kind == AT_NODE_NUMBER &&
                   node->a->number < node->b->number;
    if (!is_share && !is_less) return;
    struct at_finding *finding =
        lint_warn(lint, node, "rounds_down", "\"//\" rounds down to a whole number: this is 0");
    lint_fix(lint, finding, node->a->to, node->b->from, " / ");
    lint_hint(finding, "write /");
}

/* ---- lists ---- */

static bool has_hole(const struct at_node *table) {
    for (const struct at_node *field = table->list; field; field = field->next)
        if (!field->a && field->b && field->b->kind == AT_NODE_NIL && field->next) return true;
    return false;
}

static void length_of_holes(struct lint *lint, struct at_node *node) {
    const struct lint_local *local = node->a ? lint_local_of(lint, node->a) : NULL;
    const struct at_node *table =
        node->a && node->a->kind == AT_NODE_NAME && local && !local->writes ? local->value : node->a;
    if (!at_text_is(node->text, "#") || !table || table->kind != AT_NODE_TABLE || !has_hole(table)) return;
    lint_hint(
        lint_warn(lint, node, "length_of_holes", "# cannot count a list with nil in it: it may stop there"),
        "leave nil out of the list");
}

/* for tag in product.tags do; for item in ipairs(items) do */
static void for_in(struct lint *lint, struct at_node *node) {
    struct at_node *value = node->list2, *name = node->list;
    if (!value || value->next || !name) return;
    enum lint_kind kind = lint_kind_of(lint, value);
    bool is_list = kind == KIND_LIST || kind == KIND_TABLE ||
                   (value->kind == AT_NODE_INDEX && belongs_to_rule(lint, value));
    if (is_list) {
        const char *text = cut(lint, value);
        struct at_finding *finding =
            lint_error(lint, value, "for_in_list", "a loop goes over a list with ipairs");
        lint_fix(lint, finding, name->from, value->to, "%s%s in ipairs(%s)", name->next ? "" : "_, ",
                 lint_cut(lint, name).length
                     ? at_arena_printf(lint->findings->arena, "%.*s",
                                       (int)((name->next ? name->next->to : name->to) - name->from),
                                       lint->source.data + name->from)
                     : "_",
                 text);
        return;
    }
    bool is_ipairs = value->kind == AT_NODE_CALL && value->a && value->a->kind == AT_NODE_NAME &&
                     at_text_is(value->a->text, "ipairs");
    if (!is_ipairs || name->next || name->text.length < 3 || at_text_is(name->text, "index") ||
        at_text_is(name->text, "place"))
        return;
    struct at_finding *finding =
        lint_warn(lint, name, "counts_only", "\"%.*s\" counts 1, 2, 3 …: what is in the list comes second",
                  (int)name->text.length, name->text.data);
    lint_fix(lint, finding, name->from, name->from, "_, ");
    lint_hint(finding, "write for _, %.*s in", (int)name->text.length, name->text.data);
}

/* { score == function … }: one = sets. */
static void field_compared(struct lint *lint, struct at_node *node) {
    const struct at_node *value = node->b;
    if (node->a || !value || value->kind != AT_NODE_BINARY || !at_text_is(value->text, "==") || !value->a ||
        value->a->kind != AT_NODE_NAME || value->a->binding || !value->b)
        return;
    struct at_finding *finding =
        lint_error(lint, value, "field_compared", "two == compare: a field is set by one =");
    value->a->mark = LINT_IS_TARGET; /* it is no name to look for */
    lint_fix(lint, finding, value->a->to, value->b->from, " = ");
    lint_hint(finding, "write %.*s =", (int)value->a->text.length, value->a->text.data);
}

/* { explore "5%" }: a name and its value, without the = between. */
static void field_called(struct lint *lint, struct at_node *node) {
    const struct at_node *call = node->b;
    if (node->a || !call || call->kind != AT_NODE_CALL || !call->a || call->a->kind != AT_NODE_NAME ||
        !call->list || call->a->binding || lint_is_word(lint, call->a->text) ||
        lint->source.data[call->to - 1] == ')')
        return;
    struct at_finding *finding =
        lint_error(lint, call, "field_called", "between a name and its value stands =");
    lint_fix(lint, finding, call->a->to, call->a->to, " =");
    lint_hint(finding, "write %.*s = …", (int)call->a->text.length, call->a->text.data);
    call->a->mark = LINT_IS_TARGET; /* it is no name to look for */
}

/* ---- statements ---- */

/* A comparison asked and not used. */
static void does_nothing(struct lint *lint, struct at_node *node) {
    const struct at_node *call = node->a;
    if (!call || call->kind != AT_NODE_METHOD || !at_text_in(call->text, lint->vocabulary->methods) ||
        !belongs_to_rule(lint, call->a))
        return; /* expect(x):is(3) does something */
    struct at_finding *finding =
        lint_error(lint, call, "does_nothing", "this asks, and nobody hears the answer");
    if (!node->next) lint_fix(lint, finding, node->from, node->from, "return ");
    lint_hint(finding, node->next ? "use it in an if, or keep it in a local" : "write return before it");
}

/* ---- steps of a flow ---- */

static void step_outside(struct lint *lint, struct at_node *node) {
    static const char *const steps[] = {"wait", "wait_until",   "wait_for",  "wait_any", "remember",
                                        "undo", "restart_with", "set_trait", NULL};
    const struct at_node *name = node->a;
    bool sends = name && name->kind == AT_NODE_INDEX && name->a && name->a->kind == AT_NODE_NAME &&
                 !name->a->binding && at_text_is(name->a->text, "send");
    if (sends) name = name->a;
    if (!name || name->kind != AT_NODE_NAME || name->binding || (!sends && !at_text_in(name->text, steps)))
        return;
    const struct lint_function *note = lint_function_of(lint, name->function);
    if (name->function && (!note || !note->noun.length))
        return; /* a helper: whoever calls it may be a flow */
    if (note && at_text_is(note->noun, "flow")) return;
    lint_hint(lint_error(lint, name, "step_outside", "\"%.*s\" is a step of a flow: %s",
                         (int)name->text.length, name->text.data,
                         note ? "a rule answers at once" : "here it stands outside of one"),
              "put it into the run of a flow");
}

const struct lint_rule lint_habits[] = {{AT_NODE_METHOD, colon_for_dot},
                                        {AT_NODE_BINARY, or_a_value},
                                        {AT_NODE_BINARY, not_equal},
                                        {AT_NODE_BINARY, chained},
                                        {AT_NODE_BINARY, bit_sign},
                                        {AT_NODE_BINARY, bits_of_conditions},
                                        {AT_NODE_BINARY, same_both_sides},
                                        {AT_NODE_BINARY, rounds_down},
                                        {AT_NODE_UNARY, length_of_holes},
                                        {AT_NODE_FOR_IN, for_in},
                                        {AT_NODE_FIELD, field_compared},
                                        {AT_NODE_FIELD, field_called},
                                        {AT_NODE_EXPRESSION_STATEMENT, does_nothing},
                                        {AT_NODE_CALL, step_outside},
                                        {0, NULL}};
