/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing one event: who, what, when, which products, how much money. Every refusal names the field.
 */
#include "profile/event.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "profile/names.h"

#define ID_MAX         500
#define MESSAGE_ID_MAX 100
#define MEMBERS_MAX    300
#define FUTURE_MAX_MS  AT_DAY_MS

struct parsing {
    struct at_arena *arena;
    const struct at_event_defaults *defaults;
    const struct at_root *root;
    struct at_event *event;
    struct at_error *err;
};

static struct at_json member(struct at_json json, const char *name, const char *other) {
    struct at_json value = at_json_get(json, name);
    return value.tape || !other ? value : at_json_get(json, other);
}

static struct at_text trim(struct at_text text) {
    while (text.length && isspace((unsigned char)text.data[0]))
        text = (struct at_text){text.data + 1, text.length - 1};
    while (text.length && isspace((unsigned char)text.data[text.length - 1])) text.length--;
    return text;
}

/* A text, or a number as its decimal text. Length 0: absent. */
static struct at_text plain_text(struct parsing *parsing, struct at_json value) {
    if (at_json_is_string(value)) return trim(at_json_text(value));
    int64_t whole;
    double number;
    char *text = NULL;
    if (at_json_int(value, &whole))
        text = at_arena_printf(parsing->arena, "%lld", (long long)whole);
    else if (at_json_number(value, &number))
        text = at_arena_printf(parsing->arena, "%.17g", number);
    return text ? at_text_of(text) : (struct at_text){"", 0};
}

/* Values that programs write when they mean nobody. */
static bool is_blocked(struct at_text id) {
    static const char *const blocked[] = {"null", "undefined", "anonymous",      "0",
                                          "-1",   "nan",       "none",           "guest",
                                          "true", "false",     "[object object]"};
    bool has_more = false;
    for (size_t i = 0; i < id.length; i++) has_more |= id.data[i] != '0' && id.data[i] != '-';
    if (!has_more) return true;
    for (size_t i = 0; i < AT_LENGTH(blocked); i++) {
        size_t n = strlen(blocked[i]), same = 0;
        while (n == id.length && same < n && tolower((unsigned char)id.data[same]) == blocked[i][same])
            same++;
        if (n == id.length && same == n) return true;
    }
    return false;
}

static enum at_status read_id(struct parsing *parsing, const char *name, const char *other,
                              struct at_text *out) {
    *out = plain_text(parsing, member(parsing->event->json, name, other));
    if (out->length > ID_MAX)
        return at_fail_field(parsing->err, AT_INVALID, "id_too_long", name, "%s may have %d bytes", name,
                             ID_MAX);
    if (is_blocked(*out)) *out = (struct at_text){"", 0};
    return AT_OK;
}

/* ---- type and name ---- */

static enum at_status read_type(struct parsing *parsing) {
    static const struct {
        const char *word;
        enum at_event_type type;
    } types[] = {{"identify", AT_EVENT_IDENTIFY}, {"track", AT_EVENT_TRACK}, {"page", AT_EVENT_PAGE},
                 {"screen", AT_EVENT_SCREEN},     {"group", AT_EVENT_GROUP}, {"alias", AT_EVENT_ALIAS}};
    struct at_event *event = parsing->event;
    struct at_text word = parsing->defaults->type;
    if (!word.length) word = at_json_text(at_json_get(event->json, "type"));
    if (!word.length)
        return at_fail_field(
            parsing->err, AT_INVALID, "no_type", "type",
            "an event in a batch needs a type: identify, track, page, screen, group or alias");
    for (size_t i = 0; i < AT_LENGTH(types); i++)
        if (at_text_is(word, types[i].word)) {
            event->type = types[i].type;
            event->type_word = at_text_of(types[i].word);
            return AT_OK;
        }
    return at_fail_field(parsing->err, AT_INVALID, "unknown_type", "type",
                         "\"%.*s\" is no type of event: identify, track, page, screen, group or alias",
                         (int)(word.length < 60 ? word.length : 60), word.data);
}

static enum at_status read_name(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    event->event = (struct at_text){"", 0};
    switch (event->type) {
    case AT_EVENT_TRACK:
        event->event = plain_text(parsing, at_json_get(event->json, "event"));
        if (!event->event.length)
            return at_fail_field(parsing->err, AT_INVALID, "no_event", "event",
                                 "track needs the event's name: \"event\":\"Product Viewed\"");
        if (event->event.length > ID_MAX)
            return at_fail_field(parsing->err, AT_INVALID, "event_too_long", "event",
                                 "an event's name may have %d bytes", ID_MAX);
        event->name = at_event_canonical(parsing->arena, event->event);
        return event->name.data ? AT_OK : at_fail(parsing->err, AT_NOMEM, NULL, "out of memory");
    case AT_EVENT_PAGE:
    case AT_EVENT_SCREEN:
        event->event = plain_text(parsing, at_json_get(event->json, "name"));
        event->name = event->type == AT_EVENT_PAGE ? AT_TEXT("page_viewed") : AT_TEXT("screen_viewed");
        return AT_OK;
    case AT_EVENT_IDENTIFY: event->name = AT_TEXT("identified"); return AT_OK;
    case AT_EVENT_GROUP: event->name = AT_TEXT("grouped"); return AT_OK;
    default: event->name = AT_TEXT("aliased"); return AT_OK;
    }
}

