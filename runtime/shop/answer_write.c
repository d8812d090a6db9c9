/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer of a list and its explanation as JSON.
 */
#include <string.h>
#include "profile/stated.h"
#include "shop/internal.h"

#define TOGETHER 64 /* items whose ids are read together */

static void write_list(const struct at_root *root, int attribute, uint32_t set, struct at_json_out *out) {
    uint32_t count;
    const uint32_t *codes = at_root_set(root, attribute, set, &count);
    at_json_open(out, '[');
    for (uint32_t i = 0; i < count; i++) at_json_put_text(out, at_root_text_of(root, attribute, codes[i]));
    at_json_close(out, ']');
}

static bool write_attribute(const struct at_root *root, uint32_t row, struct at_text name,
                            struct at_json_out *out) {
    int attribute = at_root_attribute(root, name.data, name.length);
    if (attribute < 0) return false;
    switch (at_root_attribute_at(root, attribute)->kind) {
    case AT_ATTRIBUTE_TEXT: {
        uint32_t code = at_root_code(root, attribute, row);
        if (!code) return false;
        at_json_add_text(out, at_root_attribute_at(root, attribute)->name,
                         at_root_text_of(root, attribute, code));
        return true;
    }
    case AT_ATTRIBUTE_LIST: {
        uint32_t set = at_root_code(root, attribute, row);
        if (!set) return false;
        at_json_key_text(out, name);
        write_list(root, attribute, set, out);
        return true;
    }
    default: {
        double value = at_root_number(root, attribute, row);
        if (at_is_missing(value)) return false;
        const char *key = at_root_attribute_at(root, attribute)->name;
        enum at_attribute_kind kind = at_root_attribute_at(root, attribute)->kind;
        if (kind == AT_ATTRIBUTE_BOOL)
            at_json_add_bool(out, key, value != 0);
        else if (kind == AT_ATTRIBUTE_DATE)
            at_json_add_time(out, key, (int64_t)value);
        else
            at_json_add_number(out, key, value);
        return true;
    }
    }
}

static void write_fields(struct decision *decision, const struct ask *ask, uint32_t row,
                         struct at_json_out *out) {
    bool needs_document = false;
    uint32_t missing = 0;
    struct at_text *left = at_arena_alloc(decision->scratch, (ask->field_count + 1) * sizeof *left);
    for (uint32_t i = 0; i < ask->field_count; i++)
        if (!write_attribute(decision->root, row, ask->fields[i], out) && left) {
            left[missing++] = ask->fields[i];
            needs_document = true;
        }
    if (!needs_document) return;
    /* What is no column (objects, long texts) comes from the document. */
    struct at_worker *worker = decision->job->worker;
    struct at_json_parser *parser = at_worker_take_parser(worker);
    struct at_text body = at_root_body(decision->root, row);
    struct at_json document;
    if (parser && body.data && at_json_parse(parser, body.data, body.length, false, &document, NULL) == AT_OK)
        for (uint32_t i = 0; i < missing; i++) {
            char name[128];
            snprintf(name, sizeof name, "%.*s", (int)(left[i].length < 127 ? left[i].length : 127),
                     left[i].data);
            struct at_json value = at_json_get(document, name);
            if (!value.tape) continue;
            at_json_key_text(out, left[i]);
            at_json_put_value(out, value);
        }
    if (parser) at_worker_give_parser(worker, parser);
}

/* What every item has, as it stands, without a look at each letter. */
static inline void put_part(struct at_json_out *out, struct at_text part) {
    if (out->needs_comma) at_bytes_add(out->bytes, ",", 1);
    at_bytes_add(out->bytes, part.data, part.length);
    out->needs_comma = false;
}

