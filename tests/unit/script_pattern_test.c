/* SPDX-License-Identifier: Apache-2.0
 *
 * The pattern matcher against stock Lua's: random subjects and patterns, sound and broken, through find,
 * match, gmatch and gsub; captures, positions and the words of errors agree. PATTERN_CASES: how many (soak: a
 * million).
 */
#include <lualib.h>
#include "script_world.h"

static struct world world;
static const char probe_key;

/* All that four functions say, as one text. */
static const char PROBE[] = "local find, match, gmatch, gsub, concat, select = string.find, string.match, "
                            "string.gmatch, string.gsub, "
                            "table.concat, select\n"
                            "local function show(ok, ...)\n"
                            "  if not ok then return 'error: ' .. gsub(..., '^[^:]*:%d+: ', '') end\n"
                            "  local out = {}\n"
                            "  for i = 1, select('#', ...) do\n"
                            "    local v = select(i, ...)\n"
                            "    out[i] = (math.type(v) or type(v)) .. '=' .. tostring(v)\n"
                            "  end\n"
                            "  return concat(out, ',')\n"
                            "end\n"
                            "return function(s, p, init, template, most)\n"
                            "  local out = {}\n"
                            "  out[1] = show(pcall(function() return find(s, p, init) end))\n"
                            "  out[2] = show(pcall(function() return match(s, p, init) end))\n"
                            "  out[3] = show(pcall(function()\n"
                            "    local all = {}\n"
                            "    for a, b, c in gmatch(s, p) do all[#all + 1] = tostring(a) .. ':' .. "
                            "tostring(b) .. ':' .. tostring(c) end\n"
                            "    return concat(all, ';')\n"
                            "  end))\n"
                            "  out[4] = show(pcall(function() return gsub(s, p, template, most) end))\n"
                            "  return concat(out, '\\n')\n"
                            "end\n";

struct trial {
    char subject[64], pattern[128], template[16];
    size_t subject_length, pattern_length, template_length;
    int init, most;
    char result[4096];
    size_t result_length;
};

/* ---- random trials ---- */

static unsigned any_of(unsigned count) {
    return (unsigned)(next_random() % count);
}

static void put(char *out, size_t size, size_t *length, const char *text, size_t count) {
    for (size_t i = 0; i < count && *length < size; i++) out[(*length)++] = text[i];
}

static char any_letter(void) {
    static const char letters[] = "aaaabbbcAB01 2.-x()[]%_\n\0\xe9";
    return letters[any_of(sizeof letters - 1)];
}

static void write_class(char *out, size_t size, size_t *length) {
    static const char classes[] = "acdglpsuwxACDGLPSUWX.%-()";
    char text[2] = {'%', classes[any_of(sizeof classes - 1)]};
    put(out, size, length, text, 2);
}

static void write_set(char *out, size_t size, size_t *length) {
    put(out, size, length, "[", 1);
    if (any_of(3) == 0) put(out, size, length, "^", 1);
    if (any_of(8) == 0) put(out, size, length, "]", 1);
    for (unsigned n = any_of(3) + 1; n > 0; n--) {
        char letter = any_letter(), range[3] = {"aAb0"[any_of(4)], '-', "czZ9"[any_of(4)]};
        unsigned kind = any_of(4);
        if (kind == 0) write_class(out, size, length);
        if (kind == 1) put(out, size, length, range, 3);
        if (kind > 1) put(out, size, length, letter == ']' ? "b" : &letter, 1);
    }
    put(out, size, length, "]", 1);
}

static void write_item(char *out, size_t size, size_t *length) {
    static const char *const special[] = {"()", "%1", "%2", "%b()", "%bab", "%f[%a]", "%f[^b]", "^", "$"};
    unsigned kind = any_of(12);
    char letter = "aabbc01 ."[any_of(9)];
    if (kind < 5) put(out, size, length, kind < 4 ? &letter : ".", 1);
    if (kind >= 5 && kind < 8) write_class(out, size, length);
    if (kind >= 8 && kind < 10) write_set(out, size, length);
    if (kind >= 10) {
        const char *text = special[any_of(AT_LENGTH(special))];
        put(out, size, length, text, strlen(text));
    }
}

static void write_pattern(struct trial *trial) {
    char *out = trial->pattern;
    size_t size = sizeof trial->pattern - 1, *length = &trial->pattern_length;
    unsigned open = 0, repeats = 0;
    if (any_of(5) == 0) put(out, size, length, "^", 1);
    for (unsigned items = any_of(any_of(7) + 1) + 1; items > 0; items--) {
        if (any_of(5) == 0 && ++open) put(out, size, length, "(", 1);
        write_item(out, size, length);
        if (any_of(3) == 0 && repeats++ < 4) put(out, size, length, &"*+-?"[any_of(4)], 1);
        if (open && any_of(3) == 0 && open--) put(out, size, length, ")", 1);
    }
    while (open-- > 0) put(out, size, length, ")", 1);
    if (any_of(6) == 0) put(out, size, length, "$", 1);
    if (any_of(6) || !*length) return;
    size_t at = any_of((unsigned)*length); /* broken: a byte is another, or missing */
    if (any_of(2))
        out[at] = any_letter();
    else
        memmove(out + at, out + at + 1, --*length - at);
}

