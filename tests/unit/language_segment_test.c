/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments: what a declaration must say, customer:in_segment within a decision, and the outlook: generated
 * conditions are asked at every millisecond the way a decision asks, and the outlook must name the first one
 * at which the answer is another.
 */
#include "language/state.h"
#include "cases.h"
#include "language_judge.h"

GENERATED_CASES;

/* ---- declarations ---- */

static void assert_finding(const char *text, const char *code, const char *said) {
    assert_int_not_equal(shop_world_load(&world, text), AT_OK);
    const struct at_file_finding *finding = world.build.findings;
    while (finding && finding->finding.is_warning) finding = finding->next;
    assert_non_null(finding);
    if (!strstr(finding->finding.message, said)) fail_msg("%s\n--- %s", finding->finding.message, said);
    if (code) assert_string_equal(finding->finding.code, code);
}
#define WHEN(body) "when = function(customer) " body " end"
#define VIP        "segment 'vip' { " WHEN("return customer.orders.count >= 2") " }\n"

static void what_a_declaration_must_say(void **state) {
    (void)state;
    assert_finding("segment 'a' {}", NULL, "segment \"a\" needs when = function(customer)");
    assert_finding("segment 'a' { when = 3 }", NULL, "segment.when must be a function");
    assert_finding("segment 'a' { " WHEN("return true") ", rechek = '1d' }", NULL,
                   "did you mean \"recheck\"?");
    assert_finding("segment 'a' { " WHEN("return true") ", recheck = 7 }", NULL, "7 what? write \"1d\"");
    assert_finding("segment 'a' { " WHEN("return true") ", recheck = '7' }", NULL, "7 what?");
    assert_finding("segment 'a' { " WHEN("return true") ", recheck = '10s' }", NULL, "a minute at least");
    assert_finding("segment 'a' { " WHEN("return true") ", recheck = {} }", NULL,
                   "must be a time, like \"1d\"");
    assert_finding("segment 'a' { when = function(customer, page) return page.name end }", NULL,
                   "when is given the customer alone");
    assert_finding(VIP VIP, NULL, "there is already a segment \"vip\", in scripts/a.lua:1");
    assert_finding("segment 'a' { " WHEN("return customer.ordrs.count > 1") " }", "unknown_field",
                   "customer has no field \"ordrs\" — did you mean \"orders\"?");
    assert_finding("segment 'a' { when = function(c) if c.orders.cuont then return 1 end end }",
                   "unknown_field", "customer.orders has no field \"cuont\" — did you mean \"count\"?");
    must_load(&world, "segment 'a' { " WHEN("return true") ", recheck = '1h30m' }\nsegment 'b' { " WHEN(
                          "return true") ", recheck = days(2) }");
    assert_int_equal(world.generation->segment_count, 2);
    assert_true(world.generation->segments[0].recheck_ms == 90 * AT_MINUTE_MS);
    assert_true(world.generation->segments[1].recheck_ms == 2 * AT_DAY_MS);
    assert_int_equal(world.generation->segments[1].line, 2);
}

static void a_name_that_no_segment_has_is_told_wherever_it_stands(void **state) {
    (void)state;
    assert_finding(
        VIP "ranking 'r' { score = function(product, customer)\n"
            "if product.price > 1e9 then return when(customer:in_segment 'vpi', 1) end\nreturn 1 end }",
        "unknown_segment", "there is no segment \"vpi\" — did you mean \"vip\"?");
    assert_int_equal(world.build.findings->finding.line, 3);
    assert_finding(VIP "local function helper(c) return c:in_segment('golden') end\n", "unknown_segment",
                   "there is no segment \"golden\"");
    assert_finding("ranking 'r' { score = function(product, customer) return customer.in_segmnt end }",
                   "unknown_field", "did you mean \"in_segment\"?");
}

static void a_way_round_is_told_with_its_way(void **state) {
    (void)state;
    assert_finding("segment 'a' { " WHEN("return customer:in_segment 'a'") " }", "segment_round",
                   "segment \"a\" asks for itself: a → a");
    assert_finding(
        "local function gold(c) return c:in_segment('c') end\n"
        "segment 'a' { " WHEN(
            "return gold(customer)") " }\n"
                                     "segment 'b' { " WHEN(
                                         "return customer:in_segment 'a'") " }\n"
                                                                           "segment 'c' { " WHEN(
                                                                               "return customer:in_segment "
                                                                               "'b'") " }\n",
        "segment_round", "segment \"a\" asks for itself: a → c → b → a");
    char text[4000] = "segment 's00' { when = function(customer) return true end }\n";
    for (int i = 1; i <= AT_SEGMENT_CHAIN_MAX; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "segment 's%02d' { when = function(customer) return customer:in_segment 's%02d' end }\n", i,
                 i - 1);
    assert_finding(text, "segment_chain", "segment \"s16\" asks for one that asks for one …: 16 in a row");
}

