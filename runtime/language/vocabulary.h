/* SPDX-License-Identifier: Apache-2.0
 *
 * Every word of the language, once: what a script and shop.lua may name, where, of which type, since when,
 * and what it was called before. From this table come the names a check knows and suggests, what the runtime
 * refuses by name, the completion of editors (stubs.c) and docs/reference/. What a word does stays where it
 * is done: a test walks a real state and holds the two against each other, in both directions.
 *
 * To add a field, a method or an option: a row in its owner's list. To add a noun: a row among the globals
 * ("fun(name: string): fun(fields: Flow)"), an owner of its fields, and its declare function in nouns.c.
 * To rename a word: put the old name in `was`. For one minor version the runtime takes both and the check
 * warns, with the new name as its fix.
 */
#ifndef AT_LANGUAGE_VOCABULARY_H
#define AT_LANGUAGE_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"

enum at_word_kind {
    AT_WORD_FIELD,    /* read with a dot: customer.country */
    AT_WORD_METHOD,   /* asked with a colon: customer:did "…"; its type leaves the first argument out */
    AT_WORD_FUNCTION, /* called: when(…), math.floor(…) */
    AT_WORD_OPTION,   /* written by the merchant in a table: score = …, within = … */
    AT_WORD_NOUN,     /* declares in a script: ranking "name" { … } */
    AT_WORD_SETTING,  /* declares in shop.lua: keys { … } */
    AT_WORD_LIBRARY,  /* a table of functions: math */
};
/* Types are written as editors read them (LuaLS): "number", "string?", "Item[]", an owner ("Orders"), an
 * alias
 * ("Time"), "fun(name: EventName, options?: Window): number". One spelling for stubs, reference and check. */
struct at_word {
    const char *name;
    enum at_word_kind kind;
    const char *type;
    const char *says;   /* one line for people */
    const char *since;  /* "0.1"; NULL: of a later version, and refused by name */
    const char *was;    /* its name before; NULL: it always had this one */
    bool is_required;   /* an option without which the table is refused */
    bool is_idle;       /* it is there, and 0 until what learns it comes */
    bool takes_columns; /* a function that means the same for one product and for all */
    bool is_lua;        /* of Lua itself: shop.lua may name it, too */
};

enum at_owner_kind {
    AT_OWNER_GLOBALS, /* the one without a class */
    AT_OWNER_VIEW,    /* what scripts read */
    AT_OWNER_TABLE,   /* what merchants write: fields of a noun, options of a method */
    AT_OWNER_LIBRARY, /* math, string, … */
    AT_OWNER_VALUE,   /* a number, a text, …: its methods */
};
struct at_owner {
    const char *class_name; /* "Orders"; "number" */
    enum at_owner_kind kind;
    const char *called; /* in messages: "customer.orders", "a ranking" */
    const char *says;
    const struct at_word *words; /* up to one without a name */
    const char *rest;            /* the type of every name that is not listed; NULL: there is no other */
    const char *rest_names;      /* which names those are: an alias ("Attribute"); NULL: any */
};
struct at_alias { /* a name for a plain type that says what is meant */
    const char *name, *type, *says;
};

/* The table: up to one without words; the globals first. Constant. */
const struct at_owner *at_vocabulary(void);
const struct at_alias *at_vocabulary_aliases(void); /* up to one without a name */

const struct at_owner *at_owner_of(struct at_text class_name); /* NULL: there is none */
/* By its name or by its name before; NULL: unknown. */
const struct at_word *at_word_of(const struct at_owner *owner, struct at_text name);
bool at_word_is_old(const struct at_word *word, struct at_text name); /* it goes by another name now */
/* The nearest word of this version, or NULL. more: names that are known besides. */
const char *at_word_near(const struct at_owner *owner, const char *name, const char *const *more,
                         size_t more_count);
#define AT_WORDS_MAX 400 /* of one owner, with what is known besides */

/* ---- types ---- */
struct at_parameter {
    struct at_text name, type; /* name "..." of the rest */
    bool is_optional;
};
/* The i-th parameter of "fun(…)…", from 0; false: there is none, or it is no function. */
bool at_type_parameter(struct at_text type, uint32_t i, struct at_parameter *out);
struct at_text at_type_result(struct at_text type); /* of "fun(…): T" the T; "" if it gives nothing */
/* The i-th of "string?, number". False: there is none. */
bool at_type_piece(struct at_text list, uint32_t i, struct at_text *out);
/* "Item[]?" → "Item", with is_list; unions and functions as they are. */
struct at_text at_type_core(struct at_text type, bool *is_list);
/* The core with aliases followed to their end: "Moment?" → "number", "Intent" → "string". */
struct at_text at_type_plain(struct at_text type, bool *is_list);
/* Of "\"browse\"|\"buy\"", or an alias for it, the texts; how many, at most so many. 0: any is possible. */
uint32_t at_type_choices(struct at_text type, struct at_text *out, uint32_t most);

#endif
