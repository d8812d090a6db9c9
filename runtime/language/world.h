/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to language/: the world of one test. Opened before the test's code runs and closed after it, so
 * that an error in Lua leaves nothing behind. One thread.
 */
#ifndef AT_LANGUAGE_WORLD_H
#define AT_LANGUAGE_WORLD_H

#include "base/map.h"
#include "catalog/where.h"
#include "language/list.h"
#include "language/state.h"
#include "language/test.h"

#define WORLD_PEOPLE_MAX 20000
#define WORLD_NOBODY     UINT32_MAX
#define WORLD_TASTES_MAX 64
#define WORLD_TEXT_MAX   ((size_t)1 << 20) /* JSON of one value of a script */

struct world_person {
    struct at_profile *profile;
    uint32_t into; /* who it became; itself while it is somebody */
};
struct world_event { /* as a log has it */
    struct world_event *next;
    uint32_t person;
    uint64_t seq;
    int64_t at_ms;
    struct at_text name, message_id, body, facts; /* the JSON padded */
};
struct world_due { /* of a file of events: its line, parsed when its moment comes */
    int64_t at_ms;
    struct at_text text;
    uint32_t line;
};
struct world_taste { /* as given says it */
    struct at_text facet, value;
    double affinity;
};
struct world_failure {
    bool is_there;
    char expected[160], got[160], path[120];
    uint32_t line;
};
/* Catalogs of files, kept for all tests of a run. */
struct world_catalog {
    const char *path;
    struct at_catalog *catalog;
};
#define WORLD_CATALOGS_MAX 16
struct test_run { /* of all tests */
    const struct at_test_options *options;
    const struct at_source_file *files;        /* what the states load */
    uint32_t *ran;                             /* with covers, by place */
    uint8_t *applied;                          /* with covers, by rail: a list came under it */
    struct at_language *outer, *rules, *plain; /* plain: of costs, where the rules' state counts places */
    struct world_catalog catalogs[WORLD_CATALOGS_MAX];
    uint32_t catalog_count;
};
struct at_world {
    struct test_run *run;
    struct at_arena arena, asking; /* of the test; of one ask */
    struct at_catalog *catalog;    /* its own; NULL: one of the run's */
    struct at_root *root;
    int64_t now_ms;
    struct at_decision_view view;    /* of the test's own code */
    struct at_profile *seen, *asked; /* what view has of it, if that is another; the same of the last ask */
    struct world_person *people;
    uint32_t person_count, person_capacity, customer;
    struct at_map identifiers, claims, messages; /* identifiers: the person, from 1 */
    struct world_event *events, **events_end;
    uint64_t seq;
    struct world_due *due;
    uint32_t due_count, due_next;
    struct at_crowd *crowd;
    struct at_baseline *baseline; /* NULL: to be made of the crowd */
    struct world_taste tastes[WORLD_TASTES_MAX];
    uint32_t taste_count;
    struct at_json_parser *value_parser, *event_parser, *facts_parser;
    struct at_bytes text, facts;
    uint32_t expectations;
    struct world_failure failure;
};

/* world.c */
enum at_status world_open(struct at_world *world, struct test_run *run) AT_MUST_CHECK;
void world_close(struct at_world *world);
enum at_status world_add_person(struct at_world *world, uint32_t *out) AT_MUST_CHECK;
uint32_t world_find(const struct at_world *world, struct at_text kind, struct at_text value);
uint32_t world_customer(const struct at_world *world); /* the test's own, whoever it became */
/* An event happens now (look again, then), to that person or (WORLD_NOBODY) to whom it names; *whom: who that
 * was, WORLD_NOBODY if nothing of it was kept. at_ms may be past for what is given. */
struct world_happening {
    struct at_json json;
    int64_t at_ms;
    uint32_t person;
    bool is_given; /* it stands whatever consent says */
};
enum at_status world_happen(struct at_world *world, const struct world_happening *happening, uint32_t *whom,
                            struct at_error *err) AT_MUST_CHECK;
enum at_status world_state_consent(struct at_world *world, uint32_t person,
                                   const struct at_consent_statement *said, uint32_t count,
                                   int64_t at_ms) AT_MUST_CHECK;
enum at_status world_wait(struct at_world *world, int64_t ms, struct at_error *err) AT_MUST_CHECK;
/* What the rules see of that person, or of nobody, now; the arena is the view's. */
enum at_status world_look(struct at_world *world, uint32_t person, struct at_decision_view *view,
                          struct at_profile **seen) AT_MUST_CHECK;
/* The same for the test's own code, of its customer. */
enum at_status world_look_on(struct at_world *world) AT_MUST_CHECK;

/* world_files.c: what a test names of the shop's folder. path: as the test says it. */
enum at_status world_use_catalog(struct at_world *world, const char *path,
                                 struct at_error *err) AT_MUST_CHECK;
enum at_status world_use_products(struct at_world *world, struct at_json products,
                                  struct at_error *err) AT_MUST_CHECK;
enum at_status world_use_events(struct at_world *world, const char *path, struct at_error *err) AT_MUST_CHECK;
void world_free_catalogs(struct test_run *run);

/* world_given.c: the table of the test's fields is at that place; raises. */
void world_begin(lua_State *L, struct at_world *world, int fields);
/* world_json.c: a value of Lua as JSON, keys in order; raises. */
void world_put_json(lua_State *L, struct at_world *world, int at, struct at_json_out *out);
void world_check_text(lua_State *L, const struct at_world *world); /* that it was written whole */
struct at_json world_json_at(lua_State *L, struct at_world *world, int at);
/* world_list.c */
int l_world_rank(lua_State *L);
int l_world_decide(lua_State *L);
int l_world_cost(lua_State *L);
/* Raises what a function of the world could not do. */
void world_must(lua_State *L, enum at_status status, const struct at_error *err);

/* test_source.c: the expectation in that line of the file: where its text begins and ends; false: none is
 * sure. */
bool find_expectation(struct at_arena *arena, struct at_text source, struct at_finding *at);
/* test_cover.c: the files with a count at each place, and what no test came by. */
struct coverage;
enum at_status cover_files(struct test_run *run, struct coverage **out) AT_MUST_CHECK;
enum at_status cover_report(const struct coverage *coverage, struct test_run *run,
                            struct at_test_report *report) AT_MUST_CHECK;

#endif
