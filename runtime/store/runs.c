/* SPDX-License-Identifier: Apache-2.0
 *
 * Which keys the sealed runs of deduplication may hold: a blocked Bloom filter a run, in memory, one cache
 * line a question (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters, 2007). The table
 * of runs is immutable and replaced whole by the commit thread; what it replaced is freed once no reader is
 * inside.
 */
#include "store/internal.h"

#include <endian.h>
#include <string.h>
#include "base/hash.h"

#define BITS_A_KEY     12 /* about one false answer in 150 */
#define BITS_A_KEY_MIN 4  /* short of memory: one in 8; below that a filter is not worth its memory */
#define BLOCK_WORDS    8
#define BLOCK_BITS     512

void at_row_pack(unsigned char *out, const struct at_message_row *row) {
    uint64_t words[3] = {htole64(row->key), htole64(row->payload_hash), htole64(row->seq)};
    memcpy(out, words, sizeof(words));
}

void at_row_unpack(const unsigned char *in, struct at_message_row *row) {
    uint64_t words[3];
    memcpy(words, in, sizeof(words));
    *row = (struct at_message_row){le64toh(words[0]), le64toh(words[1]), le64toh(words[2])};
}

/* ---- one run ---- */

struct at_run *at_run_new(struct at_runs *runs, uint64_t id, int64_t sealed_ms, size_t key_count) {
    struct at_run *run = calloc(1, sizeof(*run));
    if (!run) return NULL;
    run->id = id;
    run->sealed_ms = sealed_ms;
    for (size_t bits = BITS_A_KEY; bits >= BITS_A_KEY_MIN && !run->blocks; bits -= 4) {
        size_t blocks = key_count / (BLOCK_BITS / bits) + 1, bytes = blocks * BLOCK_WORDS * sizeof(uint64_t);
        if (!at_account_draw(runs->account, bytes)) continue;
        run->blocks = aligned_alloc(64, bytes);
        if (run->blocks) {
            memset(run->blocks, 0, bytes);
            run->block_count = blocks;
            run->drawn_bytes = bytes;
        } else {
            at_account_give(runs->account, bytes);
        }
    }
    return run;
}

void at_run_free(struct at_runs *runs, struct at_run *run) {
    if (!run) return;
    if (run->drawn_bytes) at_account_give(runs->account, run->drawn_bytes);
    free(run->blocks);
    free(run);
}

/* Two bits in each of the block's words would be too many for few keys a block: four bits, in words of their
 * own. */
static inline void spread(uint64_t hash, unsigned words[4], uint64_t bits[4]) {
    for (unsigned i = 0; i < 4; i++, hash >>= 8) {
        bits[i] = UINT64_C(1) << (hash & 63);
        words[i] = i * 2 + (unsigned)(hash >> 6 & 1);
    }
}

static inline uint64_t *block_of(const struct at_run *run, uint64_t hash) {
    return run->blocks + (size_t)((unsigned __int128)hash * run->block_count >> 64) * BLOCK_WORDS;
}

void at_run_add(struct at_run *run, uint64_t key) {
    if (!run->block_count) return;
    uint64_t hash = at_mix64(key), bits[4];
    unsigned words[4];
    uint64_t *block = block_of(run, hash);
    spread(hash, words, bits);
    for (unsigned i = 0; i < 4; i++) block[words[i]] |= bits[i];
}

static bool may_hold(const struct at_run *run, uint64_t hash) {
    if (!run->block_count) return true;
    uint64_t bits[4];
    unsigned words[4];
    const uint64_t *block = block_of(run, hash);
    spread(hash, words, bits);
    for (unsigned i = 0; i < 4; i++)
        if (!(block[words[i]] & bits[i])) return false;
    return true;
}

/* ---- the table ---- */

/* A reader counts itself in before it takes the table, so "no visitor" after a replacement means that every
 * later one takes the new table. */
static void free_retired(struct at_runs *runs) {
    if (atomic_load(&runs->visitors) != 0) return;
    while (runs->retired_tables) {
        struct at_run_table *next = runs->retired_tables->next;
        free(runs->retired_tables);
        runs->retired_tables = next;
    }
    while (runs->retired) {
        struct at_run *next = runs->retired->next;
        at_run_free(runs, runs->retired);
        runs->retired = next;
    }
}

struct at_run_table *at_runs_prepare(struct at_runs *runs, const struct at_run *added, int64_t expire_ms) {
    struct at_run_table *old = atomic_load(&runs->table);
    size_t count = old ? old->count : 0, fresh = 0;
    for (const struct at_run *run = added; run; run = run->next) fresh++;
    struct at_run_table *table = malloc(sizeof(*table) + (count + fresh) * sizeof(table->items[0]));
    if (!table) return NULL;
    table->next = NULL;
    table->count = 0;
    for (size_t i = 0; i < count; i++)
        if (old->items[i]->sealed_ms >= expire_ms) table->items[table->count++] = old->items[i];
    /* the list has the newest first */
    for (const struct at_run *run = added; run; run = run->next)
        table->items[table->count + --fresh] = (struct at_run *)(uintptr_t)run;
    for (const struct at_run *run = added; run; run = run->next) table->count++;
    return table;
}

