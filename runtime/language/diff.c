/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts the declarations of two sides beside one another, field by field. What decides a declaration is its
 * fields and what they hang on (diff_source.c); only what of that says something else is a change.
 */
#include "language/diff.h"

#include <stdlib.h>
#include <string.h>
#include "language/diff_source.h"

#define PLAIN_MAX  40 /* longer values are told by their lines */
#define FIELD_DEEP 3

struct comparing {
    struct at_arena *arena;
    struct at_diff_change *change;
    const struct diff_declared *before, *after;
    struct at_diff_field **next_field;
    struct at_diff_through **next_through;
    bool is_secret; /* values of settings are not told */
    uint32_t count;
    enum at_status status;
};

/* ---- fields ---- */

static bool is_keyed(const struct at_node *table) {
    if (!table || table->kind != AT_NODE_TABLE) return false;
    for (const struct at_node *field = table->list; field; field = field->next)
        if (!field->a || field->a->kind != AT_NODE_STRING) return false;
    return true;
}

static const struct at_node *field_of(const struct at_node *table, struct at_text key) {
    for (const struct at_node *field = table->list; field; field = field->next)
        if (at_text_equal(field->a->text, key)) return field;
    return NULL;
}

static struct at_diff_field *add_field(struct comparing *comparing, const char *name, enum at_diff_did did,
                                       uint32_t line) {
    struct at_diff_field *made = at_arena_zalloc(comparing->arena, sizeof *made);
    if (!made) {
        comparing->status = AT_NOMEM;
        return NULL;
    }
    made->name = name;
    made->did = did;
    made->line = line;
    *comparing->next_field = made;
    comparing->next_field = &made->next;
    return made;
}

static bool is_plain(const struct diff_file *file, const struct at_node *value) {
    bool is_short = value->to - value->from <= PLAIN_MAX && value->kind != AT_NODE_FUNCTION;
    return is_short && !memchr(file->text.data + value->from, '\n', value->to - value->from);
}

static void tell_value(struct comparing *comparing, const struct diff_file *file, const struct at_node *value,
                       const char **out) {
    if (comparing->is_secret || !is_plain(file, value)) return;
    *out = diff_text(comparing->arena, file, value);
    if (!*out) comparing->status = AT_NOMEM;
}

/* Which lines of it say something else. */
static enum at_status tell_lines(struct comparing *comparing, const struct at_node *was,
                                 const struct at_node *now, struct at_diff_field *field) {
    struct at_lines before, after;
    uint32_t *numbers, *old_numbers, *from;
    struct at_arena *arena = comparing->arena;
    enum at_status status = diff_hash_lines(arena, comparing->before->file, was, &before, &old_numbers);
    if (status == AT_OK) status = diff_hash_lines(arena, comparing->after->file, now, &after, &numbers);
    if (status != AT_OK) return status;
    from = at_arena_alloc(arena, (after.count + 1) * sizeof *from);
    if (!from) return AT_NOMEM;
    status = at_lines_match(arena, &before, &after, from);
    for (uint32_t i = 0; i < after.count && status == AT_OK; i++) {
        if (from[i]) continue;
        if (field->line_count < AT_DIFF_LINES_MAX) field->lines[field->line_count] = numbers[i];
        field->line_count++;
    }
    return status;
}

static void compare_values(struct comparing *comparing, const char *name, const struct at_node *was,
                           const struct at_node *now, int depth);

static void compare_tables(struct comparing *comparing, const char *name, const struct at_node *was,
                           const struct at_node *now, int depth) {
    const char *dot = *name ? "." : "";
    for (const struct at_node *field = now->list; field && comparing->status == AT_OK; field = field->next) {
        const char *key = at_arena_printf(comparing->arena, "%s%s%.*s", name, dot, (int)field->a->text.length,
                                          field->a->text.data);
        const struct at_node *old = field_of(was, field->a->text);
        if (!key)
            comparing->status = AT_NOMEM;
        else if (old)
            compare_values(comparing, key, old->b, field->b, depth + 1);
        else {
            struct at_diff_field *made = add_field(comparing, key, AT_DIFF_ADDED, field->line);
            if (made) tell_value(comparing, comparing->after->file, field->b, &made->now);
        }
    }
    for (const struct at_node *field = was->list; field && comparing->status == AT_OK; field = field->next) {
        if (field_of(now, field->a->text)) continue;
        const char *key = at_arena_printf(comparing->arena, "%s%s%.*s", name, dot, (int)field->a->text.length,
                                          field->a->text.data);
        if (!key)
            comparing->status = AT_NOMEM;
        else
            add_field(comparing, key, AT_DIFF_REMOVED, field->line);
    }
}

