/* SPDX-License-Identifier: Apache-2.0
 *
 * Products as an immutable root of columns in chunks of 1,024 rows. Readers pin one root for a whole
 * decision; a change copies the touched chunks and publishes a new root (one atomic switch). Row ids are
 * stable 32-bit integers. One writer at a time (the caller's lock, see at_catalog_stage), any number of
 * readers, which take no lock.
 */
#ifndef AT_CATALOG_CATALOG_H
#define AT_CATALOG_CATALOG_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/arena.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/memory.h"

#define AT_CHUNK_ROWS    1024
#define AT_CHUNK_SHIFT   10
#define AT_ROW_NONE      UINT32_MAX
#define AT_ATTRIBUTE_MAX 256 /* columns; more attributes in a feed are an error that names them */

/* A missing number, told from a computed NaN by its exact bits. */
#define AT_MISSING_BITS 0x7FF8A77E00000001ULL
static inline double at_missing(void) {
    uint64_t bits = AT_MISSING_BITS;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static inline bool at_is_missing(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == AT_MISSING_BITS;
}

/* A number, or a text that is one ("19.99"), as some platforms send amounts; else missing. */
double at_amount(struct at_json value);
double at_amount_of(struct at_text text); /* digits, at most one point, no more than 15 digits in all */

enum at_attribute_kind {
    AT_ATTRIBUTE_NUMBER, /* double */
    AT_ATTRIBUTE_BOOL,   /* double 0, 1 or missing */
    AT_ATTRIBUTE_DATE,   /* double, ms since 1970 */
    AT_ATTRIBUTE_TEXT,   /* uint32 code in the attribute's dictionary, 0: missing */
    AT_ATTRIBUTE_LIST    /* uint32 set id, 0: missing; a set is a sorted array of codes of the attribute's
                            dictionary */
};
struct at_attribute {
    char name[64];
    enum at_attribute_kind kind;
    bool is_declared,
        is_facet; /* is_facet: categorical: text or list, not title, description, url, image, id … */
};

struct at_catalog;
struct at_root; /* one version; reference-counted */

struct at_catalog_options {
    struct at_account *account; /* AT_ACCOUNT_CATALOG; may be NULL */
};
enum at_status at_catalog_new(struct at_catalog **out, const struct at_catalog_options *options,
                              struct at_error *err) AT_MUST_CHECK;
void at_catalog_free(struct at_catalog *catalog);
/* attributes { rating = "number" }: kinds "number" "bool" "date" "text" "list". AT_CONFLICT if a feed fixed
 * another kind. */
/* As at_catalog_declare reads it: "number", "bool", "date", "text", "list". */
const char *at_attribute_kind_name(enum at_attribute_kind kind);
enum at_status at_catalog_declare(struct at_catalog *catalog, const char *name, const char *kind,
                                  struct at_error *err) AT_MUST_CHECK;

/* The current version, pinned until at_root_unref. Any thread, wait-free in practice. */
struct at_root *at_catalog_root(struct at_catalog *catalog);
struct at_root *at_root_ref(struct at_root *root);
void at_root_unref(struct at_root *root);
uint64_t at_root_version(const struct at_root *root);
uint32_t at_root_rows(const struct at_root *root); /* row ids are below this; retired ones included */
uint32_t at_root_live(const struct at_root *root); /* products for sale or shown: not retired */

/* ---- names ---- */
/* Product id, variant id, SKU, or "inventory_item:" and a variant's inventory_item_id → row of a live or
 * retired product; AT_ROW_NONE. */
uint32_t at_root_row(const struct at_root *root, const char *id, size_t length);
/* The same for many at once (prefetched): rows[i] = AT_ROW_NONE where unknown or retired. */
void at_root_row_many(const struct at_root *root, const struct at_text *ids, size_t count, uint32_t *rows);
struct at_text at_root_id(const struct at_root *root, uint32_t row); /* the product's own id */
/* The same for many at once: asked of memory together. */
void at_root_ids(const struct at_root *root, const uint32_t *rows, size_t count, struct at_text *ids);
struct at_text at_root_body(const struct at_root *root,
                            uint32_t row); /* its JSON document, data NULL if retired */
bool at_root_is_live(const struct at_root *root, uint32_t row);

/* ---- attributes ---- */
/* -1: no product ever had it. Numbers every shop has are always there: price list_price cost stock released
 * rating; texts: title brand category; list: tags. Derived at import: margin ((price-cost)/price), discount
 * ((list_price-price)/list_price, never below 0). Ids are stable for the life of the catalog. */
int at_root_attribute(const struct at_root *root, const char *name, size_t length);
int at_root_attribute_count(const struct at_root *root);
const struct at_attribute *at_root_attribute_at(const struct at_root *root, int attribute);
/* Chunk of a column; NULL: all missing. NUMBER, BOOL, DATE: double[1024]; TEXT, LIST: uint32_t[1024]. */
const double *at_root_numbers(const struct at_root *root, int attribute, uint32_t chunk);
const uint32_t *at_root_codes(const struct at_root *root, int attribute, uint32_t chunk);
static inline double at_root_number(const struct at_root *root, int attribute, uint32_t row) {
    const double *chunk = at_root_numbers(root, attribute, row >> AT_CHUNK_SHIFT);
    return chunk ? chunk[row & (AT_CHUNK_ROWS - 1)] : at_missing();
}
static inline uint32_t at_root_code(const struct at_root *root, int attribute, uint32_t row) {
    const uint32_t *chunk = at_root_codes(root, attribute, row >> AT_CHUNK_SHIFT);
    return chunk ? chunk[row & (AT_CHUNK_ROWS - 1)] : 0;
}
/* The values of many rows at once, as at_root_number and at_root_code say them: out[i] is rows[i]'s. Rows
 * below at_root_rows; the look-ups do not wait for each other, so this is what columns are read by. */
void at_root_gather_numbers(const struct at_root *root, int attribute, const uint32_t *rows, uint32_t count,
                            double *out);
void at_root_gather_codes(const struct at_root *root, int attribute, const uint32_t *rows, uint32_t count,
                          uint32_t *out);
/* Dictionary of a TEXT or LIST attribute: text → code (0: unknown), code → text; codes are 1 … count. */
uint32_t at_root_code_of(const struct at_root *root, int attribute, const char *text, size_t length);
struct at_text at_root_text_of(const struct at_root *root, int attribute, uint32_t code);
uint32_t at_root_code_count(const struct at_root *root, int attribute);
/* A list's codes, ascending. */
const uint32_t *at_root_set(const struct at_root *root, int attribute, uint32_t set, uint32_t *count);

/* ---- counted features: columns owned by the learners in shop/, not part of the documents ---- */
enum at_counted { AT_COUNTED_POPULARITY, AT_COUNTED_TRENDING, AT_COUNTED_CONVERSION, AT_COUNTED_COUNT };
/* 0 where nothing is known; chunk of float[1024], NULL: all 0. */
const float *at_root_counted(const struct at_root *root, enum at_counted which, uint32_t chunk);
void at_root_gather_counted(const struct at_root *root, enum at_counted which, const uint32_t *rows,
                            uint32_t count, double *out);
/* Publish new values for rows 0 … count-1 of all three (values[which] may be NULL: unchanged). Takes the
 * writer's turn itself. */
enum at_status at_catalog_publish_counted(struct at_catalog *catalog,
                                          const float *const values[AT_COUNTED_COUNT],
                                          uint32_t count) AT_MUST_CHECK;

/* ---- changes ---- */
enum at_change_kind { AT_CHANGE_PUT, AT_CHANGE_PATCH, AT_CHANGE_RETIRE };
struct at_change {
    enum at_change_kind kind;
    struct at_json document; /* PUT, PATCH: an object with "id"; lent while staging */
    struct at_text id;       /* RETIRE (and PATCH by path) */
    int64_t retired_ms;      /* RETIRE: as of when, like a document's updated_at: of a newer product nothing
                                changes, and an older document does not bring it back; 0: now, whatever is there */
    /* results */
    enum at_status status; /* AT_OK, AT_DUPLICATE (older or equal updated_at, or nothing changed), AT_INVALID,
                              AT_NOTFOUND … */
    struct at_error error;
    uint32_t row;
    int64_t updated_ms;
    bool is_retired;
    struct at_text body; /* the whole new document, in the staging's arena */
};
/* Begin a change: waits for the writer's turn. Validates every change against the current root and the ones
 * before it in this staging; each gets its own status. The turn is held until publish or cancel, so what is
 * staged is what gets published. PATCH merges members (RFC 7396); "stock":{"add":-1} counts; an older
 * "updated_at" changes nothing. Rules: id required (text or integer, ≤ 200 bytes), document ≤ 64 KiB, kinds
 * fixed by first use or declaration ("price must be a number, got
 * \"cheap\""), price/cost/list_price/stock ≥ 0, dates RFC 3339 text. */
struct at_staging;
enum at_status at_catalog_stage(struct at_catalog *catalog, struct at_arena *arena, struct at_change *changes,
                                size_t count, struct at_staging **out, struct at_error *err) AT_MUST_CHECK;
/* Add further changes to a staging (imports in batches). */
enum at_status at_staging_add(struct at_staging *staging, struct at_change *changes,
                              size_t count) AT_MUST_CHECK;
/* What ?complete=true retires: every live product that this staging did not put. fn for each row. */
uint32_t at_staging_missing(struct at_staging *staging,
                            bool (*fn)(void *arg, uint32_t row, struct at_text id), void *arg);
/* Publish the accepted changes as one new root, end the turn. Only AT_NOMEM can fail (then nothing is
 * published). */
enum at_status at_staging_publish(struct at_staging *staging) AT_MUST_CHECK;
void at_staging_cancel(struct at_staging *staging);
/* Start-up: put a stored document at its stored row, without validation of limits. */
enum at_status at_staging_restore(struct at_staging *staging, uint32_t row, struct at_text id,
                                  int64_t updated_ms, bool is_retired, struct at_json document) AT_MUST_CHECK;

#endif
