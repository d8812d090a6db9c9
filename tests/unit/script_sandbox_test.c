/* SPDX-License-Identifier: Apache-2.0
 *
 * What a script can reach and what it cannot, the words of its errors, what a file may be, and that the
 * libraries answer as stock Lua does (against stock Lua, on random calls). Ends with the sweep of allocation
 * failures.
 */
#include <lualib.h>
#include "script_world.h"

static struct world world;

static int seal(lua_State *L, void *arg) {
    (void)arg;
    at_script_seal(L);
    return 0;
}

/* Without the words that other tests add. */
static int open_one(void **state) {
    (void)state;
    struct at_script_options options = {.guard = &world.guard};
    open_world(&world, BY_COUNT, 0);
    at_script_free(world.script);
    assert_int_equal(at_script_new(&world.script, &options, &world.err), AT_OK);
    assert_int_equal(at_script_call(world.script, 1000 * MS, seal, NULL, NULL, &world.err), AT_OK);
    return 0;
}
static int close_one(void **state) {
    (void)state;
    close_world(&world);
    return 0;
}

static void test_absent(void **state) {
    (void)state;
    static const char *const names[] = {"load",
                                        "loadstring",
                                        "loadfile",
                                        "dofile",
                                        "require",
                                        "package",
                                        "debug",
                                        "io",
                                        "os",
                                        "coroutine",
                                        "setmetatable",
                                        "getmetatable",
                                        "rawset",
                                        "rawget",
                                        "rawequal",
                                        "rawlen",
                                        "collectgarbage",
                                        "warn",
                                        "_G",
                                        "_VERSION",
                                        "newproxy",
                                        "module",
                                        "string.dump",
                                        "string.pack",
                                        "string.unpack",
                                        "string.packsize",
                                        "table.move",
                                        "math.random",
                                        "math.randomseed",
                                        "(''):dump()"};
    char text[100];
    for (size_t i = 0; i < AT_LENGTH(names); i++) {
        snprintf(text, sizeof text, "return %s", names[i]);
        assert_int_equal(run_for(&world, text, 1000), AT_FAILED);
        if (!strstr(world.err.message, "unknown name") && !strstr(world.err.message, " has no '"))
            fail_msg("%s: %s", text, world.err.message);
    }
}

/* Exactly these: a new name must be written here, and thought about. */
static void test_present(void **state) {
    (void)state;
    gives(&world, "local n = {} for k in pairs(_ENV) do n[#n + 1] = k end return table.concat(n, ' ')",
          "assert error ipairs math next pairs pcall print select string table tonumber tostring type utf8 "
          "xpcall");
    gives(&world, "local n = {} for k in pairs(string) do n[#n + 1] = k end return table.concat(n, ' ')",
          "byte char find format gmatch gsub len lower match rep reverse sub upper");
    gives(&world, "local n = {} for k in pairs(table) do n[#n + 1] = k end return table.concat(n, ' ')",
          "concat insert pack remove sort unpack");
    gives(&world, "local n = {} for k in pairs(utf8) do n[#n + 1] = k end return table.concat(n, ' ')",
          "char charpattern codepoint codes len offset");
    gives(&world, "local n = {} for k in pairs(math) do n[#n + 1] = k end return table.concat(n, ' ')",
          "abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min mininteger modf pi rad "
          "sin "
          "sqrt tan tointeger type ult");
}

