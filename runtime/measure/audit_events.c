/* SPDX-License-Identifier: Apache-2.0
 *
 * Events: whether they are told twice, when they happened and came, what they are called, whom they name.
 */
#include <math.h>
#include <stdlib.h>
#include "base/hash.h"
#include "measure/audit_internal.h"

void at_audit_refused(struct at_audit *audit, const char *code, struct at_text where) {
    audit->wholes[OF_MESSAGES]++;
    if (strcmp(code, "no_id") == 0) {
        audit_count(audit, EVENTS_WITHOUT_ID, where);
        return;
    }
    audit_count(audit, EVENTS_REFUSED, where);
    audit_part(audit, EVENTS_REFUSED, code, 1);
}

void at_audit_withheld(struct at_audit *audit, uint64_t events) {
    audit->tallies[EVENTS_WITHHELD].count += events;
    audit->wholes[OF_MESSAGES] += events;
}

void at_audit_counted(struct at_audit *audit, const struct at_audit_counted *counted) {
    audit->tallies[EVENTS_DUPLICATE].count += counted->duplicates;
    audit->tallies[EVENTS_REFUSED].count += counted->invalid;
    audit->tallies[IDENTIFIERS_OVER].count += counted->over_limit;
    audit->wholes[OF_MESSAGES] += counted->duplicates + counted->invalid;
    static const enum code of_process[] = {EVENTS_DUPLICATE, EVENTS_REFUSED, IDENTIFIERS_OVER};
    for (size_t i = 0; i < AT_LENGTH(of_process); i++)
        if (audit->tallies[of_process[i]].count)
            audit_part(audit, of_process[i], "since the process began", audit->tallies[of_process[i]].count);
}

static struct at_text name_of(const struct at_audit_event *row) {
    return row->event && row->event->message_id.length ? row->event->message_id : row->where;
}

/* False: it was there before, or its id was, and it counts no further. */
static bool judge_copy(struct at_audit *audit, const struct at_audit_event *row) {
    const struct at_event *event = row->event;
    if (row->is_conflict) {
        audit_count(audit, EVENTS_CONFLICT, name_of(row));
        return false;
    }
    if (row->is_known_once) return true;
    uint64_t payload = at_event_payload(event);
    if (!event->message_id.length) audit_count(audit, EVENTS_WITHOUT_MESSAGE, row->where);
    if (!event->message_id.length) return true;
    uint64_t key = audit_hash(SPACE_MESSAGE, event->message_id);
    bool is_new;
    struct message *message = audit_put(audit, &audit->messages, key, key, &is_new);
    if (!message) return true;
    if (is_new) {
        message->payload = payload;
        return true;
    }
    bool is_same = message->payload == payload;
    message->copies += is_same;
    message->conflicts += !is_same;
    audit_example(audit, is_same ? EVENTS_DUPLICATE : EVENTS_CONFLICT, name_of(row));
    return false;
}

/* ---- when ---- */

/* How far ahead the sender's clock was when it sent, as far as that can be told: the clock rule moves an
 * event by just that. */
static bool skew_of(const struct at_audit_event *row, int64_t *skew_ms) {
    *skew_ms = row->sent_ms && row->received_ms ? row->sent_ms - row->received_ms
               : row->original_ms               ? row->original_ms - row->at_ms
                                                : 0;
    return (row->sent_ms && row->received_ms) || *skew_ms;
}

static void judge_clock(struct at_audit *audit, const struct at_audit_event *row) {
    int64_t skew_ms;
    if (!skew_of(row, &skew_ms)) return;
    audit->timed++;
    if (llabs(skew_ms) <= AT_AUDIT_SKEW_MS) return;
    audit_count(audit, CLOCKS_WRONG, name_of(row));
    audit_part(audit, CLOCKS_WRONG, skew_ms > 0 ? "ahead" : "behind", 1);
    if (llabs(skew_ms) > AT_DAY_MS) audit_part(audit, CLOCKS_WRONG, "by more than a day", 1);
}

