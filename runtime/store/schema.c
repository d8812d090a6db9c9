/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables and how they came to be: one SQL text a step, run in one transaction when a folder is opened.
 * An older database is first copied whole beside itself; a newer one is refused by name. The number of the
 * schema is the database's user_version. Steps that were released never change; new ones are added behind.
 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STRING(x)  #x
#define TEXT_OF(x) STRING(x)

/* The log has no index but its key: with more, an insert costs twenty times as much. */
static const char *const STEPS[] = {
    "CREATE TABLE event (seq INTEGER PRIMARY KEY, source INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " received_ms INTEGER NOT NULL, origin TEXT NOT NULL, message_id TEXT NOT NULL, name TEXT NOT NULL,"
    " message_key INTEGER NOT NULL, payload_hash INTEGER NOT NULL, facts TEXT NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE timeline (source INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (source, seq)) "
    "WITHOUT ROWID;"
    "CREATE TABLE identifier (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL,"
    " person INTEGER NOT NULL, since_ms INTEGER NOT NULL, UNIQUE (kind, value));"
    "CREATE INDEX identifier_person ON identifier (person);"
    "CREATE TABLE claim (kind TEXT NOT NULL, key TEXT NOT NULL, person INTEGER NOT NULL, PRIMARY KEY (kind, "
    "key))"
    " WITHOUT ROWID;"
    "CREATE TABLE profile (person INTEGER PRIMARY KEY, applied_seq INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE message_run (run INTEGER PRIMARY KEY, sealed_ms INTEGER NOT NULL, key_count INTEGER NOT "
    "NULL);"
    "CREATE TABLE message_part (run INTEGER NOT NULL, first_key INTEGER NOT NULL, rows BLOB NOT NULL,"
    " PRIMARY KEY (run, first_key)) WITHOUT ROWID;"
    "CREATE TABLE cursor (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE state (name TEXT PRIMARY KEY NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE product (row INTEGER PRIMARY KEY, id TEXT NOT NULL, updated_ms INTEGER NOT NULL,"
    " is_retired INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE TABLE product_stat (row INTEGER PRIMARY KEY, body TEXT NOT NULL);"
    "CREATE TABLE generation (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, tree_hash TEXT NOT NULL,"
    " source TEXT NOT NULL, message TEXT NOT NULL, author TEXT NOT NULL);"
    "CREATE TABLE generation_file (generation INTEGER NOT NULL, path TEXT NOT NULL, hash TEXT NOT NULL,"
    " PRIMARY KEY (generation, path)) WITHOUT ROWID;"
    "CREATE TABLE file_text (hash TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL);"
    "CREATE TABLE decision (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL,"
    " person INTEGER NOT NULL, body TEXT NOT NULL);"
    "CREATE INDEX decision_at ON decision (at_ms);"
    "CREATE INDEX decision_person ON decision (person, id) WHERE person <> 0;"
    "PRAGMA application_id = " TEXT_OF(AT_STORE_APPLICATION_ID) ";",
    /* Who is who gets its evidence. What a person had before is held together through the oldest identifier:
     * which event showed it was not kept then. */
    "CREATE TABLE link (number INTEGER PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL, at_ms INTEGER "
    "NOT "
    "NULL, origin TEXT NOT NULL, message_id TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (a, b));"
    "CREATE INDEX link_b ON link (b);"
    "CREATE TABLE unlink (number INTEGER PRIMARY KEY, a INTEGER NOT NULL, b INTEGER NOT NULL, at_ms INTEGER "
    "NOT "
    "NULL, author TEXT NOT NULL, UNIQUE (a, b));"
    "CREATE TABLE merge (number INTEGER PRIMARY KEY, survivor INTEGER NOT NULL, loser INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL);"
    "INSERT INTO link (a, b, at_ms, origin, message_id, name)"
    " SELECT f.id, i.id, i.since_ms, '', '', '' FROM identifier i"
    " JOIN (SELECT person, min(id) AS id FROM identifier GROUP BY person) f ON f.person = i.person"
    " WHERE i.id <> f.id ORDER BY i.id;",
    /* What a person may ask for: to be forgotten, to see everything, to know who looked. The indexes lead
     * from a person to the rows that name them. */
    "CREATE TABLE erasure (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, person INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, author TEXT NOT NULL, is_counted INTEGER NOT NULL, event_count INTEGER NOT "
    "NULL,"
    " scrubbed_ms INTEGER NOT NULL);"
    "CREATE INDEX erasure_open ON erasure (is_counted) WHERE scrubbed_ms = 0;"
    "CREATE TABLE erased_source (source INTEGER PRIMARY KEY, erasure INTEGER NOT NULL);"
    "CREATE TABLE erased_person (person INTEGER PRIMARY KEY, erasure INTEGER NOT NULL);"
    "CREATE TABLE suppressed (hash TEXT PRIMARY KEY, kind TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT "
    "ROWID;"
    "CREATE TABLE money (number INTEGER PRIMARY KEY, day_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
    " amount REAL, currency TEXT NOT NULL, items TEXT NOT NULL);"
    "CREATE TABLE request (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
    " state TEXT NOT NULL, person INTEGER NOT NULL, source TEXT NOT NULL, reference TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL, detail TEXT NOT NULL);"
    "CREATE INDEX request_person ON request (person) WHERE person <> 0;"
    "CREATE TABLE access (number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, author TEXT NOT NULL,"
    " action TEXT NOT NULL, person INTEGER NOT NULL);"
    "CREATE INDEX access_person ON access (person);"
    "CREATE INDEX access_at ON access (at_ms);"
    "CREATE INDEX claim_person ON claim (person) WHERE person <> 0;"
    "CREATE INDEX merge_survivor ON merge (survivor);"
    "CREATE INDEX merge_loser ON merge (loser);"
    "CREATE INDEX unlink_b ON unlink (b);",
    /* A claim says when, and through whom: an order has several names, and its refunds name nobody. */
    "ALTER TABLE claim ADD COLUMN source INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE claim ADD COLUMN at_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE waiting (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, part TEXT NOT "
    "NULL, at_ms INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (kind, key, part));",
    /* Who is in which segment since when; and when time alone may change that. */
    "CREATE TABLE segment_member (person INTEGER NOT NULL, segment TEXT NOT NULL, since_ms INTEGER NOT NULL,"
    " PRIMARY KEY (person, segment)) WITHOUT ROWID;"
    "CREATE INDEX segment_member_since ON segment_member (segment, since_ms, person);"
    "CREATE TABLE segment_due (person INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL);"
    "CREATE INDEX segment_due_at ON segment_due (at_ms);",
    /* How often people buy: each one's mean gap stands beside the profile it is of, how many have which is
     * kept by the database itself, whatever writes or drops a profile. What profiles of before have is filled
     * in by who knows them (shop/rhythm.c). */
    "ALTER TABLE profile ADD COLUMN rhythm_days INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE rhythm (days INTEGER PRIMARY KEY, people INTEGER NOT NULL);"
    "CREATE TRIGGER rhythm_came AFTER INSERT ON profile WHEN new.rhythm_days > 0 BEGIN"
    " INSERT INTO rhythm (days, people) VALUES (new.rhythm_days, 1)"
    " ON CONFLICT (days) DO UPDATE SET people = people + 1; END;"
    "CREATE TRIGGER rhythm_left AFTER DELETE ON profile WHEN old.rhythm_days > 0 BEGIN"
    " UPDATE rhythm SET people = people - 1 WHERE days = old.rhythm_days; END;"
    "CREATE TRIGGER rhythm_changed AFTER UPDATE OF rhythm_days ON profile"
    " WHEN new.rhythm_days <> old.rhythm_days BEGIN"
    " UPDATE rhythm SET people = people - 1 WHERE days = old.rhythm_days;"
    " INSERT INTO rhythm (days, people) SELECT new.rhythm_days, 1 WHERE new.rhythm_days > 0"
    " ON CONFLICT (days) DO UPDATE SET people = people + 1; END;",
};
_Static_assert(AT_LENGTH(STEPS) == AT_STORE_SCHEMA, "one step a schema");
const struct at_schema at_schema_current = {STEPS, AT_STORE_SCHEMA};

