/* SPDX-License-Identifier: Apache-2.0
 *
 * Static check of what a rule asks about events: customer:count, customer:did and customer:last with a name
 * in quotes and options written out. A name that nearly is one of a known event stops the load; one that is
 * like none may come yet, so it is a warning. What is only known when the rule runs, history.c checks then.
 */
#include <math.h>
#include <string.h>
#include "base/time.h"
#include "base/utf8.h"
#include "language/state.h"

#define LITERAL_MAX 500

struct asking {
    struct at_build *build;
    const char *path, *word;
};

static const char *text_of(struct asking *asking, struct at_text text) {
    const char *kept = at_arena_dup(asking->build->arena, text.data, text.length);
    return kept ? kept : "";
}

/* ---- the name ---- */

/* The standard's and those of the past; NULL: out of memory. */
static const char **known_names(struct at_build *build, size_t *count) {
    const char *const *standard = at_event_known_names();
    size_t n = 0;
    while (standard[n]) n++;
    const char **names = at_arena_alloc(build->arena, (n + build->event_count + 1) * sizeof *names);
    if (!names) return NULL;
    memcpy(names, standard, n * sizeof *names);
    for (uint32_t i = 0; i < build->event_count; i++) names[n + i] = build->events[i];
    *count = n + build->event_count;
    return names;
}

static bool is_among(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static void check_name(struct asking *asking, const struct at_node *node) {
    if (node->kind != AT_NODE_STRING || node->text.length > LITERAL_MAX) return;
    struct at_text canonical = at_event_canonical(asking->build->arena, node->text);
    size_t count = 0;
    const char **names = known_names(asking->build, &count), *name = text_of(asking, canonical);
    if (!names || !*name || is_among(name, names, count)) return;
    const char *nearest = at_suggest(name, names, count), *said = text_of(asking, node->text);
    if (nearest)
        add_finding(asking->build, asking->path, node, false, "unknown_event",
                    "there is no event \"%s\" — did you mean \"%s\"?", said, nearest);
    else
        add_finding(asking->build, asking->path, node, true, "unknown_event",
                    "no event \"%s\" has come yet, nor is it one of the standard's: until one comes it never "
                    "happened",
                    said);
}

/* ---- the options ---- */

static void check_number(struct asking *asking, const char *option, const struct at_node *value) {
    bool is_moment = strcmp(option, "since") == 0;
    if (value->number == 0 || !isfinite(value->number)) return;
    if (is_moment)
        add_finding(asking->build, asking->path, value, false, "bare_number",
                    "since = %g: %g what? a moment is like customer.orders.last_at or now() - days(7)",
                    value->number, value->number);
    else
        add_finding(asking->build, asking->path, value, false, "bare_number",
                    "%s = %g: %g what? write \"%gd\"", option, value->number, value->number, value->number);
}

static void check_text(struct asking *asking, const char *option, const struct at_node *value) {
    struct at_error err = {0};
    int64_t ms;
    if (strcmp(option, "since") == 0)
        add_finding(asking->build, asking->path, value, false, "not_a_moment",
                    "since must be a moment, like customer.orders.last_at; of a span write within = \"7d\"");
    else if (at_span_parse(value->text.data, value->text.length, &ms, &err) != AT_OK)
        add_finding(asking->build, asking->path, value, false, "bad_span", "%s: %s", option, err.message);
}

static void check_option(struct asking *asking, const struct at_node *field) {
    static const char *const known[] = {"within", "since"};
    const struct at_node *key = field->a, *value = field->b;
    if (!key || (key->kind != AT_NODE_STRING && !field->is_dot)) return; /* worked out when the rule runs */
    const char *name = text_of(asking, key->text);
    const char *nearest = at_suggest(name, known, AT_LENGTH(known));
    if (!is_among(name, known, AT_LENGTH(known)))
        add_finding(asking->build, asking->path, key, false, "unknown_option",
                    nearest ? "customer:%s has no option \"%s\" — did you mean \"%s\"?"
                            : "customer:%s has no option \"%s\"; it has within and since",
                    asking->word, name, nearest);
    else if (value->kind == AT_NODE_NUMBER)
        check_number(asking, name, value);
    else if (value->kind == AT_NODE_STRING)
        check_text(asking, name, value);
}

void check_event_words(struct at_build *build, const char *path, const struct at_node *method) {
    static const char *const words[] = {"count", "did", "last"};
    struct asking asking = {build, path, NULL};
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (at_text_is(method->text, words[i])) asking.word = words[i];
    const struct at_node *name = method->list, *options = name ? name->next : NULL;
    if (!asking.word || !name) return;
    check_name(&asking, name);
    if (options && strcmp(asking.word, "last") == 0)
        add_finding(build, path, options, false, "unknown_option", "customer:last takes a name only");
    else if (options && options->kind == AT_NODE_TABLE)
        for (const struct at_node *field = options->list; field; field = field->next)
            check_option(&asking, field);
}
