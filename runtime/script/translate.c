/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua's own messages in words for people who do not program. What is not known stays as it is.
 */
#include "script/internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *lua, *words;
} known[] = {
    {"attempt to index a nil value (field '",
     "there is nothing in '%s' here, so nothing can be read from it"},
    {"attempt to index a nil value (local '",
     "there is nothing in '%s' here, so nothing can be read from it"},
    {"attempt to index a nil value (global '", "'%s' is not known"},
    {"attempt to index a nil value (upvalue '",
     "there is nothing in '%s' here, so nothing can be read from it"},
    {"attempt to call a nil value (field '", "there is no '%s' to call"},
    {"attempt to call a nil value (global '", "there is no word '%s'"},
    {"attempt to call a nil value (local '", "there is nothing in '%s' to call"},
    {"attempt to call a nil value (method '", "there is no ':%s' for this value"},
    {"attempt to perform arithmetic on a nil value (field '",
     "'%s' is missing here, so it cannot be calculated with: write :or_else(0)"},
    {"attempt to perform arithmetic on a nil value (local '",
     "'%s' is missing here, so it cannot be calculated with"},
    {"attempt to perform arithmetic on a nil value (global '",
     "'%s' is not known, so it cannot be calculated with"},
    {"attempt to compare nil with number",
     "a missing value is compared with a number: write :above, :below or :or_else"},
    {"attempt to compare number with nil",
     "a number is compared with a missing value: write :above, :below or :or_else"},
    {"attempt to compare two nil values", "two missing values are compared"},
    {"attempt to compare number with string", "a number is compared with a text"},
    {"attempt to compare string with number", "a text is compared with a number"},
    {"stack overflow", "a function calls itself without end"},
    {"C stack overflow", "this is nested too deeply"},
};

void at_script_translate(const char *in, char *out, size_t out_size) {
    char copy[1024];
    struct at_script_where where = {"", 0};
    snprintf(copy, sizeof copy, "%s", in);
    const char *rest = at_script_position_parse(copy, &where);
    const char *message = rest ? rest : copy;
    char words[512];
    snprintf(words, sizeof words, "%.500s", message);
    for (size_t i = 0; i < AT_LENGTH(known); i++) {
        size_t length = strlen(known[i].lua);
        if (strncmp(message, known[i].lua, length) != 0) continue;
        const char *name = message + length, *end = strchr(name, '\'');
        char short_name[80];
        snprintf(short_name, sizeof short_name, "%.*s", end && end - name < 79 ? (int)(end - name) : 0, name);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        snprintf(words, sizeof words, known[i].words, short_name);
#pragma GCC diagnostic pop
        break;
    }
    if (where.line)
        snprintf(out, out_size, "%s:%d: %s", where.path, where.line, words);
    else
        snprintf(out, out_size, "%s", words);
}
