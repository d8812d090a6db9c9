/* SPDX-License-Identifier: Apache-2.0
 *
 * What the audit's tests share: an audit that is fed events, products and order lines written in a line each,
 * and looking up what it found.
 */
#ifndef TESTS_UNIT_MEASURE_WORLD_H
#define TESTS_UNIT_MEASURE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "measure/audit.h"

#define NOW_MS 1795680000000LL /* 2026-11-26T08:00:00Z */

/* Events in a line. */
#define VISIT(user, id)                                                                                      \
    "{\"type\":\"page\",\"anonymousId\":\"v-" user "\",\"userId\":\"" user "\",\"messageId\":\"" id "\","    \
    "\"context\":{\"consent\":{\"categoryPreferences\":{\"analytics\":true,\"personalization\":true}}}}"
#define ORDER(user, order, more)                                                                             \
    "{\"type\":\"track\",\"event\":\"Order Completed\",\"anonymousId\":\"v-" user "\",\"userId\":\"" user    \
    "\",\"messageId\":\"m-" order "\",\"properties\":{\"order_id\":\"" order "\"," more "}}"
#define GOOD                                                                                                 \
    "\"currency\":\"EUR\",\"revenue\":20,\"products\":[{\"product_id\":\"p1\",\"price\":10,\"quantity\":2}]"

struct audit_world {
    struct at_audit *audit;
    struct at_json_parser *parser;
    struct at_arena arena;
    struct at_root *root;
    const struct at_audit_result *result;
};

static inline void audit_begin(struct audit_world *world, const struct at_audit_options *options) {
    struct at_audit_options usual = options ? *options : (struct at_audit_options){0};
    usual.now_ms = NOW_MS;
    *world = (struct audit_world){.audit = at_audit_new(&usual), .parser = at_json_parser_new(1 << 22, 64)};
    assert_true(world->audit && world->parser);
    at_arena_init(&world->arena, 1 << 24);
}

static inline void audit_end(struct audit_world *world) {
    at_audit_free(world->audit);
    at_json_parser_free(world->parser);
    at_arena_clear(&world->arena);
}

static inline struct at_json audit_json(struct audit_world *world, const char *text) {
    struct at_json json = {0};
    struct at_error err;
    at_arena_reset(&world->arena);
    if (at_json_parse(world->parser, text, strlen(text), false, &json, &err) != AT_OK)
        fail_msg("%s: %.200s", err.message, text);
    return json;
}

/* An event that happened and came ago_ms before NOW_MS; row: what else is to be said of it. */
static inline void audit_event_row(struct audit_world *world, const char *text, int64_t ago_ms,
                                   struct at_audit_event row) {
    struct at_event event;
    struct at_error err = {0};
    struct at_event_defaults defaults = {.received_ms = NOW_MS - ago_ms};
    if (at_event_parse(&world->arena, audit_json(world, text), &defaults, world->root, &event, &err) != AT_OK)
        fail_msg("%s: %s", err.message, text);
    row.event = &event;
    if (!row.at_ms) row.at_ms = event.at_ms;
    if (!row.received_ms) row.received_ms = NOW_MS - ago_ms;
    at_audit_event(world->audit, &row);
}

static inline void audit_event(struct audit_world *world, const char *text) {
    audit_event_row(world, text, 0, (struct at_audit_event){0});
}

/* Of somebody who agreed to both usual purposes. */
static inline void agreed(struct audit_world *world, const char *text) {
    static const struct at_text both[] = {{"analytics", 9}, {"personalization", 15}};
    audit_event_row(world, text, 0, (struct at_audit_event){.purposes = both, .purpose_count = 2});
}

static inline const struct at_audit_result *audit_result(struct audit_world *world) {
    if (!world->result) assert_int_equal(at_audit_finish(world->audit, &world->result), AT_OK);
    return world->result;
}

static inline const struct at_audit_finding *audit_found(struct audit_world *world, const char *code) {
    const struct at_audit_result *result = audit_result(world);
    for (uint32_t i = 0; i < result->finding_count; i++)
        if (strcmp(result->findings[i].code, code) == 0) return &result->findings[i];
    return NULL;
}

static inline uint64_t audit_part_of(const struct at_audit_finding *finding, const char *name) {
    for (uint32_t i = 0; i < finding->part_count; i++)
        if (strcmp(finding->parts[i].name, name) == 0) return finding->parts[i].count;
    return 0;
}

static inline bool audit_shows(const struct at_audit_finding *finding, const char *example) {
    for (uint32_t i = 0; i < finding->example_count; i++)
        if (strcmp(finding->examples[i], example) == 0) return true;
    return false;
}

/* That many of so many, and the example if there is one. */
static inline void audit_expect(struct audit_world *world, int line, const char *code, uint64_t count,
                                uint64_t of, const char *example) {
    const struct at_audit_finding *found = audit_found(world, code);
    if (!found) {
        fail_msg("line %d: no %s", line, code);
        return;
    }
    if (found->count != count || found->of != of)
        fail_msg("line %d: %s %llu of %llu", line, code, (unsigned long long)found->count,
                 (unsigned long long)found->of);
    if (example && !audit_shows(found, example))
        fail_msg("line %d: %s does not show %s but %s", line, code, example, found->examples[0]);
}
#define FOUND(world, code, count, of, example) audit_expect(world, __LINE__, code, count, of, example)
#define PART(world, code, name, n)             assert_int_equal(audit_part_of(audit_found(world, code), name), n)

/* Nothing but these codes, a list ended by NULL. */
static inline void audit_only(struct audit_world *world, const char *const *codes) {
    const struct at_audit_result *result = audit_result(world);
    for (uint32_t i = 0; i < result->finding_count; i++) {
        const char *const *code = codes;
        while (*code && strcmp(*code, result->findings[i].code) != 0) code++;
        if (!*code)
            fail_msg("%s: %llu", result->findings[i].code, (unsigned long long)result->findings[i].count);
    }
}

#endif
