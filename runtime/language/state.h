/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to language/: the state behind the bindings. Scripts hold no pointers: product, customer, columns …
 * are light userdata that pack (call number, kind, index); the call number must be the running call's, so
 * that a value kept from an earlier call is refused instead of followed.
 */
#ifndef AT_LANGUAGE_STATE_H
#define AT_LANGUAGE_STATE_H

#include <lua.h>
#include <lauxlib.h>
#include "language/language.h"
#include "language/vocabulary.h"
#include "ranking/pack.h"
#include "script/script.h"

enum view_kind {
    VIEW_COLUMN = 1, /* index: node of the program */
    VIEW_COLUMNS,    /* the product, whole columns */
    VIEW_PRODUCT,    /* index: into state->rows */
    VIEW_LIST,       /* a product's list attribute; index: into state->lists */
    VIEW_CUSTOMER,
    VIEW_TRAITS,
    VIEW_SESSION,
    VIEW_ACQUIRED,
    VIEW_ORDERS,
    VIEW_BASKET,
    VIEW_AFFINITY,
    VIEW_FACET, /* index: into state->facet_names */
    VIEW_PAGE,
    VIEW_CONSENT,
    VIEW_MOVING, /* a number that moves with time; index: into state->outlook.numbers */
    VIEW_MIXED,  /* one of two values, by product; index: into the call's (masks.c) */
    VIEW_EVENT,  /* index: into the profile's newest events */
    VIEW_WORLD,  /* of a test */
};
#define VIEW_INDEX_BITS 20
#define VIEW_KIND_BITS  8
#define VIEW_INDEX_MAX  ((1u << VIEW_INDEX_BITS) - 1)

struct list_view {
    uint32_t row;
    int attribute;
};

struct at_by_row { /* a double per row, zero but for the touched ones */
    double *values;
    uint32_t capacity;
    uint32_t *touched;
    uint32_t touched_count, touched_capacity;
    bool in_use;
};

struct moving { /* a number now, and what it gains with each millisecond */
    double value, slope;
};
#define MOVING_MAX 256
struct outlook { /* of a segment's call: until when what it looks at stands (moving.c) */
    bool is_asked;
    bool stands_still; /* numbers do not move in this run */
    bool is_blind;
    int64_t until_ms;
    struct moving numbers[MOVING_MAX];
    uint32_t count;
};
/* More than a profile's basket and newest events can name, the page's product and the candidate. */
#define ROWS_MAX 1024

struct at_language {
    struct at_script *script;
    const struct at_generation *generation; /* NULL while one is being built */
    const struct at_settings *settings;
    struct declarations *declarations; /* while scripts are loaded; else NULL */
    uint64_t call;                     /* number of the running call */
    bool is_running;
    /* of the running call */
    struct at_decision_view *view;
    const struct at_candidates *candidates;
    struct at_program program;
    int16_t node_of[AT_SLOT_MAX];       /* memo of loads; -1 none */
    uint32_t rows[ROWS_MAX], row_count; /* products scripts can hold: 0 is the candidate */
    struct list_view lists[256];
    uint32_t list_count;
    const char *facet_names[64];
    uint32_t facet_count;
    bool runs_columns;
    bool needs_rows; /* the column run met something only the other way can do */
    /* of the running call's nodes: which products have a Lua integer there, and how large (forms.c) */
    uint8_t form[AT_NODES_MAX];
    double form_bound[AT_NODES_MAX];
    uint16_t form_mask[AT_NODES_MAX];
    uint32_t mixed_count;
    uint64_t decision_count; /* of those that judged a rule on columns */
    int raises; /* a compiled rule's: the node that holds for products it would fail for; -1: none */
    bool explains;
    bool reads_context; /* the running call looked at the customer, the page or the clock */
    struct taste_store *taste_store;
    struct at_account *account; /* of the state; NULL: none */
    struct kept_rule *kept;     /* by function id */
    int kept_count;
    struct kept_variants *variants; /* by function id */
    int variant_count;
    struct at_pack_room packs; /* of them */
    /* normalize, rank_of product by product */
    struct ordinal *ordinals;
    uint32_t ordinal_count, ordinal_next;
    enum at_column_op ordinal_ops[8];
    const struct at_source_file *files; /* of the generation, for require */
    uint32_t file_count;
    uint32_t candidate;         /* position of the current candidate */
    struct at_by_row by_row[2]; /* seen, bought */
    struct at_json_parser *traits_parser;
    struct outlook outlook;
    struct at_world *world; /* while a test runs: the one it looks at */
    uint32_t *ran;          /* a state whose files say what ran: how often, by number of the place */
};

