/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes go to the real file at once, and what they replaced is kept until the file's next sync. Forgetting
 * puts it back, newest first. Syncs themselves are not passed on: the process lives, so the system's cache is
 * disk enough.
 */
#include "forgetful_vfs.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct undo {
    struct undo *next;
    sqlite3_int64 offset, size_before;
    size_t length;
    unsigned char bytes[];
};
struct memory { /* of one path */
    struct memory *next;
    char path[512];
    struct undo *undos; /* newest first */
};
struct forgetful_file {
    sqlite3_file base;
    struct memory *memory; /* NULL: a temporary file */
    sqlite3_file *real;    /* behind this struct */
};

static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory *memories;
static atomic_int delay_ms, fails_syncs, fails_once, is_full, is_dead, sync_count;
static sqlite3_vfs vfs;
static sqlite3_io_methods methods;

static sqlite3_file *real_of(sqlite3_file *file) {
    return ((struct forgetful_file *)file)->real;
}

static void drop_undos(struct memory *memory) {
    while (memory->undos) {
        struct undo *next = memory->undos->next;
        free(memory->undos);
        memory->undos = next;
    }
}

static struct memory *memory_of(const char *path) {
    struct memory *memory;
    if (!path) return NULL;
    pthread_mutex_lock(&memory_lock);
    for (memory = memories; memory && strcmp(memory->path, path) != 0;) memory = memory->next;
    if (!memory) {
        memory = calloc(1, sizeof(*memory));
        if (!memory) abort();
        snprintf(memory->path, sizeof(memory->path), "%s", path);
        memory->next = memories;
        memories = memory;
    }
    pthread_mutex_unlock(&memory_lock);
    return memory;
}

/* Under the lock. */
static int remember(sqlite3_file *file, sqlite3_int64 offset, size_t length) {
    struct forgetful_file *mine = (struct forgetful_file *)file;
    struct undo *undo = calloc(1, sizeof(*undo) + length);
    if (!undo) return SQLITE_IOERR_NOMEM;
    int code = mine->real->pMethods->xFileSize(mine->real, &undo->size_before);
    undo->offset = offset;
    undo->length = length;
    if (code == SQLITE_OK && length)
        code = mine->real->pMethods->xRead(mine->real, undo->bytes, (int)length, offset);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
        free(undo);
        return code;
    }
    undo->next = mine->memory->undos;
    mine->memory->undos = undo;
    return SQLITE_OK;
}

static int file_close(sqlite3_file *file) {
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int length, sqlite3_int64 offset) {
    if (is_dead) return SQLITE_IOERR_READ;
    return real_of(file)->pMethods->xRead(real_of(file), out, length, offset);
}

static int file_write(sqlite3_file *file, const void *data, int length, sqlite3_int64 offset) {
    sqlite3_int64 size = 0;
    sqlite3_file *real = real_of(file);
    pthread_mutex_lock(&memory_lock);
    int code = is_dead ? SQLITE_IOERR_WRITE : real->pMethods->xFileSize(real, &size);
    if (code == SQLITE_OK && is_full && offset + length > size) code = SQLITE_FULL;
    if (code == SQLITE_OK && ((struct forgetful_file *)file)->memory)
        code = remember(file, offset, (size_t)length);
    if (code == SQLITE_OK) code = real->pMethods->xWrite(real, data, length, offset);
    pthread_mutex_unlock(&memory_lock);
    return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    sqlite3_int64 before = 0;
    sqlite3_file *real = real_of(file);
    pthread_mutex_lock(&memory_lock);
    int code = is_dead ? SQLITE_IOERR_TRUNCATE : real->pMethods->xFileSize(real, &before);
    if (code == SQLITE_OK && before > size && ((struct forgetful_file *)file)->memory)
        code = remember(file, size, (size_t)(before - size));
    if (code == SQLITE_OK) code = real->pMethods->xTruncate(real, size);
    pthread_mutex_unlock(&memory_lock);
    return code;
}

