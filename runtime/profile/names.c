/* SPDX-License-Identifier: Apache-2.0
 *
 * The one vocabulary of events: the standard e-commerce events, older spellings folded onto them.
 */
#include "profile/names.h"

#include <string.h>
#include "profile/event.h"

static const char *const known[] = {"products_searched",
                                    "product_list_viewed",
                                    "product_list_filtered",
                                    "promotion_viewed",
                                    "promotion_clicked",
                                    "product_clicked",
                                    "product_viewed",
                                    "product_added",
                                    "product_removed",
                                    "cart_viewed",
                                    "cart_updated",
                                    "checkout_started",
                                    "checkout_updated",
                                    "checkout_step_viewed",
                                    "checkout_step_completed",
                                    "payment_info_entered",
                                    "order_completed",
                                    "order_updated",
                                    "order_paid",
                                    "order_fulfilled",
                                    "order_refunded",
                                    "order_cancelled",
                                    "order_delivered",
                                    "coupon_entered",
                                    "coupon_applied",
                                    "coupon_denied",
                                    "coupon_removed",
                                    "product_added_to_wishlist",
                                    "product_removed_from_wishlist",
                                    "wishlist_product_added_to_cart",
                                    "product_shared",
                                    "cart_shared",
                                    "product_reviewed",
                                    "email_delivered",
                                    "email_opened",
                                    "email_clicked",
                                    "email_bounced",
                                    "signed_up",
                                    "signed_in",
                                    "signed_out",
                                    "page_viewed",
                                    "screen_viewed",
                                    "identified",
                                    "grouped",
                                    "aliased",
                                    "consent_updated",
                                    AT_EVENT_SEGMENT_ENTERED,
                                    AT_EVENT_SEGMENT_LEFT,
                                    "application_installed",
                                    "application_opened",
                                    "application_updated",
                                    "application_backgrounded",
                                    "application_uninstalled",
                                    "application_crashed",
                                    NULL};

static const struct at_text synonyms[][2] = {
    {AT_TEXT_OF_TABLE("completed_order"), AT_TEXT_OF_TABLE("order_completed")},
    {AT_TEXT_OF_TABLE("viewed_product"), AT_TEXT_OF_TABLE("product_viewed")},
    {AT_TEXT_OF_TABLE("clicked_product"), AT_TEXT_OF_TABLE("product_clicked")},
    {AT_TEXT_OF_TABLE("added_product"), AT_TEXT_OF_TABLE("product_added")},
    {AT_TEXT_OF_TABLE("removed_product"), AT_TEXT_OF_TABLE("product_removed")},
    {AT_TEXT_OF_TABLE("viewed_product_category"), AT_TEXT_OF_TABLE("product_list_viewed")},
    {AT_TEXT_OF_TABLE("viewed_product_list"), AT_TEXT_OF_TABLE("product_list_viewed")},
    {AT_TEXT_OF_TABLE("searched_products"), AT_TEXT_OF_TABLE("products_searched")},
    {AT_TEXT_OF_TABLE("viewed_cart"), AT_TEXT_OF_TABLE("cart_viewed")},
    {AT_TEXT_OF_TABLE("started_checkout"), AT_TEXT_OF_TABLE("checkout_started")},
    {AT_TEXT_OF_TABLE("viewed_checkout_step"), AT_TEXT_OF_TABLE("checkout_step_viewed")},
    {AT_TEXT_OF_TABLE("completed_checkout_step"), AT_TEXT_OF_TABLE("checkout_step_completed")},
    {AT_TEXT_OF_TABLE("refunded_order"), AT_TEXT_OF_TABLE("order_refunded")},
    {AT_TEXT_OF_TABLE("updated_order"), AT_TEXT_OF_TABLE("order_updated")},
    {AT_TEXT_OF_TABLE("cancelled_order"), AT_TEXT_OF_TABLE("order_cancelled")},
    {AT_TEXT_OF_TABLE("order_canceled"), AT_TEXT_OF_TABLE("order_cancelled")},
    {AT_TEXT_OF_TABLE("viewed_promotion"), AT_TEXT_OF_TABLE("promotion_viewed")},
    {AT_TEXT_OF_TABLE("clicked_promotion"), AT_TEXT_OF_TABLE("promotion_clicked")},
    {AT_TEXT_OF_TABLE("added_product_to_wishlist"), AT_TEXT_OF_TABLE("product_added_to_wishlist")},
    {AT_TEXT_OF_TABLE("removed_product_from_wishlist"), AT_TEXT_OF_TABLE("product_removed_from_wishlist")},
    {AT_TEXT_OF_TABLE("added_to_cart"), AT_TEXT_OF_TABLE("product_added")},
    {AT_TEXT_OF_TABLE("add_to_cart"), AT_TEXT_OF_TABLE("product_added")},
    {AT_TEXT_OF_TABLE("remove_from_cart"), AT_TEXT_OF_TABLE("product_removed")},
    {AT_TEXT_OF_TABLE("purchase"), AT_TEXT_OF_TABLE("order_completed")},
    {AT_TEXT_OF_TABLE("view_item"), AT_TEXT_OF_TABLE("product_viewed")},
    {AT_TEXT_OF_TABLE("view_item_list"), AT_TEXT_OF_TABLE("product_list_viewed")},
    {AT_TEXT_OF_TABLE("begin_checkout"), AT_TEXT_OF_TABLE("checkout_started")},
    {AT_TEXT_OF_TABLE("add_to_wishlist"), AT_TEXT_OF_TABLE("product_added_to_wishlist")},
    {AT_TEXT_OF_TABLE("view_cart"), AT_TEXT_OF_TABLE("cart_viewed")},
    {AT_TEXT_OF_TABLE("refund"), AT_TEXT_OF_TABLE("order_refunded")},
    {AT_TEXT_OF_TABLE("reviewed_product"), AT_TEXT_OF_TABLE("product_reviewed")},
    {AT_TEXT_OF_TABLE("shared_product"), AT_TEXT_OF_TABLE("product_shared")},
    {AT_TEXT_OF_TABLE("segment_consent_preference_updated"), AT_TEXT_OF_TABLE("consent_updated")}};

