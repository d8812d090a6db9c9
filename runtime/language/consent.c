/* SPDX-License-Identifier: Apache-2.0
 *
 * What rules may ask about consent: customer.consent.PURPOSE is what the person said, customer:may "purpose"
 * what counts. Both ask profile/consent.h; and names that the shop never uses.
 */
#include <string.h>
#include "base/utf8.h"
#include "language/state.h"

static const struct at_profile *whole(const struct at_decision_view *view) {
    return view->whole ? view->whole : view->profile;
}

/* A purpose that nobody named is unknown and not allowed; one that is nearly a name is a slip. */
static void check_purpose(lua_State *L, const char *purpose) {
    const struct at_settings *settings = language_of(L)->settings;
    const char *names[AT_CONSENT_PURPOSES_MAX];
    if (!settings || !settings->consent.is_declared ||
        at_consent_is_named(&settings->consent, at_text_of(purpose)))
        return;
    for (uint32_t i = 0; i < settings->consent.purpose_count; i++)
        names[i] = settings->consent.purposes[i].name.data;
    const char *nearest = at_suggest(purpose, names, settings->consent.purpose_count);
    if (nearest)
        at_script_raise(L, "consent in shop.lua names no purpose \"%s\" — did you mean \"%s\"?", purpose,
                        nearest);
}

int index_consent(lua_State *L, const char *purpose) {
    const struct at_decision_view *view = language_of(L)->view;
    check_purpose(L, purpose);
    reads_until(L, at_consent_until(whole(view), view->now_ms));
    lua_pushstring(
        L, at_consent_word(at_consent_state(whole(view), at_text_of(purpose), AT_TEXT(""), view->now_ms)));
    return 1;
}

int l_may(lua_State *L) {
    struct at_language *language = language_of(L);
    static const struct at_consent_rules none = {0};
    const struct at_consent_rules *rules = language->settings ? &language->settings->consent : &none;
    uint32_t index;
    if (view_at(L, 1, &index) != VIEW_CUSTOMER || lua_type(L, 2) != LUA_TSTRING)
        return at_script_raise(L, "write customer:may \"personalization\"");
    const struct at_decision_view *view = language->view;
    const char *purpose = lua_tostring(L, 2);
    check_purpose(L, purpose);
    reads_until(L, at_consent_until(whole(view), view->now_ms));
    bool is_personalization = strcmp(purpose, "personalization") == 0;
    bool may = at_consent_allows(rules, whole(view), at_text_of(purpose), AT_TEXT(""),
                                 at_consent_region(whole(view)->country), view->now_ms);
    lua_pushboolean(L, may && !(is_personalization && view->is_plain)); /* the signal of this very request */
    return 1;
}

bool never_uses(lua_State *L, const char *group, const char *name) {
    const struct at_settings *settings = language_of(L)->settings;
    return settings && at_consent_never_uses(&settings->consent, at_text_of(group), at_text_of(name));
}
