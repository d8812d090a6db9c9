/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages of Markdown from the vocabulary. Every owner stands on one page; the globals are shared out by kind.
 */
#include "language/reference.h"
#include <string.h>
#include "language/vocabulary.h"

struct page {
    const char *name, *title, *intro;
    const char *owners[20];       /* by class */
    enum at_word_kind globals[3]; /* of the globals these kinds stand here, first */
    uint32_t global_count;
    bool is_lua; /* of the functions those of Lua; else the language's own */
};

static const struct page pages[] = {
    {"words.md",
     "Words",
     "What stands by itself in a rule, and what can be asked of any value.",
     {"number", "string"},
     {AT_WORD_FUNCTION},
     1,
     false},
    {"nouns.md",
     "Nouns",
     "What a script declares: `noun \"name\" { fields }`. An option is one field of a table.",
     {"Ranking", "Diversify", "Rail", "Segment", "Window"},
     {AT_WORD_NOUN},
     1,
     false},
    {"reading.md",
     "What rules read",
     "A dot reads, a colon asks. What is missing is nil, and nil is harmless: no comparison with it holds.",
     {"Product", "Customer", "Traits", "Session", "Acquired", "Orders", "Basket", "Item", "Affinity", "Taste",
      "Consent", "Page", "Event"},
     {0},
     0,
     false},
    {"tests.md",
     "Tests",
     "What must hold, tried before every publish: `test \"name\" { fields }`, and what its world answers.",
     {"Test", "Given", "GivenCustomer", "GivenOrders", "GivenSession", "World", "ListAsk", "Decision",
      "Expectation", "Keeps"},
     {0},
     0,
     false},
    {"settings.md",
     "shop.lua",
     "The settings of a shop, read when the server starts.",
     {"Shop", "Keys", "Attributes", "ConsentRules", "ConsentRegions", "Identity", "IdentityKind", "Retention",
      "Budgets", "Sources", "ShopifySource"},
     {AT_WORD_SETTING},
     1,
     false},
    {"lua.md",
     "Of Lua",
     "What scripts may use of Lua 5.4; there is nothing else of it.",
     {"mathlib", "stringlib", "tablelib", "utf8lib"},
     {AT_WORD_LIBRARY, AT_WORD_FUNCTION},
     2,
     true}};

/* What every value can be asked stands once. */
static bool is_told_before(const struct at_owner *owner, const struct at_word *word) {
    const struct at_owner *number = at_owner_of(AT_TEXT("number"));
    return owner->kind == AT_OWNER_VALUE && owner != number && at_word_of(number, at_text_of(word->name));
}

/* Within a table's cell. */
static void write_cell(struct at_bytes *out, struct at_text text) {
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '|') at_bytes_add_text(out, "\\");
        at_bytes_add(out, text.data + i, 1);
    }
}

static void write_signature(struct at_bytes *out, const struct at_word *word) {
    struct at_text type = at_text_of(word->type), result = at_type_result(type);
    struct at_parameter one;
    at_bytes_printf(out, "%s(", word->name);
    for (uint32_t i = 0; at_type_parameter(type, i, &one); i++) {
        at_bytes_printf(out, "%s%.*s%s: ", i ? ", " : "", (int)one.name.length, one.name.data,
                        one.is_optional ? "?" : "");
        write_cell(out, one.type);
    }
    at_bytes_add_text(out, ")");
    if (result.length) at_bytes_add_text(out, " → ");
    write_cell(out, result);
}

static void write_word(struct at_bytes *out, const struct at_owner *owner, const struct at_word *word) {
    bool is_asked = word->kind == AT_WORD_METHOD || word->kind == AT_WORD_FUNCTION;
    bool is_needed = word->is_required;
    at_bytes_add_text(out, "| `");
    if (word->kind == AT_WORD_METHOD) at_bytes_add_text(out, ":");
    if (is_asked)
        write_signature(out, word);
    else
        at_bytes_add_text(out, word->name);
    at_bytes_add_text(out, "` | ");
    if (!is_asked && owner->kind != AT_OWNER_GLOBALS) {
        at_bytes_add_text(out, "`");
        write_cell(out, at_text_of(word->type));
        at_bytes_add_text(out, "` | ");
    }
    at_bytes_printf(out, "%s%s%s | %s |\n", word->says, is_needed ? " **Needed.**" : "",
                    word->is_idle ? " 0 in this version: what learns it is not there yet." : "", word->since);
    if (word->was) at_bytes_printf(out, "| | was `%s`, which still works | |\n", word->was);
}

