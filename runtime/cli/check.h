/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to attune check: one shop as it was read and checked (check.c), what is told of it (check_show.c),
 * its fixes (check_fix.c), and again on each save (check_watch.c).
 */
#ifndef AT_CLI_CHECK_H
#define AT_CLI_CHECK_H

#include "cli/attributes.h"
#include "language/language.h"
#include "shop/folder.h"

struct checked {
    const struct cli_call *call;
    const char *folder;
    struct at_guard *guard;
    struct at_arena arena;        /* owns all that is not named below */
    struct at_text settings_text; /* of shop.lua; data NULL: there is none */
    struct at_source_file *files; /* the scripts, by path */
    uint32_t file_count;
    struct cli_attributes attributes;     /* of the shop that is open */
    struct at_finding *settings_findings; /* of shop.lua */
    struct at_build build;                /* findings of the scripts, by file and place */
    struct at_settings *settings;         /* NULL: shop.lua has errors, and the scripts were not looked at */
    struct at_catalog *catalog;
    struct at_generation *generation; /* NULL: something has errors */
    struct at_error err;
};

/* Reads the folder. Not AT_OK: err says which file cannot be read, and why. */
enum at_status check_read(struct checked *checked) AT_MUST_CHECK;
/* Checks what was read, anew. AT_UNPROCESSABLE: the findings hold an error. */
enum at_status check_judge(struct checked *checked) AT_MUST_CHECK;
void check_forget(struct checked *checked); /* all of it, for another check_read */

/* Each finding, shop.lua's first, then in the order of the files. */
void check_each(const struct checked *checked,
                void (*fn)(void *arg, const char *path, struct at_text text,
                           const struct at_finding *finding),
                void *arg);
struct check_count {
    uint32_t errors, warnings, fixes;
    uint32_t faults; /* errors: what does not read */
};
struct check_count check_count(const struct checked *checked);

/* check_show.c: in the way that was asked for; the exit code. */
int check_show(const struct checked *checked);
/* check_fix.c: applies what is certain; with --dry-run shows it instead. Then what is left is told. */
int check_fix(struct checked *checked);
/* check_watch.c: until it is interrupted; the exit code of the last check. */
int check_watch(struct checked *checked, int (*check_once)(struct checked *checked));

#endif