static void test_nothing_can_be_written(void **state) {
    (void)state;
    fails(&world, "string.upper = 1", "string is read-only");
    fails(&world, "math.pi = 3", "math is read-only");
    fails(&world, "_ENV.print = 1", "'print' is a word of the language");
    fails(&world, "_ENV[1] = 1", "_ENV is read-only");
    fails(&world, "x = 1", "unknown name 'x': to keep a value write `local x = …`");
    fails(&world, "print = 1", "cannot be set: choose another name");
    fails(&world, "('x').upper = 1", "");
    fails(&world, "table.insert(_ENV, 1)", "read-only");
    fails(&world, "table.remove(string)", "read-only");
    fails(&world, "table.sort(math)", "read-only");
    fails(&world, "local _, t = ipairs(string) t.upper = 1", "read-only");
    gives(&world, "for k, v in pairs(string) do local f = v end return ('x'):upper()", "X");
    gives(&world, "_ENV = {} return 1", "1"); /* its own only */
    gives(&world, "return ('a'):upper()", "A");
    /* what pairs walks is a copy of keys, not a way to the content */
    fails(&world, "local f = pairs(string) f().x = 1", "");
}

static void test_words(void **state) {
    (void)state;
    fails(&world, "return prnt", "scripts/t.lua:1: unknown name 'prnt' — did you mean 'print'?");
    fails(&world, "\n\nreturn math.flor(1)", "scripts/t.lua:3: math has no 'flor' — did you mean 'floor'?");
    fails(&world, "return ('x'):uper()", "a text has no 'uper' — did you mean 'upper'?");
    fails(&world, "error({})", "error object of type table");
    fails(&world, "error('plain', 0)", "plain");
    fails(&world, "error('\\xff\\xfe')", "??");
    fails(&world, "local function f() error('deep') end\nf()", "scripts/t.lua:1: deep");
    assert_int_equal(world.where.line, 1);
    assert_string_equal(world.where.path, "scripts/t.lua");
    gives(&world, "return select('#', pcall(error)), pcall(error, 'a', 0)", "2|false|a");
    gives(&world, "return xpcall(function() error('a', 0) end, function(m) return m .. '!' end)", "false|a!");
    gives(&world, "return tostring(print), tostring({}), type(print)",
          "function|table|function"); /* no addresses */
    gives(&world, "return string.format('%s %s', print, {})", "function table");
    fails(&world, "return string.format('%p', {})", "invalid conversion");
}

static void test_order_of_pairs(void **state) {
    (void)state;
    gives(&world,
          "local o = {} for k in pairs({b = 1, a = 2, [3] = 1, [2.5] = 1, [true] = 1, [1] = 1, [-1] = 0}) do "
          "o[#o + 1] = tostring(k) end return table.concat(o, ' ')",
          "-1 1 2.5 3 a b true");
    gives(&world,
          "local t, n = {a = 1, b = 2, c = 3}, 0 for k in pairs(t) do t.c = nil n = n + 1 end return n", "2");
    gives(&world, "return next({}), next({10}), next({a = 1, b = 2}, 'a')", "nil|1|b|2");
    fails(&world, "for k in pairs({[{}] = 1, [print] = 2}) do end", "have no order");
    gives(&world, "local n = 0 for _ in pairs(nil) do n = 1 end for _ in ipairs(nil) do n = 1 end return n",
          "0");
}

static enum at_status run_binary(const char *text, size_t length) {
    return run_bytes(&world, "scripts/t.lua", text, length, 2000 * MS);
}

static void test_files(void **state) {
    (void)state;
    size_t size = AT_SCRIPT_FILE_MAX + 1;
    char *big = malloc(size);
    assert_non_null(big);
    memset(big, ' ', size);
    assert_int_equal(run_binary(big, size - 1), AT_OK);
    assert_int_equal(run_binary(big, size), AT_FAILED);
    assert_says(&world, "65537 bytes");
    free(big);
    assert_int_equal(run_binary("\x1bLua", 4), AT_FAILED);
    assert_says(&world, "compiled");
    assert_int_equal(run_binary("\n\nlocal x = '\xff'", 15), AT_FAILED);
    assert_says(&world, "scripts/t.lua:3: the file is not UTF-8");
    gives(&world, "\xEF\xBB\xBFreturn 1", "1");
    gives(&world, "#!/usr/bin/env lua\nreturn 2", "2");
    gives(&world, "#!/no/newline", "");
    fails(&world, "\xEF\xBB\xBF#!x\n\nerror('here')", "scripts/t.lua:3: here");
    assert_int_equal(run_binary("return '\0'", 10), AT_OK);
    assert_int_equal(run_binary("return 1 \0", 10), AT_FAILED);
}

