/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said while history comes in: bad records with their lines, how far it is. A bar on a terminal, now
 * and then a plain line in a pipe.
 */
#include <stdio.h>
#include <unistd.h>
#include "base/time.h"
#include "cli/history.h"

#define SHOWN_MAX     1000
#define BAR_EVERY_NS  100000000ULL
#define LINE_EVERY_NS 2000000000ULL

void history_say_begin(struct history_say *say, const char *what) {
    *say = (struct history_say){.what = what, .is_terminal = isatty(STDERR_FILENO), .said_ns = at_ticks_ns()};
}

void history_say_line(struct history_say *say, uint64_t line, struct at_text message) {
    if (++say->lines > SHOWN_MAX) return;
    if (say->is_terminal) fprintf(stderr, "\r\033[K");
    fprintf(stderr, "line %llu: %.*s\n", (unsigned long long)line, (int)message.length, message.data);
}

static void draw(const struct history_say *say, double share, uint64_t done) {
    int filled = (int)(share * 30);
    fprintf(stderr, "\r\033[K[%.*s%*s] %3.0f %%  %llu %s", filled, "##############################",
            30 - filled, "", 100 * share, (unsigned long long)done, say->what);
}

void history_say_progress(struct history_say *say, double share, uint64_t done) {
    uint64_t now = at_ticks_ns();
    if (now - say->said_ns < (say->is_terminal ? BAR_EVERY_NS : LINE_EVERY_NS)) return;
    say->said_ns = now;
    if (say->is_terminal)
        draw(say, share, done);
    else
        fprintf(stderr, "%3.0f %%  %llu %s\n", 100 * share, (unsigned long long)done, say->what);
}

void history_say_end(struct history_say *say, double share, uint64_t done) {
    if (say->is_terminal) {
        draw(say, share, done);
        fputc('\n', stderr);
    }
    if (say->lines > SHOWN_MAX)
        fprintf(stderr, "… and %llu more\n", (unsigned long long)(say->lines - SHOWN_MAX));
}
