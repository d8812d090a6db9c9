/* SPDX-License-Identifier: Apache-2.0
 *
 * Column programs: a rule's arithmetic as a graph of nodes, evaluated in IEEE double over many products at
 * once, in blocks that stay in the first-level cache. language/ builds one per call while the rule runs;
 * ranking/ and tests build them by hand. Every operation has a scalar twin (at_scalar_*) that the
 * product-by-product way uses, so both agree bit for bit. Lives in the request's arena; one thread.
 *
 * Missing (catalog.h): + and − leave a missing part out (both missing: missing); * / ^ and functions of a
 * missing value are missing; min and max leave it out; order comparisons, is, one_of and contains with
 * missing are no, is_not is yes; a missing condition is no. Comparisons and conditions are BOOL nodes (0 or
 * 1); arithmetic on them is refused by language/.
 */
#ifndef AT_RANKING_COLUMN_H
#define AT_RANKING_COLUMN_H

#include "base/arena.h"
#include "catalog/catalog.h"

#define AT_NODES_MAX 1024 /* of one program */
#define AT_BLOCK     256  /* rows evaluated at a time */

enum at_column_type { AT_COLUMN_NUMBER, AT_COLUMN_BOOL, AT_COLUMN_TEXT, AT_COLUMN_LIST };
enum at_column_op {
    AT_OP_CONST, /* value */
    AT_OP_NUMBER,
    AT_OP_CODE,
    AT_OP_SET,     /* attribute */
    AT_OP_COUNTED, /* which: attribute */
    AT_OP_AGE,     /* value: now in ms; attribute: released; missing stays missing, never below 0 */
    AT_OP_BY_ROW,  /* by_row: double per row of the root; attribute: whose, for who made the node */
    AT_OP_VECTOR,  /* vector: double per candidate */
    AT_OP_HELD,    /* attribute of texts: 1 where the product has one */
    AT_OP_TASTE,   /* taste: Σ weight · table[code] over facets, never below 0 */
    AT_OP_KEPT,    /* kept: one value of a packed row (pack.h), which alone makes these four */
    AT_OP_VERDICT, /* the row's bit: whether a condition that the row alone decides holds */
    AT_OP_BY_CODE, /* a: CODE node's attribute; by_code: double per code (index 0: missing → 0) */
    AT_OP_ADD,
    AT_OP_SUB,
    AT_OP_MUL,
    AT_OP_DIV,
    AT_OP_POW,
    AT_OP_IDIV, /* floor(a / b) and what is left of it, with b's sign: Lua's // and % of floats */
    AT_OP_MOD,
    AT_OP_NEG,
    AT_OP_MIN,
    AT_OP_MAX,
    AT_OP_LOG,
    AT_OP_SQRT,
    AT_OP_FLOOR, /* of what is there; never −0 */
    AT_OP_CEIL,
    AT_OP_ABS,
    AT_OP_EXISTS, /* 1 where it is not missing */
    AT_OP_OR_ELSE,
    AT_OP_ABOVE,
    AT_OP_BELOW,
    AT_OP_AT_LEAST,
    AT_OP_AT_MOST,
    AT_OP_IS,
    AT_OP_IS_NOT,   /* numbers and conditions */
    AT_OP_EQUAL,    /* as Lua's ==: NaN is not NaN, what is missing equals what is missing */
    AT_OP_IN_CODES, /* a: CODE or SET; codes: sorted; true if any is held */
    AT_OP_ALL,
    AT_OP_ANY,
    AT_OP_NO,     /* a, b conditions */
    AT_OP_WHEN,   /* a ? b : c */
    AT_OP_SUM,    /* a + the kept values, one after the other */
    AT_OP_AGE_OF, /* as AGE, of a */
    AT_OP_NORMALIZE,
    AT_OP_RANK_OF, /* over all candidates: (x − min)/(max − min), 0 if equal; 1 for the largest, ties share */
};
/* Of what is missing such a node says yes or no: it is never missing itself. */
bool at_op_is_condition(enum at_column_op op);

struct at_facet_table { /* one facet of TASTE; those that take away (weight below 0) come last */
    int attribute;
    bool is_list;
    const double *by_code; /* index 0 is 0 */
    double weight;
};
struct at_column {
    enum at_column_op op;
    enum at_column_type type;
    uint16_t a, b, c;
    int attribute;
    uint32_t line; /* of the script, for explanations; 0 unknown */
    double value;
    union {
        const double *by_row, *vector, *by_code;
        struct {
            const uint32_t *list;
            uint32_t count;
        } codes;
        struct {
            const struct at_facet_table *facets;
            uint32_t count;
        } taste;
        struct {
            uint32_t first, count;
            bool is_sure;
        } kept;
    };
};
struct at_pack;
struct at_program {
    const struct at_root *root;
    const struct at_pack *pack; /* of AT_OP_KEPT and AT_OP_SUM, and of codes; NULL: none */
    struct at_arena *arena;
    struct at_column *nodes;
    uint32_t count, capacity;
};

void at_program_init(struct at_program *program, const struct at_root *root, struct at_arena *arena);
/* Index of a new node (zeroed but for op and type), or -1: too many nodes or out of memory. Constant operands
 * are folded. */
int at_program_add(struct at_program *program, enum at_column_op op, enum at_column_type type);
int at_program_const(struct at_program *program, double value, enum at_column_type type);
int at_program_binary(struct at_program *program, enum at_column_op op, enum at_column_type type, int a,
                      int b);
/* Marks the nodes that this one is computed from, and itself (needed: zero, one for each node); how many. */
uint32_t at_program_needed(const struct at_program *program, int node, uint8_t *needed);
/* Values of a NUMBER or BOOL node for every candidate. AT_NOMEM only. */
enum at_status at_program_run(struct at_program *program, int node, const uint32_t *rows, uint32_t count,
                              double *out) AT_MUST_CHECK;

/* The scalar twins. */
double at_scalar(enum at_column_op op, double a, double b);
double at_scalar_when(double condition, double yes, double no);
bool at_scalar_in_codes(const struct at_root *root, const struct at_column *column, uint32_t row,
                        const uint32_t *codes, uint32_t count);
double at_scalar_taste_of_code(const struct at_root *root, const struct at_facet_table *facet, uint32_t code);
double at_scalar_taste(const struct at_root *root, const struct at_facet_table *facets, uint32_t count,
                       uint32_t row);
void at_normalize(const double *in, double *out, uint32_t count);
enum at_status at_rank_of(const double *in, double *out, uint32_t count,
                          struct at_arena *arena) AT_MUST_CHECK;

#endif