static void compare_values(struct comparing *comparing, const char *name, const struct at_node *was,
                           const struct at_node *now, int depth) {
    uint64_t before, after;
    if (depth < FIELD_DEEP && is_keyed(was) && is_keyed(now))
        return compare_tables(comparing, name, was, now, depth);
    enum at_status status = diff_hash(comparing->arena, comparing->before->file, was, &before);
    if (status == AT_OK) status = diff_hash(comparing->arena, comparing->after->file, now, &after);
    comparing->status = status;
    if (status != AT_OK || before == after) return;
    struct at_diff_field *made = add_field(comparing, name, AT_DIFF_CHANGED, now->line);
    if (!made) return;
    if (is_plain(comparing->before->file, was) && is_plain(comparing->after->file, now)) {
        tell_value(comparing, comparing->before->file, was, &made->was);
        tell_value(comparing, comparing->after->file, now, &made->now);
    } else
        comparing->status = tell_lines(comparing, was, now, made);
}

/* ---- what stands elsewhere ---- */

static const struct diff_reached *same_reached(const struct diff_declared *declared,
                                               const struct diff_reached *wanted) {
    const struct diff_reached *at = declared->reached;
    while (at && (strcmp(at->name, wanted->name) != 0 || strcmp(at->path, wanted->path) != 0)) at = at->next;
    return at;
}

static void add_through(struct comparing *comparing, const char *name, const char *path) {
    for (const struct at_diff_through *at = comparing->change->through; at; at = at->next)
        if (strcmp(at->name, name) == 0 && strcmp(at->path, path) == 0) return;
    struct at_diff_through *made = at_arena_zalloc(comparing->arena, sizeof *made);
    if (!made) {
        comparing->status = AT_NOMEM;
        return;
    }
    made->name = name;
    made->path = path;
    *comparing->next_through = made;
    comparing->next_through = &made->next;
}

/* Of one name there may be several statements (weights, weights.x): all of one name together. */
static uint64_t hash_of_name(const struct diff_declared *declared, const struct diff_reached *wanted) {
    uint64_t hash = 0;
    for (const struct diff_reached *at = declared->reached; at; at = at->next)
        if (strcmp(at->name, wanted->name) == 0 && strcmp(at->path, wanted->path) == 0)
            hash = hash * 31 + at->hash;
    return hash;
}

static bool was_moved(const struct comparing *comparing) {
    return comparing->before->file != comparing->after->file &&
           strcmp(comparing->before->file->path, comparing->after->file->path) != 0;
}

static void compare_reached(struct comparing *comparing) {
    const struct diff_declared *before = comparing->before, *after = comparing->after;
    if (before->around != after->around) add_through(comparing, "the code around it", after->file->path);
    for (const struct diff_reached *at = after->reached; at; at = at->next) {
        const struct diff_reached *old = same_reached(before, at);
        if (!old || hash_of_name(before, old) != hash_of_name(after, at))
            add_through(comparing, at->name, at->path);
    }
    for (const struct diff_reached *at = before->reached; at && !comparing->change->fields; at = at->next)
        if (!same_reached(after, at)) add_through(comparing, at->name, at->path);
}

/* ---- declarations ---- */

struct diffing {
    struct at_arena *arena;
    struct diff_side before, after;
    struct at_diff_change **list;
    uint32_t count;
};

