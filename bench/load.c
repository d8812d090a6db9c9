/* SPDX-License-Identifier: Apache-2.0
 *
 * The load of the figures: replays requests out of a file over keep-alive connections from one thread, as
 * fast as they are answered (closed loop) or at a given rate (open loop: a request's time begins when it was
 * due, so a server that stalls is not spared the requests it kept from being sent). Nothing is made up per
 * request, so the load is not what bounds the figure.
 *
 *   load [options] HOST:PORT FILE
 *     -c N  connections (64)        -d S  seconds counted (8)       -w S  seconds before, not counted (1)
 *     -r R  requests a second (0: closed loop)                       -n N  end after N requests, -w 0
 *     -a F  write the bodies of the answers to F, a line each in the order of the requests (with -c 1)
 *     -x T  an answer that holds the text T is a failure             -g    watch "generation" in the answers:
 * when the newest was first seen, and the last answer of an older one after that (wall clock, ms) -p N
 * people, -k N of them active at a time, -s N the distance of their numbers, -o N events in a row for one
 * person (loading); see below
 *
 * FILE holds HTTP/1.1 requests one after the other, each with a Content-Length; they are sent in turn. In a
 * request, each run of 16 "@" becomes a number never used before, each run of 8 "#" a person's number: a
 * window of -k people that moves over all -p in the time of the run, or with -o one person after the other.
 *
 * Prints one line: rate= p50_us= p99_us= p999_us= max_us= requests= failed= unsent= (due but not sent at the
 * end). SIGUSR1 prints that line for the time since the last one. Ends with 1 if an answer is not 2xx.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX   (4u << 20)
#define MARKS_MAX    (4u << 20)
#define SUB_BITS     7 /* a bucket is at most 1/128 wide */
#define BUCKET_COUNT ((64 - SUB_BITS) << SUB_BITS)

struct request {
    size_t at, length; /* in the text */
    uint32_t mark, mark_count;
};
struct mark {
    size_t at;
    bool is_person;
};
struct connection {
    int fd;
    bool is_busy;
    uint64_t due_ns;
    char *answer;
    size_t length, capacity;
    char *rest; /* of a request that did not go out whole */
    size_t rest_at, rest_length;
};
struct options {
    uint32_t connections;
    double seconds, warm, rate;
    uint64_t requests, people, active, stride, in_row;
    const char *answers, *never;
    bool watches_generation;
};

static struct options options = {
    .connections = 64, .seconds = 8, .warm = 1, .people = 1, .active = 1, .stride = 1};
static char *text;
static struct request *requests;
static struct mark *marks;
static uint32_t request_count, request_next, mark_total;
static struct connection *connections, **idle; /* a ring: who waits longest is used next */
static uint32_t idle_first, idle_count;
static int poll_fd;
static FILE *answers;
static uint64_t histogram[BUCKET_COUNT], histogram_sum, histogram_max, histogram_began_ns;
static uint64_t begun_ns, sent_total, done_total, failed_total, failed_since, number, person_count;
static uint64_t newest_generation;
static double newest_at_ms, older_at_ms;
static char first_failure[400];
static volatile sig_atomic_t wants_line, wants_end;

static void die(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}
static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}
static double wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- latencies ---- */

static uint32_t bucket_of(uint64_t ns) {
    if (ns < (1u << SUB_BITS)) return (uint32_t)ns;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(ns) - SUB_BITS;
    return ((shift + 1) << SUB_BITS) + (uint32_t)((ns >> shift) & ((1u << SUB_BITS) - 1));
}
static double top_of(uint32_t bucket) { /* in µs */
    uint32_t octave = bucket >> SUB_BITS, sub = bucket & ((1u << SUB_BITS) - 1);
    if (!octave) return (double)sub / 1e3;
    return (double)((((uint64_t)1 << SUB_BITS) + sub + 1) << (octave - 1)) / 1e3;
}
static double quantile_us(double q) {
    uint64_t wanted = (uint64_t)(q * (double)histogram_sum), seen = 0;
    for (uint32_t i = 0; i < BUCKET_COUNT; i++) {
        seen += histogram[i];
        if (seen > wanted) return top_of(i);
    }
    return (double)histogram_max / 1e3;
}
static void begin_line(void) {
    memset(histogram, 0, sizeof histogram);
    histogram_sum = histogram_max = failed_since = 0;
    histogram_began_ns = now_ns();
}
static void print_line(uint64_t unsent) {
    double seconds = (double)(now_ns() - histogram_began_ns) / 1e9;
    printf("rate=%.0f p50_us=%.0f p99_us=%.0f p999_us=%.0f max_us=%.0f requests=%llu failed=%llu unsent=%llu",
           (double)histogram_sum / seconds, quantile_us(0.5), quantile_us(0.99), quantile_us(0.999),
           (double)histogram_max / 1e3, (unsigned long long)histogram_sum, (unsigned long long)failed_since,
           (unsigned long long)unsent);
    if (options.watches_generation)
        printf(" generation=%llu first_ms=%.3f last_older_ms=%.3f", (unsigned long long)newest_generation,
               newest_at_ms, older_at_ms);
    printf("\n");
    fflush(stdout);
}

