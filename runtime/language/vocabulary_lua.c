/* SPDX-License-Identifier: Apache-2.0
 *
 * The methods of values, which mean the same for one product and for all, and the libraries of Lua that
 * scripts may use.
 */
#include "language/vocabulary_words.h"

#define SAMENESS                                                                                             \
    METHOD("is", "fun(other: any): boolean", "The same; of what is missing, no."),                           \
        METHOD("is_not", "fun(other: any): boolean", "Not the same; of what is missing, yes."),              \
        METHOD("or_else", "fun(value: any): any", "The value, or this where it is missing.")
#define CONTENT                                                                                              \
    METHOD("one_of", "fun(first: any, ...: any): boolean", "One of these: one_of { \"a\", \"b\" }."),        \
        METHOD("contains", "fun(text: string?): boolean",                                                    \
               "The list has this text; the text has this piece.")
#define ORDER                                                                                                \
    METHOD("above", "fun(other: Amount): boolean", "More than; of what is missing, no."),                    \
        METHOD("below", "fun(other: Amount): boolean", "Less than; of what is missing, no."),                \
        METHOD("at_least", "fun(other: Amount): boolean", "As much or more."),                               \
        METHOD("at_most", "fun(other: Amount): boolean", "As much or less."),                                \
        METHOD("between", "fun(low: Amount, high: Amount): boolean", "From low to high, both included.")

const struct at_word words_of_number[] = {ORDER, SAMENESS, CONTENT, END_OF_WORDS};
const struct at_word words_of_truth[] = {SAMENESS, END_OF_WORDS};
const struct at_word words_of_list[] = {SAMENESS, CONTENT, END_OF_WORDS};
const struct at_word words_of_nothing[] = {END_OF_WORDS};

#define OF_TEXTS(KIND, text, self)                                                                           \
    KIND("byte", "fun(" self "i?: number, j?: number): number?", "Codes of bytes."),                         \
        KIND("find", "fun(" self "pattern: string, init?: number, plain?: boolean): number?, number?, any",  \
             "Where a pattern begins and ends."),                                                            \
        KIND("format", "fun(" self "...: any): string",                                                      \
             "The text with values in place of %d, %s and so on."),                                          \
        KIND("gmatch", "fun(" self "pattern: string, init?: number): fun(): string?",                        \
             "Goes through all matches of a pattern."),                                                      \
        KIND("gsub", "fun(" self "pattern: string, replacement: any, n?: number): string, number",           \
             "The text with matches replaced."),                                                             \
        KIND("len", "fun(" text "): number", "How many bytes."),                                             \
        KIND("lower", "fun(" text "): string", "In small letters."),                                         \
        KIND("match", "fun(" self "pattern: string, init?: number): string?, any",                           \
             "What a pattern matches."),                                                                     \
        KIND("rep", "fun(" self "n: number, between?: string): string", "The text n times."),                \
        KIND("reverse", "fun(" text "): string", "Backwards."),                                              \
        KIND("sub", "fun(" self "i: number, j?: number): string", "The piece from i to j."),                 \
        KIND("upper", "fun(" text "): string", "In capitals.")

const struct at_word words_of_text[] = {ORDER, SAMENESS, CONTENT, OF_TEXTS(METHOD, "", ""), END_OF_WORDS};
const struct at_word words_of_string[] = {
    OF_TEXTS(FUNCTION, "text: string", "text: string, "),
    FUNCTION("char", "fun(...: number): string", "The text of these codes."), END_OF_WORDS};

const struct at_word words_of_math[] = {
    FUNCTION("abs", "fun(x: number): number", "Without its sign."),
    FUNCTION("acos", "fun(x: number): number", "The arc cosine."),
    FUNCTION("asin", "fun(x: number): number", "The arc sine."),
    FUNCTION("atan", "fun(y: number, x?: number): number", "The arc tangent."),
    FUNCTION("ceil", "fun(x: number): number", "Rounded up."),
    FUNCTION("cos", "fun(x: number): number", "The cosine."),
    FUNCTION("deg", "fun(x: number): number", "An angle in degrees."),
    FUNCTION("exp", "fun(x: number): number", "e to the power of x."),
    FUNCTION("floor", "fun(x: number): number", "Rounded down."),
    FUNCTION("fmod", "fun(x: number, y: number): number", "The remainder."),
    FIELD("huge", "number", "More than any number."),
    FUNCTION("log", "fun(x: number, base?: number): number", "The logarithm."),
    FUNCTION("max", "fun(x: number, ...: number): number", "The greatest."),
    FIELD("maxinteger", "number", "The greatest whole number."),
    FUNCTION("min", "fun(x: number, ...: number): number", "The least."),
    FIELD("mininteger", "number", "The least whole number."),
    FUNCTION("modf", "fun(x: number): number, number", "The whole part and the rest."),
    FIELD("pi", "number", "3.14159…"),
    FUNCTION("rad", "fun(x: number): number", "An angle in radians."),
    FUNCTION("sin", "fun(x: number): number", "The sine."),
    FUNCTION("sqrt", "fun(x: number): number", "The square root."),
    FUNCTION("tan", "fun(x: number): number", "The tangent."),
    FUNCTION("tointeger", "fun(x: any): number?", "The whole number it is, or nil."),
    FUNCTION("type", "fun(x: any): string?", "\"integer\", \"float\" or nil."),
    FUNCTION("ult", "fun(m: number, n: number): boolean", "Less than, without signs."),
    END_OF_WORDS};

const struct at_word words_of_table[] = {
    FUNCTION("concat", "fun(list: table, between?: string, i?: number, j?: number): string",
             "The texts of a list in one."),
    FUNCTION("insert", "fun(list: table, value: any, ...: any)", "Puts a value into a list."),
    FUNCTION("pack", "fun(...: any): table", "A list of the arguments."),
    FUNCTION("remove", "fun(list: table, at?: number): any", "Takes a value out of a list."),
    FUNCTION("sort", "fun(list: table, before?: function)", "Sorts a list in place."),
    FUNCTION("unpack", "fun(list: table, i?: number, j?: number): any", "The values of a list."),
    END_OF_WORDS};

const struct at_word words_of_utf8[] = {
    FUNCTION("char", "fun(...: number): string", "The text of these letters."),
    FIELD("charpattern", "string", "A pattern that matches one letter."),
    FUNCTION("codepoint", "fun(text: string, i?: number, j?: number): number", "The codes of letters."),
    FUNCTION("codes", "fun(text: string): fun(...: any): (number, number), string, number",
             "Goes through the letters of a text."),
    FUNCTION("len", "fun(text: string, i?: number, j?: number): number?", "How many letters."),
    FUNCTION("offset", "fun(text: string, n: number, i?: number): number?", "Where the n-th letter begins."),
    END_OF_WORDS};
