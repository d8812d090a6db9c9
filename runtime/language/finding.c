/* SPDX-License-Identifier: Apache-2.0
 *
 * A finding as a marketer reads it: where, what, the line itself, a mark under the place, a hint.
 */
#include <string.h>
#include "language/finding.h"

static struct at_text line_of(struct at_text source, uint32_t line) {
    const char *at = source.data, *end = source.data + source.length;
    if (source.length >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3; /* a byte order mark */
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

/* One mark a letter, from the column to where the finding ends or the line does. */
static void print_marks(struct at_bytes *out, struct at_text line, const struct at_finding *finding) {
    size_t begin = finding->column - 1,
           end = finding->to > finding->from ? begin + finding->to - finding->from : begin + 1;
    for (size_t i = 0; i < begin && i < line.length; i++) {
        unsigned char c = (unsigned char)line.data[i];
        if (c == '\t')
            at_bytes_add(out, "\t", 1);
        else if ((c & 0xC0) != 0x80)
            at_bytes_add(out, " ", 1);
    }
    at_bytes_add(out, "^", 1);
    for (size_t i = begin + 1; i < end && i < line.length; i++)
        if (((unsigned char)line.data[i] & 0xC0) != 0x80) at_bytes_add(out, "^", 1);
    at_bytes_add(out, "\n", 1);
}

void at_finding_print(struct at_bytes *out, const char *path, struct at_text source,
                      const struct at_finding *finding) {
    struct at_text line = line_of(source, finding->line);
    at_bytes_printf(out, "%s:%u:%u  %s%s\n", path, finding->line, finding->column,
                    finding->is_warning ? "warning: " : "", finding->message);
    if (line.length) {
        at_bytes_printf(out, "    %.*s\n    ", (int)line.length, line.data);
        print_marks(out, line, finding);
    }
    if (finding->hint[0]) at_bytes_printf(out, "    Hint: %s\n", finding->hint);
}

void at_finding_write(struct at_json_out *out, const char *path, const struct at_finding *finding) {
    at_json_open(out, '{');
    at_json_add_string(out, "severity", finding->is_warning ? "warning" : "error");
    at_json_add_string(out, "code", finding->code);
    at_json_add_string(out, "path", path);
    at_json_add_int(out, "line", finding->line);
    at_json_add_int(out, "column", finding->column);
    at_json_add_string(out, "message", finding->message);
    at_json_add_string(out, "hint", finding->hint);
    if (finding->to) {
        at_json_add_int(out, "from", finding->from);
        at_json_add_int(out, "to", finding->to);
    }
    if (finding->fix) {
        at_json_key(out, "fix");
        at_json_open(out, '{');
        at_json_add_int(out, "from", finding->fix_from);
        at_json_add_int(out, "to", finding->fix_to);
        at_json_add_string(out, "text", finding->fix);
        at_json_close(out, '}');
    }
    at_json_close(out, '}');
}

void at_finding_mend(struct at_bytes *out, struct at_text source, const struct at_finding *const *findings,
                     size_t count) {
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        at_bytes_add(out, source.data + at, findings[i]->fix_from - at);
        at_bytes_add_text(out, findings[i]->fix);
        at = findings[i]->fix_to;
    }
    at_bytes_add(out, source.data + at, source.length - at);
}

/* Merged pair by pair: there may be thousands. */
static struct at_finding *merge(struct at_finding *a, struct at_finding *b) {
    struct at_finding *first = NULL, **end = &first;
    while (a && b) {
        bool is_later = b->line < a->line || (b->line == a->line && b->column < a->column);
        struct at_finding **from = is_later ? &b : &a;
        *end = *from;
        end = &(*end)->next;
        *from = *end;
    }
    *end = a ? a : b;
    return first;
}

struct at_finding *at_findings_sort(struct at_finding *list) {
    struct at_finding *half = list, *end = list;
    if (!list || !list->next) return list;
    while ((end = end->next) && (end = end->next)) half = half->next;
    struct at_finding *rest = half->next;
    half->next = NULL;
    return merge(at_findings_sort(list), at_findings_sort(rest));
}
