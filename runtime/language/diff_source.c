/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sources of one side declare: every noun with its name, wherever it stands, and what each hangs on.
 * From a declaration the names of its file's locals lead to statements, and those to others; require leads to
 * modules. Nothing is run: a declaration made in a loop or by a function hangs on its whole file.
 */
#include "language/diff_source.h"

#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "language/lex.h"
#include "language/vocabulary.h"

/* ---- tokens ---- */

static uint64_t mix_token(uint64_t hash, const struct token *token, struct at_text source) {
    struct at_text said = {source.data + token->from, token->to - token->from};
    if (token->kind == TOKEN_STRING) said = token->text;
    if (token->kind == TOKEN_SIGN && at_text_is(said, ";")) said = AT_TEXT(",");
    uint8_t kind = (uint8_t)token->kind;
    hash = at_hash64_seed(&kind, 1, hash);
    return at_hash64_seed(said.data ? said.data : "", said.length, hash);
}

static bool is_separator(const struct token *token) {
    return token->kind == TOKEN_SIGN && (at_text_is(token->text, ",") || at_text_is(token->text, ";"));
}

/* The next token that says anything: a comma before a closing brace does not. */
static bool next_token(struct lexer *lexer, struct token *out) {
    if (!lex_next(lexer, out)) return false;
    if (!is_separator(out)) return true;
    struct lexer ahead = *lexer;
    struct token after;
    if (!lex_next(&ahead, &after) || after.kind != TOKEN_SIGN || !at_text_is(after.text, "}")) return true;
    *lexer = ahead;
    *out = after;
    return true;
}

static struct lexer lexer_at(struct at_arena *arena, struct at_text source, uint32_t from, uint32_t to) {
    return (struct lexer){.arena = arena, .source = {source.data, to}, .at = from, .line = 1};
}

static enum at_status hash_range(struct at_arena *arena, struct at_text source, uint32_t from, uint32_t to,
                                 uint64_t *out) {
    struct lexer lexer = lexer_at(arena, source, from, to);
    struct token token;
    *out = 0;
    while (next_token(&lexer, &token) && token.kind != TOKEN_END) *out = mix_token(*out, &token, source);
    if (lexer.status == AT_NOMEM) return AT_NOMEM;
    if (lexer.status != AT_OK) /* no Lua from there on: its bytes */
        *out = at_hash64_seed(source.data + lexer.bad.from, to - lexer.bad.from, *out);
    return AT_OK;
}

enum at_status diff_hash(struct at_arena *arena, const struct diff_file *file, const struct at_node *node,
                         uint64_t *out) {
    return hash_range(arena, file->text, node->from, node->to, out);
}

enum at_status diff_hash_lines(struct at_arena *arena, const struct diff_file *file,
                               const struct at_node *node, struct at_lines *lines, uint32_t **numbers) {
    struct lexer lexer = lexer_at(arena, file->text, node->from, node->to);
    struct token token;
    uint32_t most = 1;
    for (uint32_t i = node->from; i < node->to; i++) most += file->text.data[i] == '\n';
    if (most > AT_LINES_MAX) most = AT_LINES_MAX;
    lines->count = 0;
    lines->hashes = at_arena_alloc(arena, most * sizeof *lines->hashes);
    *numbers = at_arena_alloc(arena, most * sizeof **numbers);
    if (!lines->hashes || !*numbers) return AT_NOMEM;
    while (next_token(&lexer, &token) && token.kind != TOKEN_END) {
        uint32_t line = node->line + token.line - 1, at = lines->count;
        if (!at || (*numbers)[at - 1] != line) {
            if (at == most) break;
            lines->hashes[lines->count] = 0;
            (*numbers)[lines->count++] = line;
        }
        uint64_t *hash = &lines->hashes[lines->count - 1];
        *hash = mix_token(*hash, &token, file->text);
    }
    return lexer.status == AT_NOMEM ? AT_NOMEM : AT_OK;
}

const char *diff_text(struct at_arena *arena, const struct diff_file *file, const struct at_node *node) {
    return at_arena_dup(arena, file->text.data + node->from, node->to - node->from);
}

/* ---- what a declaration hangs on ---- */

struct reach {
    struct diff_side *side;
    const struct diff_file *home;   /* of the declaration */
    const struct at_node *declared; /* what stands in it is its own */
    const struct diff_file *file;   /* of what is walked */
    bool is_module;                 /* all of it is hashed: only what it requires leads on */
    struct diff_reached *first, *last;
    enum at_status status;
};