static void write_item(struct decision *decision, const struct ask *ask, const struct at_placed *item,
                       struct at_text id, struct at_json_out *out) {
    put_part(out, AT_TEXT("{\"id\":"));
    at_json_put_text(out, id);
    put_part(out, AT_TEXT("\"score\":"));
    at_json_put_rounded(out, item->score);
    if (item->propensity < 1) at_json_add_number(out, "propensity", item->propensity);
    if (ask->field_count) write_fields(decision, ask, item->row, out);
    at_json_close(out, '}');
}

static void write_items(struct decision *decision, const struct ask *ask, const struct at_rank_result *result,
                        struct at_json_out *out) {
    uint32_t rows[TOGETHER];
    struct at_text ids[TOGETHER];
    for (uint32_t first = 0; first < result->count; first += TOGETHER) {
        uint32_t count = result->count - first < TOGETHER ? result->count - first : TOGETHER;
        for (uint32_t i = 0; i < count; i++) rows[i] = result->items[first + i].row;
        at_root_ids(decision->root, rows, count, ids);
        for (uint32_t i = 0; i < count; i++)
            write_item(decision, ask, &result->items[first + i], ids[i], out);
    }
}

void ask_write(struct decision *decision, const struct ask *ask, const struct answered *answered,
               struct at_json_out *out) {
    const struct at_rank_result *result = &answered->result;
    at_json_key(out, "items");
    at_json_open(out, '[');
    if (!decision->explains) write_items(decision, ask, result, out);
    if (decision->explains) explain_write(decision, ask, answered, out);
    at_json_close(out, ']');
    at_json_add_int(out, "total", result->total);
    if (ask->unknown_count) {
        at_json_key(out, "unknown");
        at_json_open(out, '[');
        for (uint32_t i = 0; i < ask->unknown_count; i++) at_json_put_text(out, ask->unknown[i]);
        at_json_close(out, ']');
    }
    if (answered->fallback) at_json_add_string(out, "fallback", answered->fallback);
    if (decision->explains && decision->view.is_plain)
        at_json_add_string(out, "withheld",
                           "personalization is not allowed: learned features are 0, traits, history and "
                           "predictions nil");
    if (!decision->explains || !answered->ranking) return;
    char script[256];
    snprintf(script, sizeof script, "%s:%u", answered->ranking->path, answered->ranking->line);
    at_json_add_string(out, "script", script);
    if (result->failed_rail) at_json_add_string(out, "failed_rail", result->failed_rail);
    at_json_key(out, "not");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < result->withheld_count && i < 1000; i++) {
        const struct at_withheld *withheld = &result->withheld[i];
        at_json_open(out, '{');
        at_json_add_text(out, "id", at_root_id(decision->root, withheld->row));
        at_json_add_string(out, "because",
                           withheld->is_failure ? "failure"
                           : withheld->by_only  ? "only"
                                                : "hide");
        at_json_add_string(out, "rail", withheld->rail);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
    if (result->withheld_count > 1000) at_json_add_int(out, "not_shown", result->withheld_count - 1000);
}

/* ---- explanations ---- */

static void write_feature(void *arg, const char *name, double value, struct at_text text) {
    struct at_json_out *out = arg;
    if (text.data)
        at_json_add_text(out, name, text);
    else if (at_is_missing(value)) {
        at_json_key(out, name);
        at_json_put_null(out);
    } else
        at_json_add_number(out, name, value);
}

