/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing one event: who, what, when. Every refusal names the field.
 */
#include "profile/event.h"

#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "profile/names.h"
#include "profile/parse.h"

#define MESSAGE_ID_MAX 100
#define MEMBERS_MAX    300
#define FUTURE_MAX_MS  AT_DAY_MS
#define CLOCK_MAX_MS   AT_MINUTE_MS
#define EARLIEST_MS    (-62135596800000LL) /* 0001-01-01 */

struct at_json member_of(struct at_json json, const char *name, const char *other) {
    struct at_json value = at_json_get(json, name);
    return value.tape || !other ? value : at_json_get(json, other);
}

/* ---- what an event is asked for, found in one pass; behind a name its other spelling ---- */

enum part {
    PART_TYPE,
    PART_EVENT,
    PART_NAME,
    PART_ANONYMOUS_ID,
    PART_USER_ID = PART_ANONYMOUS_ID + 2,
    PART_PREVIOUS_ID = PART_USER_ID + 2,
    PART_GROUP_ID = PART_PREVIOUS_ID + 2,
    PART_MESSAGE_ID = PART_GROUP_ID + 2,
    PART_ORIGINAL = PART_MESSAGE_ID + 2,
    PART_SENT = PART_ORIGINAL + 2,
    PART_TIMESTAMP = PART_SENT + 2,
    PART_PROPERTIES,
    PART_TRAITS,
    PART_CONTEXT,
    PARTS
};
_Static_assert(PARTS == EVENT_PARTS, "there is room for each");

static const struct at_text parts[PARTS] = {[PART_TYPE] = AT_TEXT_OF_TABLE("type"),
                                            [PART_EVENT] = AT_TEXT_OF_TABLE("event"),
                                            [PART_NAME] = AT_TEXT_OF_TABLE("name"),
                                            [PART_ANONYMOUS_ID] = AT_TEXT_OF_TABLE("anonymousId"),
                                            [PART_ANONYMOUS_ID + 1] = AT_TEXT_OF_TABLE("anonymous_id"),
                                            [PART_USER_ID] = AT_TEXT_OF_TABLE("userId"),
                                            [PART_USER_ID + 1] = AT_TEXT_OF_TABLE("user_id"),
                                            [PART_PREVIOUS_ID] = AT_TEXT_OF_TABLE("previousId"),
                                            [PART_PREVIOUS_ID + 1] = AT_TEXT_OF_TABLE("previous_id"),
                                            [PART_GROUP_ID] = AT_TEXT_OF_TABLE("groupId"),
                                            [PART_GROUP_ID + 1] = AT_TEXT_OF_TABLE("group_id"),
                                            [PART_MESSAGE_ID] = AT_TEXT_OF_TABLE("messageId"),
                                            [PART_MESSAGE_ID + 1] = AT_TEXT_OF_TABLE("message_id"),
                                            [PART_ORIGINAL] = AT_TEXT_OF_TABLE("originalTimestamp"),
                                            [PART_ORIGINAL + 1] = AT_TEXT_OF_TABLE("original_timestamp"),
                                            [PART_SENT] = AT_TEXT_OF_TABLE("sentAt"),
                                            [PART_SENT + 1] = AT_TEXT_OF_TABLE("sent_at"),
                                            [PART_TIMESTAMP] = AT_TEXT_OF_TABLE("timestamp"),
                                            [PART_PROPERTIES] = AT_TEXT_OF_TABLE("properties"),
                                            [PART_TRAITS] = AT_TEXT_OF_TABLE("traits"),
                                            [PART_CONTEXT] = AT_TEXT_OF_TABLE("context")};

/* In either spelling. */
static struct at_json either(const struct parsing *parsing, enum part part) {
    return parsing->parts[part].tape ? parsing->parts[part] : parsing->parts[part + 1];
}

struct at_text trim(struct at_text text) {
    while (text.length && is_space(text.data[0])) text = (struct at_text){text.data + 1, text.length - 1};
    while (text.length && is_space(text.data[text.length - 1])) text.length--;
    return text;
}

