/* SPDX-License-Identifier: Apache-2.0
 *
 * Consent as it comes in with an event, and statements as JSON, in facts and profiles.
 */
#include "base/time.h"
#include "profile/consent.h"

#define EARLIEST_MS (-62135596800000LL)
#define LATEST_MS   253402300800000LL

static bool is_name(struct at_text text) {
    return text.length > 0 && text.length <= AT_CONSENT_NAME_MAX;
}

enum at_consent_object at_consent_object(struct at_json context, struct at_consent_said *out,
                                         uint32_t *count) {
    struct at_json consent = at_json_get(context, "consent");
    *count = 0;
    if (!consent.tape || at_json_is_null(consent)) return AT_CONSENT_ABSENT;
    struct at_json preferences = at_json_get(consent, "categoryPreferences");
    if (!at_json_is_object(preferences)) return AT_CONSENT_UNREADABLE;
    struct at_json_each it = at_json_each(preferences);
    while (at_json_next(&it)) {
        struct at_consent_said said = {it.key, false};
        bool is_read = *count < AT_CONSENT_OBJECT_MAX && is_name(it.key);
        if (!is_read || !at_json_bool(it.value, &said.is_granted)) {
            *count = 0;
            return AT_CONSENT_UNREADABLE;
        }
        out[(*count)++] = said;
    }
    return *count ? AT_CONSENT_READ : AT_CONSENT_NOTHING;
}

static void put_text(struct at_json_out *out, const char *name, struct at_text text) {
    if (text.length) at_json_add_text(out, name, text);
}

void at_consent_write(struct at_json_out *out, const struct at_consent_statement *said) {
    at_json_open(out, '{');
    at_json_add_text(out, "purpose", said->purpose);
    at_json_add_bool(out, "granted", said->is_granted);
    at_json_add_int(out, "at", said->at_ms);
    if (said->source) at_json_add_int(out, "source", (int64_t)said->source);
    if (said->expires_ms) at_json_add_int(out, "expires", said->expires_ms);
    if (said->is_confirmed) at_json_add_bool(out, "confirmed", true);
    if (said->is_signal) at_json_add_bool(out, "signal", true);
    put_text(out, "channel", said->channel);
    put_text(out, "said", said->said);
    put_text(out, "wording", said->wording);
    at_json_close(out, '}');
}

static bool read_text(struct at_json json, const char *name, size_t most, struct at_text *out) {
    struct at_json value = at_json_get(json, name);
    *out = at_json_is_string(value) ? at_json_text(value) : AT_TEXT("");
    return (!value.tape || at_json_is_string(value)) && out->length <= most;
}
static bool read_flag(struct at_json json, const char *name, bool *out) {
    struct at_json value = at_json_get(json, name);
    *out = false;
    return !value.tape || at_json_bool(value, out);
}
static bool read_moment(struct at_json json, const char *name, int64_t *out) {
    struct at_json value = at_json_get(json, name);
    *out = 0;
    return !value.tape ||
           (at_json_int(value, out) && *out >= EARLIEST_MS - AT_DAY_MS && *out <= LATEST_MS + AT_DAY_MS);
}

bool at_consent_parse(struct at_json json, struct at_consent_statement *out) {
    int64_t source = 0;
    *out = (struct at_consent_statement){0};
    bool is_read =
        at_json_is_object(json) && read_text(json, "purpose", AT_CONSENT_NAME_MAX, &out->purpose) &&
        out->purpose.length && read_text(json, "channel", AT_CONSENT_NAME_MAX, &out->channel) &&
        read_text(json, "said", AT_CONSENT_TEXT_MAX, &out->said) &&
        read_text(json, "wording", AT_CONSENT_TEXT_MAX, &out->wording) &&
        read_flag(json, "granted", &out->is_granted) && read_flag(json, "confirmed", &out->is_confirmed) &&
        read_flag(json, "signal", &out->is_signal) && read_moment(json, "at", &out->at_ms) &&
        read_moment(json, "expires", &out->expires_ms);
    struct at_json id = at_json_get(json, "source");
    if (id.tape && (!at_json_int(id, &source) || source < 0)) is_read = false;
    out->source = (uint64_t)source;
    return is_read && !(out->is_signal && out->is_granted) && !(out->is_confirmed && !out->is_granted);
}
