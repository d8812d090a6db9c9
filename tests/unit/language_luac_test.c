/* SPDX-License-Identifier: Apache-2.0
 *
 * The parser judged by luac over Lua that others wrote: the files of build/lua-files (tools/lua-files.sh;
 * LUA_FILES names another folder). What luac -p accepts it accepts; what luac -p refuses it refuses, and the
 * first fault is luac's, word for word and on its line. luac itself reads the files, one a process, and
 * the first mutants; the volume goes through liblua's load of text in this process, which is the same parser,
 * and the mutants show that it is. Then every node of the trees is cut out and parsed again.
 *
 * Under the sanitizers it is a sample. MUTANTS=1000000 and NODE_FILES=1 (every file, not one in so many) for
 * the soak.
 */
#include <ftw.h>
#include <unistd.h>
#include "language/lex.h"
#include "language_parsers.h"

#ifdef AT_DEBUG
enum { MUTANTS = 1500, PIECES = 200, NODE_SHARE = 150, FILE_SHARE = 6, LUAC_SHARE = 60 };
#else
enum { MUTANTS = 20000, PIECES = 1000, NODE_SHARE = 12, FILE_SHARE = 1, LUAC_SHARE = 1 };
#endif
enum { FILES_MAX = 10000, FILES_LEAST = 1000, BY_LUAC = 40, PIECE_MAX = 3000, TOKENS_MAX = 2000 };

static uint32_t wanted(const char *name, uint32_t otherwise) {
    const char *text = getenv(name);
    return text ? (uint32_t)strtoul(text, NULL, 0) : otherwise;
}

/* ---- the files ---- */

static struct file {
    char *path, *text;
    size_t length;
} files[FILES_MAX];
static uint32_t file_count;

static int note_file(const char *path, const struct stat *info, int type, struct FTW *at) {
    const char *dot = strrchr(path, '.');
    (void)info, (void)at;
    if (type == FTW_F && dot && (strcmp(dot, ".lua") == 0 || strcmp(dot, ".nse") == 0) &&
        file_count < FILES_MAX)
        files[file_count++].path = strdup(path);
    return 0;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static bool read_files(void) {
    const char *folder = getenv("LUA_FILES");
    if (nftw(folder ? folder : "build/lua-files", note_file, 20, FTW_PHYS) != 0) return false;
    qsort(files, file_count, sizeof *files, by_path);
    for (uint32_t i = 0; i < file_count; i++) {
        FILE *file = fopen(files[i].path, "rb");
        assert_non_null(file);
        fseek(file, 0, SEEK_END);
        files[i].length = (size_t)ftell(file);
        rewind(file);
        assert_non_null(files[i].text = malloc(files[i].length + 1));
        assert_int_equal(fread(files[i].text, 1, files[i].length, file), files[i].length);
        fclose(file);
    }
    return true;
}

static bool is_missing(void) {
    if (!file_count) printf("skipped: no data (sh tools/lua-files.sh fetches the files)\n");
    if (file_count && file_count < FILES_LEAST) fail_msg("%u files: too few to judge by", file_count);
    return !file_count;
}

/* ---- luac itself ---- */

/* luac5.4 -p: one file a process, for given two that of Debian 12 ends in a double free. */
static void ask_luac(const char *path, struct verdict *out) {
    char command[400], output[600], *rest;
    memset(out, 0, sizeof *out);
    assert_true(snprintf(command, sizeof command, "exec luac5.4 -p -- '%s' 2>&1", path) <
                (int)sizeof command);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, sizeof output - 1, pipe);
    output[length] = 0;
    out->is_ok = pclose(pipe) == 0;
    if (out->is_ok) return;
    output[strcspn(output, "\n")] = 0;
    char *words = strstr(output, path);
    if (!words) fail_msg("luac5.4 -p %s: %s", path, output);
    words += strlen(path) + 1;
    out->line = (uint32_t)strtoul(words, &rest, 10);
    snprintf(out->message, sizeof out->message, "%s", rest[0] ? rest + 2 : words);
}

/* Word for word; but a long token is cut short by ours, and a text with escapes is shown as it is written. On
 * the line of the token, or of the one after it that luac may have read. */
static bool is_same_fault(const struct verdict *ours, const struct verdict *theirs) {
    size_t before = before_near(ours->message);
    const char *near = ours->message + before;
    if (strstr(theirs->message, "near ") && (theirs->line < ours->line || theirs->line > ours->end_line + 1))
        return false;
    if (strcmp(ours->message, theirs->message) == 0) return true;
    if (is_told_late(ours->message) && is_told_late(theirs->message)) /* the words changed within 5.4 */
        return memcmp(ours->message, theirs->message, 13) == 0;
    return before == before_near(theirs->message) && memcmp(ours->message, theirs->message, before) == 0 &&
           (strlen(near) > 60 || strpbrk(near, "\\\n\r"));
}

