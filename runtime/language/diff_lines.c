/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of two texts put beside one another: equal ends first, then the longest common subsequence of what is
 * between them.
 */
#include <string.h>
#include "base/hash.h"
#include "language/diff.h"

#define CELLS_MAX (4u << 20) /* of the table between the equal ends */

enum at_status at_lines_of(struct at_arena *arena, struct at_text text, struct at_lines *out) {
    uint32_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += text.data[i] == '\n' || i + 1 == text.length;
    *out = (struct at_lines){NULL, 0};
    if (count > AT_LINES_MAX) return AT_TOOBIG;
    out->hashes = at_arena_alloc(arena, (count + 1) * sizeof *out->hashes);
    if (!out->hashes) return AT_NOMEM;
    for (size_t from = 0; from < text.length;) {
        const char *end = memchr(text.data + from, '\n', text.length - from);
        size_t length = end ? (size_t)(end - text.data) - from : text.length - from;
        size_t said = length && text.data[from + length - 1] == '\r' ? length - 1 : length;
        out->hashes[out->count++] = at_hash64(text.data + from, said);
        from += length + 1;
    }
    return AT_OK;
}

/* longest[i][j]: of what follows line i of before and line j of after. */
static enum at_status match_between(struct at_arena *arena, const uint64_t *before, uint32_t n,
                                    const uint64_t *after, uint32_t m, uint32_t first, uint32_t *from) {
    if ((uint64_t)(n + 1) * (m + 1) > CELLS_MAX) return AT_OK;
    uint16_t *longest = at_arena_zalloc(arena, (size_t)(n + 1) * (m + 1) * sizeof *longest);
    if (!longest) return AT_NOMEM;
    size_t row = m + 1;
    for (uint32_t i = n; i-- > 0;)
        for (uint32_t j = m; j-- > 0;) {
            uint16_t down = longest[(i + 1) * row + j], right = longest[i * row + j + 1];
            longest[i * row + j] = before[i] == after[j] ? (uint16_t)(longest[(i + 1) * row + j + 1] + 1)
                                   : down > right        ? down
                                                         : right;
        }
    for (uint32_t i = 0, j = 0; i < n && j < m;) {
        if (before[i] == after[j])
            from[j++] = first + ++i;
        else if (longest[(i + 1) * row + j] >= longest[i * row + j + 1])
            i++;
        else
            j++;
    }
    return AT_OK;
}

enum at_status at_lines_match(struct at_arena *arena, const struct at_lines *before,
                              const struct at_lines *after, uint32_t *from) {
    uint32_t head = 0, n = before->count, m = after->count;
    memset(from, 0, m * sizeof *from);
    while (head < n && head < m && before->hashes[head] == after->hashes[head]) {
        from[head] = head + 1;
        head++;
    }
    while (n > head && m > head && before->hashes[n - 1] == after->hashes[m - 1]) from[--m] = n--;
    if (n == head || m == head) return AT_OK;
    return match_between(arena, before->hashes + head, n - head, after->hashes + head, m - head, head,
                         from + head);
}
