/* SPDX-License-Identifier: Apache-2.0
 *
 * What people said comes to the same in whatever order it comes in, as a model says that knows nothing of how
 * it is kept; the shop's rules, cell by cell; what is not readable; what goes when there is too much.
 */
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

static const char *const purposes[] = {"analytics", "personalization", "email_marketing"};
static const char *const channels[] = {"", "email", "sms"};

static struct at_text text(const char *word) {
    return at_text_of(word);
}

/* ---- a profile that was told so, through facts as the shop writes them ---- */

static struct at_profile *tell(struct at_profile *profile, const struct at_consent_statement *said) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, 1 << 16);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_key(&out, "consent");
    at_json_open(&out, '[');
    at_consent_write(&out, said);
    at_json_close(&out, ']');
    at_json_close(&out, '}');
    assert_false(bytes.failed);
    struct at_logged_event event = {.seq = profile->applied_seq + 1,
                                    .at_ms = said->at_ms,
                                    .name = AT_TEXT("consent_updated"),
                                    .body = json_of(world.body_parser, "{}"),
                                    .facts = json_of(world.facts_parser, bytes.data)};
    profile = at_profile_apply(profile, &event, true);
    assert_non_null(profile);
    at_bytes_clear(&bytes);
    return profile;
}

static struct at_consent_statement said(const char *purpose, bool is_granted, int64_t at_ms) {
    return (struct at_consent_statement){.purpose = text(purpose),
                                         .channel = AT_TEXT(""),
                                         .source = 7,
                                         .at_ms = at_ms,
                                         .is_granted = is_granted,
                                         .said = AT_TEXT(""),
                                         .wording = AT_TEXT("")};
}

static enum at_consent_answer state(const struct at_profile *profile, const char *purpose, int64_t now_ms) {
    return at_consent_state(profile, text(purpose), AT_TEXT(""), now_ms);
}

/* ---- the model: all that was ever said, and the definition, word for word ---- */

struct word {
    int purpose, channel, source, at, until; /* until 0: for ever; source 0: the person */
    int kind;                                /* 0 yes, 1 confirmed yes, 2 no, 3 the browser's signal */
};
enum { UNSAID, YES, NO };
struct verdict {
    int state;
    bool is_confirmed;
};

/* Which words of a source count: of its signals the first, of the rest all that have not run out. */
static bool counts(const struct word *words, int count, int i, int purpose, int channel, int now) {
    const struct word *w = &words[i];
    if (w->purpose != purpose || (w->channel && w->channel != channel) || (w->until && now >= w->until))
        return false;
    for (int j = 0; w->kind == 3 && j < count; j++)
        if (words[j].kind == 3 && words[j].purpose == purpose && words[j].channel == w->channel &&
            words[j].source == w->source && words[j].at < w->at)
            return false;
    return true;
}

static struct verdict of_one(const struct word *words, int count, int source, int purpose, int channel,
                             int now) {
    int last = -1, yes = -1, no = -1;
    bool is_no = false;
    for (int i = 0; i < count; i++) {
        if ((words[i].source && words[i].source != source) || !counts(words, count, i, purpose, channel, now))
            continue;
        bool denies = words[i].kind > 1;
        if (words[i].at > last || (words[i].at == last && denies)) is_no = denies;
        if (words[i].at > last) last = words[i].at;
        if (denies && words[i].at > no) no = words[i].at;
        if (words[i].kind == 1 && words[i].at > yes) yes = words[i].at;
    }
    if (last < 0) return (struct verdict){UNSAID, false};
    return (struct verdict){is_no ? NO : YES, !is_no && yes > no};
}

static struct verdict on_channel(const struct word *words, int count, int purpose, int channel, int now) {
    struct verdict all = {UNSAID, false};
    bool has_source = false;
    for (int source = 1; source <= 3; source++) {
        bool speaks = false;
        for (int i = 0; i < count; i++)
            speaks |= words[i].source == source && counts(words, count, i, purpose, channel, now);
        if (!speaks) continue;
        struct verdict one = of_one(words, count, source, purpose, channel, now);
        has_source = true;
        if (one.state > all.state) all.state = one.state;
        all.is_confirmed |= one.is_confirmed;
    }
    return has_source ? all : of_one(words, count, 0, purpose, channel, now);
}

