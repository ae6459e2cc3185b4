/* fuzz_tables.c - any bytes as a log of jobs or as a table of costs. The first byte picks the
 * format.                                                                     */
#include "tests/fuzz/fuzz_formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"philly", "pai-sim", "costs-csv"};
    const struct import_format *f = size ? import_format(formats[data[0] % 3]) : NULL;
    if (f)
        fuzz_format(f, data + 1, size - 1);
    return 0;
}