static uint64_t says(const char *text, const char *name) {
    must_load(&world, text);
    const struct at_segment *segment = at_generation_segment(world.generation, at_text_of(name));
    assert_non_null(segment);
    return segment->says;
}

static void what_decides_who_is_in_it_is_in_its_hash(void **state) {
    (void)state;
    const char *tail = "segment 'x' { when = function(customer) return limit(customer) end }\n"
                       "segment 'y' { when = function(customer) return customer:in_segment 'x' end }\n" VIP;
    char one[1000], two[1000];
    snprintf(one, sizeof one, "local function limit(c) return c.orders.count > 3 end\n%s", tail);
    snprintf(two, sizeof two, "local function limit(c) return c.orders.count > 4 end\n%s", tail);
    assert_true(says(one, "x") != says(two, "x"));
    assert_true(says(one, "y") != says(two, "y"));
    assert_true(says(one, "vip") == says(two, "vip"));
    snprintf(two, sizeof two,
             "-- said otherwise\n\nlocal function limit(c) return c.orders.count > 3 end\n%s", tail);
    assert_true(says(one, "x") == says(two, "x"));
    const char *outside =
        "segment 'z' { when = function(customer) return customer.orders.count > limit end }\n";
    snprintf(one, sizeof one, "local limit = 3\n%s", outside);
    snprintf(two, sizeof two, "local limit = 4\n%s", outside);
    assert_true(says(one, "z") != says(two, "z"));
    assert_true(
        says(VIP, "vip") !=
        says("segment 'vip' { " WHEN("return customer.orders.count >= 2") ", recheck = '2d' }", "vip"));
}

/* ---- within a decision ---- */

/* Asked by a rule for each product, the way that is given. */
static bool is_in(const char *name, const struct at_profile *profile, int64_t now_ms) {
    static struct outcome outcome;
    struct at_candidates candidates = {world.root, world.rows, 1, &world.request};
    const struct at_ranking *ranking = at_generation_ranking(world.generation, at_text_of(name));
    assert_non_null(ranking);
    begin_decision(&world, profile);
    world.view.now_ms = now_ms;
    outcome = (struct outcome){.use = {.language = world.language,
                                       .view = &world.view,
                                       .report = &ranking->score_report,
                                       .function = ranking->score,
                                       .path = "scripts/a.lua",
                                       .name = name,
                                       .line = 1}};
    if (at_rule_judge(&outcome.use, &candidates, outcome.out, &outcome.err) != AT_OK)
        fail_msg("%s", outcome.err.message);
    at_decision_end(world.language, &world.view);
    return outcome.out[0] == 1;
}

/* A segment "s" and a ranking "s" that says whether somebody is in it. */
static void load_asked(const char *before, const char *body) {
    static char text[6000];
    snprintf(text, sizeof text,
             "%ssegment 's' { when = function(customer)\n%s\nend }\n"
             "ranking 's' { score = function(product, customer)\n"
             "if customer:in_segment 's' then return 1 end\nreturn 0 end }\n",
             before, body);
    must_load(&world, text);
}

static void a_decision_asks_of_its_own_snapshot_and_moment(void **state) {
    (void)state;
    load_asked("", "return customer.orders.count >= 1 and now() - customer.orders.last_at < days(30)");
    int64_t last_ms = world.somebody->orders.last_ms;
    assert_true(is_in("s", world.somebody, NOW_MS));
    assert_true(is_in("s", world.somebody, last_ms + 30 * AT_DAY_MS - 1));
    assert_false(is_in("s", world.somebody, last_ms + 30 * AT_DAY_MS));
    assert_false(is_in("s", world.nobody, NOW_MS));
    load_asked("", "return not customer.is_known");
    assert_true(is_in("s", world.nobody, NOW_MS));
    world.is_plain = true; /* without consent to personalization: in none */
    assert_false(is_in("s", world.nobody, NOW_MS));
    world.is_plain = false;
}

