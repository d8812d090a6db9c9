/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds a generation from files: static checks of every file, a load in a throw-away state, analysis of
 * every rule. All findings of the static checks come at once; the load reports its first error. A generation
 * is immutable afterwards.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "language/compile.h"
#include "language/state.h"

struct at_file_finding *add_finding(struct at_build *build, const char *path, const struct at_node *node,
                                    bool is_warning, const char *code, const char *fmt, ...) {
    struct at_file_finding *made = at_arena_zalloc(build->arena, sizeof *made);
    if (!made) return NULL;
    made->path = path;
    made->finding.is_warning = is_warning;
    made->finding.line = node ? node->line : 1;
    made->finding.column = node ? node->column : 1;
    made->finding.from = node ? node->from : 0;
    made->finding.to = node ? node->to : 0;
    snprintf(made->finding.code, sizeof made->finding.code, "%s", code);
    va_list args;
    va_start(args, fmt);
    vsnprintf(made->finding.message, sizeof made->finding.message, fmt, args);
    va_end(args);
    struct at_file_finding **end = &build->findings;
    while (*end) end = &(*end)->next;
    *end = made;
    return made;
}

static bool has_errors(const struct at_build *build) {
    for (const struct at_file_finding *finding = build->findings; finding; finding = finding->next)
        if (!finding->finding.is_warning) return true;
    return false;
}

/* ---- static checks ---- */

static enum at_status check_file(struct at_build *build, const struct at_source_file *file) {
    struct at_vocabulary words;
    struct at_finding *found = NULL;
    enum at_status status = at_vocabulary_lists(build->arena, &words);
    words.root = build->root;
    if (status == AT_OK) status = at_source_check(build->arena, file->text, &words, &found);
    if (status != AT_OK) return status;
    for (; found; found = found->next) {
        struct at_file_finding *made =
            add_finding(build, file->path.data, NULL, false, found->code, "%s", "");
        if (!made) return AT_NOMEM;
        made->finding = *found;
        made->finding.next = NULL;
    }
    return AT_OK;
}

/* Before it is read: what is too large takes long to look at. */
static bool is_too_large(struct at_build *build, const struct at_source_file *file) {
    if (file->text.length <= AT_SCRIPT_FILE_MAX) return false;
    add_finding(build, file->path.data, NULL, false, "too_large",
                "this file has %zu bytes, a script may have %d: split it", file->text.length,
                AT_SCRIPT_FILE_MAX);
    return true;
}

static enum at_status check_files(struct at_build *build) {
    build->trees = at_arena_zalloc(build->arena, (build->file_count + 1) * sizeof(struct at_node *));
    if (!build->trees) return AT_NOMEM;
    for (uint32_t i = 0; i < build->file_count; i++) {
        if (is_too_large(build, &build->files[i])) continue;
        enum at_status status = check_file(build, &build->files[i]);
        if (status == AT_OK) status = check_words(build, i);
        if (status != AT_OK) return status;
    }
    return AT_OK;
}

/* ---- the load ---- */

/* "scripts/a.lua:7: message" → a finding at that place; the words were translated by the door. */
static void add_load_error(struct at_build *build, const struct at_script_where *where,
                           const struct at_error *err) {
    const char *message = err->message, *path = where->line ? where->path : "scripts";
    size_t length = strlen(path);
    if (where->line && strncmp(message, path, length) == 0) {
        const char *colon = strchr(message + length + 1, ':');
        if (colon) message = colon + 1 + strspn(colon + 1, " ");
    }
    char *kept = at_arena_dup(build->arena, path, length);
    struct at_file_finding *made =
        kept ? add_finding(build, kept, NULL, false, "declaration", "%s", message) : NULL;
    if (!made || !where->line) return;
    made->finding.line = (uint32_t)where->line;
    for (uint32_t i = 0; i < build->file_count; i++)
        if (at_text_is(build->files[i].path, kept))
            place_load_error(build->arena, build->files[i].text, &made->finding);
}

