/* SPDX-License-Identifier: Apache-2.0
 *
 * What merchants see, for shop/: settings (shop.lua), generations (what the scripts declare), and one loaded
 * state per worker and generation that runs the rules. The domain rooms get judges from here and know no Lua.
 */
#ifndef AT_LANGUAGE_LANGUAGE_H
#define AT_LANGUAGE_LANGUAGE_H

#include "base/log.h"
#include "base/zone.h"
#include "language/analysis.h"
#include "loop/watchdog.h"
#include "profile/affinity.h"
#include "profile/identity.h"
#include "profile/segment.h"
#include "ranking/column.h"
#include "ranking/rank.h"

struct at_source_file {
    struct at_text path; /* relative to the shop's folder: "scripts/rankings/a.lua" */
    struct at_text text;
};

/* ---- settings: shop.lua ---- */
struct at_key {
    const char *source; /* its name */
    struct at_text value;
    bool is_secret;
};
struct at_declared_attribute {
    const char *name, *kind;
};
#define AT_RETENTION_MAX 64
struct at_retention { /* events of that name are kept so long from when they came in */
    struct at_text name;
    int64_t keep_ms;
};
/* sources { shopify = { … } }: who may send webhooks. */
#define AT_SOURCE_SECRETS_MAX 8
struct at_shopify_settings {
    struct at_text secrets[AT_SOURCE_SECRETS_MAX]; /* any of them signs: one is rotated while both hold */
    uint32_t secret_count;                         /* 0: Shopify is no source of this shop */
    struct at_text domain; /* "outfitter.myshopify.com": of another shop nothing is taken; "": of any */
};
/* budgets { ranking = "20ms", … }: what scripts may take. */
enum at_budget {
    AT_BUDGET_RANKING, /* all rankings of one decision together */
    AT_BUDGET_RAIL,    /* all its rails together: a slow ranking takes nothing from them */
    AT_BUDGET_SEGMENT, /* one answer outside decisions: nobody waits for it */
    AT_BUDGET_LOAD,    /* all scripts into one state */
    AT_BUDGET_COUNT
};
struct at_budgets { /* 0: as usual */
    uint64_t ns[AT_BUDGET_COUNT];
    size_t memory_bytes; /* of one state */
};
extern const char *const at_budget_names[]; /* NULL at the end */
struct at_settings {
    struct at_arena arena; /* owns every text */
    struct at_text text;   /* shop.lua as it was read; data NULL: there is none */
    const char *name, *currency, *timezone, *country, *locale;
    struct at_zone *zone;
    struct at_key *keys;
    uint32_t key_count;
    const char **origins;
    uint32_t origin_count;
    struct at_declared_attribute *attributes;
    uint32_t attribute_count;
    struct at_identity_rules identity; /* who is who */
    struct at_consent_rules consent;
    const struct at_retention *retention; /* by name */
    uint32_t retention_count;
    struct at_shopify_settings shopify;
    struct at_budgets budgets;
};
uint64_t at_budget_ns(const struct at_settings *settings, enum at_budget which); /* settings may be NULL */
struct at_settings_source {
    const char *folder; /* for file "path" */
    const char *(*env)(void *arg, const char *name);
    void *env_arg;
};
/* text NULL: no shop.lua: the defaults (EUR, UTC). err: "shop.lua:7: …". */
enum at_status at_settings_load(const struct at_settings_source *source, const char *text, size_t length,
                                struct at_settings **out, struct at_error *err) AT_MUST_CHECK;
void at_settings_free(struct at_settings *settings);
/* Its attributes into a catalog. */
enum at_status at_settings_declare(const struct at_settings *settings, struct at_catalog *catalog,
                                   struct at_error *err) AT_MUST_CHECK;
/* The same for a check: what is wrong comes as findings, in the arena. AT_UNPROCESSABLE: one of them is an
 * error, and *out is NULL. */
enum at_status at_settings_check(const struct at_settings_source *source, struct at_text text,
                                 struct at_arena *arena, struct at_settings **out,
                                 struct at_finding **findings, struct at_error *err) AT_MUST_CHECK;
/* In a sentence, for who starts the shop: which consent rules hold. */
void at_settings_tell_consent(const struct at_settings *settings, struct at_bytes *out);

