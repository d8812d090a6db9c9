/* SPDX-License-Identifier: Apache-2.0
 *
 * The backup: pages copied a few at a time out of one read transaction into FILE.part, synced as they go,
 * read again as a whole, renamed. On the caller's thread and connections of its own. Invariant: under the
 * final name stands only what was whole and durable before it got it. docs/decisions/backup.md says why this
 * way.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STEP_PAGES    256                 /* 2 MiB: after each one it is looked at whether to go on */
#define SYNC_BYTES    ((off_t)8 << 20)    /* dirty at most twice that: else each commit waits for all of it */
#define LOG_MIN_BYTES ((uint64_t)1 << 30) /* what the log may always grow to, if the disk has room */
#define CACHE_BYTES   ((size_t)1 << 20)
#define NICE          10

struct copying {
    struct at_store *store;
    const struct at_backup *what;
    char *part;
    int fd;                    /* of the part */
    struct at_connection from; /* in a read transaction while it copies */
    uint64_t log_max, total;
    off_t started, synced; /* sent to the disk, known to be on it */
    struct at_error *err;
};

/* ---- where it may go ---- */

static enum at_status check_folder(const struct copying *copying, const char *path) {
    struct stat mine, theirs;
    char *parent = strdup(path), *name = strdup(path);
    enum at_status status = AT_OK;
    if (!parent || !name)
        status = at_fail(copying->err, AT_NOMEM, NULL, "no memory to back up");
    else if (stat(dirname(parent), &theirs) != 0)
        status = at_fail(copying->err, AT_UNPROCESSABLE, "no_folder", "cannot write %s: %s", path,
                         strerror(errno));
    else if (stat(copying->store->directory, &mine) == 0 && mine.st_dev == theirs.st_dev &&
             mine.st_ino == theirs.st_ino && at_folder_owns(basename(name)))
        status = at_fail(copying->err, AT_UNPROCESSABLE, "own_file",
                         "%s is a name that the data folder uses itself; give another one", path);
    free(parent);
    free(name);
    return status;
}

static enum at_status check_target(const struct copying *copying) {
    const char *path = copying->what->path;
    struct stat found;
    enum at_status status = check_folder(copying, path);
    if (status != AT_OK || lstat(path, &found) != 0) return status;
    if (!copying->what->replaces)
        return at_fail(copying->err, AT_CONFLICT, "file_exists",
                       "%s is there already; give another name, or say that it may be replaced (--force)",
                       path);
    if (!S_ISREG(found.st_mode))
        return at_fail(copying->err, AT_UNPROCESSABLE, "not_a_file", "%s is not a file", path);
    return AT_OK;
}

/* What one that was cut off left goes; one that still writes has it locked. */
static enum at_status clear_part(const struct copying *copying) {
    int fd = open(copying->part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return AT_OK;
    bool is_busy = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0) close(fd);
    if (is_busy)
        return at_fail(copying->err, AT_CONFLICT, "backup_running", "another backup is being written to %s",
                       copying->part);
    return unlink(copying->part) == 0 ? AT_OK : at_fail_file(copying->err, "cannot replace", copying->part);
}

