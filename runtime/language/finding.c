/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding as a marketer reads it: where, what, the line itself, a mark under the place, a hint.
 */
#include <string.h>
#include "language/finding.h"

static struct at_text line_of(struct at_text source, uint32_t line) {
    const char *at = source.data, *end = source.data + source.length;
    for (uint32_t i = 1; i < line && at && at < end; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at) at++;
    }
    if (!at || at > end) return (struct at_text){"", 0};
    const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    size_t length = (size_t)((stop ? stop : end) - at);
    if (length && at[length - 1] == '\r') length--;
    return (struct at_text){at, length > 200 ? 200 : length};
}

void at_finding_print(struct at_bytes *out, const char *path, struct at_text source,
                      const struct at_finding *finding) {
    struct at_text line = line_of(source, finding->line);
    at_bytes_printf(out, "%s:%u:%u  %s%s\n", path, finding->line, finding->column,
                    finding->is_warning ? "warning: " : "", finding->message);
    if (line.length) {
        at_bytes_printf(out, "    %.*s\n    ", (int)line.length, line.data);
        for (size_t i = 0; i + 1 < finding->column && i < line.length; i++) {
            unsigned char c = (unsigned char)line.data[i];
            if (c == '\t')
                at_bytes_add(out, "\t", 1);
            else if ((c & 0xC0) != 0x80)
                at_bytes_add(out, " ", 1); /* one mark a letter */
        }
        at_bytes_add_text(out, "^\n");
    }
    if (finding->hint[0]) at_bytes_printf(out, "    Hint: %s\n", finding->hint);
}
