/* SPDX-License-Identifier: Apache-2.0
 *
 * attune diff: what a folder, or a generation, declares otherwise than what serves, in words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "cli/cli.h"
#include "shop/folder.h"

/* Of the option; 0: not given. False: said why. */
static bool read_number(const struct cli_call *call, const char *option, unsigned long long *out) {
    const char *text = cli_value(call, option);
    char *rest = NULL;
    *out = text ? strtoull(text, &rest, 10) : 0;
    if (!text || (*out && !*rest)) return true;
    cli_fail(call, 0, "--%s is the number of a generation, as attune generations lists them", option);
    return false;
}

static enum at_status write_folder(const char *folder, struct at_json_out *out, struct at_error *err) {
    struct at_arena arena;
    struct at_source_file *files;
    struct at_text settings = {NULL, 0};
    uint32_t count;
    at_arena_init(&arena, SIZE_MAX >> 1);
    enum at_status status = folder_read(folder, &arena, &files, &count, err);
    if (status == AT_OK) status = folder_read_file(folder, "shop.lua", &arena, &settings, err);
    if (status == AT_NOTFOUND)
        status = at_fail(err, status, NULL, "%s has no shop.lua: it is no shop", folder);
    if (status == AT_OK) {
        at_json_key(out, "files");
        at_json_open(out, '{');
        for (uint32_t i = 0; i < count; i++) at_json_add_text(out, files[i].path.data, files[i].text);
        at_json_close(out, '}');
        at_json_add_bool(out, "complete", true);
        at_json_add_text(out, "settings", settings);
    }
    at_arena_clear(&arena);
    return status;
}

static void show_changes(struct at_json changes, bool of_settings) {
    bool is_first = of_settings;
    struct at_json_each it = at_json_each(changes);
    while (at_json_next(&it)) {
        struct at_text words = at_json_text(at_json_get(it.value, "words"));
        if (at_text_is(at_json_text(at_json_get(it.value, "noun")), "setting") != of_settings) continue;
        if (is_first) printf("settings, which are read when the shop is served anew:\n");
        is_first = false;
        printf("  %.*s\n", (int)words.length, words.data);
    }
}

static void show(struct at_json json, const char *folder) {
    int64_t from = 0, to = 0;
    char other[64];
    struct at_json changes = at_json_get(json, "changes");
    at_json_int(at_json_get(json, "from"), &from);
    snprintf(other, sizeof other, "generation %lld",
             (long long)(at_json_int(at_json_get(json, "to"), &to) ? to : 0));
    if (!to) snprintf(other, sizeof other, "%.60s", folder);
    if (!at_json_count(changes)) {
        printf("%s declares what generation %lld does\n", other, (long long)from);
        return;
    }
    printf("%s, compared with generation %lld:\n", other, (long long)from);
    show_changes(changes, false);
    show_changes(changes, true);
}

static int ask(const struct cli_call *call, struct cli_shop *shop, struct at_text body, const char *folder) {
    struct at_bytes answer;
    struct at_json json;
    struct at_json_parser *parser = at_json_parser_new(1u << 28, 64);
    at_bytes_init(&answer, 1u << 28);
    int status = cli_shop_call(shop, "POST", "/v1/scripts/diff", body.data, body.length, &answer);
    int code = EXIT_DONE;
    if (!cli_read(call, status, &answer, parser, &json))
        code = status >= 400 && status < 500 ? EXIT_REFUSED : EXIT_FAILED;
    else if (cli_value(call, "json"))
        printf("%.*s\n", (int)answer.length, answer.data);
    else
        show(json, folder);
    if (parser) at_json_parser_free(parser);
    at_bytes_clear(&answer);
    return code;
}

/* A shop that nobody serves would publish its folder as soon as it is opened: there is nothing to compare. */
static struct cli_shop *open_shop(const struct cli_call *call, const char *folder, bool is_stored) {
    struct cli_shop *shop = is_stored ? cli_shop_open(call, folder) : cli_shop_if_there(call, folder);
    if (!shop && !is_stored)
        cli_fail(call, 0, "nobody serves %s, so nothing is live to compare with: attune serve %s", folder,
                 folder);
    return shop;
}

int run_diff(const struct cli_call *call) {
    unsigned long long from, to;
    const char *shop_folder = cli_value(call, "shop"),
               *folder = call->word_count ? call->words[0] : shop_folder;
    if (!folder) folder = ".";
    if (!read_number(call, "from", &from) || !read_number(call, "to", &to)) return EXIT_USAGE;
    if (to && call->word_count)
        return cli_fail(call, EXIT_USAGE, "compare with a folder or with --to, not with both");
    struct at_bytes body;
    struct at_error err = {0};
    at_bytes_init(&body, 64u << 20);
    struct at_json_out out = at_json_out(&body);
    at_json_open(&out, '{');
    if (from) at_json_add_int(&out, "from", (int64_t)from);
    if (to) at_json_add_int(&out, "to", (int64_t)to);
    enum at_status status = to ? AT_OK : write_folder(folder, &out, &err);
    at_json_close(&out, '}');
    int code = EXIT_FAILED;
    if (status == AT_OK && body.failed) status = at_fail(&err, AT_NOMEM, NULL, "out of memory");
    struct cli_shop *shop = NULL;
    if (status != AT_OK)
        cli_fail(call, 0, "%s", err.message);
    else
        shop = open_shop(call, shop_folder ? shop_folder : folder, to != 0);
    if (shop) {
        code = ask(call, shop, (struct at_text){body.data, body.length}, folder);
        cli_shop_close(shop);
    }
    at_bytes_clear(&body);
    return code;
}