static enum at_status make_part(struct copying *copying) {
    enum at_status status = clear_part(copying);
    if (status != AT_OK) return status;
    copying->fd = open(copying->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (copying->fd < 0) return at_fail_file(copying->err, "cannot write", copying->part);
    if (fchmod(copying->fd, 0600) != 0 || flock(copying->fd, LOCK_EX | LOCK_NB) != 0)
        return at_fail_file(copying->err, "cannot write", copying->part);
    return AT_OK;
}

/* Before anything is written: a disk that the copy fills stops the shop, too, if its data lie there. */
static enum at_status check_room(struct copying *copying) {
    struct statvfs there, here;
    struct stat part, folder;
    const struct at_store *store = copying->store;
    if (fstatvfs(copying->fd, &there) != 0 || statvfs(store->directory, &here) != 0 ||
        fstat(copying->fd, &part) != 0 || stat(store->directory, &folder) != 0)
        return at_fail_file(copying->err, "cannot ask for the room at", copying->part);
    uint64_t room = (uint64_t)there.f_bavail * there.f_frsize,
             log_room = (uint64_t)here.f_bavail * here.f_frsize;
    if (room < copying->total)
        return at_fail(copying->err, AT_FULL, "disk_full", "%s needs %llu MB, the disk has room for %llu MB",
                       copying->what->path, (unsigned long long)copying->total / 1000000,
                       (unsigned long long)room / 1000000);
    if (part.st_dev == folder.st_dev) log_room -= log_room < copying->total ? log_room : copying->total;
    uint64_t wanted = copying->total > LOG_MIN_BYTES ? copying->total : LOG_MIN_BYTES;
    uint64_t most = atomic_load(&store->tallies.wal_bytes) + log_room / 2; /* the other half is the shop's */
    copying->log_max = copying->what->log_max_bytes ? copying->what->log_max_bytes
                       : wanted < most              ? wanted
                                                    : most;
    return AT_OK;
}

/* ---- copying ---- */

static bool is_stopped(struct at_store *store) {
    pthread_mutex_lock(&store->backup_lock);
    bool is_ending = store->ends_backups;
    pthread_mutex_unlock(&store->backup_lock);
    return is_ending;
}

static enum at_status fail_stopped(const char *path, struct at_error *err) {
    return at_fail(err, AT_STOPPED, "stopped",
                   "the shop is closing: the backup to %s was given up, nothing is left of it", path);
}

static void tell(const struct copying *copying, bool is_checking, uint64_t done) {
    struct at_backup_progress progress = {is_checking, done, copying->total};
    if (copying->what->progress) copying->what->progress(copying->what->arg, &progress);
}

/* Written back as it comes, not at the end: a sync of the log would have to wait for it. */
static enum at_status sync_along(struct copying *copying, off_t written) {
    int code = 0;
    if (written - copying->started < SYNC_BYTES) return AT_OK;
    if (copying->started > copying->synced)
        code =
            sync_file_range(copying->fd, copying->synced, copying->started - copying->synced,
                            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    copying->synced = copying->started;
    if (code == 0)
        code =
            sync_file_range(copying->fd, copying->started, written - copying->started, SYNC_FILE_RANGE_WRITE);
    copying->started = written;
    bool is_lost = code != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT);
    return is_lost ? at_fail_file(copying->err, "cannot write", copying->part) : AT_OK;
}

static enum at_status check_log(const struct copying *copying) {
    size_t bytes = atomic_load(&copying->store->tallies.wal_bytes);
    if (bytes <= copying->log_max) return AT_OK;
    return at_fail(copying->err, AT_BUSY, "log_too_long",
                   "the write-ahead log grew to %zu MB while the copy was written: back up to a faster disk, "
                   "or when less is written",
                   bytes / 1000000);
}

static enum at_status copy_pages(struct copying *copying, sqlite3_backup *backup) {
    enum at_status status = AT_OK;
    for (int code = SQLITE_OK; code == SQLITE_OK && status == AT_OK;) {
        code = sqlite3_backup_step(backup, STEP_PAGES);
        if (code != SQLITE_OK) return code == SQLITE_DONE ? AT_OK : at_sql_status(code);
        uint64_t done = (uint64_t)(sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup)) *
                        AT_STORE_PAGE_BYTES;
        status = sync_along(copying, (off_t)done);
        if (status == AT_OK) status = check_log(copying);
        if (status == AT_OK && is_stopped(copying->store))
            status = fail_stopped(copying->what->path, copying->err);
        if (status == AT_OK) tell(copying, false, done);
    }
    return status;
}

static enum at_status copy_into(struct copying *copying, sqlite3 *to) {
    static const char settings[] =
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1024";
    if (sqlite3_exec(to, settings, NULL, NULL, NULL) != SQLITE_OK) return at_sql_status(sqlite3_errcode(to));
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", copying->from.db, "main");
    if (!backup) return at_sql_status(sqlite3_errcode(to));
    enum at_status status = copy_pages(copying, backup);
    int code = sqlite3_backup_finish(backup);
    return status == AT_OK ? at_sql_status(code) : status;
}

static enum at_status begin_snapshot(struct copying *copying) {
    int64_t pages = 0;
    struct at_place place = at_store_place(copying->store, true);
    place.cache_bytes = CACHE_BYTES;
    enum at_status status = at_connection_open(&copying->from, &place, copying->err);
    if (status == AT_OK) status = at_connection_exec(&copying->from, "BEGIN", copying->err);
    if (status != AT_OK) return status;
    status = at_connection_number(&copying->from, "SELECT count(*) FROM setting", &pages); /* from here on */
    if (status == AT_OK) status = at_connection_number(&copying->from, "PRAGMA page_count", &pages);
    copying->total = (uint64_t)pages * AT_STORE_PAGE_BYTES;
    if (status == AT_OK) return AT_OK;
    return at_fail(copying->err, status, NULL, "the database cannot be read: %s",
                   sqlite3_errmsg(copying->from.db));
}

/* The snapshot is held in here and nowhere else. */
static enum at_status copy_snapshot(struct copying *copying) {
    sqlite3 *to = NULL;
    at_checkpoint_hold(copying->store);
    enum at_status status = begin_snapshot(copying);
    if (status == AT_OK) status = check_room(copying);
    if (status == AT_OK) {
        int code = sqlite3_open_v2(copying->part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                                   copying->store->vfs);
        status = code == SQLITE_OK ? copy_into(copying, to) : at_sql_status(code);
        int closing = sqlite3_close(to);
        if (status == AT_OK) status = at_sql_status(closing);
    }
    if (copying->from.db) /* nothing to write: it cannot fail */
        (void)sqlite3_exec(copying->from.db, "ROLLBACK", NULL, NULL, NULL);
    at_checkpoint_release(copying->store, &copying->from);
    at_connection_close(&copying->from);
    return status;
}

/* ---- making it one whole file ---- */

