/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person says they like and dislike: which words count and how strongly, what affinity comes to, and
 * what the sender is told; in any order of arrival against a model that keeps all that was said and done.
 */
#include <math.h>
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

static struct at_arena arena;
static uint64_t *const r = &seed; /* of DRAW */

#define NEAR(a, b)       assert_true(fabs((a) - (b)) < 1e-12)
#define IDENTIFY(traits) "{\"type\":\"identify\",\"anonymousId\":\"a\",\"traits\":" traits "}"
#define DID(event, brand)                                                                                    \
    TRACK(event, "{\"product_id\":\"P-" brand "\",\"brand\":\"" brand "\",\"order_id\":\"o\"}")

static struct at_tastes tastes_at(const struct at_profile *profile, const struct at_baseline *baseline,
                                  int64_t now_ms) {
    struct at_tastes tastes;
    at_arena_reset(&arena);
    assert_int_equal(at_tastes_compute(profile, baseline, now_ms, &arena, &tastes), AT_OK);
    return tastes;
}

static double brand_at(const struct at_profile *profile, int64_t now_ms, const char *value) {
    struct at_tastes tastes = tastes_at(profile, NULL, now_ms);
    return at_tastes_of(&tastes, AT_TEXT("brand"), at_text_of(value));
}
static double brand(const struct at_profile *profile, const char *value) {
    return brand_at(profile, NOW_MS, value);
}

static const struct at_facet_taste *facet_of(const struct at_tastes *tastes, const char *name) {
    for (uint32_t f = 0; f < tastes->facet_count; f++)
        if (at_text_is(tastes->facets[f].facet, name)) return &tastes->facets[f];
    return NULL;
}

/* ---- reading the traits ---- */

static void shapes_of_a_trait(void **state) {
    (void)state;
    static char many[4096], broad[1024];
    static const struct {
        const char *text;
        uint32_t count, told;
        enum at_stated_fault fault;
        const char *facet;
    } cases[] = {{"{\"brand\":[\"Acme\",\"Birch\"],\"colour\":\"red\"}", 3, 3, AT_STATED_WHOLE, ""},
                 {"{}", 0, 0, AT_STATED_WHOLE, ""},
                 {"null", 0, 0, AT_STATED_WHOLE, ""},
                 {"[]", 0, 0, AT_STATED_WHOLE, ""},
                 {"{\"brand\":null,\"colour\":[]}", 0, 0, AT_STATED_WHOLE, ""},
                 {"\"Acme\"", 0, 0, AT_STATED_SHAPE, ""},
                 {"[\"Acme\"]", 0, 0, AT_STATED_SHAPE, ""},
                 {"7", 0, 0, AT_STATED_SHAPE, ""},
                 {"true", 0, 0, AT_STATED_SHAPE, ""},
                 {"{\"brand\":[\"Acme\",3],\"size\":42,\"fit\":{\"a\":1}}", 1, 4, AT_STATED_VALUE, "brand"},
                 {"{\"brand\":[\"Acme\",[\"Birch\"]]}", 1, 2, AT_STATED_VALUE, "brand"},
                 {"{\"brand\":[\"Acme\",\"\"]}", 1, 2, AT_STATED_VALUE, "brand"},
                 {"{\"\":[\"Acme\"]}", 0, 1, AT_STATED_VALUE, ""},
                 {broad, 1, 2, AT_STATED_LONG, "brand"},
                 {many, 64, 80, AT_STATED_MANY, "brand"}};
    snprintf(broad, sizeof broad, "{\"brand\":[\"%0200d\",\"%0201d\"]}", 1, 2);
    size_t n = (size_t)snprintf(many, sizeof many, "{\"brand\":[\"b\"");
    for (int i = 1; i < 80; i++) n += (size_t)snprintf(many + n, sizeof many - n, ",\"b%d\"", i);
    snprintf(many + n, sizeof many - n, "]}");
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_stated_taste list[AT_STATED_VALUES_MAX];
        struct at_stated_reading reading =
            at_stated_read(json_of(world.body_parser, cases[i].text), true, NOW_MS, list);
        if (reading.count != cases[i].count || reading.told != cases[i].told ||
            reading.fault != cases[i].fault || !at_text_is(reading.facet, cases[i].facet))
            fail_msg("%.80s: %u of %u, fault %d", cases[i].text, reading.count, reading.told, reading.fault);
        for (uint32_t j = 0; j < reading.count; j++) assert_true(list[j].is_like && list[j].at_ms == NOW_MS);
    }
}

