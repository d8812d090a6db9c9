/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a file of history. gzip is known by its first two bytes; of several members each is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "cli/history.h"

#define PIECE (256 * 1024)

struct history_file {
    const struct cli_call *call;
    const char *name;
    int fd;
    bool owns_fd, is_gzip, is_ended, is_between; /* is_between: a member of the gzip file ended */
    size_t bytes, read_bytes;
    z_stream zip;
    unsigned char packed[PIECE];
};

/* ---- standard input ---- */

static int copy_all(struct history_file *file, int to) {
    for (;;) {
        ssize_t n = read(STDIN_FILENO, file->packed, PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) return EXIT_DONE;
        if (n < 0)
            return cli_fail(file->call, EXIT_FAILED, "cannot read standard input: %s", strerror(errno));
        for (ssize_t at = 0; at < n;) {
            ssize_t written = write(to, file->packed + at, (size_t)(n - at));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0)
                return cli_fail(file->call, EXIT_FAILED,
                                "what comes in is first written to the data folder, and there: %s",
                                strerror(errno));
            at += written;
        }
    }
}

/* What comes through a pipe comes once; to know what of it was imported before it is read twice. */
static int spool(struct history_file *file, const char *data) {
    char path[4200];
    snprintf(path, sizeof path, "%s/import.XXXXXX", data);
    file->fd = mkstemp(path);
    if (file->fd < 0)
        return cli_fail(file->call, EXIT_FAILED, "cannot make a file in %s: %s", data, strerror(errno));
    file->owns_fd = true;
    unlink(path);
    return copy_all(file, file->fd);
}

/* ---- life ---- */

static int open_bytes(struct history_file *file, const char *data) {
    struct stat info;
    bool is_stdin = strcmp(file->name, "-") == 0;
    file->fd = is_stdin ? STDIN_FILENO : open(file->name, O_RDONLY | O_CLOEXEC);
    file->owns_fd = !is_stdin;
    if (file->fd < 0 || fstat(file->fd, &info))
        return cli_fail(file->call, EXIT_FAILED, "cannot read %s: %s", file->name, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return cli_fail(file->call, EXIT_FAILED, "%s is a folder: name a file in it", file->name);
    if (is_stdin && !S_ISREG(info.st_mode)) {
        int code = spool(file, data);
        if (code || fstat(file->fd, &info)) return code ? code : EXIT_FAILED;
    }
    file->bytes = (size_t)info.st_size;
    return history_file_rewind(file);
}

struct history_file *history_file_open(const struct cli_call *call, const char *name, const char *data) {
    struct history_file *file = calloc(1, sizeof *file);
    if (!file || inflateInit2(&file->zip, 15 + 16) != Z_OK) {
        free(file);
        cli_fail(call, 0, "out of memory");
        return NULL;
    }
    file->call = call;
    file->name = name;
    file->fd = -1;
    if (!open_bytes(file, data)) return file;
    history_file_close(file);
    return NULL;
}

void history_file_close(struct history_file *file) {
    if (!file) return;
    if (file->owns_fd && file->fd >= 0) close(file->fd);
    inflateEnd(&file->zip);
    free(file);
}

const char *history_file_name(const struct history_file *file) {
    return file->name;
}

int history_file_rewind(struct history_file *file) {
    unsigned char head[2] = {0, 0};
    bool is_there = lseek(file->fd, 0, SEEK_SET) == 0 && read(file->fd, head, 2) >= 0 &&
                    lseek(file->fd, 0, SEEK_SET) == 0;
    if (!is_there)
        return cli_fail(file->call, EXIT_FAILED, "cannot read %s: %s", file->name, strerror(errno));
    file->is_gzip = head[0] == 0x1f && head[1] == 0x8b;
    file->is_ended = file->is_between = false;
    file->read_bytes = 0;
    file->zip.avail_in = 0;
    inflateReset(&file->zip);
    return EXIT_DONE;
}

/* ---- reading ---- */

static int read_raw(struct history_file *file, void *into, size_t room, size_t *length) {
    ssize_t n;
    do n = read(file->fd, into, room);
    while (n < 0 && errno == EINTR);
    if (n < 0) return cli_fail(file->call, EXIT_FAILED, "cannot read %s: %s", file->name, strerror(errno));
    *length = (size_t)n;
    file->read_bytes += (size_t)n;
    return EXIT_DONE;
}

static int inflate_some(struct history_file *file) {
    int code = inflate(&file->zip, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
        file->is_between = true;
        return EXIT_DONE;
    }
    if (code == Z_OK || code == Z_BUF_ERROR) return EXIT_DONE;
    return cli_fail(file->call, EXIT_FAILED, "%s is not a whole gzip file: %s", file->name,
                    file->zip.msg ? file->zip.msg : "it is damaged");
}

/* A member that ended may have another one behind it; anything else there is no part of the file. */
static int next_member(struct history_file *file) {
    file->is_between = false;
    if (file->zip.avail_in && file->zip.next_in[0] != 0x1f) {
        file->is_ended = true;
        return EXIT_DONE;
    }
    inflateReset(&file->zip);
    return EXIT_DONE;
}

static int read_gzip(struct history_file *file, char *into, size_t room, size_t *length) {
    file->zip.next_out = (unsigned char *)into;
    file->zip.avail_out = (unsigned)(room < (1u << 30) ? room : 1u << 30);
    while (file->zip.avail_out && !file->is_ended) {
        size_t n = 0;
        if (!file->zip.avail_in) {
            int code = read_raw(file, file->packed, PIECE, &n);
            if (code) return code;
            if (!n && file->is_between) break;
            if (!n)
                return cli_fail(file->call, EXIT_FAILED, "%s is not a whole gzip file: it ends in the middle",
                                file->name);
            file->zip.next_in = file->packed;
            file->zip.avail_in = (unsigned)n;
        }
        int code = file->is_between ? next_member(file) : inflate_some(file);
        if (code) return code;
    }
    *length = (size_t)((char *)file->zip.next_out - into);
    return EXIT_DONE;
}

int history_file_read(struct history_file *file, char *into, size_t room, size_t *length) {
    *length = 0;
    return file->is_gzip ? read_gzip(file, into, room, length) : read_raw(file, into, room, length);
}

double history_file_share(const struct history_file *file) {
    double share = file->bytes ? (double)file->read_bytes / (double)file->bytes : 1;
    return share < 1 ? share : 1; /* it may grow meanwhile */
}
