/* SPDX-License-Identifier: Apache-2.0
 *
 * One list asked for: reading the ask, running its ranking under the rails of its place.
 */
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "language/list.h"
#include "shop/internal.h"

#define ITEMS_MAX  10000
#define LIMIT_MAX  10000
#define FIELDS_MAX 32

static enum at_status want_count(struct at_json json, const char *name, uint32_t least, uint32_t most,
                                 uint32_t usual, uint32_t *out, struct at_error *err) {
    struct at_json value = at_json_get(json, name);
    int64_t n;
    *out = usual;
    if (!value.tape) return AT_OK;
    if (!at_json_int(value, &n) || n < (int64_t)least || n > (int64_t)most)
        return at_fail_field(err, AT_UNPROCESSABLE, "bad_number", name, "%s is a whole number from %u to %u",
                             name, least, most);
    *out = (uint32_t)n;
    return AT_OK;
}

/* ---- candidates ---- */

/* The worker's marks, for rows up to that many; NULL: out of memory. */
static uint64_t *row_marks(struct at_worker *worker, uint32_t rows) {
    size_t words = rows / 64 + 1;
    if (worker->row_mark_words >= words) return worker->row_marks;
    free(worker->row_marks);
    worker->row_mark_words = 0;
    worker->row_marks = calloc(words + words / 4, sizeof *worker->row_marks);
    if (worker->row_marks) worker->row_mark_words = words + words / 4;
    return worker->row_marks;
}

static enum at_status read_ids(struct at_json items, uint32_t count, struct at_text *ids,
                               struct at_error *err) {
    if (at_json_texts(items, ids, count) == count) return AT_OK; /* as they usually are */
    struct at_json_each it = at_json_each(items);
    for (uint32_t i = 0; i < count && at_json_next(&it); i++) {
        ids[i] = at_json_text(it.value);
        if (ids[i].data) continue;
        ids[i] = at_json_text(at_json_get(it.value, "id")); /* {"id":"SKU-1"} is understood too */
        if (!ids[i].data)
            return at_fail_field(err, AT_INVALID, "bad_item", "items", "items are ids: item %u is not a text",
                                 i + 1);
    }
    return AT_OK;
}

/* Rows of what is known, each once, in the order they came; what is not known stands in out->unknown. */
static enum at_status keep_known(struct decision *decision, const struct at_text *ids, uint32_t count,
                                 struct ask *out) {
    uint64_t *seen = row_marks(decision->job->worker, at_root_rows(decision->root));
    struct at_text *unknown = at_arena_alloc(decision->scratch, (count + 1) * sizeof *unknown);
    uint32_t kept = 0, unknown_count = 0;
    if (!seen || !unknown) return AT_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = out->rows[i];
        if (row == AT_ROW_NONE) {
            unknown[unknown_count++] = ids[i];
        } else {
            bool is_new = !(seen[row / 64] >> row % 64 & 1);
            seen[row / 64] |= 1ULL << row % 64;
            out->rows[kept] = row;
            kept += is_new;
        }
    }
    size_t words = at_root_rows(decision->root) / 64 + 1;
    if (kept > words / 4)
        memset(seen, 0, words * sizeof *seen);
    else
        for (uint32_t i = 0; i < kept; i++) seen[out->rows[i] / 64] = 0;
    out->row_count = kept;
    out->unknown = unknown;
    out->unknown_count = unknown_count;
    return AT_OK;
}

static enum at_status read_items(struct decision *decision, struct at_json items, struct ask *out,
                                 struct at_error *err) {
    struct at_arena *arena = decision->scratch;
    uint32_t count = at_json_count(items);
    if (count > ITEMS_MAX)
        return at_fail_field(err, AT_UNPROCESSABLE, "too_many_items", "items",
                             "an ask may send %d items, this one has %u: use \"where\"", ITEMS_MAX, count);
    struct at_text *ids = at_arena_alloc(arena, (count + 1) * sizeof *ids);
    out->rows = at_arena_alloc(arena, (count + 1) * sizeof *out->rows);
    if (!ids || !out->rows) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    enum at_status status = read_ids(items, count, ids, err);
    if (status != AT_OK) return status;
    at_root_row_many(decision->root, ids, count, out->rows);
    status = keep_known(decision, ids, count, out);
    return status == AT_OK ? AT_OK : at_fail(err, status, NULL, "out of memory");
}