static struct verdict model(const struct word *words, int count, int purpose, int channel, int now) {
    struct verdict all = on_channel(words, count, purpose, channel, now);
    for (int other = 1; !channel && other < 3; other++) {
        struct verdict one = on_channel(words, count, purpose, other, now);
        if (one.state > all.state) all.state = one.state;
        all.is_confirmed |= one.is_confirmed;
    }
    return all;
}

/* ---- random words ---- */

static struct word random_word(void) {
    uint64_t *r = &seed;
    DRAW(purpose, 3);
    DRAW(channel, 6);
    DRAW(source, 4);
    DRAW(at, 12);
    DRAW(lasts, 4);
    DRAW(kind, 8);
    struct word word = {.purpose = (int)purpose,
                        .channel = channel < 4 ? 0 : (int)channel - 3,
                        .source = (int)source,
                        .at = (int)at,
                        .until = lasts ? 0 : (int)(at + 1 + purpose * 3),
                        .kind = kind < 3   ? 0
                                : kind < 5 ? 1
                                : kind < 7 ? 2
                                           : 3};
    if (word.kind == 3) word.until = word.channel = 0;
    return word;
}

static struct at_consent_statement statement_of(const struct word *word) {
    return (struct at_consent_statement){.purpose = text(purposes[word->purpose]),
                                         .channel = text(channels[word->channel]),
                                         .source = (uint64_t)word->source,
                                         .at_ms = NOW_MS + word->at,
                                         .expires_ms = word->until ? NOW_MS + word->until : 0,
                                         .is_granted = word->kind < 2,
                                         .is_confirmed = word->kind == 1,
                                         .is_signal = word->kind == 3,
                                         .said = AT_TEXT("form"),
                                         .wording = AT_TEXT("v1")};
}

static void shuffle(struct word *words, int count) {
    for (int i = count - 1; i > 0; i--) {
        int j = (int)random_below(&seed, (uint32_t)i + 1);
        struct word kept = words[i];
        words[i] = words[j];
        words[j] = kept;
    }
}

static struct at_profile *profile_of(const struct word *words, int count) {
    struct at_profile *profile = at_profile_new(1, NULL);
    for (int i = 0; i < count; i++) {
        struct at_consent_statement one = statement_of(&words[i]);
        profile = tell(profile, &one);
    }
    return profile;
}

static const struct at_consent_purpose three[] = {
    {{"analytics", 9}, {AT_CONSENT_OPT_IN, AT_CONSENT_OPT_OUT, AT_CONSENT_OPT_IN}, false, 0},
    {{"personalization", 15}, {AT_CONSENT_OPT_IN, AT_CONSENT_OPT_OUT, AT_CONSENT_OPT_IN}, false, 0},
    {{"email_marketing", 15},
     {AT_CONSENT_DOUBLE_OPT_IN, AT_CONSENT_OPT_OUT, AT_CONSENT_OPT_IN},
     true,
     AT_CONSENT_OPT_OUT}};
static const struct at_consent_rules rules = {.is_declared = true, .purposes = three, .purpose_count = 3};

static void check_against_model(const struct at_profile *profile, const struct word *words, int count) {
    for (int purpose = 0; purpose < 3; purpose++)
        for (int channel = 0; channel < 3; channel++)
            for (int now = 0; now < 20; now += 3) {
                struct verdict want = model(words, count, purpose, channel, now);
                enum at_consent_answer got =
                    at_consent_state(profile, text(purposes[purpose]), text(channels[channel]), NOW_MS + now);
                CHECK((int)got == want.state);
                bool may = at_consent_allows(&rules, profile, text(purposes[purpose]),
                                             text(channels[channel]), AT_REGION_EU, NOW_MS + now);
                CHECK(may == (want.state == YES && (purpose != 2 || want.is_confirmed)));
            }
}