/* ---- the copy before a migration ---- */

static enum at_status copy_pages(struct at_connection *connection, const char *path, const char *vfs) {
    sqlite3 *copy = NULL;
    int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE, vfs);
    if (code == SQLITE_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(copy, "main", connection->db, "main");
        if (backup) sqlite3_backup_step(backup, -1);
        code = backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(copy);
    }
    int closing = sqlite3_close(copy);
    return at_sql_status(code == SQLITE_OK ? closing : code);
}

/* Into a file of another name first: a copy under the final name is whole. */
static enum at_status keep_copy(struct at_connection *connection, const struct at_place *place,
                                int64_t version, struct at_error *err) {
    size_t room = strlen(place->path) + 48;
    char *name = malloc(room), *part = malloc(room);
    enum at_status status =
        name && part ? AT_OK : at_fail(err, AT_NOMEM, NULL, "no memory to copy the database");
    if (status != AT_OK) goto out;
    snprintf(name, room, "%s.schema-%lld", place->path, (long long)version);
    snprintf(part, room, "%s.part", name);
    unlink(part);
    status = at_folder_touch(part, err);
    if (status != AT_OK) goto out;
    status = copy_pages(connection, part, place->vfs);
    if (status == AT_OK && rename(part, name) != 0) status = AT_IO;
    if (status == AT_OK)
        at_folder_sync(name);
    else
        at_fail(err, status, "no_copy",
                "%s could not be copied to %s before its migration: %s; nothing was changed", place->path,
                name, status == AT_FULL ? "the disk is full" : "the disk failed");
out:
    free(name);
    free(part);
    return status;
}