static bool is_agreed(const char *text, size_t length, const struct verdict *theirs) {
    struct verdict ours;
    parse_ours(text, length, &ours);
    if (!theirs->is_ok && is_limit(theirs->message)) return true;
    bool is_same = ours.is_ok == theirs->is_ok && (ours.is_ok || is_same_fault(&ours, theirs));
    if (!is_same)
        printf("--- %.*s\n--- lua:  %u %s\n--- ours: %u:%u %s\n", (int)length, text, theirs->line,
               theirs->is_ok ? "accepts" : theirs->message, ours.line, ours.column,
               ours.is_ok ? "accepts" : ours.message);
    return is_same;
}

static void every_file_has_luacs_verdict(void **state) {
    (void)state;
    uint32_t count = 0, asked = 0, refused = 0;
    if (is_missing()) return;
    for (uint32_t i = 0; i < file_count; i += FILE_SHARE, count++) {
        struct verdict theirs;
        bool is_head = files[i].length && strchr("#\xEF\x1b", files[i].text[0]); /* only luac skips it */
        if (is_head || i % LUAC_SHARE == 0)
            ask_luac(files[i].path, &theirs), asked++;
        else
            parse_lua(files[i].text, files[i].length, &theirs);
        refused += !theirs.is_ok;
        if (!is_agreed(files[i].text, files[i].length, &theirs)) fail_msg("%s", files[i].path);
    }
    printf("property: %u files, %u by luac -p, %u refused, 0 disagreements\n", count, asked, refused);
}

/* ---- mutants ---- */

/* Some statements of a file that follow each other. */
static struct at_text pick_piece(uint64_t *random) {
    for (;;) {
        const struct file *file = &files[random_below(random, file_count)];
        struct verdict whole;
        parse_ours(file->text, file->length, &whole);
        uint32_t count = 0, length = 0;
        for (const struct at_node *node = whole.block->list; node; node = node->next) count++;
        if (!whole.is_ok || !count) continue;
        const struct at_node *node = whole.block->list;
        for (uint32_t skip = random_below(random, count); skip; skip--) node = node->next;
        uint32_t from = node->from;
        for (; node && node->to - from <= PIECE_MAX; node = node->next) length = node->to - from;
        if (length) return (struct at_text){file->text + from, length};
    }
}

struct mutant {
    char text[4 * PIECE_MAX];
    size_t length;
    struct token tokens[TOKENS_MAX];
    uint32_t token_count;
};

static void read_tokens(struct mutant *mutant) {
    static struct at_arena tokens;
    if (!tokens.max_bytes) at_arena_init(&tokens, 1 << 24);
    at_arena_reset(&tokens);
    struct lexer lexer = {.arena = &tokens, .source = {mutant->text, mutant->length}, .line = 1};
    mutant->token_count = 0;
    while (mutant->token_count < TOKENS_MAX) {
        struct token *token = &mutant->tokens[mutant->token_count];
        if (!lex_next(&lexer, token)) lex_mend(&lexer, token);
        if (token->kind == TOKEN_END) break;
        mutant->token_count++;
    }
}

static void replace(struct mutant *mutant, size_t from, size_t to, const char *put, size_t length) {
    if (mutant->length - (to - from) + length > sizeof mutant->text) return;
    memmove(mutant->text + from + length, mutant->text + to, mutant->length - to);
    memcpy(mutant->text + from, put, length);
    mutant->length += length - (to - from);
}

static void splice(struct mutant *mutant, uint32_t from, struct at_text piece, uint64_t *random) {
    uint32_t cut = random_below(random, (uint32_t)piece.length);
    size_t room = sizeof mutant->text - from, length = piece.length - cut < room ? piece.length - cut : room;
    memcpy(mutant->text + from, piece.data + cut, length);
    mutant->length = from + length;
}