/* ---- requests ---- */

static void note_marks(struct request *request) {
    request->mark = mark_total;
    char *at = text + request->at, *end = at + request->length;
    for (; at < end; at++) {
        bool is_number = end - at >= 16 && !memcmp(at, "@@@@@@@@@@@@@@@@", 16);
        if (!is_number && !(end - at >= 8 && !memcmp(at, "########", 8))) continue;
        if (mark_total == MARKS_MAX) die("too many marks in the requests");
        marks[mark_total++] = (struct mark){(size_t)(at - text), !is_number};
        at += is_number ? 15 : 7;
    }
    request->mark_count = mark_total - request->mark;
}

static void read_requests(const char *path) {
    int fd = open(path, O_RDONLY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st)) die(path);
    text = mmap(NULL, (size_t)st.st_size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (text == MAP_FAILED) die("mmap");
    close(fd);
    marks = malloc(MARKS_MAX * sizeof *marks);
    for (size_t at = 0, size = (size_t)st.st_size; at < size;) {
        char *head = memmem(text + at, size - at, "\r\n\r\n", 4);
        char *field = head ? memmem(text + at, (size_t)(head - text) - at, "Content-Length: ", 16) : NULL;
        if (!field) die("a request without an end or a Content-Length");
        struct request one = {.at = at};
        one.length = (size_t)(head + 4 - (text + at)) + strtoul(field + 16, NULL, 10);
        if (one.length > size - at) die("the last request is cut off");
        if (!(request_count & (request_count - 1)))
            requests = realloc(requests, (request_count ? 2 * (size_t)request_count : 1) * sizeof *requests);
        if (!requests || !marks) die("out of memory");
        note_marks(&one);
        requests[request_count++] = one;
        at += one.length;
    }
    if (!request_count) die("no request in the file");
}

static uint64_t random_number(void) {
    static uint64_t state = 88172645463325252ULL;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}
static uint64_t next_person(void) {
    uint64_t n = person_count++;
    if (options.in_row) return n / options.in_row % options.people * options.stride;
    double part = (double)(now_ns() - begun_ns) / 1e9 / (options.seconds + options.warm);
    uint64_t base = (uint64_t)(part * (double)options.people);
    return (base + random_number() % options.active) % options.people * options.stride;
}
static void fill_marks(const struct request *request) {
    for (uint32_t i = request->mark; i < request->mark + request->mark_count; i++) {
        char *at = text + marks[i].at;
        uint64_t n = marks[i].is_person ? next_person() : number++;
        if (marks[i].is_person)
            for (int d = 7; d >= 0; d--, n /= 10) at[d] = (char)('0' + n % 10);
        else
            for (int d = 15; d >= 0; d--, n >>= 4) at[d] = "0123456789abcdef"[n & 15];
    }
}

/* ---- connections ---- */

static void add_idle(struct connection *connection) {
    idle[(idle_first + idle_count++) % options.connections] = connection;
}
static struct connection *take_idle(void) {
    struct connection *connection = idle[idle_first];
    idle_first = (idle_first + 1) % options.connections;
    idle_count--;
    return connection;
}

static void wait_for(struct connection *connection, bool also_out) {
    struct epoll_event event = {.events = EPOLLIN | (also_out ? EPOLLOUT : 0u), .data.ptr = connection};
    if (epoll_ctl(poll_fd, EPOLL_CTL_MOD, connection->fd, &event)) die("epoll_ctl");
}