/* Wherever traits stand; what stands there instead takes it back. */
static void traits_of_all_events_say_it(void **state) {
    (void)state;
    static const char *const says[] = {IDENTIFY("{\"likes\":{\"brand\":\"Acme\"}}"),
                                       "{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"a\","
                                       "\"context\":{\"traits\":{\"likes\":{\"brand\":"
                                       "[\"Acme\"]}}}}"};
    static const char *const unsays[] = {IDENTIFY("{\"likes\":null}"), IDENTIFY("{\"likes\":{}}"),
                                         IDENTIFY("{\"likes\":\"Acme\"}"),
                                         IDENTIFY("{\"likes\":{\"brand\":[\"Birch\"]}}")};
    for (size_t i = 0; i < AT_LENGTH(says); i++)
        for (size_t j = 0; j < AT_LENGTH(unsays); j++) {
            struct at_profile *p = new_profile();
            happen(&world, &p, NOW_MS, says[i]);
            assert_true(brand(p, "Acme") == 1);
            happen(&world, &p, NOW_MS + 1, IDENTIFY("{\"tier\":\"gold\"}")); /* of something else: it stays */
            assert_true(brand(p, "Acme") == 1);
            happen(&world, &p, NOW_MS - 1, unsays[j]); /* of before: it stays */
            assert_true(brand(p, "Acme") == 1);
            happen(&world, &p, NOW_MS + 2, unsays[j]);
            assert_true(brand(p, "Acme") == 0);
            p = recode(&world, p);
            assert_true(brand(p, "Acme") == 0 && (brand(p, "Birch") == 1) == (j == 3));
            at_profile_unref(p);
        }
}

/* A clock that is ahead does not make a word last longer. */
static void a_word_of_the_future_is_said_now(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           "{\"type\":\"identify\",\"anonymousId\":\"a\",\"timestamp\":\"2026-11-26T20:00:00Z\",\"traits\":{"
           "\"likes\":{\"brand\":\"Acme\"}}}");
    assert_int_equal(p->stated_count, 1);
    assert_true(p->stated[0].at_ms == NOW_MS);
    at_profile_unref(p);
}

static struct at_profile *with_big_trait(struct at_profile *p, int64_t at_ms, const char *name, int bytes) {
    char *text = malloc((size_t)bytes + 200);
    assert_non_null(text);
    snprintf(text, (size_t)bytes + 200, IDENTIFY("{\"%s\":\"%0*d\"}"), name, bytes, 7);
    happen(&world, &p, at_ms, text);
    free(text);
    return p;
}

/* What the ceilings of traits do to the trait they do to the taste; the moment is never forgotten. */
static void the_ceilings_of_traits_hold(void **state) {
    (void)state;
    char text[200];
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           IDENTIFY("{\"likes\":{\"brand\":\"Acme\"},\"dislikes\":{\"brand\":\"Dust\"}}"));
    for (int i = 0; i < MOMENTS_MAX + 3; i++) {
        snprintf(text, sizeof text, IDENTIFY("{\"t%d\":1}"), i);
        happen(&world, &p, NOW_MS + i, text);
    }
    assert_int_equal(p->trait_moment_count, MOMENTS_MAX);
    p = recode(&world, p);
    assert_int_equal(p->stated_count, 2);
    assert_true(p->stated[0].at_ms == NOW_MS && p->stated[1].at_ms == NOW_MS && p->stated[0].is_like);
    p = with_big_trait(p, NOW_MS + AT_DAY_MS, "big", TRAITS_MAX - 40);
    assert_int_equal(p->stated_count, 0);
    assert_true(brand(p, "Acme") == 0);
    at_profile_unref(p);
}

