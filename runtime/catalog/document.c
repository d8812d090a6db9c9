/* SPDX-License-Identifier: Apache-2.0
 *
 * What a product's document says about its attributes, checked before anything is written. Members that are
 * scalars or lists of them become attributes; objects stay in the document only. price and stock may come
 * from the variants, margin and discount are derived here.
 */
#include <stdio.h>
#include "base/time.h"
#include "catalog/internal.h"

/* ---- members ---- */

enum at_status at_members_collect(struct at_json object, struct at_members *out, struct at_error *err) {
    out->count = 0;
    struct at_json_each it = at_json_each(object);
    while (at_json_next(&it)) {
        uint32_t i = 0;
        while (i < out->count && !at_text_equal(out->list[i].key, it.key)) i++;
        if (i == AT_MEMBERS_MAX)
            return at_fail(err, AT_TOOBIG, "too_many_members", "a product has more than %d members",
                           AT_MEMBERS_MAX);
        out->list[i] = (struct at_member){it.key, it.value};
        if (i == out->count) out->count++;
    }
    return AT_OK;
}

const struct at_json *at_members_get(const struct at_members *members, const char *name) {
    for (uint32_t i = 0; i < members->count; i++)
        if (at_text_is(members->list[i].key, name)) return &members->list[i].value;
    return NULL;
}

/* A text shortened for a message never ends inside a character. */
static int fitting(struct at_text text, size_t most) {
    size_t n = text.length < most ? text.length : most;
    while (n && n < text.length && ((unsigned char)text.data[n] & 0xC0) == 0x80) n--;
    return (int)n;
}

const char *at_value_show(struct at_json value, char *room, size_t room_bytes) {
    double number;
    struct at_text text = at_json_text(value);
    bool is_true;
    switch (at_json_type(value)) {
    case AT_JSON_STRING:
        snprintf(room, room_bytes, "\"%.*s%s\"", fitting(text, 40), text.data, text.length > 40 ? "…" : "");
        return room;
    case AT_JSON_NUMBER:
        if (at_json_number(value, &number)) snprintf(room, room_bytes, "%.15g", number);
        return room;
    case AT_JSON_BOOL: return at_json_bool(value, &is_true) && is_true ? "true" : "false";
    case AT_JSON_ARRAY: return "a list";
    case AT_JSON_OBJECT: return "an object";
    default: return "null";
    }
}

enum at_status at_id_of(struct at_json value, char *room, size_t room_bytes, struct at_text *out,
                        struct at_error *err) {
    int64_t whole;
    char shown[80];
    if (!value.tape)
        return at_fail_field(err, AT_INVALID, "no_id", "id",
                             "a product needs an \"id\" (a text or a whole number)");
    if (at_json_int(value, &whole)) {
        *out = (struct at_text){room, (size_t)snprintf(room, room_bytes, "%lld", (long long)whole)};
    } else if (at_json_is_string(value)) {
        *out = at_json_text(value);
    } else {
        return at_fail_field(err, AT_INVALID, "bad_id", "id", "id must be a text or a whole number, got %s",
                             at_value_show(value, shown, sizeof shown));
    }
    if (!out->length) return at_fail_field(err, AT_INVALID, "bad_id", "id", "id must not be empty");
    if (out->length > AT_ID_MAX)
        return at_fail_field(err, AT_INVALID, "bad_id", "id", "id is %zu bytes long; at most %d are allowed",
                             out->length, AT_ID_MAX);
    return AT_OK;
}

/* ---- attributes ---- */

static bool is_reserved(struct at_text name) {
    static const char *const words[] = {"id",     "updated_at", "variants", "images",
                                        "prices", "texts",      "vector"};
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (at_text_is(name, words[i])) return true;
    return false;
}

static bool is_list_of_scalars(struct at_json list) {
    struct at_json_each it = at_json_each(list);
    while (at_json_next(&it))
        if (at_json_type(it.value) != AT_JSON_STRING && at_json_type(it.value) != AT_JSON_NUMBER)
            return false;
    return true;
}