/* ---- from declarations to a generation ---- */

struct described { /* all that Lua says of a function */
    int function;
    char path[160];       /* where it is written: a module's function may be a rule */
    char parameters[200]; /* "product,customer," */
    uint32_t line;
    bool is_vararg;
};

static void add_parameter(struct described *described, const char *name, size_t length) {
    size_t at = strlen(described->parameters);
    snprintf(described->parameters + at, sizeof described->parameters - at, "%.*s,", (int)length, name);
}

static int describe(lua_State *L, void *arg) {
    struct described *described = arg;
    lua_Debug ar;
    const char *name;
    push_function(L, described->function);
    for (int i = 1; (name = lua_getlocal(L, NULL, i)) != NULL; i++)
        add_parameter(described, name, strlen(name));
    lua_getinfo(L, ">Su", &ar);
    snprintf(described->path, sizeof described->path, "%s", ar.source[0] == '@' ? ar.source + 1 : "");
    described->line = ar.linedefined > 0 ? (uint32_t)ar.linedefined : 0;
    described->is_vararg = ar.isvararg;
    return 0;
}

struct search {
    const struct described *wanted;
    struct at_node *found;
    uint32_t count;
};
static bool visit_function(void *arg, struct at_node *node) {
    struct search *search = arg;
    if (node->kind != AT_NODE_FUNCTION || node->defined_line != search->wanted->line ||
        node->is_vararg != search->wanted->is_vararg)
        return true;
    struct described described = {.parameters = ""};
    for (const struct at_node *parameter = node->list; parameter; parameter = parameter->next)
        add_parameter(&described, parameter->text.data, parameter->text.length);
    if (strcmp(described.parameters, search->wanted->parameters) != 0) return true;
    search->found = node;
    search->count++;
    return true;
}

struct at_node *parsed_file(struct assembly *assembly, uint32_t file) {
    struct at_build *build = assembly->build;
    struct at_fault *faults; /* none: it was loaded */
    if (!assembly->parsed[file].block &&
        at_parse(build->arena, build->files[file].text, &assembly->parsed[file].block, &faults) != AT_OK)
        return NULL;
    return assembly->parsed[file].block;
}

enum at_status find_source(struct assembly *assembly, int function, struct found_function *out) {
    struct at_build *build = assembly->build;
    struct described wanted = {.function = function};
    enum at_status status =
        at_script_call(assembly->language->script, AT_LOAD_BUDGET_NS, describe, &wanted, NULL, NULL);
    *out = (struct found_function){.line = wanted.line};
    for (uint32_t i = 0; status == AT_OK && i < build->file_count; i++) {
        if (!at_text_is(build->files[i].path, wanted.path) || !parsed_file(assembly, i)) continue;
        struct search search = {.wanted = &wanted};
        at_node_walk(assembly->parsed[i].block, visit_function, &search);
        out->file = i;
        out->node = search.count == 1 ? search.found : NULL;
        break;
    }
    return status;
}

/* Lua has limits (blocks within blocks, locals): what it does not take goes product by product. */
static enum at_status try_compiled(struct assembly *assembly, const char *path,
                                   struct at_rule_report *report) {
    struct at_text text = report->compiled->text;
    enum at_status status =
        at_script_compile(assembly->language->script, path, text.data, text.length, NULL, NULL);
    if (status != AT_INVALID) return status;
    report->compiled = NULL;
    snprintf(report->advice, sizeof report->advice, "the rule is too deep to compile: write a simpler one");
    return AT_OK;
}

/* The analysis of one rule; what cannot be found in the source (a function made elsewhere, one of several on
 * a line) goes product by product. */