static void mutate(struct mutant *mutant, const struct at_text *pieces, uint64_t *random) {
    char copy[PIECE_MAX + 2];
    read_tokens(mutant);
    if (mutant->token_count < 2) return;
    uint32_t at = random_below(random, mutant->token_count - 1);
    const struct token *token = &mutant->tokens[at],
                       *other = &mutant->tokens[random_below(random, mutant->token_count)];
    uint32_t length = token->to - token->from, size = other->to - other->from;
    switch (random_below(random, 6)) {
    case 0: replace(mutant, token->from, token->to, " ", 1); break;
    case 1: /* another token in its place, or besides */
        memcpy(copy, mutant->text + other->from, size < PIECE_MAX ? size : PIECE_MAX);
        replace(mutant, token->from, token->to, copy, size < PIECE_MAX ? size : PIECE_MAX);
        break;
    case 2:
        copy[0] = ' ';
        memcpy(copy + 1, mutant->text + token->from, length < PIECE_MAX ? length : PIECE_MAX);
        replace(mutant, token->to, token->to, copy, (length < PIECE_MAX ? length : PIECE_MAX) + 1);
        break;
    case 3: { /* with its neighbour */
        uint32_t from = token->from, next = token[1].from, end = token[1].to;
        if (end - from > PIECE_MAX) break;
        memcpy(copy, mutant->text + next, end - next);
        memcpy(copy + (end - next), mutant->text + token->to, next - token->to);
        memcpy(copy + (end - token->to), mutant->text + from, length);
        memcpy(mutant->text + from, copy, end - from);
        break;
    }
    case 4: splice(mutant, token->from, pieces[random_below(random, PIECES)], random); break;
    default:
        mutant->text[random_below(random, (uint32_t)mutant->length)] ^= (char)(1u << random_below(random, 8));
    }
}

/* The same mutant as luac itself reads it from a file. */
static void assert_luac_says_so(const struct mutant *mutant, const struct verdict *theirs) {
    char path[] = "/tmp/language_luac_XXXXXX";
    struct verdict luac;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, mutant->text, mutant->length) == (ssize_t)mutant->length);
    close(fd);
    ask_luac(path, &luac);
    unlink(path);
    bool is_plain = !memchr(theirs->message, '\n', strlen(theirs->message));
    if (luac.is_ok != theirs->is_ok || (is_plain && strcmp(luac.message, theirs->message) != 0))
        fail_msg("luac: %s\nliblua: %s", luac.message, theirs->message);
}

static void every_mutant_has_luacs_verdict(void **state) {
    (void)state;
    static struct at_text pieces[PIECES];
    static struct mutant mutant;
    uint64_t seed = first_seed(20261127), random = seed;
    uint32_t count = wanted("MUTANTS", MUTANTS), accepted = 0;
    if (is_missing()) return;
    for (uint32_t i = 0; i < PIECES; i++) pieces[i] = pick_piece(&random);
    for (uint32_t i = 0; i < count; i++) {
        const struct at_text piece = pieces[random_below(&random, PIECES)];
        struct verdict theirs;
        memcpy(mutant.text, piece.data, mutant.length = piece.length);
        for (uint32_t edits = 1 + random_below(&random, 3); edits; edits--) mutate(&mutant, pieces, &random);
        if (!mutant.length || strchr("#\xEF\x1b", mutant.text[0]))
            continue; /* the head of a file is no Lua */
        parse_lua(mutant.text, mutant.length, &theirs);
        accepted += theirs.is_ok;
        if (i < BY_LUAC) assert_luac_says_so(&mutant, &theirs);
        if (!is_agreed(mutant.text, mutant.length, &theirs))
            fail_msg("seed %llu, mutant %u", (unsigned long long)seed, i);
    }
    printf("property: seed %llu, %u mutants, %u of them Lua, 0 disagreements\n", (unsigned long long)seed,
           count, accepted);
}

/* ---- ranges ---- */

/* The same tree, place for place, from a node that begins at from in its text. */
struct cut {
    uint32_t from, line, again_from, again_line;
};
static bool is_same_tree(const struct cut *cut, const struct at_node *a, const struct at_node *b);

static bool is_same_list(const struct cut *cut, const struct at_node *a, const struct at_node *b) {
    for (; a && b; a = a->next, b = b->next)
        if (!is_same_tree(cut, a, b)) return false;
    return !a && !b;
}

static bool is_same_tree(const struct cut *cut, const struct at_node *a, const struct at_node *b) {
    if (!a || !b) return a == b;
    return a->kind == b->kind && a->from - cut->from == b->from - cut->again_from &&
           a->to - a->from == b->to - b->from && a->line - cut->line == b->line - cut->again_line &&
           a->is_dot == b->is_dot && a->is_local == b->is_local && a->is_vararg == b->is_vararg &&
           a->is_method == b->is_method && at_text_equal(a->text, b->text) &&
           at_text_equal(a->text2, b->text2) && memcmp(&a->number, &b->number, sizeof a->number) == 0 &&
           is_same_tree(cut, a->a, b->a) && is_same_tree(cut, a->b, b->b) &&
           is_same_tree(cut, a->body, b->body) && is_same_tree(cut, a->else_part, b->else_part) &&
           is_same_list(cut, a->list, b->list) && is_same_list(cut, a->list2, b->list2);
}