struct at_text at_event_canonical(struct at_arena *arena, struct at_text event) {
    char *out = at_arena_alloc(arena, event.length * 2 + 1);
    size_t n = 0;
    if (!out) return (struct at_text){NULL, 0};
    for (size_t i = 0; i < event.length; i++) {
        char c = event.data[i], before = i ? event.data[i - 1] : 0;
        bool is_word = (unsigned char)c >= 0x80 || is_lower(c) || is_upper(c) || is_digit(c);
        bool begins = is_upper(c) && (is_lower(before) || is_digit(before));
        if ((!is_word || begins) && n && out[n - 1] != '_') out[n++] = '_';
        if (is_word) out[n++] = to_lower(c);
    }
    while (n && out[n - 1] == '_') n--;
    out[n] = 0;
    struct at_text name = {out, n};
    if (!n) return event;
    for (size_t i = 0; i < AT_LENGTH(synonyms); i++)
        if (at_text_equal(name, synonyms[i][0])) return synonyms[i][1];
    return name;
}

bool at_event_is_known(struct at_text canonical) {
    for (size_t i = 0; known[i]; i++)
        if (at_text_is(canonical, known[i])) return true;
    return false;
}

bool at_event_is_own(struct at_text canonical) {
    return at_text_is(canonical, AT_EVENT_SEGMENT_ENTERED) || at_text_is(canonical, AT_EVENT_SEGMENT_LEFT);
}

const char *const *at_event_known_names(void) {
    return known;
}

bool names_one_product(struct at_text name) {
    return (name.length > 8 && memcmp(name.data, "product_", 8) == 0 &&
            !at_text_is(name, "product_list_viewed") && !at_text_is(name, "product_list_filtered")) ||
           at_text_is(name, "wishlist_product_added_to_cart");
}

double interest_of(struct at_text name) {
    if (at_text_is(name, "product_viewed") || at_text_is(name, "product_clicked")) return 1;
    if (at_text_is(name, "product_added_to_wishlist")) return 3;
    if (at_text_is(name, "product_added") || at_text_is(name, "wishlist_product_added_to_cart")) return 4;
    if (at_text_is(name, "order_completed")) return 6;
    return 0;
}
