/* packing_curve.h - what was allocated, and what was a fragment, by the load that had arrived.
 *
 * As Weng et al. average theirs: arrivals are put into bins by the arrived load, in whole percent
 * of the cluster's GPUs, and the value at a load is the mean over the arrivals of its bin; where
 * one pod leaps over a bin, over those of its two neighbours.  Where it leaps over all three, what
 * held before it counts.                                                         */
#ifndef MODELS_CLUSTER_PACKING_CURVE_H
#define MODELS_CLUSTER_PACKING_CURVE_H

#include <stdint.h>

#include "sim/measures.h"

#define PACKING_LOAD_MAX 1000 /* % */
struct packing_curve {
    struct {
        uint32_t n;
        double allocated, fragmented; /* sums */
    } bin[PACKING_LOAD_MAX + 2];
    uint32_t top; /* the last one used */
};

/* All in % of the cluster's GPUs. */
void packing_curve_add(struct packing_curve *c, double arrived, double allocated,
                       double fragmented);
/* "allocation.100", "fragmented.100": every ten percent. */
void packing_curve_report(const struct packing_curve *c, struct measures *out);

#endif