/* links times piece, behind "return a". */
static char *chain(const char *start, const char *piece, int links, const char *end) {
    char *text = malloc(strlen(start) + strlen(piece) * (size_t)links + strlen(end) + 1), *at = text;
    assert_non_null(text);
    at += sprintf(at, "%s", start);
    for (int i = 0; i < links; i++) at += sprintf(at, "%s", piece);
    sprintf(at, "%s", end);
    return text;
}

static void chain_is(const char *start, const char *piece, int links, const char *end, bool is_refused) {
    char *text = chain(start, piece, links, end);
    enum at_status status = run_for(&world, text, 2000);
    bool says = strstr(world.err.message, "fields of fields") != NULL;
    if (says != is_refused) fail_msg("%d times %s: status %d, %s", links, piece, status, world.err.message);
    free(text);
}

static void test_chains(void **state) {
    (void)state;
    chain_is("local a = {} a.b = a return a", ".b", 200, "", false);
    chain_is("local a = {} a.b = a return a", ".b", 201, "", true);
    chain_is("local a = {} a.b = a return a", "['b']", 201, "", true);
    chain_is("local a = {} a.b = a return a", " --[[x]] .\n b", 201, "", true);
    chain_is("local a = {} a.b = a return a", "[ [[b]] ]", 201, "", true);
    chain_is("local a = {} a.b = a return (a", ".b).b", 1, "", false);
    chain_is("local a = {} return a", ".b", 20000, ".c", true);
    chain_is("return ", "(", 10000, "", true);
    chain_is("return ", "{", 10000, "", true);
    chain_is("local a = {} return a", "[a", 10000, "", true);
    /* long, but no chain */
    chain_is("local a = {b = 1} local x = 0", " x = x + a.b", 1000, "", false);
    chain_is("local t = {", "1.5, ", 5000, "}", false);
    chain_is("local s = [==[", ".a.a.a", 300, "]==]", false);
    chain_is("local s = '", ".a.a.a", 300, "'", false);
    chain_is("-- ", ".a.a.a", 300, "\nreturn 1", false);
    chain_is("--[[ ", ".a.a.a", 300, "]] return 1", false);
    chain_is("local s = ''", " .. 'x'", 150, "", false);
}

static void test_compile(void **state) {
    (void)state;
    int line = -1;
    struct at_error err;
    assert_int_equal(at_script_compile(world.script, "scripts/a.lua", "return 1", 8, &line, &err), AT_OK);
    assert_int_equal(at_script_compile(world.script, "scripts/a.lua", "\nif x", 5, &line, &err), AT_INVALID);
    assert_int_equal(line, 2);
    assert_non_null(strstr(err.message, "scripts/a.lua:2: "));
    /* it compiles only */
    assert_int_equal(at_script_compile(world.script, "s.lua", "error('ran')", 12, NULL, &err), AT_OK);
    /* a long path keeps its whole name */
    const char *path = "scripts/a_rather_long_folder_name/and_another_one_inside/the_file_of_the_shop.lua";
    assert_int_equal(at_script_compile(world.script, path, "if", 2, &line, &err), AT_INVALID);
    assert_int_equal(line, 1);
}

static void translates(const char *in, const char *part) {
    char out[600];
    at_script_translate(in, out, sizeof out);
    if (!strstr(out, part)) fail_msg("%s: \"%s\" does not say \"%s\"", in, out, part);
    snprintf(out, sizeof out, "%s", in); /* in place */
    at_script_translate(out, out, sizeof out);
    assert_non_null(strstr(out, part));
}