/* ---- what affinity comes to ---- */

/* Also where nobody's behaviour could show it: everyone likes Acme. */
static void a_word_begins_a_taste(void **state) {
    (void)state;
    struct at_crowd *crowd = at_crowd_new();
    struct at_profile *p = new_profile();
    struct stored stored;
    for (int i = 0; i < 50; i++) {
        parse_at(&world, DID("Product Added", "Acme"), NOW_MS);
        keep_event(&world, true, &stored);
        struct at_logged_event logged = logged_of(&world, &stored);
        assert_int_equal(at_crowd_learn(crowd, &logged), AT_OK);
        stored_free(&stored);
    }
    struct at_baseline *baseline = at_crowd_baseline(crowd);
    happen(&world, &p, NOW_MS, DID("Product Added", "Acme"));
    struct at_tastes tastes = tastes_at(p, baseline, NOW_MS);
    assert_true(at_tastes_of(&tastes, AT_TEXT("brand"), AT_TEXT("Acme")) < 0.01);
    happen(&world, &p, NOW_MS, IDENTIFY("{\"likes\":{\"brand\":[\"Acme\"],\"colour\":\"red\"}}"));
    tastes = tastes_at(p, baseline, NOW_MS);
    assert_true(at_tastes_of(&tastes, AT_TEXT("brand"), AT_TEXT("Acme")) == 1);
    assert_true(at_tastes_of(&tastes, AT_TEXT("colour"), AT_TEXT("red")) == 1);
    assert_true(at_tastes_of(&tastes, AT_TEXT("colour"), AT_TEXT("blue")) == 0);
    assert_int_equal(tastes.facet_count, 2);
    assert_true(facet_of(&tastes, "brand")->gain == 1 && facet_of(&tastes, "colour")->gain == 1);
    at_baseline_unref(baseline);
    at_crowd_free(crowd);
    at_profile_unref(p);
}

static void words_outweigh_what_was_inferred(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           IDENTIFY("{\"likes\":{\"brand\":[\"Acme\"]},\"dislikes\":{\"brand\":[\"Dust\"]}}"));
    for (int i = 0; i < 200; i++) {
        happen(&world, &p, NOW_MS, i % 2 ? DID("Product Viewed", "Other") : DID("Product Added", "Dust"));
        assert_true(brand(p, "Acme") >= brand(p, "Other") && brand(p, "Dust") == 0);
    }
    assert_true(brand(p, "Other") > 0);
    struct at_tastes tastes = tastes_at(p, NULL, NOW_MS);
    const struct at_facet_taste *facet = facet_of(&tastes, "brand");
    assert_true(facet->count == 3 && facet->disliked == 1);
    static const char *const order[] = {"Acme", "Other", "Dust"};
    for (int i = 0; i < 3; i++)
        assert_true(at_text_is(tastes.values[facet->first + (uint32_t)i].value, order[i]));
    at_profile_unref(p);
}

