/* fuzz_import.c - any bytes as a published trace of requests, jobs or nodes. The first byte picks
 * the format.                                                               */
#include "tests/fuzz/fuzz_formats.h"

#define FIRST   0
#define FORMATS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size)
        fuzz_format(import_format_at(FIRST + data[0] % FORMATS), data + 1, size - 1);
    return 0;
}
