/* SPDX-License-Identifier: Apache-2.0
 *
 * Words that go by another name now, of every kind: the runtime takes both names and answers the same, the
 * check warns, and with its cures nothing is left to say. No word of this version has an old name, so some
 * get one here.
 */
#include "language/state.h"
#include "language_judge.h"

#define OWNERS_MAX 60
const struct at_owner *__real_at_vocabulary(void);
const struct at_owner *__wrap_at_vocabulary(void);

static const struct {
    const char *owner, *name, *was;
} renamed[] = {{"", "when", "if_so"},
               {"", "ranking", "sorting"},
               {"", "keys", "passwords"},
               {"Ranking", "score", "points"},
               {"Diversify", "at_most", "up_to"},
               {"Segment", "when", "who"},
               {"Window", "within", "inside"},
               {"Product", "popularity", "liked_by_all"},
               {"Customer", "has_ordered", "did_order"},
               {"Customer", "count", "how_many"},
               {"Orders", "count", "number_of"},
               {"Page", "name", "called"},
               {"number", "above", "over"},
               {"Shop", "currency", "money"}};

static struct at_owner owners[OWNERS_MAX];
static struct at_word words[OWNERS_MAX][120];

static void rename_words(struct at_owner *owner, struct at_word *kept) {
    uint32_t count = 0;
    do {
        kept[count] = owner->words[count];
        for (size_t i = 0; i < AT_LENGTH(renamed) && kept[count].name; i++)
            if (strcmp(renamed[i].owner, owner->class_name) == 0 &&
                strcmp(renamed[i].name, kept[count].name) == 0)
                kept[count].was = renamed[i].was;
    } while (kept[count++].name);
    owner->words = kept;
}

const struct at_owner *__wrap_at_vocabulary(void) {
    const struct at_owner *real = __real_at_vocabulary();
    for (uint32_t i = 0; !owners[0].words || i; i++) {
        if (!real[i].words) break;
        owners[i] = real[i];
        rename_words(&owners[i], words[i]);
        if (!real[i + 1].words) break;
    }
    return owners;
}

static const char OLD[] =
    "segment 'vip' { who = function(customer) return customer.did_order end }\n"
    "sorting 'r' { points = function(product, customer, page)\n"
    "  local n = customer:how_many('order_completed', { inside = '400d' })\n"
    "  local o = customer.orders\n"
    "  return if_so(product.price:over(15), 1, 2) + product.liked_by_all + n + o.number_of\n"
    "    + #page.called end,\n"
    "  diversify = { by = 'brand', up_to = 2, within = 8 } }\n";

static void score_all(const char *text, double out[512]) {
    static struct outcome outcome;
    must_load(&world, text);
    begin_decision(&world, world.somebody);
    judge(&world.generation->rankings[0].score_report, world.generation->rankings[0].score, false, false,
          &outcome);
    if (outcome.status != AT_OK) fail_msg("%s", outcome.err.message);
    memcpy(out, outcome.out, 512 * sizeof *out);
    at_decision_end(world.language, &world.view);
}

/* All cures at once, from the last on. */
static void cure_all(const char *text, char out[2000]) {
    const struct at_finding *list[40];
    uint32_t count = 0;
    for (const struct at_file_finding *told = world.build.findings; told; told = told->next) {
        if (!told->finding.is_warning || strcmp(told->finding.code, "renamed_word") != 0 ||
            !told->finding.fix)
            fail_msg("%s", told->finding.message);
        list[count++] = &told->finding;
    }
    assert_int_equal(count, 12);
    snprintf(out, 2000, "%s", text);
    for (uint32_t i = count; i-- > 0;) {
        char rest[2000];
        snprintf(rest, sizeof rest, "%s", out + list[i]->fix_to);
        snprintf(out + list[i]->fix_from, 2000 - list[i]->fix_from, "%s%s", list[i]->fix, rest);
    }
}

static void both_names_mean_the_same_and_the_cure_is_the_new_one(void **state) {
    (void)state;
    static double old[512], new[512];
    char cured[2000];
    score_all(OLD, old);
    cure_all(OLD, cured);
    score_all(cured, new);
    if (world.build.findings) fail_msg("%s\n%s", first_finding(&world), cured);
    assert_null(strstr(cured, "number_of"));
    assert_memory_equal(old, new, sizeof old);
    assert_true(old[1] > 3);
}

static void a_message_names_the_word_of_today(void **state) {
    (void)state;
    must_load(&world, "sorting 'r' { score = function() return 1 end }");
    assert_string_equal(first_finding(&world),
                        "\"sorting\" is called \"ranking\" now; the old name goes with the next version");
    assert_int_equal(shop_world_load(&world, "ranking 'r' { score = function() return 1 end,\n"
                                             "points = function() return 2 end }"),
                     AT_UNPROCESSABLE);
    const struct at_file_finding *told = world.build.findings;
    while (told->next && told->finding.is_warning) told = told->next;
    assert_string_equal(told->finding.message,
                        "a ranking has both points and score, which is its name now: take one out");
    assert_int_equal(shop_world_load(&world, "ranking 'r' { pointz = function() return 1 end }"),
                     AT_UNPROCESSABLE);
    assert_string_equal(first_finding(&world),
                        "a ranking has no field \"pointz\""); /* nobody is led to an old name */
}

static void settings_go_by_old_names_too(void **state) {
    (void)state;
    struct at_settings *settings = NULL;
    struct at_error err;
    assert_int_equal(
        load_settings("shop 's' { money = 'CHF' }\npasswords { write = 'abcdefgh' }", &settings, &err),
        AT_OK);
    assert_string_equal(settings->currency, "CHF");
    assert_int_equal(settings->key_count, 1);
    at_settings_free(settings);
}

static int set_up(void **state) {
    (void)state;
    shop_world_init(&world, PRODUCTS);
    live(&world, 100,
         "{\"type\":\"identify\",\"userId\":\"u1\",\"timestamp\":\"2026-11-30T00:01:00Z\",\"context\":{"
         "\"location\":{\"country\":\"DE\"}}}");
    return 0;
}
static int tear_down(void **state) {
    (void)state;
    shop_world_clear(&world);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_names_mean_the_same_and_the_cure_is_the_new_one),
        cmocka_unit_test(a_message_names_the_word_of_today),
        cmocka_unit_test(settings_go_by_old_names_too),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