struct at_language *language_of(lua_State *L);
void push_view(lua_State *L, enum view_kind kind, uint32_t index);
/* Decodes a value of the running call; 0: not a view. Raises if it is from an earlier call. */
enum view_kind view_at(lua_State *L, int at, uint32_t *index);

/* views.c */
void install_views(lua_State *L);
/* judge.c: between them the scripts of one call run */
void call_begin(struct at_language *language, struct at_decision_view *view);
void call_end(struct at_language *language);

/* moving.c: what time alone changes. Whatever a script can read that depends on the moment goes through these
 * three, so that a segment's call knows until when its answer stands; in any other call they push the number,
 * or do nothing. */
void push_since(lua_State *L, int64_t moment_ms); /* the time from there to now: -moment_ms + now */
void reads_until(lua_State *L, int64_t until_ms); /* what was read stands until then; AT_NEVER: for good */
void reads_blindly(lua_State *L);                 /* nobody knows when it changes */
bool any_moving(lua_State *L);                    /* among the arguments */
bool moving_number(lua_State *L, int at, struct moving *out); /* false: no number stands there */
int moving_binary(lua_State *L, enum at_column_op op); /* AT_OP_ADD … AT_OP_POW; at least one moves */
bool moving_compare(lua_State *L, int a, int b, enum at_column_op op); /* AT_OP_ABOVE … AT_OP_AT_MOST */
int moving_extreme(lua_State *L, enum at_column_op op);                /* AT_OP_MIN, AT_OP_MAX */
/* columns.c: operators over columns */
int column_binary(lua_State *L, enum at_column_op op, enum at_column_type type);
int column_operand(lua_State *L, int at,
                   enum at_column_type wanted); /* node of a value at that stack place */
void push_node(lua_State *L, int node);
_Noreturn void need_rows(lua_State *L);
bool is_column(lua_State *L, int at);
/* forms.c: Lua counts with integers where both sides are integers, and has no −0 among them. Columns are
 * doubles: these make up the difference where it shows. */
enum { FORM_FLOAT, FORM_INTEGER, FORM_EITHER };
int form_constant(lua_State *L, int at);                           /* the node of a plain number */
int form_binary(lua_State *L, enum at_column_op op, int a, int b); /* ADD … MOD of numbers; -1: no room */
int form_negative(lua_State *L, int a);
int form_choice(lua_State *L, int node, int a, int b); /* node takes its value from a or b: its form */
int add_unary(struct at_program *program, enum at_column_op op, enum at_column_type type, int a);
/* masks.c: the primitives of compiled rules. */
void push_primitive(lua_State *L, const char *name);
void install_masks(lua_State *L);
int masks_truth(lua_State *L, int at); /* a condition's node of the value there; -1: plainly no, -2: yes */
double at_raised(void); /* a score that stands for a failure: the rule must run product by product */
bool at_is_raised(double value);
/* twice.c: whether this rule is judged the other way too; what that came to. */
bool twice_is_due(const struct at_rule_use *use, uint32_t count);
void twice_compare(const struct at_rule_use *use, const struct at_candidates *candidates, const double *fast,
                   const double *slow, enum at_status status);
bool is_demoted(const struct at_rule_report *report);
/* compiled.c: pushes the rule's compiled function; false: there is none (nothing is pushed). */
bool push_compiled(lua_State *L, const struct at_rule_use *use, bool *is_lasting);
/* product.c */
int index_product(lua_State *L, uint32_t row);
int index_columns(lua_State *L);
int constant_column(struct at_language *language, double value);
int product_tostring(lua_State *L, uint32_t row);
/* customer.c */
int index_customer(lua_State *L, enum view_kind kind, uint32_t index);
int index_page(lua_State *L);
double affinity_of(lua_State *L, struct at_text facet, struct at_text value);
int column_of_facet(lua_State *L, const char *facet, int column);
void push_json(lua_State *L, struct at_json value); /* plain values; what is nested a copy to read */
/* A line of a basket or an event: { product =, quantity =, price = }. */
void push_line(lua_State *L, struct at_text product, double quantity, double price);
/* history.c: customer:count, :did and :last, and what of an event there is to read */
int l_count(lua_State *L);
int l_did(lua_State *L);
int l_last(lua_State *L);
int index_event(lua_State *L, uint32_t index, const char *name);
/* personal.c: of the person of the running decision. What is NULL or not AT_OK: out of memory. */
enum met_kind { MET_SEEN, MET_BOUGHT };
enum at_status personal_tastes(struct at_decision_view *view) AT_MUST_CHECK; /* fills view->tastes */
enum at_status personal_facets(struct at_language *language) AT_MUST_CHECK;  /* fills view->facets */
double *personal_table(struct at_decision_view *view, const struct at_facet_taste *facet, int attribute);
const struct at_by_row *personal_rows(struct at_language *language, enum met_kind kind);
void personal_free(struct at_language *language);
/* kept.c: the program of a rule that read nothing but its products, for the next time it is asked. */
bool kept_find(struct at_language *language, int function, const struct at_candidates *candidates, int *node,
               double *constant);