/* In full for half a year, then half as much after each; behaviour halves in thirty days from the first. */
static void words_fade_slower(void **state) {
    (void)state;
    struct at_profile *p = new_profile(), *only_did = new_profile();
    static const char words[] =
        IDENTIFY("{\"likes\":{\"brand\":\"Acme\"},\"dislikes\":{\"brand\":\"Dust\"}}");
    happen(&world, &p, NOW_MS, words);
    for (int i = 0; i < 6; i++) {
        const char *text = i % 2 ? DID("Product Added", "Dust") : DID("Product Added", "Acme");
        happen(&world, &p, NOW_MS, text);
        happen(&world, &only_did, NOW_MS, text);
    }
    int64_t half = AT_STATED_HALF_MS;
    assert_true(half > 2 * AT_AFFINITY_HALF_MS);
    assert_true(brand_at(p, NOW_MS + half, "Acme") == 1 && brand_at(p, NOW_MS + half, "Dust") == 0);
    for (int years = 0; years < 4; years++) {
        static const double strength[] = {1, 0.5, 0.25, 0.125};
        int64_t now_ms = NOW_MS + half + years * half;
        double s = strength[years];
        NEAR(brand_at(p, now_ms, "Acme"), s + (1 - s) * brand_at(only_did, now_ms, "Acme"));
        NEAR(brand_at(p, now_ms, "Dust"), (1 - s) * brand_at(only_did, now_ms, "Dust"));
    }
    int64_t year = NOW_MS + 2 * half; /* who has changed is found out */
    for (int i = 0; i < 30; i++) happen(&world, &p, year, DID("Product Added", "Dust"));
    assert_true(brand_at(p, year, "Dust") > 0.2);
    happen(&world, &p, year, words); /* said again is said anew */
    assert_true(brand_at(p, year, "Acme") == 1 && brand_at(p, year, "Dust") == 0);
    assert_true(brand_at(p, NOW_MS - 1, "Acme") == 1); /* a clock before it */
    at_profile_unref(p);
    at_profile_unref(only_did);
}

static void of_two_words_the_later_counts(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           IDENTIFY("{\"likes\":{\"brand\":\"Acme\"},\"dislikes\":{\"brand\":\"Acme\"}}"));
    assert_true(brand(p, "Acme") == 0);
    happen(&world, &p, NOW_MS + 1, IDENTIFY("{\"likes\":{\"brand\":\"Acme\"}}"));
    assert_true(brand_at(p, NOW_MS + 1, "Acme") == 1);
    happen(&world, &p, NOW_MS + 2, IDENTIFY("{\"dislikes\":{\"brand\":\"Acme\"}}"));
    assert_true(brand_at(p, NOW_MS + 2, "Acme") == 0);
    happen(&world, &p, NOW_MS + 3, IDENTIFY("{\"dislikes\":null}")); /* the like stands again */
    assert_true(brand_at(p, NOW_MS + 3, "Acme") == 1);
    at_profile_unref(p);
}

/* ---- who may see it ---- */

static void without_consent_no_word_is_read(void **state) {
    (void)state;
    struct at_text names[] = {AT_TEXT("brand.Dust"), AT_TEXT("traits.likes")};
    struct at_consent_rules rules = {.never_use = names, .never_use_count = 1};
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           IDENTIFY("{\"likes\":{\"brand\":\"Acme\"},\"dislikes\":{\"brand\":[\"Dust\",\"Ash\"]}}"));
    struct at_profile *plain = at_profile_plain(p);
    assert_int_equal(plain->stated_count, 0);
    assert_true(brand(plain, "Acme") == 0);
    assert_true(at_profile_has_unused(p, &rules));
    struct at_profile *used = at_profile_without_unused(p, &rules);
    assert_int_equal(used->stated_count, 2);
    assert_null(at_stated_of(used, AT_TEXT("brand"), AT_TEXT("Dust")));
    assert_true(brand(used, "Acme") == 1);
    at_profile_unref(used);
    rules.never_use_count = 2;
    used = at_profile_without_unused(p, &rules);
    assert_true(used->stated_count == 1 && brand(used, "Acme") == 0);
    at_profile_unref(used);
    rules.never_use = &names[1];
    rules.never_use_count = 1;
    assert_true(at_profile_has_unused(p, &rules));
    at_profile_unref(plain);
    at_profile_unref(p);
}

/* ---- what the sender is told ---- */

static const char *notice(const char *traits, const struct at_root *root) {
    const char *out;
    at_arena_reset(&arena);
    assert_int_equal(at_stated_notice(&arena, json_of(world.body_parser, traits), root, &out), AT_OK);
    return out;
}

#define SAYS(traits, text)                                                                                   \
    do {                                                                                                     \
        const char *said = notice(traits, root);                                                             \
        if (!said || strcmp(said, text) != 0) fail_msg("%.200s\n  says %s\n  not  %s", traits, said, text);  \
    } while (0)