/* Nothing to store: it neither has nor fixes a kind. */
static bool is_empty(struct at_json value) {
    enum at_json_type type = at_json_type(value);
    if (type == AT_JSON_STRING) return at_json_text(value).length == 0;
    if (type == AT_JSON_ARRAY) return at_json_count(value) == 0;
    return type == AT_JSON_NULL || type == AT_JSON_NONE;
}

/* The kind a value gives a new attribute; false: it stays in the document only. */
static bool kind_of(struct at_json value, enum at_attribute_kind *out) {
    switch (at_json_type(value)) {
    case AT_JSON_NUMBER: *out = AT_ATTRIBUTE_NUMBER; return true;
    case AT_JSON_BOOL: *out = AT_ATTRIBUTE_BOOL; return true;
    case AT_JSON_STRING: *out = AT_ATTRIBUTE_TEXT; return true;
    case AT_JSON_ARRAY: *out = AT_ATTRIBUTE_LIST; return is_list_of_scalars(value);
    default: return false;
    }
}

/* Names made of digits are names all the same: "sku": 77 is the text "77". */
static bool is_code_name(struct at_text name) {
    static const char *const words[] = {"sku", "gtin", "ean", "upc", "mpn", "isbn", "barcode"};
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (at_text_is(name, words[i])) return true;
    return false;
}

static enum at_status refuse_kind(const struct at_cell *cell, struct at_error *err) {
    char shown[80], name[64];
    snprintf(name, sizeof name, "%.*s", (int)cell->name.length, cell->name.data);
    const char *got = at_value_show(cell->value, shown, sizeof shown);
    switch (cell->kind) {
    case AT_ATTRIBUTE_BOOL:
        return at_fail_field(err, AT_INVALID, "bad_kind", name, "%s must be true or false, got %s", name,
                             got);
    case AT_ATTRIBUTE_DATE:
        return at_fail_field(
            err, AT_INVALID, "bad_date", name,
            "%s must be a date such as \"2026-11-26\" or \"2026-11-26T06:31:25Z\" (RFC 3339), got %s", name,
            got);
    case AT_ATTRIBUTE_LIST:
        if (at_json_is_array(cell->value)) got = "a list with something else in it";
        return at_fail_field(err, AT_INVALID, "bad_kind", name, "%s must be a list of texts, got %s", name,
                             got);
    default:
        return at_fail_field(err, AT_INVALID, "bad_kind", name, "%s must be a %s, got %s", name,
                             at_kind_word(cell->kind), got);
    }
}

static const char *const standard_names[] = {"price", "list_price", "cost",
                                             "stock"}; /* by enum at_standard */

/* Does the value fit the cell's kind? Fills number. */
static enum at_status read_value(struct at_cell *cell, struct at_error *err) {
    bool is_true;
    int64_t ms, whole;
    struct at_text text = at_json_text(cell->value);
    switch (cell->kind) {
    case AT_ATTRIBUTE_NUMBER:
        if (!at_json_number(cell->value, &cell->number)) return refuse_kind(cell, err);
        if (cell->attribute >= 0 && cell->attribute <= AT_STOCK && cell->number < 0)
            return at_fail_field(err, AT_INVALID, "below_zero", standard_names[cell->attribute],
                                 "%.*s must not be below 0, got %.15g", (int)cell->name.length,
                                 cell->name.data, cell->number);
        return AT_OK;
    case AT_ATTRIBUTE_BOOL:
        if (!at_json_bool(cell->value, &is_true)) return refuse_kind(cell, err);
        cell->number = is_true;
        return AT_OK;
    case AT_ATTRIBUTE_DATE:
        if (!text.data || at_time_parse(text.data, text.length, &ms, NULL) != AT_OK)
            return refuse_kind(cell, err);
        cell->number = (double)ms;
        return AT_OK;
    case AT_ATTRIBUTE_TEXT:
        if (text.data || (is_code_name(cell->name) && at_json_int(cell->value, &whole))) return AT_OK;
        return refuse_kind(cell, err);
    default:
        return at_json_is_array(cell->value) && is_list_of_scalars(cell->value) ? AT_OK
                                                                                : refuse_kind(cell, err);
    }
}

