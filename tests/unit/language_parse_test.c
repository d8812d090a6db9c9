/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser against Lua itself: what liblua loads it accepts, what liblua refuses it refuses, in the same
 * words, over a corpus written by hand; its limits; and the tree of a rule.
 */
#include "language_parsers.h"

/* ---- the corpus ---- */

static const char *const accepted[] = {
    "",
    ";;;",
    "return",
    "return;",
    "return 1, 2, 3;",
    "local a",
    "local a, b = 1",
    "a.b.c = 1",
    "a.b:c(1)(2){3}'4'",
    "local function f(...) return ... end",
    "function a.b.c:d(e, ...) return self, e end",
    "f{1, 2; 3, x = 4, [5] = 6,}",
    "goto done; local a; ::done::",
    "do goto l1 end ::l1::",
    "while true do break end",
    "repeat local x until x",
    "for i = 1, 2 do goto continue; local y = i; ::continue:: end",
    "for i = 1, 2, 3 do end",
    "for k, v in pairs(t) do end",
    "local x <const>, y <close> = 1, nil",
    "return 0x.8p1, 0xA, 1e3, .5, 3., 0x1p-2, 0xffffffffffffffffff, 1e400",
    "return '\\65\\x41\\u{41}\\z  \n x', \"\\\n\", [[\n]], [==[ ]=] ]==]",
    "-- c\n--[[ long\n]] --[==[ x ]==] return 1",
    "x = a and b or c == d ~= e < f <= g > h >= i | j ~ k & l << m >> n .. o + p - q * r / s // t % u ^ v",
    "x = -2 ^ 2, not not #a, ~1",
    "if a then elseif b then elseif c then else end",
    "(a).b = 1",
    "(f or g)()",
    "local a <const> = 5; local function f() return a end",
    "return function() return function(...) return ... end end",
    "::a:: do ::b:: end ::c::",
    "local t = {f = function() end, [1] = 2, 'x'}",
    "a = 'x' .. 'y' .. 'z'",
    "return ...",
    "goto e; ::e:: ; ::f:: ;",
    "do local a; goto x; ::x:: end",
    "f'x'[1].y:z{}",
    "x = {[f]=1, f, f=1}",
    "\r\n\r\nreturn\n\r1",
    "do ::l:: end do ::l:: end",
    "repeat goto c; ::c:: until true",
    "function f() goto x; do ::y:: end ::x:: end",
};
static const char *const refused[] = {
    "x",
    "x.y",
    "f().x",
    "(f())",
    "(a) = 1",
    "f() = 1",
    "a, f() = 1",
    "local",
    "local 1",
    "local function",
    "function f",
    "if x != 1 then end",
    "x += 1",
    "if a then",
    "if a then else if b then end",
    "for",
    "for i",
    "for i = 1 do end",
    "for i = 1, 2, 3, 4 do end",
    "for a.b in c do end",
    "for i, j = 1, 2 do end",
    "while true",
    "repeat",
    "repeat until",
    "return 1 2",
    "return return",
    "break",
    "goto x",
    "goto 1",
    "::x:: ::x::",
    "::x",
    "do goto x; local a; ::x:: print(a) end",
    "repeat goto c; local x; ::c:: until x",
    "local x <const> = 1; x = 2",
    "local x <close>, y <close> = 1",
    "local x <what> = 1",
    "local x <const",
    "function f(a,) end",
    "function f(a b) end",
    "function f(..., a) end",
    "function f() return ... end",
    "x = {1, 2",
    "x = {a = }",
    "x = {[1] 2}",
    "x = 'abc",
    "x = \"abc\n\"",
    "x = [[abc",
    "--[[ abc",
    "x = '\\q'",
    "x = '\\300'",
    "x = '\\xZZ'",
    "x = '\\u{110000000}'",
    "x = '\\u41'",
    "x = '\\u{41'",
    "x = 3x",
    "x = 0x",
    "x = 1e",
    "x = 3..2",
    "x = 0xep",
    "x = 08g",
    "a = b c",
    "a.1 = 2",
    "a:b = 1",
    "a:b.c()",
    "f(1, )",
    "f(1",
    "x = (1",
    "x = 1 +",
    "x = * 2",
    "x = \xE2\x80\x9Ch\xE2\x80\x9D",
    "x = $",
    "x = a.b:c",
    "end",
    "until",
    "else",
    "x = }",
    "local function f.g() end",
    "local x <const> = 1; function x() end",
    "local x <const> = 1; local function g() x = 2 end",
    "a, b += 1",
    "x = [=abc",
    "x = [==",
    "if x = 1 then end",
    "for i = 1 to 3 do end",
    "x = not",
    "x = function end",
    "x = function() ",
    "while x do",
    "do",
    "::1::",
    "goto x; local a; ::x:: a = 1",
    "function f() goto x end ::x::",
    "do ::x:: end goto x",
    "x = a ? b : c",
    "x = &y",
    "x = y!",
    "x = #",
    "do local a <close> = nil, 1 b end",
};

