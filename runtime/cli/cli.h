/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: a table of verbs, each with its options; help, shell completion and the systemd unit are made
 * from it. Exit codes: 0 done · 1 the input is not accepted (findings, bad rows) · 2 used wrongly · 3 could
 * not be done.
 */
#ifndef AT_CLI_CLI_H
#define AT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include "base/bytes.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

struct cli_option {
    const char *name;  /* "listen" */
    const char *value; /* "HOST:PORT"; NULL: a flag */
    const char *help;
};
#define CLI_OPTIONS_MAX 20
#define CLI_LIST_MAX    32
struct cli_call {
    const struct cli_verb *verb;
    const char *words[4]; /* what is no option */
    int word_count;
    const char *values[CLI_OPTIONS_MAX]; /* by index in the verb's options; "" for a flag that is set; NULL:
                                            not given */
    const char *list[CLI_LIST_MAX];      /* values of the option that may be given several times */
    int list_count;
};
struct cli_verb {
    const char *name, *words, *summary; /* words: "DIR" */
    int least_words, most_words;
    const struct cli_option *options; /* ends with a NULL name */
    int (*run)(const struct cli_call *call);
    bool is_hidden;
};
extern const struct cli_verb cli_verbs[];                               /* ends with a NULL name */
const char *cli_value(const struct cli_call *call, const char *option); /* NULL: not given */
int cli_main(int argc, char **argv);
/* "attune serve: " and the message on standard error; returns code. */
int cli_fail(const struct cli_call *call, int code, const char *fmt, ...) AT_PRINTF(3, 4);
/* DIR/data unless --data says otherwise; in out. */
const char *cli_data(const struct cli_call *call, const char *folder, char *out, size_t size);

int run_serve(const struct cli_call *call);
int run_new(const struct cli_call *call);
int run_check(const struct cli_call *call);
int run_test(const struct cli_call *call);
int run_stubs(const struct cli_call *call);
/* Into the shop's folder what an editor needs to know the words of its rules; returns the exit code. */
int cli_stubs(const struct cli_call *call, const char *folder);
int run_import(const struct cli_call *call);
int run_audit(const struct cli_call *call);
int run_explain(const struct cli_call *call);
int run_identity(const struct cli_call *call);
int run_export(const struct cli_call *call);
int run_erase(const struct cli_call *call);
int run_segments(const struct cli_call *call);
int run_generations(const struct cli_call *call);
int run_blame(const struct cli_call *call);
int run_diff(const struct cli_call *call);
int run_publish(const struct cli_call *call);
int run_rollback(const struct cli_call *call);
int run_resume(const struct cli_call *call);
int run_backup(const struct cli_call *call);
int run_restore(const struct cli_call *call);
int run_version(const struct cli_call *call);
int run_completion(const struct cli_call *call);
int run_unit(const struct cli_call *call);

/* The path of a person and what follows. p7Qor…: an id; email:ann@example.com: a kind and a value. false: too
 * long. */
bool cli_person_path(const char *person, const char *rest, char *path, size_t size);

/* Call the shop: the process that owns the data folder over its socket, or the shop opened here if nobody
 * does. */
struct cli_shop;
struct cli_shop *cli_shop_open(const struct cli_call *call, const char *folder); /* NULL: said why */
struct cli_shop *cli_shop_if_there(const struct cli_call *call,
                                   const char *folder); /* NULL: nobody serves it, and nothing is said */
void cli_shop_close(struct cli_shop *shop);
bool cli_shop_is_served(const struct cli_shop *shop); /* by another process */
/* The HTTP status, 0: it could not be called (said why). answer is reset first; its bytes have room for the
 * JSON parser. */
int cli_shop_call(struct cli_shop *shop, const char *method, const char *path, const char *body,
                  size_t length, struct at_bytes *answer);
/* The same in two steps. A shop opened here works meanwhile, and may have several calls on their way; one
 * that is served has answered when cli_shop_send returns. */
struct cli_flight {
    struct cli_shop *shop;
    struct at_bytes *answer; /* as of cli_shop_call */
    int status;
    bool is_over;
};
/* The body is copied. flight and answer stay where they are until cli_shop_wait. */
void cli_shop_send(struct cli_flight *flight, const char *method, const char *path, struct at_text body);
int cli_shop_wait(struct cli_flight *flight);           /* as cli_shop_call */
bool cli_shop_is_over(const struct cli_flight *flight); /* cli_shop_wait does not wait */
/* Parse an answer; on an error status says its message. False: there is nothing to read. */
struct at_json;
struct at_json_parser;
bool cli_read(const struct cli_call *call, int status, const struct at_bytes *answer,
              struct at_json_parser *parser, struct at_json *out);

#endif