static void write_later(struct at_bytes *out, const struct at_word *words,
                        bool (*is_wanted)(const struct page *, const struct at_word *),
                        const struct page *page) {
    uint32_t count = 0;
    for (; words->name; words++)
        if (!words->since && (!is_wanted || is_wanted(page, words)))
            at_bytes_printf(out, "%s`%s`", count++ ? ", " : "\nNot in this version: ", words->name);
    if (count) at_bytes_add_text(out, ".\n");
}

static void write_owner(struct at_bytes *out, const struct at_owner *owner) {
    const char *columns = "| word | type | meaning | since |\n|---|---|---|---|\n";
    bool has_fields = false, has_methods = false;
    bool is_number = strcmp(owner->class_name, "number") == 0;
    at_bytes_printf(out, "\n## %s\n\n%s\n", is_number ? "Any value" : owner->class_name,
                    is_number ? "A number, a time, a share, a text, a yes or no, a list, or what is missing."
                              : owner->says);
    for (const struct at_word *word = owner->words; word->name; word++) {
        bool is_asked = word->kind == AT_WORD_METHOD || word->kind == AT_WORD_FUNCTION;
        if (!word->since || is_asked) continue;
        if (!has_fields) at_bytes_printf(out, "\n%s", columns);
        has_fields = true;
        write_word(out, owner, word);
    }
    for (const struct at_word *word = owner->words; word->name; word++) {
        bool is_asked = word->kind == AT_WORD_METHOD || word->kind == AT_WORD_FUNCTION;
        if (!word->since || !is_asked || is_told_before(owner, word)) continue;
        if (!has_methods) at_bytes_add_text(out, "\n| word | meaning | since |\n|---|---|---|\n");
        has_methods = true;
        write_word(out, owner, word);
    }
    if (owner->rest) {
        at_bytes_add_text(out, "\nAny other name: `");
        at_bytes_add_text(out, owner->rest);
        at_bytes_add_text(out, "`.\n");
    }
    write_later(out, owner->words, NULL, NULL);
}

static bool stands_here(const struct page *page, const struct at_word *word) {
    for (uint32_t i = 0; i < page->global_count; i++)
        if (word->kind == page->globals[i])
            return word->kind != AT_WORD_FUNCTION || page->is_lua == word->is_lua;
    return false;
}

static void write_globals(struct at_bytes *out, const struct page *page) {
    if (!page->global_count) return;
    at_bytes_add_text(out, "\n| word | meaning | since |\n|---|---|---|\n");
    for (const struct at_word *word = at_vocabulary()->words; word->name; word++)
        if (word->since && stands_here(page, word)) write_word(out, at_vocabulary(), word);
    write_later(out, at_vocabulary()->words, stands_here, page);
}

static void write_aliases(struct at_bytes *out) {
    at_bytes_add_text(out, "\n## What types are called\n\n| type | is | meaning |\n|---|---|---|\n");
    for (const struct at_alias *alias = at_vocabulary_aliases(); alias->name; alias++) {
        at_bytes_printf(out, "| `%s` | `", alias->name);
        write_cell(out, at_text_of(alias->type));
        at_bytes_printf(out, "` | %s |\n", alias->says);
    }
}

const char *at_reference_page(uint32_t i) {
    return i < sizeof pages / sizeof *pages ? pages[i].name : NULL;
}

void at_reference_write(uint32_t i, struct at_bytes *out) {
    const struct page *page = &pages[i];
    at_bytes_printf(
        out,
        "# %s\n\n%s Made by `make reference` from the table that the runtime reads; a `?` may be missing.\n",
        page->title, page->intro);
    write_globals(out, page);
    for (const char *const *name = page->owners; *name; name++)
        write_owner(out, at_owner_of(at_text_of(*name)));
    if (i == 0) write_aliases(out);
}
