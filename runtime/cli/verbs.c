/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of verbs and what is made from it: parsing, help, completion.
 */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

#define SHOP_OPTION                                                                                          \
    { "shop", "DIR", "the shop's folder (default: the current one)" }
#define DATA_OPTION                                                                                          \
    { "data", "DIR", "the data folder (default: DIR/data)" }

#define ORDER_OPTIONS /* how files of orders are read */                                                     \
    {"map", "ROLE=COLUMN ...", "orders: which column is order_id, at, user_id, product_id and so on"},       \
        {"at-format", "FORMAT", "orders: how times are written, such as \"%d/%m/%Y %H:%M\""},                \
        {"timezone", "ZONE", "orders: of times that say none, such as Europe/London (default UTC)"},         \
        {"currency", "CODE", "orders: where no column says it, such as GBP"}, {                              \
        "cancelled-prefix", "TEXT", "orders: ids that begin so are refunds"                                  \
    }

static const struct cli_option no_options[] = {{0}};
static const struct cli_option new_options[] = {
    {"country", "CC", "where the shop is, such as DE: shop.lua gets the consent rules that fit"}, {0}};
static const struct cli_option serve_options[] = {
    {"listen", "HOST:PORT", "where to listen (default 127.0.0.1:8080; port 0 picks one)"},
    DATA_OPTION,
    {"workers", "N", "threads that answer requests (default: one for each processor)"},
    {"memory", "SIZE", "ceiling of caches and queues, such as 512M (default 1G)"},
    {"log", "text|json", "how log lines are written to standard error (default text)"},
    {"now", "TIME", "begin at this moment instead of the system's, such as 2026-11-26T10:00:00Z"},
    {"watchdog-signal", "N", "the signal that stops scripts over their budget (0: a count hook instead)"},
    {0}};
static const struct cli_option check_options[] = {
    DATA_OPTION,
    {"json", NULL, "the findings as JSON, with the bytes they are about"},
    {"format", "text|json|gcc", "how findings are written: gcc is a line each, for editors"},
    {"fix", NULL, "put in what is certain, then say what is left"},
    {"dry-run", NULL, "with --fix: show the changes, write nothing"},
    {"speed", NULL, "measure each rule, and say what makes a slow one slow"},
    {"watch", NULL, "check again on each save, until Ctrl-C"},
    {0}};
static const struct cli_option test_options[] = {
    {"filter", "TEXT", "only tests with this in their name or in the path of their file"},
    {"coverage", NULL, "say which rules, and which ways through them, no test ran"},
    {"json", NULL, "the outcome as JSON"},
    {0}};
static const struct cli_option stubs_options[] = {DATA_OPTION, {0}};
static const struct cli_option import_options[] = {
    SHOP_OPTION,
    DATA_OPTION,
    {"complete", NULL, "retire what is not in the file"},
    {"sure", NULL, "with --complete: even if that is more than a tenth"},
    {"source", "NAME", "events, orders: whose they are; with a messageId it says which are the same"},
    {"again", NULL, "events, orders: import a file that was imported before once more"},
    ORDER_OPTIONS,
    {"dry-run", NULL, "orders: show how the file is understood, import nothing"},
    {0}};
static const struct cli_option explain_options[] = {
    SHOP_OPTION,
    DATA_OPTION,
    {"why-not", "ID", "say why this product is not on the list"},
    {"json", NULL, "the answer as it comes"},
    {0}};
static const struct cli_option audit_options[] = {DATA_OPTION,
                                                  {"json", NULL, "the audit as JSON"},
                                                  {"html", "FILE", "write it as a page, too"},
                                                  ORDER_OPTIONS,
                                                  {0}};
static const struct cli_option list_options[] = {
    SHOP_OPTION, DATA_OPTION, {"json", NULL, "the answer as it comes"}, {0}};
static const struct cli_option export_options[] = {SHOP_OPTION, DATA_OPTION, {0}};
static const struct cli_option erase_options[] = {
    SHOP_OPTION,
    DATA_OPTION,
    {"yes", NULL, "do not ask"},
    {"verify", "FILE", "check the signature of a receipt instead"},
    {"key", "HEX", "with --verify: the public key it must be signed with"},
    {0}};