struct at_text plain_text(struct parsing *parsing, struct at_json value) {
    if (at_json_is_string(value)) return trim(at_json_text(value));
    if (at_json_type(value) != AT_JSON_NUMBER) return (struct at_text){"", 0};
    int64_t whole;
    char *text = NULL;
    if (at_json_int(value, &whole))
        text = at_arena_printf(parsing->arena, "%lld", (long long)whole);
    else { /* as JSON writes it: the shortest decimal text */
        struct at_bytes bytes;
        at_bytes_init(&bytes, 64);
        struct at_json_out out = at_json_out(&bytes);
        at_json_put_value(&out, value);
        if (!bytes.failed) text = at_arena_dup(parsing->arena, bytes.data, bytes.length);
        at_bytes_clear(&bytes);
    }
    parsing->is_out_of_memory |= !text;
    return at_text_of(text ? text : "");
}

static enum at_status read_id(struct parsing *parsing, enum part part, struct at_text *out) {
    const char *name = parts[part].data;
    *out = plain_text(parsing, either(parsing, part));
    if (out->length > ID_MAX)
        return at_fail_field(parsing->err, AT_INVALID, "id_too_long", name, "%s may have %d bytes", name,
                             ID_MAX);
    if (at_identity_is_blocked(parsing->rules, *out)) *out = (struct at_text){"", 0};
    return AT_OK;
}

/* ---- type and name ---- */

static enum at_status read_type(struct parsing *parsing) {
    static const struct {
        struct at_text word;
        enum at_event_type type;
    } types[] = {
        {AT_TEXT_OF_TABLE("identify"), AT_EVENT_IDENTIFY}, {AT_TEXT_OF_TABLE("track"), AT_EVENT_TRACK},
        {AT_TEXT_OF_TABLE("page"), AT_EVENT_PAGE},         {AT_TEXT_OF_TABLE("screen"), AT_EVENT_SCREEN},
        {AT_TEXT_OF_TABLE("group"), AT_EVENT_GROUP},       {AT_TEXT_OF_TABLE("alias"), AT_EVENT_ALIAS}};
    struct at_event *event = parsing->event;
    struct at_text word = parsing->defaults->type;
    if (!word.length) word = at_json_text(parsing->parts[PART_TYPE]);
    if (!word.length)
        return at_fail_field(
            parsing->err, AT_INVALID, "no_type", "type",
            "an event in a batch needs a type: identify, track, page, screen, group or alias");
    for (size_t i = 0; i < AT_LENGTH(types); i++)
        if (at_text_equal(word, types[i].word)) {
            event->type = types[i].type;
            event->type_word = types[i].word;
            return AT_OK;
        }
    return at_fail_field(parsing->err, AT_INVALID, "unknown_type", "type",
                         "\"%.*s\" is no type of event: identify, track, page, screen, group or alias",
                         (int)(word.length < 60 ? word.length : 60), word.data);
}

static enum at_status read_name(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    event->event = (struct at_text){"", 0};
    switch (event->type) {
    case AT_EVENT_TRACK:
        event->event = plain_text(parsing, parsing->parts[PART_EVENT]);
        if (!event->event.length)
            return at_fail_field(parsing->err, AT_INVALID, "no_event", "event",
                                 "track needs the event's name: \"event\":\"Product Viewed\"");
        if (event->event.length > ID_MAX)
            return at_fail_field(parsing->err, AT_INVALID, "event_too_long", "event",
                                 "an event's name may have %d bytes", ID_MAX);
        event->name = at_event_canonical(parsing->arena, event->event);
        if (!event->name.data) return at_fail(parsing->err, AT_NOMEM, NULL, "out of memory");
        if (at_event_is_own(event->name))
            return at_fail_field(parsing->err, AT_INVALID, "own_event", "event",
                                 "%.*s is written by attune itself: call yours by another name",
                                 (int)event->name.length, event->name.data);
        return AT_OK;
    case AT_EVENT_PAGE:
    case AT_EVENT_SCREEN:
        event->event = plain_text(parsing, parsing->parts[PART_NAME]);
        event->name = event->type == AT_EVENT_PAGE ? AT_TEXT("page_viewed") : AT_TEXT("screen_viewed");
        return AT_OK;
    case AT_EVENT_IDENTIFY: event->name = AT_TEXT("identified"); return AT_OK;
    case AT_EVENT_GROUP: event->name = AT_TEXT("grouped"); return AT_OK;
    default: event->name = AT_TEXT("aliased"); return AT_OK;
    }
}

/* ---- parts ---- */

