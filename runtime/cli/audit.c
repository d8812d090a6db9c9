/* SPDX-License-Identifier: Apache-2.0
 *
 * attune audit: how clean the foundation is, of a shop or of a history that was not imported yet; as a table,
 * as JSON, as a page.
 */
#include "cli/audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/json.h"
#include "measure/audit_show.h"

#define TEXT_MAX ((size_t)64 << 20)

static int write_file(const struct cli_call *call, const char *path, const struct at_bytes *text) {
    FILE *file = fopen(path, "wb");
    bool is_written = file && fwrite(text->data, 1, text->length, file) == text->length;
    int code = errno;
    if (file && fclose(file)) {
        is_written = false;
        code = errno;
    }
    return is_written ? EXIT_DONE : cli_fail(call, EXIT_FAILED, "cannot write %s: %s", path, strerror(code));
}

static int show(const struct cli_call *call, struct at_json audit, const struct at_bytes *first,
                const struct at_bytes *json) {
    const char *page = cli_value(call, "html");
    struct at_text line = {first->data, first->length};
    struct at_bytes text;
    int code = EXIT_DONE;
    at_bytes_init(&text, TEXT_MAX);
    if (page) {
        at_audit_show_page(audit, line, &text);
        code = text.failed ? cli_fail(call, EXIT_FAILED, "out of memory") : write_file(call, page, &text);
        at_bytes_reset(&text);
    }
    if (!code && cli_value(call, "json"))
        at_bytes_printf(&text, "%.*s\n", (int)json->length, json->data);
    else if (!code)
        at_audit_show_table(audit, line, &text);
    if (text.failed) code = cli_fail(call, EXIT_FAILED, "out of memory");
    if (!code) fwrite(text.data, 1, text.length, stdout);
    at_bytes_clear(&text);
    return code;
}

/* ---- a shop ---- */

static bool is_there(const char *folder, const char *name) {
    char path[4300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static int ask_shop(const struct cli_call *call, const char *folder, struct at_bytes *first,
                    struct at_bytes *json) {
    static const char *const of_files[] = {"map", "at-format", "timezone", "currency", "cancelled-prefix"};
    char data[4096];
    struct at_json answer;
    int status = 0;
    cli_data(call, folder, data, sizeof data);
    for (size_t i = 0; i < AT_LENGTH(of_files); i++)
        if (cli_value(call, of_files[i]))
            return cli_fail(call, EXIT_USAGE, "--%s is for files of order lines, and %s is a shop",
                            of_files[i], folder);
    if (!is_there(data, "attune.db"))
        return cli_fail(call, EXIT_REFUSED,
                        "%s is a shop without data: nothing was ever served or imported into %s", folder,
                        data);
    struct cli_shop *shop = cli_shop_open(call, folder);
    struct at_json_parser *parser = shop ? at_json_parser_new(TEXT_MAX, 64) : NULL;
    if (shop) status = cli_shop_call(shop, "GET", "/v1/audit", "", 0, json);
    bool is_read = shop && cli_read(call, status, json, parser, &answer);
    if (is_read)
        at_bytes_printf(first, "%s is a shop: what is in %s, %s", folder, data,
                        cli_shop_is_served(shop) ? "which is being served" : "which nobody serves just now");
    if (parser) at_json_parser_free(parser);
    if (shop) cli_shop_close(shop);
    return is_read ? EXIT_DONE : EXIT_FAILED;
}

int run_audit(const struct cli_call *call) {
    struct at_bytes first, json;
    struct at_json audit;
    struct at_error err = {0};
    const char *path = call->words[0];
    at_bytes_init(&first, TEXT_MAX);
    at_bytes_init(&json, TEXT_MAX);
    struct at_json_parser *parser = at_json_parser_new(TEXT_MAX, 64);
    bool is_shop = is_there(path, "shop.lua");
    int code = !parser   ? cli_fail(call, EXIT_FAILED, "out of memory")
               : is_shop ? ask_shop(call, path, &first, &json)
                         : audit_files(call, path, &first, &json);
    if (!code && at_json_parse(parser, json.data, json.length, false, &audit, &err) != AT_OK)
        code = cli_fail(call, EXIT_FAILED, "the audit cannot be read: %s", err.message);
    if (!code) code = show(call, audit, &first, &json);
    if (parser) at_json_parser_free(parser);
    at_bytes_clear(&first);
    at_bytes_clear(&json);
    return code;
}