static void write_terms(const struct answered *answered, const struct at_placed *item,
                        struct at_json_out *out) {
    struct at_explained_term *terms;
    uint32_t count = 0;
    at_json_key(out, "features");
    at_json_open(out, '{');
    at_rule_features(answered->score, item->row, write_feature, out);
    at_json_close(out, '}');
    at_json_key(out, "terms");
    at_json_open(out, '[');
    if (at_rule_terms(answered->score, item->row, item->score, &terms, &count) != AT_OK) count = 0;
    for (uint32_t i = 0; i < count; i++) {
        at_json_open(out, '{');
        at_json_add_int(out, "line", terms[i].line);
        at_json_add_text(out, "text", terms[i].text);
        at_json_add_number(out, "value", terms[i].value + 0.0);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

/* ---- what the person said of a product's values ---- */

static bool has_value(const struct at_root *root, uint32_t row, const struct at_stated_taste *stated) {
    int attribute = at_root_attribute(root, stated->facet.data, stated->facet.length);
    if (attribute < 0 || !at_root_attribute_at(root, attribute)->is_facet) return false;
    uint32_t held = at_root_code(root, attribute, row), count = 1;
    uint32_t code = at_root_code_of(root, attribute, stated->value.data, stated->value.length);
    bool is_list = at_root_attribute_at(root, attribute)->kind == AT_ATTRIBUTE_LIST;
    const uint32_t *codes = held && is_list ? at_root_set(root, attribute, held, &count) : &held;
    for (uint32_t i = 0; held && code && i < count; i++)
        if (codes[i] == code) return true;
    return false;
}

/* The words that count, if this decision asked for tastes. */
static void write_stated(const struct decision *decision, uint32_t row, struct at_json_out *out) {
    const struct at_decision_view *view = &decision->view;
    const struct at_profile *profile = view->profile;
    bool is_open = false;
    if (!view->has_facets && !view->has_tastes) return;
    for (uint32_t i = 0; i < profile->stated_count; i++) {
        const struct at_stated_taste *stated = &profile->stated[i];
        if (at_stated_of(profile, stated->facet, stated->value) != stated ||
            !has_value(decision->root, row, stated))
            continue;
        if (!is_open) at_json_key(out, "stated");
        if (!is_open) at_json_open(out, '[');
        is_open = true;
        at_json_open(out, '{');
        at_json_add_text(out, "facet", stated->facet);
        at_json_add_text(out, "value", stated->value);
        at_json_add_string(out, "said", at_stated_trait(stated->is_like));
        at_json_add_time(out, "at", stated->at_ms);
        at_json_add_number(out, "strength", at_stated_strength(stated, view->now_ms));
        at_json_close(out, '}');
    }
    if (is_open) at_json_close(out, ']');
}

static uint32_t place_now(const struct answered *answered, uint32_t row, uint32_t guess) {
    for (uint32_t i = 0; answered->result.order && i < answered->result.total; i++)
        if (answered->result.order[i] == row) return i + 1;
    return guess;
}

static void explain_item(struct decision *decision, const struct ask *ask, const struct answered *answered,
                         const struct at_placed *item, uint32_t place, struct at_json_out *out) {
    at_json_open(out, '{');
    at_json_add_text(out, "id", at_root_id(decision->root, item->row));
    at_json_add_number(out, "score", item->score);
    if (item->propensity < 1) at_json_add_number(out, "propensity", item->propensity);
    if (ask->field_count) write_fields(decision, ask, item->row, out);
    if (answered->score && !answered->result.has_score_failed) {
        write_terms(answered, item, out);
        write_stated(decision, item->row, out);
    }
    at_json_key(out, "rails");
    at_json_open(out, '[');
    if (item->rail) {
        at_json_open(out, '{');
        at_json_add_string(out, "rail", item->rail);
        at_json_add_string(out, "did", strcmp(item->because, "pin") == 0 ? "pin" : "bury");
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
    at_json_key(out, "place");
    at_json_open(out, '{');
    at_json_add_int(out, "by_score", item->by_score);
    at_json_add_int(out, "now", place);
    at_json_add_string(out, "because", item->because);
    at_json_close(out, '}');
    at_json_close(out, '}');
}

void explain_write(struct decision *decision, const struct ask *ask, const struct answered *answered,
                   struct at_json_out *out) {
    for (uint32_t i = 0; i < answered->result.count; i++) {
        const struct at_placed *item = &answered->result.items[i];
        explain_item(decision, ask, answered, item, place_now(answered, item->row, ask->offset + i + 1), out);
    }
}
