/* SPDX-License-Identifier: Apache-2.0
 *
 * Words that stand by themselves: nouns, functions of the language, what scripts may use of Lua, and the
 * nouns of shop.lua.
 */
#include "language/vocabulary_words.h"

#define LATER_NOUN(name, says)     LATER(AT_WORD_NOUN, name, says)
#define LATER_FUNCTION(name, says) LATER(AT_WORD_FUNCTION, name, says)
#define LATER_SETTING(name, says)  LATER(AT_WORD_SETTING, name, says)

const struct at_word words_of_globals[] = {
    /* nouns of scripts */
    NOUN("ranking", "fun(name: string): fun(fields: Ranking)",
         "A list: the score of a product for this customer on this page."),
    NOUN("rail", "fun(name: string): fun(fields: Rail)", "A guarantee that holds whatever a ranking says."),
    NOUN("segment", "fun(name: string): fun(fields: Segment)",
         "A group of customers, kept up to date as events arrive and time passes."),
    LATER_NOUN("recommendation", "Products that go with another."),
    LATER_NOUN("search", "What a search looks at and how it sorts."),
    LATER_NOUN("creative", "Variants of a text or a picture, of which one is chosen."),
    LATER_NOUN("offer", "A discount with codes and limits."),
    LATER_NOUN("generate", "Copy written by a model, approved by a person."),
    LATER_NOUN("experiment", "A measured comparison of arms."),
    LATER_NOUN("metric", "A figure of the shop's own."),
    LATER_NOUN("flow", "The story of one customer, over months."), LATER_NOUN("channel", "A way to send."),
    LATER_NOUN("assistant", "A chat on the page."),
    NOUN("test", "fun(name: string): fun(fields: Test)", "What must hold, tried before every publish."),

    /* the same for one product and for all */
    COLUMNS("when", "fun(condition: any, yes: any, no?: any): any",
            "yes if the condition holds, else no; 0 if no is left out."),
    COLUMNS("all", "fun(...: any): boolean", "Whether every condition holds."),
    COLUMNS("any", "fun(...: any): boolean", "Whether one condition holds."),
    COLUMNS("no", "fun(...: any): boolean", "Whether no condition holds."),
    COLUMNS("min", "fun(first: Amount?, ...: Amount?): number?", "The least; what is missing is left out."),
    COLUMNS("max", "fun(first: Amount?, ...: Amount?): number?",
            "The greatest; what is missing is left out."),
    COLUMNS("clamp", "fun(value: Amount?, low: Amount, high: Amount): number?",
            "The value, no lower than low and no higher than high; of what is missing, missing."),
    COLUMNS("log", "fun(value: Amount?): number?", "The natural logarithm."),
    COLUMNS("sqrt", "fun(value: Amount?): number?", "The square root."),
    COLUMNS("normalize", "fun(value: number?): number?",
            "The value among those of all candidates: 0 is the least, 1 the greatest."),
    COLUMNS("rank_of", "fun(value: number?): number?",
            "The place of the value among those of all candidates, from 1."),

    /* times */
    FUNCTION("seconds", "fun(count: number): Span", "A time: seconds(90) is \"90s\"."),
    FUNCTION("minutes", "fun(count: number): Span", "A time: minutes(30) is \"30m\"."),
    FUNCTION("hours", "fun(count: number): Span", "A time: hours(1) is \"1h\"."),
    FUNCTION("days", "fun(count: number): Span", "A time: days(7) is \"7d\"."),
    FUNCTION("weeks", "fun(count: number): Span", "A time: weeks(6) is \"6w\"."),
    FUNCTION("now", "fun(): Moment", "The moment of this decision."),
    FUNCTION("require", "fun(name: string): any",
             "Your own module: require \"lib.prices\" is what scripts/lib/prices.lua returns."),

    LATER_FUNCTION("wait", "Sleep within a flow."), LATER_FUNCTION("wait_until", "Sleep until a moment."),
    LATER_FUNCTION("wait_for", "Wait for an event."),
    LATER_FUNCTION("wait_any", "Wait for what comes first."),
    LATER_FUNCTION("set_trait", "Write a trait of the customer."), LATER_FUNCTION("track", "Write an event."),
    LATER_FUNCTION("remember", "Keep a value for the journey."),
    LATER_FUNCTION("undo", "What to do when a journey is cancelled."),
    LATER_FUNCTION("restart_with", "Begin the journey anew."),
    LATER_FUNCTION("learn", "Let a bandit choose."), LATER_FUNCTION("generated", "Approved copy."),
    LATER_FUNCTION("event", "An event to wait for."), LATER_FUNCTION("after", "A time to wait for."),
    LATER_FUNCTION("entered", "Entering a segment."), LATER_FUNCTION("left", "Leaving a segment."),
    LATER_FUNCTION("date", "A day of the customer's."),
    LATER_FUNCTION("bought_together", "What is bought with a product."),
    LATER_FUNCTION("similar_to", "What looks like a product."),
    LATER_FUNCTION("secret", "A secret of shop.lua."),
    FUNCTION("expect", "fun(value: any): Expectation", "In a test: what is expected of the value."),
    LATER_FUNCTION("random", "A number keyed by customer, declaration and draw."),
    LATER_FUNCTION("send", "Send a message."), LATER_FUNCTION("http", "Call another system."),

    /* of Lua */
    OF_LUA("assert", "fun(value: any, message?: any): any", "Fails unless the value is true."),
    OF_LUA("error", "fun(message: any, level?: number)", "Fails with a message."),
    OF_LUA("ipairs", "fun(list: any): fun(...: any): (number, any), any, number",
           "Goes through a list in order: for i, item in ipairs(list) do."),
    OF_LUA("next", "fun(values: table, key?: any): any, any", "The next key of a table, in sorted order."),
    OF_LUA("pairs", "fun(values: table): fun(...: any): (any, any), table, any",
           "Goes through a table in sorted order: for key, value in pairs(values) do."),
    OF_LUA("pcall", "fun(f: function, ...: any): boolean, any", "Calls f and says whether it failed."),
    OF_LUA("print", "fun(...: any)", "Writes to the log of the server."),
    OF_LUA("select", "fun(n: number|string, ...: any): any", "The arguments from the n-th on."),
    OF_LUA("tonumber", "fun(value: any, base?: number): number?", "The number a text says."),
    OF_LUA("tostring", "fun(value: any): string", "The value as text."),
    OF_LUA("type", "fun(value: any): string", "What kind of value it is, of Lua."),
    OF_LUA("xpcall", "fun(f: function, handler: function, ...: any): boolean, any",
           "As pcall; the handler makes what is returned of the failure."),
    LIBRARY("math", "mathlib", "Functions of numbers."),
    LIBRARY("string", "stringlib", "Functions of texts."),
    LIBRARY("table", "tablelib", "Functions of lists."), LIBRARY("utf8", "utf8lib", "Functions of letters."),

    /* nouns of shop.lua */
    SETTING("shop", "fun(name: string): fun(fields: Shop)",
            "What the shop is called, and its money and zone."),
    SETTING("keys", "fun(fields: Keys)", "Who may call."),
    SETTING("attributes", "fun(fields: Attributes)", "Attributes of products that no feed has brought yet."),
    SETTING("consent", "fun(fields: ConsentRules)", "What people must agree to."),
    SETTING("identity", "fun(fields: Identity)", "Who is one person."),
    SETTING("retention", "fun(fields: Retention)", "For how long events of a kind are kept."),
    SETTING("sources", "fun(fields: Sources)", "Systems that send what happens by signed webhooks."),
    SETTING("budgets", "fun(fields: Budgets)", "What scripts may take before they are stopped."),
    SETTING("env", "fun(name: string): string", "The value of a variable of the environment."),
    SETTING("file", "fun(path: string): string", "The text of a file beside shop.lua."),
    LATER_SETTING("email", "How mail leaves."), LATER_SETTING("models", "Models that write and compare."),
    LATER_SETTING("secrets", "Secrets of channels."),
    LATER_SETTING("markets", "Countries with a currency and languages of their own."), END_OF_WORDS};
