/* SPDX-License-Identifier: Apache-2.0
 *
 * What is never done, decided before it is asked, or answers nothing: code behind a way out, conditions that
 * are always the same, a score that some way through the function leaves out.
 */
#include "language/lint.h"

#include <stdio.h>
#include <string.h>

/* ---- ways out ---- */

static bool always_leaves(const struct at_node *block);

/* Nothing behind this statement is done. */
static bool leaves(const struct at_node *statement) {
    switch (statement->kind) {
    case AT_NODE_RETURN:
    case AT_NODE_BREAK:
    case AT_NODE_GOTO: return true;
    case AT_NODE_DO: return always_leaves(statement->body);
    case AT_NODE_IF:
        for (; statement && statement->kind == AT_NODE_IF; statement = statement->else_part)
            if (!always_leaves(statement->body)) return false;
        return statement && always_leaves(statement);
    case AT_NODE_EXPRESSION_STATEMENT: {
        const struct at_node *call = statement->a;
        return call && call->kind == AT_NODE_CALL && call->a && call->a->kind == AT_NODE_NAME &&
               !call->a->binding && at_text_is(call->a->text, "error");
    }
    default: return false;
    }
}

static bool always_leaves(const struct at_node *block) {
    for (const struct at_node *at = block ? block->list : NULL; at; at = at->next)
        if (leaves(at)) return true;
    return false;
}

static void behind_a_way_out(struct lint *lint, struct at_node *block) {
    for (struct at_node *at = block->list; at && at->next; at = at->next) {
        if (!leaves(at)) continue;
        if (at->next->kind == AT_NODE_LABEL) return;
        const char *word = at->kind == AT_NODE_BREAK ? "break" : at->kind == AT_NODE_GOTO ? "goto" : "return";
        lint_hint(lint_warn(lint, at->next, "unreachable",
                            "this is never done: %s before it leaves in every case", word),
                  "take it out, or put it before");
        return;
    }
}

/* ---- conditions ---- */

/* 1: always yes, 0: always no, -1: not known from here. */
static int always(const struct lint *lint, const struct at_node *condition) {
    switch (condition->kind) {
    case AT_NODE_TRUE:
    case AT_NODE_NUMBER:
    case AT_NODE_STRING:
    case AT_NODE_TABLE:
    case AT_NODE_FUNCTION: return 1;
    case AT_NODE_FALSE:
    case AT_NODE_NIL: return 0;
    case AT_NODE_PAREN: return always(lint, condition->a);
    case AT_NODE_UNARY: {
        int inner = at_text_is(condition->text, "not") && condition->a ? always(lint, condition->a) : -1;
        return inner < 0 ? -1 : !inner;
    }
    default: return -1;
    }
}

static void say_always(struct lint *lint, const struct at_node *condition, const char *code, int answer,
                       const char *what) {
    bool is_zero = condition->kind == AT_NODE_NUMBER;
    struct at_finding *finding =
        lint_warn(lint, condition, code,
                  is_zero ? "a number is always a yes here, 0 too" : "this condition is always %s",
                  answer ? "yes" : "no");
    lint_hint(finding, "%s", is_zero ? "compare it with something, like x > 0" : what);
}

static bool is_same(const struct lint *lint, const struct at_node *a, const struct at_node *b) {
    struct at_text x = lint_cut(lint, a), y = lint_cut(lint, b);
    return at_text_equal(x, y);
}

/* a > 10 behind a > 5: whoever is above 10 was taken before. */
static bool is_covered(const struct lint *lint, const struct at_node *before, const struct at_node *now) {
    if (before->kind != AT_NODE_BINARY || now->kind != AT_NODE_BINARY || !before->a || !before->b ||
        !now->a || !now->b || before->b->kind != AT_NODE_NUMBER || now->b->kind != AT_NODE_NUMBER ||
        !is_same(lint, before->a, now->a))
        return false;
    bool up = before->text.data[0] == '>' && now->text.data[0] == '>',
         down = before->text.data[0] == '<' && now->text.data[0] == '<';
    double x = before->b->number, y = now->b->number;
    bool takes_edge = before->text.length == 2 || now->text.length == 1;
    return (up && (y > x || (y == x && takes_edge))) || (down && (y < x || (y == x && takes_edge)));
}

static bool has_call(void *arg, struct at_node *node) {
    *(bool *)arg |= node->kind == AT_NODE_CALL;
    return true;
}

/* A condition of the chain that one before it has decided. */
static void decided_before(struct lint *lint, struct at_node *first) {
    for (struct at_node *now = first->else_part; now && now->kind == AT_NODE_IF; now = now->else_part)
        for (struct at_node *before = first; before != now; before = before->else_part) {
            bool calls = false;
            if (!now->a || !before->a) continue;
            at_node_walk(now->a, has_call, &calls);
            bool same = !calls && is_same(lint, before->a, now->a);
            if (!same && !is_covered(lint, before->a, now->a)) continue;
            struct at_finding *finding =
                lint_warn(lint, now->a, "decided_before",
                          same ? "line %u has asked the same: this is never a yes here"
                               : "whoever passes this has passed line %u before: it is never reached",
                          before->a->line);
            lint_hint(finding, "%s",
                      same ? "take it out, or ask something else" : "ask for the narrower one first");
            break;
        }
}

