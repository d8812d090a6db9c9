/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts how often each 64-bit hash came, in eight bytes an entry, with a ceiling: the occurrence numbers of
 * equal lines in a long file. Of a hash the upper 52 bits count; hashes that share them share their numbers,
 * which then are still each given once to either. One thread.
 */
#ifndef AT_BASE_TALLY_H
#define AT_BASE_TALLY_H

#include <stddef.h>
#include <stdint.h>

struct at_tally {
    uint64_t *slots; /* 52 bits of the hash, 12 bits of count; 0: free */
    size_t count, capacity, max_entries;
};

void at_tally_init(struct at_tally *tally, size_t max_entries); /* allocates nothing */
void at_tally_clear(struct at_tally *tally);
/* The how-manieth it is, from 1. 0: out of memory, or over the ceiling; nothing was counted. */
uint64_t at_tally_add(struct at_tally *tally, uint64_t hash);

#endif
