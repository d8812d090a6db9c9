/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing a product's new document: a PUT as it came (one "id", first, and the last of members with one
 * name), a PATCH by RFC 7396 (JSON Merge Patch) over the old one, where {"add": n} to a number counts instead
 * of merging.
 */
#include <stdio.h>
#include "catalog/internal.h"

static struct at_json get_member(struct at_json object, struct at_text key) {
    struct at_json found = {0};
    if (!at_json_is_object(object)) return found;
    struct at_json_each it = at_json_each(object);
    while (at_json_next(&it))
        if (at_text_equal(it.key, key)) found = it.value;
    return found;
}

static enum at_status merge_value(struct at_json_out *out, struct at_json old, struct at_json patch,
                                  int depth, struct at_error *err);

static enum at_status merge_object(struct at_json_out *out, struct at_json old, struct at_json patch,
                                   int depth, struct at_error *err) {
    enum at_status status = AT_OK;
    if (depth > AT_DEPTH_MAX)
        return at_fail(err, AT_TOOBIG, "too_deep", "the patch is nested more than %d deep", AT_DEPTH_MAX);
    if (at_json_count(patch) > AT_MEMBERS_MAX ||
        (at_json_is_object(old) && at_json_count(old) > AT_MEMBERS_MAX))
        return at_fail(err, AT_TOOBIG, "too_many_members", "an object in a patch has more than %d members",
                       AT_MEMBERS_MAX);
    at_json_open(out, '{');
    if (at_json_is_object(old)) {
        struct at_json_each kept = at_json_each(old);
        while (status == AT_OK && at_json_next(&kept)) {
            if (get_member(old, kept.key).at != kept.value.at) continue; /* a later one of that name wins */
            struct at_json change = get_member(patch, kept.key);
            if (at_json_is_null(change)) continue;
            at_json_key_text(out, kept.key);
            if (change.tape)
                status = merge_value(out, kept.value, change, depth, err);
            else
                at_json_put_value(out, kept.value);
        }
    }
    struct at_json_each added = at_json_each(patch);
    while (status == AT_OK && at_json_next(&added)) {
        if (at_json_is_null(added.value) || get_member(old, added.key).tape) continue;
        if (get_member(patch, added.key).at != added.value.at) continue;
        at_json_key_text(out, added.key);
        status = merge_value(out, (struct at_json){0}, added.value, depth, err);
    }
    at_json_close(out, '}');
    return status;
}

static enum at_status merge_value(struct at_json_out *out, struct at_json old, struct at_json patch,
                                  int depth, struct at_error *err) {
    if (at_json_is_object(patch)) return merge_object(out, old, patch, depth + 1, err);
    at_json_put_value(out, patch);
    return AT_OK;
}

/* {"add": n} for an attribute that is a number. */
static bool is_count(const struct at_root *root, struct at_text key, struct at_json patch, double *by) {
    if (!at_json_is_object(patch) || at_json_count(patch) != 1) return false;
    int attribute = at_root_attribute(root, key.data, key.length);
    if (attribute < 0 || at_root_attribute_at(root, attribute)->kind != AT_ATTRIBUTE_NUMBER) return false;
    return at_json_number(at_json_get(patch, "add"), by);
}

/* What is missing counts from 0. */
static enum at_status put_count(struct at_json_out *out, struct at_text key, struct at_json old, double by,
                                struct at_error *err) {
    double value = 0;
    char name[64];
    at_json_number(old, &value);
    snprintf(name, sizeof name, "%.*s", (int)key.length, key.data);
    if (at_text_is(key, "stock") && value + by < 0)
        return at_fail_field(err, AT_INVALID, "below_zero", "stock",
                             "stock cannot fall below 0: it is %.15g and the change adds %.15g", value, by);
    if (!isfinite(value + by))
        return at_fail_field(err, AT_INVALID, "bad_number", name, "%s would be too large a number", name);
    at_json_key_text(out, key);
    at_json_put_number(out, value + by);
    return AT_OK;
}

/* One member of the document itself. */
static enum at_status merge_member(const struct at_root *root, struct at_json_out *out, struct at_text key,
                                   struct at_json old, struct at_json patch, struct at_error *err) {
    double by;
    if (is_count(root, key, patch, &by)) return put_count(out, key, old, by, err);
    at_json_key_text(out, key);
    return merge_value(out, old, patch, 0, err);
}

static enum at_status merge_members(const struct at_root *root, struct at_json_out *out, struct at_json old,
                                    struct at_json patch, struct at_error *err) {
    enum at_status status = AT_OK;
    struct at_json_each kept = at_json_each(old), added = at_json_each(patch);
    while (status == AT_OK && at_json_next(&kept)) {
        struct at_json change = get_member(patch, kept.key);
        if (at_text_is(kept.key, "id") || at_json_is_null(change)) continue;
        if (change.tape) {
            status = merge_member(root, out, kept.key, kept.value, change, err);
        } else {
            at_json_key_text(out, kept.key);
            at_json_put_value(out, kept.value);
        }
    }
    while (status == AT_OK && at_json_next(&added)) {
        if (at_text_is(added.key, "id") || at_json_is_null(added.value) || get_member(old, added.key).tape)
            continue;
        if (get_member(patch, added.key).at != added.value.at) continue;
        status = merge_member(root, out, added.key, (struct at_json){0}, added.value, err);
    }
    return status;
}

enum at_status at_document_merge(const struct at_root *root, struct at_text id, struct at_json old,
                                 struct at_json patch, struct at_bytes *bytes, struct at_error *err) {
    struct at_json_out out = at_json_out(bytes);
    if (at_json_count(patch) > AT_MEMBERS_MAX)
        return at_fail(err, AT_TOOBIG, "too_many_members", "a patch has more than %d members",
                       AT_MEMBERS_MAX);
    at_json_open(&out, '{');
    at_json_add_text(&out, "id", id);
    enum at_status status = merge_members(root, &out, old, patch, err);
    at_json_close(&out, '}');
    return status;
}

void at_document_write(struct at_text id, const struct at_members *members, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    at_json_open(&out, '{');
    at_json_add_text(&out, "id", id);
    for (uint32_t i = 0; i < members->count; i++) {
        if (at_text_is(members->list[i].key, "id")) continue;
        at_json_key_text(&out, members->list[i].key);
        at_json_put_value(&out, members->list[i].value);
    }
    at_json_close(&out, '}');
}
