/* SPDX-License-Identifier: Apache-2.0
 *
 * Records by key in bounded memory. While all fit, they are all there and what is counted over them is exact.
 * Once there are more, half of the keys go, chosen by a hash of their group, and of those that come later the
 * same half is not taken (adaptive sampling: Flajolet, Computing 43, 1990); and so on, each time a level up.
 * What is left is a fair sample: a count over it times 2^level is an estimate, whose error at_sample_error
 * gives. A group stays or goes together: give a person as the group of what belongs to it, and what is
 * counted per person stays whole.
 *
 * One owner, one thread. A record moves when another is put: keep no pointer over a put.
 */
#ifndef AT_MEASURE_SAMPLE_H
#define AT_MEASURE_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"

struct at_sample {
    unsigned char *slots; /* key, group if there are groups, value; key 0: free */
    size_t value_bytes, value_at, slot_bytes;
    size_t count, capacity, capacity_max; /* of slots */
    uint32_t level;
    bool has_failed; /* not even the smallest table could be had: what it says is worth nothing */
    struct at_account *account;
};

struct at_sample_options {
    size_t value_bytes;         /* of a record, a multiple of 8 */
    size_t max_bytes;           /* never more, growing included; but 64 records there are always */
    bool has_groups;            /* else every key is a group of its own */
    struct at_account *account; /* what it holds is counted there; may be NULL */
};
void at_sample_init(struct at_sample *sample, const struct at_sample_options *options);
void at_sample_clear(struct at_sample *sample);
/* The record of the key, zeroed if it is new (*is_new; may be NULL). NULL: its group (without groups: the
 * key; group is not looked at) is not in the sample. */
void *at_sample_put(struct at_sample *sample, uint64_t key, uint64_t group, bool *is_new);
void *at_sample_get(const struct at_sample *sample, uint64_t key); /* NULL: not there */
/* for (size_t i = 0; (value = at_sample_next(sample, &i));) */
void *at_sample_next(const struct at_sample *sample, size_t *cursor);
/* What a count over the sample stands for. */
static inline uint64_t at_sample_scaled(const struct at_sample *sample, uint64_t count) {
    return count << sample->level;
}
/* Half of the 95 % interval of a scaled count, as a share of it: 0 while all are there. count: before it is
 * scaled. */
double at_sample_error(const struct at_sample *sample, uint64_t count);

#endif
