/* SPDX-License-Identifier: Apache-2.0
 *
 * attune new: a folder with settings, rankings, rails, segments, their tests, and what an editor needs.
 * Nothing that is there is touched. The settings get the consent rules of the shop's country: said with
 * --country, else asked for at a terminal.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/cli.h"
#include "language/embedded.h"
#include "profile/consent.h"

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

/* Two letters; "" if nobody can be asked, or says nothing. */
static int read_country(const struct cli_call *call, char out[8]) {
    const char *given = cli_value(call, "country");
    char line[64] = "";
    if (!given && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
        printf("Where is the shop? Two letters, such as DE; nothing decides later: ");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin)) line[0] = 0;
        line[strcspn(line, " \r\n")] = 0;
    }
    if (!given) given = line;
    snprintf(out, 8, "%.2s", given);
    if (*given && (strlen(given) != 2 || at_consent_region(at_text_of(given)) == AT_REGION_UNKNOWN))
        return cli_fail(call, EXIT_USAGE, "a country is two letters, such as DE or US, not \"%s\"", given);
    return EXIT_DONE;
}

/* Behind what shop.lua says already; without the line of the licence, which stands above. */
static int add_consent(const struct cli_call *call, const char *settings, const char *country) {
    static const char *const pieces[] = {
        [AT_REGION_EU] = "scripts/consent/EU.lua",
        [AT_REGION_US] = "scripts/consent/US.lua",
        [AT_REGION_ELSEWHERE] = "scripts/consent/elsewhere.lua",
        [AT_REGION_UNKNOWN] = "scripts/consent/unknown.lua",
    };
    const char *wanted = pieces[at_consent_region(at_text_of(country))];
    const struct at_embedded *piece = at_embedded_files;
    while (piece->path && strcmp(piece->path, wanted) != 0) piece++;
    AT_ASSERT(piece->path);
    const char *text = strchr(piece->text, '\n') + 1;
    size_t length = piece->length - (size_t)(text - piece->text);
    FILE *to = fopen(settings, "a");
    bool is_ok = to && fwrite(text, 1, length, to) == length;
    if (to && fclose(to)) is_ok = false;
    return is_ok ? EXIT_DONE : cli_fail(call, EXIT_FAILED, "cannot write %s: %s", settings, strerror(errno));
}

int run_new(const struct cli_call *call) {
    struct stat info;
    char country[8];
    char settings[4096];
    snprintf(settings, sizeof settings, "%s/shop.lua", call->words[0]);
    if (stat(settings, &info) == 0)
        return cli_fail(call, EXIT_FAILED, "%s is there already: nothing was overwritten", settings);
    int code = read_country(call, country);
    for (const struct at_embedded *file = at_embedded_files; file->path && !code; file++)
        if (strncmp(file->path, PREFIX, strlen(PREFIX)) == 0) code = write_file(call, file);
    if (!code) code = add_consent(call, settings, country);
    if (!code) code = cli_stubs(call, call->words[0]);
    if (!code)
        printf("\nNext: attune serve %s\n      attune import catalog products.jsonl --shop %s\n",
               call->words[0], call->words[0]);
    return code;
}