static void accepts_what_lua_accepts(void **state) {
    (void)state;
    struct verdict lua_says;
    for (size_t i = 0; i < AT_LENGTH(accepted); i++) {
        parse_lua(accepted[i], strlen(accepted[i]), &lua_says);
        if (!lua_says.is_ok) fail_msg("not Lua: %s: %s", accepted[i], lua_says.message);
        assert_true(agree(accepted[i], strlen(accepted[i])));
    }
}

static void refuses_what_lua_refuses_in_its_words(void **state) {
    (void)state;
    struct verdict lua_says;
    for (size_t i = 0; i < AT_LENGTH(refused); i++) {
        parse_lua(refused[i], strlen(refused[i]), &lua_says);
        if (lua_says.is_ok) fail_msg("Lua accepts: %s", refused[i]);
        assert_true(agree(refused[i], strlen(refused[i])));
    }
}

static void says_where_and_near_what(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
        uint32_t line, column;
    } cases[] = {{"if x != 1 then end", "'then' expected near '!'", 1, 6},
                 {"x = 1\n  y += 2", "syntax error near '+'", 2, 5},
                 {"f(\n1", "')' expected (to close '(' at line 1) near <eof>", 2, 2},
                 {"x = \xE2\x80\x9Chi\xE2\x80\x9D", "unexpected symbol near '<\\226>'", 1, 5},
                 {"local a <const> = 1\na = 2", "attempt to assign to const variable 'a'", 2, 1},
                 {"\n  goto out", "no visible label 'out' for <goto> at line 2", 2, 3},
                 {"x = 128Private", "malformed number near '128P'", 1, 5},
                 {"x = .0x80000000(", "malformed number near '.0x80000000'", 1, 5},
                 {"x = [==", "invalid long string delimiter near '[=='", 1, 5},
                 {"while x do\nend\nbreak", "break outside loop at line 3", 3, 1},
                 {"x = 'abc\n", "unfinished string near ''abc'", 1, 5},
                 {"-- one\n\n\t\t}", "unexpected symbol near '}'", 3, 3}};
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct verdict ours;
        parse_ours(cases[i].text, strlen(cases[i].text), &ours);
        assert_false(ours.is_ok);
        assert_string_equal(ours.message, cases[i].message);
        assert_int_equal(ours.line, cases[i].line);
        assert_int_equal(ours.column, cases[i].column);
    }
}

static void skips_a_mark_and_a_shebang(void **state) {
    (void)state;
    struct verdict ours;
    static const char *const heads[] = {"\xEF\xBB\xBFreturn 1", "#!/usr/bin/lua\nreturn 1",
                                        "\xEF\xBB\xBF# x\nreturn 1", "#", "#!x"};
    for (size_t i = 0; i < AT_LENGTH(heads); i++) {
        parse_ours(heads[i], strlen(heads[i]), &ours);
        assert_true(ours.is_ok);
    }
    parse_ours("#!x\nfoo", 7, &ours);
    assert_int_equal(ours.line, 2);
}

