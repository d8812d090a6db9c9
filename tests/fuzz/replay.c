/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives a fuzz target each file that is named, once: its corpus without a fuzzer, for coverage and to look
 * into what was found.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t size = 0, cap = 1 << 20;
    uint8_t *data = malloc(cap);
    if (file && data) size = fread(data, 1, cap, file);
    if (!file || !data || !feof(file)) {
        fprintf(stderr, "%s cannot be read, or is over 1 MiB\n", path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int count, char **paths) {
    for (int i = 1; i < count; i++) give(paths[i]);
    return 0;
}
