/* slice_speed.h - how much slower a job is on a part of a GPU.
 *
 * An iteration has work of the host (Python, launches, input), which does not
 * care how large the GPU is, and work of the GPU, which does; the two overlap
 * in part.  On a slice with 1/s of the SMs and 1/m of the memory system the
 * GPU's work takes
 *
 *   f = 1 + compute (s - 1) + memory (m - 1)
 *
 * times as long: `compute` and `memory` are the shares of GPU time that are bound
 * by SMs and by bandwidth; the rest is latency (tails of waves, dependent
 * kernels too small for either).  With g the GPU's work alone, in iterations on
 * the whole GPU, the iteration takes
 *
 *   t = ((1 - g^o) + (g f)^o)^(1/o),   0 <= g <= 1, t = 1 on the whole
 *
 * where o (`overlap`) = 1 adds host and GPU and a large o takes the larger.
 * compute, memory and overlap are the same for all jobs; g is a job's own, and
 * follows from its time on the whole and on one slice.                       */
#ifndef MODELS_GPU_SLICE_SPEED_H
#define MODELS_GPU_SLICE_SPEED_H

#include "models/machine.h"

struct slice_speed {
    double compute, memory, overlap;
};
/* [gpu.slice.compute], [gpu.slice.memory], [gpu.slice.overlap]; shares that come to more than 1,
 * or an overlap below 1, are refused. */
int slice_speed_read(struct slice_speed *s, struct machine_use *u, struct err *e) MUST_CHECK;

/* f: sms and memory are whole over part, >= 1. */
double slice_speed_factor(const struct slice_speed *s, double sms, double memory);
/* t, in iterations on the whole. */
double slice_speed_time(const struct slice_speed *s, double g, double factor);
/* g from t on a slice with `factor` > 1; a t below 1 gives 0, one above the factor 1. */
double slice_speed_load(const struct slice_speed *s, double time, double factor);

#endif
