/* SPDX-License-Identifier: Apache-2.0
 *
 * Static check of the words of a file, before anything of it runs and in branches that rarely run too: fields
 * and methods of what rules read and of all that stands for it (types.h), fields of nouns and options, words
 * of later versions, words that have another name now. What is nearly a word is told with the word as its
 * cure. Attributes that no product ever had are warnings while the catalog is empty.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"
#include "language/check_words.h"

/* ---- telling ---- */

/* By an earlier look at the same words. */
static bool is_told(const struct at_finding *told, struct place place, const char *code) {
    return told->from == place.from && told->to == place.to &&
           (!told->is_warning || strcmp(told->code, code) == 0);
}

struct at_file_finding *tell(struct word_check *check, struct place place, bool is_warning, const char *code,
                             const char *fmt, ...) {
    struct at_node at = {.from = place.from, .to = place.to, .line = 1};
    char message[sizeof((struct at_finding *)0)->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    for (struct at_file_finding *told = check->build->findings; told; told = told->next)
        if (told->path == check->file->path.data && is_told(&told->finding, place, code)) return told;
    const char *text = check->file->text.data;
    uint32_t line_start = 0;
    for (uint32_t i = 0; i < place.from; i++)
        if (text[i] == '\n') at.line++, line_start = i + 1;
    at.column = place.from - line_start + 1;
    struct at_file_finding *made =
        add_finding(check->build, check->file->path.data, &at, is_warning, code, "%s", message);
    if (!made) check->is_short = true;
    return made;
}

void cure(struct word_check *check, struct at_file_finding *told, struct place place, const char *fix) {
    if (!told) return;
    const char *kept = fix ? at_arena_dup(check->build->arena, fix, strlen(fix)) : NULL;
    if (!kept) {
        check->is_short = true;
        return;
    }
    told->finding.fix = kept;
    told->finding.fix_from = place.from;
    told->finding.fix_to = place.to;
    if (!told->finding.hint[0] && !strstr(told->finding.message, "write "))
        snprintf(told->finding.hint, sizeof told->finding.hint, "write %.150s", kept);
}

struct place place_of(const struct at_node *node) {
    return (struct place){node->from, node->to};
}

const char *kept_text(struct word_check *check, struct at_text text) {
    const char *kept = at_arena_dup(check->build->arena, text.data, text.length);
    if (!kept) check->is_short = true;
    return kept ? kept : "";
}

/* In place of a key: bare behind a dot, else in quotes. */
static void cure_key(struct word_check *check, struct at_file_finding *told, struct place key,
                     const char *name) {
    bool is_quoted = strchr("\"'[", check->file->text.data[key.from]) != NULL;
    const char *fix = is_quoted ? at_arena_printf(check->build->arena, "\"%s\"", name) : name;
    cure(check, told, key, fix);
}

static void tell_later(struct word_check *check, struct place place, const char *called, const char *name) {
    tell(check, place, false, "not_in_this_version",
         *called ? "%s.%s is not in this version" : "%s%s is not in this version",
         *called ? bare_name(called) : "", name);
}

static void tell_renamed(struct word_check *check, struct place key, const struct at_word *word) {
    cure_key(check,
             tell(check, key, true, "renamed_word",
                  "\"%s\" is called \"%s\" now; the old name goes with the next version", word->was,
                  word->name),
             key, word->name);
}

/* ---- attributes and purposes ---- */

static size_t attribute_names(const struct word_check *check, const char *names[AT_ATTRIBUTE_MAX]) {
    const struct at_root *root = check->build->root;
    size_t count = 0;
    for (int i = 0; root && i < at_root_attribute_count(root) && count < AT_ATTRIBUTE_MAX; i++)
        names[count++] = at_root_attribute_at(root, i)->name;
    return count;
}

/* near: the owner's own words count, too. */
void check_attribute(struct word_check *check, struct place key, struct at_text name,
                     const struct at_owner *near) {
    const struct at_root *root = check->build->root;
    const char *names[AT_ATTRIBUTE_MAX], *said = kept_text(check, name);
    if (root && at_root_attribute(root, name.data, name.length) >= 0) return;
    size_t count = attribute_names(check, names);
    const char *nearest = near ? at_word_near(near, said, names, count) : at_suggest(said, names, count);
    bool is_empty = !root || (at_root_rows(root) == 0 && !check->build->is_whole);
    struct at_file_finding *told =
        tell(check, key, is_empty, "unknown_attribute",
             is_empty  ? nearest ? "no product has an attribute \"%s\" yet — did you mean \"%s\"?"
                                 : "no product has an attribute \"%s\" yet%s"
             : nearest ? "a product has no attribute \"%s\" — did you mean \"%s\"?"
                       : "a product has no attribute \"%s\"%s",
             said, nearest ? nearest : "");
    if (nearest) cure_key(check, told, key, nearest);
}

void check_purpose(struct word_check *check, struct place key, struct at_text name) {
    const struct at_consent_rules *rules = check->build->settings ? &check->build->settings->consent : NULL;
    const char *names[AT_CONSENT_PURPOSES_MAX], *said = kept_text(check, name);
    if (!rules || !rules->is_declared || at_consent_is_named(rules, name)) return;
    for (uint32_t i = 0; i < rules->purpose_count; i++) names[i] = rules->purposes[i].name.data;
    const char *nearest = at_suggest(said, names, rules->purpose_count);
    if (!nearest) return; /* a purpose that nobody named is unknown, and no */
    cure_key(check,
             tell(check, key, false, "unknown_purpose",
                  "consent in shop.lua names no purpose \"%s\" — did you mean \"%s\"?", said, nearest),
             key, nearest);
}

/* ---- a name that is no word of its owner ---- */

static void tell_unknown(struct word_check *check, struct place key, const struct at_owner *owner,
                         struct at_text name) {
    const char *said = kept_text(check, name), *nearest = at_word_near(owner, said, NULL, 0);
    if (owner->rest && !nearest) return; /* the merchant's own */
    struct at_file_finding *told =
        tell(check, key, false, "unknown_field",
             nearest ? "%s has no field \"%s\" — did you mean \"%s\"?" : "%s has no field \"%s\"%s",
             owner->called, said, nearest ? nearest : "");
    if (nearest) cure_key(check, told, key, nearest);
}

static void check_rest(struct word_check *check, struct place key, const struct at_owner *owner,
                       struct at_text name) {
    const char *names = owner->rest_names;
    if (!owner->rest || (names && !*names))
        tell_unknown(check, key, owner, name);
    else if (names && strcmp(names, "Attribute") == 0)
        check_attribute(check, key, name, owner);
    else if (names && strcmp(names, "Purpose") == 0)
        check_purpose(check, key, name);
}

/* ---- what is read ---- */

/* What the parent makes of a node, in its mark: a NAME that is set is told by check_source.c; a method
 * without a call is a slip where its answer is wanted, and may be handed on elsewhere. */
enum use { IS_ELSE, IS_SET, IS_ANSWER };

static bool same_words(const struct word_check *check, const struct at_node *a, const struct at_node *b) {
    const char *text = check->file->text.data;
    return a->to - a->from == b->to - b->from && memcmp(text + a->from, text + b->from, a->to - a->from) == 0;
}

/* customer.count "…" gives the method the name for its object. */
static void check_called(struct word_check *check, const struct at_node *call) {
    const struct at_node *index = call->a;
    const struct at_owner *owner = type_owner(type_of(&check->typing, index->a));
    const struct at_word *word = owner ? at_word_of(owner, index->b->text) : NULL;
    if (!index->is_dot || !word || word->kind != AT_WORD_METHOD || !word->since) return;
    if (call->list && same_words(check, index->a, call->list)) return;
    struct place dot = {index->a->to, index->b->from};
    struct at_file_finding *told = tell(check, place_of(index), false, "dot_for_colon",
                                        "a dot reads, a colon asks: before %s stands a colon", word->name);
    if (told)
        snprintf(told->finding.hint, sizeof told->finding.hint, "write %.150s:%s",
                 kept_text(check, (struct at_text){check->file->text.data + index->from,
                                                   index->a->to - index->from}),
                 word->name);
    if (dot.to - dot.from == 1) cure(check, told, dot, ":");
}

static bool is_called(const struct word_check *check, const struct at_node *index) {
    const char *at = check->file->text.data + index->to,
               *end = check->file->text.data + check->file->text.length;
    while (at < end && isspace((unsigned char)*at)) at++;
    return at < end && strchr("(\"'{[", *at);
}

static void check_index(struct word_check *check, const struct at_node *node) {
    const struct at_owner *owner = type_owner(type_of(&check->typing, node->a));
    struct place key = place_of(node->b);
    struct at_text name = node->b->text;
    if (!owner || node->b->kind != AT_NODE_STRING) return;
    if (!node->is_dot && owner->kind == AT_OWNER_VALUE) return;
    const struct at_word *word = at_word_of(owner, name);
    if (!word)
        check_rest(check, key, owner, name);
    else if (!word->since)
        tell_later(check, key, owner->called, word->name);
    else if (at_word_is_old(word, name))
        tell_renamed(check, key, word);
    else if (word->is_idle)
        tell(check, key, true, "no_learner",
             "product.%s is 0 everywhere: what learns it is not in this version", word->name);
    else if (word->kind == AT_WORD_METHOD && node->is_dot && node->mark == IS_ANSWER &&
             !is_called(check, node))
        tell(check, key, false, "method_not_called", "%s is a question: %s:%s(…)", word->name,
             bare_name(owner->called), word->name);
}

/* Where the name of a:name(…) stands; to 0: behind a comment, nobody looks there. */
static struct place method_name(const struct word_check *check, const struct at_node *node, uint32_t *colon) {
    const struct at_text source = check->file->text;
    uint32_t at = node->a->to;
    while (at < source.length && isspace((unsigned char)source.data[at])) at++;
    *colon = at;
    if (at >= source.length || source.data[at] != ':') return (struct place){0, 0};
    for (at++; at < source.length && isspace((unsigned char)source.data[at]);) at++;
    bool is_name = source.length - at >= node->text.length &&
                   memcmp(source.data + at, node->text.data, node->text.length) == 0;
    return is_name ? (struct place){at, at + (uint32_t)node->text.length} : (struct place){0, 0};
}

/* customer:country() */
static void tell_colon(struct word_check *check, const struct at_node *node, struct place key, uint32_t colon,
                       const struct at_owner *owner) {
    struct at_file_finding *told =
        tell(check, key, false, "colon_for_dot", "%s is read with a dot: %s.%.*s",
             kept_text(check, node->text), bare_name(owner->called), (int)node->text.length, node->text.data);
    struct place whole = {colon, node->to};
    const char *fix =
        node->list ? NULL
                   : at_arena_printf(check->build->arena, ".%.*s", (int)node->text.length, node->text.data);
    if (fix && key.to) cure(check, told, whole, fix);
}

static void check_method(struct word_check *check, const struct at_node *node) {
    const struct at_owner *owner = type_owner(type_of(&check->typing, node->a));
    uint32_t colon;
    if (!owner || owner->kind == AT_OWNER_LIBRARY) return;
    struct place key = method_name(check, node, &colon);
    if (!key.to) key = place_of(node);
    const struct at_word *word = at_word_of(owner, node->text);
    const struct at_root *root = check->build->root;
    bool is_attribute =
        owner->rest && root && at_root_attribute(root, node->text.data, node->text.length) >= 0;
    if (word && !word->since)
        tell_later(check, key, owner->called, word->name);
    else if (word && at_word_is_old(word, node->text))
        tell_renamed(check, key, word);
    else if (word ? word->kind != AT_WORD_METHOD : is_attribute && owner->kind == AT_OWNER_VIEW)
        tell_colon(check, node, key, colon, owner);
    else if (!word)
        tell_unknown(check, key, owner, node->text);
}

/* ---- what is written: the fields of a noun, options ---- */

static void check_field(struct word_check *check, const struct at_owner *owner, const char *called,
                        const struct at_node *field, bool *has_later) {
    struct at_text name = field_name(field);
    struct place key = place_of(field->a);
    const struct at_word *word = at_word_of(owner, name);
    bool is_option = owner->kind == AT_OWNER_TABLE && strchr(called, ':');
    if (!word && !owner->rest) {
        const char *said = kept_text(check, name), *nearest = at_word_near(owner, said, NULL, 0);
        struct at_file_finding *told =
            tell(check, key, false, is_option ? "unknown_option" : "unknown_field",
                 nearest ? "%s has no %s \"%s\" — did you mean \"%s\"?" : "%s has no %s \"%s\"%s", called,
                 is_option ? "option" : "field", said,
                 nearest     ? nearest
                 : is_option ? "; it has within and since"
                             : "");
        if (nearest) cure_key(check, told, key, nearest);
    }
    if (word && !word->since && !*has_later) tell_later(check, key, called, word->name);
    if (word && !word->since) *has_later = true;
    if (word && word->since && at_word_is_old(word, name)) tell_renamed(check, key, word);
    if (word && word->since) check_value(check, called, word->name, at_text_of(word->type), field->b);
}

void check_table(struct word_check *check, const struct at_owner *owner, const char *called,
                 const struct at_node *table) {
    bool has_later = false;
    for (const struct at_node *field = table->list; field; field = field->next)
        if (field_name(field).length) check_field(check, owner, called, field, &has_later);
}

/* ---- calls ---- */

/* What was called, as messages name it: "customer:count", "a ranking"; NULL: as the owner says. */
static const char *called_name(struct word_check *check, const struct at_node *call) {
    const struct at_owner *owner =
        call->kind == AT_NODE_METHOD ? type_owner(type_of(&check->typing, call->a)) : NULL;
    if (!owner || strcmp(owner->class_name, "Customer") != 0) return NULL;
    const char *name =
        at_arena_printf(check->build->arena, "customer:%.*s", (int)call->text.length, call->text.data);
    if (!name) check->is_short = true;
    return name;
}

static void check_arguments(struct word_check *check, const struct at_node *call) {
    struct at_text signature = signature_of(&check->typing, call);
    const struct at_node *argument = call->list;
    struct at_parameter parameter;
    for (uint32_t i = 0; argument && at_type_parameter(signature, i, &parameter); i++) {
        if (at_text_is(parameter.name, "...")) return;
        check_value(check, called_name(check, call), "", parameter.type, argument);
        argument = argument->next;
    }
    if (argument && call->kind == AT_NODE_METHOD && at_text_is(call->text, "last") && signature.length)
        tell(check, place_of(argument), false, "unknown_option", "customer:last takes a name only");
}

/* The name a chain of calls begins with: of flow "x" { … } it is flow. */
static const struct at_node *first_called(const struct at_node *call) {
    while (call->kind == AT_NODE_CALL) call = call->a;
    return call->kind == AT_NODE_NAME && !call->binding ? call : NULL;
}

/* False: nothing within is looked at; it is refused as a whole. */
static bool check_global(struct word_check *check, const struct at_node *name) {
    const struct at_word *word = at_word_of(at_vocabulary(), name->text);
    if (!word) return true; /* check_source.c says so */
    if (!word->since) return tell_later(check, place_of(name), "", word->name), false;
    if (word->kind == AT_WORD_SETTING) {
        tell(check, place_of(name), false, "belongs_elsewhere", "%s belongs in shop.lua", word->name);
        return false;
    }
    if (at_word_is_old(word, name->text)) tell_renamed(check, place_of(name), word);
    return true;
}

static void mark_use(struct at_node *node, enum use use) {
    bool is_free = node->kind == AT_NODE_NAME || node->kind == AT_NODE_INDEX; /* types.c has others */
    if (is_free) node->mark = use;
}

static void mark_uses(struct at_node *node) {
    bool is_choice = at_text_is(node->text, "and") || at_text_is(node->text, "or");
    switch (node->kind) {
    case AT_NODE_ASSIGN:
        for (struct at_node *target = node->list; target; target = target->next) mark_use(target, IS_SET);
        break;
    case AT_NODE_FUNCTION_STATEMENT: mark_use(node->a, IS_SET); break;
    case AT_NODE_IF:
    case AT_NODE_WHILE:
    case AT_NODE_REPEAT:
    case AT_NODE_UNARY: mark_use(node->a, IS_ANSWER); break;
    case AT_NODE_BINARY:
        mark_use(node->a, IS_ANSWER);
        if (!is_choice) mark_use(node->b, IS_ANSWER);
        break;
    default: break;
    }
}

static bool visit(void *arg, struct at_node *node) {
    struct word_check *check = arg;
    const struct at_node *first;
    mark_uses(node);
    switch (node->kind) {
    case AT_NODE_NAME: return node->binding || node->mark == IS_SET || check_global(check, node);
    case AT_NODE_INDEX: check_index(check, node); break;
    case AT_NODE_METHOD:
        check_method(check, node);
        check_arguments(check, node);
        break;
    case AT_NODE_CALL:
        first = first_called(node);
        if (first && !check_global(check, first)) return false;
        if (node->a->kind == AT_NODE_INDEX && node->a->b->kind == AT_NODE_STRING) check_called(check, node);
        check_arguments(check, node);
        break;
    default: break;
    }
    return true;
}

/* ---- a file ---- */

static enum at_status check_tree(struct at_build *build, uint32_t file, const struct known_function *known) {
    struct word_check check = {.build = build, .file = &build->files[file]};
    check.typing = (struct typing){.root = build->root, .known = known, .known_count = known != NULL};
    if (types_infer(&check.typing, build->trees[file])) at_node_walk(build->trees[file], visit, &check);
    return check.is_short ? AT_NOMEM : AT_OK;
}

enum at_status check_words(struct at_build *build, uint32_t file) {
    struct at_fault *faults; /* check_source.c says them */
    enum at_status status = at_parse(build->arena, build->files[file].text, &build->trees[file], &faults);
    return status == AT_OK ? check_tree(build, file, NULL) : status;
}

struct seeking {
    uint32_t from;
    const struct at_node *found;
};
static bool seek(void *arg, struct at_node *node) {
    struct seeking *seeking = arg;
    if (node->kind == AT_NODE_FUNCTION && node->from == seeking->from) seeking->found = node;
    return node->from <= seeking->from && !seeking->found;
}

enum at_status check_function_words(struct at_build *build, uint32_t file, uint32_t from,
                                    const char *class_name, const char *field) {
    const struct at_word *word = at_word_of(at_owner_of(at_text_of(class_name)), at_text_of(field));
    struct known_function known = {from, at_text_of(word->type)};
    struct seeking seeking = {from, NULL};
    if (!build->trees[file]) return AT_OK;
    at_node_walk(build->trees[file], seek, &seeking);
    bool is_known = !seeking.found || types_know_function(seeking.found);
    return is_known ? AT_OK : check_tree(build, file, &known);
}
