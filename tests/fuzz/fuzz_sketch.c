/* fuzz_sketch.c - any bytes as a packed sketch: refused, or one whose answers
 * are in order and which packs to something that reads back the same.        */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "sim/sketch.h"

static void check(const struct sketch *s)
{
    double last = sketch_quantile(s, 0);
    for (int i = 1; i <= 10; i++) {
        double v = sketch_quantile(s, i / 10.0);
        assert(v >= last);
        last = v;
    }
    assert(!sketch_count(s) || (sketch_min(s) <= last && last <= sketch_max(s)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b = {0}, again = {0};
    buf_bytes(&b, data, size);
    struct sketch *s = sketch_unpack(&b);
    if (s) {
        check(s);
        sketch_pack(s, &again);
        struct sketch *t = sketch_unpack(&again);
        assert(t && sketch_count(t) == sketch_count(s));
        sketch_free(t);
    }
    sketch_free(s);
    buf_free(&b);
    buf_free(&again);
    return 0;
}
