/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages without remains. secure_delete overwrites what is deleted, not what moves: when SQLite distributes
 * rows anew over neighbouring pages, the gap between a page's row pointers and its rows keeps bytes of rows
 * that are on another page now, and a later delete finds only those. So a VFS on top of the usual one zeroes
 * that gap in every page on its way into the database file. (Pages in the write-ahead log carry a checksum
 * and stay as they are: the log is cut when somebody was erased. The format: sqlite.org/fileformat2.html,
 * "B-tree Pages".)
 *
 * A page is known by its first byte, which of an overflow page is the highest of the next one's number: so
 * nothing is touched in databases of 2^25 pages (256 GiB) and more.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store/internal.h"

#define PAGE_MAX   65536
#define PAGES_MAX  ((sqlite3_int64)1 << 25)
#define FIRST_HEAD 100 /* bytes before the header of the first page */

struct clean_vfs {
    sqlite3_vfs vfs; /* first */
    struct clean_vfs *next;
    char name[80];
};
struct clean_file { /* behind the file of the VFS below */
    sqlite3_io_methods methods;
    const sqlite3_io_methods *below;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct clean_vfs *list; /* one for each VFS there is; for ever */

/* ---- pages ---- */

static size_t number_at(const unsigned char *at) {
    return (size_t)at[0] << 8 | at[1];
}

/* The gap of a page of a tree; false: it is none. */
static bool find_gap(const unsigned char *page, size_t size, size_t head, size_t *from, size_t *to) {
    unsigned char kind = page[head];
    bool is_inner = kind == 2 || kind == 5, is_leaf = kind == 10 || kind == 13;
    if (!is_inner && !is_leaf) return false;
    *from = head + (is_inner ? 12 : 8) + 2 * number_at(page + head + 3);
    *to = number_at(page + head + 5);
    if (!*to) *to = PAGE_MAX;
    return *from <= *to && *to <= size;
}

static bool is_zero(const unsigned char *bytes, size_t length) {
    return !length || (!bytes[0] && memcmp(bytes, bytes + 1, length - 1) == 0);
}

static int clean_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    const struct clean_file *clean = (const struct clean_file *)file->pMethods;
    unsigned char page[PAGE_MAX];
    size_t size = (size_t)length, from, to;
    bool is_page = length >= 512 && length <= PAGE_MAX && offset % length == 0 && offset / length < PAGES_MAX;
    if (is_page && find_gap(bytes, size, offset ? 0 : FIRST_HEAD, &from, &to) &&
        !is_zero((const unsigned char *)bytes + from, to - from)) {
        memcpy(page, bytes, size);
        memset(page + from, 0, to - from);
        bytes = page;
    }
    return clean->below->xWrite(file, bytes, length, offset);
}

/* ---- the VFS ---- */

static sqlite3_vfs *below(sqlite3_vfs *vfs) {
    return vfs->pAppData;
}

static size_t size_below(const sqlite3_vfs *base) {
    return ((size_t)base->szOsFile + 15) & ~(size_t)15;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *flags_out) {
    sqlite3_vfs *base = below(vfs);
    int code = base->xOpen(base, name, file, flags, flags_out);
    if (code != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB)) return code;
    struct clean_file *clean = (struct clean_file *)((char *)file + size_below(base));
    clean->below = file->pMethods;
    clean->methods = *file->pMethods;
    clean->methods.xWrite = clean_write;
    file->pMethods = &clean->methods;
    return SQLITE_OK;
}
static int vfs_delete(sqlite3_vfs *vfs, const char *name, int syncs) {
    return below(vfs)->xDelete(below(vfs), name, syncs);
}
static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
    return below(vfs)->xAccess(below(vfs), name, flags, out);
}
static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out) {
    return below(vfs)->xFullPathname(below(vfs), name, size, out);
}
static int vfs_random(sqlite3_vfs *vfs, int size, char *out) {
    return below(vfs)->xRandomness(below(vfs), size, out);
}
static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    return below(vfs)->xSleep(below(vfs), microseconds);
}
static int vfs_time(sqlite3_vfs *vfs, double *out) {
    return below(vfs)->xCurrentTime(below(vfs), out);
}
static int vfs_error(sqlite3_vfs *vfs, int size, char *out) {
    return below(vfs)->xGetLastError(below(vfs), size, out);
}

static struct clean_vfs *register_on(sqlite3_vfs *base) {
    struct clean_vfs *clean = calloc(1, sizeof *clean);
    if (!clean) return NULL;
    snprintf(clean->name, sizeof clean->name, "attune-clean-%.60s", base->zName);
    clean->vfs = (sqlite3_vfs){.iVersion = 1,
                               .szOsFile = (int)(size_below(base) + sizeof(struct clean_file)),
                               .mxPathname = base->mxPathname,
                               .zName = clean->name,
                               .pAppData = base,
                               .xOpen = vfs_open,
                               .xDelete = vfs_delete,
                               .xAccess = vfs_access,
                               .xFullPathname = vfs_full_path,
                               .xRandomness = vfs_random,
                               .xSleep = vfs_sleep,
                               .xCurrentTime = vfs_time,
                               .xGetLastError = vfs_error};
    if (sqlite3_vfs_register(&clean->vfs, 0) != SQLITE_OK) {
        free(clean);
        return NULL;
    }
    clean->next = list;
    return list = clean;
}

const char *at_clean_vfs(const char *base_name) {
    sqlite3_vfs *base = sqlite3_vfs_find(base_name);
    if (!base) return NULL;
    pthread_mutex_lock(&list_lock);
    struct clean_vfs *clean = list;
    while (clean && below(&clean->vfs) != base) clean = clean->next;
    if (!clean) clean = register_on(base);
    pthread_mutex_unlock(&list_lock);
    return clean ? clean->name : NULL;
}