static enum at_status analyse(struct assembly *assembly, int function, const char *class_name,
                              const char *field, struct at_rule_report *report) {
    *report = (struct at_rule_report){0};
    if (!function) return AT_OK;
    struct found_function found;
    enum at_status status = find_source(assembly, function, &found);
    if (status != AT_OK) return status;
    if (!found.node) {
        report->line = found.line;
        snprintf(report->advice, sizeof report->advice, "write each function of a rule on a line of its own");
        return AT_OK;
    }
    const struct at_source_file *source = &assembly->build->files[found.file];
    struct at_vocabulary words;
    status = at_vocabulary_lists(assembly->build->arena, &words);
    struct at_node *file = assembly->parsed[found.file].block;
    if (status == AT_OK)
        status =
            at_rule_analyse(&assembly->generation->arena, source->text, file, found.node, &words, report);
    if (status == AT_OK && !report->is_columnar)
        status =
            at_rule_compile(&assembly->generation->arena, source->text, file, found.node, &words, report);
    if (status == AT_OK && report->compiled) status = try_compiled(assembly, source->path.data, report);
    if (status == AT_OK)
        status = check_function_words(assembly->build, found.file, found.node->from, class_name, field);
    report->is_demoted = at_arena_zalloc(&assembly->generation->arena, sizeof *report->is_demoted);
    return status == AT_OK && !report->is_demoted ? AT_NOMEM : status;
}

static int compare_rankings(const void *a, const void *b) {
    return strcmp(((const struct at_ranking *)a)->name, ((const struct at_ranking *)b)->name);
}

static int compare_rails(const void *a, const void *b) {
    const struct at_rail_declaration *x = a, *y = b;
    int order = strcmp(x->rail.name, y->rail.name);
    return order ? order : (int)x->rail.kind - (int)y->rail.kind;
}

static enum at_status take_rankings(struct assembly *assembly, const struct declarations *declarations) {
    struct at_generation *generation = assembly->generation;
    generation->ranking_count = declarations->ranking_count;
    generation->rankings =
        at_arena_alloc(&generation->arena, (declarations->ranking_count + 1) * sizeof *generation->rankings);
    if (!generation->rankings) return AT_NOMEM;
    memcpy(generation->rankings, declarations->rankings,
           declarations->ranking_count * sizeof *generation->rankings);
    for (uint32_t i = 0; i < generation->ranking_count; i++) {
        struct at_ranking *ranking = &generation->rankings[i];
        enum at_status status = analyse(assembly, ranking->score, "Ranking", "score", &ranking->score_report);
        if (status == AT_OK)
            status = analyse(assembly, ranking->first, "Ranking", "first", &ranking->first_report);
        if (status != AT_OK) return status;
    }
    qsort(generation->rankings, generation->ranking_count, sizeof *generation->rankings, compare_rankings);
    return AT_OK;
}

static enum at_status take_rails(struct assembly *assembly, const struct declarations *declarations) {
    struct at_generation *generation = assembly->generation;
    generation->rail_count = declarations->rail_count;
    generation->rails =
        at_arena_alloc(&generation->arena, (declarations->rail_count + 1) * sizeof *generation->rails);
    if (!generation->rails) return AT_NOMEM;
    memcpy(generation->rails, declarations->rails, declarations->rail_count * sizeof *generation->rails);
    for (uint32_t i = 0; i < generation->rail_count; i++) {
        enum at_status status =
            analyse(assembly, generation->rails[i].condition, "Rail", "hide", &generation->rails[i].report);
        if (status != AT_OK) return status;
    }
    qsort(generation->rails, generation->rail_count, sizeof *generation->rails, compare_rails);
    for (uint32_t i = 0; i < generation->rail_count; i++) generation->rails[i].rail.declaration = i;
    return AT_OK;
}

static enum at_status take_tests(struct assembly *assembly, const struct declarations *declarations) {
    struct at_generation *generation = assembly->generation;
    generation->test_count = declarations->test_count;
    generation->tests =
        at_arena_alloc(&generation->arena, (declarations->test_count + 1) * sizeof *generation->tests);
    if (!generation->tests) return AT_NOMEM;
    memcpy(generation->tests, declarations->tests, declarations->test_count * sizeof *generation->tests);
    return check_tests(assembly);
}

