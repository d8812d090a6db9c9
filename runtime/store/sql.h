/* SPDX-License-Identifier: Apache-2.0
 *
 * Every statement of the store, by name: prepared on first use and kept by each connection (connection.c).
 * Included by the .c files of store/ only. Numbers are int64; ids and hashes are uint64 with the same bits.
 */
#ifndef AT_STORE_SQL_H
#define AT_STORE_SQL_H

#define AT_SQL_EVENT_COLUMNS                                                                                 \
    "e.seq, e.source, e.at_ms, e.received_ms, e.origin, e.message_id, e.name, e.message_key, "               \
    "e.payload_hash, e.facts, e.body"
#define AT_SQL_GENERATION_COLUMNS "id, at_ms, tree_hash, source, message, author"
#define AT_SQL_GENERATION_SHOWN                                                                              \
    "SELECT " AT_SQL_GENERATION_COLUMNS                                                                      \
    ", (SELECT count(*) FROM generation_file f WHERE f.generation = g.id) FROM generation g"

#define AT_SQL_DATA_LIST(X)                                                                                  \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                              \
    X(COMMIT, "COMMIT")                                                                                      \
    X(ROLLBACK, "ROLLBACK")                                                                                  \
    X(SAVE, "SAVEPOINT unit")                                                                                \
    X(SAVE_KEEP, "RELEASE unit")                                                                             \
    X(SAVE_BACK, "ROLLBACK TO unit")                                                                         \
    X(EVENT_ADD, "INSERT INTO event (seq, source, at_ms, received_ms, origin, message_id, name, "            \
                 "message_key, payload_hash, facts, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")         \
    X(EVENT_LAST, "SELECT max(seq) FROM event")                                                              \
    X(EVENT_RANGE, "SELECT " AT_SQL_EVENT_COLUMNS                                                            \
                   " FROM event e WHERE e.seq > ? AND e.seq <= ? AND NOT EXISTS (SELECT 1 FROM "             \
                   "erased_source s WHERE s.source = e.source) ORDER BY e.seq LIMIT ?")                      \
    X(EVENT_OF_OLDEST,                                                                                       \
      "SELECT " AT_SQL_EVENT_COLUMNS " FROM timeline t CROSS JOIN event e ON e.seq = t.seq WHERE t.source "  \
      "= ? AND t.seq > ? AND t.seq < ? ORDER BY t.seq LIMIT ?")                                              \
    X(EVENT_OF_NEWEST,                                                                                       \
      "SELECT " AT_SQL_EVENT_COLUMNS " FROM timeline t CROSS JOIN event e ON e.seq = t.seq WHERE t.source "  \
      "= ? AND t.seq > ? AND t.seq < ? ORDER BY t.seq DESC LIMIT ?")                                         \
    X(IDENTIFIER_ADD, "INSERT INTO identifier (id, kind, value, person, since_ms) VALUES (?, ?, ?, ?, ?) "   \
                      "ON CONFLICT (kind, value) DO NOTHING")                                                \
    X(IDENTIFIER_GET, "SELECT id, person, since_ms FROM identifier WHERE kind = ? AND value = ?")            \
    X(IDENTIFIER_AT, "SELECT id, kind, value, person, since_ms FROM identifier WHERE id = ?")                \
    X(IDENTIFIER_OF, "SELECT id, kind, value, since_ms FROM identifier WHERE person = ? ORDER BY id")        \
    X(IDENTIFIER_SLICE,                                                                                      \
      "SELECT id, kind, value, person, since_ms FROM identifier WHERE id > ? ORDER BY id LIMIT ?")           \
    X(IDENTIFIER_MOVE, "UPDATE identifier SET person = ? WHERE id = ?")                                      \
    X(IDENTIFIER_LAST, "SELECT max(id, person) FROM (SELECT (SELECT max(id) FROM identifier) AS id, "        \
                       "(SELECT max(person) FROM identifier) AS person)")                                    \
    X(LINK_ADD, "INSERT INTO link (a, b, at_ms, origin, message_id, name) VALUES (?, ?, ?, ?, ?, ?) ON "     \
                "CONFLICT (a, b) DO NOTHING")                                                                \
    X(LINK_OF, "SELECT a, b, at_ms, origin, message_id, name FROM link WHERE a = ?1 OR b = ?1")              \
    X(LINK_SLICE, "SELECT a, b, at_ms, origin, message_id, name, number FROM link WHERE number > ? ORDER "   \
                  "BY number LIMIT ?")                                                                       \
    X(UNLINK_ADD,                                                                                            \
      "INSERT INTO unlink (a, b, at_ms, author) VALUES (?, ?, ?, ?) ON CONFLICT (a, b) DO NOTHING")          \
    X(UNLINK_SLICE,                                                                                          \
      "SELECT a, b, at_ms, author, number FROM unlink WHERE number > ? ORDER BY number LIMIT ?")             \
    X(MERGE_ADD, "INSERT INTO merge (survivor, loser, at_ms, a, b) VALUES (?, ?, ?, ?, ?)")                  \
    X(MERGE_SLICE,                                                                                           \
      "SELECT survivor, loser, at_ms, a, b, number FROM merge WHERE number > ? ORDER BY number LIMIT ?")     \
    X(PERSON_LAST, "SELECT max(person) FROM (SELECT max(person) AS person FROM profile"                      \
                   " UNION ALL SELECT max(loser) FROM merge)")                                               \
    X(CLAIM_ADD, "INSERT INTO claim (kind, key, person, source, at_ms) VALUES (?, ?, ?, ?, ?)")              \
    X(CLAIM_GET, "SELECT person, source, at_ms FROM claim WHERE kind = ? AND key = ?")                       \
    X(WAITING_PUT, "INSERT INTO waiting (number, kind, key, part, at_ms, body) VALUES (?, ?, ?, ?, ?, ?)"    \
                   " ON CONFLICT (kind, key, part) DO UPDATE SET at_ms = excluded.at_ms,"                    \
                   " body = excluded.body WHERE waiting.at_ms <= excluded.at_ms")                            \
    X(WAITING_DROP, "DELETE FROM waiting WHERE number = ?")                                                  \
    X(WAITING_SLICE, "SELECT kind, key, part, at_ms, body, number FROM waiting WHERE number > ?"             \
                     " ORDER BY number LIMIT ?")                                                             \
    X(WAITING_FOR, "SELECT kind, key, part, at_ms, body, number FROM waiting WHERE kind = ? AND key = ?"     \
                   " ORDER BY number")                                                                       \
    X(PROFILE_PUT, "INSERT INTO profile (person, applied_seq, body, rhythm_days) VALUES (?, ?, ?, ?) "       \
                   "ON CONFLICT (person) DO UPDATE SET applied_seq = excluded.applied_seq, "                 \
                   "body = excluded.body, rhythm_days = excluded.rhythm_days WHERE "                         \
                   "profile.applied_seq <= excluded.applied_seq")                                            \
    X(RHYTHM_PUT, "UPDATE profile SET rhythm_days = ?2 WHERE person = ?1 AND rhythm_days <> ?2")             \
    X(RHYTHM_ALL, "SELECT days, people FROM rhythm WHERE people > 0 ORDER BY days")                          \
    X(PROFILE_DROP, "DELETE FROM profile WHERE person = ?")                                                  \
    X(PROFILE_GET, "SELECT applied_seq, body FROM profile WHERE person = ?")                                 \
    X(TIMELINE_ADD, "INSERT OR IGNORE INTO timeline (source, seq) VALUES (?, ?)")                            \
    X(PART_ADD, "INSERT INTO message_part (run, first_key, rows) VALUES (?, ?, ?)")                          \
    X(PART_FIND,                                                                                             \
      "SELECT rows FROM message_part WHERE run = ? AND first_key <= ? ORDER BY first_key DESC LIMIT 1")      \
    X(PART_SLICE, "SELECT first_key, rows FROM message_part WHERE run = ? AND first_key >= ? ORDER BY "      \
                  "first_key LIMIT ?")                                                                       \
    X(PART_NEXT_RUN, "SELECT run FROM message_part WHERE run > ? ORDER BY run LIMIT 1")                      \
    X(PART_LAST_RUN, "SELECT max(run) FROM message_part")                                                    \
    X(PART_SWEEP, "DELETE FROM message_part WHERE run = ?1 AND first_key IN (SELECT first_key FROM "         \
                  "message_part WHERE run = ?1 ORDER BY first_key LIMIT ?2)")                                \
    X(RUN_ADD, "INSERT INTO message_run (run, sealed_ms, key_count) VALUES (?, ?, ?)")                       \
    X(RUN_LIST, "SELECT run, sealed_ms, key_count FROM message_run ORDER BY run")                            \
    X(RUN_GET, "SELECT run FROM message_run WHERE run = ?")                                                  \
    X(RUN_LAST, "SELECT max(run) FROM message_run")                                                          \
    X(RUN_BEFORE, "SELECT run FROM message_run WHERE run < ? AND sealed_ms >= ? ORDER BY run DESC LIMIT 1")  \
    X(RUN_EXPIRE, "DELETE FROM message_run WHERE sealed_ms < ?")                                             \
    X(CURSOR_PUT, "INSERT OR REPLACE INTO cursor (name, seq) VALUES (?, ?)")                                 \
    X(CURSOR_GET, "SELECT seq FROM cursor WHERE name = ?")                                                   \
    X(STATE_PUT, "INSERT OR REPLACE INTO state (name, body) VALUES (?, ?)")                                  \
    X(STATE_GET, "SELECT body FROM state WHERE name = ?")                                                    \
    X(STATE_LIST, "SELECT name, body FROM state WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name")       \
    X(SETTING_PUT, "INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)")                             \
    X(SETTING_GET, "SELECT value FROM setting WHERE name = ?")                                               \
    X(PRODUCT_PUT,                                                                                           \
      "INSERT OR REPLACE INTO product (row, id, updated_ms, is_retired, body) VALUES (?, ?, ?, ?, ?)")       \
    X(PRODUCT_SLICE,                                                                                         \
      "SELECT row, id, updated_ms, is_retired, body FROM product WHERE row > ? ORDER BY row LIMIT ?")        \
    X(PRODUCT_STAT_PUT, "INSERT OR REPLACE INTO product_stat (row, body) VALUES (?, ?)")                     \
    X(PRODUCT_STAT_SLICE, "SELECT row, body FROM product_stat WHERE row > ? ORDER BY row LIMIT ?")           \
    X(GENERATION_ADD, "INSERT INTO generation (" AT_SQL_GENERATION_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)")    \
    X(GENERATION_FILE_ADD, "INSERT INTO generation_file (generation, path, hash) VALUES (?, ?, ?)")          \
    X(FILE_TEXT_ADD, "INSERT OR IGNORE INTO file_text (hash, text) VALUES (?, ?)")                           \
    X(GENERATION_GET, AT_SQL_GENERATION_SHOWN " WHERE id = ?")                                               \
    X(GENERATION_LIST, AT_SQL_GENERATION_SHOWN " ORDER BY id DESC LIMIT ?")                                  \
    X(GENERATION_FILES, "SELECT f.path, t.text FROM generation_file f JOIN file_text t ON t.hash = f.hash "  \
                        "WHERE f.generation = ? ORDER BY f.path")                                            \
    X(GENERATION_FILE, "SELECT t.text FROM generation_file f JOIN file_text t ON t.hash = f.hash "           \
                       "WHERE f.generation = ? AND f.path = ?")                                              \
    X(DECISION_ADD, "INSERT INTO decision (id, at_ms, person, body) VALUES (?, ?, ?, ?)")                    \
    X(DECISION_GET, "SELECT id, at_ms, person, body FROM decision d WHERE id = ? AND at_ms >= ? AND NOT "    \
                    "EXISTS (SELECT 1 FROM erased_person p WHERE p.person = d.person)")                      \
    X(DECISION_OF, "SELECT id, at_ms, person, body FROM decision WHERE person = ? AND at_ms >= ? ORDER BY "  \
                   "id DESC LIMIT ?")                                                                        \
    X(DECISION_SWEEP,                                                                                        \
      "DELETE FROM decision WHERE number IN (SELECT number FROM decision WHERE at_ms < ? LIMIT ?)")          \
    X(PROFILE_SLICE,                                                                                         \
      "SELECT person, applied_seq, body FROM profile WHERE person > ? ORDER BY person LIMIT ?")              \
    X(PROFILE_LAST, "SELECT max(person) FROM profile")                                                       \
    X(MEMBER_ADD, "INSERT OR IGNORE INTO segment_member (person, segment, since_ms) VALUES (?, ?, ?)")       \
    X(MEMBER_DROP, "DELETE FROM segment_member WHERE person = ? AND segment = ?")                            \
    X(MEMBER_MERGE,                                                                                          \
      "INSERT INTO segment_member (person, segment, since_ms)"                                               \
      " SELECT ?1, segment, since_ms FROM segment_member WHERE person = ?2"                                  \
      " ON CONFLICT (person, segment) DO UPDATE SET since_ms = min(since_ms, excluded.since_ms)")            \
    X(MEMBER_DROP_ALL, "DELETE FROM segment_member WHERE person = ?")                                        \
    X(MEMBER_RANGE, "SELECT person, segment, since_ms FROM segment_member WHERE person > ? AND person <= ?"  \
                    " ORDER BY person, segment")                                                             \
    X(MEMBER_OF, "SELECT person, segment, since_ms FROM segment_member WHERE segment = ?"                    \
                 " AND (since_ms, person) < (?, ?) ORDER BY since_ms DESC, person DESC LIMIT ?")             \
    X(MEMBER_COUNTS, "SELECT segment, count(*) FROM segment_member GROUP BY segment")                        \
    X(MEMBER_SINCE, "SELECT count(*) FROM segment_member WHERE segment = ? AND since_ms >= ?")               \
    X(DUE_PUT, "INSERT OR REPLACE INTO segment_due (person, at_ms) VALUES (?, ?)")                           \
    X(DUE_DROP, "DELETE FROM segment_due WHERE person = ?")                                                  \
    X(DUE_RANGE, "SELECT person, at_ms FROM segment_due WHERE person > ? AND person <= ? ORDER BY person")   \
    X(DUE_UNTIL, "SELECT person, at_ms FROM segment_due WHERE at_ms <= ? ORDER BY at_ms, person LIMIT ?")