static enum at_status check_part(struct parsing *parsing, const char *name, struct at_json part) {
    if (!part.tape) return AT_OK;
    if (!at_json_is_object(part))
        return at_fail_field(parsing->err, AT_INVALID, "not_an_object", name, "%s is an object", name);
    uint32_t count = at_json_count(part);
    if (count > MEMBERS_MAX)
        return at_fail_field(parsing->err, AT_INVALID, "too_many_members", name,
                             "%s may have %d members, these are %u", name, MEMBERS_MAX, count);
    return AT_OK;
}

static enum at_status read_part(struct parsing *parsing, enum part part, struct at_json *out) {
    *out = parsing->parts[part];
    if (at_json_is_null(*out)) *out = (struct at_json){0};
    return check_part(parsing, parts[part].data, *out);
}

/* Whether a value needs more than limit bytes as text, give or take its escapes; looks no further than that.
 */
static bool is_larger(struct at_json value, size_t limit) {
    uint32_t end = at_json_after(value);
    size_t bytes = 0;
    for (; value.at < end && bytes <= limit; bytes += 2) {
        char tag = at_json_tag(value);
        bytes += at_json_text(value).length;
        value.at = tag == '{' || tag == '[' ? value.at + 1 : at_json_after(value);
    }
    return bytes > limit;
}

/* The event's own context, or else the batch's, which then is stored with it: so it is bounded like one. */
static enum at_status read_context(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    enum at_status status = read_part(parsing, PART_CONTEXT, &event->context);
    if (status != AT_OK) return status;
    struct at_json batch = parsing->defaults->context;
    if (!event->context.tape && batch.tape && !at_json_is_null(batch)) {
        if (is_larger(batch, AT_EVENT_BYTES_MAX))
            return at_fail_field(parsing->err, AT_INVALID, "context_too_big", "context",
                                 "the context of a batch may have %d KiB, this one is larger",
                                 AT_EVENT_BYTES_MAX / 1024);
        event->context = batch;
        status = check_part(parsing, "context", batch);
        if (status != AT_OK) return status;
    }
    struct at_json traits = at_json_get(event->context, "traits");
    return at_json_is_object(traits) ? check_part(parsing, "context.traits", traits) : AT_OK;
}

/* ---- time ---- */

bool at_event_moment(struct at_json value, int64_t *ms, struct at_error *err) {
    struct at_text text = at_json_text(value);
    double number;
    if (text.data) return at_time_parse(text.data, text.length, ms, err) == AT_OK;
    if (!at_json_number(value, &number) || number <= 1e11 || number >= 1e14) return false;
    *ms = (int64_t)number;
    return true;
}

int64_t at_event_moment_of(struct at_json json, const char *name, const char *other) {
    int64_t ms = 0;
    struct at_json value = at_json_get(json, name);
    if (!value.tape) value = at_json_get(json, other);
    return at_event_moment(value, &ms, NULL) ? ms : 0;
}

static enum at_status read_moment(struct parsing *parsing, struct at_json value, const char *name,
                                  int64_t *out, bool *is_given) {
    struct at_error why = {0};
    *is_given = value.tape && !at_json_is_null(value);
    if (!*is_given || at_event_moment(value, out, &why)) return AT_OK;
    return at_fail_field(parsing->err, AT_INVALID, "bad_time", name, "%s: %s", name,
                         why.message[0] ? why.message : "a time is written \"2026-11-26T10:00:00Z\"");
}

/* A device whose clock is wrong, not a message that was on its way. */
static bool is_apart(int64_t a, int64_t b) {
    return (a > b ? a - b : b - a) > CLOCK_MAX_MS;
}

static enum at_status read_time(struct parsing *parsing) {
    const struct at_event_defaults *defaults = parsing->defaults;
    struct at_event *event = parsing->event;
    int64_t timestamp = 0, original = 0, sent = 0;
    bool has_timestamp, has_original, has_sent;
    struct at_json sent_at = either(parsing, PART_SENT);
    if (!sent_at.tape) sent_at = defaults->sent_at;
    enum at_status status =
        read_moment(parsing, parsing->parts[PART_TIMESTAMP], "timestamp", &timestamp, &has_timestamp);
    if (status == AT_OK)
        status = read_moment(parsing, either(parsing, PART_ORIGINAL), "originalTimestamp", &original,
                             &has_original);
    if (status == AT_OK) status = read_moment(parsing, sent_at, "sentAt", &sent, &has_sent);
    if (status != AT_OK) return status;
    event->received_ms = event->at_ms = defaults->received_ms;
    if (defaults->is_import && has_timestamp)
        event->at_ms = timestamp;
    else if (has_original && has_sent)
        event->at_ms = event->received_ms - (sent - original);
    else if (has_timestamp && has_sent && is_apart(sent, event->received_ms))
        event->at_ms = event->received_ms - (sent - timestamp);
    else if (has_timestamp)
        event->at_ms = timestamp;
    else if (has_original)
        event->at_ms = original;
    if (event->at_ms > event->received_ms + FUTURE_MAX_MS) event->at_ms = event->received_ms;
    if (event->at_ms < EARLIEST_MS)
        return at_fail_field(
            parsing->err, AT_INVALID, "bad_time", "originalTimestamp",
            "originalTimestamp and sentAt lie too far apart: the event would be before year 1");
    return AT_OK;
}

