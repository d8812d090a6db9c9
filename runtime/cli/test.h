/* SPDX-License-Identifier: Apache-2.0
 *
 * The tests of scripts that were built, for attune test and attune check. Both return an exit code.
 */
#ifndef AT_CLI_TEST_H
#define AT_CLI_TEST_H

#include "cli/cli.h"
#include "language/test.h"

/* Says each test, and the coverage where the call asks for it. */
int cli_test(const struct cli_call *call, const struct at_build *build,
             const struct at_generation *generation);
/* Says only what failed, and how many there were. */
int cli_check_tests(const struct cli_call *call, const struct at_build *build,
                    const struct at_generation *generation);

#endif