static void what_says_nothing_is_told(void **state) {
    (void)state;
    static char big[40000];
    const struct at_root *root = NULL;
    assert_null(notice("{}", root));
    assert_null(notice("{\"tier\":\"gold\",\"likes\":null,\"dislikes\":[]}", root));
    assert_null(notice("{\"likes\":{\"whatever\":\"x\"}}", root));
    SAYS("{\"likes\":\"Acme\"}",
         "traits.likes is not like {\"brand\":[\"Acme\"]}: kept as a trait, no taste begins from it");
    SAYS("{\"dislikes\":{\"size\":[42,\"L\"]}}", "traits.dislikes.size holds something that is no text, or "
                                                 "an empty one: all is kept as a trait, taste "
                                                 "begins from 1 of its 2 values");
    SAYS("{\"likes\":{\"brand\":\"Acme\"},\"dislikes\":{\"brand\":[\"Ash\",\"Acme\"]}}",
         "traits.likes.brand: \"Acme\" is among the dislikes too, which count");
    snprintf(big, sizeof big, "{\"dislikes\":{\"brand\":\"%0300d\"}}", 1);
    SAYS(big,
         "traits.dislikes.brand has a name or a value that is too long (200 bytes at most): all is kept as "
         "a trait, taste begins from 0 of its 1 values");
    size_t n = (size_t)snprintf(big, sizeof big, "{\"likes\":{\"brand\":[\"b\"");
    for (int i = 1; i < 65; i++) n += (size_t)snprintf(big + n, sizeof big - n, ",\"b%d\"", i);
    snprintf(big + n, sizeof big - n, "]}}");
    SAYS(big,
         "traits.likes has too many values (the first 64 count): all is kept as a trait, taste begins from "
         "64 of its 65 values");
    /* as large as a profile takes, and a byte more: {"likes":{"b":["…"]}} */
    for (int more = 0; more < 2; more++) {
        n = (size_t)snprintf(big, sizeof big, "{\"likes\":{\"b\":[\"%0*d\"]}}",
                             TRAITS_MAX - 2 - 8 - 10 + more, 1);
        struct at_profile *p = new_profile();
        char *event = malloc(n + 200);
        assert_non_null(event);
        snprintf(event, n + 200, IDENTIFY("%s"), big);
        happen(&world, &p, NOW_MS, event);
        assert_int_equal(at_text_is(p->traits, "{}"), more);
        assert_int_equal(strcmp(notice(big, root),
                                "traits.likes is over 16 KiB: not kept, and no taste begins "
                                "from it") == 0,
                         more);
        at_profile_unref(p);
        free(event);
    }
}

static void what_no_product_has_is_told(void **state) {
    (void)state;
    struct at_catalog *catalog;
    struct at_staging *staging;
    struct at_arena documents;
    at_arena_init(&documents, 1 << 24);
    assert_int_equal(at_catalog_new(&catalog, NULL, NULL), AT_OK);
    struct at_root *root = at_catalog_root(catalog);
    assert_null(notice("{\"likes\":{\"colour\":\"red\"}}", root)); /* an empty catalog knows nothing yet */
    at_root_unref(root);
    struct at_change change = {.kind = AT_CHANGE_PUT,
                               .document =
                                   json_of(world.body_parser,
                                           "{\"id\":\"P\",\"brand\":\"Acme\",\"price\":3,\"colour\":\"red\","
                                           "\"tags\":[\"new\",\"oak\"]}")};
    assert_int_equal(at_catalog_stage(catalog, &documents, &change, 1, &staging, NULL), AT_OK);
    assert_int_equal(at_staging_publish(staging), AT_OK);
    root = at_catalog_root(catalog);
    assert_null(notice(
        "{\"likes\":{\"brand\":\"Acme\",\"tags\":[\"oak\"]},\"dislikes\":{\"colour\":\"red\"}}", root));
    SAYS("{\"likes\":{\"color\":[\"red\",\"blue\"],\"x\":\"y\",\"price\":\"3\"}}",
         "traits.likes.color: no product has an attribute of that name (did you mean \"colour\"?): it is "
         "kept, and "
         "counts as soon as one has (so with 2 more of its facets)");
    SAYS(
        "{\"dislikes\":{\"price\":\"3\"}}",
        "traits.dislikes.price: of products that is a number, which nobody has a taste for: kept as a trait");
    SAYS("{\"likes\":{\"brand\":[\"acme\",\"Acme\",\"Birch\"],\"tags\":\"elm\"}}",
         "traits.likes.brand: no product has \"acme\": it is kept, and counts as soon as one has (so with 2 "
         "more of "
         "its values)");
    SAYS("{\"likes\":7,\"dislikes\":{\"tags\":\"elm\"}}",
         "traits.likes is not like {\"brand\":[\"Acme\"]}: kept as a trait, no taste begins from it; "
         "traits.dislikes.tags: no product has \"elm\": it is kept, and counts as soon as one has");
    at_root_unref(root);
    at_catalog_free(catalog);
    at_arena_clear(&documents);
}

