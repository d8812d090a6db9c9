/* SPDX-License-Identifier: Apache-2.0
 *
 * A parsed filter, as where.c makes it and where_run.c runs it. Every term is one of three shapes: a range of
 * numbers, a set of numbers, a set of codes; the last two may be turned around (is_not).
 */
#ifndef AT_CATALOG_WHERE_INTERNAL_H
#define AT_CATALOG_WHERE_INTERNAL_H

#include "catalog/where.h"

enum at_term_shape { AT_TERM_RANGE, AT_TERM_NUMBERS, AT_TERM_CODES, AT_TERM_SETS };
struct at_term {
    enum at_term_shape shape;
    int attribute;
    bool is_not;
    double low, high;      /* RANGE, both included */
    const double *numbers; /* NUMBERS */
    const uint32_t *codes; /* CODES, SETS: ascending, without 0 */
    uint32_t count;
};
struct at_where {
    uint32_t count;
    struct at_term terms[AT_WHERE_TERMS_MAX];
};

#endif