void kept_store(struct at_language *language, int function, int node, double constant);
/* The same of a rule that looked at the customer: the program that it just made, packed if it came before. */
void kept_variant(struct at_language *language, int function, uint32_t candidates, int *node);
void kept_free_all(struct at_language *language);
/* words.c */
void install_words(lua_State *L);
double scalar_at(lua_State *L, int at); /* a number, or a text that says a time or a share; nil is missing */
void push_double(lua_State *L, double value);         /* missing: nil */
int ordinal_word(lua_State *L, enum at_column_op op); /* rows.c: normalize, rank_of of one value */
void push_methods(lua_State *L);
void set_list_methods(lua_State *L); /* of the table on top: :contains and its kin */
/* operators.c: type-wide metatables of nil, numbers, booleans, strings */
void install_operators(lua_State *L);
/* nouns.c */
struct declarations;
struct assembly;
void install_nouns(lua_State *L);
/* names.c: the vocabulary in a state */
const struct at_word *global_words(void);
int l_later(lua_State *L); /* refuses its upvalue by name */
/* Each global word of that kind a function in the table on top, with the name as its upvalue; those of later
 * versions refuse. function NULL: only those. */
void set_named(lua_State *L, enum at_word_kind kind, lua_CFunction function);
/* The methods of a class, each with its name as upvalue, into the table on top. */
void set_methods(lua_State *L, const char *class_name, lua_CFunction function);
/* In the table on top: what a renamed word of that owner stood for stands under its old name, too. */
void set_old_names(lua_State *L, const char *class_name);
const char *name_now(const char *class_name, const char *name); /* of an old name; NULL: it is none */
const char *bare_name(const char *called);                      /* "a ranking" → "ranking" */
/* Raises: that owner has no such field, or has it in a later version. */
int raise_field(lua_State *L, const char *class_name, const char *name);
/* Raises if a key of the table is no word of that owner. What stands under an old name is put under the new
 * one. called: as messages name it, "identity.kinds.loyalty_id"; NULL: as the vocabulary does. */
void check_known(lua_State *L, int table, const char *class_name, const char *called);
/* settings.c: a copy that lives as long as the settings. */
struct at_text settings_keep(lua_State *L, struct at_settings *settings, const char *text, size_t length);
/* settings_consent.c: consent { … } of shop.lua; the table is the argument. Fills settings->consent. */
void read_consent(lua_State *L, struct at_settings *settings);
/* settings_identity.c: identity { … } likewise, into settings->identity. */
void read_identity(lua_State *L, struct at_settings *settings);
/* settings_retention.c: the table at index 1. */
void read_retention(lua_State *L, struct at_settings *settings);
/* settings_budgets.c: budgets { … } likewise. */
void read_budgets(lua_State *L, struct at_settings *settings);
/* judge.c: what the call just made has spent, and whether it was slow (into *slow, if nothing is there yet).
 */
void watch_call(struct at_script *script, uint64_t budget_ns, uint64_t spent_ns);
bool note_slow(struct at_script *script, struct at_slow *slow, const struct at_slow *what);
/* settings_sources.c: sources { … } likewise, into settings->shopify. */
void read_sources(lua_State *L, struct at_settings *settings);
/* When all of shop.lua is read: the kinds of identifiers that its sources bring, among the rules. */
enum at_status settings_add_kinds(struct at_settings *settings, struct at_error *err) AT_MUST_CHECK;
struct at_file_finding *add_finding(struct at_build *build, const char *path, const struct at_node *node,
                                    bool is_warning, const char *code, const char *fmt, ...) AT_PRINTF(6, 7);
