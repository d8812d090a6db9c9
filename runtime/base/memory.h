/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger: named accounts that caches, queues, the catalog, SQLite and Lua draw from, so that the
 * whole stays within --memory. Accounts only count; malloc does the work. Thread-safe, lock-free.
 */
#ifndef AT_BASE_MEMORY_H
#define AT_BASE_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum at_account_name {
    AT_ACCOUNT_PROFILES,  /* profile snapshots and their cache */
    AT_ACCOUNT_IDENTITY,  /* identifiers in memory */
    AT_ACCOUNT_MESSAGES,  /* deduplication */
    AT_ACCOUNT_DECISIONS, /* decisions that can be continued or explained */
    AT_ACCOUNT_CATALOG,   /* columns, dictionaries, product documents */
    AT_ACCOUNT_STORE,     /* SQLite */
    AT_ACCOUNT_QUEUES,    /* commit queue, log tail */
    AT_ACCOUNT_LUA,       /* script states */
    AT_ACCOUNT_REQUESTS,  /* connections, bodies, arenas */
    AT_ACCOUNT_COUNT
};

struct at_account {
    const char *name; /* as in the metrics: "profiles" */
    size_t limit;     /* bytes */
    _Atomic size_t used;
};

struct at_ledger {
    size_t limit; /* bytes: --memory */
    struct at_account accounts[AT_ACCOUNT_COUNT];
};

/* Share out limit bytes over the accounts by fixed percentages. limit 0: the default, 1 GiB. */
void at_ledger_init(struct at_ledger *ledger, size_t limit_bytes);
/* Draw: false and nothing drawn if it would pass the account's limit. */
bool at_account_draw(struct at_account *account, size_t bytes);
/* Draw whatever the limit; for what must not fail (counted, the owner evicts afterwards). */
void at_account_force(struct at_account *account, size_t bytes);
void at_account_give(struct at_account *account, size_t bytes);
static inline size_t at_account_used(const struct at_account *account) {
    return atomic_load_explicit(&account->used, memory_order_relaxed);
}
static inline bool at_account_over(const struct at_account *account) {
    return at_account_used(account) > account->limit;
}
bool at_ledger_over(const struct at_ledger *ledger); /* all accounts together pass --memory */
/* malloc for what is read here and there all over: from 2 MiB on in pages of that size where the system has
 * them, so that finding the page is not half of a look-up. free gives it back. */
void *at_wide_malloc(size_t bytes);
/* "256M", "1.5G", "4096K", "1000000" → bytes. */
int at_size_parse(const char *text, size_t *bytes_out); /* 0 ok, -1 malformed */

#endif