/* What people may ask for. */
#define AT_SQL_PRIVACY_LIST(X)                                                                               \
    X(ERASURE_ADD, "INSERT INTO erasure (id, person, at_ms, author, is_counted, event_count, scrubbed_ms) "  \
                   "VALUES (?, ?, ?, ?, 0, 0, 0)")                                                           \
    X(ERASURE_COUNTED, "UPDATE erasure SET is_counted = 1, event_count = ? WHERE id = ?")                    \
    X(ERASURE_SCRUBBED, "UPDATE erasure SET scrubbed_ms = ? WHERE scrubbed_ms = 0 AND is_counted AND "       \
                        "number <= ? AND NOT EXISTS (SELECT 1 FROM erased_source s WHERE s.erasure = "       \
                        "number) AND NOT EXISTS (SELECT 1 FROM erased_person p WHERE p.erasure = number)")   \
    X(REQUEST_SCRUBBED, "UPDATE request SET state = 'done', changed_ms = ?1 WHERE state = 'unreachable' "    \
                        "AND id IN (SELECT id FROM erasure WHERE scrubbed_ms = ?1)")                         \
    X(ERASURE_OPEN, "SELECT count(*) FROM erasure WHERE scrubbed_ms = 0")                                    \
    X(ERASURE_LAST, "SELECT max(number) FROM erasure WHERE scrubbed_ms = 0 AND is_counted")                  \
    X(ERASURE_GET,                                                                                           \
      "SELECT id, person, at_ms, author, event_count, scrubbed_ms, is_counted FROM erasure WHERE id = ?")    \
    X(ERASURE_SLICE, "SELECT id, person, at_ms, author, event_count, scrubbed_ms, is_counted, number FROM "  \
                     "erasure WHERE number > ? ORDER BY number LIMIT ?")                                     \
    X(ERASED_SOURCE_ADD,                                                                                     \
      "INSERT OR IGNORE INTO erased_source (source, erasure) VALUES (?, (SELECT max(number) FROM erasure))") \
    X(ERASED_PERSON_ADD,                                                                                     \
      "INSERT OR IGNORE INTO erased_person (person, erasure) VALUES (?, (SELECT max(number) FROM erasure))") \
    X(ERASED_SOURCE_NEXT, "SELECT s.source FROM erased_source s JOIN erasure e ON e.number = s.erasure "     \
                          "WHERE e.is_counted LIMIT 1")                                                      \
    X(ERASED_PERSON_NEXT, "SELECT p.person FROM erased_person p JOIN erasure e ON e.number = p.erasure "     \
                          "WHERE e.is_counted LIMIT 1")                                                      \
    X(ERASED_EVENTS, "SELECT " AT_SQL_EVENT_COLUMNS                                                          \
                     " FROM erasure r JOIN erased_source s ON s.erasure = r.number JOIN timeline t ON "      \
                     "t.source = s.source CROSS JOIN event e ON e.seq = t.seq WHERE r.id = ?")               \
    X(EVENT_DROP, "DELETE FROM event WHERE seq = ?")                                                         \
    X(TIMELINE_DROP, "DELETE FROM timeline WHERE source = ? AND seq = ?")                                    \
    X(IDENTIFIER_DROP, "DELETE FROM identifier WHERE id = ?")                                                \
    X(SUPPRESSED_ADD, "INSERT INTO suppressed (hash, kind, at_ms) VALUES (?, ?, ?) ON CONFLICT (hash) DO "   \
                      "UPDATE SET at_ms = excluded.at_ms WHERE at_ms < excluded.at_ms")                      \
    X(SUPPRESSED_ALL, "SELECT hash, kind, at_ms FROM suppressed")                                            \
    X(MONEY_ADD, "INSERT INTO money (day_ms, kind, amount, currency, items) VALUES (?, ?, ?, ?, ?)")         \
    X(REQUEST_PUT,                                                                                           \
      "INSERT INTO request (id, kind, state, person, source, reference, at_ms, due_ms, changed_ms, detail) " \
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, person " \
      "= excluded.person, changed_ms = excluded.changed_ms, detail = excluded.detail")                       \
    X(REQUEST_GET, "SELECT id, kind, state, person, source, reference, at_ms, due_ms, changed_ms, "          \
                   "detail FROM request WHERE id = ?")                                                       \
    X(REQUEST_LIST, "SELECT id, kind, state, person, source, reference, at_ms, due_ms, changed_ms, "         \
                    "detail FROM request WHERE ?1 = '' OR state = ?1 ORDER BY number DESC LIMIT ?2")         \
    X(ACCESS_ADD, "INSERT INTO access (at_ms, author, action, person) VALUES (?, ?, ?, ?)")                  \
    X(ACCESS_OF, "SELECT at_ms, author, action FROM access WHERE person = ?1 ORDER BY number DESC LIMIT ?2") \
    X(ACCESS_EXPIRE, "DELETE FROM access WHERE number IN (SELECT number FROM access WHERE at_ms < ? LIMIT "  \
                     "1000)")                                                                                \
    X(SCRUB_EVENTS, "DELETE FROM event WHERE seq IN (SELECT seq FROM timeline WHERE "                        \
                    "source = ? ORDER BY seq LIMIT ?)")                                                      \
    X(SCRUB_TIMELINE, "DELETE FROM timeline WHERE source = ?1 AND seq IN (SELECT seq FROM "                  \
                      "timeline WHERE source = ?1 ORDER BY seq LIMIT ?2)")                                   \
    X(SCRUB_LINKS, "DELETE FROM link WHERE a = ?1 OR b = ?1")                                                \
    X(SCRUB_UNLINKS, "DELETE FROM unlink WHERE a = ?1 OR b = ?1")                                            \
    X(SCRUB_SOURCE, "DELETE FROM erased_source WHERE source = ?")                                            \
    X(SCRUB_DECISIONS, "DELETE FROM decision WHERE number IN (SELECT number FROM "                           \
                       "decision WHERE person = ? AND person <> 0 LIMIT ?)")                                 \
    X(SCRUB_CLAIMS, "UPDATE claim SET person = 0, source = 0 WHERE person = ? AND person <> 0")              \
    X(SCRUB_MERGES, "DELETE FROM merge WHERE survivor = ?1 OR loser = ?1")                                   \
    X(SCRUB_PERSON, "DELETE FROM erased_person WHERE person = ?")

#define AT_SQL_LIST(X) AT_SQL_DATA_LIST(X) AT_SQL_PRIVACY_LIST(X)

#define AT_SQL_NAME(name, text) AT_SQL_##name,
enum at_sql { AT_SQL_LIST(AT_SQL_NAME) AT_SQL_COUNT };
#undef AT_SQL_NAME

#endif
