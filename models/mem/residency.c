#include "models/mem/residency.h"

#include "sim/dmath.h"

static double held(const struct residency_kind *k, int n, double time)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        if (k[i].lines > 0)
            sum += k[i].lines * -dmath_expm1(-k[i].rate / k[i].lines * time);
    return sum;
}

void residency(struct residency_kind *kind, int n, double lines)
{
    double all = 0, low = 0, high = lines;
    for (int i = 0; i < n; i++)
        all += kind[i].rate > 0 ? kind[i].lines : 0;
    if (all <= lines) {
        for (int i = 0; i < n; i++)
            kind[i].hit = 1;
        return;
    }
    while (held(kind, n, high) < lines && high < 1e300)
        high *= 2;
    for (int step = 0; step < 100; step++) {
        double mid = 0.5 * (low + high);
        *(held(kind, n, mid) < lines ? &low : &high) = mid;
    }
    for (int i = 0; i < n; i++)
        kind[i].hit = kind[i].lines > 0 ? -dmath_expm1(-kind[i].rate / kind[i].lines * high) : 1;
}