static enum at_status keep_files(struct at_generation *generation, const struct at_build *build) {
    generation->file_count = build->file_count;
    generation->files =
        at_arena_alloc(&generation->arena, (build->file_count + 1) * sizeof *generation->files);
    if (!generation->files) return AT_NOMEM;
    for (uint32_t i = 0; i < build->file_count; i++) {
        const struct at_source_file *file = &build->files[i];
        char *path = at_arena_dup(&generation->arena, file->path.data, file->path.length);
        char *text = at_arena_dup(&generation->arena, file->text.data, file->text.length);
        if (!path || !text) return AT_NOMEM;
        generation->files[i] = (struct at_source_file){{path, file->path.length}, {text, file->text.length}};
    }
    at_tree_hash(generation->files, generation->file_count, generation->tree_hash);
    return AT_OK;
}

/* Attributes that diversify names are checked like the ones rules read. */
static void check_diversify(struct at_build *build, const struct declarations *declarations) {
    if (!build->root || at_root_rows(build->root) == 0) return;
    for (uint32_t i = 0; i < declarations->ranking_count; i++) {
        const struct at_ranking *ranking = &declarations->rankings[i];
        if (!ranking->diversify_by ||
            at_root_attribute(build->root, ranking->diversify_by, strlen(ranking->diversify_by)) >= 0)
            continue;
        struct at_file_finding *made =
            add_finding(build, ranking->path, NULL, false, "unknown_attribute",
                        "no product has an attribute \"%s\" to diversify by", ranking->diversify_by);
        if (made) made->finding.line = ranking->line;
    }
}

static enum at_status assemble(struct at_build *build, struct at_language *language,
                               struct declarations *declarations, struct at_generation *generation) {
    struct assembly assembly = {
        build, generation, at_arena_zalloc(build->arena, (build->file_count + 1) * sizeof(struct parsed)),
        language};
    if (!assembly.parsed) return AT_NOMEM;
    declarations->arena = &generation->arena;
    struct at_script_where where = {0};
    struct at_error err = {0};
    enum at_status status = load_scripts(language, generation->files, generation->file_count, &where, &err);
    if (status == AT_NOMEM) at_fail(&err, status, NULL, "the scripts use more memory than they may");
    if (status != AT_OK) add_load_error(build, &where, &err);
    if (status != AT_OK) return AT_OK; /* said in the findings */
    check_diversify(build, declarations);
    status = take_rankings(&assembly, declarations);
    if (status == AT_OK) status = take_rails(&assembly, declarations);
    if (status == AT_OK) status = take_segments(&assembly, declarations);
    return status == AT_OK ? take_tests(&assembly, declarations) : status;
}

static enum at_status build_generation(struct at_build *build, struct at_generation *generation,
                                       struct at_error *err) {
    struct at_language *language = NULL;
    struct declarations *declarations = calloc(1, sizeof *declarations);
    enum at_status status = declarations ? keep_files(generation, build) : AT_NOMEM;
    if (status == AT_OK) status = language_open(&language, build->settings, build->guard, NULL, err);
    if (status == AT_OK) {
        declarations->settings = build->settings;
        language->declarations = declarations;
        status = assemble(build, language, declarations, generation);
    }
    at_language_free(language);
    free(declarations);
    return status;
}

static int compare_findings(const void *a, const void *b) {
    const struct at_file_finding *x = *(struct at_file_finding *const *)a,
                                 *y = *(struct at_file_finding *const *)b;
    int by_path = strcmp(x->path, y->path);
    if (by_path) return by_path;
    if (x->finding.line != y->finding.line) return x->finding.line < y->finding.line ? -1 : 1;
    if (x->finding.column != y->finding.column) return x->finding.column < y->finding.column ? -1 : 1;
    return strcmp(x->finding.code, y->finding.code);
}

