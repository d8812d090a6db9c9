/* SPDX-License-Identifier: Apache-2.0
 *
 * What the source of a segment says: which segments it asks for, what it reads of which nobody knows when it
 * changes, and a hash of all that decides who is in it. Looked at are its when and the functions of the file
 * that it names. Names of segments are checked wherever a file asks for one; a way round is refused.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/utf8.h"
#include "language/state.h"

static struct at_text text_of(const struct at_source_file *file, const struct at_node *node) {
    return (struct at_text){file->text.data + node->from, node->to > node->from ? node->to - node->from : 0};
}

/* customer:in_segment "vip" → vip; data NULL: no such call, or a name that is made when it runs. */
static struct at_text segment_asked(const struct at_node *node) {
    bool is_call = node->kind == AT_NODE_METHOD && at_text_is(node->text, "in_segment") && node->list &&
                   node->list->kind == AT_NODE_STRING;
    return is_call ? node->list->text : (struct at_text){NULL, 0};
}

/* ---- names, wherever they are asked for ---- */

struct naming {
    struct assembly *assembly;
    const char *path;
};

static bool check_name(void *arg, struct at_node *node) {
    struct naming *naming = arg;
    const struct at_generation *generation = naming->assembly->generation;
    struct at_text name = segment_asked(node);
    const char *names[AT_SEGMENTS_MAX];
    char said[104];
    if (!name.data || at_generation_segment(generation, name)) return true;
    for (uint32_t i = 0; i < generation->segment_count; i++) names[i] = generation->segments[i].name;
    snprintf(said, sizeof said, "%.*s", (int)(name.length < 100 ? name.length : 100), name.data);
    const char *nearest = at_suggest(said, names, generation->segment_count);
    struct at_file_finding *told = add_finding(
        naming->assembly->build, naming->path, node->list, false, "unknown_segment",
        nearest ? "there is no segment \"%s\" — did you mean \"%s\"?" : "there is no segment \"%s\"%s", said,
        nearest ? nearest : "");
    if (!told || !nearest) return true;
    told->finding.fix = at_arena_printf(naming->assembly->build->arena, "\"%s\"", nearest);
    told->finding.fix_from = node->list->from;
    told->finding.fix_to = node->list->to;
    return true;
}

static void check_names(struct assembly *assembly) {
    struct at_build *build = assembly->build;
    for (uint32_t i = 0; i < build->file_count; i++) {
        struct naming naming = {assembly, build->files[i].path.data};
        bool asks = memmem(build->files[i].text.data, build->files[i].text.length, "in_segment", 10) != NULL;
        if (asks && parsed_file(assembly, i)) at_node_walk(assembly->parsed[i].block, check_name, &naming);
    }
}

/* ---- what one segment says ---- */

#define REACHED_MAX 64
struct reach { /* from a when to the functions of its file that it names */
    struct assembly *assembly;
    struct at_segment *segment;
    const struct at_source_file *file;
    struct at_node *functions[REACHED_MAX];
    uint32_t count;
    uint32_t asks[AT_SEGMENTS_MAX];
    uint32_t ask_count;
    bool looks_outside; /* at something of its file that is no function: the file decides */
};

static void reach_function(struct reach *reach, struct at_node *function) {
    for (uint32_t i = 0; i < reach->count; i++)
        if (reach->functions[i] == function) return;
    if (reach->count == REACHED_MAX)
        reach->looks_outside = true;
    else
        reach->functions[reach->count++] = function;
}

static void reach_name(struct reach *reach, const struct at_node *local) {
    for (uint32_t i = 0; i < reach->count; i++)
        if (local->from >= reach->functions[i]->from && local->to <= reach->functions[i]->to) return;
    if (local->value)
        reach_function(reach, local->value);
    else
        reach->looks_outside = true;
}

