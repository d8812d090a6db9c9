/* SPDX-License-Identifier: Apache-2.0
 *
 * sources { … } of shop.lua: systems that send what happens by signed webhooks. A secret is told in no
 * message.
 */
#include <string.h>
#include "language/state.h"

#define SECRET_MIN 8
#define SECRET_MAX 200
#define DOMAIN_MAX 253

/* The text on top of the stack. */
static void add_secret(lua_State *L, struct at_settings *settings, const char *field) {
    struct at_shopify_settings *shopify = &settings->shopify;
    size_t length = 0;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (!text || length < SECRET_MIN || length > SECRET_MAX)
        at_script_raise(L, "sources.shopify.%s: a secret is a text of %d to %d characters, best env \"NAME\"",
                        field, SECRET_MIN, SECRET_MAX);
    if (shopify->secret_count == AT_SOURCE_SECRETS_MAX)
        at_script_raise(L, "sources.shopify.%s holds at most %d secrets", field, AT_SOURCE_SECRETS_MAX);
    shopify->secrets[shopify->secret_count++] = settings_keep(L, settings, text, length);
}

static void read_secrets(lua_State *L, int table, struct at_settings *settings) {
    if (lua_getfield(L, table, "secret") != LUA_TNIL) add_secret(L, settings, "secret");
    int type = lua_getfield(L, table, "secrets");
    lua_Integer count = type == LUA_TTABLE ? (lua_Integer)lua_rawlen(L, -1) : 0;
    if (type != LUA_TNIL && !count)
        at_script_raise(L, "sources.shopify.secrets must be a list, like { env \"SHOPIFY_SECRET\" }");
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        add_secret(L, settings, "secrets");
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    if (!settings->shopify.secret_count)
        at_script_raise(L, "sources.shopify needs the secret its webhooks are signed with: "
                           "secrets = { env \"SHOPIFY_SECRET\" }");
}

static bool is_domain(struct at_text domain) {
    for (size_t i = 0; i < domain.length; i++) {
        char c = domain.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-') return false;
    }
    return domain.length && domain.length <= DOMAIN_MAX && memchr(domain.data, '.', domain.length);
}

static void read_domain(lua_State *L, int table, struct at_settings *settings) {
    int type = lua_getfield(L, table, "domain");
    if (type != LUA_TNIL) {
        size_t length = 0;
        const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, &length) : "";
        struct at_text domain = {text, length};
        if (!is_domain(domain))
            at_script_raise(L,
                            "sources.shopify.domain is like \"outfitter.myshopify.com\", in small letters, "
                            "without https://");
        settings->shopify.domain = settings_keep(L, settings, text, length);
    }
    lua_pop(L, 1);
}

void read_sources(lua_State *L, struct at_settings *settings) {
    check_known(L, 1, "Sources", NULL);
    int type = lua_getfield(L, 1, "shopify");
    if (type == LUA_TNIL) return;
    if (type != LUA_TTABLE)
        at_script_raise(L, "sources.shopify must be like { secrets = { env \"SHOPIFY_SECRET\" } }");
    check_known(L, 2, "ShopifySource", NULL);
    settings->shopify.secret_count = 0;
    read_secrets(L, 2, settings);
    read_domain(L, 2, settings);
}

/* Shopify's own id of a customer: one a person, and stronger than an address, for an address may go from one
 * customer to another. Declared in shop.lua with limits of its own it keeps them. */
enum at_status settings_add_kinds(struct at_settings *settings, struct at_error *err) {
    struct at_identity_rules *rules = &settings->identity;
    struct at_identity_kind kind = {AT_TEXT(AT_SHOPIFY_CUSTOMER_KIND), 1, 0, true};
    if (!settings->shopify.secret_count) return AT_OK;
    uint32_t place = at_identity_kind_find(rules, kind.name);
    if (place < rules->kind_count)
        kind = rules->kinds[place];
    else if (rules->kind_count == AT_IDENTITY_KINDS_MAX)
        return at_fail(
            err, AT_INVALID, NULL,
            "shop.lua: identity.kinds holds at most %d of the shop's own: sources.shopify brings one",
            AT_IDENTITY_KINDS_MAX - 5);
    else
        place = rules->kind_count++;
    memmove(&rules->kinds[2], &rules->kinds[1], (place - 1) * sizeof *rules->kinds); /* behind user_id */
    rules->kinds[1] = kind;
    return AT_OK;
}
