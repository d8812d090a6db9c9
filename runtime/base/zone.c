/* SPDX-License-Identifier: Apache-2.0
 *
 * Offsets and days of IANA zones, from the system's TZif files (RFC 8536); zone_rule.c reads the rule for the
 * time after the table. Loaded once at start for the shop's zone, then only read, by any thread. The search
 * path is libc's: $TZDIR, else the usual folders.
 */
#include "base/zone.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/time.h"
#include "base/zone_rule.h"

#define LARGEST_FILE ((size_t)1 << 20)
#define HEADER_BYTES 44

struct at_zone {
    size_t count;     /* transitions */
    int64_t *moments; /* s since 1970 UTC, ascending */
    int32_t *offsets; /* s east of UTC, from that moment on */
    int32_t first_offset;
    bool has_rule;
    struct at_zone_rule rule;
};

void at_zone_free(struct at_zone *zone) {
    if (!zone) return;
    free(zone->moments);
    free(zone->offsets);
    free(zone);
}

/* ---- the file's bytes ---- */

static int64_t read_be(const uint8_t *p, size_t size) {
    uint64_t value = p[0] & 0x80 ? ~(uint64_t)0 : 0;
    for (size_t i = 0; i < size; i++) value = value << 8 | p[i];
    return (int64_t)value;
}

struct block {
    size_t times, types, chars, leaps, standards, utcs; /* counts, in the order of the data */
    size_t time_size;                                   /* 4 in the first block, 8 in the second */
    const uint8_t *data;
    size_t bytes; /* of data */
};

/* The block whose header is at p; false: not one, or it does not fit. */
static bool read_block(const uint8_t *p, size_t left, size_t time_size, struct block *block) {
    if (left < HEADER_BYTES || memcmp(p, "TZif", 4) != 0) return false;
    size_t counts[6];
    for (size_t i = 0; i < 6; i++) {
        counts[i] = (uint32_t)read_be(p + 20 + 4 * i, 4);
        if (counts[i] > LARGEST_FILE) return false;
    }
    *block = (struct block){counts[3], counts[4], counts[5],        counts[2], counts[1],
                            counts[0], time_size, p + HEADER_BYTES, 0};
    block->bytes = block->times * (time_size + 1) + block->types * 6 + block->chars +
                   block->leaps * (time_size + 4) + block->standards + block->utcs;
    return block->types > 0 && block->bytes <= left - HEADER_BYTES;
}

static bool read_offset(const struct block *block, size_t type, int32_t *offset) {
    if (type >= block->types) return false;
    int64_t seconds = read_be(block->data + block->times * (block->time_size + 1) + type * 6, 4);
    *offset = (int32_t)seconds;
    return seconds > -90000 && seconds < 93600; /* RFC 8536 §3.2 */
}

static enum at_status read_transitions(struct at_zone *zone, const struct block *block) {
    if (!read_offset(block, 0, &zone->first_offset)) return AT_INVALID;
    if (!block->times) return AT_OK;
    zone->moments = calloc(block->times, sizeof(*zone->moments));
    zone->offsets = calloc(block->times, sizeof(*zone->offsets));
    if (!zone->moments || !zone->offsets) return AT_NOMEM;
    const uint8_t *types = block->data + block->times * block->time_size;
    for (size_t i = 0; i < block->times; i++) {
        zone->moments[i] = read_be(block->data + i * block->time_size, block->time_size);
        if (i && zone->moments[i] <= zone->moments[i - 1]) return AT_INVALID;
        if (!read_offset(block, types[i], &zone->offsets[i])) return AT_INVALID;
    }
    zone->count = block->times;
    return AT_OK;
}

/* "\n" rule "\n" */
static bool read_footer(struct at_zone *zone, const uint8_t *p, size_t left) {
    const uint8_t *end = left && *p == '\n' ? memchr(p + 1, '\n', left - 1) : NULL;
    if (!end) return false;
    size_t length = (size_t)(end - p) - 1;
    if (!length) return true; /* no rule is known: the last offset stays */
    zone->has_rule = true;
    return at_zone_rule_parse((const char *)p + 1, length, &zone->rule);
}

static enum at_status read_zone(struct at_zone *zone, const uint8_t *data, size_t length) {
    struct block block;
    if (!read_block(data, length, 4, &block)) return AT_INVALID;
    if (data[4] < '2') return read_transitions(zone, &block);
    /* version 2 and later: the first block is for readers that know nothing better */
    const uint8_t *second = block.data + block.bytes;
    if (!read_block(second, length - (size_t)(second - data), 8, &block)) return AT_INVALID;
    enum at_status status = read_transitions(zone, &block);
    if (status != AT_OK) return status;
    const uint8_t *footer = block.data + block.bytes;
    return read_footer(zone, footer, length - (size_t)(footer - data)) ? AT_OK : AT_INVALID;
}

/* ---- finding the file ---- */

