/* SPDX-License-Identifier: Apache-2.0
 *
 * attune new: a folder with settings, a first ranking and a first rail. Nothing that is there is touched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/cli.h"
#include "language/embedded.h"

#define PREFIX "scripts/new/"

static bool make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool is_ok = mkdir(path, 0777) == 0 || errno == EEXIST;
        *slash = '/';
        if (!is_ok) return false;
    }
    return true;
}

static int write_file(const struct cli_call *call, const struct at_embedded *file) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", call->words[0], file->path + strlen(PREFIX));
    if (!make_parents(path))
        return cli_fail(call, EXIT_FAILED, "cannot make the folder of %s: %s", path, strerror(errno));
    FILE *to = fopen(path, "wx");
    if (!to && errno == EEXIST)
        return cli_fail(call, EXIT_FAILED, "%s is there already: nothing was overwritten", path);
    bool is_ok = to && fwrite(file->text, 1, file->length, to) == file->length;
    if (to && fclose(to)) is_ok = false;
    if (!is_ok) return cli_fail(call, EXIT_FAILED, "cannot write %s: %s", path, strerror(errno));
    printf("  %s\n", path);
    return EXIT_DONE;
}

int run_new(const struct cli_call *call) {
    struct stat info;
    char settings[4096];
    snprintf(settings, sizeof settings, "%s/shop.lua", call->words[0]);
    if (stat(settings, &info) == 0)
        return cli_fail(call, EXIT_FAILED, "%s is there already: nothing was overwritten", settings);
    int code = EXIT_DONE;
    for (const struct at_embedded *file = at_embedded_files; file->path && !code; file++)
        if (strncmp(file->path, PREFIX, strlen(PREFIX)) == 0) code = write_file(call, file);
    if (!code)
        printf("\nNext: attune serve %s\n      attune import catalog products.jsonl --shop %s\n",
               call->words[0], call->words[0]);
    return code;
}
