/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to language/: which owner of the vocabulary the values of a file belong to, where that is sure: the
 * parameters of a noun's functions by the noun's type, locals by their value, parameters of helpers by all
 * calls of them. A local that is assigned twice, or a function that is handed about, is not sure, and nothing
 * is said of it. Kept in the marks of LOCAL and FUNCTION nodes of the tree, which belongs to this alone.
 */
#ifndef AT_LANGUAGE_TYPES_H
#define AT_LANGUAGE_TYPES_H

#include "catalog/catalog.h"
#include "language/parse.h"
#include "language/vocabulary.h"

enum { TYPE_NONE, TYPE_UNSURE }; /* else an owner's place in the vocabulary × 2, + 1: a list of them */

struct known_function { /* that the load found to be a noun's: its signature */
    uint32_t from;      /* where it begins in the source */
    struct at_text signature;
};
struct typing {
    const struct at_root *root; /* whose attributes have kinds; may be NULL */
    const struct known_function *known;
    uint32_t known_count;
    bool has_changed;
};
/* Marks the whole tree. False: it is not settled (a file made for that), and type_of is sure of nothing. */
bool types_infer(struct typing *typing, struct at_node *block);
/* Whether the calls or the noun of this function of the tree are known. */
bool types_know_function(const struct at_node *function);

uint32_t type_of(const struct typing *typing, const struct at_node *node);
const struct at_owner *type_owner(uint32_t type); /* of one value; NULL: a list of them, or unsure */
/* Of what is called (a CALL's a), or of a METHOD: its type "fun(…)"; "" if it is none of the vocabulary's. */
struct at_text signature_of(const struct typing *typing, const struct at_node *call);
/* The owner of the fields of a table that stands where a value of that type is wanted; NULL: none. */
const struct at_owner *table_owner(struct at_text type);
/* Of a FIELD the key that is written out; "" else. */
struct at_text field_name(const struct at_node *field);

#endif