static void any_order_of_arrival_gives_the_models_state(void **unused) {
    (void)unused;
    enum { CASES = 3000 };
    seed = first = first_seed(41);
    for (number = 0; number < CASES; number++) {
        struct word words[24];
        int count = 1 + (int)random_below(&seed, number % 3 ? 8 : 24);
        for (int i = 0; i < count; i++) words[i] = random_word();
        struct at_profile *one = profile_of(words, count);
        check_against_model(one, words, count);
        shuffle(words, count);
        struct at_profile *other = recode(&world, profile_of(words, count));
        const char *where = difference(one, other);
        /* counts say when consent was updated: the same events, so the same */
        if (where) fail_msg("seed %llu, case %d: %s differs", (unsigned long long)first, number, where);
        at_profile_unref(one);
        at_profile_unref(other);
    }
    print_message("property: any order, %d cases, seed %llu\n", CASES, (unsigned long long)first);
}

/* ---- examples a person can read ---- */

static void the_strictest_of_the_sources_holds(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct at_consent_statement no = said("personalization", false, NOW_MS),
                                yes = said("personalization", true, NOW_MS + 1000);
    yes.source = 8; /* another browser, later */
    profile = tell(tell(profile, &no), &yes);
    assert_int_equal(state(profile, "personalization", NOW_MS + 2000), AT_CONSENT_DENIED);
    no.is_granted = true;
    no.at_ms += 3000;
    profile = tell(profile, &no);
    assert_int_equal(state(profile, "personalization", NOW_MS + 4000), AT_CONSENT_GRANTED);
    at_profile_unref(profile);
}

static void what_is_said_for_the_person_holds_in_every_browser(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct at_consent_statement in_one = said("analytics", true, NOW_MS), for_all = in_one;
    for_all.source = 0;
    for_all.is_granted = false;
    for_all.at_ms += 10;
    profile = tell(tell(profile, &for_all), &in_one);
    assert_int_equal(state(profile, "analytics", NOW_MS + 20), AT_CONSENT_DENIED);
    in_one.at_ms += 20; /* said again, after that */
    profile = tell(profile, &in_one);
    assert_int_equal(state(profile, "analytics", NOW_MS + 20), AT_CONSENT_GRANTED);
    at_profile_unref(profile);
}

static void a_yes_after_the_signal_wins_in_its_browser_alone(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct at_consent_statement signal = said("personalization", false, NOW_MS),
                                yes = said("personalization", true, NOW_MS + 10);
    signal.is_signal = true;
    profile = tell(tell(profile, &signal), &yes);
    assert_int_equal(state(profile, "personalization", NOW_MS + 20), AT_CONSENT_GRANTED);
    signal.at_ms += 30; /* the browser goes on saying it */
    profile = tell(profile, &signal);
    assert_int_equal(state(profile, "personalization", NOW_MS + 40), AT_CONSENT_GRANTED);
    signal.source = 8; /* another one says it */
    profile = tell(profile, &signal);
    assert_int_equal(state(profile, "personalization", NOW_MS + 40), AT_CONSENT_DENIED);
    at_profile_unref(profile);
}

static void a_yes_runs_out_and_what_was_said_before_holds_again(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct at_consent_statement no = said("analytics", false, NOW_MS),
                                yes = said("analytics", true, NOW_MS + 10);
    yes.expires_ms = NOW_MS + 100;
    profile = tell(tell(profile, &no), &yes);
    assert_int_equal(state(profile, "analytics", NOW_MS + 99), AT_CONSENT_GRANTED);
    assert_int_equal(state(profile, "analytics", NOW_MS + 100), AT_CONSENT_DENIED);
    at_profile_unref(profile);
}

static void one_profile_holds_64_and_forgets_a_yes_first(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    char name[32];
    struct at_consent_statement no = said("personalization", false, NOW_MS);
    no.source = 9;
    profile = tell(profile, &no);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "p%d", i);
        struct at_consent_statement yes = said(name, true, NOW_MS + 10 + i);
        profile = tell(profile, &yes);
    }
    assert_int_equal(profile->consent_count, AT_CONSENT_MAX);
    assert_int_equal(state(profile, "personalization", NOW_MS + 999), AT_CONSENT_DENIED);
    assert_int_equal(state(profile, "p0", NOW_MS + 999), AT_CONSENT_UNKNOWN);
    assert_int_equal(state(profile, "p199", NOW_MS + 999), AT_CONSENT_GRANTED);
    for (uint64_t i = 0; i < 200; i++) { /* 200 browsers say no: one of them is enough */
        no.source = 100 + i;
        no.at_ms++;
        profile = tell(profile, &no);
    }
    no = said("analytics", false, NOW_MS);
    profile = tell(profile, &no);
    assert_int_equal(profile->consent_count, AT_CONSENT_MAX);
    assert_int_equal(state(profile, "personalization", NOW_MS + 999), AT_CONSENT_DENIED);
    assert_int_equal(state(profile, "analytics", NOW_MS + 999), AT_CONSENT_DENIED);
    at_profile_unref(profile);
}