/* One that lies more than a day ahead was set to when it came. */
static bool is_of_future(const struct at_audit *audit, const struct at_audit_event *row) {
    int64_t by_ms = row->received_ms ? row->received_ms : audit->options.now_ms;
    return row->at_ms > by_ms + AT_AUDIT_FUTURE_MS ||
           (row->at_ms == row->received_ms && row->original_ms > by_ms + AT_DAY_MS);
}

static void judge_time(struct at_audit *audit, const struct at_audit_event *row) {
    audit_moment(audit, row->at_ms);
    judge_clock(audit, row);
    if (is_of_future(audit, row)) audit_count(audit, EVENTS_FUTURE, name_of(row));
    if (!row->received_ms) return;
    audit->received++;
    int64_t late_ms = row->received_ms - row->at_ms;
    if (late_ms <= AT_AUDIT_LATE_MS) return;
    audit_count(audit, EVENTS_LATE, name_of(row));
    audit_part(audit, EVENTS_LATE,
               late_ms > 7 * AT_DAY_MS ? "by more than 7 days"
               : late_ms > AT_DAY_MS   ? "by 1 to 7 days"
                                       : "by 1 to 24 hours",
               1);
}

/* ---- what ---- */

static double money_of(const struct at_event *event) {
    static const char *const names[] = {"revenue", "total", "value"};
    for (size_t i = 0; i < AT_LENGTH(names); i++) {
        double money = at_amount(at_json_get(event->properties, names[i]));
        if (!at_is_missing(money)) return money;
    }
    return 0;
}

static void note_name(struct at_audit *audit, const struct at_audit_event *row) {
    const struct at_event *event = row->event;
    bool is_new = false;
    uint64_t *place = at_map_get(&audit->names, event->name.data, event->name.length);
    if (!place && audit->names.count == NAMES_MAX) {
        audit->unnamed++;
        return;
    }
    if (!place) {
        place = at_map_put(&audit->names, event->name.data, event->name.length, &is_new);
        audit->is_short |= !place;
        if (!place) return;
        *place = audit->names.count - 1;
        struct name *name = &audit->name_list[*place];
        name->is_known = at_event_is_known(event->name);
        audit_mask(name_of(row), name->example);
    }
    struct name *name = &audit->name_list[*place];
    name->count++;
    if (!name->is_known) name->money += money_of(event);
}

static bool names_nobody(const struct at_event *event, const char *name, const char *other,
                         struct at_text taken) {
    if (taken.length) return false;
    struct at_json said = at_json_get(event->json, name);
    if (!said.tape) said = at_json_get(event->json, other);
    return at_json_type(said) == AT_JSON_NUMBER || at_json_text(said).length > 0;
}

static void judge_ids(struct at_audit *audit, const struct at_audit_event *row) {
    const struct at_event *event = row->event;
    bool is_user = names_nobody(event, "userId", "user_id", event->user_id);
    bool is_visitor = names_nobody(event, "anonymousId", "anonymous_id", event->anonymous_id);
    if (!is_user && !is_visitor) return;
    audit_count(audit, IDS_NOBODY, name_of(row));
    if (is_user) audit_part(audit, IDS_NOBODY, "userId", 1);
    if (is_visitor) audit_part(audit, IDS_NOBODY, "anonymousId", 1);
}

void at_audit_event(struct at_audit *audit, const struct at_audit_event *row) {
    audit->wholes[OF_MESSAGES]++;
    if (row->event && !judge_copy(audit, row)) return;
    audit->wholes[OF_EVENTS]++;
    struct who who = audit_who(audit, row);
    audit_person(audit, row, &who);
    if (!row->event) return; /* a statement of consent alone */
    judge_time(audit, row);
    note_name(audit, row);
    judge_ids(audit, row);
    audit_items(audit, row);
    audit_order_event(audit, row, &who);
}
