/* SPDX-License-Identifier: Apache-2.0
 *
 * Linked to a test program that is built with a planted fault: ONLY=name runs that test of it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

__attribute__((constructor)) static void choose(void) {
    const char *name = getenv("ONLY");
    if (name) cmocka_set_test_filter(name);
}