/* ---- bringing it up ---- */

static enum at_status run_steps(struct at_connection *connection, const struct at_schema *schema,
                                int64_t version, struct at_error *err) {
    char number[64];
    snprintf(number, sizeof(number), "PRAGMA user_version = %u", schema->step_count);
    enum at_status status = at_connection_exec(connection, "BEGIN IMMEDIATE", err);
    for (int64_t i = version; i < schema->step_count && status == AT_OK; i++)
        status = at_connection_exec(connection, schema->steps[i], err);
    if (status == AT_OK) status = at_connection_exec(connection, number, err);
    if (status == AT_OK) status = at_connection_exec(connection, "COMMIT", err);
    if (status != AT_OK) {
        if (!sqlite3_get_autocommit(connection->db))
            sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
        at_error_prefix(err,
                        "making schema %u of the database failed, nothing was changed: ", schema->step_count);
    }
    return status;
}

static enum at_status read_version(struct at_connection *connection, const struct at_place *place,
                                   int64_t *version, bool *is_new, struct at_error *err) {
    int64_t tables = 0, application = 0;
    enum at_status status = at_connection_number(connection, "PRAGMA user_version", version);
    if (status == AT_OK) status = at_connection_number(connection, "PRAGMA application_id", &application);
    if (status == AT_OK)
        status = at_connection_number(connection, "SELECT count(*) FROM sqlite_schema", &tables);
    if (status != AT_OK)
        return at_fail(err, status, "bad_database", "%s cannot be read: %s; restore it from a backup",
                       place->path, sqlite3_errmsg(connection->db));
    *is_new = tables == 0 && *version == 0;
    if (!*is_new && application != AT_STORE_APPLICATION_ID)
        return at_fail(err, AT_UNSUPPORTED, "foreign_database",
                       "%s is not a database of attune; give another folder", place->path);
    return AT_OK;
}

static enum at_status use_wal(struct at_connection *connection, bool is_new, struct at_error *err) {
    enum at_status status = AT_OK;
    if (is_new) status = at_connection_exec(connection, "PRAGMA page_size = 8192", err);
    if (status == AT_OK) status = at_connection_exec(connection, "PRAGMA journal_mode = WAL", err);
    int64_t is_wal = 0;
    if (status != AT_OK) return status;
    status =
        at_connection_number(connection, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal);
    if (status != AT_OK)
        return at_fail(err, status, NULL, "the database cannot be read: %s", sqlite3_errmsg(connection->db));
    if (!is_wal)
        return at_fail(err, AT_UNSUPPORTED, "no_wal",
                       "the data folder's file system cannot hold a write-ahead log; "
                       "use a local disk");
    return status;
}

enum at_status at_schema_bring(struct at_connection *connection, const struct at_place *place,
                               const struct at_schema *schema, const struct at_log *log,
                               struct at_error *err) {
    int64_t version = 0;
    bool is_new = false;
    enum at_status status = read_version(connection, place, &version, &is_new, err);
    if (status != AT_OK) return status;
    if (version > schema->step_count)
        return at_fail(
            err, AT_UNSUPPORTED, "newer_schema",
            "%s has schema %lld, this attune reads schemas up to %u: start the newer attune that wrote it, "
            "or put a copy like %s.schema-%u in its place",
            place->path, (long long)version, schema->step_count, AT_STORE_DATABASE, schema->step_count);
    status = use_wal(connection, is_new, err);
    if (status != AT_OK || version == schema->step_count) return status;
    if (!is_new) status = keep_copy(connection, place, version, err);
    if (status == AT_OK) status = run_steps(connection, schema, version, err);
    if (status == AT_OK && !is_new)
        at_log(log, AT_LOG_INFO, "store",
               "the database went from schema %lld to %u; the copy is %s.schema-%lld", (long long)version,
               schema->step_count, AT_STORE_DATABASE, (long long)version);
    return status;
}
