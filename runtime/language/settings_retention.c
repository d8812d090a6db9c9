/* SPDX-License-Identifier: Apache-2.0
 *
 * retention { page_viewed = "90d" } of shop.lua: for how long events of a kind are kept. What is not named is
 * kept for as long as its person.
 */
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"

static size_t count_known(const char *const *names) {
    size_t count = 0;
    while (names[count]) count++;
    return count;
}

/* Any name an event may have; one that nearly is a name of the standard is a slip. */
static void check_name(lua_State *L, const char *name) {
    const char *const *known = at_event_known_names();
    struct at_arena arena;
    at_arena_init(&arena, 4096);
    struct at_text canonical = at_event_canonical(&arena, at_text_of(name));
    bool is_canonical = canonical.length && at_text_is(canonical, name);
    char wanted[128] = "";
    if (canonical.length < sizeof wanted && canonical.length)
        memcpy(wanted, canonical.data, canonical.length);
    at_arena_clear(&arena);
    if (!is_canonical)
        at_script_raise(L, "retention: write \"%s\" as events are named inside: %s", name, wanted);
    if (strcmp(name, "consent_updated") == 0)
        at_script_raise(L,
                        "retention: what people agreed to is the proof of it and stays as long as they do");
    const char *nearest =
        at_event_is_known(at_text_of(name)) ? NULL : at_suggest(name, known, count_known(known));
    if (nearest)
        at_script_raise(L, "retention: no event is named \"%s\" — did you mean \"%s\"?", name, nearest);
}

static int64_t read_span(lua_State *L, const char *name) {
    struct at_error err = {0};
    size_t length = 0;
    int64_t span_ms = 0;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (!text) at_script_raise(L, "retention.%s must be a time like \"90d\"", name);
    if (at_span_parse(text, length, &span_ms, &err) != AT_OK)
        at_script_raise(L, "retention.%s: %s", name, err.message);
    if (span_ms < AT_DAY_MS) at_script_raise(L, "retention.%s must be a day or more", name);
    return span_ms;
}

static int by_name(const void *a, const void *b) {
    return at_text_order(((const struct at_retention *)a)->name, ((const struct at_retention *)b)->name);
}

void read_retention(lua_State *L, struct at_settings *settings) {
    struct at_retention *list = at_arena_zalloc(&settings->arena, AT_RETENTION_MAX * sizeof *list);
    uint32_t count = 0;
    if (!list) at_script_raise(L, "out of memory");
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        size_t length = 0;
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
        if (!name)
            at_script_raise(L, "retention is like { page_viewed = \"90d\", product_viewed = \"400d\" }");
        if (count == AT_RETENTION_MAX)
            at_script_raise(L, "retention names at most %d events", AT_RETENTION_MAX);
        check_name(L, name);
        list[count++] = (struct at_retention){settings_keep(L, settings, name, length), read_span(L, name)};
    }
    qsort(list, count, sizeof *list, by_name);
    settings->retention = list;
    settings->retention_count = count;
}