static bool holds(const struct at_node *outer, const struct at_node *inner) {
    return inner->from >= outer->from && inner->to <= outer->to;
}

static void reach_add(struct reach *reach, const struct diff_file *file, const struct at_node *statement,
                      const char *name) {
    for (const struct diff_reached *at = reach->first; at; at = at->next)
        if (at->file == file && at->statement == statement) return;
    struct diff_reached *made = name ? at_arena_zalloc(reach->side->arena, sizeof *made) : NULL;
    if (!made) {
        reach->status = AT_NOMEM;
        return;
    }
    *made = (struct diff_reached){
        .name = name, .path = file->path, .hash = file->hash, .file = file, .statement = statement};
    if (statement && reach->status == AT_OK)
        reach->status = diff_hash(reach->side->arena, file, statement, &made->hash);
    *(reach->last ? &reach->last->next : &reach->first) = made;
    reach->last = made;
}

/* weights, of local weights = … and of weights.x = …; fit, of local function fit() */
static const char *name_of_statement(struct reach *reach, const struct at_node *statement) {
    const struct at_node *said = statement->list;
    if (statement->kind == AT_NODE_LOCALS && said)
        return at_arena_dup(reach->side->arena, said->text.data, said->text.length);
    if (statement->kind == AT_NODE_FUNCTION_STATEMENT || !said) said = statement->a;
    return said ? diff_text(reach->side->arena, reach->file, said) : "the code around it";
}

static const struct at_node *root_of(const struct at_node *target) {
    while (target && target->kind == AT_NODE_INDEX) target = target->a;
    return target && target->kind == AT_NODE_NAME ? target->binding : NULL;
}

/* weights.x = 2 and function weights.f() say what weights is. */
static bool fills(const struct at_node *statement, const struct at_node *from) {
    const struct at_node *root = NULL;
    if (statement->kind == AT_NODE_FUNCTION_STATEMENT && !statement->is_local) root = root_of(statement->a);
    if (root && holds(from, root)) return true;
    if (statement->kind != AT_NODE_ASSIGN) return false;
    for (const struct at_node *target = statement->list; target; target = target->next) {
        root = root_of(target);
        if (root && holds(from, root)) return true;
    }
    return false;
}

static void reach_local(struct reach *reach, const struct at_node *local) {
    bool is_own = reach->file == reach->home && holds(reach->declared, local);
    if (is_own || reach->is_module) return;
    const struct at_node *statement = reach->file->block->list, *other = statement;
    while (statement && !holds(statement, local)) statement = statement->next;
    if (!statement || holds(statement, reach->declared)) return;
    reach_add(reach, reach->file, statement, name_of_statement(reach, statement));
    for (; other; other = other->next)
        if (fills(other, statement)) reach_add(reach, reach->file, other, name_of_statement(reach, other));
}

/* require "lib.prices" → scripts/lib/prices.lua */
static void reach_module(struct reach *reach, struct at_text name) {
    char path[160];
    int length = snprintf(path, sizeof path, "scripts/%.*s.lua", (int)(name.length < 120 ? name.length : 120),
                          name.data);
    for (int i = 8; i < length - 4; i++)
        if (path[i] == '.') path[i] = '/';
    for (uint32_t i = 0; i < reach->side->count; i++)
        if (strcmp(reach->side->files[i].path, path) == 0)
            reach_add(reach, &reach->side->files[i], NULL, reach->side->files[i].path);
}

static bool reach_node(void *arg, struct at_node *node) {
    struct reach *reach = arg;
    if (node->kind == AT_NODE_NAME && node->binding) reach_local(reach, node->binding);
    bool requires = node->kind == AT_NODE_CALL && node->a->kind == AT_NODE_NAME && !node->a->binding &&
                    at_text_is(node->a->text, "require") && node->list && node->list->kind == AT_NODE_STRING;
    if (requires) reach_module(reach, node->list->text);
    return reach->status == AT_OK;
}

static enum at_status read_reached(struct diff_side *side, struct diff_declared *declared,
                                   struct at_node *call) {
    struct reach reach = {
        .side = side, .home = declared->file, .declared = call, .file = declared->file, .status = AT_OK};
    at_node_walk(call, reach_node, &reach);
    for (const struct diff_reached *at = reach.first; at && reach.status == AT_OK; at = at->next) {
        reach.file = at->file;
        reach.is_module = !at->statement;
        struct at_node *node = at->statement ? (struct at_node *)at->statement : at->file->block;
        at_node_walk(node, reach_node, &reach);
    }
    declared->reached = reach.first;
    return reach.status;
}