/* How a node is read alone: what is put before and after it. elseif loses its else. What cannot stand alone:
 * the key of a.b and of {b = 1}, a:b in the head of a function, and its part from "function" on, which is the
 * statement; self, which is not written. NULL then. */
static const char *frame_of(const struct at_node *node, const struct at_node *parent, const char **after) {
    *after = "";
    if (parent && parent->kind == AT_NODE_FUNCTION_STATEMENT) return NULL; /* its parts: by its own cut */
    if (node->kind == AT_NODE_LOCAL) return node->to > node->from ? "local " : NULL;
    if (node->kind == AT_NODE_STRING && parent && parent->is_dot &&
        (parent->a == node || parent->kind == AT_NODE_INDEX))
        return NULL;
    if (node->kind == AT_NODE_FIELD) return *after = "}", "return {";
    if (node->kind <= AT_NODE_PAREN) return *after = ")", "return (";
    return "";
}

/* The node in the tree of its frame. */
static const struct at_node *framed(const struct at_node *block, const struct at_node *node) {
    const struct at_node *first = block->list;
    if (node->kind == AT_NODE_BLOCK) return block;
    if (!first || node->kind >= AT_NODE_BLOCK)
        return first && node->kind == AT_NODE_LOCAL ? first->list : first;
    if (!first->list) return NULL;
    return node->kind == AT_NODE_FIELD ? first->list->list : first->list->a;
}

struct cutting {
    const struct file *file;
    struct at_arena arena;
    uint32_t count, alone;
};

static void cut_out(struct cutting *cutting, const struct at_node *node, const struct at_node *parent) {
    static char piece[1 << 20];
    const char *after, *before = frame_of(node, parent, &after);
    struct at_node *block;
    struct at_fault *faults;
    cutting->count++;
    if (!before) return;
    uint32_t from = node->from;
    if (node->kind == AT_NODE_IF && memcmp(cutting->file->text + from, "else", 4) == 0) from += 4;
    size_t length = (size_t)snprintf(piece, sizeof piece, "%s%.*s%s", before, (int)(node->to - from),
                                     cutting->file->text + from, after);
    assert_true(length < sizeof piece);
    at_arena_reset(&cutting->arena);
    assert_int_equal(at_parse(&cutting->arena, (struct at_text){piece, length}, &block, &faults), AT_OK);
    while (faults && is_told_late(faults->message))
        faults = faults->next; /* a jump whose aim was left behind */
    const struct at_node *again = framed(block, node);
    struct cut cut = {from, node->line, (uint32_t)strlen(before), 1};
    struct at_node whole = *node;
    whole.from = from;
    if (faults || !again || !is_same_tree(&cut, &whole, again))
        fail_msg("%s:%u:%u: kind %d%s%s: %.*s", cutting->file->path, node->line, node->column, node->kind,
                 faults ? ": " : "", faults ? faults->message : "", (int)(length < 2000 ? length : 2000),
                 piece);
    cutting->alone++;
}

static void cut_all(struct cutting *cutting, const struct at_node *node, const struct at_node *parent) {
    if (!node) return;
    cut_out(cutting, node, parent);
    cut_all(cutting, node->a, node);
    cut_all(cutting, node->b, node);
    cut_all(cutting, node->body, node);
    cut_all(cutting, node->else_part, node);
    for (const struct at_node *child = node->list; child; child = child->next) cut_all(cutting, child, node);
    for (const struct at_node *child = node->list2; child; child = child->next) cut_all(cutting, child, node);
}

static void every_node_cut_out_is_the_same_again(void **state) {
    (void)state;
    static struct cutting cutting;
    uint64_t seed = first_seed(4), random = seed;
    uint32_t share = wanted("NODE_FILES", NODE_SHARE), count = 0;
    if (is_missing()) return;
    at_arena_init_kept(&cutting.arena, 1 << 30, 1 << 24);
    for (uint32_t i = 0; i < file_count; i++) {
        struct verdict whole;
        if (random_below(&random, share)) continue;
        cutting.file = &files[i];
        parse_ours(files[i].text, files[i].length, &whole);
        if (whole.is_ok) cut_all(&cutting, whole.block, NULL), count++;
    }
    at_arena_clear(&cutting.arena);
    printf("property: seed %llu, %u nodes of %u files, %u stand alone and are the same again\n",
           (unsigned long long)seed, cutting.count, count, cutting.alone);
    assert_true(cutting.alone >= 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_has_luacs_verdict),
        cmocka_unit_test(every_mutant_has_luacs_verdict),
        cmocka_unit_test(every_node_cut_out_is_the_same_again),
    };
    read_files();
    RUN_WITH_PARSERS(tests);
}