static void a_decision_asks_each_segment_once(void **state) {
    (void)state;
    static struct outcome outcome;
    must_load(
        &world,
        "segment 'a' { when = function(customer) return customer.orders.count == 1 end }\n"
        "segment 'b' { when = function(customer) return customer:in_segment 'a' end }\n"
        "ranking 'r' { score = function(product, customer)\n"
        "  local bonus = 0\n  if customer:in_segment 'b' and customer:in_segment('a') then bonus = 1 end\n"
        "  return product.stock + bonus + normalize(product.price)\nend }\n");
    uint32_t columns = 0;
    const struct at_ranking *ranking = &world.generation->rankings[0];
    assert_true(ranking->score_report.is_columnar);
    assert_both_ways(&ranking->score_report, ranking->score, false, "in_segment", &columns);
    assert_int_equal(columns, 3);
    begin_decision(&world, world.somebody);
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    assert_int_equal(outcome.status, AT_OK);
    assert_non_null(world.view.segments);
    uint64_t before = world.language->call;
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    assert_int_equal(world.language->call, before + 1); /* known: no other call was needed */
    at_decision_end(world.language, &world.view);
}

static void a_segment_that_fails_is_no_and_said_with_its_line(void **state) {
    (void)state;
    load_asked("", "return customer.traits.tier < 3"); /* a text beside a number */
    assert_false(is_in("s", world.somebody, NOW_MS));
    assert_int_equal(world.view.segment_failures, 1);
    if (!strstr(world.view.segment_error.message, "segment \"s\": scripts/a.lua:2"))
        fail_msg("%s", world.view.segment_error.message);
    assert_false(is_in("s", world.nobody, NOW_MS)); /* nothing there: nil is harmless */
    assert_int_equal(world.view.segment_failures, 0);
}

static const char *failure_of(const char *text) {
    static struct outcome outcome;
    must_load(&world, text);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    begin_decision(&world, world.somebody);
    world.view.deadline_ns = at_ticks_ns() + AT_DECISION_BUDGET_NS;
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    assert_int_not_equal(outcome.status, AT_OK);
    at_decision_end(world.language, &world.view);
    return outcome.err.message;
}

static void what_goes_wrong_in_a_rule_that_asks(void **state) {
    (void)state;
    assert_non_null(strstr(failure_of(VIP "ranking 'r' { score = function(product, customer)\n"
                                          "return when(customer:in_segment(product.id), 1) end }"),
                           "there is no segment \"P000\""));
    assert_non_null(strstr(failure_of(VIP "ranking 'r' { score = function(product, customer)\n"
                                          "local who = customer return when(who.in_segment('vip'), 1) end }"),
                           "write customer:in_segment \"vip\""));
    /* a name made when it runs goes round unseen until then */
    must_load(
        &world,
        "local name = 's'\nsegment 's' { when = function(customer) return customer:in_segment(name) end }\n"
        "ranking 's' { score = function(product, customer)\n"
        "return when(customer:in_segment 's', 1) end }");
    assert_false(is_in("s", world.somebody, NOW_MS));
    assert_non_null(strstr(world.view.segment_error.message, "segment \"s\" asks for itself"));
    /* it runs within the rule's budget */
    const char *said = failure_of("segment 's' { when = function(customer)\nwhile true do end end }\n"
                                  "ranking 'r' { score = function(product, customer)\n"
                                  "return when(customer:in_segment 's', 1) end }");
    if (!strstr(said, "scripts/a.lua:2")) fail_msg("%s", said);
}

/* ---- the outlook ---- */

static struct at_arena answers;

static enum at_status look(const char *name, const struct at_profile *profile, int64_t now_ms,
                           struct at_segment_outlook *out, struct at_error *err) {
    const struct at_segment *segment = at_generation_segment(world.generation, at_text_of(name));
    struct at_segment_use use = {.language = world.language,
                                 .segment = segment,
                                 .root = world.root,
                                 .baseline = world.baseline,
                                 .arena = &answers};
    struct at_segment_judge judge = at_segment_judge(&use);
    return at_segment_look(&judge, profile, now_ms, segment->recheck_ms, out, err);
}

static struct at_segment_outlook looked(const char *body, const struct at_profile *profile, int64_t now_ms) {
    struct at_segment_outlook out;
    struct at_error err;
    load_asked("", body);
    if (look("s", profile, now_ms, &out, &err) != AT_OK) fail_msg("%s\n--- %s", err.message, body);
    return out;
}

