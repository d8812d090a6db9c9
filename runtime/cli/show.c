/* SPDX-License-Identifier: Apache-2.0
 *
 * attune explain, identity, segments, generations, blame, rollback, resume: one call each, shown for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "cli/cli.h"

struct session {
    struct cli_shop *shop;
    struct at_json_parser *parser;
    struct at_bytes answer;
};

static void end(struct session *session) {
    if (session->shop) cli_shop_close(session->shop);
    if (session->parser) at_json_parser_free(session->parser);
    at_bytes_clear(&session->answer);
}

/* Opens, calls, reads; shown as it comes with --json. A code, or -1: go on with *json. */
static int begin(struct session *session, const struct cli_call *call, const char *method, const char *path,
                 const char *body, struct at_json *json) {
    const char *folder = cli_value(call, "shop");
    *session = (struct session){.parser = at_json_parser_new(1u << 28, 64)};
    at_bytes_init(&session->answer, 1u << 28);
    session->shop = cli_shop_open(call, folder ? folder : ".");
    if (!session->shop) return EXIT_FAILED;
    int status = cli_shop_call(session->shop, method, path, body, body ? strlen(body) : 0, &session->answer);
    if (!cli_read(call, status, &session->answer, session->parser, json))
        return status >= 400 && status < 500 ? EXIT_REFUSED : EXIT_FAILED;
    if (cli_value(call, "json") == NULL) return -1;
    printf("%.*s\n", (int)session->answer.length, session->answer.data);
    return EXIT_DONE;
}

static void put_text(struct at_json value) {
    struct at_text text = at_json_text(value);
    printf("%.*s", (int)text.length, text.data ? text.data : "");
}

static long long number(struct at_json json, const char *name) {
    int64_t n = 0;
    at_json_int(at_json_get(json, name), &n);
    return n;
}

/* ---- explain ---- */

/* What the person said of the product's values. */
static void show_stated(struct at_json list) {
    struct at_json_each stated = at_json_each(list);
    while (at_json_next(&stated)) {
        double strength = 0;
        at_json_number(at_json_get(stated.value, "strength"), &strength);
        printf("        ");
        put_text(at_json_get(stated.value, "said"));
        printf(" ");
        put_text(at_json_get(stated.value, "facet"));
        printf(" \"");
        put_text(at_json_get(stated.value, "value"));
        printf("\", said ");
        put_text(at_json_get(stated.value, "at"));
        printf(", strength %.2f\n", strength);
    }
}

static void show_item(struct at_json item) {
    struct at_json place = at_json_get(item, "place");
    double score = 0;
    printf("%4lld. ", number(place, "now"));
    put_text(at_json_get(item, "id"));
    if (at_json_number(at_json_get(item, "score"), &score))
        printf("   score %.4f (place %lld by score)", score, number(place, "by_score"));
    printf("   because of: ");
    put_text(at_json_get(place, "because"));
    printf("\n");
    struct at_json_each terms = at_json_each(at_json_get(item, "terms"));
    while (at_json_next(&terms)) {
        double value = 0;
        at_json_number(at_json_get(terms.value, "value"), &value);
        printf("        %+9.4f  line %lld  ", value, number(terms.value, "line"));
        put_text(at_json_get(terms.value, "text"));
        printf("\n");
    }
    show_stated(at_json_get(item, "stated"));
    struct at_json_each rails = at_json_each(at_json_get(item, "rails"));
    while (at_json_next(&rails)) {
        printf("        rail \"");
        put_text(at_json_get(rails.value, "rail"));
        printf("\": ");
        put_text(at_json_get(rails.value, "did"));
        printf("\n");
    }
}

static void show_list(struct at_json list) {
    struct at_json_each items = at_json_each(at_json_get(list, "items"));
    printf("rule: ");
    put_text(at_json_get(list, "script"));
    printf("\n");
    while (at_json_next(&items)) show_item(items.value);
    struct at_json_each withheld = at_json_each(at_json_get(list, "not"));
    while (at_json_next(&withheld)) {
        printf("   not: ");
        put_text(at_json_get(withheld.value, "id"));
        printf(" — ");
        put_text(at_json_get(withheld.value, "because"));
        struct at_text rail = at_json_text(at_json_get(withheld.value, "rail"));
        if (rail.data) printf(" (rail \"%.*s\")", (int)rail.length, rail.data);
        printf("\n");
    }
}

static bool encode(const char *text, char *out, size_t size) {
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
        if (n + 4 > size) return false;
        if (is_plain)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, 4, "%%%c%c", hex[c >> 4], hex[c & 15]);
    }
    out[n] = 0;
    return true;
}

