/* SPDX-License-Identifier: Apache-2.0
 *
 * A filter over products: {"category":"sofas","price":{"at_most":500},"brand":["Acme","Birch"]}; {} is
 * everything. Parsed once a request into the arena, then run over a root. Terms are all required; values of
 * one term are alternatives. Operators: above below at_least at_most between:[lo,hi] is is_not one_of
 * contains. What is missing never matches, but is_not does. A list attribute matches if it contains one of
 * the values.
 */
#ifndef AT_CATALOG_WHERE_H
#define AT_CATALOG_WHERE_H

#include "catalog/catalog.h"

#define AT_WHERE_TERMS_MAX  16  /* over it: 422 too_many_terms */
#define AT_WHERE_VALUES_MAX 256 /* values of one term */

struct at_where;
/* Unknown attributes are AT_UNPROCESSABLE with a suggestion; wrong kinds too ("price is a number"). */
enum at_status at_where_parse(const struct at_root *root, struct at_arena *arena, struct at_json json,
                              struct at_where **out, struct at_error *err) AT_MUST_CHECK;
bool at_where_matches(const struct at_where *where, const struct at_root *root, uint32_t row);
/* Live rows that match, ascending, at most max; *total_out counts all. where NULL: everything. rows: room for
 * max. */
uint32_t at_where_rows(const struct at_where *where, const struct at_root *root, uint32_t *rows, uint32_t max,
                       uint32_t *total_out);

#endif
