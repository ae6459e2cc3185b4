#include "models/gpu/rescale.h"

#define RESCALE_LONGEST (UINT64_C(1) << 53) /* ns */

struct raw {
    double sms, bandwidth_gbs, tflops, link_gbs, peer_gbs;
};
static const struct config_field fields[] = {
    CONFIG_F64(struct raw, sms, 1, 1e6, false),
    CONFIG_F64(struct raw, bandwidth_gbs, 1e-3, 1e9, false),
    CONFIG_F64(struct raw, tflops, 1e-3, 1e9, false),
    CONFIG_F64(struct raw, link_gbs, 1e-3, 1e9, false),
    CONFIG_F64(struct raw, peer_gbs, 1e-3, 1e9, false),
    CONFIG_END,
};

int rescale_config(struct rescale_from *f, const struct config *section, struct err *e)
{
    struct raw in = {0};
    int rc = section ? config_fill(section, fields, &in, e) : 0;
    if (!rc)
        *f = (struct rescale_from){.sms = in.sms,
                                   .bandwidth = in.bandwidth_gbs * 1e9,
                                   .flops = in.tflops * 1e12,
                                   .link = in.link_gbs * 1e9,
                                   .peer = in.peer_gbs * 1e9};
    return rc;
}

static uint64_t ratio(double from, double to)
{
    if (from <= 0 || to <= 0)
        return RESCALE_ONE;
    uint64_t r = (uint64_t)(from / to * (double)RESCALE_ONE + 0.5);
    return r ? r : 1;
}

void rescale_begin(struct rescale *r, const struct rescale_from *f, const struct device_params *to)
{
    r->compute =
        f->flops > 0 && to->flops > 0 ? ratio(f->flops, to->flops) : ratio(f->sms, (double)to->sms);
    r->memory = ratio(f->bandwidth, to->bandwidth);
    r->unknown = r->compute > r->memory ? r->compute : r->memory;
    r->link = ratio(f->link, to->link);
    r->peer = ratio(f->peer, to->peer);
}

static uint64_t factor(const struct rescale *r, const struct trace_op *op)
{
    switch (op->kind) {
    case TRACE_OP_H2D:
    case TRACE_OP_D2H:
        return r->link;
    case TRACE_OP_P2P:
    case TRACE_OP_COMM:
        return r->peer;
    case TRACE_OP_D2D:
    case TRACE_OP_MEMSET:
        return r->memory;
    default:
        return op->bound == TRACE_OP_BOUND_COMPUTE  ? r->compute
               : op->bound == TRACE_OP_BOUND_MEMORY ? r->memory
                                                    : r->unknown;
    }
}

uint64_t rescale_ns(const struct rescale *r, const struct trace_op *op)
{
    uint64_t k = factor(r, op);
    if (k == RESCALE_ONE)
        return op->duration_ns;
    const unsigned __int128 ns = (unsigned __int128)op->duration_ns * k >> 20;
    return ns < RESCALE_LONGEST ? (uint64_t)ns : RESCALE_LONGEST;
}
