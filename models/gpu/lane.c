#include "models/gpu/lane.h"

static const enum device_kind kinds[] = {
    [TRACE_OP_KERNEL] = DEVICE_KERNEL, [TRACE_OP_H2D] = DEVICE_H2D,
    [TRACE_OP_D2H] = DEVICE_D2H,       [TRACE_OP_D2D] = DEVICE_D2D,
    [TRACE_OP_P2P] = DEVICE_P2P,       [TRACE_OP_MEMSET] = DEVICE_MEMSET,
    [TRACE_OP_COMM] = DEVICE_KERNEL,
};

bool lane_copies(const struct plan_op *op)
{
    return op->kind == TRACE_OP_H2D || op->kind == TRACE_OP_D2H || op->kind == TRACE_OP_P2P;
}

void lane_submit(const struct lane *l, const struct plan_op *op, uint64_t lead,
                 const struct device_call *call)
{
    const struct device_work w = {.kind = kinds[op->kind],
                                  .lead = lead * 1000,
                                  .alone = (op->duration + !op->duration) * 1000,
                                  .bytes = op->bytes,
                                  .sms = op->sms,
                                  .waves = op->waves,
                                  .loads = op->loads,
                                  .compute = op->compute,
                                  .bandwidth = op->bandwidth};
    const struct dispatch_profile p = {.bound = op->bound};
    if (l->stream)
        device_submit(l->stream, &w, call);
    else
        dispatch_submit(l->dispatched, &w, &p, call);
}