static enum at_status put_moment(struct copying *copying) {
    char at[AT_TIME_SIZE];
    struct at_connection copy;
    enum at_status status;
    struct at_place place = {copying->part, copying->store->vfs, CACHE_BYTES, false};
    status = at_whole_plain(AT_FDCWD, copying->part, copying->err);
    if (status == AT_OK) status = at_connection_open(&copy, &place, copying->err);
    if (status != AT_OK) return status;
    status = at_connection_exec(&copy, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", copying->err);
    struct at_text text = {at, at_time_format(copying->what->now_ms, at)};
    if (status == AT_OK) status = at_setting_into(&copy, AT_TEXT(AT_STORE_MOMENT), text);
    at_connection_close(&copy);
    return status;
}

/* While checking is set, at_store_backup_stop interrupts it. */
static void set_checking(struct at_store *store, sqlite3 *db) {
    pthread_mutex_lock(&store->backup_lock);
    store->checking = db;
    pthread_mutex_unlock(&store->backup_lock);
}

static enum at_status check_copy(struct copying *copying, struct at_backup_result *out) {
    struct at_connection copy;
    struct at_whole whole;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread only; without it only slower */
    tell(copying, true, copying->total);
    enum at_status status = at_whole_open(&copy, copying->part, copying->store->vfs, copying->err);
    if (status != AT_OK) return status;
    set_checking(copying->store, copy.db);
    status = at_whole_read(&copy, copying->part, &whole, copying->err);
    set_checking(copying->store, NULL);
    at_connection_close(&copy);
    if (status == AT_UNPROCESSABLE) /* of the database, then: the copy is its pages */
        at_error_prefix(copying->err, "the copy is not whole, so the database itself may be damaged: ");
    if (status != AT_OK) return status;
    *out = (struct at_backup_result){whole.bytes, whole.events};
    return is_stopped(copying->store) ? fail_stopped(copying->what->path, copying->err) : AT_OK;
}

static enum at_status give_name(struct copying *copying) {
    const char *path = copying->what->path;
    unsigned flags = copying->what->replaces ? 0 : RENAME_NOREPLACE;
    int code = renameat2(AT_FDCWD, copying->part, AT_FDCWD, path, flags);
    if (code != 0 && errno == EINVAL) /* a file system without the flag */
        code = rename(copying->part, path);
    if (code != 0) return at_fail_file(copying->err, "cannot write", path);
    at_folder_sync(path);
    return AT_OK;
}

static enum at_status run(struct copying *copying, struct at_backup_result *out) {
    enum at_status status = check_target(copying);
    if (status == AT_OK) status = make_part(copying);
    if (status != AT_OK) return status;
    status = copy_snapshot(copying);
    if (status == AT_OK) status = put_moment(copying);
    if (status == AT_OK && fsync(copying->fd) != 0)
        status = at_fail_file(copying->err, "cannot write", copying->part);
    if (status == AT_OK) status = check_copy(copying, out);
    if (status == AT_OK) status = give_name(copying);
    if (status != AT_OK) unlink(copying->part);
    return status;
}

/* ---- one at a time ---- */

static enum at_status enter(struct at_store *store, const char *path, struct at_error *err) {
    enum at_status status = AT_OK;
    pthread_mutex_lock(&store->backup_lock);
    if (store->ends_backups)
        status = fail_stopped(path, err);
    else if (store->is_backing_up)
        status = at_fail(err, AT_CONFLICT, "backup_running", "another backup is under way");
    else
        store->is_backing_up = true;
    pthread_mutex_unlock(&store->backup_lock);
    return status;
}

enum at_status at_store_backup(struct at_store *store, const struct at_backup *what,
                               struct at_backup_result *out, struct at_error *err) {
    size_t room = strlen(what->path) + sizeof(".part");
    struct copying copying = {.store = store, .what = what, .fd = -1, .err = err};
    *err = (struct at_error){.code = ""};
    enum at_status status = enter(store, what->path, err);
    if (status != AT_OK) return status;
    copying.part = malloc(room);
    if (copying.part) {
        snprintf(copying.part, room, "%s.part", what->path);
        status = run(&copying, out);
    } else {
        status = AT_NOMEM;
    }
    if (copying.fd >= 0) close(copying.fd);
    free(copying.part);
    if (status != AT_OK && !err->message[0])
        at_fail(err, status, status == AT_FULL ? "disk_full" : NULL, "the backup to %s failed: %s",
                what->path,
                status == AT_FULL    ? "the disk is full"
                : status == AT_NOMEM ? "out of memory"
                                     : "the disk failed");
    pthread_mutex_lock(&store->backup_lock);
    store->is_backing_up = false;
    pthread_mutex_unlock(&store->backup_lock);
    return status;
}

void at_store_backup_stop(struct at_store *store) {
    pthread_mutex_lock(&store->backup_lock);
    store->ends_backups = true;
    if (store->checking) sqlite3_interrupt(store->checking);
    pthread_mutex_unlock(&store->backup_lock);
}
