/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of the data folder that are beside the database: erasures.log, a line each erasure, and how the
 * secret is written. Lines are read one by one, for there may be as many as people ever asked. What a crash
 * or a full disk left of a line is no line; the next one begins behind it.
 */
#include "shop/forgotten.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "shop/internal.h"

#define LOG_FILE "erasures.log"

static char *path_of(const struct at_shop *shop, const char *name, const char *ending) {
    size_t room = strlen(shop->data) + strlen(name) + strlen(ending) + 2;
    char *path = malloc(room);
    if (path) snprintf(path, room, "%s/%s%s", shop->data, name, ending);
    return path;
}

static enum at_status fail_file(const char *name, struct at_error *err) {
    int number = errno;
    enum at_status status = number == ENOSPC || number == EDQUOT ? AT_FULL : AT_IO;
    return at_fail(err, status, NULL, "%s of the data folder: %s", name, strerror(number));
}

static bool write_all(int fd, struct at_text text) {
    while (text.length) {
        ssize_t written = write(fd, text.data, text.length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.data += written;
        text.length -= (size_t)written;
    }
    return true;
}

/* The names in it are durable. */
static bool sync_folder(const struct at_shop *shop) {
    int fd = open(shop->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_ok =
        fd >= 0 && (fsync(fd) == 0 || errno == EINVAL); /* file systems without it have nothing to give */
    int number = errno;
    if (fd >= 0) close(fd);
    errno = number;
    return is_ok;
}

enum at_status forgotten_write_file(struct at_shop *shop, const char *name, struct at_text text,
                                    struct at_error *err) {
    char *path = path_of(shop, name, ""), *part = path_of(shop, name, ".part");
    enum at_status status = AT_OK;
    int fd = path && part ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (!path || !part)
        status = at_fail(err, AT_NOMEM, NULL, "no memory to write %s", name);
    else if (fd < 0 || !write_all(fd, text) || fsync(fd) != 0 || rename(part, path) != 0 ||
             !sync_folder(shop))
        status = fail_file(name, err);
    if (fd >= 0) close(fd);
    free(path);
    free(part);
    return status;
}

/* ---- a line more ---- */

/* Behind what was cut off; on failure the file is as long as it was. */
static bool append_at(int fd, off_t end, struct at_text line) {
    char last = '\n';
    if (end && pread(fd, &last, 1, end - 1) != 1) return false;
    bool is_ok = (last == '\n' || write_all(fd, AT_TEXT("\n"))) && write_all(fd, line) && fsync(fd) == 0;
    int number = errno;
    if (!is_ok && ftruncate(fd, end) != 0) errno = 0; /* then the next line begins behind it */
    errno = number;
    return is_ok;
}

static enum at_status append(struct at_shop *shop, struct at_text line, struct at_error *err) {
    struct stat found;
    char *path = path_of(shop, LOG_FILE, "");
    enum at_status status = AT_OK;
    int fd = path ? open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (!path)
        status = at_fail(err, AT_NOMEM, NULL, "no memory to note who is erased");
    else if (fd < 0 || fstat(fd, &found) != 0 || !append_at(fd, found.st_size, line) ||
             (!found.st_size && !sync_folder(shop)))
        status = fail_file(LOG_FILE, err);
    if (fd >= 0) close(fd);
    free(path);
    return status;
}

enum at_status forgotten_log(struct at_shop *shop, const struct at_erasure_row *erasure,
                             struct at_error *err) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, 1 << 20);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_add_text(&out, "erasure", erasure->id);
    at_json_add_time(&out, "at", erasure->at_ms);
    at_json_add_text(&out, "by", erasure->author);
    at_json_key(&out, "addresses");
    at_json_open(&out, '{');
    for (size_t i = 0; i < erasure->suppressed_count; i++) {
        at_json_key_text(&out, erasure->suppressed[i].hash);
        at_json_put_text(&out, erasure->suppressed[i].kind);
    }
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    at_bytes_add(&bytes, "\n", 1);
    enum at_status status = bytes.failed ? at_fail(err, AT_NOMEM, NULL, "no memory to note who is erased")
                                         : append(shop, (struct at_text){bytes.data, bytes.length}, err);
    at_bytes_clear(&bytes);
    return status;
}

/* ---- all lines ---- */

enum at_status forgotten_lines(struct at_shop *shop, forgotten_line_fn *take, void *arg,
                               struct at_error *err) {
    char *path = path_of(shop, LOG_FILE, ""), *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    if (!path) return at_fail(err, AT_NOMEM, NULL, "no memory to read " LOG_FILE);
    FILE *file = fopen(path, "re");
    bool is_absent = !file && errno == ENOENT;
    bool goes_on = true;
    while (file && goes_on && (length = getline(&line, &room, file)) > 0)
        goes_on = take(arg, (struct at_text){line, (size_t)length});
    enum at_status status =
        (!file && !is_absent) || (file && ferror(file)) ? fail_file(LOG_FILE, err) : AT_OK;
    if (status == AT_OK && goes_on && length < 0 && file && !feof(file))
        status = at_fail(err, AT_NOMEM, NULL, "no memory to read " LOG_FILE);
    if (file) fclose(file);
    free(line);
    free(path);
    return status;
}
