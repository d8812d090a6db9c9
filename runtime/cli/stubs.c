/* SPDX-License-Identifier: Apache-2.0
 *
 * attune stubs: what an editor with a Lua language server needs to know the words of the rules, in the shop's
 * folder: .attune/stubs.lua, made anew each time, and .luarc.json, which is the merchant's own once it is
 * there. The attributes are those of the catalog if there are data, else those that every shop has and
 * shop.lua declares.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/attributes.h"
#include "language/stubs.h"
#include "shop/folder.h"

struct gathering {
    const struct cli_call *call;
    const char *folder;
    struct at_arena arena;
    struct cli_attributes attributes;
    struct at_stubs stubs;
    struct at_error err;
};

/* ---- writing ---- */

static const char *const without[] = {"basic", "bit", "bit32",   "coroutine", "debug", "ffi",  "io", "jit",
                                      "math",  "os",  "package", "string",    "table", "utf8", NULL};

/* The libraries of Lua are declared by the stubs, as far as there are any. */
static void write_settings(struct at_bytes *out) {
    struct at_json_out json = at_json_out(out);
    at_json_open(&json, '{');
    at_json_add_string(&json, "runtime.version", "Lua 5.4");
    at_json_key(&json, "runtime.path");
    at_json_put_raw(&json, "[\"scripts/?.lua\"]", 17);
    at_json_key(&json, "runtime.builtin");
    at_json_open(&json, '{');
    for (const char *const *name = without; *name; name++) at_json_add_string(&json, *name, "disable");
    at_json_close(&json, '}');
    at_json_key(&json, "workspace.library");
    at_json_put_raw(&json, "[\".attune\"]", 11);
    at_json_add_bool(&json, "workspace.checkThirdParty", false);
    at_json_key(&json, "diagnostics.disable"); /* what is missing is harmless in a rule */
    at_json_put_raw(&json, "[\"need-check-nil\"]", 18);
    at_json_close(&json, '}');
    at_bytes_add_text(out, "\n");
}

static int write_file(const struct cli_call *call, const char *path, const struct at_bytes *text,
                      bool is_kept) {
    if (text->failed) return cli_fail(call, EXIT_FAILED, "out of memory");
    FILE *to = fopen(path, is_kept ? "wx" : "w");
    if (!to && is_kept && errno == EEXIST) return EXIT_DONE;
    bool is_ok = to && fwrite(text->data, 1, text->length, to) == text->length;
    if (to && fclose(to)) is_ok = false;
    if (!is_ok) return cli_fail(call, EXIT_FAILED, "cannot write %s: %s", path, strerror(errno));
    printf("  %s\n", path);
    return EXIT_DONE;
}

static int write_stubs(const struct cli_call *call, const char *folder, const struct at_stubs *stubs) {
    struct at_bytes text;
    char path[4096];
    snprintf(path, sizeof path, "%s/.attune", folder);
    if (mkdir(path, 0777) && errno != EEXIST)
        return cli_fail(call, EXIT_FAILED, "cannot make the folder %s: %s", path, strerror(errno));
    at_bytes_init(&text, 1 << 24);
    at_stubs_write(stubs, &text);
    snprintf(path, sizeof path, "%s/.attune/stubs.lua", folder);
    int code = write_file(call, path, &text, false);
    at_bytes_reset(&text);
    write_settings(&text);
    snprintf(path, sizeof path, "%s/.luarc.json", folder);
    if (!code) code = write_file(call, path, &text, true);
    at_bytes_clear(&text);
    return code;
}

/* ---- the shop's own words ---- */

/* Who keeps the catalog knows its attributes; shop.lua's are among them. */
static int ask_catalog(struct gathering *gathering) {
    struct cli_shop *shop = cli_shop_open(gathering->call, gathering->folder);
    if (!shop) return EXIT_FAILED;
    bool is_asked = cli_attributes_ask(gathering->call, shop, &gathering->arena, &gathering->attributes);
    cli_shop_close(shop);
    return is_asked ? EXIT_DONE : EXIT_FAILED;
}

