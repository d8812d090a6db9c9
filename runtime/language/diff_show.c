/* SPDX-License-Identifier: Apache-2.0
 *
 * A change of scripts in words for who reads it, and as JSON.
 */
#include <string.h>
#include "language/diff.h"

static const char *const did_words[] = {"added", "changed", "removed", "moved"};

/* "line 4", "lines 4–6, 9" */
static void add_lines(const struct at_diff_field *field, struct at_bytes *out) {
    uint32_t shown = field->line_count < AT_DIFF_LINES_MAX ? field->line_count : AT_DIFF_LINES_MAX;
    if (!field->line_count) return at_bytes_add_text(out, "lines taken out");
    at_bytes_add_text(out, field->line_count == 1 ? "line " : "lines ");
    for (uint32_t i = 0; i < shown; i++) {
        uint32_t last = i;
        while (last + 1 < shown && field->lines[last + 1] == field->lines[last] + 1) last++;
        at_bytes_printf(out, "%s%u", i ? ", " : "", field->lines[i]);
        if (last > i) at_bytes_printf(out, last > i + 1 ? "–%u" : ", %u", field->lines[last]);
        i = last;
    }
    if (field->line_count > shown) at_bytes_add_text(out, " …");
}

static void add_field(const struct at_diff_change *change, const struct at_diff_field *field,
                      struct at_bytes *out) {
    at_bytes_add_text(out, *field->name ? field->name : change->noun);
    if (field->did == AT_DIFF_ADDED && field->now)
        at_bytes_printf(out, " = %s added", field->now);
    else if (field->did != AT_DIFF_CHANGED)
        at_bytes_printf(out, " %s", did_words[field->did]);
    else if (field->was && field->now)
        at_bytes_printf(out, " %s → %s", field->was, field->now);
    else if (field->line_count == 0 && strcmp(change->noun, "setting") == 0)
        return;
    else {
        at_bytes_add_text(out, " (");
        add_lines(field, out);
        at_bytes_add_text(out, ")");
    }
}

static void add_details(const struct at_diff_change *change, struct at_bytes *out) {
    const char *before = ": ";
    for (const struct at_diff_field *field = change->fields; field; field = field->next, before = ", ") {
        at_bytes_add_text(out, before);
        add_field(change, field, out);
    }
    for (const struct at_diff_through *at = change->through; at; at = at->next, before = ", ") {
        at_bytes_printf(out, "%sthrough %s", before, at->name);
        if (strcmp(at->name, at->path) != 0 && strcmp(at->path, change->path) != 0)
            at_bytes_printf(out, " in %s", at->path);
    }
}

void at_diff_words(const struct at_diff_change *change, struct at_bytes *out) {
    bool is_file = strcmp(change->name, change->path) == 0, is_setting = strcmp(change->noun, "setting") == 0;
    const char *quote = is_file || is_setting ? "" : "\"";
    at_bytes_printf(out, "%s %s%s%s %s", change->noun, quote, change->name, quote, did_words[change->did]);
    if (change->did == AT_DIFF_MOVED) at_bytes_printf(out, " from %s", change->was_path);
    add_details(change, out);
    if (strcmp(change->noun, "script") == 0 && change->did == AT_DIFF_CHANGED)
        at_bytes_add_text(out, ": nothing that is declared");
    if (!is_file) at_bytes_printf(out, " (%s:%u)", change->path, change->line);
}

static void write_field(const struct at_diff_field *field, struct at_json_out *out) {
    uint32_t shown = field->line_count < AT_DIFF_LINES_MAX ? field->line_count : AT_DIFF_LINES_MAX;
    at_json_open(out, '{');
    at_json_add_string(out, "field", field->name);
    at_json_add_string(out, "did", did_words[field->did]);
    if (field->was) at_json_add_string(out, "was", field->was);
    if (field->now) at_json_add_string(out, "now", field->now);
    at_json_key(out, "lines");
    at_json_open(out, '[');
    if (!shown && field->did != AT_DIFF_REMOVED) at_json_put_int(out, field->line);
    for (uint32_t i = 0; i < shown; i++) at_json_put_int(out, field->lines[i]);
    at_json_close(out, ']');
    at_json_close(out, '}');
}

static void write_words(const struct at_diff_change *change, struct at_json_out *out) {
    struct at_bytes words;
    at_bytes_init(&words, 1 << 16);
    at_diff_words(change, &words);
    at_json_add_text(out, "words", (struct at_text){words.data ? words.data : "", words.length});
    out->bytes->failed |= words.failed;
    at_bytes_clear(&words);
}

void at_diff_write(const struct at_diff_change *changes, struct at_json_out *out) {
    at_json_open(out, '[');
    for (const struct at_diff_change *change = changes; change; change = change->next) {
        at_json_open(out, '{');
        at_json_add_string(out, "noun", change->noun);
        at_json_add_string(out, "name", change->name);
        at_json_add_string(out, "did", did_words[change->did]);
        at_json_add_string(out, "script", change->path);
        at_json_add_int(out, "line", change->line);
        at_json_key(out, "fields");
        at_json_open(out, '[');
        for (const struct at_diff_field *field = change->fields; field; field = field->next)
            write_field(field, out);
        at_json_close(out, ']');
        at_json_key(out, "through");
        at_json_open(out, '[');
        for (const struct at_diff_through *at = change->through; at; at = at->next)
            at_json_put_string(out, at->name);
        at_json_close(out, ']');
        write_words(change, out);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}
