/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua's own messages in words for people who do not program. language/ calls it for what a script raised and
 * for what does not compile. What is not known stays as it is; the position before it always does.
 */
#include "script/internal.h"

#include <stdio.h>
#include <string.h>

/* What Lua says, cut into its parts; the pointers are into the message. */
struct said {
    const char *value; /* "a nil value", "a table value": nil, table */
    int value_length;
    const char *kind; /* local global field method upvalue constant; "" if not said */
    int kind_length;
    const char *name;
    int name_length;
};

static const char *after(const char *text, const char *start) {
    size_t length = strlen(start);
    return strncmp(text, start, length) == 0 ? text + length : NULL;
}

/* "a nil value (field 'price')" */
static bool read_said(const char *text, struct said *out) {
    *out = (struct said){.kind = "", .name = ""};
    const char *value = after(text, "a "), *end = value ? strstr(value, " value") : NULL;
    if (!end) return false;
    out->value = value;
    out->value_length = (int)(end - value);
    const char *kind = after(end, " value ("), *quote = kind ? strstr(kind, " '") : NULL;
    const char *close = quote ? strstr(quote, "')") : NULL;
    if (!close) return true;
    out->kind = kind;
    out->kind_length = (int)(quote - kind);
    out->name = quote + 2;
    out->name_length = (int)(close - out->name);
    return true;
}

static bool is_kind(const struct said *said, const char *kind) {
    return (int)strlen(kind) == said->kind_length && strncmp(said->kind, kind, strlen(kind)) == 0;
}

static bool is_nil(const struct said *said) {
    return said->value_length == 3 && strncmp(said->value, "nil", 3) == 0;
}

/* A type of Lua's in everyday words, without its article. */
static const char *type_word(const char *type, int length) {
    static const char *const words[][2] = {{"string", "text"},       {"boolean", "yes or no"},
                                           {"table", "list"},        {"userdata", "thing of the shop"},
                                           {"nil", "missing value"}, {"light userdata", "thing of the shop"},
                                           {"number", "number"},     {"function", "function"}};
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if ((int)strlen(words[i][0]) == length && strncmp(words[i][0], type, (size_t)length) == 0)
            return words[i][1];
    return "value";
}

/* "'price'", or what to call a value without a name. */
static void name_value(const struct said *said, char *out, size_t out_size) {
    bool has_name = said->name_length && !(said->name_length == 1 && *said->name == '?');
    if (has_name)
        snprintf(out, out_size, "'%.*s'", said->name_length < 80 ? said->name_length : 80, said->name);
    else
        snprintf(out, out_size, said->kind_length ? "this place of the list" : "this value");
}

static void say_missing(const struct said *said, const char *purpose, char *out, size_t out_size) {
    char name[90];
    name_value(said, name, sizeof name);
    if (is_kind(said, "global"))
        snprintf(out, out_size, "%s is not known, so %s", name, purpose);
    else if (is_nil(said))
        snprintf(out, out_size, "there is nothing in %s here, so %s", name, purpose);
    else
        snprintf(out, out_size, "%s is a %s, so %s", name, type_word(said->value, said->value_length),
                 purpose);
}

static void say_call(const struct said *said, char *out, size_t out_size) {
    char name[90];
    name_value(said, name, sizeof name);
    if (is_kind(said, "for iterator"))
        snprintf(out, out_size, "the for loop goes over a %s: over a list it goes with ipairs(list)",
                 type_word(said->value, said->value_length));
    else if (!is_nil(said))
        snprintf(out, out_size, "%s is a %s and cannot be called: is an operator or a comma missing?", name,
                 type_word(said->value, said->value_length));
    else if (is_kind(said, "global"))
        snprintf(out, out_size, "there is no word %s", name);
    else if (is_kind(said, "method"))
        snprintf(out, out_size, "there is no ':%.*s' for this value", said->name_length, said->name);
    else
        snprintf(out, out_size, "there is no %s to call", name);
}