static enum at_status sort_findings(struct at_build *build) {
    size_t count = 0;
    for (const struct at_file_finding *at = build->findings; at; at = at->next) count++;
    struct at_file_finding **all = at_arena_alloc(build->arena, (count + 1) * sizeof *all);
    if (!all) return AT_NOMEM;
    count = 0;
    for (struct at_file_finding *at = build->findings; at; at = at->next) all[count++] = at;
    qsort(all, count, sizeof *all, compare_findings);
    for (size_t i = 0; i < count; i++) all[i]->next = i + 1 < count ? all[i + 1] : NULL;
    build->findings = count ? all[0] : NULL;
    return AT_OK;
}

static enum at_status build_all(struct at_build *build, struct at_generation **out, struct at_error *err) {
    enum at_status status = check_files(build);
    if (status != AT_OK) return at_fail(err, status, NULL, "out of memory while checking scripts");
    struct at_generation *generation = calloc(1, sizeof *generation);
    if (!generation) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    at_arena_init(&generation->arena, 64 << 20);
    if (!has_errors(build)) status = build_generation(build, generation, err);
    if (status == AT_OK && !has_errors(build)) {
        *out = generation;
        return AT_OK;
    }
    at_generation_free(generation);
    if (status != AT_OK)
        return status == AT_NOMEM ? at_fail(err, status, NULL, "out of memory while building scripts")
                                  : status;
    return at_fail(err, AT_UNPROCESSABLE, "scripts_refused", "the scripts have errors");
}

enum at_status at_generation_build(struct at_build *build, struct at_generation **out, struct at_error *err) {
    *out = NULL;
    build->findings = NULL;
    enum at_status status = build_all(build, out, err);
    if (sort_findings(build) == AT_OK) return status;
    if (*out) at_generation_free(*out);
    *out = NULL;
    return at_fail(err, AT_NOMEM, NULL, "out of memory while checking scripts");
}

void at_generation_free(struct at_generation *generation) {
    if (!generation) return;
    at_arena_clear(&generation->arena);
    free(generation);
}

const struct at_ranking *at_generation_ranking(const struct at_generation *generation, struct at_text name) {
    for (uint32_t i = 0; i < generation->ranking_count; i++)
        if (at_text_is(name, generation->rankings[i].name)) return &generation->rankings[i];
    return NULL;
}

const struct at_segment *at_generation_segment(const struct at_generation *generation, struct at_text name) {
    for (uint32_t i = 0; i < generation->segment_count; i++)
        if (at_text_is(name, generation->segments[i].name)) return &generation->segments[i];
    return NULL;
}

void at_tree_hash(const struct at_source_file *files, uint32_t count, char out[65]) {
    struct at_bytes all;
    uint8_t digest[AT_SHA256_SIZE];
    at_bytes_init(&all, SIZE_MAX);
    for (uint32_t i = 0; i < count; i++) {
        char hex[65];
        at_sha256(files[i].text.data, files[i].text.length, digest);
        at_hex(digest, sizeof digest, hex);
        at_bytes_add(&all, files[i].path.data, files[i].path.length);
        at_bytes_add_text(&all, "\n");
        at_bytes_add_text(&all, hex);
        at_bytes_add_text(&all, "\n");
    }
    at_sha256(all.data ? all.data : "", all.length, digest);
    at_hex(digest, sizeof digest, out);
    at_bytes_clear(&all);
}

void at_findings_print(const struct at_build *build, struct at_bytes *out) {
    for (const struct at_file_finding *finding = build->findings; finding; finding = finding->next) {
        struct at_text source = {"", 0};
        for (uint32_t i = 0; i < build->file_count; i++)
            if (at_text_is(build->files[i].path, finding->path)) source = build->files[i].text;
        at_finding_print(out, finding->path, source, &finding->finding);
    }
}
