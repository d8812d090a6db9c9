/* SPDX-License-Identifier: Apache-2.0
 *
 * Product feeds in JSON. Lines are cut at line ends and arrays at the commas between their elements, so that
 * one bad product costs one product; only then is the piece parsed.
 */
#include <stdlib.h>
#include <strings.h>
#include "catalog/feed_internal.h"

/* ---- which kind ---- */

static bool ends_with(const char *name, const char *ending) {
    size_t n = strlen(name), e = strlen(ending);
    return n >= e && strcasecmp(name + n - e, ending) == 0;
}

static struct at_text skip_mark(struct at_text head) {
    if (head.length >= 3 && memcmp(head.data, "\xEF\xBB\xBF", 3) == 0)
        head = (struct at_text){head.data + 3, head.length - 3};
    while (head.length && strchr(" \t\r\n", head.data[0]) && head.data[0])
        head = (struct at_text){head.data + 1, head.length - 1};
    return head;
}

static bool has_columns(struct at_text head) {
    for (size_t i = 0; i < head.length && head.data[i] != '\n'; i++) {
        if (head.data[i] == ',' || head.data[i] == '\t' || head.data[i] == ';') return true;
        if ((unsigned char)head.data[i] < 0x20 && head.data[i] != '\r') return false;
    }
    return false;
}

enum at_status at_feed_kind_of(const char *name, struct at_text head, enum at_feed_kind *out,
                               struct at_error *err) {
    head = skip_mark(head);
    char first = head.length ? head.data[0] : 0;
    if (name && (ends_with(name, ".jsonl") || ends_with(name, ".ndjson")))
        *out = AT_FEED_JSON_LINES;
    else if (name && ends_with(name, ".json"))
        *out = first == '{' ? AT_FEED_JSON_LINES : AT_FEED_JSON_ARRAY;
    else if (name && (ends_with(name, ".csv") || ends_with(name, ".tsv")))
        *out = AT_FEED_CSV;
    else if (!name && first == '[')
        *out = AT_FEED_JSON_ARRAY;
    else if (!name && first == '{')
        *out = AT_FEED_JSON_LINES;
    else if (!name && has_columns(head))
        *out = AT_FEED_CSV;
    else
        return at_fail(err, AT_UNSUPPORTED, "unknown_feed",
                       "%s%sread are JSON lines (.jsonl, .ndjson), a JSON array (.json) and CSV (.csv, .tsv)",
                       name ? name : "this text is no product feed",
                       name ? ": not a kind of feed that is known; " : "; ");
    return AT_OK;
}

/* ---- life ---- */

struct at_feed *at_feed_new(enum at_feed_kind kind, const struct at_root *root) {
    struct at_feed *feed = calloc(1, sizeof *feed);
    if (!feed) return NULL;
    feed->kind = kind;
    feed->line = feed->record_line = 1;
    at_bytes_init(&feed->input, AT_FEED_HELD_MAX);
    at_bytes_init(&feed->text, 4 * AT_RECORD_MAX);
    feed->parser = at_json_parser_new(4 * AT_RECORD_MAX, 64);
    if (!feed->parser) {
        at_feed_free(feed);
        return NULL;
    }
    /* The caller's pin is on loan as const; taking one more does not change the version. */
    if (root) feed->root = at_root_ref((struct at_root *)(uintptr_t)root);
    return feed;
}

void at_feed_free(struct at_feed *feed) {
    if (!feed) return;
    at_feed_csv_clear(feed);
    at_json_parser_free(feed->parser);
    at_bytes_clear(&feed->input);
    at_bytes_clear(&feed->text);
    at_root_unref(feed->root);
    free(feed);
}

