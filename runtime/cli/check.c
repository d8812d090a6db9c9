/* SPDX-License-Identifier: Apache-2.0
 *
 * attune check: the shop's settings and scripts, without a server: what is wrong and where, then how each
 * rule runs; and if a server has the data folder, who would enter and leave the segments that change. The
 * attributes of the catalog are not known here, so those no shop has by itself are warnings.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "cli/speed.h"
#include "language/language.h"
#include "shop/folder.h"

struct checking {
    const struct cli_call *call;
    const char *folder;
    struct at_arena arena;
    struct at_settings *settings;
    struct at_catalog *catalog;
    struct at_watchdog *watchdog;
    struct at_guard guard;
    struct at_error err;
};

/* A check needs no secrets: what is not set is named and stands for itself. */
static const char *env_or_name(void *arg, const char *name) {
    (void)arg;
    const char *value = getenv(name);
    if (value && *value) return value;
    fprintf(stderr, "note: the environment variable %s is not set here; the server needs it\n", name);
    return name;
}

static enum at_status load_settings(struct checking *checking) {
    struct at_text text = {NULL, 0};
    struct at_settings_source source = {checking->folder, env_or_name, NULL};
    enum at_status status =
        folder_read_file(checking->folder, "shop.lua", &checking->arena, &text, &checking->err);
    if (status == AT_NOTFOUND) status = AT_OK;
    if (status == AT_OK)
        status = at_settings_load(&source, text.data, text.length, &checking->settings, &checking->err);
    for (uint32_t i = 0; status == AT_OK && i < checking->settings->attribute_count; i++)
        status = at_catalog_declare(checking->catalog, checking->settings->attributes[i].name,
                                    checking->settings->attributes[i].kind, &checking->err);
    return status;
}

static void say_rule(const char *what, const char *name, const char *path, uint32_t line,
                     const struct at_rule_report *report) {
    printf("%-8s %-24s %s:%u  ", what, name, path, line);
    if (report->is_columnar) {
        printf("all at once\n");
        return;
    }
    if (report->compiled) {
        printf("compiled\n");
        return;
    }
    printf("product by product: line %u, \"%.*s\"%s%s\n", report->line, (int)report->text.length,
           report->text.data ? report->text.data : "", report->advice[0] ? "; " : "", report->advice);
}

static void say_segment(const struct at_segment *segment) {
    printf("%-8s %-24s %s:%u  ", "segment", segment->name, segment->path, segment->line);
    if (!segment->blind_line) {
        printf("at the moment it happens\n");
        return;
    }
    int64_t hours = segment->recheck_ms / AT_HOUR_MS,
            minutes = segment->recheck_ms % AT_HOUR_MS / AT_MINUTE_MS;
    printf("asked again every %lldh%02lldm: line %u, \"%.*s\" changes nobody knows when%s\n",
           (long long)hours, (long long)minutes, segment->blind_line, (int)segment->blind.length,
           segment->blind.data, segment->has_recheck ? "" : "; recheck = \"1h\" asks more often");
}

static void say_generation(const struct at_generation *generation) {
    for (uint32_t i = 0; i < generation->ranking_count; i++) {
        const struct at_ranking *ranking = &generation->rankings[i];
        if (ranking->score)
            say_rule("ranking", ranking->name, ranking->path, ranking->score_line, &ranking->score_report);
        if (ranking->first)
            say_rule("  first", ranking->name, ranking->path, ranking->line, &ranking->first_report);
    }
    for (uint32_t i = 0; i < generation->rail_count; i++) {
        const struct at_rail_declaration *rail = &generation->rails[i];
        if (rail->condition)
            say_rule("rail", rail->rail.name, rail->path, rail->line, &rail->report);
        else
            printf("%-8s %-24s %s:%u  pins\n", "rail", rail->rail.name, rail->path, rail->line);
    }
    for (uint32_t i = 0; i < generation->segment_count; i++) say_segment(&generation->segments[i]);
}

/* ---- what the shop that runs knows besides ---- */

static void write_files(const struct at_source_file *files, uint32_t count, struct at_bytes *body) {
    struct at_json_out out = at_json_out(body);
    at_json_open(&out, '{');
    at_json_key(&out, "files");
    at_json_open(&out, '{');
    for (uint32_t i = 0; i < count; i++) {
        at_json_key_text(&out, files[i].path);
        at_json_put_text(&out, files[i].text);
    }
    at_json_close(&out, '}');
    at_json_close(&out, '}');
}

