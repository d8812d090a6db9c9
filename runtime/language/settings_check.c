/* SPDX-License-Identifier: Apache-2.0
 *
 * shop.lua as a check tells it: what does not read and what it names is found in the source, what the
 * settings refuse is told at its place.
 */
#include <stdio.h>
#include <string.h>
#include "language/state.h"
#include "language/vocabulary.h"

/* The nouns of shop.lua, and what is Lua's own. */
static bool fill_words(struct at_arena *arena, struct at_vocabulary *words) {
    static const char *const none[] = {NULL};
    const char **all = at_arena_alloc(arena, AT_WORDS_MAX * sizeof *all);
    size_t count = 0;
    if (!all) return false;
    for (const struct at_word *word = global_words(); word->name; word++)
        if (word->kind == AT_WORD_SETTING || word->is_lua) all[count++] = word->name;
    all[count] = NULL;
    *words = (struct at_vocabulary){.globals = all, .words = none, .methods = none};
    return true;
}

/* "shop.lua:7: message" as a finding at its place. */
static enum at_status add_refusal(struct at_arena *arena, struct at_text text, const struct at_error *err,
                                  struct at_finding **findings) {
    struct at_finding *finding = at_arena_zalloc(arena, sizeof *finding);
    struct at_script_where where = {"", 0};
    if (!finding) return AT_NOMEM;
    const char *message = err->message, *rest = NULL;
    if (sscanf(message, "shop.lua:%d:", &where.line) == 1) rest = strchr(message + 9, ':');
    *finding = (struct at_finding){
        .line = where.line > 0 ? (uint32_t)where.line : 1, .column = 1, .code = "setting"};
    snprintf(finding->message, sizeof finding->message, "%.250s", rest ? rest + 2 : message);
    if (rest) place_load_error(arena, text, finding);
    *findings = finding;
    return AT_OK;
}

/* A declaration that belongs into scripts/. */
static void tell_noun(struct at_text text, struct at_finding *finding) {
    struct at_text name = {text.data + finding->from, finding->to - finding->from};
    const struct at_word *word = at_word_of(at_vocabulary(), name);
    if (strcmp(finding->code, "unknown_name") != 0 || !word || word->kind != AT_WORD_NOUN) return;
    snprintf(finding->message, sizeof finding->message, "%s does not belong in shop.lua", word->name);
    snprintf(finding->hint, sizeof finding->hint, "put it into a file of scripts/");
}

static bool has_error(const struct at_finding *finding) {
    while (finding && finding->is_warning) finding = finding->next;
    return finding != NULL;
}

enum at_status at_settings_check(const struct at_settings_source *source, struct at_text text,
                                 struct at_arena *arena, struct at_settings **out,
                                 struct at_finding **findings, struct at_error *err) {
    struct at_vocabulary words;
    *out = NULL;
    *findings = NULL;
    if (text.data) {
        if (!fill_words(arena, &words)) return at_fail(err, AT_NOMEM, NULL, "out of memory");
        enum at_status status = at_source_check(arena, text, &words, findings);
        if (status != AT_OK) return at_fail(err, status, NULL, "out of memory while checking shop.lua");
        for (struct at_finding *finding = *findings; finding; finding = finding->next)
            tell_noun(text, finding);
        if (has_error(*findings))
            return at_fail(err, AT_UNPROCESSABLE, "settings_refused", "shop.lua has errors");
    }
    struct at_error why = {0};
    struct at_finding *warnings = *findings;
    enum at_status status = at_settings_load(source, text.data, text.length, out, &why);
    if (status == AT_OK) return AT_OK;
    if (status == AT_NOMEM) return at_fail(err, status, NULL, "%s", why.message);
    if (add_refusal(arena, text, &why, findings) != AT_OK)
        return at_fail(err, AT_NOMEM, NULL, "out of memory");
    (*findings)->next = warnings;
    return at_fail(err, AT_UNPROCESSABLE, "settings_refused", "shop.lua has errors");
}
