/* SPDX-License-Identifier: Apache-2.0
 *
 * The data folder itself: making it, its lock, making names durable. Used when a store opens and closes.
 * Exactly one open store has a folder: the lock is flock's, so the same process is refused a second time too,
 * and a process that dies gives it up by dying. The pid inside is for people.
 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void at_folder_sync(const char *path) {
    char *copy = strdup(path);
    if (!copy) return;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0) return;
    (void)fsync(fd); /* file systems without it have nothing to give */
    close(fd);
}

static enum at_status fail_file(const char *what, const char *path, struct at_error *err) {
    int number = errno;
    enum at_status status = number == ENOSPC || number == EDQUOT ? AT_FULL : AT_IO;
    return at_fail(err, status, NULL, "%s %s: %s", what, path, strerror(number));
}

static enum at_status make_folder(const char *directory, struct at_error *err) {
    struct stat found;
    if (mkdir(directory, 0700) == 0) {
        at_folder_sync(directory);
        return AT_OK;
    }
    if (errno != EEXIST) return fail_file("cannot make the data folder", directory, err);
    if (stat(directory, &found) != 0) return fail_file("cannot read the data folder", directory, err);
    if (!S_ISDIR(found.st_mode))
        return at_fail(err, AT_INVALID, "not_a_folder", "%s is a file; the data needs a folder", directory);
    return AT_OK;
}

static enum at_status fail_locked(int fd, const char *directory, struct at_error *err) {
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid == (long)getpid())
        return at_fail(err, AT_CONFLICT, "folder_in_use",
                       "this process (%ld) has the data folder %s open already; close that shop first", pid,
                       directory);
    if (pid > 0)
        return at_fail(err, AT_CONFLICT, "folder_in_use",
                       "process %ld has the data folder %s open; stop it (kill %ld) or give another folder",
                       pid, directory, pid);
    return at_fail(err, AT_CONFLICT, "folder_in_use",
                   "another process has the data folder %s open; stop it or give another folder", directory);
}

enum at_status at_folder_lock(const char *directory, int *fd_out, struct at_error *err) {
    enum at_status status = make_folder(directory, err);
    if (status != AT_OK) return status;
    size_t room = strlen(directory) + 8;
    char *path = malloc(room), pid[32];
    if (!path) return at_fail(err, AT_NOMEM, NULL, "no memory to open the data folder");
    snprintf(path, room, "%s/lock", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        status = fail_file("cannot open the lock", path, err);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK ? fail_locked(fd, directory, err) : fail_file("cannot lock", path, err);
        close(fd);
    } else {
        int length = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        /* a full disk leaves the lock without its pid, which is only for people */
        if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)length, 0) < 0) errno = 0;
        *fd_out = fd;
    }
    free(path);
    return status;
}

void at_folder_unlock(int fd) {
    if (fd < 0) return;
    if (ftruncate(fd, 0) != 0) errno = 0;
    close(fd); /* the file stays: removing it would let two hold a lock of that name */
}

enum at_status at_folder_touch(const char *path, struct at_error *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return fail_file("cannot open", path, err);
    close(fd);
    return AT_OK;
}