static struct at_diff_change *new_change(struct diffing *diffing, const struct diff_declared *declared,
                                         enum at_diff_did did) {
    struct at_diff_change *made = at_arena_zalloc(diffing->arena, sizeof *made);
    if (!made) return NULL;
    *made = (struct at_diff_change){.noun = declared->noun,
                                    .name = declared->name,
                                    .did = did,
                                    .path = declared->file->path,
                                    .line = declared->line};
    diffing->list[diffing->count++] = made;
    return made;
}

static struct diff_declared *find_declared(struct diff_side *side, const struct diff_declared *wanted) {
    struct diff_declared *at = side->declared;
    while (at &&
           (at->is_matched || strcmp(at->noun, wanted->noun) != 0 || strcmp(at->name, wanted->name) != 0))
        at = at->next;
    return at;
}

static enum at_status compare_declared(struct diffing *diffing, struct diff_declared *before,
                                       struct diff_declared *after) {
    struct at_diff_change *change = new_change(diffing, after, AT_DIFF_CHANGED);
    if (!change) return AT_NOMEM;
    struct comparing comparing = {.arena = diffing->arena,
                                  .change = change,
                                  .before = before,
                                  .after = after,
                                  .next_field = &change->fields,
                                  .next_through = &change->through,
                                  .is_secret = strcmp(after->noun, "setting") == 0,
                                  .status = AT_OK};
    before->is_matched = after->is_matched = true;
    compare_values(&comparing, "", before->value, after->value, 0);
    if (comparing.status == AT_OK) compare_reached(&comparing);
    if (change->fields || change->through || comparing.status != AT_OK) return comparing.status;
    if (was_moved(&comparing)) {
        change->did = AT_DIFF_MOVED;
        change->was_path = before->file->path;
    } else
        diffing->count--;
    return AT_OK;
}

/* ---- files of which no declaration tells ---- */

static bool tells_of(const struct diffing *diffing, const char *path) {
    for (uint32_t i = 0; i < diffing->count; i++) {
        const struct at_diff_change *change = diffing->list[i];
        if (strcmp(change->path, path) == 0) return true;
        if (change->was_path && strcmp(change->was_path, path) == 0) return true;
        for (const struct at_diff_through *at = change->through; at; at = at->next)
            if (strcmp(at->path, path) == 0) return true;
    }
    return false;
}

static const struct diff_file *find_file(const struct diff_side *side, const char *path) {
    for (uint32_t i = 0; i < side->count; i++)
        if (strcmp(side->files[i].path, path) == 0) return &side->files[i];
    return NULL;
}

static enum at_status add_file(struct diffing *diffing, const struct diff_file *file, enum at_diff_did did) {
    bool is_module = strncmp(file->path, "scripts/lib/", 12) == 0;
    if (strcmp(file->path, "shop.lua") == 0 || (!is_module && tells_of(diffing, file->path))) return AT_OK;
    struct diff_declared declared = {
        .noun = is_module ? "module" : "script", .name = file->path, .file = file, .line = 1};
    return new_change(diffing, &declared, did) ? AT_OK : AT_NOMEM;
}

static enum at_status compare_files(struct diffing *diffing) {
    enum at_status status = AT_OK;
    for (uint32_t i = 0; i < diffing->after.count && status == AT_OK; i++) {
        const struct diff_file *file = &diffing->after.files[i],
                               *old = find_file(&diffing->before, file->path);
        if (!old || old->hash != file->hash)
            status = add_file(diffing, file, old ? AT_DIFF_CHANGED : AT_DIFF_ADDED);
    }
    for (uint32_t i = 0; i < diffing->before.count && status == AT_OK; i++)
        if (!find_file(&diffing->after, diffing->before.files[i].path))
            status = add_file(diffing, &diffing->before.files[i], AT_DIFF_REMOVED);
    return status;
}

/* ---- all of it ---- */

