/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers that move with time, while a segment is asked outside a decision. now() and the time since a moment
 * are no plain numbers then but values that know what they gain with each millisecond; sums, multiples and
 * differences of them do too. A comparison of two is answered as for plain ones, and the moment at which they
 * meet is kept: until the first such moment every comparison comes out as it did, the script takes the same
 * way and gives the same answer. What is no such number (a product of two, a remainder, a text made of one)
 * makes the answer blind, or fails; segment.c then asks again with numbers that stand still.
 */
#include <math.h>
#include "language/state.h"

static const struct moving *moving_at(lua_State *L, int at) {
    uint32_t index;
    struct outlook *outlook = &language_of(L)->outlook;
    bool is_it = lua_type(L, at) == LUA_TLIGHTUSERDATA && view_at(L, at, &index) == VIEW_MOVING;
    return is_it ? &outlook->numbers[index] : NULL;
}

bool any_moving(lua_State *L) {
    if (!language_of(L)->outlook.count) return false;
    for (int i = lua_gettop(L); i > 0; i--)
        if (moving_at(L, i)) return true;
    return false;
}

static int push_moving(lua_State *L, struct moving number) {
    struct outlook *outlook = &language_of(L)->outlook;
    bool moves = !at_is_missing(number.value) && number.slope != 0;
    if (!moves) return push_double(L, number.value), 1;
    if (outlook->count == MOVING_MAX || !isfinite(number.slope)) {
        reads_blindly(L);
        return lua_pushnumber(L, number.value), 1;
    }
    outlook->numbers[outlook->count] = number;
    push_view(L, VIEW_MOVING, outlook->count++);
    return 1;
}

void push_since(lua_State *L, int64_t moment_ms) {
    struct at_language *language = language_of(L);
    struct moving since = {(double)(language->view->now_ms - moment_ms), 1};
    if (!language->outlook.is_asked || language->outlook.stands_still) since.slope = 0;
    push_moving(L, since);
}

void reads_until(lua_State *L, int64_t until_ms) {
    struct outlook *outlook = &language_of(L)->outlook;
    if (until_ms < outlook->until_ms) outlook->until_ms = until_ms;
}

void reads_blindly(lua_State *L) {
    language_of(L)->outlook.is_blind = true;
}

static struct moving operand(lua_State *L, int at) {
    const struct moving *moving = moving_at(L, at);
    return moving ? *moving : (struct moving){scalar_at(L, at), 0};
}

bool moving_number(lua_State *L, int at, struct moving *out) {
    const struct moving *moving = moving_at(L, at);
    bool is_number = moving || lua_type(L, at) == LUA_TNUMBER;
    if (is_number) *out = moving ? *moving : (struct moving){lua_tonumber(L, at), 0};
    return is_number;
}

int moving_binary(lua_State *L, enum at_column_op op) {
    struct moving a = operand(L, 1), b = operand(L, 2), out = {at_scalar(op, a.value, b.value), 0};
    bool is_straight = true;
    switch (op) {
    case AT_OP_ADD: out.slope = a.slope + b.slope; break;
    case AT_OP_SUB: out.slope = a.slope - b.slope; break;
    case AT_OP_MUL:
        is_straight = a.slope == 0 || b.slope == 0;
        out.slope = a.slope != 0 ? a.slope * b.value : b.slope * a.value;
        break;
    case AT_OP_DIV:
        is_straight = b.slope == 0;
        out.slope = a.slope / b.value;
        break;
    default: is_straight = false; break;
    }
    if (!is_straight) {
        reads_blindly(L);
        out.slope = 0;
    }
    return push_moving(L, out);
}

/* Where they meet, if they have not: up to there the comparison stands. Of whole milliseconds, as moments and
 * spans mostly are, that is exact; else what rounding may have made of it is taken off: a little early does
 * no harm, the question is asked again from there. */
static void note_meeting(lua_State *L, struct moving a, struct moving b) {
    int64_t now_ms = language_of(L)->view->now_ms;
    double apart = a.value - b.value, closing = b.slope - a.slope;
    if (closing == 0 || apart != apart) return;
    bool is_exact = fabs(closing) == 1 && fabs(apart) < 0x1p52 && apart == trunc(apart);
    double in_ms = apart / closing * (is_exact ? 1 : 1 - 1e-12);
    if (in_ms < 0 || in_ms > 9e15) return; /* they met before, or it is as good as never */
    reads_until(L, now_ms + (in_ms < 1 ? 1 : (int64_t)in_ms));
}

bool moving_compare(lua_State *L, int a, int b, enum at_column_op op) {
    struct moving left = operand(L, a), right = operand(L, b);
    note_meeting(L, left, right);
    return at_scalar(op, left.value, right.value) > 0;
}

/* Which of them it is changes where they meet. */
int moving_extreme(lua_State *L, enum at_column_op op) {
    struct moving best = operand(L, 1);
    for (int i = 2, count = lua_gettop(L); i <= count; i++) {
        struct moving other = operand(L, i);
        note_meeting(L, best, other);
        double value = at_scalar(op, best.value, other.value);
        bool is_other = at_is_missing(best.value) || (!at_is_missing(other.value) && value != best.value);
        if (is_other) best = other;
    }
    return push_moving(L, best);
}
