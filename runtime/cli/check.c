/* SPDX-License-Identifier: Apache-2.0
 *
 * attune check and attune test: the shop's settings and scripts, without a server: what is wrong and where.
 * The attributes of the catalog are not known here, so those no shop has by itself are warnings.
 */
#include "cli/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/test.h"

/* A check needs no secrets: what is not set is named and stands for itself. */
static const char *env_or_name(void *arg, const char *name) {
    (void)arg;
    const char *value = getenv(name);
    if (value && *value) return value;
    fprintf(stderr, "note: the environment variable %s is not set here; the server needs it\n", name);
    return name;
}

/* The shop that is open knows which attributes its products have. Without one only shop.lua does. */
static void ask_attributes(struct checked *checked) {
    struct cli_shop *shop = cli_shop_if_there(checked->call, checked->folder);
    checked->attributes = (struct cli_attributes){.count = 0};
    if (!shop) return;
    if (!cli_attributes_ask(checked->call, shop, &checked->arena, &checked->attributes))
        checked->attributes.has_products = false;
    cli_shop_close(shop);
}

enum at_status check_read(struct checked *checked) {
    struct stat info;
    at_arena_init(&checked->arena, SIZE_MAX >> 1);
    if (stat(checked->folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return at_fail(&checked->err, AT_NOTFOUND, NULL, "there is no folder %s", checked->folder);
    enum at_status status = folder_read_file(checked->folder, "shop.lua", &checked->arena,
                                             &checked->settings_text, &checked->err);
    if (status != AT_OK && status != AT_NOTFOUND) return status;
    if (status == AT_NOTFOUND) checked->settings_text = (struct at_text){NULL, 0};
    ask_attributes(checked);
    return folder_read(checked->folder, &checked->arena, &checked->files, &checked->file_count,
                       &checked->err);
}

static void forget_judgement(struct checked *checked) {
    at_generation_free(checked->generation);
    at_settings_free(checked->settings);
    if (checked->catalog) at_catalog_free(checked->catalog);
    checked->generation = NULL;
    checked->settings = NULL;
    checked->catalog = NULL;
    checked->settings_findings = NULL;
    checked->build.findings = NULL;
}

void check_forget(struct checked *checked) {
    forget_judgement(checked);
    at_arena_clear(&checked->arena);
}

static enum at_status judge_settings(struct checked *checked) {
    struct at_settings_source source = {checked->folder, env_or_name, NULL};
    enum at_status status = at_settings_check(&source, checked->settings_text, &checked->arena,
                                              &checked->settings, &checked->settings_findings, &checked->err);
    if (status != AT_OK && status != AT_UNPROCESSABLE) return status;
    enum at_status made =
        cli_attributes_catalog(&checked->attributes, checked->settings, &checked->catalog, &checked->err);
    return made == AT_OK ? status : made;
}

/* Scripts are read by the settings of shop.lua; if those are wrong, by the defaults, so that every mistake is
 * told at once. */
static enum at_status judge_scripts(struct checked *checked, const struct at_settings *settings) {
    struct at_root *root = at_catalog_root(checked->catalog);
    checked->build = (struct at_build){.files = checked->files,
                                       .file_count = checked->file_count,
                                       .settings = settings,
                                       .root = root,
                                       .is_whole = checked->attributes.has_products,
                                       .guard = checked->guard,
                                       .arena = &checked->arena};
    enum at_status status = at_generation_build(&checked->build, &checked->generation, &checked->err);
    at_root_unref(root);
    return status;
}

enum at_status check_judge(struct checked *checked) {
    struct at_settings_source source = {checked->folder, env_or_name, NULL};
    struct at_settings *defaults = NULL;
    forget_judgement(checked);
    enum at_status of_settings = judge_settings(checked);
    if (of_settings != AT_OK && of_settings != AT_UNPROCESSABLE) return of_settings;
    if (of_settings != AT_OK) {
        enum at_status status = at_settings_load(&source, NULL, 0, &defaults, &checked->err);
        if (status != AT_OK) return status;
    }
    enum at_status status = judge_scripts(checked, defaults ? defaults : checked->settings);
    at_settings_free(defaults);
    return status == AT_OK ? of_settings : status;
}

void check_each(const struct checked *checked,
                void (*fn)(void *arg, const char *path, struct at_text text,
                           const struct at_finding *finding),
                void *arg) {
    for (const struct at_finding *at = checked->settings_findings; at; at = at->next)
        fn(arg, "shop.lua", checked->settings_text, at);
    for (const struct at_file_finding *at = checked->build.findings; at; at = at->next) {
        struct at_text text = {"", 0};
        for (uint32_t i = 0; i < checked->file_count; i++)
            if (at_text_is(checked->files[i].path, at->path)) text = checked->files[i].text;
        fn(arg, at->path, text, &at->finding);
    }
}

static void count_one(void *arg, const char *path, struct at_text text, const struct at_finding *finding) {
    struct check_count *count = arg;
    (void)path;
    (void)text;
    count->errors += !finding->is_warning;
    count->warnings += finding->is_warning;
    count->fixes += finding->fix != NULL;
    count->faults += strcmp(finding->code, "syntax") == 0;
}

struct check_count check_count(const struct checked *checked) {
    struct check_count count = {0};
    check_each(checked, count_one, &count);
    return count;
}

static int check_once(struct checked *checked) {
    enum at_status status = check_read(checked);
    if (status == AT_OK) status = check_judge(checked);
    int code = status == AT_OK || status == AT_UNPROCESSABLE
                   ? (cli_value(checked->call, "fix") ? check_fix(checked) : check_show(checked))
                   : cli_fail(checked->call, EXIT_FAILED, "%s", checked->err.message);
    check_forget(checked);
    return code;
}

static int use_wrongly(const struct cli_call *call) {
    const char *format = cli_value(call, "format");
    if (format && strcmp(format, "gcc") != 0 && strcmp(format, "json") != 0 && strcmp(format, "text") != 0)
        return cli_fail(call, EXIT_USAGE, "--format is text, json or gcc, not %s", format);
    if (cli_value(call, "dry-run") && !cli_value(call, "fix"))
        return cli_fail(call, EXIT_USAGE, "--dry-run goes with --fix");
    if (cli_value(call, "watch") && cli_value(call, "fix"))
        return cli_fail(call, EXIT_USAGE,
                        "--watch and --fix do not go together: a fix is looked at before the next");
    return EXIT_DONE;
}

static int test_once(struct checked *checked) {
    enum at_status status = check_read(checked);
    if (status == AT_OK) status = check_judge(checked);
    int code = status == AT_OK ? cli_test(checked->call, &checked->build, checked->generation)
               : status == AT_UNPROCESSABLE
                   ? check_show(checked)
                   : cli_fail(checked->call, EXIT_FAILED, "%s", checked->err.message);
    check_forget(checked);
    return code;
}

static int run(const struct cli_call *call, int (*once)(struct checked *checked)) {
    struct at_watchdog *watchdog;
    struct at_guard guard;
    struct checked checked = {.call = call, .folder = call->words[0], .guard = &guard};
    if (at_watchdog_start(&watchdog, AT_WATCHDOG_SIGNAL, &checked.err) != AT_OK)
        return cli_fail(call, EXIT_FAILED, "%s", checked.err.message);
    at_guard_register(watchdog, &guard);
    int code = cli_value(call, "watch") ? check_watch(&checked, once) : once(&checked);
    at_guard_unregister(&guard);
    at_watchdog_stop(watchdog);
    return code;
}

int run_check(const struct cli_call *call) {
    int code = use_wrongly(call);
    return code == EXIT_DONE ? run(call, check_once) : code;
}

int run_test(const struct cli_call *call) {
    return run(call, test_once);
}
