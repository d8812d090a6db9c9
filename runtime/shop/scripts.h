/* SPDX-License-Identifier: Apache-2.0
 *
 * Scripts on their way to serving, shared by scripts.c (from the folder) and publish.c (over the
 * API, and back to an earlier one). Back worker only, but at start.
 */
#ifndef AT_SHOP_SCRIPTS_H
#define AT_SHOP_SCRIPTS_H

#include "shop/folder.h"

struct proposal { /* files that want to serve */
    struct at_source_file *files;
    uint32_t count;
    const char *source, *message, *author;
    struct at_build build; /* findings are here */
    struct at_generation *generation;
    struct at_arena *arena;
    struct at_json confirm; /* names of rails that may withhold much, or fail */
    bool is_way_back;       /* to what served before: it must be open */
    uint32_t refusals;      /* of its rails */
};
/* publish.c: puts into its files what a request changes of them, {"path":"text" or null}; *changes as the
 * folder is to be written. AT_INVALID, AT_UNPROCESSABLE. */
enum at_status proposal_change(struct at_job *job, struct proposal *proposal, struct at_json files,
                               struct folder_change **changes, uint32_t *count) AT_MUST_CHECK;
/* Checks and builds. AT_UNPROCESSABLE: build.findings say why. */
enum at_status proposal_build(struct at_shop *shop, struct proposal *proposal,
                              struct at_error *err) AT_MUST_CHECK;
/* Builds, and judges what was built: its rails over the whole catalog, its tests within AT_TESTS_BOUND_NS of
 * the processor. What no publish may leave out; not for what served before: that is how one gets out of
 * trouble. As proposal_build; AT_INVALID: it is confirmed what is not there. */
enum at_status proposal_judge(struct at_shop *shop, struct proposal *proposal,
                              struct at_error *err) AT_MUST_CHECK;
/* rails_check.c: every rail over the whole catalog. AT_UNPROCESSABLE: build.findings say which. */
enum at_status rails_check(struct at_shop *shop, struct proposal *proposal,
                           struct at_error *err) AT_MUST_CHECK;
/* segment_preview.c: how many would enter and leave each segment that says something else: a warning each, in
 * build.findings. That it could not be found out holds nothing up: the log says it. */
void segments_preview(struct at_shop *shop, struct proposal *proposal, bool is_logged);
/* Gives it a number, prepares every worker's state, makes it durable, switches. Takes the generation over in
 * any case. held: the folder is held from now on. */
enum at_status proposal_publish(struct at_shop *shop, struct proposal *proposal, bool holds,
                                struct at_error *err) AT_MUST_CHECK;
/* Number of the generation that serves; 0: none. files of it are lent while the caller is the back worker. */
const struct at_generation *serving_now(struct at_shop *shop);
void findings_write(const struct at_build *build, bool errors, struct at_json_out *out);
void findings_log(struct at_shop *shop, const struct proposal *proposal);
/* Files as at_source_file from a stored generation; AT_NOTFOUND. */
enum at_status stored_files(struct at_shop *shop, uint64_t id, struct at_arena *arena,
                            struct at_source_file **files, uint32_t *count) AT_MUST_CHECK;
/* Remember what in the folder must change before saving publishes again. */
enum at_status hold_folder(struct at_shop *shop, const struct at_source_file *serving, uint32_t serving_count,
                           const struct at_source_file *folder, uint32_t folder_count) AT_MUST_CHECK;
/* True: still held. */
bool is_still_held(struct at_shop *shop, const struct at_source_file *folder, uint32_t count);
enum at_status set_held(struct at_shop *shop, bool is_held) AT_MUST_CHECK;

#endif
