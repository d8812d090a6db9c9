/* SPDX-License-Identifier: Apache-2.0
 *
 * A Shopify product as a document of the catalog, and what of it changes with its stock.
 */
#include "catalog/shopify.h"

#include <stdio.h>
#include <string.h>
#include "base/time.h"
#include "base/utf8.h"
#include "catalog/shopify_stock.h"

struct making {
    const struct at_shopify_product *product;
    struct at_json_out out;
    struct stocks stocks;
    struct at_error *err;
    /* of its cheapest variant */
    double price, list_price, cost;
    bool is_available;
};

static struct at_text text_of(struct at_json object, const char *name) {
    struct at_text text = at_json_text(at_json_get(object, name));
    return text.data ? text : AT_TEXT("");
}

static void put_text(struct making *m, const char *name, struct at_text text) {
    if (text.length) at_json_add_text(&m->out, name, text);
}

static void put_number(struct making *m, const char *name, double number) {
    if (!at_is_missing(number)) at_json_add_number(&m->out, name, number);
}

static struct at_text id_of(struct making *m, struct at_json value) {
    struct at_text id = shopify_id_text(value, m->stocks.arena);
    if (id.data) return id;
    m->stocks.is_out_of_memory = true;
    return AT_TEXT("");
}

/* ---- names ---- */

#define NAME_SIZE 64
#define NAME_MAX  40 /* bytes of what the merchant wrote */

static bool is_word(char c) {
    return (unsigned char)c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c >= 'A' && c <= 'Z');
}