static bool translate_attempt(const char *message, char *out, size_t out_size) {
    static const struct {
        const char *start, *purpose;
    } verbs[] = {
        {"attempt to index ", "nothing can be read from it"},
        {"attempt to perform arithmetic on ",
         "it cannot be calculated with: if it may be missing, write `or 0`"},
        {"attempt to do arithmetic on ", "it cannot be calculated with: if it may be missing, write `or 0`"},
        {"attempt to concatenate ", "it cannot be joined with `..`: if it may be missing, write `or \"\"`"},
        {"attempt to get length of ", "`#` cannot count it"},
        {"attempt to perform bitwise operation on ",
         "it cannot be used with `&`, `|` or `~`: write `and`, `or`"},
    };
    struct said said;
    const char *rest = after(message, "attempt to call ");
    if (rest && read_said(rest, &said)) {
        say_call(&said, out, out_size);
        return true;
    }
    for (size_t i = 0; i < AT_LENGTH(verbs); i++) {
        rest = after(message, verbs[i].start);
        if (!rest || !read_said(rest, &said)) continue;
        say_missing(&said, verbs[i].purpose, out, out_size);
        return true;
    }
    return false;
}

/* "attempt to compare number with nil", "attempt to compare two table values" */
static bool translate_compare(const char *message, char *out, size_t out_size) {
    char left[24], right[24];
    const char *rest = after(message, "attempt to compare ");
    if (!rest) return false;
    if (sscanf(rest, "two %23s values", left) == 1) {
        bool nil = strcmp(left, "nil") == 0;
        if (nil)
            snprintf(out, out_size, "two missing values cannot be compared by size: test `if x then` first");
        else
            snprintf(out, out_size, "two values that are each a %s cannot be compared by size",
                     type_word(left, (int)strlen(left)));
        return true;
    }
    if (sscanf(rest, "%23s with %23s", left, right) != 2) return false;
    if (strcmp(left, "nil") == 0 || strcmp(right, "nil") == 0)
        snprintf(out, out_size,
                 "a missing value is compared with a %s: test it with `if x then`, or write `or 0`",
                 strcmp(left, "nil") == 0 ? type_word(right, (int)strlen(right))
                                          : type_word(left, (int)strlen(left)));
    else
        snprintf(out, out_size, "a %s is compared with a %s: only two numbers or two texts have an order",
                 type_word(left, (int)strlen(left)), type_word(right, (int)strlen(right)));
    return true;
}

/* "bad argument #1 to 'floor' (number expected, got nil)" */
static bool translate_argument(const char *message, char *out, size_t out_size) {
    int position, taken = 0;
    char name[64], wanted[40], got[40];
    if (sscanf(message, "bad argument #%d to '%63[^']' %n", &position, name, &taken) != 2 || !taken)
        return false;
    const char *why = message + taken;
    if (sscanf(why, "(%39s expected, got %39[^)])", wanted, got) == 2) {
        bool none = strcmp(got, "no value") == 0 || strcmp(got, "nil") == 0;
        snprintf(out, out_size, "%s needs a %s as value %d, but got %s%s", name,
                 type_word(wanted, (int)strlen(wanted)), position, none ? "" : "a ",
                 none ? "nothing" : type_word(got, (int)strlen(got)));
    } else
        snprintf(out, out_size, "value %d of %s is wrong %s", position, name, why);
    return true;
}

/* "'end' expected (to close 'if' at line 1) near …" */
static bool translate_unclosed(const char *message, char *out, size_t out_size) {
    char closer[12], opener[20];
    int line;
    if (sscanf(message, "'%11[^']' expected (to close '%19[^']' at line %d)", closer, opener, &line) != 3)
        return false;
    if (strcmp(closer, "end") != 0) /* a comma may be missing as well */
        snprintf(out, out_size, "the '%s' of line %d is not closed here: is a comma or a '%s' missing?",
                 opener, line, closer);
    else
        snprintf(
            out, out_size,
            "the '%s' of line %d has no `end`: an `end` is missing; after `else` write elseif, not else if",
            opener, line);
    return true;
}