static void say_changes(struct at_json answer) {
    struct at_json_each it = at_json_each(at_json_get(answer, "warnings"));
    while (at_json_next(&it)) {
        struct at_text message = at_json_text(at_json_get(it.value, "message"));
        if (!at_text_is(at_json_text(at_json_get(it.value, "code")), "segment_changes")) continue;
        printf("once it serves, segment %.*s\n", (int)message.length, message.data ? message.data : "");
    }
}

/* Who would enter and leave, only who keeps the people can say. */
static void ask_shop(const struct checking *checking, const struct at_source_file *files, uint32_t count) {
    struct cli_shop *shop = cli_shop_if_there(checking->call, checking->folder);
    struct at_bytes body, answer;
    struct at_json json;
    if (!shop) return;
    struct at_json_parser *parser = at_json_parser_new(1u << 28, 64);
    at_bytes_init(&body, 1u << 26);
    at_bytes_init(&answer, 1u << 28);
    write_files(files, count, &body);
    int status =
        body.failed ? 0 : cli_shop_call(shop, "POST", "/v1/scripts/check", body.data, body.length, &answer);
    if (cli_read(checking->call, status, &answer, parser, &json)) say_changes(json);
    if (parser) at_json_parser_free(parser);
    at_bytes_clear(&body);
    at_bytes_clear(&answer);
    cli_shop_close(shop);
}

static int check_scripts(struct checking *checking) {
    struct at_source_file *files;
    struct at_generation *generation = NULL;
    struct at_bytes text;
    uint32_t count;
    enum at_status status = folder_read(checking->folder, &checking->arena, &files, &count, &checking->err);
    if (status != AT_OK) return cli_fail(checking->call, EXIT_FAILED, "%s", checking->err.message);
    struct at_root *root = at_catalog_root(checking->catalog);
    struct at_build build = {.files = files,
                             .file_count = count,
                             .settings = checking->settings,
                             .root = root,
                             .guard = &checking->guard,
                             .arena = &checking->arena};
    status = at_generation_build(&build, &generation, &checking->err);
    at_root_unref(root);
    at_bytes_init(&text, 16 << 20);
    at_findings_print(&build, &text);
    if (text.length) fwrite(text.data, 1, text.length, stdout);
    at_bytes_clear(&text);
    if (status == AT_UNPROCESSABLE) return EXIT_REFUSED;
    if (status != AT_OK) return cli_fail(checking->call, EXIT_FAILED, "%s", checking->err.message);
    say_generation(generation);
    if (cli_value(checking->call, "speed"))
        status = cli_say_speed(generation, checking->settings, &checking->guard, &checking->err);
    if (generation->segment_count) ask_shop(checking, files, count);
    printf("%u files, %u rankings, %u rails, %u segments: good\n", count, generation->ranking_count,
           generation->rail_count, generation->segment_count);
    at_generation_free(generation);
    return status == AT_OK ? EXIT_DONE : cli_fail(checking->call, EXIT_FAILED, "%s", checking->err.message);
}

int run_check(const struct cli_call *call) {
    struct checking checking = {.call = call, .folder = call->words[0]};
    struct at_catalog_options options = {NULL};
    at_arena_init(&checking.arena, SIZE_MAX >> 1);
    int code = EXIT_FAILED;
    enum at_status status = at_watchdog_start(&checking.watchdog, AT_WATCHDOG_SIGNAL, &checking.err);
    if (status == AT_OK) {
        at_guard_register(checking.watchdog, &checking.guard);
        status = at_catalog_new(&checking.catalog, &options, &checking.err);
        if (status == AT_OK) status = load_settings(&checking);
        if (status == AT_OK) code = check_scripts(&checking);
        at_guard_unregister(&checking.guard);
    }
    if (status != AT_OK)
        code = cli_fail(call, status == AT_NOMEM || status == AT_IO ? EXIT_FAILED : EXIT_REFUSED, "%s",
                        checking.err.message);
    if (checking.settings) at_settings_free(checking.settings);
    if (checking.catalog) at_catalog_free(checking.catalog);
    if (checking.watchdog) at_watchdog_stop(checking.watchdog);
    at_arena_clear(&checking.arena);
    return code;
}
