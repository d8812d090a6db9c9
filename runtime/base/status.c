/* SPDX-License-Identifier: Apache-2.0
 *
 * Statuses and errors: fills the fixed buffers of an at_error, names statuses, ends the program on a bug.
 * Called by every room; allocates nothing, so that it works when memory is out.
 */
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const STATUS_WORDS[] = {
    [AT_OK] = "ok",
    [AT_INVALID] = "invalid",
    [AT_UNAUTHORIZED] = "unauthorized",
    [AT_FORBIDDEN] = "forbidden",
    [AT_NOTFOUND] = "not_found",
    [AT_CONFLICT] = "conflict",
    [AT_TOOBIG] = "too_big",
    [AT_UNSUPPORTED] = "unsupported",
    [AT_UNPROCESSABLE] = "unprocessable",
    [AT_STALE] = "stale",
    [AT_DUPLICATE] = "duplicate",
    [AT_BUSY] = "busy",
    [AT_FULL] = "full",
    [AT_IO] = "io",
    [AT_NOMEM] = "out_of_memory",
    [AT_STOPPED] = "stopped",
    [AT_FAILED] = "failed",
};

const char *at_status_word(enum at_status status) {
    size_t i = (size_t)status;
    return i < AT_LENGTH(STATUS_WORDS) && STATUS_WORDS[i] ? STATUS_WORDS[i] : "unknown";
}

/* Cut text at size - 1 bytes, never inside a UTF-8 sequence. */
static void copy_text(char *out, size_t size, const char *text) {
    size_t n = strlen(text);
    if (n >= size) {
        n = size - 1;
        while (n && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
    }
    memmove(out, text, n);
    out[n] = '\0';
}

/* vsnprintf cuts where it likes; drop a UTF-8 sequence it cut in two. */
static void trim_partial(char *text) {
    size_t n = strlen(text), start = n;
    while (start && ((unsigned char)text[start - 1] & 0xC0) == 0x80 && n - start < 3) start--;
    if (!start) return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (n - start < need) text[start - 1] = '\0';
}

static void format_message(char *out, size_t size, const char *fmt, va_list args) AT_PRINTF(3, 0);
static void format_message(char *out, size_t size, const char *fmt, va_list args) {
    int n = vsnprintf(out, size, fmt, args);
    if (n < 0) out[0] = '\0';
    if (n >= (int)size) trim_partial(out);
}

enum at_status at_fail(struct at_error *err, enum at_status status, const char *code, const char *fmt, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, fmt);
    struct at_error next; /* the arguments may point into *err */
    format_message(next.message, sizeof(next.message), fmt, args);
    va_end(args);
    copy_text(next.code, sizeof(next.code), code ? code : at_status_word(status));
    next.field[0] = '\0';
    *err = next;
    return status;
}

enum at_status at_fail_field(struct at_error *err, enum at_status status, const char *code, const char *field,
                             const char *fmt, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, fmt);
    struct at_error next;
    format_message(next.message, sizeof(next.message), fmt, args);
    va_end(args);
    copy_text(next.code, sizeof(next.code), code ? code : at_status_word(status));
    copy_text(next.field, sizeof(next.field), field ? field : "");
    *err = next;
    return status;
}

void at_error_prefix(struct at_error *err, const char *fmt, ...) {
    if (!err) return;
    char prefix[sizeof(err->message)];
    va_list args;
    va_start(args, fmt);
    format_message(prefix, sizeof(prefix), fmt, args);
    va_end(args);
    size_t head = strlen(prefix), tail = strlen(err->message);
    if (head + tail >= sizeof(err->message)) tail = sizeof(err->message) - 1 - head;
    memmove(err->message + head, err->message, tail);
    memcpy(err->message, prefix, head);
    err->message[head + tail] = '\0';
    trim_partial(err->message);
}

_Noreturn void at_assert_failed(const char *file, int line, const char *claim) {
    fprintf(stderr, "attune: bug at %s:%d: %s does not hold\n", file, line, claim);
    fflush(stderr);
    abort();
}
