/* fuzz_ops.c - any bytes as a timeline of GPUs, or as arrivals at them. The first byte picks the
 * format.                                                                     */
#include "tests/fuzz/fuzz_formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"orion", "kineto", "nsys", "disb"};
    const struct import_format *f = size ? import_format(formats[data[0] % 4]) : NULL;
    if (f)
        fuzz_format(f, data + 1, size - 1);
    return 0;
}