/* An event whose context repeats what source 7 said, as the shop keeps it. */
static struct at_profile *repeat(struct at_profile *profile, bool is_granted, int64_t at_ms) {
    struct stored stored;
    char event[300];
    snprintf(event, sizeof event,
             "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"X\",\"context\":{\"consent\":{"
             "\"categoryPreferences\":{\"analytics\":%s}}}}",
             is_granted ? "true" : "false");
    assert_int_equal(parse_at(&world, event, at_ms), AT_OK);
    world.event.consent_again = 7;
    world.seq = profile->applied_seq;
    keep_event(&world, true, &stored);
    profile = step(&world, profile, &stored, true);
    stored_free(&stored);
    return profile;
}

static void a_word_said_again_is_not_undone_by_what_comes_late(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct at_consent_statement yes = said("analytics", true, NOW_MS),
                                no = said("analytics", false, NOW_MS + 10);
    profile = repeat(tell(profile, &yes), true, NOW_MS + 20);
    assert_int_equal(profile->consent_count, 1);
    profile = tell(profile, &no); /* said between the two */
    assert_int_equal(state(profile, "analytics", NOW_MS + 30), AT_CONSENT_GRANTED);
    no.at_ms = NOW_MS + 30;
    profile = repeat(tell(profile, &no), true, NOW_MS + 25); /* no repetition: it says something else */
    assert_int_equal(state(profile, "analytics", NOW_MS + 40), AT_CONSENT_DENIED);
    at_profile_unref(profile);
}

static void a_word_said_again_does_not_answer_the_signal(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct at_consent_statement yes = said("analytics", true, NOW_MS), signal = yes;
    signal.is_granted = false;
    signal.is_signal = true;
    signal.at_ms += 10;
    profile = repeat(tell(tell(profile, &yes), &signal), true, NOW_MS + 20);
    assert_int_equal(state(profile, "analytics", NOW_MS + 30), AT_CONSENT_DENIED);
    at_profile_unref(profile);
}

/* ---- the shop's rules ---- */

static bool may(const struct at_consent_rules *of, const struct at_profile *profile, const char *purpose,
                enum at_consent_region region) {
    return at_consent_allows(of, profile, text(purpose), AT_TEXT(""), region, NOW_MS + 50);
}

static void the_rule_of_the_region_decides_what_nobody_said(void **unused) {
    (void)unused;
    struct at_profile *nobody = at_profile_new(1, NULL);
    assert_false(may(&rules, nobody, "analytics", AT_REGION_EU));
    assert_true(may(&rules, nobody, "analytics", AT_REGION_US));
    assert_false(may(&rules, nobody, "analytics", AT_REGION_ELSEWHERE));
    assert_false(may(&rules, nobody, "analytics", AT_REGION_UNKNOWN));
    assert_true(may(&rules, nobody, "email_marketing", AT_REGION_US));
    assert_false(may(&rules, nobody, "sale", AT_REGION_US)); /* nobody named it */
    nobody->orders.count = 1;
    assert_true(may(&rules, nobody, "email_marketing", AT_REGION_EU)); /* own customers */
    assert_false(may(&rules, nobody, "analytics", AT_REGION_EU));
    at_profile_unref(nobody);
}

