/* SPDX-License-Identifier: Apache-2.0
 *
 * Put before the program with LD_PRELOAD: a disk that forgets. Of each file of the database (attune.db…)
 * every write that is not synced yet can be taken back after the program was killed: FORGET_DIR/NAME.undo
 * says what it replaced, and is empty after a sync. A record: offset, size of the file before, length (int64
 * each), the bytes. The syncs are not passed on: the machine lives, so its cache is disk enough. FORGET_LIES
 * set: a sync does nothing at all. KILL_AT_CHECKPOINT=n: the program ends, as by kill -9, before the n-th
 * write into the database itself, which only a checkpoint makes once the write-ahead log is in use.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SYNC_US 3000 /* what a sync takes, so that a kill mostly finds something unsynced */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *next(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

/* The file's name within the data folder if it is the database's and is written, else NULL. */
static const char *name_of(int fd, char path[4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 4095);
    if (length < 0) return NULL;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    if (!name || strncmp(name + 1, "attune.db", 9) != 0 || strstr(name, "-shm")) return NULL;
    return name + 1;
}

static int open_undo(const char *name, int flags) {
    char path[4096];
    const char *folder = getenv("FORGET_DIR");
    if (!folder) return -1;
    snprintf(path, sizeof path, "%s/%s.undo", folder, name);
    return open(path, flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void must(int is_good) {
    static const char why[] = "forget.c: the undo file cannot be written\n";
    if (is_good) return;
    (void)!write(2, why, sizeof why - 1);
    _exit(99);
}

static void remember(int fd, const char *name, int64_t offset, int64_t length) {
    struct stat info;
    int undo = open_undo(name, O_APPEND);
    if (undo < 0) return;
    must(fstat(fd, &info) == 0);
    int64_t kept = offset >= info.st_size ? 0 : info.st_size - offset;
    if (kept > length) kept = length;
    char *bytes = malloc((size_t)kept + 1);
    must(bytes && pread(fd, bytes, (size_t)kept, offset) == kept);
    int64_t head[3] = {offset, info.st_size, kept};
    struct iovec parts[2] = {{head, sizeof head}, {bytes, (size_t)kept}};
    must(writev(undo, parts, 2) == (ssize_t)(sizeof head + (size_t)kept));
    free(bytes);
    close(undo);
}

static void maybe_die(const char *name) {
    static int left = -1;
    const char *at = getenv("KILL_AT_CHECKPOINT");
    if (!at || strcmp(name, "attune.db") != 0) return;
    if (left < 0) left = atoi(at);
    if (--left == 0) raise(SIGKILL);
}

static ssize_t write_at(const char *call, int fd, const void *data, size_t length, off_t offset) {
    char path[4096];
    ssize_t (*real)(int, const void *, size_t, off_t);
    *(void **)&real = next(call);
    const char *name = name_of(fd, path);
    if (!name) return real(fd, data, length, offset);
    pthread_mutex_lock(&lock);
    maybe_die(name);
    remember(fd, name, offset, (int64_t)length);
    ssize_t n = real(fd, data, length, offset);
    pthread_mutex_unlock(&lock);
    return n;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return write_at("pwrite", fd, data, length, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    return write_at("pwrite64", fd, data, length, offset);
}

static int truncate_to(const char *call, int fd, off_t size) {
    char path[4096];
    struct stat info;
    int (*real)(int, off_t);
    *(void **)&real = next(call);
    const char *name = name_of(fd, path);
    if (!name || fstat(fd, &info)) return real(fd, size);
    pthread_mutex_lock(&lock);
    remember(fd, name, size, info.st_size > size ? info.st_size - size : 0);
    int code = real(fd, size);
    pthread_mutex_unlock(&lock);
    return code;
}
int ftruncate(int fd, off_t size) {
    return truncate_to("ftruncate", fd, size);
}
int ftruncate64(int fd, off64_t size) {
    return truncate_to("ftruncate64", fd, size);
}

static int sync_of(const char *call, int fd) {
    char path[4096];
    int (*real)(int);
    *(void **)&real = next(call);
    const char *name = getenv("FORGET_DIR") ? name_of(fd, path) : NULL;
    if (!name) return real(fd);
    usleep(SYNC_US);
    if (getenv("FORGET_LIES")) return 0;
    pthread_mutex_lock(&lock);
    int undo = open_undo(name, O_TRUNC);
    must(undo >= 0);
    close(undo);
    pthread_mutex_unlock(&lock);
    return 0;
}
int fsync(int fd) {
    return sync_of("fsync", fd);
}
int fdatasync(int fd) {
    return sync_of("fdatasync", fd);
}

int unlink(const char *path) {
    int (*real)(const char *);
    *(void **)&real = next("unlink");
    const char *name = strrchr(path, '/');
    if (name && strncmp(name + 1, "attune.db", 9) == 0) {
        pthread_mutex_lock(&lock);
        int undo = open_undo(name + 1, O_TRUNC);
        if (undo >= 0) close(undo);
        pthread_mutex_unlock(&lock);
    }
    return real(path);
}