enum at_status at_feed_give(struct at_feed *feed, const char *text, size_t length, bool is_last,
                            struct at_error *err) {
    feed->is_last |= is_last;
    if (feed->kind == AT_FEED_CSV) return at_feed_csv_give(feed, text, length, err);
    struct at_bytes *input = &feed->input;
    if (feed->at) {
        input->length -= feed->at;
        memmove(input->data, input->data + feed->at, input->length);
        feed->scanned -= feed->at;
        feed->at = 0;
    }
    if (length > AT_FEED_HELD_MAX - input->length)
        return at_fail(err, AT_TOOBIG, "feed_too_big", "more than %zu MiB were given before they were read",
                       AT_FEED_HELD_MAX >> 20);
    at_bytes_add(input, text, length);
    if (!input->failed) return AT_OK;
    input->failed = false;
    return at_fail(err, AT_NOMEM, NULL, "no memory to read this feed");
}

enum at_status at_feed_parse(struct at_feed *feed, struct at_text text, struct at_json *document,
                             struct at_error *err) {
    enum at_status status = at_json_parse(feed->parser, text.data, text.length, false, document, err);
    if (status == AT_OK && !at_json_is_object(*document))
        status = at_fail(err, AT_INVALID, "not_an_object", "a product must be a JSON object");
    return status;
}

static enum at_status too_long(struct at_error *err) {
    return at_fail(err, AT_TOOBIG, "row_too_big", "the product is larger than %zu KiB", AT_RECORD_MAX / 1024);
}

static struct at_text trim(const char *from, const char *to) {
    while (from < to && strchr(" \t\r\n", *from) && *from) from++;
    while (to > from && strchr(" \t\r\n", to[-1]) && to[-1]) to--;
    return (struct at_text){from, (size_t)(to - from)};
}

/* ---- lines ---- */

/* The next line, without its end; false: it is not all there yet (or there is none). */
static bool cut_line(struct at_feed *feed, const char **from, const char **to) {
    struct at_bytes *input = &feed->input;
    if (!input->data) return false;
    const char *end = input->data + input->length, *start = input->data + feed->at;
    const char *stop = feed->scanned < input->length
                           ? memchr(input->data + feed->scanned, '\n', input->length - feed->scanned)
                           : NULL;
    feed->scanned = input->length;
#ifdef AT_PLANT_FAULT /* for the fuzz target to find: an end of line that begins a piece is missed */
    feed->scanned++;
#endif
    if (!stop && !(feed->is_last && (start < end || feed->is_dropping))) {
        if ((size_t)(end - start) <= AT_RECORD_MAX && !feed->is_dropping) return false;
        feed->is_dropping = true;
        feed->at = input->length;
        return false;
    }
    *from = start;
    *to = stop ? stop : end;
    feed->at = feed->scanned = (size_t)((stop ? stop + 1 : end) - input->data);
    return true;
}

static enum at_status next_line(struct at_feed *feed, struct at_json *document, size_t *line,
                                struct at_error *err) {
    const char *from, *to;
    while (cut_line(feed, &from, &to)) {
        bool is_too_long = feed->is_dropping || (size_t)(to - from) > AT_RECORD_MAX;
        *line = feed->line++;
        feed->is_dropping = false;
        if (is_too_long) return too_long(err);
        if (*line == 1 && to - from >= 3 && memcmp(from, "\xEF\xBB\xBF", 3) == 0) from += 3;
        struct at_text text = trim(from, to);
        if (text.length) return at_feed_parse(feed, text, document, err);
    }
    return AT_NOTFOUND;
}

/* ---- an array ---- */

/* Walk to the end of the element: the comma or bracket behind it; false: not there yet. */
static bool find_element_end(struct at_feed *feed) {
    const char *data = feed->input.data;
    for (; feed->scanned < feed->input.length; feed->scanned++) {
        char c = data[feed->scanned];
        if (c == '\n') feed->line++;
        if (feed->is_escaped)
            feed->is_escaped = false;
        else if (feed->is_in_string && c == '\\')
            feed->is_escaped = true;
        else if (c == '"')
            feed->is_in_string = !feed->is_in_string;
        else if (feed->is_in_string)
            continue;
        else if (feed->depth == 0 && (c == ',' || c == ']'))
            return true;
        else if (c == '{' || c == '[')
            feed->depth++;
        else if ((c == '}' || c == ']') && feed->depth > 0)
            feed->depth--;
    }
    return false;
}

