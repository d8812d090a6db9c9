/* SPDX-License-Identifier: Apache-2.0
 *
 * Which rails apply to a place and moment, and what each says about candidates. Called by ranking/; owns
 * nothing.
 */
#include <math.h>
#include <string.h>
#include "base/kernel.h"
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

/* Whether it holds, the other way round if flipped; how many answers are no numbers. */
AT_KERNEL static uint32_t read_answers(const double *restrict answers, uint32_t count, bool is_flipped,
                                       uint8_t *restrict verdict) {
    uint32_t odd = 0;
    for (uint32_t i = 0; i < count; i++) {
        verdict[i] = (uint8_t)((answers[i] > 0) ^ is_flipped);
        odd += answers[i] != answers[i];
    }
    return odd;
}

static void read_verdicts(const struct at_rail *rail, const double *answers, uint32_t count, uint8_t *verdict,
                          uint32_t *failed) {
    bool fails_closed = rail->kind == AT_RAIL_HIDE;
    *failed = 0;
    if (!read_answers(answers, count, rail->kind == AT_RAIL_ONLY, verdict)) return;
    for (uint32_t i = 0; i < count; i++) {
        *failed += has_failed(answers[i]);
        verdict[i] |= fails_closed && has_failed(answers[i]);
    }
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
