/* calibrate_gpu.h - what the probes of a GPU share.
 *
 * Each adds leaves of the sections that a device model reads (models/gpu/device.h), and some that
 * only people read.  Times of the host are by `now`: tests bring a clock of their own.          */
#ifndef HARNESS_CALIBRATE_CALIBRATE_GPU_H
#define HARNESS_CALIBRATE_CALIBRATE_GPU_H

#include "gpu-kernels/cuprobe.h"
#include "harness/calibrate/calibrate.h"

struct calibrate_gpu {
    struct calibration *c;
    uint64_t (*now)(void); /* ns */
    struct cuprobe p;
};

/* All of them, on device 0; ERR_EFAIL: there is none, or it failed. */
int calibrate_gpu_with(struct calibrate_gpu *g, struct err *e) MUST_CHECK;

void calibrate_gpu_facts(struct calibrate_gpu *g);
void calibrate_gpu_launch(struct calibrate_gpu *g);
void calibrate_gpu_streams(struct calibrate_gpu *g);
void calibrate_gpu_copies(struct calibrate_gpu *g);
void calibrate_gpu_memory(struct calibrate_gpu *g);
/* Before the driver is opened here: it forks. */
int calibrate_gpu_slices(struct calibrate_gpu *g, struct err *e) MUST_CHECK;

/* From what two contexts saw that spun at the same time: medians, in us.  False: they did not take
 * turns. */
bool calibrate_gpu_turns(const struct probe_spins *a, const struct probe_spins *b, double *slice,
                         double *gap);
/* calibrate_add, with the device in the method. */
void calibrate_gpu_add(struct calibrate_gpu *g, const char *name, const char *unit, double *sample,
                       int n, const char *how);
struct calibrate_row *calibrate_gpu_table(struct calibrate_gpu *g, const char *name,
                                          const char *unit, const char *how);

#endif