static void test_translate(void **state) {
    (void)state;
    translates("scripts/a.lua:7: attempt to index a nil value (field 'price')",
               "scripts/a.lua:7: there is nothing in 'price' here");
    translates("scripts/a.lua:7: attempt to perform arithmetic on a nil value (local 'x')", "or 0");
    translates("a.lua:1: attempt to compare number with nil", "a missing value is compared with a number");
    translates("a.lua:1: attempt to compare two table values",
               "two values that are each a list cannot be compared");
    translates("a.lua:2: bad argument #1 to 'floor' (number expected, got nil)",
               "floor needs a number as value 1, but got nothing");
    translates("a.lua:2: unexpected symbol near '!'", "~=");
    translates("a.lua:2: attempt to call a nil value (method 'uper')", "there is no ':uper'");
    translates("a.lua:2: something of ours", "a.lua:2: something of ours");
    translates("", "");
    char tiny[4] = "xxx",
         *long_text = chain("a.lua:1: attempt to index a nil value (field '", "x", 3000, "')");
    at_script_translate("a.lua:1: attempt to index a nil value", tiny, sizeof tiny);
    assert_int_equal(strlen(tiny), 3);
    char out[100];
    at_script_translate(long_text, out, sizeof out);
    assert_true(strlen(out) < sizeof out);
    free(long_text);
}

static void keep_line(void *arg, const char *line) {
    snprintf(arg, 600, "%s", line);
}
static void count_line(void *arg, const char *line) {
    (void)line;
    ++*(int *)arg;
}

static void test_print(void **state) {
    (void)state;
    char line[600] = "";
    int count = 0;
    gives(&world, "print('a', 1, nil, true, {}, 2.0)", "");
    at_script_take_prints(world.script, keep_line, line);
    assert_string_equal(line, "a\t1\tnil\ttrue\ttable\t2.0");
    gives(&world, "for i = 1, 1000 do print(i) end", "");
    at_script_take_prints(world.script, count_line, &count);
    assert_int_equal(count, AT_SCRIPT_PRINTS_MAX);
    gives(&world, "print(('ä'):rep(400))", "");
    at_script_take_prints(world.script, keep_line, line);
    size_t bad;
    assert_int_equal(strlen(line), 500);
    assert_true(at_utf8_valid(line, strlen(line), &bad));
    count = 0;
    at_script_take_prints(world.script, count_line, &count);
    assert_int_equal(count, 0);
}

static void test_memory(void **state) {
    (void)state;
    struct at_account account = {.name = "lua", .limit = 4 << 20};
    static struct world own;
    open_world_with(&own, BY_COUNT, 0, &account);
    assert_true(at_account_used(&account) >= at_script_used_bytes(own.script));
    assert_int_equal(run_for(&own, "local t = {} for i = 1, 1e7 do t[i] = {} end", 60000), AT_NOMEM);
    assert_true(at_account_used(&account) <= account.limit);
    close_world(&own);
    assert_int_equal(at_account_used(&account), 0);
    open_world_with(&own, BY_COUNT, 1 << 20, NULL);
    assert_int_equal(run_for(&own, "local t = {} for i = 1, 1e7 do t[i] = i end", 60000), AT_NOMEM);
    assert_says(&own, "1024 KiB");
    close_world(&own);
    /* the size of a hash slot is as memory.c believes */
    open_world(&own, BY_COUNT, 0);
    assert_int_equal(run_for(&own, "local t = {} for i = 1, 8192 do t['k' .. i] = i end return 1", 60000),
                     AT_OK);
    assert_int_equal(run_for(&own, "local t = {} for i = 1, 8193 do t['k' .. i] = i end", 60000), AT_NOMEM);
    assert_says(&own, "more than 8192 keys");
    close_world(&own);
    open_world(&own, BY_COUNT, 0);
    assert_int_equal(run_for(&own, "local s = ('x'):rep(1000000) s = s .. s .. s .. s .. s", 60000),
                     AT_NOMEM);
    assert_says(&own, "a text grew over 1 MiB");
    close_world(&own);
    /* lists of every length next to 24,576 · 2^k */
    open_world(&own, BY_COUNT, 0);
    assert_int_equal(run_for(&own,
                             "for _, n in ipairs({24575, 24576, 24577, 49152}) do local t = {} "
                             "for i = 1, n do t[i] = n - i end table.sort(t) for k in pairs(t) do end end",
                             60000),
                     AT_OK);
    close_world(&own);
}