/* What does not compile, by its beginning and what it stands near. */
static bool translate_syntax(const char *message, char *out, size_t out_size) {
    static const struct {
        const char *start, *near, *hint;
    } hints[] = {
        {"", "near '!'", "for \"not equal\" write ~=, for \"not\" write not"},
        {"unexpected symbol", "near '<\\226>'", "curly quotes do not work: write \" or '"},
        {"", "near '<\\194>'", "there is an invisible or special sign here: type the line anew"},
        {"unexpected symbol", "near '&'", "for \"and\" write and"},
        {"unexpected symbol", "near '|'", "for \"or\" write or"},
        {"syntax error", "near '+'", "to add to a value write x = x + 1"},
        {"syntax error", "near '-'", "to take from a value write x = x - 1"},
        {"'then' expected", "near '='", "to compare write =="},
        {"',' expected", "near 'to'", "write for i = 1, 3 do"},
        {"'=' or 'in' expected", "near 'to'", "write for i = 1, 3 do"},
        {"'}' expected", "near ", "is a comma missing before it?"},
        {"')' expected", "near ", "is a comma or a closing ) missing before it?"},
        {"'end' expected", "near <eof>", "an `end` is missing; after `else` write elseif, not else if"},
        {"'<eof>' expected", "near 'end'", "there is one `end` too many"},
        {"'=' or 'in' expected", "near ", "write for i = 1, 3 do, or for _, x in ipairs(list) do"},
        {"unfinished string", "near ", "a closing quote is missing on this line"},
        {"malformed number", "near ", "a number has digits and one point only: 1234.5"},
        {"'then' expected", "near ", "after the condition of an if comes then"},
        {"'do' expected", "near ", "after for … or while … comes do"},
    };
    for (size_t i = 0; i < AT_LENGTH(hints); i++) {
        if (!after(message, hints[i].start) || !strstr(message, hints[i].near)) continue;
        snprintf(out, out_size, "%.700s — %s", message, hints[i].hint);
        return true;
    }
    return false;
}

static bool translate_limit(const char *message, char *out, size_t out_size) {
    static const struct {
        const char *lua, *words;
    } limits[] = {
        {"stack overflow", "a function calls itself without end"},
        {"C stack overflow", "this is nested too deeply"},
        {"error in error handling", "a function calls itself without end"},
        {"attempt to yield across a C-call boundary",
         "a step that waits cannot be used inside sort or gsub: do it in a plain loop"},
        {"number has no integer representation", "a whole number is needed here: use math.floor"},
        {"attempt to divide by zero", "a whole number is divided by zero"},
        {"attempt to perform 'n//0'", "a whole number is divided by zero"},
        {"attempt to perform 'n%", "the remainder of a division by zero was asked for"},
        {"bad 'for' initial value", "the first value of the for loop is not a number"},
        {"bad 'for' limit", "the last value of the for loop is not a number"},
        {"bad 'for' step", "the step of the for loop is not a number"},
        {"'for' step is zero", "the step of the for loop is zero: it would never end"},
        {"table index is nil", "a missing value cannot be a key of a table"},
        {"index is nil", "a missing value cannot be a key of a table"},
        {"table index is NaN",
         "what came out of a calculation that has no result cannot be a key of a table"},
        {"attempt to yield from outside a coroutine", "a step that waits belongs in a flow"},
        {"invalid order function for sorting",
         "the function given to sort does not say which of two comes first: answer with a < b"},
        {"assertion failed!", "an assert does not hold"},
    };
    for (size_t i = 0; i < AT_LENGTH(limits); i++)
        if (after(message, limits[i].lua)) {
            snprintf(out, out_size, "%s", limits[i].words);
            return true;
        }
    return false;
}

void at_script_translate(const char *in, char *out, size_t out_size) {
    char copy[1024], words[1024];
    struct at_script_where where = {"", 0};
    if (!out_size) return;
    snprintf(copy, sizeof copy, "%s", in); /* out may be in */
    const char *rest = at_script_position_parse(copy, &where);
    const char *message = rest ? rest : copy;
    bool is_known =
        translate_attempt(message, words, sizeof words) || translate_compare(message, words, sizeof words) ||
        translate_argument(message, words, sizeof words) ||
        translate_unclosed(message, words, sizeof words) || translate_syntax(message, words, sizeof words) ||
        translate_limit(message, words, sizeof words);
    const char *said = is_known ? words : message;
    if (where.line)
        snprintf(out, out_size, "%s:%d: %s", where.path, where.line, said);
    else
        snprintf(out, out_size, "%s", said);
}