/* ---- in any order of arrival ---- */

enum { CASES = 2500, EVENTS = 24, FACETS = 2, VALUES = 3 };
static const char *const facets[FACETS] = {"brand", "category"}, *const values[VALUES] = {"x", "y", "z"};

struct model { /* all there is to know, kept as it was told */
    struct {
        int64_t at_ms;
        bool says[FACETS][VALUES];
    } latest[2]; /* dislikes, likes; at_ms 0: never said */
    struct {
        int64_t at_ms;
        double weight;
        int value[FACETS];
    } did[EVENTS];
    uint32_t did_count;
};

/* One word of a trait, null or an object, in the traits or the context of an event. */
static void random_word(struct model *model, int64_t at_ms, char *out, size_t size) {
    DRAW(is_like, 2);
    DRAW(is_gone, 5);
    DRAW(is_context, 2);
    char trait[200];
    size_t n = (size_t)snprintf(trait, sizeof trait, is_gone ? "{" : "null");
    memset(&model->latest[is_like], 0, sizeof model->latest[is_like]);
    model->latest[is_like].at_ms = at_ms;
    for (int f = 0; is_gone && f < FACETS; f++) {
        n += (size_t)snprintf(trait + n, sizeof trait - n, "%s\"%s\":[", f ? "," : "", facets[f]);
        bool has_any = false;
        for (int v = 0; v < VALUES; v++) {
            DRAW(is_in, 3);
            if (is_in) continue;
            n += (size_t)snprintf(trait + n, sizeof trait - n, "%s\"%s\"", has_any ? "," : "", values[v]);
            has_any = model->latest[is_like].says[f][v] = true;
        }
        n += (size_t)snprintf(trait + n, sizeof trait - n, "]%s", f == FACETS - 1 ? "}" : "");
    }
    snprintf(out, size,
             is_context ? "{\"type\":\"track\",\"event\":\"E\",\"anonymousId\":\"a\",\"context\":{\"traits\":"
                          "{\"%s\":%s}}}"
                        : "{\"type\":\"identify\",\"anonymousId\":\"a\",\"traits\":{\"%s\":%s}}",
             at_stated_trait(is_like), trait);
}

static void random_deed(struct model *model, int64_t at_ms, char *out, size_t size) {
    static const struct {
        const char *name;
        double weight;
    } deeds[] = {{"Product Viewed", 1}, {"Product Added to Wishlist", 3}, {"Product Added", 4}};
    DRAW(which, 3);
    DRAW(first_value, VALUES);
    DRAW(second_value, VALUES);
    model->did[model->did_count].at_ms = at_ms;
    model->did[model->did_count].weight = deeds[which].weight;
    model->did[model->did_count].value[0] = (int)first_value;
    model->did[model->did_count++].value[1] = (int)second_value;
    snprintf(
        out, size,
        "{\"type\":\"track\",\"event\":\"%s\",\"anonymousId\":\"a\",\"properties\":{\"product_id\":\"P\","
        "\"brand\":\"%s\",\"category\":\"%s\"}}",
        deeds[which].name, values[first_value], values[second_value]);
}