static bool is_in(const struct at_run_table *table, const struct at_run *run) {
    for (size_t i = 0; i < table->count; i++)
        if (table->items[i] == run) return true;
    return false;
}

void at_runs_publish(struct at_runs *runs, struct at_run_table *table) {
    struct at_run_table *old = atomic_exchange(&runs->table, table);
    if (old) {
        for (size_t i = 0; i < old->count; i++) {
            if (is_in(table, old->items[i])) continue;
            old->items[i]->next = runs->retired;
            runs->retired = old->items[i];
        }
        old->next = runs->retired_tables;
        runs->retired_tables = old;
    }
    free_retired(runs);
}

uint64_t at_runs_next(struct at_runs *runs, uint64_t key, uint64_t below) {
    uint64_t found = 0, hash = at_mix64(key);
    atomic_fetch_add(&runs->visitors, 1);
    const struct at_run_table *table = atomic_load(&runs->table);
    for (size_t i = table ? table->count : 0; i-- > 0 && !found;)
        if (table->items[i]->id < below && may_hold(table->items[i], hash)) found = table->items[i]->id;
    atomic_fetch_sub(&runs->visitors, 1);
    return found;
}

bool at_store_may_know_message(struct at_store *store, uint64_t key) {
    return at_runs_next(&store->runs, key, UINT64_MAX) != 0;
}

void at_runs_clear(struct at_runs *runs) {
    struct at_run_table *table = atomic_load(&runs->table);
    for (size_t i = 0; table && i < table->count; i++) at_run_free(runs, table->items[i]);
    free(table);
    atomic_store(&runs->table, NULL);
    free_retired(runs);
}

/* ---- at open ---- */

static enum at_status load_keys(struct at_connection *connection, struct at_run *run) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(connection, AT_SQL_PART_SLICE, &status);
    if (!statement) return status;
    int code;
    at_bind_number(statement, 1, run->id);
    at_bind_number(statement, 2, UINT64_C(1) << 63);
    sqlite3_bind_int64(statement, 3, -1);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const unsigned char *rows = sqlite3_column_blob(statement, 1);
        size_t bytes = (size_t)sqlite3_column_bytes(statement, 1);
        for (size_t i = 0; i + AT_ROW_BYTES <= bytes; i += AT_ROW_BYTES) {
            struct at_message_row row;
            at_row_unpack(rows + i, &row);
            at_run_add(run, row.key);
        }
    }
    at_statement_give(connection, AT_SQL_PART_SLICE, statement);
    return at_sql_status(code);
}

static enum at_status load_list(struct at_runs *runs, struct at_connection *connection,
                                struct at_run **list) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(connection, AT_SQL_RUN_LIST, &status);
    if (!statement) return status;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && status == AT_OK) {
        struct at_run *run =
            at_run_new(runs, at_column_number(statement, 0), sqlite3_column_int64(statement, 1),
                       (size_t)sqlite3_column_int64(statement, 2));
        if (run) {
            run->next = *list;
            *list = run;
            if (run->block_count) status = load_keys(connection, run);
        } else {
            status = AT_NOMEM;
        }
    }
    at_statement_give(connection, AT_SQL_RUN_LIST, statement);
    return status == AT_OK ? at_sql_status(code) : status;
}

enum at_status at_runs_load(struct at_runs *runs, struct at_connection *connection) {
    struct at_run *list = NULL;
    uint64_t listed = 0, part = 0;
    static const enum at_sql lasts[] = {AT_SQL_RUN_LAST, AT_SQL_PART_LAST_RUN};
    uint64_t *const outs[] = {&listed, &part};
    enum at_status status = AT_OK;
    for (size_t i = 0; i < AT_LENGTH(lasts) && status == AT_OK; i++) {
        sqlite3_stmt *statement = at_statement_take(connection, lasts[i], &status);
        if (statement) status = at_statement_number(connection, lasts[i], statement, outs[i]);
    }
    runs->next_id = (listed > part ? listed : part) + 1;
    if (status == AT_OK) status = load_list(runs, connection, &list);
    struct at_run_table *table = status == AT_OK ? at_runs_prepare(runs, list, INT64_MIN) : NULL;
    if (table) {
        at_runs_publish(runs, table);
        return AT_OK;
    }
    while (list) {
        struct at_run *next = list->next;
        at_run_free(runs, list);
        list = next;
    }
    return status == AT_OK ? AT_NOMEM : status;
}