extern const char *const at_feature_names[]; /* product.c: by slot */
/* fields.c: the words of one file, before anything runs; its tree goes into build->trees. */
enum at_status check_words(struct at_build *build, uint32_t file) AT_MUST_CHECK;
/* Of a function that only the load showed to be a field of that owner; from: where it begins. */
enum at_status check_function_words(struct at_build *build, uint32_t file, uint32_t from,
                                    const char *class_name, const char *field) AT_MUST_CHECK;
/* place.c: the bytes the error of a load is about, from its line and its words; and the fix they offer, in
 * the arena. */
void place_load_error(struct at_arena *arena, struct at_text source, struct at_finding *finding);
/* consent.c: customer.consent and customer:may */
int index_consent(lua_State *L, const char *purpose);
int l_may(lua_State *L);
bool never_uses(lua_State *L, const char *group, const char *name);

/* segment.c: segment "name" { … }; customer:in_segment */
int declare_segment(lua_State *L, const char *name);
int l_in_segment(lua_State *L);

/* test.c: test "name" { … } */
int declare_test(lua_State *L, const char *name);
/* test_expect.c: expect(value) */
void install_expect(lua_State *L);
/* world_words.c: what a test may ask of its world */
int index_world(lua_State *L);
/* test_source.c: words of a test that are not there, in branches that rarely run too */
enum at_status check_tests(struct assembly *assembly) AT_MUST_CHECK;

/* The declarations a load of all scripts makes; filled by nouns.c, read by generation.c. */
struct declarations {
    struct at_arena *arena;
    const struct at_settings *settings;
    struct at_ranking rankings[256];
    uint32_t ranking_count;
    struct at_rail_declaration rails[256];
    uint32_t rail_count;
    struct at_segment segments[AT_SEGMENTS_MAX];
    uint32_t segment_count;
    struct at_test tests[AT_TESTS_MAX];
    uint32_t test_count;
    int next_function;
    const char *path; /* of the file being loaded */
};
/* A state with all words, nothing loaded. */
enum at_status language_open(struct at_language **out, const struct at_settings *settings,
                             struct at_guard *guard, struct at_account *account,
                             struct at_error *err) AT_MUST_CHECK;
/* The same with the scripts of a generation loaded. */
struct language_options {
    const struct at_generation *generation;
    const struct at_source_file *files; /* its own, or these in their stead: the same declarations */
    const struct at_settings *settings;
    struct at_guard *guard; /* NULL: the count hook */
    struct at_account *account;
    uint32_t *ran; /* or NULL */
};
enum at_status language_load(struct at_language **out, const struct language_options *options,
                             struct at_error *err) AT_MUST_CHECK;
#define RAN_WORD "__ran" /* no script of a merchant's can name it: the checks do not know it */
enum at_status load_scripts(struct at_language *language, const struct at_source_file *files, uint32_t count,
                            struct at_script_where *where, struct at_error *err) AT_MUST_CHECK;
void push_function(lua_State *L, int id);
int keep_function(lua_State *L, int at); /* id of the function at that stack place */
/* nouns.c: what every noun needs. The fields are the table at stack place 2; all raise. */
struct declarations *declaring(lua_State *L, const char *noun);       /* at the top of a file, or it raises */
int function_field(lua_State *L, const char *noun, const char *name); /* kept; 0: there is none */
const char *keep_text(lua_State *L, const char *text);
uint32_t line_of_caller(lua_State *L);
uint32_t line_of_function(lua_State *L, int id);
void refuse_twice(lua_State *L, const char *noun, const char *name, const char *path, uint32_t line);

/* ---- from declarations to a generation ---- */
struct parsed {
    struct at_node *block; /* NULL: not parsed yet */
};
struct assembly {
    struct at_build *build;
    struct at_generation *generation;
    struct parsed *parsed; /* by file */
    struct at_language *language;
};
/* generation.c: the file's tree; NULL: it cannot be parsed (said elsewhere), or out of memory. */
struct at_node *parsed_file(struct assembly *assembly, uint32_t file);
/* The one function of the source that the function of that id can be; *node NULL: none, or one of several of
 * a line. *line is where it begins in any case. */
struct at_node;
struct found_function {
    struct at_node *node;
    uint32_t file, line;
};
enum at_status find_source(struct assembly *assembly, int function, struct found_function *out) AT_MUST_CHECK;
/* segment_source.c */
enum at_status take_segments(struct assembly *assembly,
                             const struct declarations *declarations) AT_MUST_CHECK;

#endif