/* Over up to four years, each at a moment of its own. */
static uint32_t random_past(struct model *model, struct stored *events, int64_t *at_ms) {
    char text[600];
    memset(model, 0, sizeof *model);
    DRAW(count, EVENTS);
    *at_ms = NOW_MS;
    for (uint32_t i = 0; i <= count; i++) {
        DRAW(days, 60);
        DRAW(is_word, 3);
        *at_ms += 1 + days * AT_DAY_MS;
        if (is_word)
            random_deed(model, *at_ms, text, sizeof text);
        else
            random_word(model, *at_ms, text, sizeof text);
        if (parse_at(&world, text, *at_ms) != AT_OK) fail_msg("%s: %s", world.err.message, text);
        keep_event(&world, true, &events[i]);
    }
    return count + 1;
}

struct expected {
    double affinity[VALUES], strength[VALUES], gain;
    int said[VALUES]; /* 1, −1 or 0 */
    bool is_there[VALUES];
};

static void say_expected(const struct model *model, int facet, int v, int64_t now_ms, struct expected *out) {
    bool is_liked = model->latest[1].says[facet][v], is_disliked = model->latest[0].says[facet][v];
    if (is_liked && is_disliked) is_liked = model->latest[1].at_ms > model->latest[0].at_ms;
    out->said[v] = is_liked ? 1 : is_disliked ? -1 : 0;
    if (!out->said[v]) return;
    double age = (double)(now_ms - model->latest[is_liked].at_ms) / AT_STATED_HALF_MS;
    out->strength[v] = age > 1 ? pow(0.5, age - 1) : 1;
    out->is_there[v] = true;
}

/* affinity.h again, from the list of all that was done; without others each value of n is 1/(n + 10) of them.
 */
static struct expected expect_of(const struct model *model, int facet, int64_t now_ms) {
    struct expected out = {0};
    double weight[VALUES] = {0}, sum = 0, strongest = 0;
    int count = 0;
    for (uint32_t i = 0; i < model->did_count; i++) {
        int v = model->did[i].value[facet];
        count += !out.is_there[v];
        out.is_there[v] = true;
        weight[v] +=
            model->did[i].weight * pow(0.5, (double)(now_ms - model->did[i].at_ms) / AT_AFFINITY_HALF_MS);
    }
    for (int v = 0; v < VALUES; v++) sum += weight[v];
    for (int v = 0; v < VALUES; v++) {
        double q = 1.0 / (count + 10), p = (weight[v] + 10 * q) / (sum + 10);
        double inferred = weight[v] > 0 && p > q ? (p - q) / (p + q) * sum / (sum + 3) : 0;
        say_expected(model, facet, v, now_ms, &out);
        out.affinity[v] = out.strength[v] * (out.said[v] > 0) + (1 - out.strength[v]) * inferred;
        if (out.said[v] > 0 && out.strength[v] > strongest) strongest = out.strength[v];
        if (sum > 0) out.gain += weight[v] / sum * out.affinity[v];
    }
    out.gain = strongest + (1 - strongest) * out.gain;
    return out;
}

static int place_of(const struct at_tastes *tastes, const struct at_facet_taste *facet, int v) {
    for (uint32_t i = 0; i < facet->count; i++)
        if (at_text_is(tastes->values[facet->first + i].value, values[v])) return (int)i;
    return -1;
}

