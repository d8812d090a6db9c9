/* SPDX-License-Identifier: Apache-2.0
 *
 * POST and GET /v1/backup: one backup at a time, on a thread of its own for as long as it takes. Who asked
 * for it waits for its end; how far it is anyone may ask meanwhile. Owns the thread and what is known of the
 * last one. Invariant: is_running is let go on the worker of who waits, after whom nobody else looks at the
 * job.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shop/internal.h"

#define PATH_BYTES 4096
#define STOP_US    20000

struct backup {
    struct at_shop *shop;
    pthread_t thread; /* joined before the next one starts, and at the end */
    bool has_thread;
    _Atomic bool is_copied; /* the thread is done with the store */
    struct at_job *job;     /* who waits */
    struct at_task hop;
    pthread_mutex_t mutex; /* guards what follows */
    bool is_running, is_known;
    char path[PATH_BYTES];
    bool replaces;
    enum at_status status;
    struct at_error err;
    struct at_backup_progress progress;
    struct at_backup_result result;
    int64_t at_ms;
    uint64_t began_ns, took_ns;
};

enum at_status backup_open(struct at_shop *shop, struct at_error *err) {
    shop->backup = calloc(1, sizeof *shop->backup);
    if (!shop->backup) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    shop->backup->shop = shop;
    pthread_mutex_init(&shop->backup->mutex, NULL);
    return AT_OK;
}

/* ---- what is known ---- */

static const char *state_of(const struct backup *backup) {
    if (!backup->is_known) return "none";
    if (backup->is_running) return backup->progress.is_checking ? "checking" : "copying";
    return backup->status == AT_OK ? "done" : "failed";
}

static void put_error(const struct at_error *err, struct at_json_out *out) {
    at_json_key(out, "error");
    at_json_open(out, '{');
    at_json_add_string(out, "code", err->code);
    at_json_add_string(out, "message", err->message);
    at_json_close(out, '}');
}

static void put_state(struct backup *backup, struct at_json_out *out) {
    pthread_mutex_lock(&backup->mutex);
    uint64_t took_ns = backup->is_running ? at_ticks_ns() - backup->began_ns : backup->took_ns;
    at_json_open(out, '{');
    at_json_add_string(out, "state", state_of(backup));
    if (backup->is_known) {
        at_json_add_string(out, "file", backup->path);
        at_json_add_time(out, "at", backup->at_ms);
        at_json_add_int(out, "done_bytes", (int64_t)backup->progress.done_bytes);
        at_json_add_int(out, "total_bytes", (int64_t)backup->progress.total_bytes);
        at_json_key(out, "seconds");
        at_json_put_rounded(out, (double)took_ns / 1e9);
    }
    if (backup->is_known && !backup->is_running && backup->status == AT_OK) {
        at_json_add_int(out, "bytes", (int64_t)backup->result.bytes);
        at_json_add_int(out, "events", (int64_t)backup->result.events);
    }
    if (backup->is_known && !backup->is_running && backup->status != AT_OK) put_error(&backup->err, out);
    at_json_close(out, '}');
    pthread_mutex_unlock(&backup->mutex);
}

void at_shop_backup_state(struct at_job *job) {
    struct at_json_out out = at_json_out(&job->out);
    put_state(job->worker->shop->backup, &out);
    job_end(job, AT_OK);
}

/* ---- the thread ---- */

static void note_progress(void *arg, const struct at_backup_progress *progress) {
    struct backup *backup = arg;
    pthread_mutex_lock(&backup->mutex);
    backup->progress = *progress;
    pthread_mutex_unlock(&backup->mutex);
}

static void tell(const struct backup *backup) {
    const struct at_log *log = at_shop_log(backup->shop);
    if (backup->status == AT_OK)
        at_log(log, AT_LOG_INFO, "backup", "%s: %.1f MB, %llu events, %.1f s", backup->path,
               (double)backup->result.bytes / 1e6, (unsigned long long)backup->result.events,
               (double)backup->took_ns / 1e9);
    else
        at_log(log, AT_LOG_WARN, "backup", "%s", backup->err.message);
}

