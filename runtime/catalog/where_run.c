/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a filter chunk by chunk. The first list of rows of a chunk comes from the index of a facet where a
 * term names its codes (a category of 5,000 then costs 5,000, not the catalog), else from the live rows; the
 * other terms thin it out, each in one loop of its own kind. A retired product has no codes, so what an index
 * gives is live.
 */
#include <stdlib.h>
#include "base/kernel.h"
#include "catalog/internal.h"
#include "catalog/where_internal.h"

/* ---- one row ---- */

static bool has_number(const struct at_term *term, double value) {
    for (uint32_t i = 0; i < term->count; i++)
        if (value == term->numbers[i]) return true;
    return false;
}

static bool has_code(const struct at_term *term, uint32_t code) {
    uint32_t low = 0, high = term->count;
    if (term->count == 1) return term->codes[0] == code;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (term->codes[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low < term->count && term->codes[low] == code;
}

/* Both ascending. */
static bool has_any(const struct at_term *term, const struct at_root *root, uint32_t set) {
    uint32_t count, i = 0, j = 0;
    const uint32_t *codes = at_root_set(root, term->attribute, set, &count);
    while (i < count && j < term->count) {
        if (codes[i] == term->codes[j]) return true;
        if (codes[i] < term->codes[j])
            i++;
        else
            j++;
    }
    return false;
}

static bool fits_number(const struct at_term *term, double value) {
    if (term->shape == AT_TERM_RANGE) return value >= term->low && value <= term->high;
    return has_number(term, value) != term->is_not;
}

static bool fits_code(const struct at_term *term, const struct at_root *root, uint32_t code) {
    bool is_there = term->shape == AT_TERM_SETS ? has_any(term, root, code) : code && has_code(term, code);
    return is_there != term->is_not;
}

static bool is_of_codes(const struct at_term *term) {
    return term->shape == AT_TERM_CODES || term->shape == AT_TERM_SETS;
}

bool at_where_matches(const struct at_where *where, const struct at_root *root, uint32_t row) {
    if (!at_root_is_live(root, row)) return false;
    for (uint32_t i = 0; where && i < where->count; i++) {
        const struct at_term *term = &where->terms[i];
        bool fits = is_of_codes(term) ? fits_code(term, root, at_root_code(root, term->attribute, row))
                                      : fits_number(term, at_root_number(root, term->attribute, row));
        if (!fits) return false;
    }
    return true;
}

/* ---- a chunk: rows within it, ascending ---- */

struct picked {
    const uint16_t *rows; /* own, or lent from an index */
    uint32_t count;
    uint16_t own[AT_CHUNK_ROWS];
};

static void pick_bits(struct picked *picked, const uint64_t *bits) {
    uint32_t count = 0;
    for (uint32_t w = 0; w < AT_LIVE_WORDS; w++) {
        if (bits[w] == UINT64_MAX) { /* the usual word of live rows */
            for (uint32_t i = 0; i < 64; i++) picked->own[count + i] = (uint16_t)(w * 64 + i);
            count += 64;
            continue;
        }
        for (uint64_t word = bits[w]; word; word &= word - 1)
            picked->own[count++] = (uint16_t)(w * 64 + (uint32_t)__builtin_ctzll(word));
    }
    picked->rows = picked->own;
    picked->count = count;
}

/* The first index of a chunk whose value is not below code. */
static uint32_t find_value(const struct at_code_chunk *chunk, uint32_t code) {
    uint32_t low = 0, high = chunk->value_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (chunk->values[middle] < code)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void pick_one(struct picked *picked, const struct at_code_chunk *chunk, uint32_t code) {
    uint32_t at = find_value(chunk, code);
    picked->count = 0;
    if (at == chunk->value_count || chunk->values[at] != code) return;
    picked->rows = chunk->order + chunk->starts[at];
    picked->count = (uint32_t)(chunk->starts[at + 1] - chunk->starts[at]);
}

static void mark(uint64_t *bits, const struct at_code_chunk *chunk, uint32_t at) {
    for (uint32_t i = chunk->starts[at]; i < chunk->starts[at + 1]; i++)
        bits[chunk->order[i] >> 6] |= 1ULL << (chunk->order[i] & 63);
}

static void pick_indexed(struct picked *picked, const struct at_term *term, const struct at_root *root,
                         const struct at_code_chunk *chunk) {
    uint64_t bits[AT_LIVE_WORDS] = {0};
    picked->count = 0;
    if (!chunk || !term->count) return;
    if (term->shape == AT_TERM_CODES && term->count == 1) {
        pick_one(picked, chunk, term->codes[0]);
        return;
    }
    if (term->shape == AT_TERM_CODES) {
        for (uint32_t i = 0; i < term->count; i++) {
            uint32_t at = find_value(chunk, term->codes[i]);
            if (at < chunk->value_count && chunk->values[at] == term->codes[i]) mark(bits, chunk, at);
        }
    } else {
        for (uint32_t i = 0; i < chunk->value_count; i++)
            if (has_any(term, root, chunk->values[i])) mark(bits, chunk, i);
    }
    pick_bits(picked, bits);
}

static void thin_range(struct picked *picked, const struct at_term *term, const double *values) {
    uint32_t count = 0;
    double low = term->low, high = term->high;
#ifdef AT_PLANT_FAULT /* for the fuzz target to find: the upper end is left out */
    high = nextafter(high, -INFINITY);
#endif
    for (uint32_t i = 0; i < picked->count; i++) {
        uint16_t row = picked->rows[i];
        picked->own[count] = row;
        count += (uint32_t)(values[row] >= low) & (uint32_t)(values[row] <= high);
    }
    picked->count = count;
}

static void thin_numbers(struct picked *picked, const struct at_term *term, const double *values) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < picked->count; i++) {
        uint16_t row = picked->rows[i];
        picked->own[count] = row;
        count += has_number(term, values[row]) != term->is_not;
    }
    picked->count = count;
}

static void thin_code(struct picked *picked, uint32_t code, bool is_not, const uint32_t *codes) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < picked->count; i++) {
        uint16_t row = picked->rows[i];
        picked->own[count] = row;
        count += (codes[row] == code) != is_not;
    }
    picked->count = count;
}