/* ---- generations ---- */
struct at_ranking {
    const char *name, *path;
    uint32_t line, score_line; /* of the declaration, of its score function */
    int score, first;          /* function ids in a state; 0: none */
    struct at_rule_report score_report, first_report;
    const char *diversify_by;
    uint32_t diversify_at_most, diversify_within;
    double explore_share;
};
struct at_rail_declaration {
    struct at_rail rail; /* rail.declaration: its index in the generation */
    const char *path;
    uint32_t line;
    int condition; /* function id; 0 for pins */
    struct at_rule_report report;
};
#define AT_SEGMENTS_MAX      256
#define AT_SEGMENT_CHAIN_MAX 16 /* segments that ask for one another, one after the other */
struct at_segment {
    const char *name, *path;
    uint32_t line, when_line; /* of the declaration, of its when */
    int when;                 /* function id in a state */
    int64_t recheck_ms;
    bool has_recheck;     /* the script says it */
    uint64_t says;        /* a hash of all that decides who is in it: equal, nothing was changed */
    const uint32_t *asks; /* the segments it asks for, by place in the generation */
    uint32_t ask_count;
    uint32_t blind_line;  /* what it reads there changes nobody knows when; 0: nothing of the kind */
    struct at_text blind; /* those words of the source */
};
#define AT_TESTS_MAX 1024
struct at_test {
    const char *name, *path;
    uint32_t line;
    int fields, run; /* by number in a state: its table, its function */
};
struct at_generation {
    struct at_arena arena; /* owns everything below */
    uint64_t id;
    int64_t at_ms;
    char tree_hash[65];
    const char *source, *message, *author;
    struct at_source_file *files;
    uint32_t file_count;
    struct at_ranking *rankings; /* by name */
    uint32_t ranking_count;
    struct at_rail_declaration *rails; /* by name */
    uint32_t rail_count;
    struct at_segment *segments; /* by name */
    uint32_t segment_count;
    struct at_test *tests; /* as they were read */
    uint32_t test_count;
    bool reads_interval; /* with segments: a file names typical_interval, which follows the shop's */
};
struct at_file_finding {
    struct at_file_finding *next;
    const char *path;
    struct at_finding finding;
};
/* Check and build. Findings (errors and warnings) are in the arena given; any error finding: AT_UNPROCESSABLE
 * and *out NULL. root: the catalog whose attributes are known; an empty one makes unknown attributes
 * warnings. They are in the order of the files, then of their places. */
struct at_build {
    const struct at_source_file *files;
    uint32_t file_count;
    const struct at_settings *settings;
    const struct at_root *root;
    bool is_whole;             /* root has all attributes there are, although it has no products */
    const char *const *events; /* names of events that came, beside the standard's: canonical */
    uint32_t event_count;
    struct at_guard *guard;
    struct at_arena *arena; /* of the findings */
    struct at_file_finding *findings;
    struct at_node **trees; /* of the files, for the checks; NULL: cannot be parsed */
};
enum at_status at_generation_build(struct at_build *build, struct at_generation **out,
                                   struct at_error *err) AT_MUST_CHECK;
void at_generation_free(struct at_generation *generation);
const struct at_ranking *at_generation_ranking(const struct at_generation *generation, struct at_text name);
const struct at_segment *at_generation_segment(const struct at_generation *generation, struct at_text name);
/* sha256 in hex over the sorted (path, content hash) pairs. */
void at_tree_hash(const struct at_source_file *files, uint32_t count, char out[65]);
/* The files as a marketer would read the findings: blocks as at_finding_print, appended to out. */
void at_findings_print(const struct at_build *build, struct at_bytes *out);

/* ---- running rules ---- */
struct at_language; /* one Lua state with a generation's scripts loaded */
enum at_status at_language_new(struct at_language **out, const struct at_generation *generation,
                               const struct at_settings *settings, struct at_guard *guard,
                               struct at_account *account, struct at_error *err) AT_MUST_CHECK;
void at_language_free(struct at_language *language);
bool at_language_is_spent(const struct at_language *language); /* a rule was stopped: build a new one */
void at_language_collect(struct at_language *language, uint32_t max_us);
void at_language_set_guard(struct at_language *language, struct at_guard *guard);
size_t at_language_used_bytes(const struct at_language *language);
/* Something of a script that took more than half of its budget. */
struct at_slow {
    enum at_budget budget;
    const char *name, *path; /* of the declaration, lent by the generation; name NULL: the loading of all */
    uint32_t line;
    uint64_t took_ns;
    char most_path[120]; /* where most of it went; most_line 0: nowhere in a script */
    uint32_t most_line;
};
/* How long the last call of the state took: right after at_language_new, the loading. True: that is slow. */
uint64_t at_language_took_ns(const struct at_language *language);
bool at_language_loaded_slowly(const struct at_language *language, struct at_slow *out);

