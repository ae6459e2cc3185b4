/* lane.h - where a tenant's stream leads: to the device, or to the dispatcher before it. */
#ifndef MODELS_GPU_LANE_H
#define MODELS_GPU_LANE_H

#include "models/gpu/dispatch.h"
#include "models/gpu/plan.h"

struct lane { /* one of the two */
    struct device_stream *stream;
    struct dispatch_stream *dispatched;
};

/* A copy over a link: it has no lead, for its engine does not wait for its context's turn. */
bool lane_copies(const struct plan_op *op);
/* lead: ns after the stream's previous command. */
void lane_submit(const struct lane *l, const struct plan_op *op, uint64_t lead,
                 const struct device_call *call);

#endif
