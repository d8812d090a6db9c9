/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing the shop's folder.
 */
#include "shop/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1 << 20) /* larger is refused by the check with the right words */

static bool is_script(const char *name) {
    size_t length = strlen(name);
    return name[0] != '.' && name[0] != '#' && length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* AT_BUSY: it changed while it was read. */
static enum at_status read_steady(const char *path, struct at_arena *arena, struct at_text *out,
                                  struct at_error *err) {
    struct stat before, after, named;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? AT_NOTFOUND
                               : at_fail(err, AT_IO, NULL, "cannot read %s: %s", path, strerror(errno));
    enum at_status status = AT_OK;
    char *text = NULL;
    size_t length = 0;
    if (fstat(fd, &before) || !S_ISREG(before.st_mode))
        status = at_fail(err, AT_IO, NULL, "%s is not a file", path);
    else if (before.st_size > FILE_MAX)
        status = at_fail(err, AT_TOOBIG, NULL, "%s is larger than a script may be", path);
    else if (!(text = at_arena_alloc(arena, (size_t)before.st_size + 1)))
        status = at_fail(err, AT_NOMEM, NULL, "no memory to read %s", path);
    while (status == AT_OK && length < (size_t)before.st_size) {
        ssize_t n = read(fd, text + length, (size_t)before.st_size - length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0)
            status = at_fail(err, AT_IO, NULL, "cannot read %s: %s", path, strerror(errno));
        else if (n == 0)
            status = AT_BUSY;
        else
            length += (size_t)n;
    }
    if (status == AT_OK &&
        (fstat(fd, &after) || stat(path, &named) || !is_same(&before, &after) || !is_same(&before, &named)))
        status = AT_BUSY;
    close(fd);
    if (status != AT_OK) return status;
    text[length] = 0;
    *out = (struct at_text){text, length};
    return AT_OK;
}

struct reading {
    const char *folder;
    struct at_arena *arena;
    struct at_source_file *files;
    uint32_t count;
    struct at_error *err;
};

static enum at_status read_directory(struct reading *reading, const char *below, int depth);

static enum at_status read_entry(struct reading *reading, const char *below, const char *name, int depth) {
    struct stat info;
    char *path = at_arena_printf(reading->arena, "%s/%s", below, name);
    char *full = path ? at_arena_printf(reading->arena, "%s/%s", reading->folder, path) : NULL;
    if (!full) return at_fail(reading->err, AT_NOMEM, NULL, "no memory to read the scripts");
    if (name[0] == '.' || stat(full, &info)) return AT_OK;
    if (S_ISDIR(info.st_mode)) return read_directory(reading, path, depth + 1);
    if (!is_script(name)) return AT_OK;
    if (reading->count == FOLDER_FILES_MAX)
        return at_fail(reading->err, AT_TOOBIG, NULL, "more than %d script files", FOLDER_FILES_MAX);
    struct at_source_file *file = &reading->files[reading->count];
    enum at_status status = read_steady(full, reading->arena, &file->text, reading->err);
    if (status == AT_NOTFOUND) return AT_BUSY; /* gone since it was listed */
    if (status != AT_OK) return status;
    file->path = at_text_of(path);
    reading->count++;
    return AT_OK;
}

static enum at_status read_directory(struct reading *reading, const char *below, int depth) {
    if (depth > FOLDER_DEPTH_MAX)
        return at_fail(reading->err, AT_TOOBIG, NULL, "%s: folders are nested too deeply", below);
    char *full = at_arena_printf(reading->arena, "%s/%s", reading->folder, below);
    DIR *directory = full ? opendir(full) : NULL;
    if (!directory) {
        if (errno == ENOENT && depth == 0) return AT_OK;
        return errno == ENOENT
                   ? AT_BUSY
                   : at_fail(reading->err, AT_IO, NULL, "cannot read %s: %s", below, strerror(errno));
    }
    enum at_status status = AT_OK;
    for (struct dirent *entry; status == AT_OK && (entry = readdir(directory));)
        status = read_entry(reading, below, entry->d_name, depth);
    closedir(directory);
    return status;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct at_source_file *)a)->path.data,
                  ((const struct at_source_file *)b)->path.data);
}

enum at_status folder_read(const char *folder, struct at_arena *arena, struct at_source_file **files,
                           uint32_t *count, struct at_error *err) {
    struct reading reading = {
        folder, arena, at_arena_alloc(arena, FOLDER_FILES_MAX * sizeof(struct at_source_file)), 0, err};
    if (!reading.files) return at_fail(err, AT_NOMEM, NULL, "no memory to read the scripts");
    enum at_status status = AT_BUSY;
    for (int tries = 0; tries < 10 && status == AT_BUSY; tries++) {
        if (tries) usleep(20000);
        reading.count = 0;
        status = read_directory(&reading, "scripts", 0);
    }
    if (status == AT_BUSY) return at_fail(err, status, NULL, "the scripts keep changing while they are read");
    qsort(reading.files, reading.count, sizeof *reading.files, by_path);
    *files = reading.files;
    *count = reading.count;
    return status;
}

