/* SPDX-License-Identifier: Apache-2.0
 *
 * Amounts as platforms send them.
 */
#include "catalog/catalog.h"

/* "19.99", as some platforms send it: digits, at most one point, up to 15 digits in all, so that the division
 * is the nearest double; no locale has a say. Others are no number. */
double at_amount_of(struct at_text text) {
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    int64_t digits = 0;
    size_t i = 0, count = 0, behind = 0;
    bool has_point = false, is_negative = text.length && text.data[0] == '-';
    for (i = is_negative; i < text.length; i++) {
        if (text.data[i] == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (!(text.data[i] >= '0' && text.data[i] <= '9') || ++count > 15) return at_missing();
        digits = digits * 10 + (text.data[i] - '0');
        behind += has_point;
    }
    if (!count) return at_missing();
    double number = (double)digits / powers[behind];
    return is_negative ? -number : number;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

double at_amount(struct at_json value) {
    double number;
    if (at_json_number(value, &number)) return number;
    struct at_text text = at_json_text(value);
    while (text.length && is_blank(text.data[0])) text = (struct at_text){text.data + 1, text.length - 1};
    while (text.length && is_blank(text.data[text.length - 1])) text.length--;
    return text.length ? at_amount_of(text) : at_missing();
}