int run_explain(const struct cli_call *call) {
    char id[256], product[1024], path[1400];
    struct session session;
    struct at_json json;
    const char *why_not = cli_value(call, "why-not");
    if (!encode(call->words[0], id, sizeof id) || !encode(why_not ? why_not : "", product, sizeof product))
        return cli_fail(call, EXIT_USAGE, "that id is too long");
    snprintf(path, sizeof path, why_not ? "/v1/decisions/%s?why_not=%s" : "/v1/decisions/%s%s", id, product);
    int code = begin(&session, call, "GET", path, NULL, &json);
    if (code == -1) {
        code = EXIT_DONE;
        printf("decision ");
        put_text(at_json_get(json, "decision"));
        printf(", generation %lld, ", number(json, "generation"));
        put_text(at_json_get(json, "at"));
        printf("\n");
        struct at_json answers = at_json_get(json, "answers"), kept = at_json_get(json, "answer");
        struct at_json_each it = at_json_each(answers.tape ? answers : at_json_get(kept, "answers"));
        if (it.end)
            while (at_json_next(&it)) {
                printf("\n%.*s\n", (int)it.key.length, it.key.data);
                show_list(it.value);
            }
        else
            show_list(kept.tape ? kept : json);
    }
    end(&session);
    return code;
}

/* ---- identity ---- */

static void show_named(struct at_json named) {
    if (!named.tape) {
        printf("(an identifier that was never stored)");
        return;
    }
    put_text(at_json_get(named, "kind"));
    printf(":");
    put_text(at_json_get(named, "value"));
}

static void show_link(struct at_json link) {
    struct at_json revoked = at_json_get(link, "revoked");
    struct at_text event = at_json_text(at_json_get(link, "event"));
    printf("  ");
    put_text(at_json_get(link, "at"));
    printf("  ");
    show_named(at_json_get(link, "a"));
    printf(revoked.tape ? "  |  " : "  =  ");
    show_named(at_json_get(link, "b"));
    if (event.length) {
        printf("   %.*s, message ", (int)event.length, event.data);
        put_text(at_json_get(link, "message_id"));
        printf(" from ");
        put_text(at_json_get(link, "source"));
    } else
        printf("   from before links were kept");
    if (revoked.tape) {
        printf("; taken apart ");
        put_text(at_json_get(revoked, "at"));
        printf(" by ");
        put_text(at_json_get(revoked, "by"));
    }
    printf("\n");
}

static void show_evidence(struct at_json json) {
    struct at_json_each identifiers = at_json_each(at_json_get(json, "identifiers"));
    struct at_json_each links = at_json_each(at_json_get(json, "links"));
    struct at_json_each merges = at_json_each(at_json_get(json, "merges"));
    printf("person ");
    put_text(at_json_get(json, "person"));
    printf("\n");
    while (at_json_next(&identifiers)) {
        printf("  ");
        put_text(at_json_get(identifiers.value, "since"));
        printf("  ");
        show_named(identifiers.value);
        printf("\n");
    }
    for (bool is_first = true; at_json_next(&links); is_first = false) {
        if (is_first) printf("because these were named together (= holds, | was taken apart):\n");
        show_link(links.value);
    }
    for (bool is_first = true; at_json_next(&merges); is_first = false) {
        if (is_first) printf("people found to be this one:\n");
        printf("  ");
        put_text(at_json_get(merges.value, "at"));
        printf("  ");
        put_text(at_json_get(merges.value, "gone"));
        printf("\n");
    }
}

bool cli_person_path(const char *person, const char *rest, char *path, size_t size) {
    char value[1600], kind[64] = "";
    const char *colon = strchr(person, ':');
    if (colon && (size_t)(colon - person) < sizeof kind) memcpy(kind, person, (size_t)(colon - person));
    if (!encode(colon ? colon + 1 : person, value, sizeof value)) return false;
    if (colon)
        snprintf(path, size, "/v1/customers/by/%s/%s%s", kind, value, rest);
    else
        snprintf(path, size, "/v1/customers/%s%s", value, rest);
    return true;
}