/* ---- limits ---- */

static char *repeat(const char *head, const char *part, size_t times, const char *tail) {
    char *text = malloc(strlen(head) + strlen(part) * times + strlen(tail) + 1), *at = text;
    assert_non_null(text);
    at += sprintf(at, "%s", head);
    for (size_t i = 0; i < times; i++) at += sprintf(at, "%s", part);
    sprintf(at, "%s", tail);
    return text;
}

static bool is_accepted(const char *head, const char *part, size_t times, const char *tail) {
    struct verdict ours;
    char *text = repeat(head, part, times, tail);
    parse_ours(text, strlen(text), &ours);
    free(text);
    return ours.is_ok;
}

static void nesting_and_length_are_bounded(void **state) {
    (void)state;
    assert_true(is_accepted("x = 1", " + 1", 1500, ""));
    assert_true(is_accepted("x = a", ".b", 1500, ""));
    assert_true(is_accepted("if a then ", "elseif b then ", 1500, "end"));
    assert_true(is_accepted("local a = {", "{1},", 30000, "}"));
    assert_true(is_accepted("", "f()\n", 20000, ""));
    static const char *const deep[] = {"x = (",      "x = {",    "do ", "x = -", "x = function() return ",
                                       "if a then ", "x = a .. "};
    for (size_t i = 0; i < AT_LENGTH(deep); i++)
        assert_false(
            is_accepted(deep[i], strncmp(deep[i], "x = ", 4) == 0 ? deep[i] + 4 : deep[i], 100000, ""));
    assert_false(is_accepted("x = 1", " + 1", 100000, ""));
    assert_false(is_accepted("x = a", ".b", 100000, ""));
    assert_false(is_accepted("x = a", "[1]", 100000, ""));
    assert_false(is_accepted("f", "()", 100000, ""));
    assert_false(is_accepted("if a then ", "elseif b then ", 100000, "end"));
}

static void nests_as_deep_as_lua(void **state) {
    (void)state;
    static const char *const opens[] = {"(", "{", "function() return ", "- "}, *const closes[] = {")", "}",
                                                                                                  " end", ""};
    for (size_t i = 0; i < AT_LENGTH(opens); i++) {
        char text[8192], *at = text + sprintf(text, "x = ");
        int depth = i == 2 ? 60 : 170;
        for (int n = 0; n < depth; n++) at += sprintf(at, "%s", opens[i]);
        at += sprintf(at, "1");
        for (int n = 0; n < depth; n++) at += sprintf(at, "%s", closes[i]);
        assert_true(agree(text, (size_t)(at - text)));
    }
}

static void two_hundred_locals_are_the_most(void **state) {
    (void)state;
    assert_true(agree("local a", 7));
    for (size_t count = 199; count <= 201; count++) {
        char *text = repeat("", "local a\n", count, "");
        assert_true(agree(text, strlen(text)));
        free(text);
        text = repeat("local function f() ", "local a ", count, "end");
        assert_true(agree(text, strlen(text)));
        free(text);
    }
    char *text = repeat("", "do local a, b end ", 300, "");
    assert_true(agree(text, strlen(text)));
    free(text);
    text = repeat("", "local a ", 195, "for i, j in x do end");
    assert_true(agree(text, strlen(text)));
    free(text);
}

/* ---- the tree ---- */

