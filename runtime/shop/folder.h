/* SPDX-License-Identifier: Apache-2.0
 *
 * The script files of a shop's folder as one consistent picture, and putting files into it all or nothing.
 */
#ifndef AT_SHOP_FOLDER_H
#define AT_SHOP_FOLDER_H

#include "shop/internal.h"

#define FOLDER_FILES_MAX 1000
#define FOLDER_DEPTH_MAX 8

/* The .lua files below scripts/ in path order, in the arena; dotfiles and editors' leavings are skipped. A
 * file that changes while it is read makes it begin again (AT_BUSY after ten times). */
enum at_status folder_read(const char *folder, struct at_arena *arena, struct at_source_file **files,
                           uint32_t *count, struct at_error *err) AT_MUST_CHECK;
/* The text of one file ("shop.lua"); AT_NOTFOUND. */
enum at_status folder_read_file(const char *folder, const char *path, struct at_arena *arena,
                                struct at_text *out, struct at_error *err) AT_MUST_CHECK;
struct folder_change {
    struct at_text path, text; /* text.data NULL: the file goes */
};
/* Everything is written beside first; then renamed. */
enum at_status folder_write(const char *folder, const struct folder_change *changes, uint32_t count,
                            struct at_error *err) AT_MUST_CHECK;
/* "scripts/…/name.lua" without .. or hidden parts; else AT_UNPROCESSABLE says why. */
enum at_status folder_check_path(struct at_text path, struct at_error *err) AT_MUST_CHECK;
/* Calls fn for the scripts folder and every folder below it. */
void folder_walk(const char *folder, void (*fn)(void *arg, const char *directory), void *arg);

#endif