static const struct cli_option diff_options[] = {
    SHOP_OPTION,
    DATA_OPTION,
    {"from", "N", "compare with this generation instead of the one that serves"},
    {"to", "N", "compare that generation instead of the folder"},
    {"json", NULL, "the answer as it comes"},
    {0}};
static const struct cli_option publish_options[] = {
    SHOP_OPTION,
    DATA_OPTION,
    {"confirm", "RAIL ...", "this rail may withhold more than a fifth of what was shown until now, or fail"},
    {"json", NULL, "the answer as it comes"},
    {0}};
static const struct cli_option rollback_options[] = {
    SHOP_OPTION, DATA_OPTION, {"restore", NULL, "write its files back into the folder, too"}, {0}};
static const struct cli_option backup_options[] = {
    SHOP_OPTION, DATA_OPTION, {"force", NULL, "replace FILE if it is there"}, {0}};
static const struct cli_option restore_options[] = {
    DATA_OPTION,
    SHOP_OPTION,
    {"erasures", "FILE", "the shop's erasures.log, if it is not in the data folder"},
    {"key", "FILE", "the shop's erasure.key, if it is not in the data folder"},
    {"no-erasures", NULL, "go on without them: whoever was erased since comes back"},
    {"force", NULL, "replace a database that is there; it is kept under another name"},
    {0}};

const struct cli_verb cli_verbs[] = {
    {"new", "DIR", "make a folder for a shop, with rankings, rails, segments and their tests", 1, 1,
     new_options, run_new, false},
    {"serve", "DIR", "serve a shop", 1, 1, serve_options, run_serve, false},
    {"check", "DIR", "check a shop's scripts, run their tests and say how each rule runs", 1, 1,
     check_options, run_check, false},
    {"test", "DIR", "run the tests beside a shop's scripts", 1, 1, test_options, run_test, false},
    {"stubs", "DIR", "write what an editor needs to complete the words of rules, after an upgrade anew", 1, 1,
     stubs_options, run_stubs, false},
    {"import", "catalog|events|orders FILE",
     "bring products in (JSON lines, a JSON array, CSV), events of the past (JSON lines) or orders (CSV)", 2,
     2, import_options, run_import, false},
    {"audit", "DIR", "say how clean a shop's data is, or a history of order lines or events in files", 1, 1,
     audit_options, run_audit, false},
    {"explain", "DECISION", "say why a list was as it was", 1, 1, explain_options, run_explain, false},
    {"identity", "explain PERSON | rehearse",
     "say why these identifiers are one person (an id, or kind:value), or what shop.lua as it is now would "
     "change",
     1, 2, list_options, run_identity, false},
    {"export", "PERSON", "print everything about a person (an id, or kind:value) as one JSON document", 1, 1,
     export_options, run_export, false},
    {"erase", "PERSON", "forget a person (an id, or kind:value), irrevocably, and print the signed receipt",
     0, 1, erase_options, run_erase, false},
    {"segments", "", "list the segments with how many are in them", 0, 0, list_options, run_segments, false},
    {"generations", "", "list what served and serves: when, from where, by which key, and what it changed", 0,
     0, list_options, run_generations, false},
    {"diff", "DIR", "say in words what a folder, or a generation, changes of what serves", 0, 1, diff_options,
     run_diff, false},
    {"blame", "FILE:LINE", "say which publish brought a line of a script, when and by whom", 1, 1,
     list_options, run_blame, false},
    {"publish", "", "publish the folder by hand: after a rollback, or what a save has to confirm", 0, 0,
     publish_options, run_publish, false},
    {"rollback", "N", "serve generation N again; the folder is held until it changes", 1, 1, rollback_options,
     run_rollback, false},
    {"backup", "FILE", "copy all data into one file, while the shop is served or not", 1, 1, backup_options,
     run_backup, false},
    {"restore", "FILE", "put a backup in the data folder's place; the shop sends nothing until attune resume",
     1, 1, restore_options, run_restore, false},
    {"resume", "", "let a restored shop send again", 0, 0, list_options, run_resume, false},
    {"version", "", "say the version", 0, 0, no_options, run_version, false},
    {"completion", "bash|zsh|fish", "print shell completion", 1, 1, no_options, run_completion, true},
    {"unit", "DIR", "print a systemd unit that serves DIR", 1, 1, no_options, run_unit, true},
    {0}};

