/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of catalog/ share: the shape of a version (at_root), the catalog with its append-only
 * indexes, and the staging. Invariant: a published root is never written; the writer works on a copy whose
 * parts it owns (part.h).
 */
#ifndef AT_CATALOG_INTERNAL_H
#define AT_CATALOG_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include "base/map.h"
#include "catalog/catalog.h"
#include "catalog/intern.h"
#include "catalog/names.h"
#include "catalog/part.h"

#define AT_DOCUMENT_MAX ((size_t)64 * 1024)
#define AT_ID_MAX       200
#define AT_MEMBERS_MAX  512 /* members of one JSON object in a product */
#define AT_DEPTH_MAX    64
#define AT_ROW_LIMIT    (1u << 26)
#define AT_PAGE_SHIFT   5 /* documents lie in pages of 32, so that a change copies few pointers */
#define AT_PAGE_ROWS    32
#define AT_LIVE_WORDS   (AT_CHUNK_ROWS / 64)

/* The standard attributes, in this order in every catalog. */
enum at_standard {
    AT_PRICE,
    AT_LIST_PRICE,
    AT_COST,
    AT_STOCK,
    AT_RATING,
    AT_MARGIN,
    AT_DISCOUNT,
    AT_RELEASED,
    AT_TITLE,
    AT_BRAND,
    AT_CATEGORY,
    AT_TAGS,
    AT_STANDARD_COUNT
};

/* Payload of root->schema. */
struct at_schema {
    int count;
    uint16_t slots[2 * AT_ATTRIBUTE_MAX]; /* by hash of the name: attribute + 1, 0: free */
    struct at_attribute attributes[AT_ATTRIBUTE_MAX];
};

/* Texts of one attribute, and for a list its sets (each the bytes of its ascending codes). Shared by
 * versions. */
struct at_dictionary {
    _Atomic uint32_t refs;
    uint32_t compact_at; /* writer only: look for unused texts once there are so many */
    struct at_interner *texts, *sets;
};

/* A chunk of a TEXT or LIST column. Facets have the whole of it, others only the codes. */
struct at_code_chunk {
    uint32_t codes[AT_CHUNK_ROWS];
    uint32_t is_indexed, value_count;
    uint32_t values[AT_CHUNK_ROWS]; /* distinct codes (set ids), ascending, without 0 */
    uint16_t starts[AT_CHUNK_ROWS +
                    1]; /* rows of values[i]: order[starts[i]] … order[starts[i + 1] - 1], ascending */
    uint16_t order[AT_CHUNK_ROWS];
};
#define AT_PLAIN_CODES_BYTES (AT_CHUNK_ROWS * sizeof(uint32_t))

struct at_root {
    _Atomic int64_t refs; /* see pin_root in catalog.c */
    struct at_catalog *catalog;
    uint64_t version;
    uint32_t rows, live;
    struct at_part *schema;
    struct at_part *live_bits; /* table of chunks: uint64_t[AT_LIVE_WORDS] */
    struct at_part *updated;   /* table of chunks: int64_t[AT_CHUNK_ROWS], 0: none */
    struct at_part *bodies;    /* table of chunks of pages of documents */
    struct at_part *counted[AT_COUNTED_COUNT];
    struct at_part *columns[AT_ATTRIBUTE_MAX]; /* tables of chunks */
    struct at_dictionary *dictionaries[AT_ATTRIBUTE_MAX];
    uint32_t code_counts[AT_ATTRIBUTE_MAX]; /* what readers of this version may see of the dictionary */
};

/* Row → id: a published row keeps its id for ever. Segment s: AT_CHUNK_ROWS << s rows. */
#define AT_ID_SEGMENTS 17
struct at_ids {
    struct at_interner *texts;
    const struct at_string **segments[AT_ID_SEGMENTS];
};

