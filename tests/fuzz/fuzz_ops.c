/* fuzz_ops.c - any bytes as a profile of a GPU, or as a workload that is one JSON document. The
 * first byte picks the format.                                                    */
#include "tests/fuzz/fuzz_formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"kineto", "disb"};
    if (size)
        fuzz_format(import_format(formats[data[0] % 2]), data + 1, size - 1);
    return 0;
}