static enum at_status check_name(struct at_text name, int count, struct at_error *err) {
    if (!name.length || name.length >= sizeof((struct at_attribute *)0)->name)
        return at_fail(err, AT_INVALID, "bad_attribute",
                       "an attribute's name has 1 to 63 bytes: \"%.*s\" has %zu", fitting(name, 40),
                       name.data ? name.data : "", name.length);
    for (size_t i = 0; i < name.length; i++)
        if ((unsigned char)name.data[i] < 0x20)
            return at_fail(err, AT_INVALID, "bad_attribute",
                           "an attribute's name must not hold control characters");
    if (count >= AT_ATTRIBUTE_MAX)
        return at_fail(err, AT_INVALID, "too_many_attributes",
                       "%.*s would be attribute %d; a catalog has at most %d", (int)name.length, name.data,
                       count + 1, AT_ATTRIBUTE_MAX);
    return AT_OK;
}

static struct at_cell *find_cell(struct at_cells *cells, int attribute) {
    for (int i = 0; i < cells->count; i++)
        if (cells->list[i].attribute == attribute) return &cells->list[i];
    return NULL;
}

static void add_number(struct at_cells *cells, int attribute, double number) {
    struct at_cell *cell = find_cell(cells, attribute);
    if (!cell) cell = &cells->list[cells->count++];
    *cell = (struct at_cell){.attribute = attribute, .kind = AT_ATTRIBUTE_NUMBER, .number = number};
}

static enum at_status check_member(const struct at_schema *schema, const struct at_member *member,
                                   struct at_cells *cells, struct at_error *err) {
    struct at_cell *cell = &cells->list[cells->count];
    if (is_reserved(member->key) || is_empty(member->value)) return AT_OK;
    *cell = (struct at_cell){.name = member->key, .value = member->value};
    cell->attribute = at_schema_find(schema, member->key.data, member->key.length);
    if (cell->attribute >= 0) {
        cell->kind = schema->attributes[cell->attribute].kind;
    } else {
        if (!kind_of(member->value, &cell->kind)) return AT_OK;
        if (is_code_name(member->key) && cell->kind == AT_ATTRIBUTE_NUMBER) cell->kind = AT_ATTRIBUTE_TEXT;
        enum at_status named = check_name(member->key, schema->count + cells->new_count, err);
        if (named != AT_OK) return named;
    }
    enum at_status status = read_value(cell, err);
    if (status != AT_OK) return status;
    cells->new_count += cell->attribute < 0;
    cells->count++;
    return AT_OK;
}

/* ---- variants ---- */

static bool is_variant_name(struct at_text name) {
    static const char *const words[] = {"id",
                                        "sku",
                                        "title",
                                        "name",
                                        "url",
                                        "image",
                                        "gtin",
                                        "ean",
                                        "barcode",
                                        "updated_at",
                                        "inventory_item_id"};
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (at_text_is(name, words[i])) return false;
    return name.length > 0 && name.length + sizeof "variants." <= sizeof((struct at_attribute *)0)->name;
}

/* variants.size: the sizes that are there, as a list. */
static enum at_status add_variant_list(const struct at_schema *schema, struct at_json variants,
                                       struct at_text member, struct at_cells *cells, struct at_error *err) {
    struct at_cell *cell = &cells->list[cells->count];
    *cell = (struct at_cell){.kind = AT_ATTRIBUTE_LIST, .is_variants = true, .value = variants};
    int length = snprintf(cell->variant_name, sizeof cell->variant_name, "variants.%.*s", (int)member.length,
                          member.data);
    cell->name = (struct at_text){cell->variant_name, (size_t)length};
    for (int i = 0; i < cells->count; i++)
        if (at_text_equal(cells->list[i].name, cell->name)) return AT_OK;
    cell->attribute = at_schema_find(schema, cell->name.data, cell->name.length);
    if (cell->attribute >= 0 && schema->attributes[cell->attribute].kind != AT_ATTRIBUTE_LIST) return AT_OK;
    if (cell->attribute < 0) {
        enum at_status named = check_name(cell->name, schema->count + cells->new_count, err);
        if (named != AT_OK) return named;
        cells->new_count++;
    }
    cells->count++;
    return AT_OK;
}