static enum at_status read_where(struct decision *decision, struct at_json json, struct ask *out,
                                 struct at_error *err) {
    struct at_where *where = NULL;
    enum at_status status =
        json.tape ? at_where_parse(decision->root, decision->scratch, json, &where, err) : AT_OK;
    if (status != AT_OK) return status;
    uint32_t rows = at_root_live(decision->root);
    out->rows = at_arena_alloc(decision->scratch, (rows + 1) * sizeof *out->rows);
    if (!out->rows) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    at_where_rows(where, decision->root, out->rows, rows, &out->row_count);
    if (out->row_count > rows) out->row_count = rows;
    return AT_OK;
}

/* ---- the rest of an ask ---- */

static enum at_status read_sort(struct decision *decision, struct at_json json, struct ask *out,
                                struct at_error *err) {
    struct at_text name = at_json_text(json);
    if (!json.tape || at_json_is_null(json)) return AT_OK;
    if (!name.length)
        return at_fail_field(err, AT_INVALID, "bad_sort", "sort",
                             "sort is an attribute's name, \"-price\" from the highest");
    out->has_sort = true;
    return at_sort_read(decision->root, name, &out->sort, err);
}

static enum at_status read_fields(struct decision *decision, struct at_json json, struct ask *out,
                                  struct at_error *err) {
    if (!json.tape) return AT_OK;
    if (!at_json_is_array(json))
        return at_fail_field(err, AT_INVALID, "bad_fields", "fields", "fields is a list of attribute names");
    out->fields = at_arena_alloc(decision->scratch, FIELDS_MAX * sizeof *out->fields);
    if (!out->fields) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    struct at_json_each it = at_json_each(json);
    while (at_json_next(&it)) {
        if (!at_json_is_string(it.value))
            return at_fail_field(err, AT_INVALID, "bad_fields", "fields",
                                 "fields is a list of attribute names");
        if (out->field_count == FIELDS_MAX)
            return at_fail_field(err, AT_UNPROCESSABLE, "too_many_fields", "fields",
                                 "an ask may name %d fields", FIELDS_MAX);
        out->fields[out->field_count++] = at_json_text(it.value);
    }
    return AT_OK;
}

static const char *const LATER_KINDS[] = {"recommendation", "creative", "search", "offer", "assist"};
static const char *const LATER_PARTS[] = {"facets", "each", "q"};
static const char *const KNOWN[] = {"ranking", "where", "items",  "sort",
                                    "fields",  "limit", "offset", "product"};
static const char *const KNOWN_BODY[] = {"customer", "context",  "explain", "dry_run", "decision",
                                         "at",       "writeKey", "why_not", "proof",   "ask"};

static bool is_one_of(struct at_text name, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (at_text_is(name, words[i])) return true;
    return false;
}

static enum at_status check_names(struct at_json json, bool is_rank, struct at_error *err) {
    struct at_json_each it = at_json_each(json);
    while (at_json_next(&it)) {
        if (is_one_of(it.key, KNOWN, AT_LENGTH(KNOWN))) continue;
        if (is_rank && is_one_of(it.key, KNOWN_BODY, AT_LENGTH(KNOWN_BODY))) continue;
        for (size_t i = 0; i < AT_LENGTH(LATER_KINDS); i++)
            if (at_text_is(it.key, LATER_KINDS[i]))
                return at_fail_field(err, AT_UNPROCESSABLE, "not_in_this_version", LATER_KINDS[i],
                                     "\"%s\" is not in this version: ask for a ranking", LATER_KINDS[i]);
        for (size_t i = 0; i < AT_LENGTH(LATER_PARTS); i++)
            if (at_text_is(it.key, LATER_PARTS[i]))
                return at_fail_field(err, AT_UNPROCESSABLE, "not_in_this_version", LATER_PARTS[i],
                                     "\"%s\" is not in this version: leave it out", LATER_PARTS[i]);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(it.key.length < 60 ? it.key.length : 60), it.key.data);
        const char *near = at_suggest(name, KNOWN, AT_LENGTH(KNOWN));
        return at_fail_field(err, AT_UNPROCESSABLE, "unknown_field", name,
                             near ? "an ask has no \"%s\" — did you mean \"%s\"?" : "an ask has no \"%s\"%s",
                             name, near ? near : "");
    }
    return AT_OK;
}