/* ---- as stock Lua ---- */

static const char *const PATTERNS[] = {"a",
                                       "%a+",
                                       "^%s*(.-)%s*$",
                                       "(%w+)=(%w*)",
                                       "[^%d]",
                                       "%d-b",
                                       "a*",
                                       "()",
                                       "()a()",
                                       "%b()",
                                       "%f[%w]",
                                       "[a-c]+",
                                       "[]]",
                                       "[]-%%]+", /* the range ends at the first of "%%" */
                                       "[^]]",
                                       "%",
                                       "(",
                                       "[a",
                                       "(a)(b)",
                                       "(.)%1",
                                       "%x%x",
                                       "a?b",
                                       ".",
                                       "$",
                                       "^",
                                       "a$",
                                       "%1",
                                       "%b",
                                       "%f",
                                       "",
                                       "[%a_][%w_]*",
                                       "a-$",
                                       "\\0",
                                       "[%z]",
                                       "(a*(.)%w(%s*))",
                                       "[-a]",
                                       "[a-]"};
static const char *const SUBJECTS[] = {
    "",    "a",   "abc",  "  hello world  ", "k=v, k2=v2", "((a)b)c", "aab bba", "x1y2",
    "ä€𝄞", "a]b", "aaaa", "THE (quick) fox", "0x1F",       "1e3",     "-12",     "a\\0b"};
static const char *const TEMPLATES[] = {"'x'",
                                        "'%0%0'",
                                        "'%1'",
                                        "'%%'",
                                        "'%2'",
                                        "'%'",
                                        "''",
                                        "{a = 'z', b = false}",
                                        "function(c) return c end",
                                        "function() end",
                                        "function(a, b) return b end",
                                        "12"};
static const char *const FORMATS[] = {"%d",  "%5d",  "%-5d|", "%05d", "%x",      "%X",    "%o", "%c", "%s",
                                      "%q",  "%.3f", "%g",    "%e",   "%10.4s|", "%i",    "%a", "%%", "%+d",
                                      "%#x", "%5s",  "%-5s|", "%",    "%y",      "%123d", "% d"};
static const char *const VALUES[] = {
    "1",   "-7",   "0",   "255",  "2.5",     "1e300", "'12'", "'abc'", "math.mininteger", "math.maxinteger",
    "nil", "true", "1/0", "-3.0", "'a\\nb'", "''",    "3"};

static const char *any(const char *const *list, size_t count) {
    return list[next_random() % count];
}
#define ANY(list) any(list, AT_LENGTH(list))

static int small(void) {
    return (int)(next_random() % 13) - 6;
}