static void show_rehearsal(struct at_json json) {
    struct at_json people = at_json_get(json, "people"), joined = at_json_get(json, "joined"),
                   split = at_json_get(json, "split"), identifiers = at_json_get(json, "identifiers");
    printf("By shop.lua as it is now, the %lld events there are would make %lld people; there are %lld.\n",
           number(json, "events"), number(people, "then"), number(people, "now"));
    printf("%lld people would come of several\n", number(joined, "count"));
    struct at_json_each it = at_json_each(at_json_get(joined, "examples"));
    while (at_json_next(&it)) {
        struct at_json_each ids = at_json_each(it.value);
        printf(" ");
        while (at_json_next(&ids)) {
            printf(" ");
            put_text(ids.value);
        }
        printf("\n");
    }
    printf("%lld people would be several\n", number(split, "count"));
    it = at_json_each(at_json_get(split, "examples"));
    while (at_json_next(&it)) {
        printf("  ");
        put_text(at_json_get(it.value, "person"));
        printf(" would be %lld\n", number(it.value, "into"));
    }
    printf("%lld identifiers would be nobody's, %lld would be new\n", number(identifiers, "gone"),
           number(identifiers, "new"));
    printf("Nothing was changed. New rules hold for new events once the shop is served anew.\n");
}

int run_identity(const struct cli_call *call) {
    char path[2048] = "/v1/identity/rehearse";
    struct session session;
    struct at_json json;
    bool is_explain = strcmp(call->words[0], "explain") == 0;
    if (!is_explain && strcmp(call->words[0], "rehearse") != 0)
        return cli_fail(
            call, EXIT_USAGE,
            "\"%s\" is nothing it does: attune identity explain PERSON, or attune identity rehearse",
            call->words[0]);
    if (is_explain != (call->word_count == 2))
        return cli_fail(call, EXIT_USAGE,
                        is_explain ? "whom? attune identity explain PERSON" : "rehearse takes nothing more");
    if (is_explain && !cli_person_path(call->words[1], "/identity", path, sizeof path))
        return cli_fail(call, EXIT_USAGE, "that identifier is too long");
    int code = begin(&session, call, is_explain ? "GET" : "POST", path, NULL, &json);
    if (code == -1) {
        code = EXIT_DONE;
        if (is_explain)
            show_evidence(json);
        else
            show_rehearsal(json);
    }
    end(&session);
    return code;
}

/* ---- segments ---- */

static void show_segment(struct at_json segment) {
    bool is_set_aside = false;
    struct at_text script = at_json_text(at_json_get(segment, "script"));
    struct at_text name = at_json_text(at_json_get(segment, "name"));
    long long recheck = number(segment, "recheck_ms");
    at_json_bool(at_json_get(segment, "set_aside"), &is_set_aside);
    printf("%-24.*s %10lld %12lld  %.*s", (int)name.length, name.data, number(segment, "count"),
           number(segment, "entered_24h"), (int)script.length,
           script.data ? script.data : "declared no longer: its members are leaving");
    if (recheck) printf("  asked again every %lldh%02lldm", recheck / 3600000, recheck / 60000 % 60);
    printf("\n");
    if (number(segment, "failures")) {
        printf("  failed %lld times%s: ", number(segment, "failures"),
               is_set_aside ? ", not asked any more" : "");
        put_text(at_json_get(segment, "error"));
        printf("\n");
    }
}

int run_segments(const struct cli_call *call) {
    struct session session;
    struct at_json json;
    int code = begin(&session, call, "GET", "/v1/segments", NULL, &json);
    if (code == -1) {
        struct at_json_each it = at_json_each(at_json_get(json, "segments"));
        printf("%-24s %10s %12s  %s\n", "segment", "people", "entered 24h", "script");
        while (at_json_next(&it)) show_segment(it.value);
        struct at_text due = at_json_text(at_json_get(json, "due"));
        if (due.length) printf("Time alone changes somebody's next at %.*s.\n", (int)due.length, due.data);
        if (number(json, "waiting") + number(json, "left"))
            printf("%lld people wait to be looked at, %lld of everybody since the segments changed.\n",
                   number(json, "waiting"), number(json, "left"));
        code = EXIT_DONE;
    }
    end(&session);
    return code;
}

/* ---- generations ---- */

#define CHANGES_SHOWN 5

/* default: the key without a name of its own, or who may open the data folder. */
static void show_author(struct at_json row) {
    struct at_text author = at_json_text(at_json_get(row, "author"));
    put_text(at_json_get(row, "source"));
    if (author.length) printf(", by the key \"%.*s\"", (int)author.length, author.data);
}

static void show_generation(struct at_json row, bool is_active) {
    struct at_text message = at_json_text(at_json_get(row, "message"));
    struct at_json changes = at_json_get(row, "changes");
    long long left = at_json_count(changes);
    printf("%s%6lld  ", is_active ? "*" : " ", number(row, "id"));
    put_text(at_json_get(row, "at"));
    printf("  %lld files  ", number(row, "files"));
    show_author(row);
    if (message.length) printf("  %.*s", (int)message.length, message.data);
    printf("\n");
    struct at_json_each it = at_json_each(changes);
    for (int i = 0; i < CHANGES_SHOWN && at_json_next(&it); i++, left--) {
        printf("           ");
        put_text(it.value);
        printf("\n");
    }
    if (left > 0)
        printf("           and %lld more: attune diff --from %lld --to %lld\n", left, number(row, "id") - 1,
               number(row, "id"));
}

