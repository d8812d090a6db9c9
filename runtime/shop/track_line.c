/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of one import stand in a line: who sends the next before the last is answered still finds its
 * events in the log in the order of the file. A request begins when all before it have their place in the
 * commit queue; where one of them is refused, those behind it are, and go again after it; where one fails,
 * those behind it fail with it, so that the file has no hole. The line is its worker's, but "broken", which
 * is the commit thread's.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/track.h"

struct track_line {
    struct track_line *next;
    struct track *first, *last;
    uint64_t turns;  /* given out */
    uint64_t broken; /* the first turn whose unit was refused and did not come again; 0: none */
    bool is_over;    /* one failed: who comes now begins another */
    size_t name_length;
    char name[]; /* of the mark */
};

/* ---- the worker's ---- */

static struct track_line *find(struct at_worker *worker, struct at_text name) {
    struct track_line *line = worker->lines;
    while (line && (line->is_over || !at_text_equal((struct at_text){line->name, line->name_length}, name)))
        line = line->next;
    return line;
}

static struct track_line *begin(struct at_worker *worker, struct at_text name) {
    struct track_line *line = calloc(1, sizeof *line + name.length);
    if (!line) return NULL;
    line->name_length = name.length;
    memcpy(line->name, name.data, name.length);
    line->next = worker->lines;
    worker->lines = line;
    return line;
}

static void end(struct at_worker *worker, struct track_line *line) {
    struct track_line **at = &worker->lines;
    while (*at != line) at = &(*at)->next;
    *at = line->next;
    free(line);
}

enum at_status line_enter(struct track *track) {
    struct at_worker *worker = track->job->worker;
    struct line_place *place = &track->place;
    if (!track->mark.name.length) return AT_OK;
    struct track_line *line = find(worker, track->mark.name);
    if (!line) line = begin(worker, track->mark.name);
    if (!line) return AT_NOMEM;
    place->line = line;
    place->turn = ++line->turns;
    place->before = line->last;
    if (line->last)
        line->last->place.after = track;
    else
        line->first = track;
    line->last = track;
    return AT_OK;
}

static bool may_go(const struct track *track) {
    for (const struct track *one = track->place.before; one; one = one->place.before)
        if (!one->place.is_placed) return false;
    return true;
}

bool line_is_turn(struct track *track) {
    if (!track->place.line || track->place.cut != AT_OK || may_go(track)) return true;
    track->place.is_waiting = true;
    return false;
}

static void wake(struct track_line *line) {
    for (struct track *track = line->first; track; track = track->place.after) {
        struct line_place *place = &track->place;
        bool goes = place->is_waiting && (place->cut != AT_OK || may_go(track));
        if (!goes) continue;
        place->is_waiting = false;
        worker_hop(track->job->worker, &track->hop);
    }
}

void line_placed(struct track *track) {
    if (!track->place.line) return;
    track->place.is_placed = true;
    wake(track->place.line);
}

/* Units of those behind it stand before it in the queue now: they are refused, too, even if it is not known
 * here yet. */
void line_back(struct track *track) {
    for (struct track *one = track; one; one = one->place.after) one->place.is_placed = false;
}

void line_leave(struct track *track, enum at_status status) {
    struct line_place *place = &track->place;
    struct track_line *line = place->line;
    if (!line) return;
    for (struct track *one = place->after; one && status != AT_OK; one = one->place.after)
        if (one->place.cut == AT_OK) one->place.cut = status;
    line->is_over |= status != AT_OK;
    if (place->before)
        place->before->place.after = place->after;
    else
        line->first = place->after;
    if (place->after)
        place->after->place.before = place->before;
    else
        line->last = place->before;
    *place = (struct line_place){.line = NULL};
    if (line->first)
        wake(line);
    else
        end(track->job->worker, line);
}

/* ---- the commit thread's ---- */

bool line_accepts(struct track *track) {
    struct track_line *line = track->place.line;
    if (!line || !line->broken || line->broken > track->place.turn) return true;
    if (line->broken < track->place.turn) return false;
    line->broken = 0; /* here it is again */
    return true;
}

void line_refused(struct track *track) {
    struct track_line *line = track->place.line;
    if (line && (!line->broken || line->broken > track->place.turn)) line->broken = track->place.turn;
}
