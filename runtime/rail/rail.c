/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rails apply to a place and moment, and what each says about candidates. Called by ranking/; owns
 * nothing.
 */
#include <math.h>
#include <string.h>
#include "rail/rail.h"

/* "product" is every "product" and "product/…". */
static bool covers(struct at_text on, struct at_text place) {
    if (place.length < on.length || memcmp(place.data, on.data, on.length) != 0) return false;
    return place.length == on.length || place.data[on.length] == '/';
}

bool at_rail_applies(const struct at_rail *rail, const struct at_place *place) {
    if (rail->from_ms && place->now_ms < rail->from_ms) return false;
    if (rail->to_ms && place->now_ms >= rail->to_ms) return false;
    if (!rail->on) return true;
    struct at_text on = at_text_of(rail->on);
    return covers(on, place->page) || at_text_equal(on, place->surface) || at_text_equal(on, place->list);
}

/* A condition's answer for one product: it holds, it does not, or it failed (NaN that is not missing). */
static bool has_failed(double answer) {
    return answer != answer && !at_is_missing(answer);
}

static uint32_t count_failures(const double *answers, uint32_t count) {
    uint32_t odd = 0, failed = 0;
    for (uint32_t i = 0; i < count; i++) odd += answers[i] != answers[i];
    for (uint32_t i = 0; odd && i < count; i++) failed += has_failed(answers[i]);
    return failed;
}

static void read_verdicts(const struct at_rail *rail, const double *answers, uint32_t count, uint8_t *verdict,
                          uint32_t *failed) {
    bool is_only = rail->kind == AT_RAIL_ONLY, fails_closed = rail->kind == AT_RAIL_HIDE;
    *failed = count_failures(answers, count);
    for (uint32_t i = 0; i < count; i++) verdict[i] = (uint8_t)((answers[i] > 0) ^ is_only);
    for (uint32_t i = 0; *failed && fails_closed && i < count; i++) verdict[i] |= has_failed(answers[i]);
}

enum at_status at_rail_judge(const struct at_rail *rail, const struct at_judge *judge,
                             const struct at_candidates *candidates, uint8_t *verdict, uint32_t *failed,
                             struct at_error *err) {
    *failed = 0;
    double *answers = at_arena_alloc(candidates->arena, (candidates->count + 1) * sizeof *answers);
    if (!answers) return at_fail(err, AT_NOMEM, NULL, "out of memory while judging rail \"%s\"", rail->name);
    enum at_status status = judge->judge(judge->arg, candidates, answers, err);
    if (status != AT_OK) {
        *failed = candidates->count;
        memset(verdict, rail->kind == AT_RAIL_BURY ? 0 : 1, candidates->count);
        return status;
    }
    read_verdicts(rail, answers, candidates->count, verdict, failed);
    return AT_OK;
}