static void condition(struct lint *lint, struct at_node *node) {
    int answer = node->a ? always(lint, node->a) : -1;
    bool loops = node->kind == AT_NODE_WHILE;
    if (answer >= 0 && !(loops && answer == 1))
        say_always(lint, node->a, "always_the_same", answer,
                   answer ? "take the if out" : "take it out with what it guards");
}

/* Only the head of a chain: its elseifs come by themselves to condition(). */
static void chain(struct lint *lint, struct at_node *block) {
    for (struct at_node *at = block->list; at; at = at->next)
        if (at->kind == AT_NODE_IF) decided_before(lint, at);
}

/* ---- answers ---- */

struct answers {
    const struct at_node *function;
    bool has_value;
};
static bool find_answer(void *arg, struct at_node *node) {
    struct answers *answers = arg;
    if (node->kind == AT_NODE_FUNCTION && node != answers->function) return false;
    if (node->kind == AT_NODE_RETURN && node->list) answers->has_value = true;
    return true;
}

/* The end of it can be reached. */
static bool may_run_out(const struct at_node *block) {
    if (always_leaves(block)) return false;
    const struct at_node *last = block ? block->list : NULL;
    while (last && last->next) last = last->next;
    bool is_endless = last && last->kind == AT_NODE_WHILE && last->a && last->a->kind == AT_NODE_TRUE;
    return !is_endless;
}

static const char *rule_asks(const struct lint_function *note) {
    static const char *const asks[] = {"score", "first", "hide", "only", "bury", "when"};
    for (size_t i = 0; i < AT_LENGTH(asks); i++)
        if (at_text_is(note->field, asks[i])) return asks[i];
    return NULL;
}

/* Its last line asks something, and return was left out: told there. */
static bool ends_in_question(const struct at_node *body) {
    const struct at_node *last = body ? body->list : NULL;
    while (last && last->next) last = last->next;
    return last && last->kind == AT_NODE_EXPRESSION_STATEMENT && last->a && last->a->kind == AT_NODE_METHOD;
}

static void answers_nothing(struct lint *lint, struct at_node *function) {
    const struct lint_function *note = lint_function_of(lint, function);
    const char *field = note && note->field.length ? rule_asks(note) : NULL;
    struct answers answers = {function, false};
    if (!field || ends_in_question(function->body)) return;
    at_node_walk(function->body, find_answer, &answers);
    struct at_node head = *function;
    head.to = head.from + 8; /* the word function */
    if (!answers.has_value && may_run_out(function->body)) {
        lint_hint(lint_error(lint, &head, "no_answer",
                             "%s answers nothing: there is no return with a value in it", field),
                  strcmp(field, "score") == 0 ? "write return and the number"
                                              : "write return and the condition");
        return;
    }
    if (strcmp(field, "score") != 0 || !may_run_out(function->body) || function->to < 3) return;
    head.from = function->to - 3; /* its end */
    head.to = function->to;
    head.line = 1;
    head.column = 1;
    for (uint32_t i = 0; i < head.from; i++) {
        head.column++;
        if (lint->source.data[i] == '\n') {
            head.line++;
            head.column = 1;
        }
    }
    struct at_finding *finding =
        lint_warn(lint, &head, "no_answer", "a product that gets here has no score and comes last");
    lint_fix(lint, finding, head.from, head.from, "return 0 ");
    lint_hint(finding, "write return 0 before it, or the score such a product has");
}

/* return 0,5 * x */
static void two_answers(struct lint *lint, struct at_node *node) {
    struct at_node *first = node->list, *second = first ? first->next : NULL;
    if (!second || second->next || first->kind != AT_NODE_NUMBER || second->from != first->to + 1) return;
    struct at_text text = lint_cut(lint, first);
    if (memchr(text.data, '.', text.length)) return;
    const struct at_node *digits = second;
    while (digits->kind == AT_NODE_BINARY && digits->a) digits = digits->a;
    if (digits->kind != AT_NODE_NUMBER) return;
    struct at_text behind = lint_cut(lint, digits);
    struct at_node both = *first;
    both.to = digits->to;
    struct at_finding *finding =
        lint_error(lint, &both, "comma_number", "a comma parts two values: a number has a point");
    lint_fix(lint, finding, first->to, second->from, ".");
    lint_hint(finding, "write %.*s.%.*s", (int)text.length, text.data, (int)behind.length, behind.data);
}

const struct lint_rule lint_flow[] = {{AT_NODE_BLOCK, behind_a_way_out},
                                      {AT_NODE_BLOCK, chain},
                                      {AT_NODE_IF, condition},
                                      {AT_NODE_WHILE, condition},
                                      {AT_NODE_FUNCTION, answers_nothing},
                                      {AT_NODE_RETURN, two_answers},
                                      {0, NULL}};
