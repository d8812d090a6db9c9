/* SPDX-License-Identifier: Apache-2.0
 *
 * A rule's numbers, product by product: what a program computes from a product's row alone is computed once
 * for every row and kept in one cache line a row, with the codes that a person's tastes look up. A run then
 * goes to one place a product instead of one a column. Filled little by little, and only when runs that went
 * without it have cost as much as it does. One owner, one thread, one version of the catalog.
 */
#ifndef AT_RANKING_PACK_H
#define AT_RANKING_PACK_H

#include "ranking/column.h"

struct at_pack;

/* What the packs of one owner hold together. */
struct at_pack_room {
    size_t limit, used;         /* bytes; one that would pass the limit is not filled */
    struct at_account *account; /* counts them too; NULL: none */
};

/* A pack for the result of a program whose nodes outlive it; nothing is computed yet. NULL: out of memory, or
 * it would not pay: a number of one look-up only, more than 512 bytes a row, more than the room's limit. */
struct at_pack *at_pack_new(const struct at_program *program, int result, struct at_pack_room *room);
void at_pack_free(struct at_pack *pack);
/* Called with the same nodes, bound to a person and a moment. True: program and result are now the packed
 * way to the same values, bit for bit (a condition: to whether it holds, 0 where it is missing). False: it is
 * not filled yet (or out of memory); run what you have. */
bool at_pack_use(struct at_pack *pack, struct at_program *program, int *result, uint32_t count);
/* Where the codes of an attribute stand in a row, in bytes; -1: it has none of them. */
int at_pack_codes_at(const struct at_pack *pack, int attribute);

/* What column_run.c reads. */
struct at_packed {
    const unsigned char *rows; /* NULL: none */
    uint32_t shift;            /* a row has 1 << shift bytes */
    const uint64_t *bits;      /* of AT_OP_VERDICT, 64 rows a word; NULL: none */
};
const struct at_packed *at_pack_rows(const struct at_pack *pack);

#endif