static void the_tree_of_a_rule(void **state) {
    (void)state;
    struct verdict ours;
    const char *text =
        "ranking \"c\" {\n  score = function(product, customer)\n    local fit = 0.4 * product.affinity\n"
        "    return fit + product.tags:contains 'sale'\n  end,\n}";
    parse_ours(text, strlen(text), &ours);
    assert_true(ours.is_ok);
    struct at_node *outer = ours.block->list->a;
    assert_int_equal(outer->kind, AT_NODE_CALL);
    assert_int_equal(outer->a->kind, AT_NODE_CALL);
    assert_true(at_text_is(outer->a->list->text, "c"));
    struct at_node *field = outer->list->list, *function = field->b;
    assert_true(field->is_dot && at_text_is(field->a->text, "score"));
    assert_int_equal(function->kind, AT_NODE_FUNCTION);
    assert_int_equal(function->line, 2);
    assert_int_equal(function->column, 11);
    struct at_node *locals = function->body->list, *result = locals->next;
    assert_true(locals->list->function == function);
    struct at_node *read = locals->list2->b;
    assert_int_equal(read->kind, AT_NODE_INDEX);
    assert_true(read->is_dot && read->a->binding == function->list);
    assert_int_equal(locals->list2->a->kind, AT_NODE_NUMBER);
    assert_true(locals->list2->a->number == 0.4);
    struct at_node *sum = result->list;
    assert_true(at_text_is(sum->text, "+") && sum->a->binding == locals->list);
    assert_int_equal(sum->b->kind, AT_NODE_METHOD);
    assert_true(at_text_is(sum->b->text, "contains") && at_text_is(sum->b->list->text, "sale"));
}

static void texts_and_numbers_have_their_values(void **state) {
    (void)state;
    static const char *const values[] = {"'a\\n\\65\\x42\\u{20AC}\\z  \n  c'",
                                         "[==[\nx]]y]==]",
                                         "\"\\\\\\\"\"",
                                         "0x10",
                                         "0xA.8p1",
                                         "1e2",
                                         "3",
                                         "0xffffffffffffffff",
                                         "9007199254740993"};
    for (size_t i = 0; i < AT_LENGTH(values); i++) {
        struct verdict ours;
        char text[200];
        snprintf(text, sizeof text, "return %s", values[i]);
        parse_ours(text, strlen(text), &ours);
        assert_true(ours.is_ok);
        assert_int_equal(luaL_dostring(lua, text), LUA_OK);
        struct at_node *value = ours.block->list->list;
        if (lua_type(lua, -1) == LUA_TNUMBER)
            assert_true(value->number == lua_tonumber(lua, -1));
        else {
            size_t length;
            const char *theirs = lua_tolstring(lua, -1, &length);
            assert_int_equal(value->text.length, length);
            assert_memory_equal(value->text.data, theirs, length);
        }
        lua_settop(lua, 0);
    }
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    const char *text = "local a = {b = 'c', function(d, ...) goto e; if d then return d.x:y(1) end ::e:: "
                       "end} for i = 1, 2 do end";
    for (size_t room = 0;; room += 64) {
        struct at_arena small;
        struct at_node *block;
        struct at_fault *faults;
        at_arena_init(&small, room);
        enum at_status status = at_parse(&small, at_text_of(text), &block, &faults);
        at_arena_clear(&small);
        if (status == AT_OK) break;
        assert_int_equal(status, AT_NOMEM);
        assert_true(!block && !faults);
        assert_true(room < 1 << 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_lua_accepts),
        cmocka_unit_test(refuses_what_lua_refuses_in_its_words),
        cmocka_unit_test(says_where_and_near_what),
        cmocka_unit_test(skips_a_mark_and_a_shebang),
        cmocka_unit_test(nesting_and_length_are_bounded),
        cmocka_unit_test(nests_as_deep_as_lua),
        cmocka_unit_test(two_hundred_locals_are_the_most),
        cmocka_unit_test(the_tree_of_a_rule),
        cmocka_unit_test(texts_and_numbers_have_their_values),
        cmocka_unit_test(out_of_memory_is_a_status),
    };
    RUN_WITH_PARSERS(tests);
}