struct at_catalog {
    struct at_account *account;
    _Atomic uint64_t head; /* current root, pins taken through it in the top 16 bits */
    pthread_mutex_t mutex; /* guards is_taken only: the turn may end on another thread than it began on */
    pthread_cond_t is_free;
    bool is_taken;
    struct at_names names; /* one index for all versions; rows beyond a root's are unknown to it */
    struct at_ids ids;
    struct at_json_parser *old_parser, *new_parser; /* the writer's; made with the first staging */
    struct at_bytes text;                           /* the document being built; its whole room is reserved */
};

static inline const struct at_schema *at_schema_of(const struct at_root *root) {
    return (const struct at_schema *)(const void *)root->schema->payload;
}
static inline const struct at_code_chunk *at_code_chunk_of(const struct at_root *root, int attribute,
                                                           uint32_t chunk) {
    const struct at_part *part = at_part_child(root->columns[attribute], chunk);
    return part ? (const struct at_code_chunk *)(const void *)part->payload : NULL;
}
static inline const uint64_t *at_live_of(const struct at_root *root, uint32_t chunk) {
    const struct at_part *part = at_part_child(root->live_bits, chunk);
    return part ? (const uint64_t *)(const void *)part->payload : NULL;
}
static inline bool at_kind_has_codes(enum at_attribute_kind kind) {
    return kind == AT_ATTRIBUTE_TEXT || kind == AT_ATTRIBUTE_LIST;
}
static inline const struct at_string *at_ids_get(const struct at_ids *ids, uint32_t row) { /* NULL: none */
    uint32_t index = (row >> AT_CHUNK_SHIFT) + 1;
    int segment = 31 - __builtin_clz(index);
    const struct at_string **rows = ids->segments[segment];
    return rows ? rows[row - (((1u << segment) - 1) << AT_CHUNK_SHIFT)] : NULL;
}

/* ---- root.c ---- */
struct at_root *at_root_new(struct at_catalog *catalog); /* NULL: out of memory */
struct at_root *at_root_copy(
    const struct at_root *root); /* the next version, shares every part; not pinned by refs */
void at_root_free(struct at_root *root);
int64_t at_root_updated(const struct at_root *root, uint32_t row); /* 0: none */
void at_ids_forget(struct at_catalog *catalog, uint32_t from,
                   uint32_t to); /* rows that were never published */
bool at_ids_put(struct at_catalog *catalog, uint32_t row, struct at_text id);

/* ---- schema.c ---- */
int at_schema_find(const struct at_schema *schema, const char *name, size_t length); /* -1 */
const char *at_kind_word(enum at_attribute_kind kind); /* "number", "yes or no (bool)" … */
bool at_kind_parse(const char *word, enum at_attribute_kind *out);
/* The new attribute of a root being written, -1: out of memory. The caller has checked name and room. */
int at_schema_add(struct at_root *root, struct at_text name, enum at_attribute_kind kind);
bool at_schema_own(struct at_root *root, struct at_schema **out);
bool at_schema_set_kind(struct at_root *root, int attribute, enum at_attribute_kind kind);
bool at_schema_add_standard(struct at_root *root);
struct at_dictionary *at_dictionary_new(struct at_account *account, enum at_attribute_kind kind);
void at_dictionary_unref(struct at_dictionary *dictionary, struct at_account *account);

/* ---- column.c: all on a root being written; false: out of memory, nothing changed ---- */
struct at_chunk_list { /* chunks whose index must be built before they are published */
    struct at_chunk_name {
        int attribute;
        uint32_t chunk;
    } * names;
    size_t count, capacity;
};
bool at_column_set_number(struct at_root *root, int attribute, uint32_t row, double value);
bool at_column_set_code(struct at_root *root, int attribute, uint32_t row, uint32_t code,
                        struct at_chunk_list *stale);