/* ---- parts ---- */

static enum at_status read_part(struct parsing *parsing, const char *name, struct at_json *out) {
    *out = at_json_get(parsing->event->json, name);
    if (at_json_is_null(*out)) *out = (struct at_json){0};
    if (!out->tape) return AT_OK;
    if (!at_json_is_object(*out))
        return at_fail_field(parsing->err, AT_INVALID, "not_an_object", name, "%s is an object", name);
    uint32_t count = 0;
    struct at_json_each it = at_json_each(*out);
    while (at_json_next(&it)) count++;
    if (count > MEMBERS_MAX)
        return at_fail_field(parsing->err, AT_INVALID, "too_many_members", name,
                             "%s may have %d members, these are %u", name, MEMBERS_MAX, count);
    return AT_OK;
}

/* ---- time ---- */

static enum at_status read_moment(struct parsing *parsing, struct at_json value, const char *name,
                                  int64_t *out, bool *is_given) {
    *is_given = false;
    if (!value.tape || at_json_is_null(value)) return AT_OK;
    struct at_text text = at_json_text(value);
    double number;
    struct at_error why = {0};
    if (text.data && at_time_parse(text.data, text.length, out, &why) == AT_OK)
        *is_given = true;
    else if (!text.data && at_json_number(value, &number) && number > 1e11 &&
             number < 1e14) { /* milliseconds, as Date.now() gives them */
        *out = (int64_t)number;
        *is_given = true;
    }
    if (*is_given) return AT_OK;
    return at_fail_field(parsing->err, AT_INVALID, "bad_time", name, "%s: %s", name,
                         why.message[0] ? why.message : "a time is written \"2026-11-26T10:00:00Z\"");
}

static enum at_status read_time(struct parsing *parsing) {
    const struct at_event_defaults *defaults = parsing->defaults;
    struct at_event *event = parsing->event;
    int64_t timestamp = 0, original = 0, sent = 0;
    bool has_timestamp, has_original, has_sent;
    struct at_json sent_at = at_json_get(event->json, "sentAt");
    if (!sent_at.tape) sent_at = defaults->sent_at;
    enum at_status status =
        read_moment(parsing, at_json_get(event->json, "timestamp"), "timestamp", &timestamp, &has_timestamp);
    if (status == AT_OK)
        status = read_moment(parsing, at_json_get(event->json, "originalTimestamp"), "originalTimestamp",
                             &original, &has_original);
    if (status == AT_OK) status = read_moment(parsing, sent_at, "sentAt", &sent, &has_sent);
    if (status != AT_OK) return status;
    event->received_ms = event->at_ms = defaults->received_ms;
    if (defaults->is_import && has_timestamp)
        event->at_ms = timestamp;
    else if (has_original && has_sent)
        event->at_ms = event->received_ms - (sent - original);
    else if (has_timestamp)
        event->at_ms = timestamp;
    else if (has_original)
        event->at_ms = original;
    if (event->at_ms > event->received_ms + FUTURE_MAX_MS) event->at_ms = event->received_ms;
    return AT_OK;
}

/* ---- identifiers ---- */

static void add_identifier(struct at_event *event, const char *kind, struct at_text value) {
    if (!value.length || event->identifier_count == AT_EVENT_IDENTIFIERS_MAX) return;
    event->identifiers[event->identifier_count++] = (struct at_identifier){at_text_of(kind), value};
}

static struct at_text normal_email(struct parsing *parsing, struct at_text text) {
    struct at_text none = {"", 0};
    text = trim(text);
    const char *at = text.length ? memchr(text.data, '@', text.length) : NULL;
    if (!at || text.length > 254 || at == text.data) return none;
    size_t behind = (size_t)(text.data + text.length - at - 1);
    const char *dot = behind ? memchr(at + 1, '.', behind) : NULL;
    if (memchr(at + 1, '@', behind) || !dot || dot == at + 1 || dot == text.data + text.length - 1)
        return none;
    char *copy = at_arena_dup(parsing->arena, text.data, text.length);
    for (size_t i = 0; copy && i < text.length; i++) {
        if (isspace((unsigned char)copy[i])) return none;
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] + 32);
    }
    return copy ? (struct at_text){copy, text.length} : none;
}