int run_generations(const struct cli_call *call) {
    struct session session;
    struct at_json json;
    int code = begin(&session, call, "GET", "/v1/generations", NULL, &json);
    if (code == -1) {
        bool is_held = false;
        long long active = number(json, "active");
        struct at_json_each it = at_json_each(at_json_get(json, "generations"));
        at_json_bool(at_json_get(json, "held"), &is_held);
        while (at_json_next(&it)) show_generation(it.value, number(it.value, "id") == active);
        if (is_held) printf("The folder is held: saving publishes again when what was bad has changed.\n");
        code = EXIT_DONE;
    }
    end(&session);
    return code;
}

static void show_blame(struct at_json json) {
    bool or_before = false;
    struct at_text message = at_json_text(at_json_get(json, "message"));
    at_json_bool(at_json_get(json, "or_before"), &or_before);
    put_text(at_json_get(json, "text"));
    printf("\ngeneration %lld%s  ", number(json, "generation"), or_before ? " or before" : "");
    put_text(at_json_get(json, "at"));
    printf("  ");
    show_author(json);
    if (message.length) printf("  %.*s", (int)message.length, message.data);
    printf("\n");
}

int run_blame(const struct cli_call *call) {
    char path[1400], file[1200];
    struct session session;
    struct at_json json;
    const char *place = call->words[0], *colon = strrchr(place, ':');
    char *rest = NULL;
    unsigned long line = colon ? strtoul(colon + 1, &rest, 10) : 0;
    size_t length = colon ? (size_t)(colon - place) : 0;
    if (!line || *rest || !length || length > 300)
        return cli_fail(call, EXIT_USAGE, "which line? attune blame scripts/rankings/collection.lua:4");
    snprintf(path, sizeof path, "%.*s", (int)length, place);
    if (!encode(path, file, sizeof file)) return cli_fail(call, EXIT_USAGE, "that path is too long");
    snprintf(path, sizeof path, "/v1/blame/%lu/%s", line, file);
    int code = begin(&session, call, "GET", path, NULL, &json);
    if (code == -1) {
        show_blame(json);
        code = EXIT_DONE;
    }
    end(&session);
    return code;
}

int run_resume(const struct cli_call *call) {
    struct session session;
    struct at_json json;
    int code = begin(&session, call, "POST", "/v1/sending/resume", "{}", &json);
    if (code == -1) {
        bool was_held = false;
        at_json_bool(at_json_get(json, "was_held"), &was_held);
        printf(was_held ? "the shop sends again\n" : "the shop was not held: it sends\n");
        code = EXIT_DONE;
    }
    end(&session);
    return code;
}

int run_publish(const struct cli_call *call) {
    struct session session;
    struct at_json json;
    struct at_bytes body;
    at_bytes_init(&body, 1u << 20);
    struct at_json_out out = at_json_out(&body);
    at_json_open(&out, '{');
    at_json_key(&out, "confirm");
    at_json_open(&out, '[');
    for (int i = 0; i < call->list_count; i++) at_json_put_text(&out, at_text_of(call->list[i]));
    at_json_close(&out, ']');
    at_json_close(&out, '}');
    at_bytes_add(&body, "", 1);
    int code = body.failed ? cli_fail(call, EXIT_FAILED, "out of memory")
                           : begin(&session, call, "POST", "/v1/generations/publish", body.data, &json);
    if (code == -1) {
        printf("generation %lld serves, with the files of the folder\n", number(json, "generation"));
        code = EXIT_DONE;
    }
    if (!body.failed) end(&session);
    at_bytes_clear(&body);
    return code;
}

int run_rollback(const struct cli_call *call) {
    char path[128], *rest;
    struct session session;
    struct at_json json;
    unsigned long long id = strtoull(call->words[0], &rest, 10);
    if (!id || *rest)
        return cli_fail(call, EXIT_USAGE, "which generation? a number, as attune generations lists them");
    snprintf(path, sizeof path, "/v1/generations/%llu/activate", id);
    int code =
        begin(&session, call, "POST", path, cli_value(call, "restore") ? "{\"restore\":true}" : "{}", &json);
    if (code == -1) {
        bool is_held = false;
        at_json_bool(at_json_get(json, "held"), &is_held);
        printf("generation %lld serves, with the files of %llu%s\n", number(json, "generation"), id,
               is_held ? "; the folder is held until what was bad has changed" : "");
        code = EXIT_DONE;
    }
    end(&session);
    return code;
}