/* ---- what it says ---- */

static bool is_payload(struct at_text name) {
    switch (name.length) {
    case 4: return at_text_is(name, "name");
    case 5: return at_text_is(name, "event");
    case 6: return at_text_is(name, "userId") || at_text_is(name, "traits");
    case 7: return at_text_is(name, "user_id") || at_text_is(name, "groupId");
    case 8: return at_text_is(name, "group_id");
    case 10: return at_text_is(name, "properties") || at_text_is(name, "previousId");
    case 11: return at_text_is(name, "anonymousId") || at_text_is(name, "previous_id");
    case 12: return at_text_is(name, "anonymous_id");
    default: return false;
    }
}

uint64_t at_event_payload(const struct at_event *event) {
    uint64_t hash = at_hash64(event->type_word.data, event->type_word.length);
    struct at_json_each it = at_json_each(event->json);
    while (at_json_next(&it)) {
        if (!is_payload(it.key)) continue;
        hash = at_hash64_seed(it.key.data, it.key.length, hash);
        hash = at_json_hash(it.value, hash);
    }
    return hash;
}

/* ---- identifiers ---- */

struct naming { /* whom an event names */
    struct at_identifier list[AT_EVENT_IDENTIFIERS_MAX];
    uint32_t count;
};

static void add_identifier(struct naming *naming, struct at_text kind, struct at_text value) {
    if (!value.length || naming->count == AT_EVENT_IDENTIFIERS_MAX) return;
    naming->list[naming->count++] = (struct at_identifier){kind, value};
}

static struct at_text normal(struct parsing *parsing, struct at_text kind, struct at_json value) {
    struct at_text text = plain_text(parsing, value);
    if (!text.length) return text;
    text = at_identity_normal(parsing->rules, kind, text, parsing->arena);
    parsing->is_out_of_memory |= !text.data;
    return text;
}

/* context.externalIds: [{"id","type"}], as the SDKs carry ids of other systems. */
static struct at_text external_id(struct parsing *parsing, struct at_text kind) {
    struct at_json list = at_json_get(parsing->event->context, "externalIds");
    struct at_text none = {"", 0};
    if (!at_json_is_array(list)) return none;
    struct at_json_each it = at_json_each(list);
    while (at_json_next(&it)) {
        if (!at_text_equal(at_json_text(at_json_get(it.value, "type")), kind)) continue;
        struct at_text found = normal(parsing, kind, at_json_get(it.value, "id"));
        if (found.length) return found;
    }
    return none;
}

static bool is_of_event(struct at_text kind) { /* named by fields of the event itself */
    return at_text_is(kind, "user_id") || at_text_is(kind, "anonymous_id");
}

static void read_identifiers(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    struct at_json places[3] = {event->traits, at_json_get(event->context, "traits"), event->properties};
    if (event->type == AT_EVENT_GROUP) places[0] = (struct at_json){0}; /* the company's, not the person's */
    struct naming naming;
    naming.count = 0;
    add_identifier(&naming, AT_TEXT("anonymous_id"), event->anonymous_id);
    add_identifier(&naming, AT_TEXT("user_id"), event->user_id);
    if (event->type == AT_EVENT_ALIAS) add_identifier(&naming, AT_TEXT("anonymous_id"), event->previous_id);
    for (uint32_t i = 0; i < parsing->rules->kind_count; i++) {
        struct at_text kind = parsing->rules->kinds[i].name, value = {"", 0};
        if (is_of_event(kind)) continue;
        for (int k = 0; k < 3 && !value.length; k++)
            value = normal(parsing, kind, at_json_member(places[k], kind.data, kind.length));
        if (!value.length) value = external_id(parsing, kind);
        add_identifier(&naming, kind, value);
    }
    event->identifiers = at_arena_alloc(parsing->arena, naming.count * sizeof *naming.list);
    parsing->is_out_of_memory |= !event->identifiers;
    if (!event->identifiers) return;
    memcpy(event->identifiers, naming.list, naming.count * sizeof *naming.list);
    event->identifier_count = naming.count;
}

