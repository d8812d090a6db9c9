/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes what reads scripts: the parser must take exactly what liblua takes (but for limits of Lua's code
 * generator), the faults of the rest must come in order, and whatever is in a file, the checks and the
 * analysis of each of its functions must end, in bounds, with places that exist. With -DAT_PLANT_FAULT some
 * programs with labels are refused.
 */
// Covers: runtime/language/lex.c runtime/language/parse.c
// Covers: runtime/language/parse_expression.c runtime/language/parse_scope.c
// Covers: runtime/language/parse_token.c runtime/language/parse_recover.c
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "language/analysis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim) {
    if (!claim) abort();
}

static struct at_arena arena;
static struct at_text source;
static const char *const globals[] = {"ranking", "rail", "when", "all",   "any",    "no",
                                      "min",     "max",  "math", "pairs", "ipairs", NULL};
static const char *const words[] = {"when", "min", "max", "all", "any", "no", NULL};
static const char *const methods[] = {"above", "below", "is", "or_else", "contains", NULL};
static const struct at_vocabulary vocabulary = {globals, words, methods, NULL, NULL};

/* What only one of the two knows: limits of the code generator; a mark or "#" at the start of a file. */
static bool is_comparable(const char *message) {
    static const char *const limits[] = {"registers", "upvalues", "too long",
                                         "overflow",  "limit is", "not enough memory"};
    for (size_t i = 0; i < AT_LENGTH(limits); i++)
        if (strstr(message, limits[i])) return false;
    return true;
}

static void compare(bool is_ours, const char *ours) {
    if (source.length && (source.data[0] == '#' || source.data[0] == '\xEF' || source.data[0] == '\x1b'))
        return;
    lua_State *L = luaL_newstate();
    require(L != NULL);
    bool is_theirs = luaL_loadbufferx(L, source.data, source.length, "=f", "t") == LUA_OK;
    const char *theirs = is_theirs ? "" : lua_tostring(L, -1);
    bool is_limit = !is_comparable(theirs) || strstr(ours, "nested too deeply") || strstr(ours, "too long") ||
                    strstr(ours, "limit is");
    if (is_ours != is_theirs && !is_limit) {
        fprintf(stderr, "lua: %s\nours: %s\n", is_theirs ? "accepts" : theirs, is_ours ? "accepts" : ours);
        abort();
    }
    lua_close(L);
}

static bool visit(void *arg, struct at_node *node) {
    struct at_node *block = arg;
    require(node->from <= node->to && node->to <= source.length && node->line && node->column);
    if (node->kind != AT_NODE_FUNCTION) return true;
    struct at_rule_report report;
    require(at_rule_analyse(&arena, source, block, node, &vocabulary, &report) == AT_OK);
    require(report.is_columnar == (report.line == 0));
    for (size_t i = 0; i < report.term_count; i++) {
        require(report.terms[i].text.length > 0 && report.terms[i].line > 0);
        require(i == 0 || report.terms[i - 1].line <= report.terms[i].line);
    }
    return true;
}

static void check_faults(const struct at_fault *fault) {
    for (uint32_t count = 1; fault; fault = fault->next, count++) {
        require(count <= AT_FAULTS_MAX && fault->message[0] && fault->line && fault->column);
        require(fault->from <= fault->to && fault->to <= source.length);
        if (fault->next) require(fault->from < fault->next->from);
    }
}

static void check_findings(bool is_ours) {
    struct at_finding *findings;
    struct at_bytes out;
    bool has_syntax = false;
    require(at_source_check(&arena, source, &vocabulary, &findings) == AT_OK);
    at_bytes_init(&out, 1 << 24);
    for (const struct at_finding *finding = findings; finding; finding = finding->next) {
        require(finding->message[0] && finding->line && finding->column);
        has_syntax |= strcmp(finding->code, "syntax") == 0;
        if (finding->next)
            require(finding->line < finding->next->line ||
                    (finding->line == finding->next->line && finding->column <= finding->next->column));
        at_finding_print(&out, "scripts/f.lua", source, finding);
    }
    require(has_syntax == !is_ours);
    at_bytes_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct at_node *block = NULL;
    struct at_fault *faults = NULL;
    if (size > 64 * 1024) return 0;
    at_arena_init(&arena, 1 << 28);
    source = (struct at_text){(const char *)data, size};
    require(at_parse(&arena, source, &block, &faults) == AT_OK && block);
#ifdef AT_PLANT_FAULT
    static struct at_fault planted = {.message = "planted", .line = 1, .column = 1};
    if (!faults && size % 2 == 1 && memmem(data, size, "::", 2)) faults = &planted;
#endif
    check_faults(faults);
    compare(!faults, faults ? faults->message : "");
    at_node_walk(block, visit, block);
    check_findings(!faults);
    at_arena_clear(&arena);
    return 0;
}