static void thin_codes(struct picked *picked, const struct at_term *term, const struct at_root *root,
                       const uint32_t *codes) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < picked->count; i++) {
        uint16_t row = picked->rows[i];
        picked->own[count] = row;
        count += fits_code(term, root, codes[row]);
    }
    picked->count = count;
}

static void thin(struct picked *picked, const struct at_term *term, const struct at_root *root,
                 uint32_t chunk) {
    const uint32_t *codes = is_of_codes(term) ? at_root_codes(root, term->attribute, chunk) : NULL;
    const double *numbers = is_of_codes(term) ? NULL : at_root_numbers(root, term->attribute, chunk);
    if (!codes && !numbers) { /* all missing: only is_not matches */
        if (!term->is_not) picked->count = 0;
        return;
    }
    if (term->shape == AT_TERM_RANGE) {
        thin_range(picked, term, numbers);
    } else if (term->shape == AT_TERM_NUMBERS) {
        thin_numbers(picked, term, numbers);
    } else if (term->shape == AT_TERM_CODES && term->count == 1) {
        thin_code(picked, term->codes[0], term->is_not, codes);
    } else {
        thin_codes(picked, term, root, codes);
    }
    picked->rows = picked->own;
}

/* The term whose index gives the first list: the one with the fewest values; -1: none can. */
static int find_seed(const struct at_where *where, const struct at_root *root) {
    int seed = -1;
    for (uint32_t i = 0; where && i < where->count; i++) {
        const struct at_term *term = &where->terms[i];
        if (!is_of_codes(term) || term->is_not || !at_root_attribute_at(root, term->attribute)->is_facet)
            continue;
        if (seed >= 0 && where->terms[seed].shape == AT_TERM_CODES &&
            (term->shape == AT_TERM_SETS || term->count >= where->terms[seed].count))
            continue;
        seed = (int)i;
    }
    return seed;
}

static void pick_live(struct picked *picked, const struct at_root *root, uint32_t chunk) {
    static const uint64_t none[AT_LIVE_WORDS];
    const uint64_t *live = at_live_of(root, chunk);
    pick_bits(picked, live ? live : none);
}

AT_KERNEL static void widen(uint32_t *restrict out, const uint16_t *restrict rows, uint32_t count,
                            uint32_t base) {
    for (uint32_t i = 0; i < count; i++) out[i] = base + rows[i];
}

uint32_t at_where_rows(const struct at_where *where, const struct at_root *root, uint32_t *rows, uint32_t max,
                       uint32_t *total_out) {
    struct picked picked;
    uint32_t given = 0, total = 0, chunks = (root->rows + AT_CHUNK_ROWS - 1) >> AT_CHUNK_SHIFT;
    int seed = find_seed(where, root);
    for (uint32_t chunk = 0; chunk < chunks; chunk++) {
        if (seed >= 0)
            pick_indexed(&picked, &where->terms[seed], root,
                         at_code_chunk_of(root, where->terms[seed].attribute, chunk));
        else
            pick_live(&picked, root, chunk);
        for (uint32_t i = 0; where && i < where->count && picked.count; i++)
            if ((int)i != seed) thin(&picked, &where->terms[i], root, chunk);
        uint32_t n = picked.count < max - given ? picked.count : max - given;
        widen(rows + given, picked.rows, n, chunk << AT_CHUNK_SHIFT);
        given += n;
        total += picked.count;
    }
    if (total_out) *total_out = total;
    return given;
}
