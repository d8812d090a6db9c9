/* SPDX-License-Identifier: Apache-2.0
 *
 * The data folder itself: making it, its lock, making names durable, and that nobody but its owner reads what
 * is in it, whatever the umask. Used when a store opens and closes.
 * Exactly one open store has a folder: the lock is flock's, so the same process is refused a second time too,
 * and a process that dies gives it up by dying. The pid inside is for people.
 */
#include "store/internal.h"

#include <dirent.h>
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

enum at_status at_fail_file(struct at_error *err, const char *what, const char *path) {
    int number = errno;
    enum at_status status = number == ENOSPC || number == EDQUOT ? AT_FULL : AT_IO;
    return at_fail(err, status, status == AT_FULL ? "disk_full" : NULL, "%s %s: %s", what, path,
                   strerror(number));
}

static enum at_status make_folder(const char *directory, struct at_error *err) {
    struct stat found;
    if (mkdir(directory, 0700) == 0) {
        if (chmod(directory, 0700) != 0) /* a umask may take more than we would */
            return at_fail_file(err, "cannot make private", directory);
        at_folder_sync(directory);
        return AT_OK;
    }
    if (errno != EEXIST) return at_fail_file(err, "cannot make the data folder", directory);
    if (stat(directory, &found) != 0) return at_fail_file(err, "cannot read the data folder", directory);
    if (!S_ISDIR(found.st_mode))
        return at_fail(err, AT_INVALID, "not_a_folder", "%s is a file; the data needs a folder", directory);
    return AT_OK;
}

/* 0600 whatever the umask; and of the folder's owner, so that what root does by hand does not lock the
 * service out. */
enum at_status at_folder_private(int fd, const char *path, struct at_error *err) {
    struct stat folder;
    char *copy = strdup(path);
    if (!copy) return at_fail(err, AT_NOMEM, NULL, "no memory to open %s", path);
    bool is_known = stat(dirname(copy), &folder) == 0;
    free(copy);
    bool is_owned = geteuid() != 0 || !is_known || fchown(fd, folder.st_uid, folder.st_gid) == 0;
    return is_owned && fchmod(fd, 0600) == 0 ? AT_OK : at_fail_file(err, "cannot make private", path);
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
        status = at_fail_file(err, "cannot open the lock", path);
    } else if ((status = at_folder_private(fd, path, err)) != AT_OK) {
        close(fd);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        status =
            errno == EWOULDBLOCK ? fail_locked(fd, directory, err) : at_fail_file(err, "cannot lock", path);
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
    if (fd < 0) return at_fail_file(err, "cannot open", path);
    enum at_status status = at_folder_private(fd, path, err);
    close(fd);
    return status;
}

/* ---- what is there already ---- */

bool at_folder_owns(const char *name) {
    static const char *const names[] = {AT_STORE_DATABASE, "lock", "attune.sock", AT_STORE_ERASURES,
                                        AT_STORE_ERASURE_KEY};
    for (size_t i = 0; i < AT_LENGTH(names); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
    return false;
}

/* A file of ours that others may read was copied here by hand. */
static void tighten_file(int folder, const char *name) {
    struct stat found;
    if (fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(found.st_mode)) return;
    if ((found.st_mode & 0077) && found.st_uid == geteuid()) (void)fchmodat(folder, name, 0600, 0);
}

void at_folder_tighten(const char *directory, const struct at_log *log) {
    struct stat found;
    bool is_shared = false;
    DIR *stream = opendir(directory);
    if (!stream) return;
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (at_folder_owns(entry->d_name))
            tighten_file(dirfd(stream), entry->d_name);
        else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            is_shared = true;
    }
    if (fstat(dirfd(stream), &found) == 0 && (found.st_mode & 0077)) {
        bool is_closed = !is_shared && fchmod(dirfd(stream), 0700) == 0;
        if (!is_closed)
            at_log(log, AT_LOG_WARN, "store",
                   "%s is open to others (mode %04o) and not attune's alone, so it stays so: its files are "
                   "private, their names and sizes are not; a folder of its own is better",
                   directory, (unsigned)found.st_mode & 07777);
    }
    closedir(stream);
}
