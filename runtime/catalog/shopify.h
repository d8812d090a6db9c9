/* SPDX-License-Identifier: Apache-2.0
 *
 * What a Shopify shop's webhooks say of products, put into catalog documents. Pure: no clock; the same words
 * in any order give the same stock. Called by shop/shopify_items.c.
 *
 * A product's document: id, title, brand (vendor), category (product_type), tags, handle, url, description
 * (text, without HTML, up to 8 KiB), image, images (the first 20, by their alternative text or image_N),
 * released (published_at), updated_at, available, list_price and cost of its cheapest variant, and variants:
 * id, sku, title, price, list_price, cost, stock, barcode, image, inventory_item_id and its options by name
 * ("color", "size"). Members that are none of these and stand in the document already stay: the merchant's
 * own.
 *
 * Stock. Shopify tells how many there are of a variant in two ways: in the product, of all places together,
 * and per place in inventory levels. Both are kept with their moments, under "inventory" of the document.
 * What the product says holds until a level is newer; then the levels are summed. A variant that is not
 * tracked, or is sold on when it is out, can always be bought: its stock is 1 at least. Of a place that sells
 * it no more the level counts nothing, but is remembered.
 */
#ifndef AT_CATALOG_SHOPIFY_H
#define AT_CATALOG_SHOPIFY_H

#include "catalog/catalog.h"

#define AT_SHOPIFY_IMAGES_MAX      20
#define AT_SHOPIFY_DESCRIPTION_MAX 8192
/* Under what name the catalog finds the product of an inventory item (variants[].inventory_item_id). */
#define AT_INVENTORY_NAME "inventory_item:"

struct at_shopify_stock { /* one webhook about one inventory item */
    const struct at_shopify_stock *next;
    struct at_text item;  /* its id */
    struct at_text place; /* the location; "": the words are about the item itself */
    double available;     /* at the place; missing: it is not sold there */
    double cost;          /* of the item; missing: not said */
    bool is_untracked;    /* of the item: nobody counts it */
    int64_t at_ms;
};
/* topic: inventory_levels/… or inventory_items/…; at_ms: of what says no moment itself. Texts are borrowed or
 * in the arena. AT_INVALID: it names no item. */
enum at_status at_shopify_stock_read(struct at_text topic, struct at_json body, int64_t at_ms,
                                     struct at_arena *arena, struct at_shopify_stock *out,
                                     struct at_error *err) AT_MUST_CHECK;

struct at_shopify_product {
    struct at_json sent;                   /* the product's webhook; no value: only its stock changes */
    struct at_json kept;                   /* its document in the catalog; no value: there is none */
    const struct at_shopify_stock *stocks; /* what is told of its inventory items */
    struct at_text domain;                 /* of the shop: for its url */
    int64_t at_ms;                         /* of a product that does not say when it was changed */
};
/* Appends the whole document, or of a changed stock the change (a patch). AT_INVALID: sent has no id. */
enum at_status at_shopify_product_write(const struct at_shopify_product *product, struct at_arena *arena,
                                        struct at_bytes *out, struct at_error *err) AT_MUST_CHECK;
/* Its id as text in the arena; length 0: none. */
struct at_text at_shopify_product_id(struct at_json sent, struct at_arena *arena);
/* Whether it is offered: active, and published. */
bool at_shopify_is_offered(struct at_json sent);
/* Calls fn for the id of each inventory item of the product. */
void at_shopify_each_item(struct at_json sent, struct at_arena *arena,
                          void (*fn)(void *arg, struct at_text item), void *arg);

#endif
