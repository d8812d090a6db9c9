/* SPDX-License-Identifier: Apache-2.0
 *
 * Put before the program with LD_PRELOAD: fdatasync and fsync take SYNC_DELAY_MS longer, and fail while the
 * file SYNC_FAIL exists.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static int held_back(const char *name, int fd) {
    const char *delay = getenv("SYNC_DELAY_MS"), *fail = getenv("SYNC_FAIL");
    int (*real)(int);
    if (delay) usleep((useconds_t)atoi(delay) * 1000);
    if (fail && access(fail, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, name);
    return real(fd);
}

int fdatasync(int fd) {
    return held_back("fdatasync", fd);
}

int fsync(int fd) {
    return held_back("fsync", fd);
}