static const char *name_itself(void *arg, const char *name) {
    (void)arg;
    return name;
}

static bool take_known(struct gathering *gathering, struct at_catalog *catalog) {
    struct cli_attributes *out = &gathering->attributes;
    struct at_root *root = at_catalog_root(catalog);
    for (int i = 0; i < at_root_attribute_count(root); i++, out->count++) {
        const struct at_attribute *attribute = at_root_attribute_at(root, i);
        out->list[i].name = at_arena_dup(&gathering->arena, attribute->name, strlen(attribute->name));
        out->list[i].kind = at_attribute_kind_name(attribute->kind);
        if (!out->list[i].name) break;
    }
    bool is_whole = (int)out->count == at_root_attribute_count(root);
    at_root_unref(root);
    return is_whole;
}

/* What every catalog knows and shop.lua declares, for want of data. */
static int read_settings(struct gathering *gathering) {
    struct at_settings_source source = {gathering->folder, name_itself, NULL};
    struct at_settings *settings = NULL;
    struct at_catalog *catalog = NULL;
    struct at_text text = {NULL, 0};
    struct at_error *err = &gathering->err;
    enum at_status status = folder_read_file(gathering->folder, "shop.lua", &gathering->arena, &text, err);
    if (status == AT_OK) status = at_settings_load(&source, text.data, text.length, &settings, err);
    if (status == AT_OK) status = cli_attributes_catalog(&gathering->attributes, settings, &catalog, err);
    if (status == AT_OK && !take_known(gathering, catalog))
        status = at_fail(err, AT_NOMEM, NULL, "out of memory");
    at_settings_free(settings);
    if (catalog) at_catalog_free(catalog);
    bool is_beyond_us = status == AT_NOTFOUND || status == AT_NOMEM || status == AT_IO;
    return status == AT_OK
               ? EXIT_DONE
               : cli_fail(gathering->call, is_beyond_us ? EXIT_FAILED : EXIT_REFUSED, "%s", err->message);
}

/* By name: the order of a table of shop.lua is none, and the file should change only when the words do. */
static int by_name(const void *a, const void *b) {
    return strcmp(((const struct at_declared_attribute *)a)->name,
                  ((const struct at_declared_attribute *)b)->name);
}

static int gather(struct gathering *gathering) {
    char data[4096];
    struct stat info;
    struct at_source_file *files;
    uint32_t count;
    cli_data(gathering->call, gathering->folder, data, sizeof data);
    int code = stat(data, &info) == 0 ? ask_catalog(gathering) : read_settings(gathering);
    if (code) return code;
    struct cli_attributes *attributes = &gathering->attributes;
    qsort(attributes->list, attributes->count, sizeof *attributes->list, by_name);
    gathering->stubs.attributes = attributes->list;
    gathering->stubs.attribute_count = attributes->count;
    gathering->stubs.is_whole = attributes->has_products;
    enum at_status status =
        folder_read(gathering->folder, &gathering->arena, &files, &count, &gathering->err);
    if (status == AT_OK)
        status = at_stubs_segments(&gathering->arena, files, count, &gathering->stubs.segments,
                                   &gathering->stubs.segment_count);
    return status == AT_OK ? EXIT_DONE
                           : cli_fail(gathering->call, EXIT_FAILED, "%s",
                                      status == AT_NOMEM ? "out of memory" : gathering->err.message);
}

int cli_stubs(const struct cli_call *call, const char *folder) {
    struct gathering *gathering = calloc(1, sizeof *gathering);
    if (!gathering) return cli_fail(call, EXIT_FAILED, "out of memory");
    gathering->call = call;
    gathering->folder = folder;
    at_arena_init(&gathering->arena, SIZE_MAX >> 1);
    int code = gather(gathering);
    if (!code) code = write_stubs(call, folder, &gathering->stubs);
    at_arena_clear(&gathering->arena);
    free(gathering);
    return code;
}

int run_stubs(const struct cli_call *call) {
    return cli_stubs(call, call->words[0]);
}