static void open_connection(struct connection *connection, const struct sockaddr_in *to) {
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 || connect(connection->fd, (const struct sockaddr *)to, sizeof *to))
        die("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, connection->fd, &event)) die("epoll_ctl");
    connection->capacity = 64 << 10;
    connection->answer = malloc(connection->capacity);
    add_idle(connection);
}

static void send_next(uint64_t due_ns) {
    struct connection *connection = take_idle();
    const struct request *request = &requests[request_next];
    request_next = request_next + 1 == request_count ? 0 : request_next + 1;
    if (request->mark_count) fill_marks(request);
    connection->is_busy = true;
    connection->due_ns = due_ns;
    connection->length = 0;
    sent_total++;
    ssize_t n = send(connection->fd, text + request->at, request->length, MSG_NOSIGNAL);
    if (n == (ssize_t)request->length) return;
    if (n < 0 && errno != EAGAIN) die("send");
    size_t out = n > 0 ? (size_t)n : 0; /* the marks of this text change with the next use: keep a copy */
    free(connection->rest);
    connection->rest_at = 0;
    connection->rest_length = request->length - out;
    connection->rest = malloc(connection->rest_length);
    if (!connection->rest) die("out of memory");
    memcpy(connection->rest, text + request->at + out, connection->rest_length);
    wait_for(connection, true);
}
static void send_rest(struct connection *connection) {
    ssize_t n = send(connection->fd, connection->rest + connection->rest_at,
                     connection->rest_length - connection->rest_at, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) die("send");
    if (n > 0) connection->rest_at += (size_t)n;
    if (connection->rest_at == connection->rest_length) wait_for(connection, false);
}

/* ---- answers ---- */

/* Where the body begins, and its end; 0 while the answer is not whole. */
static size_t answer_end(const struct connection *connection, size_t *body) {
    const char *answer = connection->answer, *head = memmem(answer, connection->length, "\r\n\r\n", 4);
    if (!head) return 0;
    *body = (size_t)(head + 4 - answer);
    for (const char *line = answer; line < head;) {
        if (!strncasecmp(line, "Content-Length:", 15)) {
            size_t end = *body + strtoul(line + 15, NULL, 10);
            return connection->length >= end ? end : 0;
        }
        line = (const char *)memchr(line, '\n', connection->length - (size_t)(line - answer)) + 1;
    }
    bool is_last =
        connection->length >= *body + 5 && !memcmp(answer + connection->length - 5, "0\r\n\r\n", 5);
    return is_last ? connection->length : 0; /* chunked */
}

static void note_generation(const char *body, size_t length) {
    const char *at = memmem(body, length, "\"generation\":", 13);
    if (!at) return;
    uint64_t generation = strtoull(at + 13, NULL, 10);
    if (generation > newest_generation) {
        newest_generation = generation;
        newest_at_ms = wall_ms();
        older_at_ms = 0;
    } else if (generation < newest_generation)
        older_at_ms = wall_ms();
}

static void note_failure(const struct connection *connection) {
    failed_total++, failed_since++;
    if (first_failure[0]) return;
    snprintf(first_failure, sizeof first_failure, "%.*s", (int)connection->length, connection->answer);
}

static void finish(struct connection *connection, size_t body, size_t end) {
    uint64_t now = now_ns(), took = now - connection->due_ns;
    const char *answer = connection->answer;
    connection->is_busy = false;
    add_idle(connection);
    done_total++;
    histogram[bucket_of(took)]++;
    histogram_sum++;
    if (took > histogram_max) histogram_max = took;
    bool is_good = connection->length > 12 && answer[9] == '2';
    if (is_good && options.never)
        is_good = !memmem(answer + body, end - body, options.never, strlen(options.never));
    if (!is_good) note_failure(connection);
    if (options.watches_generation) note_generation(answer + body, end - body);
    if (answers) fwrite(answer + body, 1, end - body, answers), fputc('\n', answers);
}

static void receive(struct connection *connection) {
    if (connection->length == connection->capacity) {
        connection->capacity *= 2;
        if (connection->capacity > ANSWER_MAX) die("an answer is too long");
        connection->answer = realloc(connection->answer, connection->capacity);
        if (!connection->answer) die("out of memory");
    }
    ssize_t n = recv(connection->fd, connection->answer + connection->length,
                     connection->capacity - connection->length, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) die("the server closed a connection");
    if (!connection->is_busy) die("an answer without a request");
    connection->length += (size_t)n;
    size_t body, end = answer_end(connection, &body);
    if (end) finish(connection, body, end);
}

