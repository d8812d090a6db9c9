/* SPDX-License-Identifier: Apache-2.0
 *
 * attune import: what comes in, and which options belong to it.
 */
#include <string.h>
#include "base/utf8.h"
#include "cli/history.h"

static const struct {
    const char *name, *options; /* beside --shop and --data */
    int (*run)(const struct cli_call *call);
} kinds[] = {
    {"catalog", " complete sure ", import_catalog},
    {"events", " source again ", import_events},
    {"orders", " source again map at-format timezone currency cancelled-prefix dry-run ", import_orders},
};

static bool belongs(const char *options, const char *name) {
    size_t length = strlen(name);
    for (const char *at = options; (at = strstr(at, name)); at++)
        if (at[-1] == ' ' && at[length] == ' ') return true;
    return false;
}

static int check_options(const struct cli_call *call, const char *kind, const char *options) {
    for (int i = 0; call->verb->options[i].name; i++) {
        const char *name = call->verb->options[i].name;
        if (!call->values[i] || strcmp(name, "shop") == 0 || strcmp(name, "data") == 0) continue;
        if (!belongs(options, name))
            return cli_fail(call, EXIT_USAGE, "--%s does not belong to import %s", name, kind);
    }
    return EXIT_DONE;
}

int run_import(const struct cli_call *call) {
    const char *names[AT_LENGTH(kinds)];
    for (size_t i = 0; i < AT_LENGTH(kinds); i++) {
        names[i] = kinds[i].name;
        if (strcmp(call->words[0], kinds[i].name) != 0) continue;
        int code = check_options(call, kinds[i].name, kinds[i].options);
        return code ? code : kinds[i].run(call);
    }
    const char *near = at_suggest(call->words[0], names, AT_LENGTH(kinds));
    return near ? cli_fail(call, EXIT_USAGE, "import what? there is no \"%s\" — did you mean \"%s\"?",
                           call->words[0], near)
                : cli_fail(call, EXIT_USAGE,
                           "import what? write attune import catalog FILE, or events FILE, or orders FILE");
}
