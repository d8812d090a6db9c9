/* SPDX-License-Identifier: Apache-2.0
 *
 * Attributes asked of a shop, and a catalog that knows them (attributes.h).
 */
#include "cli/attributes.h"

static bool take_one(struct at_arena *arena, struct at_json said, struct cli_attributes *out) {
    struct at_text name = at_json_text(at_json_get(said, "name")),
                   kind = at_json_text(at_json_get(said, "kind"));
    struct at_declared_attribute *attribute = &out->list[out->count];
    attribute->name = at_arena_dup(arena, name.data, name.length);
    attribute->kind = at_arena_dup(arena, kind.data, kind.length);
    out->count += attribute->name && attribute->kind;
    return attribute->name && attribute->kind;
}

static bool take(struct at_arena *arena, struct at_json answer, struct cli_attributes *out) {
    struct at_json_each it = at_json_each(at_json_get(answer, "attributes"));
    double items = 0;
    at_json_number(at_json_get(answer, "items"), &items);
    out->has_products = items > 0;
    while (out->count < AT_ATTRIBUTE_MAX && at_json_next(&it))
        if (!take_one(arena, it.value, out)) return false;
    return true;
}

bool cli_attributes_ask(const struct cli_call *call, struct cli_shop *shop, struct at_arena *arena,
                        struct cli_attributes *out) {
    struct at_bytes answer;
    struct at_json json;
    struct at_json_parser *parser = at_json_parser_new(1u << 22, 16);
    at_bytes_init(&answer, 1u << 22);
    int status = cli_shop_call(shop, "GET", "/v1/catalog/attributes", NULL, 0, &answer);
    bool is_asked = cli_read(call, status, &answer, parser, &json),
         is_taken = is_asked && take(arena, json, out);
    if (is_asked && !is_taken) cli_fail(call, EXIT_FAILED, "out of memory");
    if (parser) at_json_parser_free(parser);
    at_bytes_clear(&answer);
    return is_taken;
}

enum at_status cli_attributes_catalog(const struct cli_attributes *attributes,
                                      const struct at_settings *settings, struct at_catalog **out,
                                      struct at_error *err) {
    struct at_catalog_options options = {NULL};
    struct at_error unlike;
    enum at_status status = at_catalog_new(out, &options, err);
    if (status == AT_OK && settings) status = at_settings_declare(settings, *out, err);
    for (uint32_t i = 0; status == AT_OK && i < attributes->count; i++)
        if (at_catalog_declare(*out, attributes->list[i].name, attributes->list[i].kind, &unlike) == AT_NOMEM)
            status = at_fail(err, AT_NOMEM, NULL, "out of memory");
    return status;
}