static void check_facet(const struct model *model, const struct at_tastes *tastes, int f, int64_t now_ms) {
    struct expected expected = expect_of(model, f, now_ms);
    const struct at_facet_taste *facet = facet_of(tastes, facets[f]);
    uint32_t there = 0, disliked = 0;
    for (int v = 0; v < VALUES; v++) {
        there += expected.is_there[v];
        disliked += expected.said[v] < 0;
    }
    CHECK(there ? facet && facet->count == there && facet->disliked == disliked : !facet);
    if (facet) CHECK(fabs(facet->gain - expected.gain) < 1e-9);
    for (int v = 0; v < VALUES; v++) {
        double affinity = at_tastes_of(tastes, at_text_of(facets[f]), at_text_of(values[v]));
        CHECK(fabs(affinity - expected.affinity[v]) < 1e-9 && affinity >= 0 && affinity <= 1);
        int place = facet ? place_of(tastes, facet, v) : -1;
        CHECK((place >= 0) == expected.is_there[v]);
        CHECK(expected.said[v] >= 0 || place >= (int)(facet->count - facet->disliked));
        bool is_fresh = expected.strength[v] == 1;
        for (int other = 0; other < VALUES && is_fresh && expected.said[v] > 0; other++)
            CHECK(affinity >= at_tastes_of(tastes, at_text_of(facets[f]), at_text_of(values[other])) &&
                  (expected.said[other] || !expected.is_there[other] ||
                   place < place_of(tastes, facet, other)));
        if (is_fresh && expected.said[v] < 0) CHECK(affinity == 0);
    }
}

static void words_and_deeds_come_in_any_order(void **state) {
    (void)state;
    static struct stored events[EVENTS + 1];
    static struct model model;
    seed = first = first_seed(20261204);
    for (number = 0; number < CASES; number++) {
        int64_t now_ms;
        uint32_t count = random_past(&model, events, &now_ms);
        struct at_profile *in_order = new_profile(), *shuffled = new_profile();
        for (uint32_t i = 0; i < count; i++) in_order = step(&world, in_order, &events[i], true);
        for (uint32_t i = count; i > 1; i--) {
            DRAW(other, i);
            struct stored one = events[i - 1];
            events[i - 1] = events[other];
            events[other] = one;
        }
        for (uint32_t i = 0; i < count; i++) {
            events[i].seq = world.seq + i + 1;
            shuffled = step(&world, shuffled, &events[i], true);
            if (random_below(&seed, 4) == 0) shuffled = recode(&world, shuffled);
        }
        world.seq += count;
        CHECK(in_order->stated_count == shuffled->stated_count);
        for (uint32_t i = 0; i < in_order->stated_count; i++)
            CHECK(same_stated(&in_order->stated[i], &shuffled->stated[i]));
        for (int later = 0; later < 4; later++, now_ms += random_below(&seed, 300) * AT_DAY_MS)
            for (int f = 0; f < FACETS; f++) {
                struct at_tastes tastes = tastes_at(later % 2 ? in_order : shuffled, NULL, now_ms);
                check_facet(&model, &tastes, f, now_ms);
            }
        at_profile_unref(in_order);
        at_profile_unref(shuffled);
        for (uint32_t i = 0; i < count; i++) stored_free(&events[i]);
    }
    print_message("property: words and deeds in any order, %d cases, seed %llu\n", CASES,
                  (unsigned long long)first);
}

static int begin_all(void **state) {
    at_arena_init(&arena, 1 << 24);
    return begin(state);
}
static int end_all(void **state) {
    at_arena_clear(&arena);
    return end(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_of_a_trait),
        cmocka_unit_test(traits_of_all_events_say_it),
        cmocka_unit_test(a_word_of_the_future_is_said_now),
        cmocka_unit_test(the_ceilings_of_traits_hold),
        cmocka_unit_test(a_word_begins_a_taste),
        cmocka_unit_test(words_outweigh_what_was_inferred),
        cmocka_unit_test(words_fade_slower),
        cmocka_unit_test(of_two_words_the_later_counts),
        cmocka_unit_test(without_consent_no_word_is_read),
        cmocka_unit_test(what_says_nothing_is_told),
        cmocka_unit_test(what_no_product_has_is_told),
        cmocka_unit_test(words_and_deeds_come_in_any_order),
    };
    return cmocka_run_group_tests_name("profile stated tastes", tests, begin_all, end_all);
}