static enum at_status check_somebody(const struct parsing *parsing, bool is_somebody) {
    if (is_somebody) return AT_OK;
    if (parsing->defaults->is_import)
        return at_fail_field(
            parsing->err, AT_INVALID, "no_id", "userId",
            "an event of an import needs anonymousId, userId, or an email or phone in its traits");
    return at_fail_field(
        parsing->err, AT_INVALID, "no_id", "userId",
        "an event needs anonymousId or userId (values such as \"null\" or \"guest\" do not count)");
}

bool at_event_has_message_id(struct at_json json) {
    struct at_json value = member_of(json, "messageId", "message_id");
    return at_json_type(value) == AT_JSON_NUMBER || trim(at_json_text(value)).length > 0;
}

void at_event_derived_id(uint64_t hash, uint64_t number, char out[AT_EVENT_DERIVED_ID_SIZE]) {
    snprintf(out, AT_EVENT_DERIVED_ID_SIZE, "%016llx-%llu", (unsigned long long)hash,
             (unsigned long long)number);
}

static enum at_status check_ids(struct parsing *parsing) {
    struct at_event *event = parsing->event;
    const struct at_event_defaults *defaults = parsing->defaults;
    bool is_named = event->anonymous_id.length || event->user_id.length || defaults->any_identifier ||
                    defaults->is_import;
    enum at_status status = check_somebody(parsing, is_named);
    if (status != AT_OK) return status;
    event->message_id = plain_text(parsing, either(parsing, PART_MESSAGE_ID));
    if (event->message_id.length > MESSAGE_ID_MAX)
        return at_fail_field(parsing->err, AT_INVALID, "id_too_long", "messageId",
                             "messageId may have %d bytes", MESSAGE_ID_MAX);
    return AT_OK;
}

enum at_status at_event_parse(struct at_arena *arena, struct at_json json,
                              const struct at_event_defaults *defaults, const struct at_root *root,
                              struct at_event *out, struct at_error *err) {
    struct at_identity_rules usual;
    if (!defaults->rules) at_identity_rules_default(&usual);
    struct parsing parsing = {.arena = arena,
                              .defaults = defaults,
                              .rules = defaults->rules ? defaults->rules : &usual,
                              .root = root,
                              .event = out,
                              .err = err};
    memset(out, 0, sizeof *out);
    out->json = json;
    out->is_backfill = defaults->is_import;
    if (!at_json_is_object(json))
        return at_fail(err, AT_INVALID, "not_an_object", "an event is a JSON object");
    at_json_members(json, parts, PARTS, parsing.parts);
    enum at_status status = read_type(&parsing);
    if (status == AT_OK) status = read_name(&parsing);
    if (status == AT_OK) status = read_id(&parsing, PART_ANONYMOUS_ID, &out->anonymous_id);
    if (status == AT_OK) status = read_id(&parsing, PART_USER_ID, &out->user_id);
    if (status == AT_OK) status = read_id(&parsing, PART_PREVIOUS_ID, &out->previous_id);
    if (status == AT_OK) status = read_id(&parsing, PART_GROUP_ID, &out->group_id);
    if (status == AT_OK) status = check_ids(&parsing);
    if (status == AT_OK) status = read_part(&parsing, PART_PROPERTIES, &out->properties);
    if (status == AT_OK) status = read_part(&parsing, PART_TRAITS, &out->traits);
    if (status == AT_OK) status = read_context(&parsing);
    if (status == AT_OK) status = read_time(&parsing);
    if (status == AT_OK) status = read_items(&parsing);
    if (status == AT_OK) status = read_money(&parsing);
    if (status == AT_OK) {
        read_identifiers(&parsing);
        status = check_somebody(&parsing, out->identifier_count || parsing.is_out_of_memory);
    }
    /* What could not be kept would look absent, and be refused or forgotten for it. */
    return parsing.is_out_of_memory ? at_fail(err, AT_NOMEM, NULL, "out of memory") : status;
}
