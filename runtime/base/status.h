/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fallible function answers. Every room uses it; nothing here allocates.
 * A status says which kind of failure; the at_error says it to a person.
 * Three kinds are never mixed: a bug asserts (AT_ASSERT), bad input is a status, out of memory is AT_NOMEM.
 */
#ifndef AT_BASE_STATUS_H
#define AT_BASE_STATUS_H

#include <stdarg.h>
#include <stddef.h>

/* Map to HTTP in exactly one table, api/answer.c. */
enum at_status {
    AT_OK = 0,
    AT_INVALID,       /* malformed: 400 */
    AT_UNAUTHORIZED,  /* no or unknown key: 401 */
    AT_FORBIDDEN,     /* a key that may not: 403 */
    AT_NOTFOUND,      /* 404 */
    AT_CONFLICT,      /* 409 */
    AT_TOOBIG,        /* over a stated limit: 413 */
    AT_UNSUPPORTED,   /* media type, encoding: 415 */
    AT_UNPROCESSABLE, /* well-formed but unacceptable: 422 */
    AT_STALE,         /* an expectation no longer holds: compute again */
    AT_DUPLICATE,     /* already there: nothing was done */
    AT_BUSY,          /* no room just now, try later: 503 with Retry-After */
    AT_FULL,          /* the disk is full: 503 */
    AT_IO,            /* the disk or a peer failed: 503 */
    AT_NOMEM,         /* out of memory: 503 */
    AT_STOPPED,       /* over its budget, or cancelled */
    AT_FAILED         /* a script or a peer answered with an error */
};

#define AT_MUST_CHECK       __attribute__((warn_unused_result))
#define AT_PRINTF(fmt, arg) __attribute__((format(printf, fmt, arg)))

/* What a person reads. Fixed buffers, so that the error path never allocates. */
struct at_error {
    char code[40];     /* snake_case, for programs: "unknown_ranking"; empty: the status' own word */
    char field[80];    /* the input field it is about, "" if none */
    char message[512]; /* one sentence: what, where, what to do */
};

/* Set code (may be NULL), clear field, format message; returns status, so that
 * `return at_fail(err, AT_INVALID, "bad_time", "…", …);` reads well. err may be NULL. */
enum at_status at_fail(struct at_error *err, enum at_status status, const char *code, const char *fmt, ...)
    AT_PRINTF(4, 5);
/* The same with the field it is about. */
enum at_status at_fail_field(struct at_error *err, enum at_status status, const char *code, const char *field,
                             const char *fmt, ...) AT_PRINTF(5, 6);
/* Prefix the message with context on the way up ("scripts/a.lua: " + message); truncates, never fails. */
void at_error_prefix(struct at_error *err, const char *fmt, ...) AT_PRINTF(2, 3);
/* "invalid", "not_found", … for the status. */
const char *at_status_word(enum at_status status);

/* A bug: prints file:line and the claim to standard error and aborts, in release too. */
#define AT_ASSERT(claim) ((claim) ? (void)0 : at_assert_failed(__FILE__, __LINE__, #claim))
_Noreturn void at_assert_failed(const char *file, int line, const char *claim);

#define AT_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
