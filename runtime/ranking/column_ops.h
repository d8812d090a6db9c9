/* SPDX-License-Identifier: Apache-2.0
 *
 * What each column operation means, once, for one value: inlined by the scalar twins (column.c) and, in loops
 * the compiler vectorises, by the kernels (column_run.c). No branches where a select will do. Private to
 * ranking/.
 */
#ifndef AT_RANKING_COLUMN_OPS_H
#define AT_RANKING_COLUMN_OPS_H

#include <math.h>
#include "ranking/column.h"

static inline double op_add(double a, double b) {
    double sum = a + b;
    sum = at_is_missing(b) ? a : sum;
    return at_is_missing(a) ? b : sum;
}
static inline double op_sub(double a, double b) {
    double negative = at_is_missing(b) ? b : -b;
    double difference = a - b;
    difference = at_is_missing(b) ? a : difference;
    return at_is_missing(a) ? negative : difference;
}
/* The result of a plain operation unless a part is missing. A computed NaN may not take the missing one's
 * bits: 0/0 and friends give the default NaN, and a missing operand never reaches the operation's result. */
static inline double op_strict(double a, double b, double result) {
    return ((int)at_is_missing(a) | (int)at_is_missing(b)) != 0 ? at_missing() : result;
}
static inline double op_mul(double a, double b) {
    return op_strict(a, b, a * b);
}
static inline double op_div(double a, double b) {
    return op_strict(a, b, a / b);
}
/* As Lua 5.4 computes ^ (luai_numpow). */
static inline double op_pow(double a, double b) {
    return op_strict(a, b, b == 2 ? a * a : pow(a, b));
}
/* As Lua 5.4 computes // and % of floats (luai_numidiv, luai_nummod). */
static inline double op_idiv(double a, double b) {
    return op_strict(a, b, floor(a / b));
}
static inline double op_mod(double a, double b) {
    double rest = fmod(a, b);
    if (rest > 0 ? b < 0 : rest < 0 && b > 0) rest += b;
    return op_strict(a, b, rest);
}
static inline double op_neg(double a) {
    return at_is_missing(a) ? a : -a;
}
static inline double op_min(double a, double b) {
    double least = b < a ? b : a;
    least = at_is_missing(b) ? a : least;
    return at_is_missing(a) ? b : least;
}
static inline double op_max(double a, double b) {
    double most = b > a ? b : a;
    most = at_is_missing(b) ? a : most;
    return at_is_missing(a) ? b : most;
}
static inline double op_log(double a) {
    return at_is_missing(a) ? a : log(a);
}
static inline double op_sqrt(double a) {
    return at_is_missing(a) ? a : sqrt(a);
}
static inline double op_floor(double a) {
    return at_is_missing(a) ? a : floor(a) + 0.0;
}
static inline double op_ceil(double a) {
    return at_is_missing(a) ? a : ceil(a) + 0.0;
}
static inline double op_abs(double a) {
    return at_is_missing(a) ? a : fabs(a);
}
static inline double op_exists(double a) {
    return at_is_missing(a) ? 0.0 : 1.0;
}
static inline double op_or_else(double a, double b) {
    return at_is_missing(a) ? b : a;
}
/* Where no missing can come in, or where the processor carries its bits through by itself. */
static inline double op_plain_add(double a, double b) {
    return a + b;
}
static inline double op_plain_sub(double a, double b) {
    return a - b;
}
static inline double op_plain_mul(double a, double b) {
    return a * b;
}
static inline double op_plain_div(double a, double b) {
    return a / b;
}
/* Missing is a NaN: ordered comparisons with it are false by themselves. */
static inline double op_above(double a, double b) {
    return a > b ? 1.0 : 0.0;
}
static inline double op_below(double a, double b) {
    return a < b ? 1.0 : 0.0;
}
static inline double op_at_least(double a, double b) {
    return a >= b ? 1.0 : 0.0;
}
static inline double op_at_most(double a, double b) {
    return a <= b ? 1.0 : 0.0;
}
/* NaNs count as equal to each other; missing is equal to nothing. */
static inline double op_is(double a, double b) {
    int both_nan = (int)(a != a) & (int)(b != b);
    int is_equal = ((int)(a == b) | both_nan) & (int)!at_is_missing(a) & (int)!at_is_missing(b);
    return is_equal != 0 ? 1.0 : 0.0;
}
static inline double op_is_not(double a, double b) {
    return op_is(a, b) != 0 ? 0.0 : 1.0;
}
static inline double op_equal(double a, double b) {
    return ((int)(a == b) | ((int)at_is_missing(a) & (int)at_is_missing(b))) != 0 ? 1.0 : 0.0;
}
/* A condition holds when it is neither 0 nor missing; conditions are 0, 1 or missing. */
static inline double op_all(double a, double b) {
    return ((int)(a > 0) & (int)(b > 0)) != 0 ? 1.0 : 0.0;
}
static inline double op_any(double a, double b) {
    return ((int)(a > 0) | (int)(b > 0)) != 0 ? 1.0 : 0.0;
}
static inline double op_no(double a) {
    return a > 0 ? 0.0 : 1.0;
}
static inline double op_when(double condition, double yes, double no) {
    return condition > 0 ? yes : no;
}

#endif
