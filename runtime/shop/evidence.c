/* SPDX-License-Identifier: Apache-2.0
 *
 * Why some identifiers are one person: the links with the events that showed them, what was taken apart again
 * and by whom, and who the person was made of.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

struct showing {
    struct at_job *job;
    uint64_t person;
    struct at_reader *reader;
    struct at_json_out out;
    struct at_intmap ids; /* of the person: id → 1 */
    uint64_t *order;      /* the same, oldest first */
    size_t id_count, id_capacity;
    struct at_intmap taken; /* key of a pair that was taken apart → place in unlinks + 1 */
    struct at_unlink_row *unlinks;
    size_t unlink_count, unlink_capacity;
    uint64_t of; /* the identifier whose links are read */
    enum at_status status;
};

static bool is_theirs(const struct showing *showing, uint64_t id) {
    return at_intmap_get(&showing->ids, id) != NULL;
}

static bool keep_unlink(void *arg, const struct at_unlink_row *row) {
    struct showing *showing = arg;
    if (!is_theirs(showing, row->a) && !is_theirs(showing, row->b)) return true;
    if (showing->unlink_count == showing->unlink_capacity) {
        size_t capacity = showing->unlink_capacity ? showing->unlink_capacity * 2 : 16;
        struct at_unlink_row *rows = realloc(showing->unlinks, capacity * sizeof *rows);
        if (!rows) goto short_of_memory;
        showing->unlinks = rows;
        showing->unlink_capacity = capacity;
    }
    uint64_t *place = at_intmap_put(&showing->taken, identity_pair_key(row->a, row->b), NULL);
    const char *author = at_arena_dup(showing->job->arena, row->author.data, row->author.length);
    if (!place || !author) goto short_of_memory;
    showing->unlinks[showing->unlink_count] = *row;
    showing->unlinks[showing->unlink_count].author.data = author;
    *place = ++showing->unlink_count;
    return true;
short_of_memory:
    showing->status = AT_NOMEM;
    return false;
}

static bool write_identifier(void *arg, const struct at_identifier_row *row) {
    struct showing *showing = arg;
    if (showing->id_count == showing->id_capacity) {
        size_t capacity = showing->id_capacity ? showing->id_capacity * 2 : 16;
        uint64_t *order = realloc(showing->order, capacity * sizeof *order);
        if (order) showing->order = order;
        if (order) showing->id_capacity = capacity;
    }
    uint64_t *slot = at_intmap_put(&showing->ids, row->id, NULL);
    if (!slot || showing->id_count == showing->id_capacity) {
        showing->status = AT_NOMEM;
        return false;
    }
    *slot = 1;
    showing->order[showing->id_count++] = row->id;
    at_json_open(&showing->out, '{');
    at_json_add_text(&showing->out, "kind", row->kind);
    at_json_add_text(&showing->out, "value", row->value);
    at_json_add_time(&showing->out, "since", row->since_ms);
    at_json_close(&showing->out, '}');
    return true;
}

/* Of somebody else, too, from whom it was taken apart. */
static void write_end(struct showing *showing, const char *name, uint64_t id) {
    struct at_identifier_row row;
    enum at_status status = at_reader_identifier_at(showing->reader, id, &row, showing->job->arena);
    if (status != AT_OK) { /* not there: its own event was refused */
        if (status != AT_NOTFOUND) showing->status = status;
        return;
    }
    at_json_key(&showing->out, name);
    at_json_open(&showing->out, '{');
    at_json_add_text(&showing->out, "kind", row.kind);
    at_json_add_text(&showing->out, "value", row.value);
    at_json_close(&showing->out, '}');
}

static void write_revoked(struct showing *showing, uint64_t a, uint64_t b) {
    uint64_t *place = at_intmap_get(&showing->taken, identity_pair_key(a, b));
    if (!place) return;
    at_json_key(&showing->out, "revoked");
    const struct at_unlink_row *row = &showing->unlinks[*place - 1];
    at_json_open(&showing->out, '{');
    at_json_add_time(&showing->out, "at", row->at_ms);
    at_json_add_text(&showing->out, "by", row->author);
    at_json_close(&showing->out, '}');
}

static bool write_link(void *arg, const struct at_link_row *row) {
    struct showing *showing = arg;
    /* Read from both ends: told from the first one that is the person's. */
    if (row->b == showing->of && is_theirs(showing, row->a)) return true;
    at_json_open(&showing->out, '{');
    write_end(showing, "a", row->a);
    write_end(showing, "b", row->b);
    at_json_add_time(&showing->out, "at", row->at_ms);
    at_json_add_text(&showing->out, "source", row->origin);
    at_json_add_text(&showing->out, "message_id", row->message_id);
    at_json_add_text(&showing->out, "event", row->name);
    write_revoked(showing, row->a, row->b);
    at_json_close(&showing->out, '}');
    return showing->status == AT_OK;
}

static bool write_merge(void *arg, const struct at_merge_row *row) {
    struct showing *showing = arg;
    char gone[AT_PERSON_ID_SIZE];
    if (row->survivor != showing->person) return true;
    at_person_id_format(row->loser, gone);
    at_json_open(&showing->out, '{');
    at_json_add_text(&showing->out, "gone", at_text_of(gone));
    at_json_add_time(&showing->out, "at", row->at_ms);
    at_json_close(&showing->out, '}');
    return true;
}

static void open_list(struct showing *showing, const char *name) {
    at_json_key(&showing->out, name);
    at_json_open(&showing->out, '[');
}

static enum at_status read_all(struct showing *showing, struct at_reader *reader) {
    open_list(showing, "identifiers");
    enum at_status status = at_reader_identifiers_of(reader, showing->person, write_identifier, showing);
    at_json_close(&showing->out, ']');
    if (status == AT_OK) status = at_reader_unlinks(reader, keep_unlink, showing);
    open_list(showing, "links");
    for (size_t i = 0; i < showing->id_count && status == AT_OK && showing->status == AT_OK; i++) {
        showing->of = showing->order[i];
        status = at_reader_links_of(reader, showing->of, write_link, showing);
    }
    at_json_close(&showing->out, ']');
    open_list(showing, "merges");
    if (status == AT_OK) status = at_reader_merges(reader, write_merge, showing);
    at_json_close(&showing->out, ']');
    return status == AT_OK ? showing->status : status;
}

static enum at_status show(struct at_job *job, struct at_reader *reader, void *arg) {
    struct showing *showing = arg;
    char id[AT_PERSON_ID_SIZE];
    at_person_id_format(showing->person, id);
    showing->reader = reader;
    showing->out = at_json_out(&job->out);
    at_intmap_init(&showing->ids);
    at_intmap_init(&showing->taken);
    at_json_open(&showing->out, '{');
    at_json_add_text(&showing->out, "person", at_text_of(id));
    enum at_status status = read_all(showing, reader);
    at_json_close(&showing->out, '}');
    at_intmap_clear(&showing->ids);
    at_intmap_clear(&showing->taken);
    free(showing->unlinks);
    free(showing->order);
    if (status != AT_OK)
        at_fail(&job->err, status, NULL, "the links could not be read (%s): ask again",
                at_status_word(status));
    return status;
}

void at_shop_identity(struct at_job *job, struct at_text kind, struct at_text value) {
    uint64_t person = customer_person(job, kind, value, "identity");
    if (!person) return;
    struct showing *showing = at_arena_zalloc(job->arena, sizeof *showing);
    enum at_status status = showing ? AT_OK : AT_NOMEM;
    if (showing) {
        *showing = (struct showing){.job = job, .person = person};
        status = errand_read(job, show, showing);
    }
    if (status == AT_OK) return;
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}
