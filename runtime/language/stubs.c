/* SPDX-License-Identifier: Apache-2.0
 *
 * Every word as an annotation of LuaLS, the shop's own attributes and segments among them, so that an editor
 * completes them and shows what they mean.
 */
#include "language/stubs.h"
#include <string.h>
#include "language/vocabulary.h"
#include "profile/event.h"

/* ---- names of the shop ---- */

/* A name between quotes; one that would end them is left out by whoever asks. */
static bool is_plain(const char *name) {
    return !strpbrk(name, "\"\\\n\r");
}

static void write_choice(struct at_bytes *out, const char *name) {
    if (is_plain(name)) at_bytes_printf(out, "|\"%s\"", name);
}

static void write_choices(const struct at_stubs *stubs, const char *alias, struct at_bytes *out) {
    const char *const *events = at_event_known_names();
    if (strcmp(alias, "EventName") == 0)
        for (; *events; events++) write_choice(out, *events);
    if (strcmp(alias, "Attribute") == 0)
        for (uint32_t i = 0; i < stubs->attribute_count; i++) write_choice(out, stubs->attributes[i].name);
    if (strcmp(alias, "SegmentName") == 0)
        for (uint32_t i = 0; i < stubs->segment_count; i++) write_choice(out, stubs->segments[i]);
    if (strcmp(alias, "Purpose") == 0) {
        write_choice(out, "analytics");
        write_choice(out, "personalization");
    }
}

static void write_aliases(const struct at_stubs *stubs, struct at_bytes *out) {
    for (const struct at_alias *alias = at_vocabulary_aliases(); alias->name; alias++) {
        at_bytes_printf(out, "\n--- %s\n---@alias %s %s", alias->says, alias->name, alias->type);
        write_choices(stubs, alias->name, out);
        at_bytes_add_text(out, "\n");
    }
}

/* ---- classes ---- */

static void write_field(const struct at_owner *owner, const struct at_word *word, struct at_bytes *out) {
    bool is_optional = owner->kind == AT_OWNER_TABLE && !word->is_required;
    at_bytes_printf(out, "--- %s\n---@field %s%s ", word->says, word->name, is_optional ? "?" : "");
    if (word->kind == AT_WORD_METHOD) { /* asked with a colon: the object comes first */
        bool is_alone = strncmp(word->type, "fun()", 5) == 0;
        at_bytes_printf(out, "fun(self: %s%s%s\n", owner->class_name, is_alone ? "" : ", ", word->type + 4);
    } else
        at_bytes_printf(out, "%s\n", word->type);
}

static const char *kind_type(const char *kind) {
    if (strcmp(kind, "text") == 0) return "string?";
    if (strcmp(kind, "list") == 0) return "List?";
    if (strcmp(kind, "bool") == 0) return "boolean?";
    return strcmp(kind, "date") == 0 ? "Moment?" : "number?";
}

static bool is_name(const char *name) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return length && !name[length] && !(*name >= '0' && *name <= '9');
}

/* Of a product their values; of customer.affinity the taste over them. */
static void write_attributes(const struct at_stubs *stubs, const struct at_owner *owner, bool are_values,
                             struct at_bytes *out) {
    for (uint32_t i = 0; i < stubs->attribute_count; i++) {
        const struct at_declared_attribute *attribute = &stubs->attributes[i];
        bool is_said = !is_name(attribute->name) || at_word_of(owner, at_text_of(attribute->name)),
             has_taste = strcmp(attribute->kind, "text") == 0 || strcmp(attribute->kind, "list") == 0;
        if (is_said || !(are_values || has_taste)) continue;
        at_bytes_printf(out, "---@field %s %s\n", attribute->name,
                        are_values ? kind_type(attribute->kind) : owner->rest);
    }
}

static void write_class(const struct at_stubs *stubs, const struct at_owner *owner, struct at_bytes *out) {
    bool is_product = strcmp(owner->class_name, "Product") == 0,
         has_attributes = owner->rest_names && strcmp(owner->rest_names, "Attribute") == 0;
    at_bytes_printf(out, "\n--- %s\n---@class %s\n", owner->says, owner->class_name);
    for (const struct at_word *word = owner->words; word->name; word++)
        if (word->since) write_field(owner, word, out);
    if (has_attributes) write_attributes(stubs, owner, is_product, out);
    if (owner->rest && !(is_product && stubs->is_whole))
        at_bytes_printf(out, "---@field [%s] %s\n", owner->kind == AT_OWNER_VALUE ? "number" : "string",
                        owner->rest);
}

