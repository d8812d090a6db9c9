/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalog of mistakes (tests/wrong/: a file a kind, at most three scripts in each) with what is said to
 * each, to the letter; the replacements are put in as they stand, and the scripts then pass. And scripts
 * without a mistake (tests/sound/, the examples, the guide), to which nothing is said. WRITE_WRONG=1 writes
 * what is said anew: read it aloud before you keep it.
 */
#include <dirent.h>
#include <sys/stat.h>
#include "language_world.h"

#define SCRIPTS_MAX 3
#define ROUNDS_MAX  8

static struct shop_world world;

struct script { /* files of one shop, and what is said to them */
    struct at_source_file files[4];
    char *texts[4];
    uint32_t count;
    char *says;
};
struct counts {
    uint32_t kinds, scripts, replaced, sound;
};
static struct counts counts;

/* ---- files ---- */

static void place(char *out, size_t size, const char *rest) {
    const char *slash = strrchr(__FILE__, '/');
    snprintf(out, size, "%.*s/../../%s", slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".", rest);
}

static char *read_whole(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be read", path);
    char *text = calloc(1, 1 << 18);
    assert_non_null(text);
    size_t length = fread(text, 1, (1 << 18) - 1, file);
    text[length] = 0;
    fclose(file);
    return text;
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

static void each_file(const char *folder, void (*fn)(const char *path)) {
    struct dirent **names;
    char base[500], path[800];
    place(base, sizeof base, folder);
    int count = scandir(base, &names, is_visible, alphasort);
    if (count < 0) fail_msg("%s cannot be read", base);
    for (int i = 0; i < count; i++) {
        struct stat info;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        free(names[i]);
        char whole[1400];
        place(whole, sizeof whole, path);
        if (stat(whole, &info) == 0 && S_ISDIR(info.st_mode))
            each_file(path, fn);
        else
            fn(path);
    }
    free(names);
}

/* ---- what is said ---- */

static const char *env_of(void *arg, const char *name) {
    (void)arg;
    return strncmp(name, "UNSET", 5) == 0 ? NULL : name;
}

/* The line of the file as the fix leaves it. */
static void say_fix(struct at_bytes *out, struct at_text source, const struct at_finding *finding) {
    struct at_bytes mended;
    if (!finding->fix) return;
    at_bytes_init(&mended, 1 << 20);
    at_finding_mend(&mended, source, &finding, 1);
    size_t from = finding->fix_from, to = finding->fix_from + strlen(finding->fix);
    if (finding->fix[0] == '\n') from++;
    while (from && mended.data[from - 1] != '\n') from--;
    while (to < mended.length && mended.data[to] != '\n') to++;
    at_bytes_add_text(out, "    With it:\n");
    for (size_t i = from; i < to; i++) {
        if (i == from || mended.data[i - 1] == '\n') at_bytes_add_text(out, "    | ");
        at_bytes_add(out, mended.data + i, 1);
    }
    at_bytes_add_text(out, "\n");
    at_bytes_clear(&mended);
}

static void say(struct at_bytes *out, const char *path, struct at_text source,
                const struct at_finding *finding) {
    at_finding_print(out, path, source, finding);
    say_fix(out, source, finding);
}

static bool is_settings(const struct script *script) {
    return script->count == 1 && at_text_is(script->files[0].path, "shop.lua");
}

static enum at_status check_settings(const struct script *script, struct at_finding **findings) {
    struct at_settings_source source = {.folder = ".", .env = env_of};
    struct at_settings *settings = NULL;
    struct at_error err;
    at_arena_reset(&world.findings);
    enum at_status status =
        at_settings_check(&source, script->files[0].text, &world.findings, &settings, findings, &err);
    at_settings_free(settings);
    return status;
}

/* Every finding of the script to fn; whether it passes. */
static bool check(const struct script *script,
                  void (*fn)(void *arg, uint32_t file, struct at_finding *finding), void *arg) {
    if (is_settings(script)) {
        struct at_finding *findings;
        enum at_status status = check_settings(script, &findings);
        for (; findings; findings = findings->next) fn(arg, 0, findings);
        return status == AT_OK;
    }
    enum at_status status = shop_world_load_files(&world, script->files, script->count);
    for (struct at_file_finding *at = world.build.findings; at; at = at->next)
        for (uint32_t i = 0; i < script->count; i++)
            if (at_text_is(script->files[i].path, at->path) && strcmp(at->finding.code, "no_learner") != 0)
                fn(arg, i, &at->finding);
    return status == AT_OK;
}

struct telling {
    const struct script *script;
    struct at_bytes *out;
};
static void tell_one(void *arg, uint32_t file, struct at_finding *finding) {
    struct telling *telling = arg;
    say(telling->out, telling->script->files[file].path.data, telling->script->files[file].text, finding);
}

/* ---- replacements, as they stand ---- */

struct mending {
    struct script *script;
    const struct at_finding *fixes[4][20];
    uint32_t fix_count[4], uncured;
};
static void take_fix(void *arg, uint32_t file, struct at_finding *finding) {
    struct mending *mending = arg;
    uint32_t *count = &mending->fix_count[file];
    const struct at_finding *last = *count ? mending->fixes[file][*count - 1] : NULL;
    if (!finding->fix)
        mending->uncured++;
    else if ((!last || last->fix_to < finding->fix_from) && *count < 20)
        mending->fixes[file][(*count)++] = finding;
}

static bool mend_round(struct script *script, uint32_t *uncured) {
    struct mending mending = {.script = script};
    bool is_good = check(script, take_fix, &mending), is_changed = false;
    *uncured = mending.uncured;
    for (uint32_t i = 0; i < script->count; i++) {
        struct at_bytes mended;
        if (!mending.fix_count[i]) continue;
        at_bytes_init(&mended, 1 << 20);
        at_finding_mend(&mended, script->files[i].text, mending.fixes[i], mending.fix_count[i]);
        char *text = calloc(1, mended.length + 1);
        assert_non_null(text);
        memcpy(text, mended.data, mended.length);
        at_bytes_clear(&mended);
        free(script->texts[i]);
        script->texts[i] = text;
        script->files[i].text = at_text_of(text);
        is_changed = true;
    }
    return is_changed || (is_good && false);
}

/* Whether it passes without a word once all replacements are in. */
static bool is_cured(struct script *script) {
    uint32_t uncured = 0;
    for (int round = 0; round < ROUNDS_MAX && mend_round(script, &uncured); round++)
        if (uncured) return false;
    struct at_bytes rest;
    at_bytes_init(&rest, 1 << 20);
    bool is_good = check(script, tell_one, &(struct telling){script, &rest}) && rest.length == 0;
    at_bytes_clear(&rest);
    return is_good;
}

/* ---- the format: "=== PATH", its text, "=== says", what is said; a blank line before "===" ---- */

static char *next_part(char *at, char *head, size_t size) {
    char *mark = strncmp(at, "=== ", 4) == 0 ? at : strstr(at, "\n=== ");
    if (!mark) return NULL;
    if (*mark == '\n') *mark++ = 0;
    char *end = strchr(mark, '\n');
    assert_non_null(end);
    snprintf(head, size, "%.*s", (int)(end - mark - 4), mark + 4);
    return end + 1;
}

static uint32_t read_scripts(char *text, struct script *scripts) {
    char head[200];
    uint32_t count = 0;
    bool is_open = false;
    for (char *at = next_part(text, head, sizeof head); at; at = next_part(at, head, sizeof head)) {
        if (!is_open) {
            assert_true(count < SCRIPTS_MAX);
            scripts[count++] = (struct script){.count = 0};
        }
        struct script *script = &scripts[count - 1];
        is_open = strcmp(head, "says") != 0;
        if (!is_open) {
            script->says = at;
            continue;
        }
        script->files[script->count].path = at_text_of(strdup(head));
        script->texts[script->count++] = at;
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < scripts[i].count; k++) {
            scripts[i].texts[k] = strdup(scripts[i].texts[k]);
            scripts[i].files[k].text = at_text_of(scripts[i].texts[k]);
        }
    return count;
}

static void free_script(struct script *script) {
    for (uint32_t i = 0; i < script->count; i++) {
        free((char *)(uintptr_t)script->files[i].path.data);
        free(script->texts[i]);
    }
}

static void write_script(struct at_bytes *out, const struct script *script, const struct at_bytes *said) {
    for (uint32_t i = 0; i < script->count; i++)
        at_bytes_printf(out, "=== %s\n%s\n", script->files[i].path.data, script->texts[i]);
    at_bytes_add_text(out, "=== says\n");
    at_bytes_add(out, said->data, said->length);
}

/* No two findings about the same bytes: one cause is told once. */
struct seen {
    uint32_t from[20], file[20], count;
    bool is_twice;
};
static void see(void *arg, uint32_t file, struct at_finding *finding) {
    struct seen *seen = arg;
    for (uint32_t i = 0; i < seen->count; i++)
        seen->is_twice |= seen->from[i] == finding->from && seen->file[i] == file;
    if (seen->count < 20) {
        seen->file[seen->count] = file;
        seen->from[seen->count++] = finding->from;
    }
}

static void try_script(const char *path, struct script *script, struct at_bytes *anew) {
    struct at_bytes said;
    struct seen seen = {.count = 0};
    at_bytes_init(&said, 1 << 20);
    check(script, tell_one, &(struct telling){script, &said});
    at_bytes_add(&said, "", 1);
    said.length--;
    if (!getenv("WRITE_WRONG")) {
        if (!said.length) fail_msg("%s: nothing is said to\n%s", path, script->texts[0]);
        if (!script->says || strcmp(script->says, said.data) != 0)
            fail_msg("%s\n--- is said\n%s--- was to be said\n%s", path, said.data,
                     script->says ? script->says : "");
        check(script, see, &seen);
        if (seen.is_twice) fail_msg("%s: said twice\n%s", path, said.data);
    }
    if (anew->length) at_bytes_add_text(anew, "\n");
    write_script(anew, script, &said);
    counts.scripts++;
    bool promised = strstr(said.data, "    With it:\n") != NULL, cured = is_cured(script);
    counts.replaced += cured;
    if (promised && !cured && !getenv("WRITE_WRONG")) fail_msg("%s: not cured\n%s", path, script->texts[0]);
    if (promised && !cured) printf("not cured: %s\n%s\n", path, script->texts[0]);
    at_bytes_clear(&said);
}

static void try_kind(const char *path) {
    char whole[1400];
    struct script scripts[SCRIPTS_MAX];
    struct at_bytes anew;
    place(whole, sizeof whole, path);
    char *text = read_whole(whole);
    at_bytes_init(&anew, 1 << 20);
    uint32_t count = read_scripts(text, scripts);
    for (uint32_t i = 0; i < count; i++) {
        try_script(path, &scripts[i], &anew);
        free_script(&scripts[i]);
    }
    if (getenv("WRITE_WRONG")) {
        FILE *file = fopen(whole, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(anew.data, 1, anew.length, file), anew.length);
        fclose(file);
    }
    at_bytes_clear(&anew);
    free(text);
    counts.kinds++;
}

static void mistakes_get_exact_words_and_their_replacements_cure(void **state) {
    (void)state;
    counts = (struct counts){0};
    each_file("tests/wrong", try_kind);
    printf("%u kinds of mistakes, %u scripts, %u cured by the replacements\n", counts.kinds, counts.scripts,
           counts.replaced);
    if (getenv("WRITE_WRONG")) return;
    assert_true(counts.kinds >= 60 && counts.scripts >= 120 && counts.replaced >= 80);
}

/* ---- sound ones ---- */

static void must_be_silent(const char *path, const char *text) {
    struct script script = {.count = 1, .texts = {(char *)(uintptr_t)text}};
    struct at_bytes said;
    bool settings = strstr(path, "/shop.lua") || strstr(path, "/settings.txt");
    script.files[0] =
        (struct at_source_file){at_text_of(settings ? "shop.lua" : "scripts/a.lua"), at_text_of(text)};
    if (strstr(path, "scripts/new/scripts/tests/")) { /* they name the segments beside them */
        char whole[1400];
        place(whole, sizeof whole, "scripts/new/scripts/segments/customers.lua");
        script.files[script.count++] = (struct at_source_file){
            AT_TEXT("scripts/b.lua"), at_text_of(script.texts[1] = read_whole(whole))};
    }
    at_bytes_init(&said, 1 << 20);
    bool is_good = check(&script, tell_one, &(struct telling){&script, &said});
    free(script.texts[1]);
    at_bytes_add(&said, "", 1);
    if (!is_good || said.length > 1) fail_msg("%s\n%s\n%s", path, said.data, text);
    at_bytes_clear(&said);
    counts.sound++;
}

static void try_sound(const char *path) {
    char whole[1400], head[200];
    size_t length = strlen(path);
    bool is_script = strcmp(path + length - 4, ".lua") == 0 || strncmp(path, "tests/", 6) == 0;
    if (!is_script || strstr(path, "scripts/consent/")) return;
    place(whole, sizeof whole, path);
    char *text = read_whole(whole),
         *at = strncmp(text, "=== ", 4) == 0 ? next_part(text, head, sizeof head) : NULL;
    if (!at) must_be_silent(path, text);
    while (at) {
        char *next = next_part(at, head, sizeof head);
        must_be_silent(path, at);
        at = next;
    }
    free(text);
}

/* The blocks of a page that are files of a shop. */
static void try_page(const char *path) {
    char whole[1400];
    place(whole, sizeof whole, path);
    char *text = read_whole(whole);
    for (char *at = text; (at = strstr(at, "```lua"));) {
        char *begin = strchr(at, '\n') + 1, *end = strstr(begin, "\n```");
        assert_non_null(end);
        bool settings = strncmp(at, "```lua file=", 12) != 0 || strstr(at, "shop.lua") < begin;
        at = end + 4;
        if (settings) continue;
        end[1] = 0;
        must_be_silent(path, begin);
        end[1] = '`';
    }
    free(text);
}

static void sound_scripts_get_no_word(void **state) {
    (void)state;
    counts = (struct counts){0};
    each_file("tests/sound", try_sound);
    assert_true(counts.sound >= 50);
    each_file("scripts", try_sound);
    each_file("docs/guide", try_page);
    printf("%u sound scripts\n", counts.sound);
}

/* ---- many ---- */

struct many {
    uint32_t faults, fixes, all;
};
static void count_many(void *arg, uint32_t file, struct at_finding *finding) {
    struct many *many = arg;
    (void)file;
    many->all++;
    many->faults += strcmp(finding->code, "syntax") == 0;
    many->fixes += finding->fix && strcmp(finding->code, "syntax") != 0;
}

static struct many count_of(const char *line) {
    struct script script = {.count = 1};
    struct at_bytes text;
    struct many many = {0, 0, 0};
    at_bytes_init(&text, 1 << 20);
    for (int i = 0; i < 60; i++)
        at_bytes_printf(&text,
                        "ranking \"r%d\" { score = function(product)\n"
                        "if product.price > 1 & product.stock > 2 then return 1 end\n%s\nreturn 0 end }\n",
                        i, line);
    script.files[0] = (struct at_source_file){AT_TEXT("scripts/a.lua"), {text.data, text.length}};
    assert_false(check(&script, count_many, &many));
    at_bytes_clear(&text);
    return many;
}

/* To find the words for a fault and to try a fix the file is read again: a file full of them is not. */
static void of_many_mistakes_some_are_told_at_once(void **state) {
    (void)state;
    struct many whole = count_of(""), broken = count_of("x != 3");
    assert_int_equal(whole.all, 60);
    assert_int_equal(whole.fixes, 40);
    assert_int_equal(broken.faults, 40);
    assert_true(broken.fixes <= 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_get_exact_words_and_their_replacements_cure),
        cmocka_unit_test(sound_scripts_get_no_word),
        cmocka_unit_test(of_many_mistakes_some_are_told_at_once),
    };
    shop_world_init(&world, 60);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    shop_world_clear(&world);
    return failed;
}
