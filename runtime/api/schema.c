/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the rows of schemas.c as JSON Schema. The notation of a type:
 *
 *   string integer number boolean object   as JSON has them; any: whatever
 *   time          a string that is a date and time
 *   a|b|c         one of these words
 *   Name          another schema
 *   [type] {type} a list, an object with members of one type
 *   type?         or null           type!  always there (last of all)
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "api/internal.h"

static bool ends_with(struct at_text text, char c) {
    return text.length && text.data[text.length - 1] == c;
}

static struct at_text inside(struct at_text text, size_t before, size_t behind) {
    return (struct at_text){text.data + before, text.length - before - behind};
}

static void write_words(struct at_json_out *out, struct at_text words) {
    at_json_key(out, "enum");
    at_json_open(out, '[');
    for (const char *at = words.data, *end = at + words.length; at < end;) {
        const char *stop = memchr(at, '|', (size_t)(end - at));
        if (!stop) stop = end;
        at_json_put_text(out, (struct at_text){at, (size_t)(stop - at)});
        at = stop + 1;
    }
    at_json_close(out, ']');
}

static void write_plain(struct at_json_out *out, struct at_text type, bool or_null) {
    bool is_time = at_text_is(type, "time");
    if (is_time) type = AT_TEXT("string");
    at_json_key(out, "type");
    if (or_null) at_json_open(out, '[');
    at_json_put_text(out, type);
    if (or_null) at_json_put_string(out, "null");
    if (or_null) at_json_close(out, ']');
    if (is_time) at_json_add_string(out, "format", "date-time");
}

/* The members of a schema of this type, into an object that is open; lists and maps may hold one another
 * once. */
static void write_type(struct at_json_out *out, struct at_text type) {
    bool or_null = ends_with(type, '?');
    if (or_null) type = inside(type, 0, 1);
    if (at_text_is(type, "any")) return;
    if (memchr(type.data, '|', type.length)) return write_words(out, type);
    if (type.data[0] == '[' || type.data[0] == '{') {
        at_json_add_string(out, "type", type.data[0] == '[' ? "array" : "object");
        at_json_key(out, type.data[0] == '[' ? "items" : "additionalProperties");
        at_json_open(out, '{');
        write_type(out, inside(type, 1, 1));
        at_json_close(out, '}');
    } else if (isupper((unsigned char)type.data[0])) {
        char reference[80];
        snprintf(reference, sizeof reference, "#/components/schemas/%.*s", (int)type.length, type.data);
        at_json_add_string(out, "$ref", reference);
    } else
        write_plain(out, type, or_null);
}

static const struct schema_row *schema_find(const char *name) {
    for (const struct schema_row *row = schema_rows; row->name; row++)
        if (row->is_schema && strcmp(row->name, name) == 0) return row;
    return NULL;
}

static bool is_included(const struct schema_row *row) {
    return strcmp(row->name, "...") == 0;
}

static void write_required(struct at_json_out *out, const struct schema_row *schema) {
    for (const struct schema_row *row = schema + 1; row->name && !row->is_schema; row++) {
        if (is_included(row))
            write_required(out, schema_find(row->type));
        else if (ends_with(at_text_of(row->type), '!'))
            at_json_put_string(out, row->name);
    }
}

static void write_members(struct at_json_out *out, const struct schema_row *schema) {
    for (const struct schema_row *row = schema + 1; row->name && !row->is_schema; row++) {
        struct at_text type = at_text_of(row->type);
        if (is_included(row)) {
            write_members(out, schema_find(row->type));
            continue;
        }
        at_json_key(out, row->name);
        at_json_open(out, '{');
        write_type(out, ends_with(type, '!') ? inside(type, 0, 1) : type);
        at_json_add_string(out, "description", row->means);
        if (row->limits) { /* "maxItems":32 */
            at_bytes_add_text(out->bytes, ",");
            at_bytes_add_text(out->bytes, row->limits);
        }
        at_json_close(out, '}');
    }
}

void schemas_write(struct at_json_out *out) {
    at_json_key(out, "schemas");
    at_json_open(out, '{');
    for (const struct schema_row *row = schema_rows; row->name; row++) {
        if (!row->is_schema) continue;
        at_json_key(out, row->name);
        at_json_open(out, '{');
        write_type(out, row->type ? at_text_of(row->type) : AT_TEXT("object"));
        at_json_add_string(out, "description", row->means);
        if (row[1].name && !row[1].is_schema) {
            at_json_key(out, "required");
            at_json_open(out, '[');
            write_required(out, row);
            at_json_close(out, ']');
            at_json_key(out, "properties");
            at_json_open(out, '{');
            write_members(out, row);
            at_json_close(out, '}');
        }
        at_json_close(out, '}');
    }
    at_json_close(out, '}');
}