static struct at_text normal_phone(struct parsing *parsing, struct at_text text) {
    struct at_text none = {"", 0};
    text = trim(text);
    char *out = text.length && text.length < 64 ? at_arena_alloc(parsing->arena, text.length + 1) : NULL;
    size_t n = 0, digits = 0;
    for (size_t i = 0; out && i < text.length; i++) {
        char c = text.data[i];
        bool is_digit = c >= '0' && c <= '9';
        if (is_digit || (c == '+' && !n))
            out[n++] = c;
        else if (!strchr(" ()-./", c))
            return none;
        digits += is_digit;
    }
    return digits >= 7 && digits <= 15 ? (struct at_text){out, n} : none;
}

static void read_identifiers(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    struct at_json places[3] = {event->traits, at_json_get(event->context, "traits"), event->properties};
    struct at_text email = {"", 0}, phone = {"", 0};
    for (int i = 0; i < 3; i++) {
        if (!email.length) email = normal_email(parsing, at_json_text(at_json_get(places[i], "email")));
        if (!phone.length) phone = normal_phone(parsing, at_json_text(at_json_get(places[i], "phone")));
    }
    add_identifier(event, "anonymous_id", event->anonymous_id);
    add_identifier(event, "user_id", event->user_id);
    if (event->type == AT_EVENT_ALIAS && event->previous_id.length)
        add_identifier(event, "anonymous_id", event->previous_id);
    add_identifier(event, "email", email);
    add_identifier(event, "phone", phone);
}

/* ---- products and money ---- */

static double number_of(struct at_json value) {
    double number;
    if (at_json_number(value, &number)) return number;
    struct at_text text = at_json_text(value); /* "19.99" as some platforms send it */
    char copy[40] = "";
    if (!text.length || text.length >= sizeof copy) return at_missing();
    memcpy(copy, text.data, text.length);
    char extra;
    return sscanf(copy, "%lf%c", &number, &extra) == 1 && isfinite(number) ? number : at_missing();
}

static bool read_item(struct parsing *parsing, struct at_json json, struct at_event_item *item) {
    static const char *const names[] = {"product_id", "productId", "sku", "variant_id",
                                        "variantId",  "variant",   "id"};
    *item =
        (struct at_event_item){.named = {"", 0}, .row = AT_ROW_NONE, .price = at_missing(), .quantity = 1};
    if (at_json_is_string(json)) item->named = trim(at_json_text(json));
    for (size_t i = 0; i < AT_LENGTH(names) && at_json_is_object(json); i++) {
        struct at_text id = plain_text(parsing, at_json_get(json, names[i]));
        if (!id.length || id.length > ID_MAX) continue;
        if (!item->named.length) item->named = id;
        uint32_t row = parsing->root ? at_root_row(parsing->root, id.data, id.length) : AT_ROW_NONE;
        if (row == AT_ROW_NONE) continue;
        item->named = id;
        item->row = row;
        break;
    }
    if (!item->named.length) return false;
    if (item->row == AT_ROW_NONE && parsing->root)
        item->row = at_root_row(parsing->root, item->named.data, item->named.length);
    item->product = item->row == AT_ROW_NONE ? item->named : at_root_id(parsing->root, item->row);
    if (!at_json_is_object(json)) return true;
    item->price = number_of(at_json_get(json, "price"));
    double quantity = number_of(at_json_get(json, "quantity"));
    if (!at_is_missing(quantity) && quantity >= 0) item->quantity = quantity;
    item->category = at_json_text(at_json_get(json, "category"));
    item->brand = at_json_text(at_json_get(json, "brand"));
    int attribute = item->row != AT_ROW_NONE && at_is_missing(item->price)
                        ? at_root_attribute(parsing->root, "price", 5)
                        : -1;
    if (attribute >= 0) item->price = at_root_number(parsing->root, attribute, item->row);
    return true;
}

static enum at_status read_items(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    struct at_json products = at_json_get(event->properties, "products");
    uint32_t count = 0;
    struct at_json_each it = at_json_each(products);
    bool is_list = at_json_is_array(products);
    while (is_list && at_json_next(&it)) count++;
    if (count > AT_EVENT_ITEMS_MAX)
        return at_fail_field(parsing->err, AT_INVALID, "too_many_products", "products",
                             "an event may name %d products, these are %u", AT_EVENT_ITEMS_MAX, count);
    event->items = at_arena_alloc(parsing->arena, (count + 1) * sizeof *event->items);
    if (!event->items) return at_fail(parsing->err, AT_NOMEM, NULL, "out of memory");
    it = at_json_each(products);
    while (is_list && at_json_next(&it))
        event->item_count += read_item(parsing, it.value, &event->items[event->item_count]);
    if (!is_list && event->type == AT_EVENT_TRACK && names_one_product(event->name) && event->properties.tape)
        event->item_count += read_item(parsing, event->properties, &event->items[0]);
    return AT_OK;
}

