/* place_features.h - how a page's past looks to a network that foresees how
 * warm it will be; for mem.place policies and for their training.
 *
 * A history is the bins of the accesses of PLACE_STEPS periods, the last one
 * last; what is foreseen is the bin of the next.  Kleio bins counts by 20; ours
 * have two bins to an octave, so that one network does for any length of
 * period: 0, 1, 2, 3, 4-5, 6-7, 8-11, 12-15, ..                              */
#ifndef POLICIES_PLACE_FEATURES_H
#define POLICIES_PLACE_FEATURES_H

#include <stdint.h>

#define PLACE_VERSION 1 /* of the features: weights name it */
#define PLACE_STEPS   6 /* periods of history (Kleio's) */
#define PLACE_BINS    32

static inline uint32_t place_bin(uint32_t accesses)
{
    uint32_t octave = 0;
    if (accesses < 2)
        return accesses;
    while (accesses >> octave > 1)
        octave++;
    const uint32_t bin = 2 * octave + (accesses >> (octave - 1) & 1);
    return bin < PLACE_BINS ? bin : PLACE_BINS - 1;
}

/* The middle of a bin. */
static inline double place_bin_mean(uint32_t bin)
{
    if (bin < 4)
        return bin;
    const double width = (double)(UINT64_C(1) << (bin / 2 - 1));
    return width * (2 + bin % 2) + (width - 1) / 2;
}

/* Accesses expected of what a network says of each bin.  What it thinks less likely than chance
 * does not count: the highest bins stand for so many accesses that a trace of doubt would decide.
 */
static inline double place_expected(const float p[PLACE_BINS])
{
    double sum = 0;
    for (uint32_t i = 1; i < PLACE_BINS; i++)
        sum += p[i] * PLACE_BINS >= 1 ? (double)p[i] * place_bin_mean(i) : 0;
    return sum;
}

#endif