/* ---- the run ---- */

static bool may_send(void) {
    return idle_count && (!options.requests || sent_total < options.requests);
}
static bool is_over(uint64_t now) {
    if (wants_end) return true;
    if (options.requests) return done_total >= options.requests;
    return now - begun_ns >= (uint64_t)((options.warm + options.seconds) * 1e9);
}

static uint64_t run(void) {
    struct epoll_event events[256];
    bool is_warm = options.warm <= 0;
    double step = options.rate > 0 ? 1e9 / options.rate : 0;
    uint64_t due_count = 0, now = begun_ns = now_ns();
    begin_line();
    for (; !is_over(now); now = now_ns()) {
        if (!is_warm && now - begun_ns >= (uint64_t)(options.warm * 1e9)) is_warm = true, begin_line();
        if (wants_line) wants_line = 0, print_line(0), begin_line();
        if (step > 0)
            for (; may_send() && begun_ns + (uint64_t)((double)due_count * step) <= now; due_count++)
                send_next(begun_ns + (uint64_t)((double)due_count * step));
        else
            while (may_send()) send_next(now_ns());
        int n = epoll_wait(poll_fd, events, 256, step > 0 ? 0 : 100); /* with a rate: spin, to be on time */
        for (int i = 0; i < n; i++) {
            if (events[i].events & EPOLLOUT) send_rest(events[i].data.ptr);
            if (events[i].events & ~(uint32_t)EPOLLOUT) receive(events[i].data.ptr);
        }
    }
    uint64_t due = step > 0 ? (uint64_t)((double)(now - begun_ns) / step) : 0;
    return due > due_count ? due - due_count : 0;
}

static void on_signal(int which) {
    if (which == SIGUSR1)
        wants_line = 1;
    else
        wants_end = 1;
}

static void read_options(int argc, char **argv) {
    for (int o; (o = getopt(argc, argv, "c:d:w:r:n:a:x:gp:k:s:o:")) != -1;) switch (o) {
        case 'c': options.connections = (uint32_t)atoi(optarg); break;
        case 'd': options.seconds = atof(optarg); break;
        case 'w': options.warm = atof(optarg); break;
        case 'r': options.rate = atof(optarg); break;
        case 'n': options.requests = strtoull(optarg, NULL, 10), options.warm = 0; break;
        case 'a': options.answers = optarg; break;
        case 'x': options.never = optarg; break;
        case 'g': options.watches_generation = true; break;
        case 'p': options.people = strtoull(optarg, NULL, 10); break;
        case 'k': options.active = strtoull(optarg, NULL, 10); break;
        case 's': options.stride = strtoull(optarg, NULL, 10); break;
        case 'o': options.in_row = strtoull(optarg, NULL, 10); break;
        default: exit(2);
        }
    if (argc - optind != 2 || !options.connections || !options.people || !options.active) {
        fprintf(stderr,
                "usage: load [options] HOST:PORT FILE (the options are said at the top of bench/load.c)\n");
        exit(2);
    }
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    char *colon = strrchr(argv[optind], ':');
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(colon ? atoi(colon + 1) : 0))};
    if (colon) *colon = 0;
    if (!colon || inet_pton(AF_INET, argv[optind], &to.sin_addr) != 1) die("HOST:PORT, as in 127.0.0.1:8080");
    read_requests(argv[optind + 1]);
    number = (uint64_t)wall_ms() << 24; /* never used before, in any run */
    if (options.answers && !(answers = fopen(options.answers, "w"))) die(options.answers);
    signal(SIGUSR1, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    poll_fd = epoll_create1(0);
    connections = calloc(options.connections, sizeof *connections);
    idle = calloc(options.connections, sizeof *idle);
    if (poll_fd < 0 || !connections || !idle) die("out of memory");
    for (uint32_t i = 0; i < options.connections; i++) open_connection(&connections[i], &to);
    print_line(run());
    if (failed_total)
        fprintf(stderr, "load: %llu answers failed, the first: %s\n", (unsigned long long)failed_total,
                first_failure);
    if (answers && fclose(answers)) die(options.answers);
    return failed_total ? 1 : 0;
}
