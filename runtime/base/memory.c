/* SPDX-License-Identifier: Apache-2.0
 *
 * The ledger's accounts: who may hold how much of --memory. Drawn from and given back by caches, queues, the
 * catalog, SQLite's allocator and Lua's, from any thread. used never wraps: giving back more than was drawn
 * is a bug and asserts.
 */
#include "base/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "base/status.h"

#define DEFAULT_LIMIT ((size_t)1 << 30)

static const struct {
    const char *name;
    unsigned percent;
} SHARES[AT_ACCOUNT_COUNT] = {
    [AT_ACCOUNT_PROFILES] = {"profiles", 30}, [AT_ACCOUNT_IDENTITY] = {"identity", 10},
    [AT_ACCOUNT_MESSAGES] = {"messages", 8},  [AT_ACCOUNT_DECISIONS] = {"decisions", 6},
    [AT_ACCOUNT_CATALOG] = {"catalog", 20},   [AT_ACCOUNT_STORE] = {"store", 8},
    [AT_ACCOUNT_QUEUES] = {"queues", 8},      [AT_ACCOUNT_LUA] = {"lua", 6},
    [AT_ACCOUNT_REQUESTS] = {"requests", 4},
};

void at_ledger_init(struct at_ledger *ledger, size_t limit_bytes) {
    ledger->limit = limit_bytes ? limit_bytes : DEFAULT_LIMIT;
    for (size_t i = 0; i < AT_ACCOUNT_COUNT; i++) {
        struct at_account *account = &ledger->accounts[i];
        account->name = SHARES[i].name;
        /* divided first: no overflow, and what rounding loses is under 100 bytes */
        account->limit = ledger->limit / 100 * SHARES[i].percent;
        atomic_init(&account->used, 0);
    }
}

bool at_account_draw(struct at_account *account, size_t bytes) {
    size_t used = atomic_load_explicit(&account->used, memory_order_relaxed);
    do {
        if (used > account->limit || bytes > account->limit - used) return false;
    } while (!atomic_compare_exchange_weak_explicit(&account->used, &used, used + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void at_account_force(struct at_account *account, size_t bytes) {
    atomic_fetch_add_explicit(&account->used, bytes, memory_order_relaxed);
}

void at_account_give(struct at_account *account, size_t bytes) {
    size_t before = atomic_fetch_sub_explicit(&account->used, bytes, memory_order_relaxed);
    AT_ASSERT(before >= bytes);
}

bool at_ledger_over(const struct at_ledger *ledger) {
    size_t used = 0;
    for (size_t i = 0; i < AT_ACCOUNT_COUNT; i++) used += at_account_used(&ledger->accounts[i]);
    return used > ledger->limit;
}

/* 1 for none, 0 for a letter that is no unit. */
static double unit_of(const char *suffix) {
    double unit;
    switch (suffix[0]) {
    case '\0': return 1;
    case 'K':
    case 'k': unit = 1024.0; break;
    case 'M':
    case 'm': unit = 1024.0 * 1024; break;
    case 'G':
    case 'g': unit = 1024.0 * 1024 * 1024; break;
    default: return 0;
    }
    return suffix[1] == '\0' ? unit : 0;
}

/* Digits with at most one point among them: strtod alone would take "inf", "0x10" and "1e9". */
int at_size_parse(const char *text, size_t *bytes_out) {
    double value = 0, scale = 1;
    const char *p = text;
    bool has_point = false;
    if (*p < '0' || *p > '9') return -1;
    for (; (*p >= '0' && *p <= '9') || (*p == '.' && !has_point); p++) {
        if (*p == '.') {
            has_point = true;
            continue;
        }
        value = value * 10 + (*p - '0');
        if (has_point) scale *= 10;
    }
    double unit = p[-1] == '.' ? 0 : unit_of(p);
    if (unit <= 0 || (has_point && unit <= 1)) return -1;
    double bytes = floor(value / scale * unit);
    if (!(bytes < 9007199254740992.0)) return -1; /* also what divided to NaN */
    *bytes_out = (size_t)bytes;
    return 0;
}

void *at_wide_malloc(size_t bytes) {
    const size_t page = (size_t)1 << 21;
    void *block = NULL;
    if (bytes < page) return malloc(bytes);
    if (posix_memalign(&block, page, bytes)) return NULL;
#ifdef MADV_HUGEPAGE
    madvise(block, bytes / page * page, MADV_HUGEPAGE); /* what does not fill a page is not worth one */
#endif
    return block;
}
