#include "sim/breakdown.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FINE 6 /* bits of a total below its highest that a bucket keeps */
#define WIDE (1u << FINE)

static struct breakdown_bucket *bucket_of(struct breakdown *b, uint64_t total)
{
    const unsigned octave = total < WIDE ? 0 : 63 - FINE + 1 - (unsigned)__builtin_clzll(total);
    if (!b->octave[octave] && !(b->octave[octave] = calloc(WIDE, sizeof **b->octave)))
        return NULL;
    return &b->octave[octave][(octave ? total >> (octave - 1) : total) & (WIDE - 1)];
}

void breakdown_free(struct breakdown *b)
{
    for (unsigned i = 0; i < BREAKDOWN_OCTAVES; i++)
        free(b->octave[i]);
    *b = (struct breakdown){.parts = b->parts};
}

void breakdown_add(struct breakdown *b, const uint64_t *part)
{
    uint64_t total = 0;
    assert(b->parts <= BREAKDOWN_PARTS);
    for (uint32_t i = 0; i < b->parts; i++)
        total += part[i];
    struct breakdown_bucket *k = bucket_of(b, total);
    if (!k) {
        b->failed = true;
        return;
    }
    b->count++;
    k->count++;
    for (uint32_t i = 0; i < b->parts; i++)
        k->sum[i] += part[i];
}

uint64_t breakdown_from(const struct breakdown *b, double q, uint64_t *sum)
{
    const double rank = ceil(q * (double)b->count);
    const uint64_t want = b->count - (rank > 1 ? (uint64_t)rank - 1 : 0);
    uint64_t n = 0;
    for (uint32_t i = 0; i < b->parts; i++)
        sum[i] = 0;
    for (unsigned o = BREAKDOWN_OCTAVES; o-- > 0 && n < want;)
        for (unsigned f = WIDE; b->octave[o] && f-- > 0 && n < want;) {
            n += b->octave[o][f].count;
            for (uint32_t i = 0; i < b->parts; i++)
                sum[i] += b->octave[o][f].sum[i];
        }
    return n;
}

static void report(const struct breakdown *b, double q, const char *prefix, const char *tail,
                   const char *const *name, struct measures *out)
{
    uint64_t sum[BREAKDOWN_PARTS], total = 0;
    char full[96];
    breakdown_from(b, q, sum);
    for (uint32_t i = 0; i < b->parts; i++)
        total += sum[i];
    for (uint32_t i = 0; i < b->parts; i++) {
        snprintf(full, sizeof full, "%s%s.%s", prefix, tail, name[i]);
        measures_number(out, full, "1", BETTER_NONE, total ? (double)sum[i] / (double)total : 0);
    }
}

void breakdown_report(const struct breakdown *b, const char *prefix, const char *const *name,
                      struct measures *out)
{
    out->failed |= b->failed;
    report(b, 0, prefix, "", name, out);
    report(b, 0.99, prefix, "_p99", name, out);
}