static const char *const order[] = {"ranking", "rail", "segment", "test", NULL};
static int place_of(const char *noun) {
    int place = 0;
    if (strcmp(noun, "module") == 0) return 100;
    if (strcmp(noun, "script") == 0) return 101;
    if (strcmp(noun, "setting") == 0) return 102;
    while (order[place] && strcmp(order[place], noun) != 0) place++;
    return place;
}
static int compare_changes(const void *a, const void *b) {
    const struct at_diff_change *x = *(struct at_diff_change *const *)a,
                                *y = *(struct at_diff_change *const *)b;
    int by_place = place_of(x->noun) - place_of(y->noun), by_noun = strcmp(x->noun, y->noun);
    if (by_place || by_noun) return by_place ? by_place : by_noun;
    int by_name = strcmp(x->name, y->name);
    return by_name ? by_name : (int)x->line - (int)y->line;
}

static bool is_module(struct at_text path) {
    return path.length > 12 && memcmp(path.data, "scripts/lib/", 12) == 0;
}

static bool is_there(const struct at_diff_side *side, const struct at_source_file *file) {
    for (uint32_t i = 0; i < side->count; i++)
        if (at_text_equal(side->files[i].path, file->path))
            return at_text_equal(side->files[i].text, file->text);
    return false;
}

/* Files that are the same need no look, unless a module they may require is another. */
static bool *choose_files(struct at_arena *arena, const struct at_diff_side *side,
                          const struct at_diff_side *other, bool *has_module) {
    bool *is_wanted = at_arena_alloc(arena, side->count + 1);
    for (uint32_t i = 0; is_wanted && i < side->count; i++) {
        is_wanted[i] = !is_there(other, &side->files[i]);
        *has_module |= is_wanted[i] && is_module(side->files[i].path);
    }
    return is_wanted;
}

static enum at_status read_sides(struct diffing *diffing, const struct at_diff_side *before,
                                 const struct at_diff_side *after) {
    bool has_module = false;
    bool *of_before = choose_files(diffing->arena, before, after, &has_module);
    bool *of_after = choose_files(diffing->arena, after, before, &has_module);
    if (!of_before || !of_after) return AT_NOMEM;
    if (has_module) {
        memset(of_before, true, before->count);
        memset(of_after, true, after->count);
    }
    bool has_settings = before->settings.data && after->settings.data;
    struct at_diff_side x = *before, y = *after;
    if (!has_settings) x.settings = y.settings = (struct at_text){NULL, 0};
    enum at_status status = diff_side_read(&diffing->before, &x, of_before);
    return status == AT_OK ? diff_side_read(&diffing->after, &y, of_after) : status;
}

static enum at_status compare_sides(struct diffing *diffing) {
    enum at_status status = AT_OK;
    uint32_t most = diffing->before.count + diffing->after.count + 1;
    for (const struct diff_declared *at = diffing->before.declared; at; at = at->next) most++;
    for (const struct diff_declared *at = diffing->after.declared; at; at = at->next) most++;
    diffing->list = at_arena_alloc(diffing->arena, most * sizeof(struct at_diff_change *));
    if (!diffing->list) return AT_NOMEM;
    for (struct diff_declared *at = diffing->after.declared; at && status == AT_OK; at = at->next) {
        struct diff_declared *old = find_declared(&diffing->before, at);
        if (old)
            status = compare_declared(diffing, old, at);
        else if (!new_change(diffing, at, AT_DIFF_ADDED))
            status = AT_NOMEM;
    }
    for (struct diff_declared *at = diffing->before.declared; at && status == AT_OK; at = at->next)
        if (!at->is_matched && !new_change(diffing, at, AT_DIFF_REMOVED)) status = AT_NOMEM;
    return status == AT_OK ? compare_files(diffing) : status;
}

enum at_status at_diff(struct at_arena *arena, const struct at_diff_side *before,
                       const struct at_diff_side *after, struct at_diff_change **out) {
    struct diffing diffing = {arena, {.arena = arena}, {.arena = arena}, NULL, 0};
    *out = NULL;
    enum at_status status = read_sides(&diffing, before, after);
    if (status == AT_OK) status = compare_sides(&diffing);
    if (status != AT_OK) return status;
    qsort(diffing.list, diffing.count, sizeof(struct at_diff_change *), compare_changes);
    for (uint32_t i = diffing.count; i-- > 0;) {
        diffing.list[i]->next = *out;
        *out = diffing.list[i];
    }
    return AT_OK;
}
