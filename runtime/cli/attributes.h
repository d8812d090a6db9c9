/* SPDX-License-Identifier: Apache-2.0
 *
 * Which attributes the products of a shop have: those that every shop knows, those of shop.lua, and what the
 * shop itself says where it can be asked.
 */
#ifndef AT_CLI_ATTRIBUTES_H
#define AT_CLI_ATTRIBUTES_H

#include "cli/cli.h"
#include "language/language.h"

struct cli_attributes { /* of a shop that was asked; zero at first */
    struct at_declared_attribute list[AT_ATTRIBUTE_MAX];
    uint32_t count;
    bool has_products; /* it has some: no other attribute is known */
};
/* False: it did not answer, or there is no memory; it was said. The texts are in the arena. */
bool cli_attributes_ask(const struct cli_call *call, struct cli_shop *shop, struct at_arena *arena,
                        struct cli_attributes *out);
/* A catalog without products that knows them all. settings: NULL: none. What both say otherwise is as
 * shop.lua says. */
enum at_status cli_attributes_catalog(const struct cli_attributes *attributes,
                                      const struct at_settings *settings, struct at_catalog **out,
                                      struct at_error *err) AT_MUST_CHECK;

#endif