bool at_column_set_live(struct at_root *root, uint32_t row, bool is_live);
bool at_column_set_updated(struct at_root *root, uint32_t row, int64_t updated_ms);
bool at_column_set_body(struct at_root *root, uint32_t row, const char *body, size_t length); /* NULL: none */
bool at_column_set_counted(struct at_root *root, enum at_counted which, const float *values, uint32_t count);
void at_column_index(struct at_root *root, const struct at_chunk_list *stale);
int at_codes_compare(const void *a, const void *b); /* for qsort and bsearch */
/* Drop texts and sets that no row of this root uses; false: out of memory, nothing changed (harmless). */
bool at_column_compact(struct at_root *root, int attribute, struct at_chunk_list *stale);

/* ---- document.c ---- */
struct at_member {
    struct at_text key;
    struct at_json value;
};
struct at_members { /* of one object, the last of several of one name */
    struct at_member list[AT_MEMBERS_MAX];
    uint32_t count;
};
struct at_cell { /* what one document says about one attribute */
    struct at_text name;
    int attribute; /* -1: new */
    enum at_attribute_kind kind;
    bool is_variants;      /* collected from the variants' member of that name (behind "variants.") */
    char variant_name[64]; /* storage of name then */
    double number;
    struct at_json value;
};
struct at_cells {
    struct at_cell list[AT_ATTRIBUTE_MAX + AT_STANDARD_COUNT];
    int count, new_count;
};
enum at_status at_members_collect(struct at_json object, struct at_members *out, struct at_error *err);
/* What the document says, checked against the kinds of root. is_lenient: leave out what does not fit. */
enum at_status at_document_check(const struct at_root *root, const struct at_members *members,
                                 bool is_lenient, struct at_cells *out, struct at_error *err);
const struct at_json *at_members_get(const struct at_members *members, const char *name);
/* "\"cheap\"", "12", "an object": for messages. */
const char *at_value_show(struct at_json value, char *room, size_t room_bytes);
enum at_status at_id_of(struct at_json value, char *room, size_t room_bytes, struct at_text *out,
                        struct at_error *err);

/* ---- merge.c ---- */
/* RFC 7396 over the members, "add" counted; appends the new document to out. id is written first. */
enum at_status at_document_merge(const struct at_root *root, struct at_text id, struct at_json old,
                                 struct at_json patch, struct at_bytes *out, struct at_error *err);
void at_document_write(struct at_text id, const struct at_members *members, struct at_bytes *out);

/* ---- apply.c ---- */
struct at_staging {
    struct at_catalog *catalog;
    struct at_arena *arena;
    struct at_root *next;
    bool is_changed, has_failed;
    struct at_map new_rows;     /* ids that the names do not know yet */
    struct at_name_slot *names; /* to be set when published */
    uint32_t name_count, name_capacity;
    struct at_chunk_list stale;
    uint64_t *put_bits; /* rows that this staging put, changed or not */
    uint32_t put_words;
    uint32_t *codes; /* room to build a set */
    size_t code_capacity;
    struct at_members members;
    struct at_cells cells;
};
bool at_staging_apply(struct at_staging *staging, uint32_t row, const struct at_cells *cells);
bool at_staging_clear(struct at_staging *staging, uint32_t row);
bool at_staging_add_names(struct at_staging *staging, uint32_t row, const struct at_members *members);
bool at_staging_new_row(struct at_staging *staging, uint32_t row, struct at_text id);
/* ---- change.c ---- */
enum at_status at_change_stage(struct at_staging *staging,
                               struct at_change *change); /* AT_NOMEM or the change's own status */
uint32_t at_staging_row(const struct at_staging *staging, struct at_text id); /* by its own id only */

/* ---- catalog.c ---- */
void at_catalog_take_turn(struct at_catalog *catalog);
void at_catalog_end_turn(struct at_catalog *catalog);
const struct at_root *at_catalog_current(struct at_catalog *catalog); /* the turn's holder only: not pinned */
void at_catalog_switch(struct at_catalog *catalog, struct at_root *next);

#endif
