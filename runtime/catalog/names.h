/* SPDX-License-Identifier: Apache-2.0
 *
 * Index of names: product ids, variant ids and SKUs → row. Append-only; one writer, readers without locks. A
 * slot is 32 bytes with the key inside (≤ 23 bytes, longer ones through a pointer), so that a look-up touches
 * one cache line. The writer prepares entries while it stages (may fail), reserves room, and then sets them
 * all (cannot fail).
 */
#ifndef AT_CATALOG_NAMES_H
#define AT_CATALOG_NAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/bytes.h"
#include "catalog/intern.h"

#define AT_NAME_INLINE 23
#define AT_NAME_LONG   24 /* value of length when the key is a pointer to an at_string */
struct at_name_slot {
    _Atomic uint32_t row; /* changes when a product takes its own id back from an alias */
    uint32_t hash;
    _Atomic uint8_t length; /* 0: free; written last */
    char key[AT_NAME_INLINE];
};

struct at_name_table;
struct at_names {
    struct at_account *account;
    _Atomic(struct at_name_table *) table;
    uint32_t count;
    struct at_interner *long_keys;
};

bool at_names_init(struct at_names *names, struct at_account *account);
void at_names_clear(struct at_names *names);
/* false: out of memory. name: 1 … UINT32_MAX bytes. */
bool at_names_prepare(struct at_names *names, struct at_text name, uint32_t row, struct at_name_slot *entry);
struct at_text at_names_text(const struct at_name_slot *entry); /* the key, lent as long as the entry */
bool at_names_reserve(struct at_names *names, uint32_t more);
void at_names_set(struct at_names *names, const struct at_name_slot *entry);
uint32_t at_names_find(const struct at_names *names, struct at_text name); /* UINT32_MAX: unknown */
void at_names_find_many(const struct at_names *names, const struct at_text *texts, size_t count,
                        uint32_t *rows);

#endif
