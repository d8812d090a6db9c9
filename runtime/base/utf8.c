/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 validity, with the byte that is wrong, and spelling suggestions for messages ("did you mean …?").
 * Used on every text that comes from outside and does not pass the JSON parser. No allocation.
 */
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

#define LONGEST_NAME 64

/* Length of the sequence at p, 0 if it is wrong. RFC 3629 §4: the second byte's range depends on the first.
 */
static size_t sequence_length(const unsigned char *p, size_t left) {
    unsigned char lead = p[0], low = 0x80, high = 0xBF;
    if (lead < 0x80) return 1;
    size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || n > left) return 0;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return n;
}

bool at_utf8_valid(const char *text, size_t length, size_t *bad_offset) {
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < length;) {
        uint64_t eight;
        if (length - i >= 8 && (memcpy(&eight, p + i, 8), !(eight & 0x8080808080808080U))) {
            i += 8;
            continue;
        }
        size_t n = sequence_length(p + i, length - i);
        if (!n) {
            if (bad_offset) *bad_offset = i;
            return false;
        }
        i += n;
    }
    return true;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

/* One row of the table: rows[0] is the one being filled, rows[1] and [2] the two before it; returns its
 * least. */
static int fill_row(int rows[3][LONGEST_NAME + 1], const char *a, size_t i, const char *b, size_t b_length) {
    int smallest = rows[0][0] = (int)i;
    for (size_t j = 1; j <= b_length; j++) {
        int cost = a[i - 1] != b[j - 1];
        int best = least(least(rows[1][j], rows[0][j - 1]) + 1, rows[1][j - 1] + cost);
        bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
        if (is_swap) best = least(best, rows[2][j - 2] + 1);
        rows[0][j] = best;
        smallest = least(smallest, best);
    }
    return smallest;
}

int at_edit_distance(const char *a, size_t a_length, const char *b, size_t b_length, int limit) {
    int rows[3][LONGEST_NAME + 1] = {{0}}, before = 0;
    if (a_length > LONGEST_NAME || b_length > LONGEST_NAME) return limit + 1;
    for (size_t j = 0; j <= b_length; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        memcpy(rows[2], rows[1], sizeof(rows[1]));
        memcpy(rows[1], rows[0], sizeof(rows[0]));
        int smallest = fill_row(rows, a, i, b, b_length);
        /* a swap reaches over one row: stop only when two rows in turn are past the limit */
        if (smallest > limit && before > limit) return limit + 1;
        before = smallest;
    }
    return least(rows[0][b_length], limit + 1);
}

static void lower_name(const char *name, size_t length, char *out) {
    for (size_t i = 0; i < length; i++)
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
}

const char *at_suggest(const char *name, const char *const *names, size_t count) {
    char wanted[LONGEST_NAME], other[LONGEST_NAME];
    size_t length = strlen(name);
    int limit = length < 4 ? 1 : 2;
    const char *nearest = NULL;
    if (!length || length > LONGEST_NAME) return NULL;
    lower_name(name, length, wanted);
    for (size_t i = 0; i < count && limit >= 0; i++) {
        size_t n = strlen(names[i]);
        if (n > LONGEST_NAME) continue;
        lower_name(names[i], n, other);
        int most = n < 4 ? least(limit, 1) : limit,
            distance = at_edit_distance(wanted, length, other, n, most);
        if (distance > most) continue;
        nearest = names[i];
        limit = distance - 1; /* only a nearer one replaces it */
    }
    return nearest;
}
