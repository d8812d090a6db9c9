/* SPDX-License-Identifier: Apache-2.0
 *
 * What a check tells: findings for people, as JSON, or a line each as compilers write them; then how each
 * rule runs, and if a server has the data folder, who would enter and leave the segments that change.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/check.h"
#include "cli/speed.h"
#include "cli/test.h"

/* ---- how rules run ---- */

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

/* Who would enter and leave, and which attributes there are, only the shop that is open can say. */
static int ask_shop(const struct checked *checked, const struct at_source_file *files, uint32_t count) {
    struct cli_shop *shop = cli_shop_if_there(checked->call, checked->folder);
    struct at_bytes body, answer;
    struct at_json json;
    if (!shop) return EXIT_DONE;
    struct at_json_parser *parser = at_json_parser_new(1u << 28, 64);
    at_bytes_init(&body, 1u << 26);
    at_bytes_init(&answer, 1u << 28);
    write_files(files, count, &body);
    int status =
        body.failed ? 0 : cli_shop_call(shop, "POST", "/v1/scripts/check", body.data, body.length, &answer);
    bool is_taken = cli_read(checked->call, status, &answer, parser, &json);
    if (is_taken) say_changes(json);
    if (parser) at_json_parser_free(parser);
    at_bytes_clear(&body);
    at_bytes_clear(&answer);
    cli_shop_close(shop);
    if (is_taken || status != 422) return EXIT_DONE;
    printf("the shop that is open does not take this\n");
    return EXIT_REFUSED;
}

/* ---- findings ---- */

static void print_block(void *arg, const char *path, struct at_text text, const struct at_finding *finding) {
    at_finding_print(arg, path, text, finding);
}

/* shop/scripts/a.lua:3:5: error: message [code] */
static void print_line(void *arg, const char *path, struct at_text text, const struct at_finding *finding) {
    const struct checked *checked = arg;
    size_t length = strlen(checked->folder);
    (void)text;
    printf("%s%s%s:%u:%u: %s: %s%s%s [%s]\n", checked->folder,
           length && checked->folder[length - 1] == '/' ? "" : "/", path, finding->line, finding->column,
           finding->is_warning ? "warning" : "error", finding->message, finding->hint[0] ? "; " : "",
           finding->hint, finding->code);
}

static void write_one(void *arg, const char *path, struct at_text text, const struct at_finding *finding) {
    (void)text;
    at_finding_write(arg, path, finding);
}

static int show_json(const struct checked *checked, struct check_count count) {
    struct at_bytes text;
    at_bytes_init(&text, 64 << 20);
    struct at_json_out out = at_json_out(&text);
    at_json_open(&out, '{');
    at_json_add_int(&out, "errors", count.errors);
    at_json_add_int(&out, "warnings", count.warnings);
    at_json_key(&out, "findings");
    at_json_open(&out, '[');
    check_each(checked, write_one, &out);
    at_json_close(&out, ']');
    at_json_close(&out, '}');
    at_bytes_add_text(&text, "\n");
    int code = text.failed ? cli_fail(checked->call, EXIT_FAILED, "out of memory") : EXIT_DONE;
    if (code == EXIT_DONE) fwrite(text.data, 1, text.length, stdout);
    at_bytes_clear(&text);
    return code;
}

static const char *plural(uint32_t count) {
    return count == 1 ? "" : "s";
}

static int show_words(const struct checked *checked, struct check_count count) {
    struct at_bytes text;
    at_bytes_init(&text, 64 << 20);
    check_each(checked, print_block, &text);
    if (text.length) fwrite(text.data, 1, text.length, stdout);
    at_bytes_clear(&text);
    if (count.errors) {
        printf("%u mistake%s, %u warning%s", count.errors, plural(count.errors), count.warnings,
               plural(count.warnings));
        printf(count.fixes ? "; attune check --fix can mend %u of them\n" : "\n", count.fixes);
        return EXIT_REFUSED;
    }
    const struct at_generation *generation = checked->generation;
    say_generation(generation);
    struct at_error err = {0};
    if (cli_value(checked->call, "speed") &&
        cli_say_speed(generation, checked->settings, checked->guard, &err) != AT_OK)
        return cli_fail(checked->call, EXIT_FAILED, "%s", err.message);
    int code = cli_check_tests(checked->call, &checked->build, generation);
    if (code == EXIT_DONE) code = ask_shop(checked, checked->files, checked->file_count);
    if (code == EXIT_DONE)
        printf("%u files, %u rankings, %u rails, %u segments: good\n", checked->file_count,
               generation->ranking_count, generation->rail_count, generation->segment_count);
    return code;
}

int check_show(const struct checked *checked) {
    struct check_count count = check_count(checked);
    const char *format = cli_value(checked->call, "format");
    bool is_json = cli_value(checked->call, "json") || (format && strcmp(format, "json") == 0);
    int code = EXIT_DONE;
    if (is_json)
        code = show_json(checked, count);
    else if (format && strcmp(format, "gcc") == 0)
        check_each(checked, print_line, (void *)(uintptr_t)checked);
    else
        code = show_words(checked, count);
    return code != EXIT_DONE ? code : count.errors ? EXIT_REFUSED : EXIT_DONE;
}