/* ---- what is declared ---- */

struct finding_nouns {
    struct diff_side *side;
    const struct diff_file *file;
    const struct at_node *statement; /* of the file, that is walked */
    enum at_status status;
};

static bool is_noun(struct at_text name) {
    for (const struct at_word *word = at_vocabulary()->words; word->name; word++)
        if (word->kind == AT_WORD_NOUN && at_text_is(name, word->name)) return true;
    return false;
}

static void add_declared(struct finding_nouns *finding, const struct at_node *name, struct at_node *call,
                         const char *noun) {
    struct diff_side *side = finding->side;
    struct diff_declared *made = at_arena_zalloc(side->arena, sizeof *made);
    if (made && name->kind == AT_NODE_STRING)
        made->name = at_arena_dup(side->arena, name->text.data, name->text.length);
    else if (made)
        made->name = diff_text(side->arena, finding->file, name);
    finding->status = made && made->name && noun ? AT_OK : AT_NOMEM;
    if (finding->status != AT_OK) return;
    made->noun = noun;
    made->file = finding->file;
    made->line = call->line;
    made->value = call->list;
    bool is_plain = finding->statement->kind == AT_NODE_EXPRESSION_STATEMENT && finding->statement->a == call;
    made->around = is_plain ? 0 : finding->file->hash;
    *(side->last ? &side->last->next : &side->declared) = made;
    side->last = made;
    finding->status = read_reached(side, made, call);
}

static bool find_noun(void *arg, struct at_node *node) {
    struct finding_nouns *finding = arg;
    if (finding->status != AT_OK) return false;
    if (node->kind != AT_NODE_CALL || node->a->kind != AT_NODE_CALL || !node->list) return true;
    const struct at_node *word = node->a->a, *name = node->a->list;
    if (word->kind != AT_NODE_NAME || word->binding || !name || !is_noun(word->text)) return true;
    char *noun = at_arena_dup(finding->side->arena, word->text.data, word->text.length);
    add_declared(finding, name, node, noun);
    return false;
}

/* budgets { … } and shop "name" { … } */
static void find_setting(struct finding_nouns *finding, struct at_node *statement) {
    struct at_node *call = statement->kind == AT_NODE_EXPRESSION_STATEMENT ? statement->a : NULL;
    const struct at_node *word = call && call->kind == AT_NODE_CALL ? call->a : NULL;
    if (word && word->kind == AT_NODE_CALL) word = word->a;
    if (word && word->kind == AT_NODE_NAME && !word->binding && call->list)
        add_declared(finding, word, call, "setting");
}

static enum at_status read_file(struct diff_side *side, struct diff_file *file) {
    struct at_fault *faults;
    enum at_status status = at_parse(side->arena, file->text, &file->block, &faults);
    if (status == AT_OK)
        status = hash_range(side->arena, file->text, 0, (uint32_t)file->text.length, &file->hash);
    return status;
}

static enum at_status read_declared(struct diff_side *side, const struct diff_file *file, bool is_settings) {
    struct finding_nouns finding = {.side = side, .file = file, .status = AT_OK};
    for (struct at_node *at = file->block->list; at && finding.status == AT_OK; at = at->next) {
        finding.statement = at;
        if (is_settings)
            find_setting(&finding, at);
        else
            at_node_walk(at, find_noun, &finding);
    }
    return finding.status;
}

enum at_status diff_side_read(struct diff_side *side, const struct at_diff_side *from,
                              const bool *is_wanted) {
    enum at_status status = AT_OK;
    side->files = at_arena_zalloc(side->arena, (from->count + 1) * sizeof *side->files);
    if (!side->files) return AT_NOMEM;
    for (uint32_t i = 0; i < from->count; i++)
        if (is_wanted[i])
            side->files[side->count++] =
                (struct diff_file){from->files[i].path.data, from->files[i].text, NULL, 0};
    uint32_t scripts = side->count;
    if (from->settings.data)
        side->files[side->count++] = (struct diff_file){"shop.lua", from->settings, NULL, 0};
    for (uint32_t i = 0; i < side->count && status == AT_OK; i++) status = read_file(side, &side->files[i]);
    for (uint32_t i = 0; i < side->count && status == AT_OK; i++)
        status = read_declared(side, &side->files[i], i >= scripts);
    return status;
}