static int file_sync(sqlite3_file *file, int flags) {
    (void)flags;
    int ms = delay_ms;
    if (ms) usleep((useconds_t)ms * 1000);
    pthread_mutex_lock(&memory_lock);
    int code = is_dead || fails_syncs || fails_once ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    fails_once = 0;
    if (code == SQLITE_OK) {
        sync_count++;
        if (((struct forgetful_file *)file)->memory) drop_undos(((struct forgetful_file *)file)->memory);
    }
    pthread_mutex_unlock(&memory_lock);
    return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out) {
    return is_dead ? SQLITE_IOERR_FSTAT : real_of(file)->pMethods->xFileSize(real_of(file), out);
}
static int file_lock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xLock(real_of(file), level);
}
static int file_unlock(sqlite3_file *file, int level) {
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
static int file_reserved(sqlite3_file *file, int *out) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}
static int file_control(sqlite3_file *file, int op, void *arg) {
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}
static int file_sector(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}
static int file_traits(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}
static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}
static void file_shm_barrier(sqlite3_file *file) {
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}
static int file_shm_unmap(sqlite3_file *file, int is_delete) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), is_delete);
}

static sqlite3_vfs *system_vfs(void) {
    return vfs.pAppData;
}

static int vfs_open(sqlite3_vfs *self, const char *path, sqlite3_file *file, int flags, int *flags_out) {
    (void)self;
    struct forgetful_file *mine = (struct forgetful_file *)file;
    memset(mine, 0, sizeof(*mine));
    if (is_dead) return SQLITE_CANTOPEN;
    mine->real = (sqlite3_file *)(mine + 1);
    int code = system_vfs()->xOpen(system_vfs(), path, mine->real, flags, flags_out);
    if (code != SQLITE_OK) return code;
    mine->memory = memory_of(path);
    mine->base.pMethods = &methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *self, const char *path, int is_synced) {
    (void)self;
    if (is_dead) return SQLITE_IOERR_DELETE;
    struct memory *memory = memory_of(path);
    pthread_mutex_lock(&memory_lock);
    drop_undos(memory);
    pthread_mutex_unlock(&memory_lock);
    return system_vfs()->xDelete(system_vfs(), path, is_synced);
}

void forgetful_register(void) {
    if (vfs.zName) return;
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    vfs = *system;
    vfs.pNext = NULL;
    vfs.zName = FORGETFUL_VFS;
    vfs.pAppData = system;
    vfs.szOsFile = (int)sizeof(struct forgetful_file) + system->szOsFile;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    methods = (sqlite3_io_methods){
        .iVersion = 2, /* no memory maps: writes through them would go unseen */
        .xClose = file_close,
        .xRead = file_read,
        .xWrite = file_write,
        .xTruncate = file_truncate,
        .xSync = file_sync,
        .xFileSize = file_size,
        .xLock = file_lock,
        .xUnlock = file_unlock,
        .xCheckReservedLock = file_reserved,
        .xFileControl = file_control,
        .xSectorSize = file_sector,
        .xDeviceCharacteristics = file_traits,
        .xShmMap = file_shm_map,
        .xShmLock = file_shm_lock,
        .xShmBarrier = file_shm_barrier,
        .xShmUnmap = file_shm_unmap,
    };
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) abort();
}

void forgetful_delay_ms(int ms) {
    delay_ms = ms;
}
void forgetful_fail_syncs(int on) {
    fails_syncs = on;
}
void forgetful_fail_next_sync(void) {
    fails_once = 1;
}
void forgetful_be_full(int on) {
    is_full = on;
}
int forgetful_syncs(void) {
    return sync_count;
}

void forgetful_die(void) {
    pthread_mutex_lock(&memory_lock);
    is_dead = 1;
    pthread_mutex_unlock(&memory_lock);
}

void forgetful_wake(void) {
    pthread_mutex_lock(&memory_lock);
    for (struct memory *memory = memories; memory; memory = memory->next) {
        int fd = memory->undos ? open(memory->path, O_RDWR) : -1;
        if (memory->undos && fd < 0) abort();
        for (struct undo *undo = memory->undos; undo; undo = undo->next) {
            if (pwrite(fd, undo->bytes, undo->length, undo->offset) != (ssize_t)undo->length) abort();
            if (ftruncate(fd, undo->size_before) != 0) abort();
        }
        if (fd >= 0) close(fd);
        drop_undos(memory);
    }
    is_dead = 0;
    pthread_mutex_unlock(&memory_lock);
}

void forgetful_wake_remembering(void) {
    pthread_mutex_lock(&memory_lock);
    for (struct memory *memory = memories; memory; memory = memory->next) drop_undos(memory);
    is_dead = 0;
    pthread_mutex_unlock(&memory_lock);
}
