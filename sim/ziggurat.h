/* ziggurat.h - constant tables of the ziggurat method (rng_exponential,
 * rng_normal).  tools/ziggurat-tables wrote them; nothing computes them at
 * run time, so there is nothing to initialise and nothing to differ.        */
#ifndef SIM_ZIGGURAT_H
#define SIM_ZIGGURAT_H

#include <stdint.h>

struct ziggurat {
    double edge; /* where the tail begins */
    struct {
        uint64_t inside; /* 53-bit fractions below this lie under the curve for certain */
        double width;    /* of the layer, times 2^-53 */
    } layer[256];
    double height[257]; /* of the curve at the layer's outer edge; the last is 1 */
};

extern const struct ziggurat ziggurat_exp, ziggurat_normal;

#endif
