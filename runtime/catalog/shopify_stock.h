/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to catalog/: what is known of the stock of a product's variants (shopify_stock.c), for shopify.c.
 */
#ifndef AT_CATALOG_SHOPIFY_STOCK_H
#define AT_CATALOG_SHOPIFY_STOCK_H

#include "catalog/shopify.h"

struct level { /* of one place */
    struct level *next;
    struct at_text place;
    double available; /* missing: not sold there */
    int64_t at_ms;
};
struct item_stock { /* of one inventory item */
    struct item_stock *next;
    struct at_text item;
    double said; /* by the product, of all places; missing: it said nothing */
    int64_t said_ms;
    bool is_endless; /* by the product: not tracked, or sold on when it is out */
    double cost;
    bool is_untracked;
    int64_t item_ms; /* of cost and is_untracked; 0: nothing was said */
    struct level *levels;
};
struct stocks {
    struct at_arena *arena;
    struct item_stock *first;
    bool is_out_of_memory;
};
struct at_text shopify_id_text(struct at_json value,
                               struct at_arena *arena); /* "" none; data NULL: no memory */
int64_t shopify_moment(struct at_json value, int64_t otherwise);
/* The item's, made if it is new; NULL: out of memory. */
struct item_stock *stock_of(struct stocks *stocks, struct at_text item);
void stocks_read(struct stocks *stocks, struct at_json inventory); /* as a document keeps them */
void stocks_hear(struct stocks *stocks, const struct at_shopify_stock *word);
void stocks_write(const struct stocks *stocks, struct at_json_out *out);
double stock_count(const struct item_stock *stock); /* how many can be bought; missing: nobody knows */

#endif