enum at_status folder_read_file(const char *folder, const char *path, struct at_arena *arena,
                                struct at_text *out, struct at_error *err) {
    char *full = at_arena_printf(arena, "%s/%s", folder, path);
    if (!full) return at_fail(err, AT_NOMEM, NULL, "no memory to read %s", path);
    enum at_status status = AT_BUSY;
    for (int tries = 0; tries < 10 && status == AT_BUSY; tries++) {
        if (tries) usleep(20000);
        status = read_steady(full, arena, out, err);
    }
    return status;
}

void folder_walk(const char *folder, void (*fn)(void *arg, const char *directory), void *arg) {
    char paths[64][1024]; /* a folder with more is looked at by the rescan only */
    int count = 1;
    snprintf(paths[0], sizeof paths[0], "%s/scripts", folder);
    for (int i = 0; i < count; i++) {
        DIR *directory = opendir(paths[i]);
        if (!directory) continue;
        fn(arg, paths[i]);
        for (struct dirent *entry; (entry = readdir(directory)) && count < 64;) {
            struct stat info;
            char path[1024];
            if (entry->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%.700s/%.255s", paths[i], entry->d_name);
            if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) memcpy(paths[count++], path, sizeof path);
        }
        closedir(directory);
    }
}

enum at_status folder_check_path(struct at_text path, struct at_error *err) {
    if (path.length >= 10 && memcmp(path.data, "templates/", 10) == 0)
        return at_fail_field(err, AT_UNPROCESSABLE, "not_in_this_version", "files",
                             "templates are not in this version");
    if (at_text_is(path, "shop.lua"))
        return at_fail_field(err, AT_UNPROCESSABLE, "settings", "files",
                             "shop.lua holds settings: edit it in the folder and start the server again");
    bool is_good = path.length > 12 && path.length < 120 && memcmp(path.data, "scripts/", 8) == 0 &&
                   memcmp(path.data + path.length - 4, ".lua", 4) == 0;
    for (size_t i = 0; i < path.length && is_good; i++) {
        char c = path.data[i];
        bool begins = i == 0 || path.data[i - 1] == '/';
        is_good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                  c == '-' || c == '.' || c == '/';
        if (begins && (c == '.' || c == '/' || c == '#')) is_good = false;
    }
    if (is_good) return AT_OK;
    return at_fail_field(
        err, AT_UNPROCESSABLE, "bad_path", "files",
        "\"%.*s\" is not a script's path: write scripts/…/name.lua with letters, digits, - and _",
        (int)(path.length < 100 ? path.length : 100), path.data);
}

/* ---- writing ---- */

static void make_parents(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
}

static enum at_status write_beside(const char *folder, const struct folder_change *change,
                                   struct at_error *err) {
    char path[1400], beside[1500];
    snprintf(path, sizeof path, "%s/%.*s", folder, (int)change->path.length, change->path.data);
    snprintf(beside, sizeof beside, "%s.attune-new", path);
    make_parents(path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool is_ok = fd >= 0;
    for (size_t done = 0; is_ok && done < change->text.length;) {
        ssize_t n = write(fd, change->text.data + done, change->text.length - done);
        if (n < 0 && errno == EINTR) continue;
        is_ok = n > 0;
        if (is_ok) done += (size_t)n;
    }
    is_ok = is_ok && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0) close(fd);
    if (is_ok) return AT_OK;
    unlink(beside);
    return at_fail(err, code == ENOSPC ? AT_FULL : AT_IO, "folder", "cannot write %.*s: %s",
                   (int)change->path.length, change->path.data, strerror(code));
}

enum at_status folder_write(const char *folder, const struct folder_change *changes, uint32_t count,
                            struct at_error *err) {
    enum at_status status = AT_OK;
    uint32_t written = 0;
    for (; written < count && status == AT_OK; written++)
        if (changes[written].text.data) status = write_beside(folder, &changes[written], err);
    for (uint32_t i = 0; i < written; i++) {
        char path[1400], beside[1500];
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)changes[i].path.length, changes[i].path.data);
        snprintf(beside, sizeof beside, "%s.attune-new", path);
        if (status != AT_OK)
            unlink(beside);
        else if (!changes[i].text.data)
            unlink(path);
        else if (rename(beside, path))
            status = at_fail(err, AT_IO, "folder", "cannot write %s: %s", path, strerror(errno));
    }
    return status;
}