enum at_status ask_parse(struct decision *decision, struct at_json json, bool is_rank, struct ask *out,
                         struct at_error *err) {
    memset(out, 0, sizeof *out);
    out->json = json;
    if (!at_json_is_object(json))
        return at_fail(err, AT_INVALID, "bad_ask", "an ask is an object: {\"ranking\":\"…\",\"where\":{…}}");
    enum at_status status = check_names(json, is_rank, err);
    if (status != AT_OK) return status;
    struct at_json ranking = at_json_get(json, "ranking"), items = at_json_get(json, "items"),
                   where = at_json_get(json, "where");
    if (!at_json_is_string(ranking))
        return at_fail_field(err, AT_UNPROCESSABLE, "no_ranking", "ranking",
                             "say which ranking: \"ranking\":\"collection\"");
    out->ranking = out->list = at_json_text(ranking);
    if (items.tape && where.tape)
        return at_fail_field(err, AT_UNPROCESSABLE, "items_and_where", "where",
                             "send items or where, not both");
    if (items.tape && !at_json_is_array(items))
        return at_fail_field(err, AT_INVALID, "bad_items", "items", "items is a list of ids");
    status = items.tape ? read_items(decision, items, out, err) : read_where(decision, where, out, err);
    if (status == AT_OK) status = want_count(json, "limit", 1, LIMIT_MAX, 24, &out->limit, err);
    if (status == AT_OK) status = want_count(json, "offset", 0, UINT32_MAX >> 2, 0, &out->offset, err);
    if (status == AT_OK) status = read_sort(decision, at_json_get(json, "sort"), out, err);
    if (status == AT_OK) status = read_fields(decision, at_json_get(json, "fields"), out, err);
    return status;
}

/* ---- running ---- */

static void note_result(struct decision *decision, struct answered *out) {
    struct at_shop *shop = decision->job->worker->shop;
    const struct at_rank_result *result = &out->result;
    if (result->has_score_failed) {
        out->fallback = at_arena_dup(decision->scratch, result->error.message, strlen(result->error.message));
        if (!out->fallback) out->fallback = "the script failed";
    }
    if (out->fallback) count_add(shop, COUNT_FALLBACKS, 1);
    if (result->bad_scores) count_add(shop, COUNT_BAD_SCORES, result->bad_scores);
    if (result->rail_failures) count_add(shop, COUNT_RAIL_FAILURES, result->rail_failures);
    if (result->explored_count) {
        decision->explored_now = result->explored;
        decision->explored_now_count = result->explored_count;
        decision->has_explored = true;
    }
    if (!result->has_score_failed && !result->failed_rail) return;
    live_tell_script(shop, result->error.message);
}

enum at_status ask_run(struct decision *decision, const struct ask *ask, struct answered *out,
                       struct at_error *err) {
    const struct at_generation *generation = decision->serving->generation;
    struct at_worker *worker = decision->job->worker;
    memset(out, 0, sizeof *out);
    out->ranking = at_generation_ranking(generation, ask->ranking);
    if (!out->ranking && generation->id) return at_list_unknown(generation, ask->ranking, err);
    if (!out->ranking) out->fallback = "the scripts do not pass their check: catalog order";
    struct at_language *language = serving_language(decision->serving, worker);
    if (!language) out->fallback = "the scripts could not be loaded: catalog order";
    bool has_shown = decision->shown && decision->shown->count >= at_root_rows(decision->root);
    struct at_list_ask list = {
        .generation = generation,
        .language = language,
        .view = &decision->view,
        .ranking = out->ranking,
        .place = {decision->page, AT_TEXT("ranking"), ask->list, decision->now_ms},
        .rank = {.candidates = ask->rows,
                 .candidate_count = ask->row_count,
                 .sort = ask->has_sort ? &ask->sort : NULL,
                 .shown = has_shown ? decision->shown->by_row : NULL,
                 .seed = decision->seed,
                 .explored = decision->explored,
                 .explored_count = decision->explored_count,
                 .offset = ask->offset,
                 .limit = ask->limit,
                 .wants_explanation = decision->explains},
    };
    struct at_list done;
    if (at_list_run(&list, &done) != AT_OK) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    out->result = done.result;
    out->score = done.score;
    out->rails = done.rails;
    out->rail_uses = done.rail_uses;
    out->rail_count = done.rail_count;
    note_result(decision, out);
    return AT_OK;
}
