/* SPDX-License-Identifier: Apache-2.0
 *
 * Static check of values that are written out: names of events, attributes and purposes, times and moments,
 * the tables of nouns and options. An event whose name nearly is a known one stops the load; one that is like
 * none may come yet, so it is a warning. What is only known when the rule runs, history.c checks then.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/time.h"
#include "base/utf8.h"
#include "language/check_words.h"

#define LITERAL_MAX 500

/* In place of a text in quotes. */
static void cure_text(struct word_check *check, struct at_file_finding *told, struct place place,
                      const char *text) {
    cure(check, told, place, at_arena_printf(check->build->arena, "\"%s\"", text));
}

/* ---- events ---- */

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

static void check_event(struct word_check *check, const struct at_node *node) {
    if (node->text.length > LITERAL_MAX) return;
    struct at_text canonical = at_event_canonical(check->build->arena, node->text);
    size_t count = 0;
    const char **names = known_names(check->build, &count), *name = kept_text(check, canonical);
    if (!names) check->is_short = true;
    if (!names || !*name || is_among(name, names, count)) return;
    const char *nearest = at_suggest(name, names, count), *said = kept_text(check, node->text);
    if (nearest)
        cure_text(check,
                  tell(check, place_of(node), false, "unknown_event",
                       "there is no event \"%s\" — did you mean \"%s\"?", said, nearest),
                  place_of(node), nearest);
    else
        tell(check, place_of(node), true, "unknown_event",
             "no event \"%s\" has come yet, nor is it one of the standard's: until one comes it never "
             "happened",
             said);
}

/* ---- times ---- */

static void check_number(struct word_check *check, const char *option, const struct at_node *value) {
    bool is_moment = strcmp(option, "since") == 0;
    char fix[60];
    if (value->number == 0 || !isfinite(value->number)) return;
    if (is_moment) {
        tell(check, place_of(value), false, "bare_number",
             "since = %g: %g what? a moment is like customer.orders.last_at or now() - days(7)",
             value->number, value->number);
        return;
    }
    snprintf(fix, sizeof fix, "%gd", value->number);
    cure_text(check,
              tell(check, place_of(value), false, "bare_number", "%s = %g: %g what? write \"%s\"", option,
                   value->number, value->number, fix),
              place_of(value), fix);
}

static void check_text(struct word_check *check, const char *option, const struct at_node *value) {
    struct at_error err = {0};
    int64_t ms;
    if (strcmp(option, "since") == 0)
        tell(check, place_of(value), false, "not_a_moment",
             "since must be a moment, like customer.orders.last_at; of a span write within = \"7d\"");
    else if (at_span_parse(value->text.data, value->text.length, &ms, &err) != AT_OK)
        tell(check, place_of(value), false, "bad_span", "%s: %s", option, err.message);
}

/* Of options of a question; what a noun's fields hold, its load says. */
static void check_time(struct word_check *check, const char *option, const struct at_node *value) {
    if (value->kind == AT_NODE_NUMBER)
        check_number(check, option, value);
    else if (value->kind == AT_NODE_STRING)
        check_text(check, option, value);
}

/* ---- by the type that is wanted ---- */

void check_value(struct word_check *check, const char *called, const char *name, struct at_text type,
                 const struct at_node *value) {
    bool is_list, is_text = value->kind == AT_NODE_STRING;
    struct at_text wanted = at_type_core(type, &is_list);
    const struct at_owner *owner = value->kind == AT_NODE_TABLE ? table_owner(wanted) : NULL;
    bool is_option = called && strchr(called, ':') && *name;
    if (owner)
        check_table(check, owner, called && !*name ? called : owner->called, value);
    else if (is_text && at_text_is(wanted, "EventName"))
        check_event(check, value);
    else if (is_text && at_text_is(wanted, "Attribute"))
        check_attribute(check, place_of(value), value->text, NULL);
    else if (is_text && at_text_is(wanted, "Purpose"))
        check_purpose(check, place_of(value), value->text);
    else if (is_option && (at_text_is(wanted, "Time") || at_text_is(wanted, "Moment")))
        check_time(check, name, value);
}