static void reach_segment(struct reach *reach, struct at_text name) {
    const struct at_generation *generation = reach->assembly->generation;
    const struct at_segment *asked = at_generation_segment(generation, name);
    if (!asked) return; /* said already */
    uint32_t place = (uint32_t)(asked - generation->segments), i = 0;
    while (i < reach->ask_count && reach->asks[i] != place) i++;
    if (i == reach->ask_count) reach->asks[reach->ask_count++] = place;
}

/* Tastes fade against what everyone likes, and products are the catalog's. */
static void reach_blind(struct reach *reach, const struct at_node *node) {
    static const char *const unforeseen[] = {"affinity", "product", "first"};
    bool is_blind = false;
    for (size_t i = 0; i < AT_LENGTH(unforeseen) && node->is_dot; i++)
        is_blind |= at_text_is(node->b->text, unforeseen[i]);
    if (!is_blind || reach->segment->blind_line) return;
    reach->segment->blind_line = node->line;
    reach->segment->blind = text_of(reach->file, node);
}

static bool reach_node(void *arg, struct at_node *node) {
    struct reach *reach = arg;
    struct at_text asked = segment_asked(node);
    if (asked.data) reach_segment(reach, asked);
    if (node->kind == AT_NODE_NAME && node->binding) reach_name(reach, node->binding);
    if (node->kind == AT_NODE_INDEX) reach_blind(reach, node);
    return true;
}

static uint64_t mix(uint64_t hash, const void *data, size_t length) {
    return at_hash64_seed(data, length, hash);
}

/* Its own words; what else of the file, and of the modules it may have required, if it looks there. */
static void hash_reach(struct reach *reach) {
    const struct at_build *build = reach->assembly->build;
    struct at_segment *segment = reach->segment;
    uint64_t hash = mix(0, &segment->recheck_ms, sizeof segment->recheck_ms);
    for (uint32_t i = 0; i < reach->count; i++) {
        struct at_text text = text_of(reach->file, reach->functions[i]);
        hash = mix(hash, text.data, text.length);
    }
    if (reach->looks_outside) hash = mix(hash, reach->file->text.data, reach->file->text.length);
    for (uint32_t i = 0; reach->looks_outside && i < build->file_count; i++)
        if (build->files[i].path.length > 12 && memcmp(build->files[i].path.data, "scripts/lib/", 12) == 0)
            hash = mix(hash, build->files[i].text.data, build->files[i].text.length);
    segment->says = hash;
}

static enum at_status read_source(struct assembly *assembly, struct at_segment *segment) {
    struct found_function found;
    struct reach reach = {.assembly = assembly, .segment = segment};
    enum at_status status = find_source(assembly, segment->when, &found);
    if (status != AT_OK) return status;
    reach.file = &assembly->build->files[found.file];
    if (found.node)
        reach_function(&reach, found.node);
    else
        reach.looks_outside = true;
    for (uint32_t i = 0; i < reach.count; i++) at_node_walk(reach.functions[i]->body, reach_node, &reach);
    hash_reach(&reach);
    if (found.node)
        status = check_function_words(assembly->build, found.file, found.node->from, "Segment", "when");
    if (status != AT_OK) return status;
    uint32_t *asks =
        at_arena_alloc(&assembly->generation->arena, (reach.ask_count + 1) * sizeof *segment->asks);
    char *blind = at_arena_dup(&assembly->generation->arena, segment->blind.data ? segment->blind.data : "",
                               segment->blind.length);
    if (!asks || !blind) return AT_NOMEM;
    memcpy(asks, reach.asks, reach.ask_count * sizeof *asks);
    segment->asks = asks;
    segment->ask_count = reach.ask_count;
    segment->blind.data = blind;
    return AT_OK;
}

/* ---- no way round ---- */

struct round {
    struct assembly *assembly;
    uint32_t way[AT_SEGMENTS_MAX + 1];
    uint32_t length;
    uint32_t
        depth[AT_SEGMENTS_MAX]; /* how many ask one another in a row from there on; 0: not gone into yet */
};