/* "Shoe size" → "shoe_size"; a name the document has for something else gets a prefix. "" none. */
static void name_of(struct at_text said, char out[NAME_SIZE]) {
    static const char *const taken[] = {"id",         "sku",   "title",      "price",
                                        "list_price", "stock", "cost",       "barcode",
                                        "image",      "name",  "url",        "inventory_item_id",
                                        "gtin",       "ean",   "updated_at", NULL};
    char word[NAME_MAX + 1];
    size_t n = 0, bad;
    for (size_t i = 0; i < said.length && n < NAME_MAX; i++) {
        char c = said.data[i];
        if (is_word(c))
            word[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        else if (n && word[n - 1] != '_')
            word[n++] = '_';
    }
    if (!at_utf8_valid(word, n, &bad)) n = bad; /* a letter that was cut */
    while (n && word[n - 1] == '_') n--;
    word[n] = 0;
    snprintf(out, NAME_SIZE, "%s%s", at_text_in((struct at_text){word, n}, taken) ? "option_" : "", word);
}

/* ---- variants ---- */

/* The one image that is the variant's. */
static struct at_text image_of(struct making *m, struct at_json variant) {
    struct at_json images = at_json_get(m->product->sent, "images"),
                   wanted = at_json_get(variant, "image_id");
    int64_t id, other;
    struct at_json_each it = at_json_each(images);
    while (at_json_int(wanted, &id) && at_json_is_array(images) && at_json_next(&it))
        if (at_json_int(at_json_get(it.value, "id"), &other) && other == id) return text_of(it.value, "src");
    return AT_TEXT("");
}

static void put_options(struct making *m, struct at_json variant) {
    static const char *const members[] = {"option1", "option2", "option3"};
    struct at_json options = at_json_get(m->product->sent, "options");
    struct at_json_each it = at_json_each(options);
    for (size_t i = 0; at_json_is_array(options) && i < AT_LENGTH(members) && at_json_next(&it); i++) {
        char name[NAME_SIZE];
        struct at_text value = text_of(variant, members[i]);
        if (at_text_is(value, "Default Title")) continue;
        name_of(text_of(it.value, "name"), name);
        if (name[0]) put_text(m, name, value);
    }
}

static double list_price_of(struct at_json variant, double price) {
    double list_price = at_amount(at_json_get(variant, "compare_at_price"));
    return list_price > price ? list_price : at_missing(); /* what is not higher is no former price */
}

static void note_variant(struct making *m, double price, double list_price, const struct item_stock *stock) {
    double count = stock ? stock_count(stock) : at_missing();
    m->is_available |= at_is_missing(count) || count > 0;
    if (at_is_missing(price) || (!at_is_missing(m->price) && price >= m->price)) return;
    m->price = price;
    m->list_price = list_price;
    m->cost = stock ? stock->cost : at_missing();
}

static void put_stock(struct making *m, const struct item_stock *stock) {
    if (!stock) return;
    put_number(m, "cost", stock->cost);
    put_number(m, "stock", stock_count(stock));
}

/* What the product says of the variant's stock, as of when it was changed. */
static struct item_stock *hear_variant(struct making *m, struct at_json variant) {
    struct at_text item = id_of(m, at_json_get(variant, "inventory_item_id"));
    if (!item.length) item = id_of(m, at_json_get(variant, "id"));
    struct item_stock *stock = item.length ? stock_of(&m->stocks, item) : NULL;
    int64_t said_ms = shopify_moment(at_json_get(m->product->sent, "updated_at"), m->product->at_ms);
    if (!stock || said_ms < stock->said_ms) return stock;
    stock->said = at_amount(at_json_get(variant, "inventory_quantity"));
    stock->said_ms = said_ms;
    stock->is_endless = !text_of(variant, "inventory_management").length ||
                        at_text_is(text_of(variant, "inventory_policy"), "continue");
    return stock;
}

static void write_variant(struct making *m, struct at_json variant) {
    struct item_stock *stock = hear_variant(m, variant);
    double price = at_amount(at_json_get(variant, "price")), list_price = list_price_of(variant, price);
    at_json_open(&m->out, '{');
    put_text(m, "id", id_of(m, at_json_get(variant, "id")));
    put_text(m, "sku", text_of(variant, "sku"));
    if (!at_text_is(text_of(variant, "title"), "Default Title"))
        put_text(m, "title", text_of(variant, "title"));
    put_number(m, "price", price);
    put_number(m, "list_price", list_price);
    put_stock(m, stock);
    put_text(m, "barcode", text_of(variant, "barcode"));
    put_text(m, "image", image_of(m, variant));
    put_text(m, "inventory_item_id", stock ? stock->item : AT_TEXT(""));
    put_options(m, variant);
    at_json_close(&m->out, '}');
    note_variant(m, price, list_price, stock);
}

/* As it stands in the document, with the stock of now. */
static void rewrite_variant(struct making *m, struct at_json variant) {
    static const char *const anew[] = {"stock", "cost", NULL};
    struct at_text item = text_of(variant, "inventory_item_id");
    struct item_stock *stock = item.length ? stock_of(&m->stocks, item) : NULL;
    struct at_json_each it = at_json_each(variant);
    at_json_open(&m->out, '{');
    while (at_json_next(&it)) {
        if (at_text_in(it.key, anew)) continue;
        at_json_key_text(&m->out, it.key);
        at_json_put_value(&m->out, it.value);
    }
    put_stock(m, stock);
    at_json_close(&m->out, '}');
    note_variant(m, at_amount(at_json_get(variant, "price")), at_amount(at_json_get(variant, "list_price")),
                 stock);
}

/* Products of many variants are told with the hundred changed last, and the ids of all. */
static bool is_told_elsewhere(struct making *m, struct at_json variant) {
    char end[80];
    struct at_json ids = at_json_get(m->product->sent, "variant_gids"),
                   sent = at_json_get(m->product->sent, "variants");
    struct at_text id = text_of(variant, "id");
    bool is_there = false;
    int length = snprintf(end, sizeof end, "/%.*s", (int)(id.length < 60 ? id.length : 60), id.data);
    struct at_json_each it = at_json_each(ids), told = at_json_each(sent);
    while (at_json_is_array(ids) && !is_there && at_json_next(&it)) {
        struct at_text gid = text_of(it.value, "admin_graphql_api_id");
        is_there = gid.length > (size_t)length &&
                   memcmp(gid.data + gid.length - (size_t)length, end, (size_t)length) == 0;
    }
    while (at_json_is_array(sent) && is_there && at_json_next(&told))
        if (at_text_equal(id_of(m, at_json_get(told.value, "id")), id)) return false;
    return is_there;
}

static void write_variants(struct making *m) {
    struct at_json sent = at_json_get(m->product->sent, "variants"),
                   kept = at_json_get(m->product->kept, "variants");
    struct at_json_each it = at_json_each(sent), old = at_json_each(kept);
    at_json_key(&m->out, "variants");
    at_json_open(&m->out, '[');
    while (at_json_is_array(sent) && at_json_next(&it))
        if (at_json_is_object(it.value)) write_variant(m, it.value);
    while (at_json_is_array(kept) && at_json_next(&old))
        if (at_json_is_object(old.value) && (!m->product->sent.tape || is_told_elsewhere(m, old.value)))
            rewrite_variant(m, old.value);
    at_json_close(&m->out, ']');
}

/* ---- texts and pictures ---- */

/* The letter that an entity stands for, as text; NULL: none that is common. *length: of the entity. */
static const char *letter_of(const char *at, size_t left, size_t *length) {
    static const char *const entities[][2] = {{"&amp;", "&"},   {"&lt;", "<"},   {"&gt;", ">"},
                                              {"&quot;", "\""}, {"&nbsp;", " "}, {"&#39;", "'"},
                                              {"&apos;", "'"},  {"&ndash;", "–"}};
    for (size_t i = 0; i < AT_LENGTH(entities); i++) {
        *length = strlen(entities[i][0]);
        if (left >= *length && memcmp(at, entities[i][0], *length) == 0) return entities[i][1];
    }
    *length = 1;
    return NULL;
}

/* What stands between tags, spaces made one, cut at a whole character. */
static struct at_text plain_of(struct making *m, struct at_text html) {
    char *text = at_arena_alloc(m->stocks.arena, html.length + 8);
    size_t n = 0, step, bad;
    bool in_tag = false;
    if (!text) m->stocks.is_out_of_memory = true;
    for (size_t i = 0; text && i < html.length && n < AT_SHOPIFY_DESCRIPTION_MAX; i += step) {
        const char *letter = letter_of(html.data + i, html.length - i, &step);
        bool is_tag = in_tag || html.data[i] == '<';
        if (is_tag) in_tag = !memchr(html.data + i, '>', step);
        if (is_tag || !letter) letter = html.data + i;
        size_t length = letter == html.data + i ? 1 : strlen(letter);
        bool is_space = is_tag || (unsigned char)*letter <= ' ';
        if (is_space && n && text[n - 1] != ' ') text[n++] = ' ';
        if (is_space) continue;
        memcpy(text + n, letter, length);
        n += length;
    }
    if (text && !at_utf8_valid(text, n, &bad)) n = bad;
    while (n && text[n - 1] == ' ') n--;
    return (struct at_text){text ? text : "", n};
}

static void put_tags(struct making *m) {
    struct at_json sent = at_json_get(m->product->sent, "tags");
    struct at_text tags = at_json_text(sent);
    struct at_json_each it = at_json_each(sent);
    at_json_key(&m->out, "tags");
    at_json_open(&m->out, '[');
    while (at_json_is_array(sent) && at_json_next(&it))
        if (at_json_is_string(it.value)) at_json_put_text(&m->out, at_json_text(it.value));
    for (size_t i = 0; i < tags.length;) {
        const char *comma = memchr(tags.data + i, ',', tags.length - i);
        size_t end = comma ? (size_t)(comma - tags.data) : tags.length, from = i, to = end;
        while (from < to && tags.data[from] == ' ') from++;
        while (to > from && tags.data[to - 1] == ' ') to--;
        if (to > from) at_json_put_text(&m->out, (struct at_text){tags.data + from, to - from});
        i = end + 1;
    }
    at_json_close(&m->out, ']');
}

static void put_images(struct making *m) {
    struct at_json images = at_json_get(m->product->sent, "images");
    struct at_json_each it = at_json_each(images);
    struct at_text first = text_of(at_json_get(m->product->sent, "image"), "src");
    char name[NAME_SIZE];
    at_json_key(&m->out, "images");
    at_json_open(&m->out, '{');
    for (int i = 1; at_json_is_array(images) && i <= AT_SHOPIFY_IMAGES_MAX && at_json_next(&it); i++) {
        struct at_text source = text_of(it.value, "src"), said = text_of(it.value, "alt");
        if (!first.length) first = source;
        name_of(said.length <= NAME_MAX ? said : AT_TEXT(""), name);
        if (!name[0]) snprintf(name, sizeof name, "image_%d", i);
        put_text(m, name, source);
    }
    at_json_close(&m->out, '}');
    put_text(m, "image", first);
}

static void put_url(struct making *m) {
    char url[600];
    struct at_text handle = text_of(m->product->sent, "handle"), domain = m->product->domain;
    if (!handle.length || !domain.length || handle.length > 255 || domain.length > 255) return;
    int length = snprintf(url, sizeof url, "https://%.*s/products/%.*s", (int)domain.length, domain.data,
                          (int)handle.length, handle.data);
    put_text(m, "url", (struct at_text){url, (size_t)length});
}

/* ---- the whole ---- */

/* What Shopify says anew each time, or no longer. */
static const char *const managed[] = {"id",       "title",     "brand",      "category",    "tags",
                                      "handle",   "url",       "image",      "description", "images",
                                      "released", "available", "list_price", "cost",        "status",
                                      "variants", "inventory", "updated_at", NULL};

static void put_own_members(struct making *m) {
    struct at_json_each it = at_json_each(m->product->kept);
    while (at_json_is_object(m->product->kept) && at_json_next(&it)) {
        if (at_text_in(it.key, managed)) continue;
        at_json_key_text(&m->out, it.key);
        at_json_put_value(&m->out, it.value);
    }
}

static void put_product(struct making *m) {
    struct at_json sent = m->product->sent;
    int64_t updated_ms = shopify_moment(at_json_get(sent, "updated_at"), m->product->at_ms);
    put_text(m, "title", text_of(sent, "title"));
    put_text(m, "brand", text_of(sent, "vendor"));
    put_text(m, "category", text_of(sent, "product_type"));
    put_tags(m);
    put_text(m, "handle", text_of(sent, "handle"));
    put_url(m);
    put_text(m, "description", plain_of(m, text_of(sent, "body_html")));
    put_images(m);
    int64_t released_ms = shopify_moment(at_json_get(sent, "published_at"), 0);
    if (released_ms) at_json_add_time(&m->out, "released", released_ms);
    at_json_add_time(&m->out, "updated_at", updated_ms);
    put_own_members(m);
}

/* Of a product without a cheaper one left the patch takes away what stood there. */
static void put_or_clear(struct making *m, const char *name, double number) {
    bool is_patch = !m->product->sent.tape;
    if (at_is_missing(number) && !(is_patch && at_json_get(m->product->kept, name).tape)) return;
    at_json_key(&m->out, name);
    at_json_put_number(&m->out, number); /* missing: null */
}

enum at_status at_shopify_product_write(const struct at_shopify_product *product, struct at_arena *arena,
                                        struct at_bytes *out, struct at_error *err) {
    struct making m = {.product = product,
                       .out = at_json_out(out),
                       .stocks = {.arena = arena},
                       .err = err,
                       .price = at_missing(),
                       .list_price = at_missing(),
                       .cost = at_missing()};
    struct at_text id =
        product->sent.tape ? at_shopify_product_id(product->sent, arena) : text_of(product->kept, "id");
    if (!id.length) return at_fail_field(err, AT_INVALID, "no_id", "id", "a product has an id");
    stocks_read(&m.stocks, at_json_get(product->kept, "inventory"));
    for (const struct at_shopify_stock *word = product->stocks; word; word = word->next)
        stocks_hear(&m.stocks, word);
    at_json_open(&m.out, '{');
    at_json_add_text(&m.out, "id", id);
    if (product->sent.tape) put_product(&m);
    write_variants(&m);
    put_or_clear(&m, "list_price", m.list_price);
    put_or_clear(&m, "cost", m.cost);
    at_json_add_bool(&m.out, "available", m.is_available);
    stocks_write(&m.stocks, &m.out);
    at_json_close(&m.out, '}');
    return m.stocks.is_out_of_memory ? at_fail(err, AT_NOMEM, NULL, "out of memory") : AT_OK;
}

struct at_text at_shopify_product_id(struct at_json sent, struct at_arena *arena) {
    struct at_text id = shopify_id_text(at_json_get(sent, "id"), arena);
    return id.data ? id : AT_TEXT("");
}

bool at_shopify_is_offered(struct at_json sent) {
    struct at_text status = text_of(sent, "status");
    struct at_json published = at_json_get(sent, "published_at");
    return (!status.length || at_text_is(status, "active")) &&
           (!published.tape || at_json_is_string(published));
}

void at_shopify_each_item(struct at_json sent, struct at_arena *arena,
                          void (*fn)(void *arg, struct at_text item), void *arg) {
    struct at_json variants = at_json_get(sent, "variants");
    struct at_json_each it = at_json_each(variants);
    while (at_json_is_array(variants) && at_json_next(&it)) {
        struct at_text item = shopify_id_text(at_json_get(it.value, "inventory_item_id"), arena);
        if (!item.length) item = shopify_id_text(at_json_get(it.value, "id"), arena);
        if (item.length) fn(arg, item);
    }
}
