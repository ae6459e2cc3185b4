/* uvm_params.c - constants of unified memory, from the profile. */
#include "models/gpu/uvm.h"

struct reader {
    struct machine_use *u;
    struct err *e;
    int rc;
};

static double number(struct reader *r, const char *name, enum quantity q)
{
    double v = 0;
    if (!r->rc)
        r->rc = machine_value(r->u, name, q, &v, r->e);
    return v;
}

int uvm_params_read(struct uvm_params *p, struct machine_use *u, struct err *e)
{
    struct reader r = {.u = u, .e = e};
    double memory = number(&r, "gpu.memory", QUANTITY_BYTES);
    double reserve = number(&r, "uvm.reserve", QUANTITY_BYTES);
    double link = number(&r, "link.pcie", QUANTITY_RATE);
    if (!r.rc && (link <= 0 || memory < reserve + 64 * (double)UVM_BLOCK))
        r.rc =
            err_set(e, ERR_ERANGE,
                    "machine \"%s\": unified memory wants a link.pcie, and 128 MiB of gpu.memory "
                    "beside uvm.reserve",
                    u->machine->name);
    p->memory = (uint64_t)(r.rc ? 0 : memory - reserve);
    p->in = p->out = r.rc ? 0 : 1e12 / link;
    p->batch = (uint32_t)number(&r, "uvm.batch", QUANTITY_COUNT);
    p->threshold = (uint32_t)number(&r, "uvm.threshold", QUANTITY_COUNT);
    p->service = (sim_cost)number(&r, "uvm.service", QUANTITY_TIME);
    p->sms = (uint32_t)number(&r, "gpu.sms", QUANTITY_COUNT);
    p->tlb_sms = (uint32_t)number(&r, "uvm.tlb.sms", QUANTITY_COUNT);
    p->held = (uint32_t)number(&r, "uvm.tlb.faults", QUANTITY_COUNT);
    if (!r.rc && (!p->batch || !p->sms || !p->tlb_sms || !p->held))
        r.rc = err_set(e, ERR_ERANGE,
                       "machine \"%s\": uvm.batch, gpu.sms, uvm.tlb.sms, uvm.tlb.faults: "
                       "want at least 1 of each",
                       u->machine->name);
    return r.rc;
}
