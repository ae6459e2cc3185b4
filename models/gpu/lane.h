/* lane.h - where a tenant's stream leads: to the device, or to the dispatcher before it. */
#ifndef MODELS_GPU_LANE_H
#define MODELS_GPU_LANE_H

#include "models/gpu/device.h"

struct lane {
    struct device_stream *stream;
};

static inline void lane_submit(struct lane *l, const struct device_work *w, uint32_t bound,
                               const struct device_call *call)
{
    (void)bound;
    device_submit(l->stream, w, call);
}

#endif