const char *cli_value(const struct cli_call *call, const char *option) {
    for (int i = 0; call->verb->options[i].name; i++)
        if (strcmp(call->verb->options[i].name, option) == 0) return call->values[i];
    return NULL;
}

const char *cli_data(const struct cli_call *call, const char *folder, char *out, size_t size) {
    const char *given = cli_value(call, "data");
    snprintf(out, size, given ? "%s" : "%s/data", given ? given : folder);
    return out;
}

int cli_fail(const struct cli_call *call, int code, const char *fmt, ...) {
    va_list args;
    fprintf(stderr, "attune %s: ", call->verb->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

/* ---- help ---- */

static void print_usage(FILE *to, const struct cli_verb *verb) {
    fprintf(to, "attune %s%s%s%s\n", verb->name, *verb->words ? " " : "", verb->words,
            verb->options[0].name ? " [options]" : "");
}

static void print_verb(const struct cli_verb *verb) {
    print_usage(stdout, verb);
    printf("\n%c%s.\n", verb->summary[0] - 32, verb->summary + 1);
    if (verb->options[0].name) printf("\n");
    for (int i = 0; verb->options[i].name; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", verb->options[i].name,
                 verb->options[i].value ? verb->options[i].value : "");
        printf("  %-26s %s\n", left, verb->options[i].help);
    }
    printf("\nExit codes: 0 done, 1 the input is not accepted, 2 used wrongly, 3 could not be done.\n");
}

static void print_all(FILE *to) {
    fprintf(to, "attune — personalization for online shops, with rules in Lua\n\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
        char left[64];
        if (verb->is_hidden) continue;
        snprintf(left, sizeof left, "attune %s %s", verb->name, verb->words);
        fprintf(to, "  %-26s %s\n", left, verb->summary);
    }
    fprintf(to, "\nattune VERB --help says more.\n");
}

/* ---- parsing ---- */

static const struct cli_verb *find_verb(const char *name) {
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0) return verb;
    return NULL;
}

static int unknown_verb(const char *name) {
    const char *names[AT_LENGTH(cli_verbs)];
    size_t count = 0;
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) names[count++] = verb->name;
    const char *near = at_suggest(name, names, count);
    fprintf(stderr,
            near ? "attune: there is no verb \"%s\" — did you mean \"%s\"?\n"
                 : "attune: there is no verb \"%s\"%s; attune --help lists them\n",
            name, near ? near : "");
    return EXIT_USAGE;
}

/* What may be given several times says so by its value: "ROLE=COLUMN ...". */
static bool is_list(const struct cli_option *option) {
    static const char more[] = " ...";
    size_t length = option->value ? strlen(option->value) : 0;
    return length > strlen(more) && strcmp(option->value + length - strlen(more), more) == 0;
}

/* One option at argv[*at]; false: said what is wrong. */
static bool read_option(struct cli_call *call, int argc, char **argv, int *at) {
    const char *text = argv[*at] + 2, *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    const struct cli_option *options = call->verb->options;
    for (int i = 0; options[i].name; i++) {
        if (strlen(options[i].name) != length || strncmp(options[i].name, text, length) != 0) continue;
        if (!options[i].value && equals) return cli_fail(call, 0, "--%s takes no value", options[i].name);
        if (!options[i].value)
            call->values[i] = "";
        else if (equals)
            call->values[i] = equals + 1;
        else if (*at + 1 < argc)
            call->values[i] = argv[++*at];
        else
            return cli_fail(call, 0, "--%s needs %s", options[i].name, options[i].value);
        if (is_list(&options[i]) && call->list_count == CLI_LIST_MAX)
            return cli_fail(call, 0, "--%s may be given %d times", options[i].name, CLI_LIST_MAX);
        if (is_list(&options[i])) call->list[call->list_count++] = call->values[i];
        return true;
    }
    char name[64];
    const char *names[CLI_OPTIONS_MAX];
    size_t count = 0;
    snprintf(name, sizeof name, "%.*s", (int)(length < 60 ? length : 60), text);
    for (; options[count].name; count++) names[count] = options[count].name;
    const char *near = at_suggest(name, names, count);
    if (near) return cli_fail(call, 0, "there is no option --%s — did you mean --%s?", name, near);
    return cli_fail(call, 0, "there is no option --%s; attune %s --help lists them", name, call->verb->name);
}