static void write_trial(struct trial *trial) {
    static const char *const templates[] = {"x", "%0", "%1", "<%2>", "%%", "%", "%x", "", "%1%0", "a%9"};
    memset(trial, 0, sizeof *trial);
    for (unsigned n = any_of(25); n > 0; n--) trial->subject[trial->subject_length++] = any_letter();
    write_pattern(trial);
    trial->template_length = (size_t)snprintf(trial->template, sizeof trial->template, "%s",
                                              templates[any_of(AT_LENGTH(templates))]);
    trial->init = (int)any_of(32) - 6;
    trial->most = (int)any_of(8) - 1;
}

/* ---- both ---- */

static int call_probe(lua_State *L, void *arg) {
    struct trial *trial = arg;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &probe_key);
    lua_pushlstring(L, trial->subject, trial->subject_length);
    lua_pushlstring(L, trial->pattern, trial->pattern_length);
    lua_pushinteger(L, trial->init);
    lua_pushlstring(L, trial->template, trial->template_length);
    lua_pushinteger(L, trial->most);
    lua_call(L, 5, 1);
    const char *text = lua_tolstring(L, -1, &trial->result_length);
    assert_true(trial->result_length < sizeof trial->result);
    memcpy(trial->result, text, trial->result_length + 1);
    return 0;
}

static int keep_probe(lua_State *L, void *arg) {
    (void)arg;
    at_script_load(L, "scripts/t.lua", PROBE, sizeof PROBE - 1);
    lua_call(L, 0, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &probe_key);
    return 0;
}

static lua_State *open_stock(void) {
    lua_State *stock = luaL_newstate();
    assert_non_null(stock);
    luaL_openlibs(stock);
    assert_int_equal(luaL_dostring(stock, PROBE), LUA_OK);
    lua_rawsetp(stock, LUA_REGISTRYINDEX, &probe_key);
    return stock;
}

static void report_trial(int number, const struct trial *ours, const struct trial *theirs) {
    print_error("trial %d: subject ", number);
    for (size_t i = 0; i < ours->subject_length; i++) print_error("\\x%02x", (uint8_t)ours->subject[i]);
    print_error(", pattern ");
    for (size_t i = 0; i < ours->pattern_length; i++) print_error("\\x%02x", (uint8_t)ours->pattern[i]);
    print_error(" = %s, from %d, template %s, at most %d\nours:\n%s\nstock:\n%s\n", ours->pattern, ours->init,
                ours->template, ours->most, ours->result, theirs->result);
}

static void patterns_match_as_stock_ones(void **state) {
    (void)state;
    const char *given = getenv("PATTERN_CASES");
    int cases = given ? atoi(given) : 50000, errors = 0, matched = 0, too_complex = 0;
    lua_State *stock = open_stock();
    assert_int_equal(at_script_call(world.script, 5000 * MS, keep_probe, NULL, NULL, &world.err), AT_OK);
    seed_random(cases);
    for (int i = 0; i < cases; i++) {
        struct trial ours, theirs;
        write_trial(&ours);
        theirs = ours;
        assert_int_equal(at_script_call(world.script, 5000 * MS, call_probe, &ours, NULL, &world.err), AT_OK);
        if (strstr(ours.result, "too complex")) {
            too_complex++;
            continue;
        }
        call_probe(stock, &theirs);
        lua_settop(stock, 0);
        errors += strncmp(ours.result, "error", 5) == 0;
        matched += strncmp(ours.result, "integer", 7) == 0;
        if (ours.result_length == theirs.result_length &&
            memcmp(ours.result, theirs.result, ours.result_length) == 0)
            continue;
        report_trial(i, &ours, &theirs);
        fail();
    }
    lua_close(stock);
    print_message("%d matched, %d are errors, %d too complex for ours\n", matched, errors, too_complex);
    assert_true(matched > cases / 8 && errors > cases / 30 && too_complex < cases / 100);
}

static int open_one(void **state) {
    (void)state;
    open_world(&world, BY_SIGNAL, 0);
    return 0;
}

static int close_one(void **state) {
    (void)state;
    close_world(&world);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(patterns_match_as_stock_ones)};
    return cmocka_run_group_tests(tests, open_one, close_one);
}
