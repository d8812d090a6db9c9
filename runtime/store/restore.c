/* SPDX-License-Identifier: Apache-2.0
 *
 * The restore: the backup is copied beside the folder's database, read again as a whole, told what it is from
 * now on, and then renamed to attune.db.restoring. That rename decides. All that follows can be repeated, and
 * the next opening of the folder does if this one is cut off: at no moment can a shop be started without a
 * database, or with the log of another one beside it.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PART        AT_STORE_DATABASE ".restore.part"
#define READY       AT_STORE_DATABASE ".restoring"
#define STAGED      ".restoring" /* behind the names of the two files of erasures */
#define PIECE_BYTES ((size_t)1 << 20)
#define CACHE_BYTES ((size_t)1 << 20)
#define ID_LEAP     "4294967296" /* more than any shop gives out between two backups */

struct restoring {
    const struct at_restore *what;
    struct at_restore_result *out;
    int lock, folder; /* descriptors */
    char *part;       /* its path, for SQLite */
    struct at_error *err;
};

static bool sync_folder(int folder) {
    return fsync(folder) == 0 || errno == EINVAL; /* file systems without it have nothing to give */
}

static bool is_in(int folder, const char *name) {
    struct stat found;
    return fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- after the decision ---- */

/* The moment of the decision is the file's own: the same in each attempt. */
static void name_kept(const struct stat *ready, char kept[128]) {
    char at[AT_TIME_SIZE], compact[AT_TIME_SIZE];
    size_t n = 0;
    at_time_format((int64_t)ready->st_mtim.tv_sec * 1000 + ready->st_mtim.tv_nsec / 1000000, at);
    for (const char *c = at; *c; c++)
        if (*c != '-' && *c != ':') compact[n++] = *c;
    compact[n] = 0;
    snprintf(kept, 128, "%s.before-restore-%s", AT_STORE_DATABASE, compact);
}

static bool move_in(int folder, const char *from, const char *to) {
    return renameat(folder, from, folder, to) == 0 || errno == ENOENT;
}

/* Its log first: it goes with the database, and without one in its place it would be taken for a stray. */
static bool move_old(int folder, char kept[128]) {
    char log[160];
    snprintf(log, sizeof(log), "%s-wal", kept);
    bool is_there = is_in(folder, AT_STORE_DATABASE);
    bool is_moved = is_there ? move_in(folder, AT_STORE_DATABASE "-wal", log)
                             : unlinkat(folder, AT_STORE_DATABASE "-wal", 0) == 0 || errno == ENOENT;
    is_moved = is_moved && sync_folder(folder) && move_in(folder, AT_STORE_DATABASE, kept);
    if (is_moved && !is_in(folder, kept)) kept[0] = 0;
    return is_moved && (unlinkat(folder, AT_STORE_DATABASE "-shm", 0) == 0 || errno == ENOENT) &&
           sync_folder(folder);
}

enum at_status at_restore_finish(const char *directory, const struct at_log *log, char kept[128],
                                 struct at_error *err) {
    struct stat ready;
    enum at_status status = AT_OK;
    kept[0] = 0;
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return at_fail_file(err, "cannot read the data folder", directory);
    if (fstatat(folder, READY, &ready, AT_SYMLINK_NOFOLLOW) != 0) {
        close(folder);
        return AT_OK;
    }
    name_kept(&ready, kept);
    bool is_done = move_old(folder, kept) && move_in(folder, AT_STORE_ERASURES STAGED, AT_STORE_ERASURES) &&
                   move_in(folder, AT_STORE_ERASURE_KEY STAGED, AT_STORE_ERASURE_KEY) &&
                   sync_folder(folder) && renameat(folder, READY, folder, AT_STORE_DATABASE) == 0 &&
                   sync_folder(folder);
    if (!is_done) status = at_fail_file(err, "cannot finish the restore in", directory);
    if (is_done && log)
        at_log(log, AT_LOG_WARN, "store",
               "a restore that was cut off is finished; the database before it is %s",
               kept[0] ? kept : "none");
    close(folder);
    return status;
}

/* ---- what is asked for ---- */

/* What an attempt that was cut off before its decision left. */
static void clear_leavings(const struct restoring *restoring) {
    static const char *const names[] = {PART,        PART "-journal",          PART "-wal",
                                        PART "-shm", AT_STORE_ERASURES STAGED, AT_STORE_ERASURE_KEY STAGED};
    for (size_t i = 0; i < AT_LENGTH(names); i++) unlinkat(restoring->folder, names[i], 0);
}

static enum at_status check_log(const struct restoring *restoring) {
    const char *file = restoring->what->file;
    struct stat found;
    size_t room = strlen(file) + sizeof("-wal");
    char *name = malloc(room);
    if (!name) return AT_NOMEM;
    snprintf(name, room, "%s-wal", file);
    bool has_log = stat(name, &found) == 0 && found.st_size > 0;
    free(name);
    if (!has_log) return AT_OK;
    return at_fail(restoring->err, AT_UNPROCESSABLE, "not_whole",
                   "%s is not the whole: what was written last is in %s-wal; make one file of both with "
                   "sqlite3 %s \".backup OTHER\"",
                   file, file, file);
}

/* Before anything is locked or made. */
static enum at_status check_source(const struct restoring *restoring) {
    const char *file = restoring->what->file;
    struct at_connection connection;
    struct stat found;
    if (stat(file, &found) != 0) return at_fail_file(restoring->err, "cannot read", file);
    if (!S_ISREG(found.st_mode))
        return at_fail(restoring->err, AT_UNPROCESSABLE, "not_a_file", "%s is not a file", file);
    enum at_status status = at_whole_open(&connection, file, NULL, restoring->err);
    if (status != AT_OK) return status;
    status = at_whole_kind(&connection, file, restoring->err);
    at_connection_close(&connection);
    return status == AT_OK ? check_log(restoring) : status;
}

static enum at_status check_folder(const struct restoring *restoring) {
    const struct at_restore *what = restoring->what;
    struct stat file, own;
    struct statvfs disk;
    bool has_database = fstatat(restoring->folder, AT_STORE_DATABASE, &own, 0) == 0;
    if (stat(what->file, &file) != 0) return at_fail_file(restoring->err, "cannot read", what->file);
    if (has_database && own.st_dev == file.st_dev && own.st_ino == file.st_ino)
        return at_fail(restoring->err, AT_UNPROCESSABLE, "own_file",
                       "%s is the database of the folder itself", what->file);
    if (has_database && !what->replaces)
        return at_fail(restoring->err, AT_CONFLICT, "database_exists",
                       "%s holds a database; with --force it is kept as %s.before-restore-… and replaced",
                       what->directory, AT_STORE_DATABASE);
    if (fstatvfs(restoring->folder, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < (uint64_t)file.st_size)
        return at_fail(restoring->err, AT_FULL, "disk_full",
                       "%s needs %llu MB, the disk has room for %llu MB", what->directory,
                       (unsigned long long)file.st_size / 1000000,
                       (unsigned long long)disk.f_bavail * disk.f_frsize / 1000000);
    return AT_OK;
}

/* ---- copying ---- */

static enum at_status fail_copy(const struct restoring *restoring, const char *file) {
    return at_fail_file(restoring->err, "cannot copy", file);
}

static bool write_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        length -= (size_t)n;
    }
    return true;
}