static void write_case(char *out, size_t size) {
    const char *s = ANY(SUBJECTS), *p = ANY(PATTERNS);
    switch (next_random() % 17) {
    case 0: snprintf(out, size, "string.find('%s', '%s', %d)", s, p, small()); break;
    case 1: snprintf(out, size, "string.match('%s', '%s', %d)", s, p, small()); break;
    case 2: snprintf(out, size, "string.gsub('%s', '%s', %s)", s, p, ANY(TEMPLATES)); break;
    case 3: snprintf(out, size, "string.gsub('%s', '%s', %s, %d)", s, p, ANY(TEMPLATES), small()); break;
    case 4:
        snprintf(out, size,
                 "(function() local o = {} for a, b in string.gmatch('%s', '%s') do o[#o + 1] = "
                 "tostring(a) .. ':' .. tostring(b) end return table.concat(o, ';') end)()",
                 s, p);
        break;
    case 5: snprintf(out, size, "string.find('%s', '%s', %d, true)", s, p, small()); break;
    case 6: snprintf(out, size, "string.sub('%s', %d, %d)", s, small(), small()); break;
    case 7: snprintf(out, size, "string.byte('%s', %d, %d)", s, small(), small()); break;
    case 8: snprintf(out, size, "string.rep('%s', %d, '%s')", s, small(), ANY(SUBJECTS)); break;
    case 9: snprintf(out, size, "string.format('%s', %s)", ANY(FORMATS), ANY(VALUES)); break;
    case 10:
        snprintf(out, size, "table.concat({1, 'b', 3.5, '%s'}, '%s', %d, %d)", s, ANY(SUBJECTS), small(),
                 small());
        break;
    case 11: snprintf(out, size, "table.unpack({1, 2, nil, 4}, %d, %d)", small(), small()); break;
    case 12:
        snprintf(out, size,
                 "(function() local t = {1, 2, 3} table.insert(t, %d, 9) local r = table.remove(t, %d) "
                 "return r, #t, table.unpack(t) end)()",
                 small(), small());
        break;
    case 13: {
        static const char *const names[] = {"abs", "ceil",      "floor", "sqrt", "exp",
                                            "log", "tointeger", "type",  "modf"};
        snprintf(out, size, "math.%s(%s)", ANY(names), ANY(VALUES));
        break;
    }
    case 14: {
        /* max and min: stock compares texts too, ours takes numbers only */
        static const char *const names[] = {"fmod", "atan", "ult", "log"}, *const numbers[] = {"max", "min"};
        if (next_random() % 3 == 0)
            snprintf(out, size, "math.%s(%s, %s)", ANY(numbers), any(VALUES, 6), any(VALUES, 6));
        else
            snprintf(out, size, "math.%s(%s, %s)", ANY(names), ANY(VALUES), ANY(VALUES));
        break;
    }
    case 15: {
        static const char *const ops[] = {"+", "-", "*", "/", "//", "%", "^"};
        snprintf(out, size, "%s %s %s", ANY(VALUES), ANY(ops), ANY(VALUES));
        break;
    }
    default:
        switch (next_random() % 5) {
        case 0: snprintf(out, size, "tonumber('%s', %d)", s, (int)(next_random() % 35) + 2); break;
        case 1: snprintf(out, size, "tonumber('%s')", s); break;
        case 2: snprintf(out, size, "utf8.offset('%s', %d)", s, small()); break;
        case 3: snprintf(out, size, "utf8.len('%s')", s); break;
        default: snprintf(out, size, "select(%d, 'a', 'b', 'c')", small()); break;
        }
    }
}

static void test_as_stock(void **state) {
    (void)state;
    const int cases = 20000;
    lua_State *stock = luaL_newstate();
    assert_non_null(stock);
    luaL_openlibs(stock);
    seed_random(cases);
    int failed = 0;
    for (int i = 0; i < cases; i++) {
        char expression[400], text[700];
        write_case(expression, sizeof expression);
        snprintf(text, sizeof text,
                 "local function show(ok, ...) if not ok then return 'error' end local o = {} "
                 "for i = 1, select('#', ...) do local v = select(i, ...) "
                 "o[i] = (math.type(v) or type(v)) .. '=' .. tostring(v) end return table.concat(o, ',') end "
                 "return show(pcall(function() return %s end))",
                 expression);
        if (luaL_dostring(stock, text)) fail_msg("%s: %s", text, lua_tostring(stock, -1));
        size_t length;
        const char *expected = lua_tolstring(stock, -1, &length);
        failed += strcmp(expected, "error") == 0;
        if (run_for(&world, text, 5000) != AT_OK) fail_msg("%s: %s", expression, world.err.message);
        if (strcmp(world.result, expected) != 0)
            fail_msg("%s: \"%s\", stock \"%s\"", expression, world.result, expected);
        lua_settop(stock, 0);
    }
    print_message("%d raised in both\n", failed);
    lua_close(stock);
}

