/* SPDX-License-Identifier: Apache-2.0
 *
 * A SQLite VFS over the system's for tests: it can forget every write that was not synced, as a machine that
 * loses its power does, make a sync slow, let syncs fail, and be full. One for the process; included with its
 * .c by a test.
 */
#ifndef AT_TESTS_FORGETFUL_VFS_H
#define AT_TESTS_FORGETFUL_VFS_H

#define FORGETFUL_VFS "forgetful"

void forgetful_register(void);
void forgetful_delay_ms(int ms);   /* of each sync from now on */
void forgetful_fail_syncs(int on); /* syncs fail; what was written stays written, unsynced */
void forgetful_fail_next_sync(void);
void forgetful_be_full(int on); /* writes that make a file longer fail */
int forgetful_syncs(void);      /* syncs that succeeded so far */
/* The power is gone: every operation fails from now on. Close what is open, then … */
void forgetful_die(void);
/* … wake up: the files are as they were at each one's last sync. */
void forgetful_wake(void);
/* … or: only the process was gone, all that was written is there. */
void forgetful_wake_remembering(void);

#endif
