/* SPDX-License-Identifier: Apache-2.0
 *
 * One line an entry, as text or JSON, to a descriptor and to the host's hook. Called from any thread: each
 * line is built on the caller's stack and leaves in one write(2), so lines never mix. Never fails, never
 * allocates; a control character or a broken UTF-8 byte in a message cannot start a line of its own.
 */
#include "base/log.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/time.h"
#include "base/utf8.h"

#define LINE_BYTES    2000
#define CLOSING_BYTES 3 /* "}\n and the like */

struct line {
    char text[LINE_BYTES + 1];
    size_t length;
    bool is_full;
};

/* All or nothing, so that no escape or character is cut in two; once full, nothing smaller slips in behind.
 */
static void add_piece(struct line *line, const char *piece, size_t length) {
    if (line->is_full || length > LINE_BYTES - CLOSING_BYTES - line->length) {
        line->is_full = true;
        return;
    }
    memcpy(line->text + line->length, piece, length);
    line->length += length;
}

static void add_plain(struct line *line, const char *text) {
    add_piece(line, text, strlen(text));
}

static void add_control(struct line *line, unsigned char c, bool is_json) {
    char escape[8];
    const char *named = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
    if (named) {
        add_plain(line, named);
        return;
    }
    snprintf(escape, sizeof(escape), is_json ? "\\u%04x" : "\\x%02x", c);
    add_plain(line, escape);
}

static size_t character_length(const char *text) {
    for (size_t n = 1; n <= 4 && text[n - 1]; n++)
        if (at_utf8_valid(text, n, NULL)) return n;
    return 0;
}

static void add_escaped(struct line *line, const char *text, bool is_json) {
    while (*text && !line->is_full) {
        unsigned char c = (unsigned char)*text;
        size_t n = 1;
        if (c < 0x20 || c == 0x7F) {
            add_control(line, c, is_json);
        } else if (is_json && (c == '"' || c == '\\')) {
            char escape[2] = {'\\', (char)c};
            add_piece(line, escape, 2);
        } else if ((n = character_length(text)) > 0) {
            add_piece(line, text, n);
        } else {
            add_plain(line, "\xEF\xBF\xBD");
            n = 1;
        }
        text += n;
    }
}

static const char *level_name(enum at_log_level level) {
    return level == AT_LOG_ERROR ? "error" : level == AT_LOG_WARN ? "warn" : "info";
}

static void build_text(struct line *line, const char *time, enum at_log_level level, const char *room,
                       const char *message) {
    char head[AT_TIME_SIZE + 16];
    snprintf(head, sizeof(head), "%s %-5s ", time, level_name(level));
    add_plain(line, head);
    add_escaped(line, room, false);
    add_plain(line, ": ");
    add_escaped(line, message, false);
}

static void build_json(struct line *line, const char *time, enum at_log_level level, const char *room,
                       const char *message) {
    char head[AT_TIME_SIZE + 64];
    snprintf(head, sizeof(head), "{\"time\":\"%s\",\"level\":\"%s\",\"room\":\"", time, level_name(level));
    char short_room[64]; /* a long one would leave no place for the keys behind it */
    snprintf(short_room, sizeof(short_room), "%s", room);
    add_plain(line, head);
    add_escaped(line, short_room, true);
    add_plain(line, "\",\"message\":\"");
    add_escaped(line, message, true);
    memcpy(line->text + line->length, "\"}", 2);
    line->length += 2;
}

/* A line is under PIPE_BUF, so a pipe takes it whole; a file may take it in parts when the disk is full. */
static void write_line(int fd, const char *text, size_t length) {
    while (length) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return; /* nobody to tell */
        text += n;
        length -= (size_t)n;
    }
}

void at_log(const struct at_log *log, enum at_log_level level, const char *room, const char *fmt, ...) {
    if (!log || (log->fd < 0 && !log->hook)) return;
    int saved = errno;
    char message[LINE_BYTES + 1], time[AT_TIME_SIZE];
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(message, sizeof(message), fmt, args) < 0) message[0] = '\0';
    va_end(args);
    at_time_format(at_clock_now(NULL), time);
    struct line line = {.length = 0};
    if (log->is_json)
        build_json(&line, time, level, room, message);
    else
        build_text(&line, time, level, room, message);
    line.text[line.length] = '\0';
    if (log->hook) log->hook(log->hook_arg, level, line.text);
    line.text[line.length++] = '\n';
    if (log->fd >= 0) write_line(log->fd, line.text, line.length);
    errno = saved;
}
