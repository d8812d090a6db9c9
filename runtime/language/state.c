/* SPDX-License-Identifier: Apache-2.0
 *
 * One Lua state with a generation's scripts loaded: made by shop/ for each worker, runs on that worker's
 * thread. The same load that makes it fills the declarations; nouns.c keeps the rules' functions by number,
 * in the order of declaration, so that numbers agree between all states of one generation.
 */
#include <stdlib.h>
#include <string.h>
#include "language/embedded.h"
#include "language/state.h"

static const char functions_key, *const functions_address = &functions_key;

void push_function(lua_State *L, int id) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, functions_address);
    lua_rawgeti(L, -1, id);
    lua_remove(L, -2);
}

int keep_function(lua_State *L, int at) {
    int id = ++language_of(L)->declarations->next_function;
    at = lua_absindex(L, at);
    lua_rawgetp(L, LUA_REGISTRYINDEX, functions_address);
    lua_pushvalue(L, at);
    lua_rawseti(L, -2, id);
    lua_pop(L, 1);
    return id;
}

/* What the places of an instrumented file call (test_cover.c); its answer lets an and or an or go on. */
static int l_ran(lua_State *L) {
    language_of(L)->ran[lua_tointeger(L, 1)]++;
    lua_pushboolean(L, 1);
    return 1;
}

static int install(lua_State *L, void *arg) {
    (void)arg;
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, functions_address);
    install_words(L);
    install_views(L);
    install_operators(L);
    install_masks(L);
    install_nouns(L);
    install_expect(L);
    if (language_of(L)->ran) {
        at_script_push_globals(L);
        lua_pushcfunction(L, l_ran);
        lua_setfield(L, -2, RAN_WORD);
        lua_pop(L, 1);
    }
    at_script_seal(L);
    return 0;
}

struct load {
    const struct at_source_file *files;
    uint32_t count;
    struct at_language *language;
};

/* scripts/lib/ holds plain modules: loaded by require only. */
static bool is_declaring(struct at_text path) {
    return !(path.length > 12 && memcmp(path.data, "scripts/lib/", 12) == 0);
}

static int run_files(lua_State *L, void *arg) {
    struct load *load = arg;
    for (uint32_t i = 0; i < load->count; i++) {
        const struct at_source_file *file = &load->files[i];
        if (!is_declaring(file->path)) continue;
        load->language->declarations->path = file->path.data;
        at_script_load(L, file->path.data, file->text.data, file->text.length);
        lua_call(L, 0, 0);
    }
    return 0;
}

enum at_status load_scripts(struct at_language *language, const struct at_source_file *files, uint32_t count,
                            struct at_script_where *where, struct at_error *err) {
    struct load load = {files, count, language};
    language->files = files;
    language->file_count = count;
    uint64_t budget_ns = at_budget_ns(language->settings, AT_BUDGET_LOAD);
    watch_call(language->script, budget_ns, 0);
    return at_script_call(language->script, budget_ns, run_files, &load, where, err);
}

static enum at_status new_state(struct at_language *language, struct at_guard *guard,
                                struct at_account *account, struct at_error *err) {
    struct at_script_options options = {.account = account, .guard = guard};
    if (language->settings) options.memory_max = language->settings->budgets.memory_bytes;
    enum at_status status = at_script_new(&language->script, &options, err);
    if (status != AT_OK) return status;
    at_script_set_host(language->script, language);
    language->traits_parser = at_json_parser_new(64 * 1024, 32);
    if (!language->traits_parser) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    return at_script_call(language->script, AT_LOAD_BUDGET_NS, install, NULL, NULL, err);
}

static enum at_status open_state(struct at_language **out, const struct language_options *options,
                                 struct at_error *err) {
    struct at_language *language = calloc(1, sizeof *language);
    if (!language) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    language->settings = options->settings;
    language->account = options->account;
    language->ran = options->ran;
    enum at_status status = new_state(language, options->guard, options->account, err);
    if (status != AT_OK)
        at_language_free(language);
    else
        *out = language;
    return status;
}

enum at_status language_open(struct at_language **out, const struct at_settings *settings,
                             struct at_guard *guard, struct at_account *account, struct at_error *err) {
    struct language_options options = {.settings = settings, .guard = guard, .account = account};
    return open_state(out, &options, err);
}

enum at_status language_load(struct at_language **out, const struct language_options *options,
                             struct at_error *err) {
    struct at_language *language;
    struct declarations *declarations = calloc(1, sizeof *declarations);
    struct at_arena arena;
    at_arena_init(&arena, 4 << 20);
    enum at_status status =
        declarations ? open_state(&language, options, err) : at_fail(err, AT_NOMEM, NULL, "out of memory");
    if (status == AT_OK) {
        declarations->arena = &arena;
        declarations->settings = options->settings;
        language->generation = options->generation;
        language->declarations = declarations;
        status = load_scripts(language, options->files, options->generation->file_count, NULL, err);
        language->declarations = NULL;
        if (status == AT_OK)
            *out = language;
        else
            at_language_free(language);
    }
    at_arena_clear(&arena);
    free(declarations);
    return status;
}

enum at_status at_language_new(struct at_language **out, const struct at_generation *generation,
                               const struct at_settings *settings, struct at_guard *guard,
                               struct at_account *account, struct at_error *err) {
    struct language_options options = {.generation = generation,
                                       .files = generation->files,
                                       .settings = settings,
                                       .guard = guard,
                                       .account = account};
    return language_load(out, &options, err);
}

void at_language_free(struct at_language *language) {
    if (!language) return;
    at_script_free(language->script);
    at_json_parser_free(language->traits_parser);
    kept_free_all(language);
    personal_free(language);
    free(language);
}

bool at_language_is_spent(const struct at_language *language) {
    return at_script_is_spent(language->script);
}

size_t at_language_used_bytes(const struct at_language *language) {
    return at_script_used_bytes(language->script);
}

uint64_t at_language_took_ns(const struct at_language *language) {
    return at_script_took_ns(language->script);
}

bool at_language_loaded_slowly(const struct at_language *language, struct at_slow *out) {
    *out = (struct at_slow){0};
    return note_slow(language->script, out, &(struct at_slow){.budget = AT_BUDGET_LOAD});
}

void at_language_collect(struct at_language *language, uint32_t max_us) {
    at_script_collect(language->script, max_us);
}

void at_language_set_guard(struct at_language *language, struct at_guard *guard) {
    at_script_set_guard(language->script, guard);
}
