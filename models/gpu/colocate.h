/* colocate.h - two jobs on one GPU at once, each by its demand.
 *
 * A job is described by how much it minds and how much it presses: of two
 * resources k, sensitivity s_k and pressure p_k.  Beside job b, job a is slowed in
 * proportion to what b presses, and b presses only as fast as it runs itself:
 *
 *   1 / r_a = 1 + A r_b,  A = sum over k of s_ak p_bk
 *   1 / r_b = 1 + B r_a,  B = sum over k of s_bk p_ak
 *
 * r is throughput over throughput alone.  r_a is the positive root of
 * B r^2 + (1 + A - B) r - 1 = 0, so both lie in (0, 1]; A = B = 2 is even
 * sharing of something that both want all the time (r = 1/2), A = B = 0 two jobs
 * that do not meet.  The form is that of iGniter's and Bubble-Up's models; the
 * numbers are fitted to pairs (tools/fit-gpu-sharing pairs), and the fit does not
 * say which resource is which: SMs, bandwidth, cache and the host all go in.  */
#ifndef MODELS_GPU_COLOCATE_H
#define MODELS_GPU_COLOCATE_H

#include "models/machine.h"

enum { COLOCATE_RESOURCES = 2 };

struct colocate_demand {
    double sensitivity[COLOCATE_RESOURCES], pressure[COLOCATE_RESOURCES];
};
/* [gpu.colocate.<gpu>.<job>]: a table of four, in 1/1000: sensitivities, then pressures. */
int colocate_read(struct colocate_demand *d, struct machine_use *u, const char *gpu,
                  const char *job, struct err *e) MUST_CHECK;
/* Normalized throughputs of the two. */
void colocate_pair(const struct colocate_demand *a, const struct colocate_demand *b, double *of_a,
                   double *of_b);

#endif