static void the_outlook_of_what_people_write(void **state) {
    (void)state;
    const struct at_profile *somebody = world.somebody;
    int64_t last_ms = somebody->orders.last_ms, visit_ms = somebody->visit.last_ms + AT_SESSION_GAP_MS;
    const struct {
        const char *body;
        bool is_member, is_blind;
        int64_t due_ms;
    } cases[] = {
        {"return customer.orders.count >= 1", true, false, AT_NEVER},
        {"return customer.orders.count >= 5 or customer.orders.revenue >= 1000", false, false, AT_NEVER},
        {"return now() - customer.orders.last_at > days(90)", false, false, last_ms + 90 * AT_DAY_MS + 1},
        {"return now() - customer.orders.last_at >= days(90)", false, false, last_ms + 90 * AT_DAY_MS},
        {"return (now() - customer.orders.last_at):above '90d'", false, false, last_ms + 90 * AT_DAY_MS + 1},
        {"local gone = now() - customer.orders.last_at\nreturn gone > days(1) and gone < days(30)", false,
         false, last_ms + AT_DAY_MS + 1},
        {"return (now() - customer.orders.last_at):between('2d', '3d')", false, false,
         last_ms + 2 * AT_DAY_MS},
        {"return customer.orders.last_at + 1.5 * days(2) < now()", false, false, last_ms + 3 * AT_DAY_MS + 1},
        {"return customer.orders.since_last > days(90)", false, false, last_ms + 90 * AT_DAY_MS + 1},
        {"return customer.orders.since_last:at_least '90d'", false, false, last_ms + 90 * AT_DAY_MS},
        {"return customer.orders.since_last:between('2d', '3d')", false, false, last_ms + 2 * AT_DAY_MS},
        {"return customer.orders.since_last / days(1) >= 7", false, false, last_ms + 7 * AT_DAY_MS},
        {"return customer.orders.since_last <= now() - customer.orders.last_at", true, false, AT_NEVER},
        {"return customer.session.is_live", false, false, AT_NEVER},
        {"return max(now(), customer.orders.last_at + days(4)) > customer.orders.last_at + days(5)", false,
         false, last_ms + 5 * AT_DAY_MS + 1},
        {"return customer.orders.first_at > now()", false, false, AT_NEVER},
        {"return now() > customer.traits.nothing", false, false, AT_NEVER},
        {"return (now() - customer.orders.last_at) / days(1) >= 7", false, false, last_ms + 7 * AT_DAY_MS},
        {"return -now() < -(customer.orders.last_at + days(8))", false, false, last_ms + 8 * AT_DAY_MS + 1},
        {"return customer:did('order_completed', { within = '30d' })", true, false, last_ms + 30 * AT_DAY_MS},
        {"return customer:did('order_completed', { since = now() - days(30) })", true, false,
         last_ms + 30 * AT_DAY_MS},
        {"return customer:did('order_completed', { within = now() - customer.session.started_at })", false,
         false, AT_NEVER},
        {"return customer:count 'product_viewed' > 3", true, false, AT_NEVER},
        {"return customer:last('order_completed').revenue > 100", true, false, AT_NEVER},
        {"return customer:did('order_completed', { since = customer.orders.last_at })", false, false,
         AT_NEVER},
        {"return customer.affinity.brand['b1'] > 0.99", false, true, NOW_MS + AT_DAY_MS},
        {"return customer.basket.first.price > 1000", false, true, NOW_MS + AT_DAY_MS},
        {"return (now() // days(1)) % 2 == 5", false, true, NOW_MS + AT_DAY_MS},
        {"return math.floor((now() - customer.orders.last_at) / days(1)) == 9", false, true,
         NOW_MS + AT_DAY_MS},
        {"local gone = now() - customer.orders.last_at\nreturn gone * gone > 0", true, true,
         NOW_MS + AT_DAY_MS},
        {"return type(now()) == 'number'", true, true, NOW_MS + AT_DAY_MS},
        {"return customer:may 'email_marketing'", false, false, AT_NEVER},
    };
    struct at_segment_outlook live = looked("return customer.session.is_live", somebody, visit_ms - 5);
    assert_true(live.is_member && live.due_ms == visit_ms);
    live = looked("return customer.session.intent == 'buy'", somebody, visit_ms - 5);
    assert_true(live.is_member && live.due_ms == visit_ms);
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_segment_outlook out = looked(cases[i].body, somebody, NOW_MS);
        if (out.is_member != cases[i].is_member || out.is_blind != cases[i].is_blind ||
            out.due_ms != cases[i].due_ms)
            fail_msg("%s\n%d %d %lld, wanted %d %d %lld", cases[i].body, out.is_member, out.is_blind,
                     (long long)out.due_ms, cases[i].is_member, cases[i].is_blind,
                     (long long)cases[i].due_ms);
    }
}

