/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the pages of docs/reference/ into the folder given: reference DIR. Run by tools/reference.sh.
 */
#include <stdio.h>
#include "language/reference.h"

int main(int argc, char **argv) {
    for (uint32_t i = 0; argc == 2 && at_reference_page(i); i++) {
        struct at_bytes page;
        char path[1000];
        at_bytes_init(&page, 1 << 20);
        at_reference_write(i, &page);
        snprintf(path, sizeof path, "%s/%s", argv[1], at_reference_page(i));
        FILE *to = page.failed ? NULL : fopen(path, "w");
        bool is_written = to && fwrite(page.data, 1, page.length, to) == page.length;
        if (to && fclose(to)) is_written = false;
        at_bytes_clear(&page);
        if (!is_written) return fprintf(stderr, "cannot write %s\n", path), 1;
    }
    return argc != 2;
}