int cli_main(int argc, char **argv) {
    if (argc < 2) {
        print_all(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_all(stdout);
        return EXIT_DONE;
    }
    struct cli_call call = {.verb = find_verb(strcmp(argv[1], "--version") == 0 ? "version" : argv[1])};
    if (!call.verb) return unknown_verb(argv[1]);
    bool ends = false;
    for (int i = 2; i < argc; i++) {
        if (!ends && strcmp(argv[i], "--") == 0)
            ends = true;
        else if (!ends && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_verb(call.verb);
            return EXIT_DONE;
        } else if (!ends && strncmp(argv[i], "--", 2) == 0) {
            if (!read_option(&call, argc, argv, &i)) return EXIT_USAGE;
        } else if (call.word_count < (int)AT_LENGTH(call.words))
            call.words[call.word_count++] = argv[i];
    }
    if (call.word_count < call.verb->least_words || call.word_count > call.verb->most_words) {
        fprintf(stderr, "attune %s: use it as\n  ", call.verb->name);
        print_usage(stderr, call.verb);
        return EXIT_USAGE;
    }
    return call.verb->run(&call);
}

/* ---- made from the table ---- */

int run_version(const struct cli_call *call) {
    (void)call;
    printf("attune %s\n", AT_VERSION);
    return EXIT_DONE;
}

static void complete_bash(void) {
    printf("_attune() {\n  local word=${COMP_WORDS[COMP_CWORD]}\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    "
           "COMPREPLY=($(compgen -W \"");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) printf("%s ", verb->name);
    printf("\" -- \"$word\"))\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
        printf("    %s) COMPREPLY=($(compgen -W \"--help ", verb->name);
        for (int i = 0; verb->options[i].name; i++) printf("--%s ", verb->options[i].name);
        printf("\" -- \"$word\") $(compgen -f -- \"$word\")) ;;\n");
    }
    printf("  esac\n}\ncomplete -o filenames -F _attune attune\n");
}

static void complete_zsh(void) {
    printf("#compdef attune\n_attune() {\n  if (( CURRENT == 2 )); then\n    local -a verbs=(");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++)
        printf("'%s:%s' ", verb->name, verb->summary);
    printf(")\n    _describe verb verbs\n    return\n  fi\n  case $words[2] in\n");
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
        printf("    %s) _arguments '--help[say more]' ", verb->name);
        for (int i = 0; verb->options[i].name; i++) {
            const char *help = verb->options[i].help;
            printf("'--%s%s[", verb->options[i].name, verb->options[i].value ? "=" : "");
            for (; *help; help++) /* zsh reads brackets, colons and quotes itself */
                if (!strchr("[]:'", *help)) putchar(*help);
            printf("]%s' ", verb->options[i].value ? ":value:_files" : "");
        }
        printf("'*:file:_files' ;;\n");
    }
    printf("  esac\n}\ncompdef _attune attune\n");
}

static void complete_fish(void) {
    for (const struct cli_verb *verb = cli_verbs; verb->name; verb++) {
        printf("complete -c attune -n __fish_use_subcommand -a %s -d \"%s\"\n", verb->name, verb->summary);
        for (int i = 0; verb->options[i].name; i++)
            printf("complete -c attune -n \"__fish_seen_subcommand_from %s\" -l %s%s -d \"%s\"\n", verb->name,
                   verb->options[i].name, verb->options[i].value ? " -r" : "", verb->options[i].help);
    }
}

int run_completion(const struct cli_call *call) {
    if (strcmp(call->words[0], "bash") == 0)
        complete_bash();
    else if (strcmp(call->words[0], "zsh") == 0)
        complete_zsh();
    else if (strcmp(call->words[0], "fish") == 0)
        complete_fish();
    else
        return cli_fail(call, EXIT_USAGE, "completion is for bash, zsh or fish, not \"%s\"", call->words[0]);
    return EXIT_DONE;
}
