#include "harness/bench/bench_engine.h"

#include "sim/dmath.h"
#include "sim/ziggurat.h"

uint64_t bench_exponential(uint64_t *state, double mean)
{
    const struct ziggurat *z = &ziggurat_exp;
    for (double shift = 0;;) {
        uint64_t u = bench_u64(state), place = u >> 11;
        unsigned i = u & 255;
        double x = (double)place * z->layer[i].width;
        if (place < z->layer[i].inside)
            return (uint64_t)((shift + x) * mean);
        if (i == 0) {
            shift += z->edge;
            continue;
        }
        double part = (double)(bench_u64(state) >> 11) * 0x1p-53;
        if (z->height[i] + part * (z->height[i + 1] - z->height[i]) < dmath_exp(-x))
            return (uint64_t)((shift + x) * mean);
    }
}

int bench_engine(struct bench *b, struct err *e)
{
    int rc = bench_phold(b, e);
    if (!rc)
        rc = bench_mm1(b, e);
    return rc ? rc : bench_hold(b, e);
}