static struct at_profile *ordered(struct at_profile *profile, const char *facts, int64_t at_ms) {
    struct at_logged_event event = {.seq = profile->applied_seq + 1,
                                    .at_ms = at_ms,
                                    .received_ms = NOW_MS,
                                    .name = AT_TEXT("order_completed"),
                                    .message_id = AT_TEXT("m"),
                                    .body = world_json(&world.catalog, "{}"),
                                    .facts = world_json(&world.catalog, facts)};
    struct at_profile *next = at_profile_apply(profile, &event, true);
    assert_non_null(next);
    return next;
}

/* The language page's segment, word for word. Asked by who ordered once, the shop decides. */
static void who_is_lapsing_lapses_at_that_millisecond(void **state) {
    (void)state;
    struct at_segment_outlook out;
    struct at_profile *p = at_profile_new(9, NULL);
    const char *page = "segment \"lapsing\" {\n"
                       "  when = function(customer)\n"
                       "    return customer.has_ordered and customer.orders.since_last > 1.5 * "
                       "customer.orders.typical_interval\n"
                       "  end,\n"
                       "}\n";
    must_load(&world, page);
    assert_non_null(p);
    be_a_shop_of(&world, 40);
    assert_int_equal(look("lapsing", p, NOW_MS, &out, NULL), AT_OK);
    assert_true(!out.is_member && out.due_ms == AT_NEVER && !out.is_blind);
    int64_t last_ms = NOW_MS - 20 * AT_DAY_MS;
    p = ordered(p, "{\"order\":\"o1\"}", last_ms);
    assert_int_equal(look("lapsing", p, NOW_MS, &out, NULL), AT_OK);
    assert_true(!out.is_member && out.due_ms == last_ms + 60 * AT_DAY_MS + 1 && !out.is_blind);
    be_a_shop_of(&world, 0); /* a shop without rhythm, a person without: nobody knows, nobody lapses */
    assert_int_equal(look("lapsing", p, NOW_MS, &out, NULL), AT_OK);
    assert_true(!out.is_member && out.due_ms == AT_NEVER && !out.is_blind);
    p = ordered(p, "{\"order\":\"o2\"}", last_ms - 10 * AT_DAY_MS); /* told of late: a gap of 10 days */
    assert_int_equal(look("lapsing", p, NOW_MS, &out, NULL), AT_OK);
    assert_true(out.is_member && out.due_ms == AT_NEVER);
    be_a_shop_of(&world, 40);
    assert_int_equal(look("lapsing", p, NOW_MS, &out, NULL), AT_OK);
    assert_true(!out.is_member && out.due_ms == last_ms + 37 * AT_DAY_MS + 12 * AT_HOUR_MS + 1);
    be_a_shop_of(&world, 0);
    at_profile_unref(p);
}

/* A name put together when it runs: nobody would ask again when the shop's interval moves. */
static void an_interval_read_unseen_is_blind(void **state) {
    (void)state;
    struct at_segment_outlook out =
        looked("return customer.orders['typical' .. '_interval'] == nil", world.nobody, NOW_MS);
    assert_true(out.is_member && out.is_blind && out.due_ms == NOW_MS + AT_DAY_MS);
    assert_false(world.generation->reads_interval);
    out = looked("return customer.orders.typical_interval == nil", world.nobody, NOW_MS);
    assert_true(out.is_member && !out.is_blind && world.generation->reads_interval);
    assert_finding("segment 'a' { " WHEN("return customer.orders.typical_intervall > 1") " }",
                   "unknown_field",
                   "customer.orders has no field \"typical_intervall\" — did you mean \"typical_interval\"?");
    assert_finding("segment 'a' { " WHEN("return customer.orders.sincelast > 1") " }", "unknown_field",
                   "did you mean \"since_last\"?");
}