/* ---- globals ---- */

static void write_parameters(const struct at_word *word, bool with_types, struct at_bytes *out) {
    struct at_parameter one;
    for (uint32_t i = 0; at_type_parameter(at_text_of(word->type), i, &one); i++) {
        if (with_types)
            at_bytes_printf(out, "---@param %.*s%s %.*s\n", (int)one.name.length, one.name.data,
                            one.is_optional ? "?" : "", (int)one.type.length, one.type.data);
        else
            at_bytes_printf(out, "%s%.*s", i ? ", " : "", (int)one.name.length, one.name.data);
    }
}

static void write_function(const struct at_word *word, struct at_bytes *out) {
    struct at_text result = at_type_result(at_text_of(word->type)), piece;
    at_bytes_printf(out, "\n--- %s\n", word->says);
    write_parameters(word, true, out);
    for (uint32_t i = 0; at_type_piece(result, i, &piece); i++)
        at_bytes_printf(out, "---@return %.*s\n", (int)piece.length, piece.data);
    at_bytes_printf(out, "function %s(", word->name);
    write_parameters(word, false, out);
    at_bytes_add_text(out, ") end\n");
}

static void write_globals(struct at_bytes *out) {
    for (const struct at_word *word = at_vocabulary()->words; word->name; word++) {
        if (!word->since) continue;
        if (word->kind == AT_WORD_LIBRARY)
            at_bytes_printf(out, "\n--- %s\n---@type %s\n%s = {}\n", word->says, word->type, word->name);
        else
            write_function(word, out);
    }
}

void at_stubs_write(const struct at_stubs *stubs, struct at_bytes *out) {
    at_bytes_printf(
        out,
        "---@meta\n\n"
        "-- The words of attune %s, for editors with a Lua language server. Nothing here runs.\n"
        "-- Made by attune new; attune stubs makes it anew, after an upgrade or with new attributes.\n",
        AT_VERSION);
    write_aliases(stubs, out);
    for (const struct at_owner *owner = at_vocabulary() + 1; owner->words; owner++)
        write_class(stubs, owner, out);
    write_globals(out);
}

/* ---- the segments of files ---- */

struct finding_segments {
    struct at_arena *arena;
    const char *names[AT_SEGMENTS_MAX];
    uint32_t count;
    bool is_short;
};

static bool note_segment(void *arg, struct at_node *node) {
    struct finding_segments *finding = arg;
    bool is_segment = node->kind == AT_NODE_CALL && node->a->kind == AT_NODE_NAME && !node->a->binding &&
                      at_text_is(node->a->text, "segment") && node->list &&
                      node->list->kind == AT_NODE_STRING;
    if (!is_segment || finding->count == AT_SEGMENTS_MAX) return true;
    const char *name = at_arena_dup(finding->arena, node->list->text.data, node->list->text.length);
    if (name)
        finding->names[finding->count++] = name;
    else
        finding->is_short = true;
    return true;
}

enum at_status at_stubs_segments(struct at_arena *arena, const struct at_source_file *files, uint32_t count,
                                 const char *const **names, uint32_t *name_count) {
    struct finding_segments finding = {.arena = arena};
    for (uint32_t i = 0; i < count; i++) {
        struct at_node *block;
        struct at_fault *faults; /* what can be read has names, too */
        enum at_status status = at_parse(arena, files[i].text, &block, &faults);
        if (status == AT_OK) at_node_walk(block, note_segment, &finding);
        if (status == AT_NOMEM || finding.is_short) return AT_NOMEM;
    }
    const char **kept = at_arena_alloc(arena, (finding.count + 1) * sizeof *kept);
    if (!kept) return AT_NOMEM;
    memcpy(kept, finding.names, finding.count * sizeof *kept);
    *names = kept;
    *name_count = finding.count;
    return AT_OK;
}
