/* SPDX-License-Identifier: Apache-2.0
 *
 * Where in the source an error of a load is: Lua tells the line, the message the field or the text it is
 * about. From both the bytes are found, and what the message itself offers to write becomes the fix.
 */
#include <stdio.h>
#include <string.h>
#include "language/lint.h"
#include "language/state.h"

struct placing {
    struct at_finding *finding;
    char word[100];                  /* the first in quotes; "" none */
    char field[100];                 /* "explore" of "ranking.explore: …" and "explore = 5: …"; "" none */
    const struct at_node *statement; /* that holds the line */
    const struct at_node *key, *value, *text;
};

/* What stands between the first two quotes of that text; false: none. */
static bool read_quoted(const char *text, char *out, size_t size) {
    const char *open = text ? strchr(text, '"') : NULL, *close = open ? strchr(open + 1, '"') : NULL;
    if (!close || close == open + 1 || (size_t)(close - open) > size) return false;
    snprintf(out, size, "%.*s", (int)(close - open - 1), open + 1);
    return true;
}

/* "ranking.explore must …", "explore = 5: …", "keys.write: …": the field before the first blank or colon. */
static void read_field(const char *message, char *out, size_t size) {
    size_t length = strcspn(message, " :");
    const char *begin = message;
    for (size_t i = 0; i < length; i++)
        if (message[i] == '.') begin = message + i + 1;
    bool is_field = begin > message || strncmp(message + length, " = ", 3) == 0 || message[length] == ':';
    length -= (size_t)(begin - message);
    if (is_field && length && length < size) snprintf(out, size, "%.*s", (int)length, begin);
}

static bool look(void *arg, struct at_node *node) {
    struct placing *placing = arg;
    bool is_named = node->kind == AT_NODE_FIELD && node->a && node->a->kind == AT_NODE_STRING;
    if (is_named && !placing->key && *placing->word && at_text_is(node->a->text, placing->word))
        placing->key = node->a;
    if (is_named && !placing->value && *placing->field && at_text_is(node->a->text, placing->field))
        placing->value = node->b;
    bool is_module = node->kind == AT_NODE_CALL && node->a && at_text_is(node->a->text, "require");
    if (is_module && strstr(placing->finding->message, "/lib")) placing->text = node->list;
    if (node->kind == AT_NODE_STRING && *placing->word && at_text_is(node->text, placing->word) &&
        (!placing->text || placing->text->line != placing->finding->line))
        placing->text = node;
    return true;
}

static void point(struct at_finding *finding, const struct at_node *node) {
    finding->line = node->line;
    finding->column = node->column;
    finding->from = node->from;
    finding->to = node->to;
}

static void set_fix(struct at_arena *arena, struct at_finding *finding, const char *fmt, const char *text) {
    char fix[120];
    snprintf(fix, sizeof fix, fmt[0] == '"' ? "\"%s\"" : "%s", text);
    finding->fix = at_arena_dup(arena, fix, strlen(fix));
    finding->fix_from = finding->from;
    finding->fix_to = finding->to;
    if (finding->fix && !finding->hint[0]) snprintf(finding->hint, sizeof finding->hint, "write %s", fix);
}

/* ranking "a": the noun with its name. */
static void point_head(struct at_finding *finding, const struct at_node *statement) {
    const struct at_node *call = statement->a;
    point(finding, statement);
    while (call && call->kind == AT_NODE_CALL && call->list && call->list->kind == AT_NODE_TABLE)
        call = call->a;
    if (call) finding->to = call->to;
}

void place_load_error(struct at_arena *arena, struct at_text source, struct at_finding *finding) {
    struct placing placing = {.finding = finding};
    struct at_node *block;
    struct at_fault *faults;
    char offered[100];
    if (at_parse(arena, source, &block, &faults) != AT_OK || faults) return;
    read_quoted(finding->message, placing.word, sizeof placing.word);
    read_field(finding->message, placing.field, sizeof placing.field);
    for (struct at_node *at = block->list; at && at->line <= finding->line; at = at->next)
        placing.statement = at;
    if (!placing.statement) return;
    struct at_node statement = *placing.statement;
    statement.next = NULL;
    at_node_walk(&statement, look, &placing);
    if (placing.key && strstr(finding->message, "has no ")) {
        point(finding, placing.key);
        if (read_quoted(strstr(finding->message, "did you mean"), offered, sizeof offered))
            set_fix(arena, finding, "", offered);
    } else if (placing.value) {
        point(finding, placing.value);
        if (read_quoted(strstr(finding->message, "write \""), offered, sizeof offered) ||
            (read_quoted(strstr(finding->message, "did you mean"), offered, sizeof offered)))
            set_fix(arena, finding, "\"", offered);
    } else if (placing.text) {
        point(finding, placing.text);
    } else if (placing.statement->kind == AT_NODE_EXPRESSION_STATEMENT) {
        point_head(finding, placing.statement);
    }
}