static void a_segment_that_asks_for_another_has_its_outlook(void **state) {
    (void)state;
    struct at_segment_outlook out;
    must_load(
        &world,
        "segment 'gone' { when = function(customer) return now() - customer.orders.last_at > days(5) end }\n"
        "segment 'here' { when = function(customer) return not customer:in_segment 'gone' end }");
    assert_int_equal(look("here", world.somebody, NOW_MS, &out, NULL), AT_OK);
    assert_true(out.is_member && out.due_ms == world.somebody->orders.last_ms + 5 * AT_DAY_MS + 1);
    must_load(&world,
              "segment 'bad' { when = function(customer) return customer.traits.tier < 1 end }\n"
              "segment 'asks' { when = function(customer) return not customer:in_segment 'bad' end }");
    struct at_error err;
    assert_int_equal(look("asks", world.somebody, NOW_MS, &out, &err), AT_FAILED);
    assert_non_null(strstr(err.message, "segment \"bad\": scripts/a.lua:1"));
    assert_int_equal(look("bad", world.somebody, NOW_MS, &out, &err), AT_FAILED);
    assert_non_null(strstr(err.message, "scripts/a.lua:1"));
}

static void who_may_not_be_personalized_is_in_none(void **state) {
    (void)state;
    struct at_segment_outlook out;
    struct at_consent_statement no = {.purpose = AT_TEXT("personalization"),
                                      .channel = AT_TEXT(""),
                                      .at_ms = NOW_MS - 1000,
                                      .expires_ms = NOW_MS + 5000,
                                      .said = AT_TEXT(""),
                                      .wording = AT_TEXT("")};
    struct at_profile *profile = at_profile_new(5, NULL);
    load_asked("", "return true");
    assert_int_equal(look("s", profile, NOW_MS, &out, NULL), AT_OK);
    assert_true(out.is_member && out.due_ms == AT_NEVER);
    profile->consents = &no;
    profile->consent_count = 1;
    assert_int_equal(look("s", profile, NOW_MS, &out, NULL), AT_OK);
    assert_true(!out.is_member && out.due_ms == NOW_MS + 5000); /* the no runs out */
    profile->consent_count = 0;
    at_profile_unref(profile);
}

static void a_segment_over_its_budget_is_stopped(void **state) {
    (void)state;
    struct at_segment_outlook out;
    struct at_error err;
    load_asked("", "while true do end");
    assert_int_equal(look("s", world.somebody, NOW_MS, &out, &err), AT_STOPPED);
    assert_non_null(strstr(err.message, "scripts/a.lua:2"));
    assert_true(at_language_is_spent(world.language));
}

/* ---- generated conditions, millisecond by millisecond ---- */

enum { SPAN = 500 };

static const char *pick(const char *const *list, size_t count) {
    return list[random_below(&seed, (uint32_t)count)];
}
#define PICK(...) pick((const char *const[]){__VA_ARGS__}, AT_LENGTH(((const char *const[]){__VA_ARGS__})))

/* Of somebody with a rhythm: by it the time since the last order is about this many typical intervals. */
static const char *rhythm_factor;

/* Moments are put beside moments and spans beside spans, so that they meet within the milliseconds looked at.
 */
static void make_moment(char *out, size_t size, int depth);

static void make_span(char *out, size_t size, int depth) {
    char a[300], b[300];
    uint32_t kind = random_below(&seed, depth > 0 ? 8 : 3);
    if (kind <= 2) {
        make_moment(a, sizeof a, 0);
        snprintf(out, size, "%u", random_below(&seed, 700));
        if (kind == 1) snprintf(out, size, "(now() - %s)", a);
        if (kind != 2) return;
        snprintf(out, size, "customer.orders.since_last");
        if (rhythm_factor)
            snprintf(out, size, "(customer.orders.since_last - %s * customer.orders.typical_interval)",
                     rhythm_factor);
        return;
    }
    make_span(a, sizeof a, depth - 1);
    make_span(b, sizeof b, depth - 1);
    if (kind == 3) snprintf(out, size, "(%s + %s)", a, b);
    if (kind == 4) snprintf(out, size, "(%s - %s)", a, b);
    if (kind == 5) snprintf(out, size, "(%s * %s)", a, PICK("0.5", "1.5", "3", "-1", "0"));
    if (kind == 6) snprintf(out, size, "(%s / %s)", a, PICK("2", "3", "-7", "0.7"));
    if (kind == 7) snprintf(out, size, "%s(%s, %s)", PICK("min", "max"), a, b);
}