static void back_home(struct at_task *hop) {
    struct backup *backup = (struct backup *)((char *)hop - offsetof(struct backup, hop));
    struct at_job *job = backup->job;
    pthread_mutex_lock(&backup->mutex);
    backup->is_running = false;
    enum at_status status = backup->status;
    job->err = backup->err;
    pthread_mutex_unlock(&backup->mutex);
    struct at_json_out out = at_json_out(&job->out);
    if (status == AT_OK) put_state(backup, &out);
    job_end(job, status);
}

static void make_backup(void *arg) {
    struct backup *backup = arg;
    struct at_shop *shop = backup->shop;
    struct at_error err;
    struct at_backup_result result = {0};
    struct at_backup what = {.path = backup->path,
                             .replaces = backup->replaces,
                             .now_ms = backup->at_ms,
                             .progress = note_progress,
                             .arg = backup};
    enum at_status status = at_store_backup(shop->store, &what, &result, &err);
    pthread_mutex_lock(&backup->mutex);
    backup->status = status;
    backup->err = err;
    backup->result = result;
    backup->took_ns = at_ticks_ns() - backup->began_ns;
    pthread_mutex_unlock(&backup->mutex);
    count_add(shop, status == AT_OK ? COUNT_BACKUPS : COUNT_BACKUPS_FAILED, 1);
    tell(backup);
    atomic_store(&backup->is_copied, true);
    worker_hop(backup->job->worker, &backup->hop);
}

static enum at_status start(struct backup *backup, struct at_job *job, struct at_text path, bool replaces) {
    if (backup->has_thread) at_thread_join(backup->thread); /* it has said that it is over */
    backup->has_thread = false;
    backup->job = job;
    backup->hop.run = back_home;
    memcpy(backup->path, path.data, path.length);
    backup->path[path.length] = 0;
    backup->replaces = replaces;
    backup->progress = (struct at_backup_progress){0};
    backup->at_ms = at_shop_now(backup->shop);
    backup->began_ns = at_ticks_ns();
    atomic_store(&backup->is_copied, false);
    enum at_status status =
        at_thread_start(&backup->thread, "attune-backup", make_backup, backup, 0, &job->err);
    if (status == AT_OK) backup->has_thread = backup->is_running = backup->is_known = true;
    return status;
}

void at_shop_backup(struct at_job *job, struct at_text path, bool replaces) {
    struct backup *backup = job->worker->shop->backup;
    enum at_status status;
    if (path.length < 2 || path.data[0] != '/' || path.data[path.length - 1] == '/' ||
        path.length >= PATH_BYTES - sizeof ".part" || memchr(path.data, 0, path.length))
        return job_end(job, at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_path", "file",
                                          "file is the whole path of the backup, such as /backups/shop.db"));
    pthread_mutex_lock(&backup->mutex);
    if (backup->is_running)
        status = at_fail(&job->err, AT_CONFLICT, "backup_running", "another backup is under way: to %s",
                         backup->path);
    else
        status = start(backup, job, path, replaces);
    pthread_mutex_unlock(&backup->mutex);
    if (status != AT_OK) job_end(job, status);
}

/* ---- the end ---- */

void at_shop_backup_stop(struct at_shop *shop) {
    if (shop->store) at_store_backup_stop(shop->store);
}

void backup_end(struct at_shop *shop) {
    struct backup *backup = shop->backup;
    if (!backup || !backup->has_thread) return;
    while (!atomic_load(&backup->is_copied)) { /* more than once: it may have been between two of its steps */
        at_shop_backup_stop(shop);
        usleep(STOP_US);
    }
    at_thread_join(backup->thread);
    backup->has_thread = false;
}

void backup_close(struct at_shop *shop) {
    if (!shop->backup) return;
    pthread_mutex_destroy(&shop->backup->mutex);
    free(shop->backup);
    shop->backup = NULL;
}