static double first_number(struct at_json json, const char *const *names) {
    for (; *names; names++) {
        double number = number_of(at_json_get(json, *names));
        if (!at_is_missing(number)) return number;
    }
    return at_missing();
}

static double sum_of_items(const struct at_event *event) {
    double sum = 0;
    if (!event->item_count) return at_missing();
    for (uint32_t i = 0; i < event->item_count; i++) {
        if (at_is_missing(event->items[i].price)) return at_missing();
        sum += event->items[i].price * event->items[i].quantity;
    }
    return sum;
}

static void read_money(struct parsing *parsing) {
    static const char *const refunds[] = {"refund", "refund_amount", "amount", "revenue",
                                          "value",  "total",         NULL};
    static const char *const totals[] = {"total", "value", NULL}, *const beside[] = {"tax", "shipping", NULL},
                             *const subtotals[] = {"subtotal", NULL}, *const discounts[] = {"discount", NULL},
                             *const revenues[] = {"revenue", NULL};
    struct at_event *event = parsing->event;
    struct at_json properties = event->properties;
    event->order_id = plain_text(parsing, member(properties, "order_id", "orderId"));
    event->refund_id = plain_text(parsing, member(properties, "refund_id", "refundId"));
    event->currency = at_json_text(at_json_get(properties, "currency"));
    event->revenue = at_missing();
    if (at_text_is(event->name, "order_refunded")) {
        event->revenue = first_number(properties, refunds);
        if (at_is_missing(event->revenue)) event->revenue = sum_of_items(event);
        if (!at_is_missing(event->revenue)) event->revenue = fabs(event->revenue);
    } else if (at_text_is(event->name, "order_completed")) {
        double discount = first_number(properties, discounts), subtotal = first_number(properties, subtotals),
               total = first_number(properties, totals);
        event->revenue = first_number(properties, revenues);
        if (at_is_missing(event->revenue) && !at_is_missing(subtotal))
            event->revenue = subtotal - (at_is_missing(discount) ? 0 : discount);
        if (at_is_missing(event->revenue) && !at_is_missing(total)) {
            event->revenue = total;
            for (int i = 0; beside[i]; i++) {
                double part = number_of(at_json_get(properties, beside[i]));
                if (!at_is_missing(part)) event->revenue -= part;
            }
        }
        if (at_is_missing(event->revenue)) event->revenue = sum_of_items(event);
    }
}

enum at_status at_event_parse(struct at_arena *arena, struct at_json json,
                              const struct at_event_defaults *defaults, const struct at_root *root,
                              struct at_event *out, struct at_error *err) {
    struct parsing parsing = {arena, defaults, root, out, err};
    memset(out, 0, sizeof *out);
    out->json = json;
    if (!at_json_is_object(json))
        return at_fail(err, AT_INVALID, "not_an_object", "an event is a JSON object");
    enum at_status status = read_type(&parsing);
    if (status == AT_OK) status = read_name(&parsing);
    if (status == AT_OK) status = read_id(&parsing, "anonymousId", "anonymous_id", &out->anonymous_id);
    if (status == AT_OK) status = read_id(&parsing, "userId", "user_id", &out->user_id);
    if (status == AT_OK) status = read_id(&parsing, "previousId", "previous_id", &out->previous_id);
    if (status == AT_OK) status = read_id(&parsing, "groupId", "group_id", &out->group_id);
    if (status != AT_OK) return status;
    if (!out->anonymous_id.length && !out->user_id.length)
        return at_fail_field(
            err, AT_INVALID, "no_id", "userId",
            "an event needs anonymousId or userId (values such as \"null\" or \"guest\" do not count)");
    out->message_id = plain_text(&parsing, member(json, "messageId", "message_id"));
    if (out->message_id.length > MESSAGE_ID_MAX)
        return at_fail_field(err, AT_INVALID, "id_too_long", "messageId", "messageId may have %d bytes",
                             MESSAGE_ID_MAX);
    status = read_part(&parsing, "properties", &out->properties);
    if (status == AT_OK) status = read_part(&parsing, "traits", &out->traits);
    if (status == AT_OK) status = read_part(&parsing, "context", &out->context);
    if (status == AT_OK && !out->context.tape) out->context = defaults->context;
    if (status == AT_OK) status = read_time(&parsing);
    if (status == AT_OK) status = read_items(&parsing);
    if (status != AT_OK) return status;
    read_money(&parsing);
    read_identifiers(&parsing);
    return AT_OK;
}