static void tell_round(const struct round *round, uint32_t from) {
    const struct at_segment *segments = round->assembly->generation->segments;
    const struct at_segment *first = &segments[round->way[from]];
    char way[200] = "";
    for (uint32_t i = from; i < round->length; i++) {
        size_t at = strlen(way);
        snprintf(way + at, sizeof way - at, "%s%s", i > from ? " → " : "", segments[round->way[i]].name);
    }
    struct at_file_finding *made =
        add_finding(round->assembly->build, first->path, NULL, false, "segment_round",
                    "segment \"%s\" asks for itself: %s", first->name, way);
    if (made) made->finding.line = first->line;
}

/* Who is in a segment depends on those it asks for, which have been gone into by now. */
static bool finish(struct round *round, uint32_t at) {
    struct at_generation *generation = round->assembly->generation;
    struct at_segment *segment = &generation->segments[at];
    round->depth[at] = 1;
    for (uint32_t i = 0; i < segment->ask_count; i++) {
        uint32_t asked = segment->asks[i];
        segment->says = mix(segment->says, &generation->segments[asked].says, sizeof segment->says);
        if (round->depth[asked] >= round->depth[at]) round->depth[at] = round->depth[asked] + 1;
    }
    if (round->depth[at] <= AT_SEGMENT_CHAIN_MAX) return true;
    struct at_file_finding *made =
        add_finding(round->assembly->build, segment->path, NULL, false, "segment_chain",
                    "segment \"%s\" asks for one that asks for one …: %d in a row are the most",
                    segment->name, AT_SEGMENT_CHAIN_MAX);
    if (made) made->finding.line = segment->line;
    return false;
}

/* Depth first; each segment is gone into once. False: told. */
static bool go_round(struct round *round, uint32_t at) {
    const struct at_segment *segment = &round->assembly->generation->segments[at];
    if (round->depth[at]) return true;
    uint32_t from = 0;
    while (from < round->length && round->way[from] != at) from++;
    bool is_round = from < round->length;
    round->way[round->length++] = at;
    if (is_round) tell_round(round, from);
    for (uint32_t i = 0; i < segment->ask_count && !is_round; i++)
        if (!go_round(round, segment->asks[i])) return false;
    round->length--;
    return !is_round && finish(round, at);
}

static void check_rounds(struct assembly *assembly) {
    struct round round = {.assembly = assembly};
    for (uint32_t i = 0; i < assembly->generation->segment_count; i++)
        if (!go_round(&round, i)) return;
}

/* The shop's typical interval changes without the person: who is in which segment may hang on it. A name put
 * together when it runs is not seen here, and makes the answer blind (customer.c). */
static bool reads_interval(const struct at_build *build) {
    for (uint32_t i = 0; i < build->file_count; i++)
        if (memmem(build->files[i].text.data, build->files[i].text.length, "typical_interval", 16))
            return true;
    return false;
}

static int compare_segments(const void *a, const void *b) {
    return strcmp(((const struct at_segment *)a)->name, ((const struct at_segment *)b)->name);
}

enum at_status take_segments(struct assembly *assembly, const struct declarations *declarations) {
    struct at_generation *generation = assembly->generation;
    uint32_t count = declarations->segment_count;
    generation->segments = at_arena_alloc(&generation->arena, (count + 1) * sizeof *generation->segments);
    if (!generation->segments) return AT_NOMEM;
    memcpy(generation->segments, declarations->segments, count * sizeof *generation->segments);
    generation->segment_count = count;
    generation->reads_interval = count && reads_interval(assembly->build);
    qsort(generation->segments, count, sizeof *generation->segments, compare_segments);
    check_names(assembly);
    for (uint32_t i = 0; i < count; i++) {
        enum at_status status = read_source(assembly, &generation->segments[i]);
        if (status != AT_OK) return status;
    }
    check_rounds(assembly);
    return AT_OK;
}
