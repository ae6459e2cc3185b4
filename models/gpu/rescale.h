/* rescale.h - how long a captured kernel takes on another GPU.
 *
 *   compute-bound   by peak FLOPS where both sides say so, else by SMs
 *   memory-bound    by peak bandwidth
 *   not known       by the smaller of the two speed-ups: it is promised no more than either
 *   copies          by the host link (D2D, memset: by bandwidth; peer: by the peer link)
 *
 * The roofline's two slopes, without its intercept: a kernel too small to fill
 * the GPU, or bound by latency, gains less than this says.  Occupancy is taken
 * anew: waves and SMs follow from the new device's limits.                   */
#ifndef MODELS_GPU_RESCALE_H
#define MODELS_GPU_RESCALE_H

#include "models/gpu/device.h"
#include "traces/record.h"

/* The GPU of the capture; 0: not said, that ratio is 1. */
struct rescale_from {
    double sms, bandwidth, flops, link, peer; /* 1, bytes/s, 1/s, bytes/s, bytes/s */
};
int rescale_config(struct rescale_from *f, const struct config *section, struct err *e) MUST_CHECK;

/* Times on the new GPU over times captured, 1/2^20, by what it is bound by. */
struct rescale {
    uint64_t compute, memory, unknown, link, peer;
};
#define RESCALE_ONE (UINT64_C(1) << 20)
void rescale_begin(struct rescale *r, const struct rescale_from *f, const struct device_params *to);
uint64_t rescale_ns(const struct rescale *r, const struct trace_op *op);

#endif
