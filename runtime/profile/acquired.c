/* SPDX-License-Identifier: Apache-2.0
 *
 * Where somebody came from, the very first time. Of all events the earliest says when; of those within half
 * an hour of it the earliest that tells of a page or a campaign says how. Both are least elements, and half
 * an hour is counted from the first event, not from one to the next: so it does not matter what is told
 * first, and events that come late, or another person who is found to be the same, only make it earlier.
 * Called by apply.c; pure like all of the fold.
 */
#include <string.h>
#include <strings.h>
#include "profile/draft.h"

#define TEXT_MAX 500

static struct at_text or_empty(struct at_text text) {
    return text.data && text.length <= TEXT_MAX ? text : AT_TEXT("");
}

static size_t length_until(struct at_text text, const char *ends) {
    size_t length = 0;
    while (length < text.length && !strchr(ends, text.data[length])) length++;
    return length;
}

/* https://ann@shop.example:8080/a?b → shop.example; "": it has none. */
static struct at_text host_of(struct at_text url) {
    const char *mark = url.length ? memmem(url.data, url.length, "://", 3) : NULL;
    if (!mark) return AT_TEXT("");
    struct at_text host = {mark + 3, url.length - (size_t)(mark + 3 - url.data)};
    host.length = length_until(host, "/?#");
    size_t name = length_until(host, "@");
    if (name < host.length) {
        host.data += name + 1;
        host.length -= name + 1;
    }
    bool is_numbers = host.length && host.data[0] == '['; /* IPv6 */
    host.length = is_numbers ? length_until(host, "]") + 1 : length_until(host, ":");
    return is_numbers && host.data[host.length - 1] != ']' ? AT_TEXT("") : host;
}

static struct at_text without_www(struct at_text host) {
    bool has_it = host.length > 4 && strncasecmp(host.data, "www.", 4) == 0;
    return has_it ? (struct at_text){host.data + 4, host.length - 4} : host;
}

static bool is_same_host(struct at_text a, struct at_text b) {
    a = without_www(a);
    b = without_www(b);
    return a.length && a.length == b.length && strncasecmp(a.data, b.data, a.length) == 0;
}

/* Too long to keep: the address without what a campaign hung on it. */
static struct at_text landing_of(struct at_json page) {
    struct at_text url = at_json_text(at_json_get(page, "url"));
    if (url.data && url.length > TEXT_MAX) url.length = length_until(url, "?#");
    url = or_empty(url);
    return url.length ? url : or_empty(at_json_text(at_json_get(page, "path")));
}

/* A page of the shop itself leads nowhere else. */
static struct at_text referrer_of(struct at_json page) {
    struct at_text referrer = at_json_text(at_json_get(page, "referrer")), host = host_of(referrer);
    if (is_same_host(host, host_of(at_json_text(at_json_get(page, "url"))))) return AT_TEXT("");
    if (host.length && referrer.length > TEXT_MAX)
        referrer.length = (size_t)(host.data + host.length - referrer.data);
    return or_empty(referrer);
}

static struct at_acquired arrival_of(const struct at_logged_event *event, struct at_json context) {
    struct at_json campaign = at_json_get(context, "campaign"), page = at_json_get(context, "page");
    return (struct at_acquired){.landed_ms = event->at_ms,
                                .source = or_empty(at_json_text(at_json_get(campaign, "source"))),
                                .campaign = or_empty(at_json_text(at_json_get(campaign, "name"))),
                                .medium = or_empty(at_json_text(at_json_get(campaign, "medium"))),
                                .landing = landing_of(page),
                                .referrer = referrer_of(page),
                                .device = device_of(context)};
}

/* Of two of one moment the one that says more, or the larger. */
static bool is_before(const struct at_acquired *a, const struct at_acquired *b) {
    const struct at_text of_a[] = {a->source, a->campaign, a->medium, a->landing, a->referrer, a->device},
                         of_b[] = {b->source, b->campaign, b->medium, b->landing, b->referrer, b->device};
    if (a->landed_ms != b->landed_ms) return a->landed_ms < b->landed_ms;
    for (size_t i = 0; i < AT_LENGTH(of_a); i++) {
        int order = at_text_order(of_a[i], of_b[i]);
        if (order) return order > 0;
    }
    return false;
}

static void forget_arrival(struct at_acquired *first) {
    *first = (struct at_acquired){.at_ms = first->at_ms};
    first->source = first->campaign = first->medium = AT_TEXT("");
    first->landing = first->referrer = first->device = AT_TEXT("");
}

void apply_acquired(struct draft *draft, const struct at_logged_event *event, struct at_json context) {
    struct at_acquired *first = &draft->profile.acquired;
    if (!first->at_ms || event->at_ms < first->at_ms) first->at_ms = event->at_ms;
    if (first->landed_ms > first->at_ms + AT_SESSION_GAP_MS) forget_arrival(first);
    if (event->at_ms > first->at_ms + AT_SESSION_GAP_MS) return;
    if (first->landed_ms && event->at_ms > first->landed_ms) return;
    struct at_acquired arrival = arrival_of(event, context);
    bool says =
        arrival.source.length || arrival.campaign.length || arrival.landing.length || arrival.referrer.length;
    if (!says || (first->landed_ms && !is_before(&arrival, first))) return;
    arrival.at_ms = first->at_ms;
    *first = arrival;
    struct at_text *const texts[] = {&first->source,  &first->campaign, &first->medium,
                                     &first->landing, &first->referrer, &first->device};
    for (size_t i = 0; i < AT_LENGTH(texts); i++) *texts[i] = draft_text(draft, *texts[i]);
}

struct at_text at_acquired_source(const struct at_acquired *first) {
    if (!first->at_ms) return AT_TEXT("");
    if (first->source.length) return first->source;
    struct at_text host = host_of(first->referrer);
    return host.length ? host : AT_TEXT("direct");
}
