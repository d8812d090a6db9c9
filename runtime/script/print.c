/* SPDX-License-Identifier: Apache-2.0
 *
 * print: what scripts print is kept in a ring of 200 lines of at most 500 bytes for `attune check` and the
 * log. The state owns the lines until at_script_take_prints. Out of memory: the line is lost, nothing else.
 */
#include "script/internal.h"

#include <stdlib.h>
#include <string.h>

static void keep_line(struct at_script *script, const char *text, size_t length) {
    char *line = malloc(length + 1);
    if (!line) return;
    memcpy(line, text, length);
    line[length] = '\0';
    unsigned slot = (script->print_first + script->print_count) % AT_SCRIPT_PRINTS_MAX;
    if (script->print_count < AT_SCRIPT_PRINTS_MAX)
        script->print_count++;
    else
        script->print_first = (script->print_first + 1) % AT_SCRIPT_PRINTS_MAX;
    free(script->prints[slot]);
    script->prints[slot] = line;
}

/* Adds as much as fits; cuts before a letter, not inside it. */
static size_t add_text(char *line, size_t length, const char *text, size_t text_length) {
    size_t room = AT_SCRIPT_PRINT_BYTES - length;
    if (text_length > room) {
        text_length = room;
        while (text_length && ((unsigned char)text[text_length] & 0xC0) == 0x80) text_length--;
    }
    memcpy(line + length, text, text_length);
    return length + text_length;
}

int at_script_print(lua_State *L) {
    char line[AT_SCRIPT_PRINT_BYTES];
    size_t length = 0, text_length;
    int count = lua_gettop(L);
    for (int i = 1; i <= count && length < sizeof(line); i++) {
        const char *text = at_script_push_text(L, i, &text_length);
        if (i > 1) length = add_text(line, length, "\t", 1);
        length = add_text(line, length, text, text_length);
        lua_pop(L, 1);
    }
    keep_line(at_script_of(L), line, length);
    return 0;
}

void at_script_take_prints(struct at_script *script, void (*fn)(void *arg, const char *line), void *arg) {
    while (script->print_count) {
        char *line = script->prints[script->print_first];
        script->prints[script->print_first] = NULL;
        script->print_first = (script->print_first + 1) % AT_SCRIPT_PRINTS_MAX;
        script->print_count--;
        if (fn) fn(arg, line);
        free(line);
    }
}
