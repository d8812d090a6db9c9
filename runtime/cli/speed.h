/* SPDX-License-Identifier: Apache-2.0
 *
 * attune check --speed: for each rule its way (all at once, compiled, product by product), what it costs for
 * 1,000 products, and for a slow one the line that makes it so and what to write instead.
 */
#ifndef AT_CLI_SPEED_H
#define AT_CLI_SPEED_H

#include "language/language.h"

/* The products are made up, of the standard's attributes and those that shop.lua declares: the cost is what
 * this machine takes for the rule's work, not for a look into a large catalog. Prints to standard output. */
enum at_status cli_say_speed(const struct at_generation *generation, const struct at_settings *settings,
                             struct at_guard *guard, struct at_error *err) AT_MUST_CHECK;

#endif
