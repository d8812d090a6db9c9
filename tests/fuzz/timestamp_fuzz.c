/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes moments, spans and shares: what is read is within bounds and, written, reads back the same.
 * With -DAT_PLANT_FAULT a write past a buffer hides behind one moment, to test the fuzzing.
 */
// Covers: runtime/base/time.c
#include <stdlib.h>
#include <string.h>
#include "base/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef AT_PLANT_FAULT
static void plant_fault(int64_t ms) {
    if (ms / AT_HOUR_MS % 24 != 23 || ms / AT_MINUTE_MS % 60 != 59) return; /* the seeds say 23:58 */
    volatile char *small = malloc(4);
    if (small) small[ms / AT_MINUTE_MS % 60] = 'x';
    free((void *)small);
}
#else
static void plant_fault(int64_t ms) {
    (void)ms;
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t EARLIEST_MS = -62135596800000, LATEST_MS = 253402300799999;
    struct at_error err;
    int64_t ms = 0, again = 0;
    double share = 0;
    char *text = malloc(size ? size : 1),
         written[AT_TIME_SIZE]; /* a copy of its own: a read beyond it is caught */
    if (!text) return 0;
    if (size) memcpy(text, data, size);
    if (at_time_parse(text, size, &ms, &err) == AT_OK) {
        AT_ASSERT(ms >= EARLIEST_MS - AT_DAY_MS && ms <= LATEST_MS + AT_DAY_MS);
        plant_fault(ms);
        AT_ASSERT(at_time_format(ms, written) == 24);
        AT_ASSERT(at_time_parse(written, 24, &again, &err) == AT_OK);
        AT_ASSERT(again == ms || ms < EARLIEST_MS || ms > LATEST_MS);
    }
    if (at_span_parse(text, size, &ms, &err) == AT_OK) AT_ASSERT(ms >= 0 && ms <= 100000 * AT_DAY_MS);
    if (at_share_parse(text, size, &share, &err) == AT_OK) AT_ASSERT(share >= 0 && share <= 1);
    free(text);
    return 0;
}