/* Sorting: any comparator gives a permutation; an honest one an ascending one. */
static void test_sort(void **state) {
    (void)state;
    const int cases = 1000;
    seed_random(cases);
    for (int i = 0; i < cases; i++) {
        static const char *const orders[] = {"nil",
                                             "function(a, b) return a < b end",
                                             "function(a, b) return a > b end",
                                             "function() return true end",
                                             "function() return false end",
                                             "function(a, b) return a ~= b end"};
        int order = (int)(next_random() % AT_LENGTH(orders));
        char text[600];
        snprintf(
            text, sizeof text,
            "local t, n, sum, x = {}, %d, 0, %d for i = 1, n do x = (x * 16807) %% 2147483647 t[i] = x %% 50 "
            "sum = sum + t[i] end table.sort(t, %s) local bad = #t ~= n for i = 1, n do sum = sum - t[i] "
            "if %d < 2 and i > 1 and t[i] < t[i - 1] then bad = true end "
            "if %d == 2 and i > 1 and t[i] > t[i - 1] then bad = true end end return sum, bad",
            (int)(next_random() % 200), (int)(next_random() % 100000) + 1, orders[order], order, order);
        gives(&world, text, "0|false");
    }
    fails(&world, "table.sort({3, 'x', 1})", "compare");
    fails(&world, "table.sort({1, 2}, 3)", "function expected");
}

/* ---- out of memory, at every place ---- */

static const char SWEEP[] =
    "local t = {} for i = 1, 40 do t[i] = ('k'):rep(i) .. i end table.sort(t) for k, v in pairs(t) do end "
    "local s = table.concat(t, ','):gsub('k', 'xyz') print(s) "
    "for w in s:gmatch('%a+') do t[w] = string.format('%q', w) end "
    "pcall(function() local u = {} for i = 1, 50 do u[i] = {i} end error(u) end) return #s";

static bool sweep_new(uint64_t n, bool is_forever) {
    struct at_script *script;
    struct at_error err;
    struct at_script_options options = {0};
    enum at_status status = at_script_new_failing(&script, &options, n, is_forever, &err);
    if (status == AT_OK) {
        bool is_done = script->memory.growth_count < n;
        at_script_free(script);
        return is_done;
    }
    assert_int_equal(status, AT_NOMEM);
    assert_null(script);
    return false;
}

static bool sweep_run(uint64_t n, bool is_forever) {
    static struct world own;
    open_world(&own, BY_COUNT, 0);
    struct at_script_memory *memory = &own.script->memory;
    memory->fail_at = memory->growth_count + n;
    memory->is_failing_forever = is_forever;
    enum at_status status = run_for(&own, SWEEP, 5000);
    bool is_done = memory->growth_count < memory->fail_at;
    if (status == AT_OK)
        assert_true(atoi(own.result) > 1000);
    else
        assert_int_equal(status, AT_NOMEM);
    if (is_done) assert_int_equal(status, AT_OK);
    close_world(&own);
    return is_done;
}

static void test_failing_memory(void **state) {
    (void)state;
    for (int is_forever = 0; is_forever < 2; is_forever++) {
        uint64_t n = 1, m = 1;
        while (!sweep_new(n, is_forever)) n++;
        while (!sweep_run(m, is_forever)) m++;
        print_message("%llu places of a new state, %llu of a run\n", (unsigned long long)n,
                      (unsigned long long)m);
        assert_true(n > 50 && m > 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_present),
        cmocka_unit_test(test_nothing_can_be_written),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_order_of_pairs),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_compile),
        cmocka_unit_test(test_translate),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_as_stock),
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_failing_memory),
    };
    return cmocka_run_group_tests(tests, open_one, close_one);
}