static void make_moment(char *out, size_t size, int depth) {
    char a[300], b[300];
    uint32_t kind = random_below(&seed, depth > 0 ? 4 : 2);
    if (kind == 0) snprintf(out, size, "now()");
    if (kind == 1)
        snprintf(out, size, "%s",
                 PICK("customer.orders.last_at", "customer.orders.first_at", "customer.session.started_at",
                      "customer.traits.nothing", "customer.basket.updated_at"));
    if (kind < 2) return;
    make_moment(a, sizeof a, depth - 1);
    make_span(b, sizeof b, depth - 1);
    if (kind == 2) snprintf(out, size, "(%s + %s)", a, b);
    int length = 0;
    if (kind == 3) length = snprintf(out, size, "%s(%s, %s + %s)", PICK("min", "max"), a, a, b);
    assert_true(length < (int)size);
}

static void make_pair(char *a, char *b, size_t size) {
    bool are_spans = random_below(&seed, 2);
    are_spans ? make_span(a, size, 2) : make_moment(a, size, 2);
    are_spans ? make_span(b, size, 2) : make_moment(b, size, 2);
}

static void make_condition(char *out, size_t size, int depth) {
    char a[900], b[900];
    uint32_t kind = random_below(&seed, depth > 0 ? 11 : 5);
    if (rhythm_factor && random_below(&seed, 4) == 0) {
        snprintf(out, size, "(customer.orders.since_last %s %s * customer.orders.typical_interval)",
                 PICK("<", "<=", ">", ">="), rhythm_factor);
        return;
    }
    if (kind == 9) make_moment(a, sizeof a, 1);
    if (kind == 10) make_span(a, sizeof a, 1);
    if (kind >= 5 && kind < 9) {
        make_condition(a, sizeof a, depth - 1);
        make_condition(b, sizeof b, depth - 1);
    } else if (kind < 5) {
        make_pair(a, b, sizeof a);
    }
    if (kind <= 2) snprintf(out, size, "(%s %s %s)", a, PICK("<", "<=", ">", ">="), b);
    if (kind == 3) snprintf(out, size, "(%s):%s(%s)", a, PICK("above", "below", "at_least", "at_most"), b);
    if (kind == 4) snprintf(out, size, "(%s):between(%s, %s + 90)", a, b, b);
    if (kind == 5) snprintf(out, size, "(%s and %s)", a, b);
    if (kind == 6) snprintf(out, size, "(%s or %s)", a, b);
    if (kind == 7) snprintf(out, size, "not %s", a);
    if (kind == 8) snprintf(out, size, "when(%s, customer.session.is_live, %s)", a, b);
    if (kind == 9)
        snprintf(out, size, "customer:did('looked', { since = max(%s, customer.orders.first_at) })", a);
    if (kind == 10) snprintf(out, size, "customer:did('looked', { within = days(3) + %s })", a);
}

/* Somebody who looked once, about now or three days ago. */
static struct at_profile *who_looked(void) {
    struct at_json nothing = world_json(&world.catalog, "{}");
    int64_t at_ms = NOW_MS + (int64_t)random_below(&seed, 900) - 500;
    if (random_below(&seed, 2)) at_ms -= 3 * AT_DAY_MS;
    struct at_logged_event looked_at = {.seq = 1,
                                        .at_ms = at_ms,
                                        .received_ms = NOW_MS,
                                        .name = AT_TEXT("looked"),
                                        .message_id = AT_TEXT("m"),
                                        .body = nothing,
                                        .facts = nothing};
    struct at_profile *profile = at_profile_new(9, NULL);
    assert_non_null(profile);
    profile = at_profile_apply(profile, &looked_at, true);
    assert_non_null(profile);
    return profile;
}

/* Two orders so many days apart, the last so long ago that factor typical intervals are over about now. */
static struct at_profile *who_has_a_rhythm(struct at_profile *profile) {
    static const char *const factors[] = {"1", "1.5", "2", "0.7"};
    uint32_t which = random_below(&seed, 4), gap = 1 + random_below(&seed, 40),
             shop = random_below(&seed, 2) * (1 + random_below(&seed, 40));
    double typical_ms = (shop ? (gap + shop) / 2.0 : gap) * AT_DAY_MS;
    int64_t last_ms =
        NOW_MS + (int64_t)random_below(&seed, SPAN) - (int64_t)(atof(factors[which]) * typical_ms);
    be_a_shop_of(&world, shop);
    rhythm_factor = factors[which];
    profile = ordered(profile, "{\"order\":\"o1\"}", last_ms - gap * AT_DAY_MS);
    return ordered(profile, "{\"order\":\"o2\"}", last_ms);
}

