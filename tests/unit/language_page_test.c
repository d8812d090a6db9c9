/* SPDX-License-Identifier: Apache-2.0
 *
 * Every declaration of the page that specifies the language, through the check that a reload makes: it works,
 * or what a later version brings is refused by name, never ignored; its tests that load pass. The verdicts
 * are kept in language_page.list, in the order of the page; WRITE_LIST=1 writes them anew. The page stands
 * beside the data (SHARED_DATA/../design); skipped without it.
 */
#include "language/parse.h"
#include "language/test.h"
#include "language_world.h"

static struct shop_world world;
static struct at_bytes verdicts;
static uint32_t declaration_count;

static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    char *text = malloc(1 << 20);
    assert_non_null(text);
    *length = fread(text, 1, (1 << 20) - 1, file);
    text[*length] = 0;
    fclose(file);
    return text;
}

static void list_path(char *out, size_t size) {
    const char *slash = strrchr(__FILE__, '/');
    snprintf(out, size, "%.*slanguage_page.list", slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__);
}

static const char *any_env(void *arg, const char *name) {
    (void)arg;
    return name;
}

/* ---- verdicts ---- */

/* The declaration as the list names it: its first line up to the brace. */
static void write_name(const char *text, size_t length) {
    size_t end = 0;
    while (end < length && text[end] != '\n' && text[end] != '{') end++;
    while (end && text[end - 1] == ' ') end--;
    at_bytes_add(&verdicts, text, end);
    at_bytes_add_text(&verdicts, " → ");
}

static void check_settings(const char *text, size_t length) {
    struct at_settings_source source = {.folder = ".", .env = any_env};
    struct at_settings *settings = NULL;
    struct at_error err = {0};
    enum at_status status = at_settings_load(&source, text, length, &settings, &err);
    at_bytes_add_text(&verdicts, status == AT_OK ? "ok" : err.message);
    at_settings_free(settings);
}

static bool check_script(const char *text) {
    enum at_status status = shop_world_load(&world, text);
    uint32_t told = 0;
    assert_true(status == AT_OK || status == AT_UNPROCESSABLE);
    if (status == AT_OK) at_bytes_add_text(&verdicts, "ok");
    for (const struct at_file_finding *finding = world.build.findings; finding; finding = finding->next)
        if (!finding->finding.is_warning)
            at_bytes_printf(&verdicts, "%s%s", told++ ? "; " : "", finding->finding.message);
    assert_int_equal(told == 0, status == AT_OK);
    return status == AT_OK;
}

/* What a test of the page needs besides itself. */
static const char shop_of_tests[] =
    "ranking \"collection\" { score = function(product) return product.price end }\n"
    "rail \"in stock only\" { only = function(product) return product.stock:above(0) end }\n";
static const char mini[] = "{\"id\":\"a\",\"category\":\"sofas\",\"price\":9,\"stock\":0}\n"
                           "{\"id\":\"b\",\"category\":\"sofas\",\"price\":5,\"stock\":3}\n";

static enum at_status read_mini(void *arg, const char *path, struct at_arena *arena, struct at_text *out,
                                struct at_error *err) {
    (void)arg;
    (void)arena;
    (void)err;
    if (strcmp(path, "fixtures/mini.jsonl") != 0) return AT_NOTFOUND;
    *out = AT_TEXT(mini);
    return AT_OK;
}

static void must_pass(const char *text) {
    struct at_test_report report;
    struct at_error err = {0};
    char *all = malloc(strlen(text) + sizeof shop_of_tests);
    assert_non_null(all);
    memcpy(all, shop_of_tests, sizeof shop_of_tests - 1);
    memcpy(all + sizeof shop_of_tests - 1, text, strlen(text) + 1);
    must_load(&world, all);
    struct at_test_options options = {.generation = world.generation,
                                      .settings = world.settings,
                                      .read = read_mini,
                                      .arena = &world.findings};
    assert_int_equal(at_tests_run(&options, &report, &err), AT_OK);
    if (report.passed != 1) fail_msg("%s\n%s", report.results[0].finding.message, text);
    free(all);
}

static bool is_setting(struct at_text name) {
    static const char *const settings[] = {"shop",    "keys",    "email",      "sources",  "models",
                                           "secrets", "consent", "attributes", "identity", "markets"};
    for (size_t i = 0; i < AT_LENGTH(settings); i++)
        if (at_text_is(name, settings[i])) return true;
    return false;
}

/* The name a statement begins with: of ranking "x" { … } it is ranking. */
static struct at_text first_word(const struct at_node *statement) {
    const struct at_node *node = statement->a;
    while (node && node->kind == AT_NODE_CALL) node = node->a;
    return node && node->kind == AT_NODE_NAME ? node->text : AT_TEXT("");
}

static void check_block(const char *text, size_t length) {
    struct at_arena arena;
    struct at_node *block;
    struct at_fault *faults;
    at_arena_init(&arena, 1 << 24);
    assert_int_equal(at_parse(&arena, (struct at_text){text, length}, &block, &faults), AT_OK);
    if (faults) fail_msg("line %u of a block: %s\n%.*s", faults->line, faults->message, (int)length, text);
    for (const struct at_node *statement = block->list; statement; statement = statement->next) {
        char *one = at_arena_dup(&arena, text + statement->from, statement->to - statement->from);
        assert_non_null(one);
        write_name(one, strlen(one));
        if (is_setting(first_word(statement)))
            check_settings(one, strlen(one));
        else if (check_script(one) && at_text_is(first_word(statement), "test"))
            must_pass(one);
        at_bytes_add_text(&verdicts, "\n");
        declaration_count++;
    }
    at_arena_clear(&arena);
}

static void every_declaration_of_the_page_has_its_verdict(void **state) {
    (void)state;
    const char *data = getenv("SHARED_DATA");
    char path[600];
    size_t length;
    snprintf(path, sizeof path, "%s/../design/script-language.md", data ? data : "../shared/data");
    char *page = read_file(path, &length);
    if (!page) {
        printf("skipped: no data\n");
        return;
    }
    at_bytes_init(&verdicts, 1 << 20);
    for (char *at = page; (at = strstr(at, "```lua\n"));) {
        char *begin = at + 7, *end = strstr(begin, "\n```");
        assert_non_null(end);
        check_block(begin, (size_t)(end - begin) + 1);
        at = end + 4;
    }
    free(page);
    assert_true(declaration_count > 40 && !verdicts.failed);
    list_path(path, sizeof path);
    if (getenv("WRITE_LIST")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fwrite(verdicts.data, 1, verdicts.length, file);
        fclose(file);
    }
    char *expected = read_file(path, &length);
    assert_non_null(expected);
    const char *have = verdicts.data, *want = expected;
    while (*have || *want) { /* line by line, so that the one that differs is named */
        size_t have_length = strcspn(have, "\n"), want_length = strcspn(want, "\n");
        if (have_length != want_length || memcmp(have, want, have_length) != 0)
            fail_msg("now:      %.*s\nexpected: %.*s", (int)have_length, have, (int)want_length, want);
        have += have_length + (have[have_length] == '\n');
        want += want_length + (want[want_length] == '\n');
    }
    free(expected);
    at_bytes_clear(&verdicts);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_declaration_of_the_page_has_its_verdict)};
    shop_world_init(&world, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shop_world_clear(&world);
    return failed;
}