struct variant_sums {
    double price, stock;
    bool has_price, has_stock;
};

static enum at_status read_variant(const struct at_schema *schema, struct at_json variants,
                                   struct at_json variant, struct at_cells *cells, struct variant_sums *sums,
                                   struct at_error *err) {
    struct at_json_each it = at_json_each(variant);
    double number;
    while (at_json_next(&it)) {
        if (at_json_is_string(it.value) && at_json_text(it.value).length && is_variant_name(it.key)) {
            enum at_status status = add_variant_list(schema, variants, it.key, cells, err);
            if (status != AT_OK) return status;
        }
        bool is_price = at_text_is(it.key, "price"), is_stock = at_text_is(it.key, "stock");
        if ((!is_price && !is_stock) || at_json_is_null(it.value)) continue;
        if (!at_json_number(it.value, &number) || number < 0)
            return at_fail_field(err, AT_INVALID, "bad_variant", "variants",
                                 "%s of a variant must be a number of at least 0",
                                 is_price ? "price" : "stock");
        if (is_price && (!sums->has_price || number < sums->price)) sums->price = number;
        if (is_stock) sums->stock += number;
        sums->has_price |= is_price;
        sums->has_stock |= is_stock;
    }
    return AT_OK;
}

/* What the product itself says about price and stock goes before what its variants add up to. */
static enum at_status check_variants(const struct at_schema *schema, struct at_json variants,
                                     struct at_cells *cells, struct at_error *err) {
    struct variant_sums sums = {0};
    if (!at_json_is_array(variants))
        return at_json_is_null(variants) ? AT_OK
                                         : at_fail_field(err, AT_INVALID, "bad_variant", "variants",
                                                         "variants must be a list of objects");
    struct at_json_each it = at_json_each(variants);
    while (at_json_next(&it)) {
        if (!at_json_is_object(it.value))
            return at_fail_field(err, AT_INVALID, "bad_variant", "variants",
                                 "variants must be a list of objects");
        enum at_status status = read_variant(schema, variants, it.value, cells, &sums, err);
        if (status != AT_OK) return status;
    }
    if (sums.has_price && !find_cell(cells, AT_PRICE)) add_number(cells, AT_PRICE, sums.price);
    if (sums.has_stock && !find_cell(cells, AT_STOCK)) add_number(cells, AT_STOCK, sums.stock);
    return AT_OK;
}

/* ---- derived ---- */

static void derive(struct at_cells *cells) {
    const struct at_cell *price = find_cell(cells, AT_PRICE), *cost = find_cell(cells, AT_COST);
    const struct at_cell *list_price = find_cell(cells, AT_LIST_PRICE);
    double margin = price && cost ? (price->number - cost->number) / price->number : at_missing();
    double discount =
        price && list_price ? (list_price->number - price->number) / list_price->number : at_missing();
    if (isfinite(margin)) add_number(cells, AT_MARGIN, margin);
    if (isfinite(discount)) add_number(cells, AT_DISCOUNT, discount > 0 ? discount : 0);
}

enum at_status at_document_check(const struct at_root *root, const struct at_members *members,
                                 bool is_lenient, struct at_cells *out, struct at_error *err) {
    const struct at_schema *schema = at_schema_of(root);
    out->count = out->new_count = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        enum at_status status = check_member(schema, &members->list[i], out, err);
        if (status != AT_OK && !is_lenient) return status;
    }
    const struct at_json *variants = at_members_get(members, "variants");
    if (variants) {
        enum at_status status = check_variants(schema, *variants, out, err);
        if (status != AT_OK && !is_lenient) return status;
    }
    derive(out);
    return AT_OK;
}
