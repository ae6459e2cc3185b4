/* fuzz_tables.c - any bytes as a log of jobs, a table of costs or a benchmark's requests. The first
 * byte picks the format.                                                      */
#include "tests/fuzz/fuzz_formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"philly", "pai-sim", "costs-csv", "llmservingsim",
                                          "vllm-bench"};
    const struct import_format *f = size ? import_format(formats[data[0] % 5]) : NULL;
    if (f)
        fuzz_format(f, data + 1, size - 1);
    return 0;
}