static void the_outlook_is_what_every_millisecond_shows(void **state) {
    (void)state;
    static char body[6000];
    uint32_t flips = 0, stays = 0, blind = 0, rhythms = 0;
    seed = first = first_seed(0x0071);
    printf("# property: the_outlook_is_what_every_millisecond_shows, 1000 cases, seed %llu\n",
           (unsigned long long)first);
    for (number = 0; number < 1000; number++) {
        struct at_profile *profile = who_looked();
        rhythm_factor = NULL;
        if (random_below(&seed, 3) == 0) profile = who_has_a_rhythm(profile);
        profile->orders.count = 3;
        profile->orders.first_ms = NOW_MS - random_below(&seed, 900);
        if (!rhythm_factor) profile->orders.last_ms = profile->orders.first_ms + random_below(&seed, 600);
        if (random_below(&seed, 8) == 0) profile->orders.last_ms = 0; /* missing, and so is the time since */
        profile->visit.started_ms = NOW_MS - random_below(&seed, 500);
        profile->visit.last_ms = NOW_MS + (int64_t)random_below(&seed, SPAN) - AT_SESSION_GAP_MS;
        profile->last_seen_ms = profile->visit.last_ms;
        profile->basket_updated_ms = random_below(&seed, 2) ? NOW_MS - random_below(&seed, 500) : 0;
        snprintf(body, sizeof body, "return ");
        make_condition(body + 7, sizeof body - 7, 2);
        struct at_segment_outlook out = looked(body, profile, NOW_MS);
        int64_t at_ms = NOW_MS + 1, end_ms = NOW_MS + SPAN;
        if (is_in("s", profile, NOW_MS) != out.is_member) fail_msg("now: %s", body);
        while (at_ms <= end_ms && is_in("s", profile, at_ms) == out.is_member) at_ms++;
        blind += out.is_blind;
        bool is_seen = at_ms <= end_ms;
        if (is_seen && !out.is_blind && out.due_ms > at_ms)
            fail_msg("seed %llu, case %d: changes after %lld, due after %lld\n%s", (unsigned long long)first,
                     number, (long long)(at_ms - NOW_MS), (long long)(out.due_ms - NOW_MS), body);
        flips += is_seen && !out.is_blind && out.due_ms == at_ms;
        rhythms += is_seen && !out.is_blind && rhythm_factor;
        stays += !is_seen && !out.is_blind;
        if (is_seen && !out.is_blind &&
            out.due_ms != at_ms) { /* so many places on the way: asked again from there */
            struct at_segment_outlook next;
            for (int i = 0; i < 50 && out.due_ms < at_ms; i++) {
                assert_int_equal(look("s", profile, out.due_ms, &next, NULL), AT_OK);
                assert_true(next.is_member == out.is_member && next.due_ms > out.due_ms);
                out.due_ms = next.due_ms;
            }
            assert_true(out.due_ms == at_ms);
        }
        at_profile_unref(profile);
    }
    printf("# %u changes foreseen, %u answers that stay, %u blind; %u changes by a rhythm\n", flips, stays,
           blind, rhythms);
    assert_true(flips > 80 && stays > 80 && blind < 70 && rhythms > 40);
    be_a_shop_of(&world, 0);
}

static int begin(void **state) {
    (void)state;
    shop_world_init(&world, PRODUCTS);
    at_arena_init(&answers, 1 << 24);
    return 0;
}

static int end(void **state) {
    (void)state;
    shop_world_clear(&world);
    at_arena_clear(&answers);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_declaration_must_say),
        cmocka_unit_test(a_name_that_no_segment_has_is_told_wherever_it_stands),
        cmocka_unit_test(a_way_round_is_told_with_its_way),
        cmocka_unit_test(what_decides_who_is_in_it_is_in_its_hash),
        cmocka_unit_test(a_decision_asks_of_its_own_snapshot_and_moment),
        cmocka_unit_test(a_decision_asks_each_segment_once),
        cmocka_unit_test(a_segment_that_fails_is_no_and_said_with_its_line),
        cmocka_unit_test(what_goes_wrong_in_a_rule_that_asks),
        cmocka_unit_test(the_outlook_of_what_people_write),
        cmocka_unit_test(who_is_lapsing_lapses_at_that_millisecond),
        cmocka_unit_test(an_interval_read_unseen_is_blind),
        cmocka_unit_test(a_segment_that_asks_for_another_has_its_outlook),
        cmocka_unit_test(who_may_not_be_personalized_is_in_none),
        cmocka_unit_test(a_segment_over_its_budget_is_stopped),
        cmocka_unit_test(the_outlook_is_what_every_millisecond_shows),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