static void a_double_opt_in_needs_a_confirmed_address(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct at_consent_statement yes = said("email_marketing", true, NOW_MS);
    profile = tell(profile, &yes);
    assert_false(may(&rules, profile, "email_marketing", AT_REGION_EU));
    assert_true(may(&rules, profile, "email_marketing", AT_REGION_ELSEWHERE));
    yes.is_confirmed = true;
    yes.source = 0;
    yes.at_ms += 10;
    profile = tell(profile, &yes);
    assert_true(may(&rules, profile, "email_marketing", AT_REGION_EU));
    yes.is_confirmed = false; /* said once more, without a proof: it stays proved */
    yes.at_ms += 10;
    profile = tell(profile, &yes);
    assert_true(may(&rules, profile, "email_marketing", AT_REGION_EU));
    struct at_consent_statement no = said("email_marketing", false, NOW_MS + 30);
    profile = tell(profile, &no);
    no.is_granted = true;
    no.at_ms += 10;
    profile = tell(profile, &no); /* yes after a no: to be proved anew */
    assert_int_equal(state(profile, "email_marketing", NOW_MS + 50), AT_CONSENT_GRANTED);
    assert_false(may(&rules, profile, "email_marketing", AT_REGION_EU));
    at_profile_unref(profile);
}

static void without_a_block_only_marketing_asks(void **unused) {
    (void)unused;
    struct at_consent_rules none = {0};
    struct at_profile *profile = at_profile_new(1, NULL);
    assert_true(may(&none, profile, "analytics", AT_REGION_EU));
    assert_true(may(&none, profile, "personalization", AT_REGION_UNKNOWN));
    assert_false(may(&none, profile, "email_marketing", AT_REGION_US));
    assert_false(may(&none, profile, "sale", AT_REGION_US));
    assert_true(at_consent_is_named(&none, AT_TEXT("sms_marketing")));
    assert_false(at_consent_is_named(&none, AT_TEXT("sale")));
    struct at_consent_statement yes = said("sms_marketing", true, NOW_MS),
                                no = said("analytics", false, NOW_MS);
    profile = tell(tell(profile, &yes), &no);
    assert_true(may(&none, profile, "sms_marketing", AT_REGION_EU));
    assert_false(may(&none, profile, "analytics", AT_REGION_EU));
    at_profile_unref(profile);
}

static void countries_belong_to_regions(void **unused) {
    (void)unused;
    static const struct {
        const char *country;
        enum at_consent_region region;
    } all[] = {{"DE", AT_REGION_EU},       {"de", AT_REGION_EU},    {"CH", AT_REGION_EU},
               {"GB", AT_REGION_EU},       {"UK", AT_REGION_EU},    {"NO", AT_REGION_EU},
               {"US", AT_REGION_US},       {"us", AT_REGION_US},    {"JP", AT_REGION_ELSEWHERE},
               {"T ", AT_REGION_UNKNOWN},  {"", AT_REGION_UNKNOWN}, {"Germany", AT_REGION_UNKNOWN},
               {"E ", AT_REGION_UNKNOWN},  {"ES", AT_REGION_EU},    {"SE", AT_REGION_EU},
               {"TB", AT_REGION_ELSEWHERE}};
    for (size_t i = 0; i < AT_LENGTH(all); i++)
        assert_int_equal(at_consent_region(text(all[i].country)), all[i].region);
}

static void names_that_are_never_used(void **unused) {
    (void)unused;
    static const struct at_text names[] = {{"traits.religion", 15}, {"category.intimate", 17}};
    struct at_consent_rules with = {.never_use = names, .never_use_count = 2};
    assert_true(at_consent_never_uses(&with, AT_TEXT("traits"), AT_TEXT("religion")));
    assert_true(at_consent_never_uses(&with, AT_TEXT("category"), AT_TEXT("intimate")));
    assert_false(at_consent_never_uses(&with, AT_TEXT("traits"), AT_TEXT("religio")));
    assert_false(at_consent_never_uses(&with, AT_TEXT("trait"), AT_TEXT("s.religion")));
}

/* ---- what comes in ---- */

static enum at_consent_object read(const char *context, uint32_t *count) {
    struct at_consent_said out[AT_CONSENT_OBJECT_MAX];
    return at_consent_object(json_of(world.event_parser, context), out, count);
}