/* Names that stay within the database: no "..", no leading "/", no surprise in a message. */
static bool is_name(const char *name) {
    size_t length = strlen(name);
    if (!length || length > 64 || name[0] == '/' || name[0] == '.' || strstr(name, "..")) return false;
    for (const char *p = name; *p; p++) {
        bool is_letter = (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
        if (!is_letter && !strchr("/_+-.", *p)) return false;
    }
    return true;
}

/* The folder that exists, or NULL. */
static const char *find_database(void) {
    static const char *const FOLDERS[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"};
    const char *given = getenv("TZDIR");
    struct stat info;
    if (given && *given) return stat(given, &info) == 0 && S_ISDIR(info.st_mode) ? given : NULL;
    for (size_t i = 0; i < AT_LENGTH(FOLDERS); i++)
        if (stat(FOLDERS[i], &info) == 0 && S_ISDIR(info.st_mode)) return FOLDERS[i];
    return NULL;
}

static enum at_status read_file(const char *path, uint8_t **data, size_t *length) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return AT_NOTFOUND;
    if (info.st_size < HEADER_BYTES || info.st_size > (off_t)LARGEST_FILE) return AT_INVALID;
    FILE *file = fopen(path, "rb");
    if (!file) return AT_NOTFOUND;
    size_t size = (size_t)info.st_size;
    *data = malloc(size);
    *length = *data ? fread(*data, 1, size, file) : 0;
    enum at_status status = !*data ? AT_NOMEM : ferror(file) ? AT_IO : AT_OK;
    fclose(file);
    return status;
}

static enum at_status load_file(const char *path, struct at_zone *zone) {
    uint8_t *data = NULL;
    size_t length = 0;
    enum at_status status = read_file(path, &data, &length);
    if (status == AT_OK) status = read_zone(zone, data, length);
    free(data);
    return status;
}

static enum at_status explain(enum at_status status, const char *name, struct at_error *err) {
    switch (status) {
    case AT_NOTFOUND:
        return at_fail(
            err, status, "unknown_zone",
            "there is no time zone \"%.64s\"; names are those of the IANA database, like \"Europe/Berlin\"",
            name);
    case AT_INVALID:
        return at_fail(err, status, "bad_zone", "the system's file of the time zone \"%.64s\" is damaged",
                       name);
    case AT_NOMEM:
        return at_fail(err, status, NULL, "out of memory while loading the time zone \"%.64s\"", name);
    default:
        return at_fail(err, status, NULL, "the system's file of the time zone \"%.64s\" cannot be read",
                       name);
    }
}

enum at_status at_zone_load(const char *name, struct at_zone **out, struct at_error *err) {
    *out = NULL;
    struct at_zone *zone = calloc(1, sizeof(*zone));
    if (!zone) return explain(AT_NOMEM, name, err);
    enum at_status status = AT_OK;
    if (strcmp(name, "UTC") != 0) {
        const char *folder = find_database();
        char path[4096];
        bool fits = is_name(name) && folder &&
                    snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path);
        if (!folder) {
            at_zone_free(zone);
            return at_fail(err, AT_NOTFOUND, "no_zones",
                           "the time zone \"%.64s\" cannot be found: this system has no time zone database; "
                           "install the package tzdata",
                           name);
        }
        status = fits ? load_file(path, zone) : AT_NOTFOUND;
    }
    if (status == AT_OK) {
        *out = zone;
        return AT_OK;
    }
    at_zone_free(zone);
    return explain(status, name, err);
}

/* ---- asking ---- */

static int32_t offset_at(const struct at_zone *zone, int64_t moment) {
    if (zone->has_rule && (!zone->count || moment >= zone->moments[zone->count - 1]))
        return at_zone_rule_offset(&zone->rule, moment);
    size_t low = 0, high = zone->count; /* the number of transitions at or before the moment */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->moments[middle] <= moment)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? zone->offsets[low - 1] : zone->first_offset;
}

int64_t at_zone_offset_ms(const struct at_zone *zone, int64_t utc_ms) {
    if (!zone) return 0;
    int64_t second = utc_ms / AT_SECOND_MS - (utc_ms % AT_SECOND_MS < 0);
    return offset_at(zone, second) * AT_SECOND_MS;
}

int64_t at_zone_to_utc(const struct at_zone *zone, int64_t local_ms) {
    /* The offsets well before and well after; between them is one change at most. */
    int64_t before = local_ms - at_zone_offset_ms(zone, local_ms - AT_DAY_MS),
            after = local_ms - at_zone_offset_ms(zone, local_ms + AT_DAY_MS);
    bool is_before = before + at_zone_offset_ms(zone, before) == local_ms,
         is_after = after + at_zone_offset_ms(zone, after) == local_ms;
    if (is_before && is_after) return before < after ? before : after;
    return is_after ? after : before;
}

/* The first second in (low, high] whose offset is not low's; high if none. Only one change is in there. */
static int64_t find_change(const struct at_zone *zone, int64_t low, int64_t high) {
    int32_t before = offset_at(zone, low);
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (offset_at(zone, middle) == before)
            low = middle;
        else
            high = middle;
    }
    return high;
}

int64_t at_zone_day_start(const struct at_zone *zone, int year, int month, int day) {
    int64_t midnight = at_day_of(year, month, day) * (AT_DAY_MS / AT_SECOND_MS); /* on the local clock */
    if (!zone) return midnight * AT_SECOND_MS;
    /* offsets are within 16 hours of UTC, so midnight is in this window, and in no zone two changes are so
     * close */
    int64_t low = midnight - 16 * 3600, high = midnight + 16 * 3600;
    int32_t before = offset_at(zone, low), after = offset_at(zone, high);
    int64_t start = midnight - before;
    if (before != after) {
        int64_t change = find_change(zone, low, high);
        /* not reached before the change: reached after it, or the change jumps over it */
        if (start >= change) start = midnight - after < change ? change : midnight - after;
    }
    return start * AT_SECOND_MS;
}
