/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of the catalog: what each lacks; and what events name that the catalog does not have.
 */
#include "base/hash.h"
#include "measure/audit_internal.h"

static struct product *product_of(struct at_audit *audit, struct at_text id) {
    uint64_t key = audit_hash(SPACE_PRODUCT, id);
    return audit_put(audit, &audit->products, key, key, NULL);
}

/* ---- the catalog ---- */

/* A text that is not empty, or a list or an object of such. */
static bool says_something(struct at_json value) {
    if (at_json_is_string(value)) return at_json_text(value).length > 0;
    if (!at_json_is_array(value) && !at_json_is_object(value)) return false;
    struct at_json_each it = at_json_each(value);
    while (at_json_next(&it)) {
        bool is_text = at_json_text(it.value).length > 0;
        if (is_text || at_json_is_object(it.value)) return true;
    }
    return false;
}

static bool says_any(struct at_json document, const char *const *names) {
    for (; *names; names++)
        if (says_something(at_json_get(document, *names))) return true;
    return false;
}

/* {"texts":{"de":{"title":"…"}}} counts for all languages. */
static bool says_in_texts(struct at_json document, const char *const *names) {
    struct at_json texts = at_json_get(document, "texts");
    if (!at_json_is_object(texts)) return false;
    struct at_json_each it = at_json_each(texts);
    while (at_json_next(&it))
        if (at_json_is_object(it.value) && says_any(it.value, names)) return true;
    return false;
}

static void flag(struct at_audit *audit, const struct at_audit_product *product, struct product *entry,
                 enum code code) {
    if (entry) entry->flags |= (uint32_t)1 << (code - CODE_PRODUCT_FIRST);
    audit_example(audit, code, product->id);
}

static void judge_numbers(struct at_audit *audit, const struct at_audit_product *product,
                          struct product *entry) {
    if (at_is_missing(product->price))
        flag(audit, product, entry, PRODUCTS_PRICE);
    else if (product->price <= 0)
        flag(audit, product, entry, PRODUCTS_PRICE_ZERO);
    if (at_is_missing(product->stock)) flag(audit, product, entry, PRODUCTS_STOCK);
    if (!at_is_missing(product->price) && !at_is_missing(product->list_price) &&
        product->list_price < product->price)
        flag(audit, product, entry, PRODUCTS_LIST_PRICE);
    if (!product->updated_ms)
        flag(audit, product, entry, PRODUCTS_UNDATED);
    else if (audit->options.now_ms - product->updated_ms > AT_AUDIT_STALE_MS)
        flag(audit, product, entry, PRODUCTS_STALE);
}

static void judge_words(struct at_audit *audit, const struct at_audit_product *product,
                        struct product *entry) {
    static const char *const images[] = {"image",    "images", "image_link",     "image_url", "picture",
                                         "pictures", "photo",  "featured_image", "img",       NULL};
    static const char *const descriptions[] = {"description", "body_html",         "body", "html", "text",
                                               "summary",     "short_description", NULL};
    static const char *const titles[] = {"title", NULL};
    if (!product->title.length && !says_in_texts(product->document, titles))
        flag(audit, product, entry, PRODUCTS_TITLE);
    if (!says_any(product->document, images)) flag(audit, product, entry, PRODUCTS_IMAGE);
    if (!says_any(product->document, descriptions) && !says_in_texts(product->document, descriptions))
        flag(audit, product, entry, PRODUCTS_DESCRIPTION);
    if (!product->category.length) flag(audit, product, entry, PRODUCTS_CATEGORY);
    if (!product->brand.length) flag(audit, product, entry, PRODUCTS_BRAND);
}

static uint64_t title_hash(struct at_text title) {
    char folded[256];
    size_t length = title.length < sizeof folded ? title.length : sizeof folded;
    for (size_t i = 0; i < length; i++) {
        char c = title.data[i];
        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    uint64_t hash = audit_hash(SPACE_TITLE, (struct at_text){folded, length});
    if (length == title.length) return hash;
    return at_hash64_seed(title.data + length, title.length - length, hash) | 1;
}

/* The second one with a title tells of the first, too. */
static void judge_title(struct at_audit *audit, const struct at_audit_product *product) {
    uint64_t key = audit_hash(SPACE_PRODUCT, product->id);
    if (!product->title.length) return;
    uint64_t hash = title_hash(product->title);
    struct title *title = audit_put(audit, &audit->titles, hash, hash, NULL);
    if (!title) return;
    if (!title->count++) {
        title->product = key;
        return;
    }
    struct product *first = at_sample_get(&audit->products, title->product);
    if (first) first->flags |= (uint32_t)1 << (PRODUCTS_TITLE_TWICE - CODE_PRODUCT_FIRST);
    flag(audit, product, at_sample_get(&audit->products, key), PRODUCTS_TITLE_TWICE);
}

void at_audit_product(struct at_audit *audit, const struct at_audit_product *product) {
    struct product *entry = product_of(audit, product->id);
    audit->wholes[OF_PRODUCTS]++;
    if (entry) entry->is_in_catalog = true;
    judge_numbers(audit, product, entry);
    judge_words(audit, product, entry);
    judge_title(audit, product);
}

/* ---- events ---- */

static void note_unknown(struct at_audit *audit, const struct at_event_item *item, double money,
                         bool *is_noted) {
    if (!*is_noted) audit->tallies[EVENTS_PRODUCT].count++;
    *is_noted = true;
    audit_example(audit, EVENTS_PRODUCT, item->named);
    audit_money(audit, EVENTS_PRODUCT, money);
}

void audit_items(struct at_audit *audit, const struct at_audit_event *row) {
    const struct at_event *event = row->event;
    bool is_order = at_text_is(event->name, "order_completed") && !row->is_told_before, is_noted = false;
    for (uint32_t i = 0; i < event->item_count; i++) {
        const struct at_event_item *item = &event->items[i];
        bool is_unknown = audit->options.has_catalog && item->row == AT_ROW_NONE;
        double money = is_order && !at_is_missing(item->price) ? item->price * item->quantity : 0;
        if (is_unknown) note_unknown(audit, item, money, &is_noted);
        if (!is_unknown && !is_order) continue; /* nothing to be kept of it */
        struct product *product = product_of(audit, item->product);
        if (!product) continue;
        product->revenue += money;
        product->is_named = true;
    }
}
