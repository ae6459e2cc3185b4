/* fuzz_rows.c - any bytes as a published trace of io, pages, scheduler events or a VM. The first
 * byte picks the format.                                                               */
#include "tests/fuzz/fuzz_formats.h"

#define FIRST   5
#define FORMATS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size)
        fuzz_format(import_format_at(FIRST + data[0] % FORMATS), data + 1, size - 1);
    return 0;
}