static enum at_status copy_bytes(const struct restoring *restoring, int from, int to, const char *file) {
    struct stat found;
    char *piece = malloc(PIECE_BYTES);
    enum at_status status = piece ? AT_OK : AT_NOMEM;
    struct at_backup_progress progress = {0};
    if (fstat(from, &found) == 0) progress.total_bytes = (uint64_t)found.st_size;
    for (ssize_t n = 1; status == AT_OK && n != 0;) {
        n = read(from, piece, PIECE_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 || !write_all(to, piece, (size_t)n)) {
            status = fail_copy(restoring, file);
            break;
        }
        progress.done_bytes += (uint64_t)n;
        if (restoring->what->progress && file == restoring->what->file)
            restoring->what->progress(restoring->what->arg, &progress);
    }
    free(piece);
    return status;
}

static enum at_status copy_to(const struct restoring *restoring, const char *file, const char *name) {
    int from = open(file, O_RDONLY | O_CLOEXEC);
    if (from < 0) return at_fail_file(restoring->err, "cannot read", file);
    int to = openat(restoring->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum at_status status =
        to < 0 ? fail_copy(restoring, file) : at_folder_private(to, restoring->part, restoring->err);
    if (status == AT_OK) status = copy_bytes(restoring, from, to, file);
    if (status == AT_OK && fsync(to) != 0) status = fail_copy(restoring, file);
    if (to >= 0) close(to);
    close(from);
    return status;
}

/* ---- the two files of erasures ---- */

/* Whether the two hold the same; a file that cannot be read does not. */
static bool is_same(int folder, const char *name, const char *file) {
    int one = openat(folder, name, O_RDONLY | O_CLOEXEC), other = open(file, O_RDONLY | O_CLOEXEC);
    FILE *a = one >= 0 ? fdopen(one, "r") : NULL, *b = other >= 0 ? fdopen(other, "r") : NULL;
    int x = 0, y = 0;
    while (a && b && x == y && x != EOF) {
        x = getc(a);
        y = getc(b);
    }
    bool is_it = a && b && x == y && !ferror(a) && !ferror(b);
    if (a) fclose(a);
    if (b) fclose(b);
    if (!a && one >= 0) close(one);
    if (!b && other >= 0) close(other);
    return is_it;
}

static enum at_status stage_erasures(const struct restoring *restoring, const char *name, const char *staged,
                                     const char *given, const char *option) {
    const struct at_restore *what = restoring->what;
    bool has_own = is_in(restoring->folder, name);
    if (!given && (has_own || what->has_no_erasures)) return AT_OK;
    if (!given)
        return at_fail(restoring->err, AT_UNPROCESSABLE, "no_erasures",
                       "%s has no %s: who was erased since the backup would come back. Bring the file "
                       "(--%s FILE); if nobody was ever erased, say --no-erasures",
                       what->directory, name, option);
    if (has_own && is_same(restoring->folder, name, given)) return AT_OK;
    if (has_own)
        return at_fail(restoring->err, AT_CONFLICT, "erasures_differ",
                       "%s has another %s than %s: move away the one that is not this shop's, or bring one "
                       "that holds both",
                       what->directory, name, given);
    return copy_to(restoring, given, staged);
}

/* ---- the new database ---- */

static enum at_status check_copy(const struct restoring *restoring) {
    struct at_connection connection;
    struct at_whole whole;
    const struct at_restore *what = restoring->what;
    struct at_backup_progress progress = {.is_checking = true};
    if (what->progress) what->progress(what->arg, &progress);
    enum at_status status = at_whole_open(&connection, restoring->part, NULL, restoring->err);
    if (status != AT_OK) return status;
    status = at_whole_read(&connection, what->file, &whole, restoring->err);
    at_connection_close(&connection);
    *restoring->out = (struct at_restore_result){whole.bytes, whole.events, whole.moment_ms, ""};
    return status;
}

static void write_restored(const struct restoring *restoring, char out[128]) {
    char at[AT_TIME_SIZE], from[AT_TIME_SIZE];
    at_time_format(restoring->what->now_ms, at);
    at_time_format(restoring->out->from_ms, from);
    if (restoring->out->from_ms)
        snprintf(out, 128, "{\"at\":\"%s\",\"from\":\"%s\"}", at, from);
    else
        snprintf(out, 128, "{\"at\":\"%s\",\"from\":null}", at);
}

static enum at_status note_restore(const struct restoring *restoring) {
    char text[128];
    struct at_connection copy;
    struct at_place place = {restoring->part, NULL, CACHE_BYTES, false};
    static const char leap[] =
        "INSERT OR REPLACE INTO setting (name, value) SELECT 'id_limit', CAST(" ID_LEAP
        " + coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'id_limit'), 0) AS TEXT)";
    write_restored(restoring, text);
    enum at_status status = at_whole_plain(restoring->folder, PART, restoring->err);
    if (status == AT_OK) status = at_connection_open(&copy, &place, restoring->err);
    if (status != AT_OK) return status;
    status = at_connection_exec(&copy, leap, restoring->err);
    if (status == AT_OK) {
        status = at_setting_into(&copy, AT_TEXT(AT_STORE_RESTORED), at_text_of(text));
        if (status != AT_OK)
            at_fail(restoring->err, status, NULL, "%s cannot be written: %s", restoring->part,
                    sqlite3_errmsg(copy.db));
    }
    at_connection_close(&copy);
    return status;
}

static enum at_status decide(const struct restoring *restoring) {
    int folder = restoring->folder;
    bool is_decided =
        sync_folder(folder) && renameat(folder, PART, folder, READY) == 0 && sync_folder(folder);
    return is_decided
               ? AT_OK
               : at_fail_file(restoring->err, "cannot put the database in", restoring->what->directory);
}

static enum at_status run(struct restoring *restoring) {
    const struct at_restore *what = restoring->what;
    clear_leavings(restoring);
    enum at_status status = check_folder(restoring);
    if (status == AT_OK)
        status = stage_erasures(restoring, AT_STORE_ERASURES, AT_STORE_ERASURES STAGED, what->erasures,
                                "erasures");
    if (status == AT_OK)
        status =
            stage_erasures(restoring, AT_STORE_ERASURE_KEY, AT_STORE_ERASURE_KEY STAGED, what->key, "key");
    if (status == AT_OK) status = copy_to(restoring, what->file, PART);
    if (status == AT_OK) status = check_copy(restoring);
    if (status == AT_OK) status = note_restore(restoring);
    if (status == AT_OK) status = decide(restoring);
    if (status != AT_OK) {
        clear_leavings(restoring);
        return status;
    }
    return at_restore_finish(what->directory, NULL, restoring->out->kept, restoring->err);
}

static enum at_status open_folder(struct restoring *restoring) {
    const char *directory = restoring->what->directory;
    char kept[128];
    enum at_status status = at_folder_lock(directory, &restoring->lock, restoring->err);
    if (status == AT_OK) status = at_restore_finish(directory, NULL, kept, restoring->err);
    if (status != AT_OK) return status;
    restoring->folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (restoring->folder < 0) return at_fail_file(restoring->err, "cannot read the data folder", directory);
    size_t room = strlen(directory) + sizeof("/" PART);
    restoring->part = malloc(room);
    if (!restoring->part) return AT_NOMEM;
    snprintf(restoring->part, room, "%s/%s", directory, PART);
    return AT_OK;
}

enum at_status at_store_restore(const struct at_restore *what, struct at_restore_result *out,
                                struct at_error *err) {
    struct restoring restoring = {.what = what, .out = out, .lock = -1, .folder = -1, .err = err};
    *err = (struct at_error){.code = ""};
    *out = (struct at_restore_result){.kept = ""};
    enum at_status status = check_source(&restoring);
    if (status == AT_OK) status = open_folder(&restoring);
    if (status == AT_OK) status = run(&restoring);
    if (status != AT_OK && !err->message[0])
        at_fail(err, status, NULL, "the restore of %s failed: %s", what->file,
                status == AT_NOMEM ? "out of memory" : "the disk failed");
    if (restoring.folder >= 0) close(restoring.folder);
    at_folder_unlock(restoring.lock);
    free(restoring.part);
    return status;
}