/* Skip white space; 0: nothing but that is there. */
static char skip_space(struct at_feed *feed) {
    struct at_bytes *input = &feed->input;
    for (; feed->at < input->length; feed->at++) {
        char c = input->data[feed->at];
        if (c == '\n') feed->line++;
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n') break;
    }
    feed->scanned = feed->at;
    return feed->at < input->length ? input->data[feed->at] : 0;
}

static enum at_status end_feed(struct at_feed *feed, struct at_error *err, const char *why) {
    feed->place = AT_FEED_ENDED;
    return at_fail(err, AT_INVALID, "bad_array", "%s", why);
}

static enum at_status begin_array(struct at_feed *feed, size_t *line, struct at_error *err) {
    struct at_bytes *input = &feed->input;
    if (!feed->is_begun) {
        if (input->length < 3 && !feed->is_last) return AT_NOTFOUND;
        if (input->length >= 3 && memcmp(input->data, "\xEF\xBB\xBF", 3) == 0) feed->at = 3;
        feed->is_begun = true;
    }
    char first = skip_space(feed);
    *line = feed->line;
    if (!first && !feed->is_last && feed->at == input->length) return AT_NOTFOUND;
    if (first != '[') return end_feed(feed, err, "the feed does not begin with \"[\"");
    feed->at++;
    feed->place = AT_FEED_INSIDE;
    feed->scanned = feed->at;
    return AT_OK;
}

static enum at_status after_array(struct at_feed *feed, size_t *line, struct at_error *err) {
    skip_space(feed);
    if (feed->at == feed->input.length) return AT_NOTFOUND;
    *line = feed->line;
    return end_feed(feed, err, "there is more behind the \"]\" that ends the array");
}

/* The element is not all there. */
static enum at_status wait_for_more(struct at_feed *feed, struct at_error *err) {
    if (feed->is_last) return end_feed(feed, err, "the array ends in the middle: its \"]\" is missing");
    if (feed->is_dropping || feed->scanned - feed->at > AT_RECORD_MAX) {
        feed->is_dropping = true;
        feed->at = feed->scanned;
    }
    return AT_NOTFOUND;
}

static enum at_status next_element(struct at_feed *feed, struct at_json *document, size_t *line,
                                   struct at_error *err) {
    if (feed->scanned == feed->at && !feed->is_dropping && !feed->depth && !feed->is_in_string) {
        skip_space(feed);
        feed->record_line = feed->line;
    }
    *line = feed->record_line;
    if (!find_element_end(feed)) return wait_for_more(feed, err);
    const char *data = feed->input.data;
    struct at_text text = trim(data + feed->at, data + feed->scanned);
    bool is_end = data[feed->scanned] == ']',
         is_too_long = feed->is_dropping || feed->scanned - feed->at > AT_RECORD_MAX;
    bool is_nothing = is_end && !feed->has_elements && !text.length && !is_too_long;
    feed->at = ++feed->scanned;
    feed->is_dropping = false;
    feed->has_elements = true;
    if (is_end) feed->place = AT_FEED_AFTER;
    if (is_too_long) return too_long(err);
    if (is_nothing) return after_array(feed, line, err);
    if (!text.length) return at_fail(err, AT_INVALID, "bad_array", "there is nothing between two commas");
    return at_feed_parse(feed, text, document, err);
}

static enum at_status next_in_array(struct at_feed *feed, struct at_json *document, size_t *line,
                                    struct at_error *err) {
    if (feed->place == AT_FEED_ENDED) return AT_NOTFOUND;
    if (feed->place == AT_FEED_BEFORE) {
        enum at_status status = begin_array(feed, line, err);
        if (status != AT_OK) return status;
    }
    return feed->place == AT_FEED_AFTER ? after_array(feed, line, err)
                                        : next_element(feed, document, line, err);
}

enum at_status at_feed_next(struct at_feed *feed, struct at_json *document, size_t *line,
                            struct at_error *err) {
    *document = (struct at_json){0};
    if (feed->kind == AT_FEED_CSV) return at_feed_csv_next(feed, document, line, err);
    return feed->kind == AT_FEED_JSON_LINES ? next_line(feed, document, line, err)
                                            : next_in_array(feed, document, line, err);
}