static void a_consent_object_is_read_whole_or_not_at_all(void **unused) {
    (void)unused;
    uint32_t count;
    static const char *const bad[] = {"{\"consent\":true}",
                                      "{\"consent\":{}}",
                                      "{\"consent\":[]}",
                                      "{\"consent\":{\"categoryPreferences\":[\"analytics\"]}}",
                                      "{\"consent\":{\"categoryPreferences\":{\"analytics\":\"true\"}}}",
                                      "{\"consent\":{\"categoryPreferences\":{\"a\":true,\"b\":1}}}",
                                      "{\"consent\":{\"categoryPreferences\":{\"\":true}}}",
                                      "{\"consent\":{\"categoryPreferences\":null}}"};
    for (size_t i = 0; i < AT_LENGTH(bad); i++) {
        assert_int_equal(read(bad[i], &count), AT_CONSENT_UNREADABLE);
        assert_int_equal(count, 0);
    }
    assert_int_equal(read("{}", &count), AT_CONSENT_ABSENT);
    assert_int_equal(read("{\"consent\":null}", &count), AT_CONSENT_ABSENT);
    assert_int_equal(read("{\"consent\":{\"categoryPreferences\":{}}}", &count), AT_CONSENT_NOTHING);
    assert_int_equal(read("{\"consent\":{\"categoryPreferences\":{\"a\":true,\"b\":false}}}", &count),
                     AT_CONSENT_READ);
    assert_int_equal(count, 2);
    char many[2000] = "{\"consent\":{\"categoryPreferences\":{\"a\":true";
    for (int i = 0; i < AT_CONSENT_OBJECT_MAX; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), ",\"p%d\":true", i);
    snprintf(many + strlen(many), sizeof many - strlen(many), "}}}");
    assert_int_equal(read(many, &count), AT_CONSENT_UNREADABLE);
}

static void a_profile_of_before_consent_is_read(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(3, NULL), *back;
    char *stored = text_of_profile(&world, profile);
    assert_null(strstr(stored, "consent"));
    assert_int_equal(at_profile_read(json_of(world.profile_parser, stored), NULL, &back, NULL), AT_OK);
    assert_int_equal(back->consent_count, 0);
    assert_int_equal(state(back, "analytics", NOW_MS), AT_CONSENT_UNKNOWN);
    free(stored);
    at_profile_unref(back);
    at_profile_unref(profile);
}

static void an_event_that_is_not_to_be_learned_from_leaves_no_taste(void **unused) {
    (void)unused;
    struct at_profile *profile = at_profile_new(1, NULL);
    struct stored stored;
    assert_int_equal(parse_at(&world,
                              "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Product Viewed\","
                              "\"properties\":{\"product_id\":\"P\",\"brand\":\"Acme\"}}",
                              NOW_MS),
                     AT_OK);
    world.event.is_unlearned = true;
    keep_event(&world, true, &stored);
    profile = step(&world, profile, &stored, true);
    stored_free(&stored);
    assert_int_equal(profile->taste_count + profile->product_count, 0);
    assert_int_equal(at_profile_counted(profile, AT_TEXT("product_viewed"))->total, 1);
    at_profile_unref(profile);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_arrival_gives_the_models_state),
        cmocka_unit_test(the_strictest_of_the_sources_holds),
        cmocka_unit_test(what_is_said_for_the_person_holds_in_every_browser),
        cmocka_unit_test(a_yes_after_the_signal_wins_in_its_browser_alone),
        cmocka_unit_test(a_yes_runs_out_and_what_was_said_before_holds_again),
        cmocka_unit_test(one_profile_holds_64_and_forgets_a_yes_first),
        cmocka_unit_test(a_word_said_again_is_not_undone_by_what_comes_late),
        cmocka_unit_test(a_word_said_again_does_not_answer_the_signal),
        cmocka_unit_test(the_rule_of_the_region_decides_what_nobody_said),
        cmocka_unit_test(a_double_opt_in_needs_a_confirmed_address),
        cmocka_unit_test(without_a_block_only_marketing_asks),
        cmocka_unit_test(countries_belong_to_regions),
        cmocka_unit_test(names_that_are_never_used),
        cmocka_unit_test(a_consent_object_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_profile_of_before_consent_is_read),
        cmocka_unit_test(an_event_that_is_not_to_be_learned_from_leaves_no_taste),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