/* What the rules of one decision see. Kept by the caller for the whole decision; caches live in it. */
struct at_decision_view {
    const struct at_root *root;
    const struct at_profile *profile; /* what rules may see; never NULL: an empty profile for nobody */
    const struct at_profile *whole;   /* who it is, for the answers of consent; NULL: the same */
    bool is_plain;                    /* no consent to personalization: history and predictions are nil */
    const struct at_baseline *baseline;
    int64_t now_ms;
    struct at_text page_name, page_category, page_query, page_url;
    uint32_t page_product; /* row or AT_ROW_NONE */
    struct at_arena *arena;
    uint64_t deadline_ns; /* at_ticks_ns: when all ends, whatever is left of the budgets */
    uint32_t patience; /* so many budgets of each noun; 0: one. Where nobody waits and who asks looks at the
                          clock of the thread */
    bool explains;
    /* caches, zero at first */
    struct at_tastes tastes;
    bool has_tastes;
    const struct at_facet_table *facets;
    uint32_t facet_count;
    bool has_facets;
    struct at_by_row *met[2];           /* what was seen, what was bought */
    uint8_t *segments;                  /* by place in the generation: what customer:in_segment came to */
    uint64_t spent_ns[AT_BUDGET_COUNT]; /* within Lua, of rankings and of rails */
    struct at_slow slow;                /* the first rule that was; took_ns 0: none */
    /* out: segments that failed and read as no; of the first why, with file and line */
    uint32_t segment_failures;
    struct at_error segment_error;
    /* out: rules whose answers were computed both ways, how many disagreed, and of the first with what */
    uint32_t twice, disagreements;
    struct at_error disagreement;
    bool is_counted, is_twice; /* among the decisions of its language; one that looks at both ways */
};
/* Call when the decision is over: gives scratch back to the language. */
void at_decision_end(struct at_language *language, struct at_decision_view *view);

#define AT_SLOT_MAX (AT_ATTRIBUTE_MAX + 16) /* attributes, then features */
struct at_rule_use { /* the arg of a judge: one rule of one decision; in the request's arena */
    struct at_language *language;
    struct at_decision_view *view;
    const struct at_rule_report *report;
    int function;
    bool is_condition;
    enum at_budget budget;
    const char *path, *name; /* for messages */
    uint32_t line;
    /* out */
    bool ran_on_columns;
    struct at_program *program; /* of the last column run, for explanations */
    int result;                 /* its result node */
    int16_t reads[AT_SLOT_MAX]; /* with explains: >= 0 where the rule read that attribute or feature; the node
                                   of a column run */
    double constant;            /* where the rule answered one value for all */
    const uint32_t *rows;       /* of the last column run: its candidates */
    uint32_t row_count;
};
enum at_status at_rule_judge(void *arg, const struct at_candidates *candidates, double *out,
                             struct at_error *err);

/* ---- segments ---- */
/* customer:in_segment within a decision asks on the view's own profile and moment, once a decision and within
 * the rule's budget; where personalization is not allowed it is no, and so is a segment that fails.
 *
 * Outside decisions one judge asks one segment about any number of people, one after the other, on one
 * thread. Who may not be personalized is in no segment. AT_FAILED: the script failed; AT_STOPPED: it took
 * longer than its budget, and the state is spent. */
struct at_segment_use {
    struct at_language *language;
    const struct at_segment *segment;
    const struct at_root *root;
    const struct at_baseline *baseline; /* may be NULL */
    struct at_arena *arena;             /* of one answer: reset by the next */
    uint64_t took_ns;                   /* out: of all answers so far */
    struct at_slow slow;                /* out: took_ns 0: none was */
};
struct at_segment_judge at_segment_judge(struct at_segment_use *use);

/* ---- explaining ---- */
struct at_explained_term {
    uint32_t line;
    struct at_text text;
    double value;
};
/* The terms of the score of one candidate after at_rule_judge ran with view->explains; one term "the whole
 * rule" if it went product by product. Terms in order; *count set. */
enum at_status at_rule_terms(struct at_rule_use *use, uint32_t row, double score,
                             struct at_explained_term **terms, uint32_t *count) AT_MUST_CHECK;
/* Calls fn with each feature the rule read and its value for that row (missing: NaN of at_missing; text:
 * through text). */
void at_rule_features(struct at_rule_use *use, uint32_t row,
                      void (*fn)(void *arg, const char *name, double value, struct at_text text), void *arg);

/* One decision in so many runs its rules both ways and answers product by product. */
#define AT_TWICE_EVERY        1000
#define AT_DECISION_BUDGET_NS (20 * 1000000ULL)  /* as usual, of rankings and of rails */
#define AT_LOAD_BUDGET_NS     (500 * 1000000ULL) /* of what is ours to load, and of shop.lua */

#endif
