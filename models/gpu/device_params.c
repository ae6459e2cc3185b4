/* device_params.c - what a GPU is, from its profile; what fits on an SM. */
#include <math.h>

#include "models/gpu/device.h"

static int optional(struct machine_use *u, const char *name, enum quantity q, double otherwise,
                    double *out, struct err *e)
{
    *out = otherwise;
    return machine_find(u->machine, name) ? machine_value(u, name, q, out, e) : 0;
}

static int optional_ps(struct machine_use *u, const char *name, sim_cost otherwise, sim_cost *out,
                       struct err *e)
{
    *out = otherwise;
    return machine_find(u->machine, name) ? machine_ps(u, name, out, e) : 0;
}

static int count(struct machine_use *u, const char *name, double otherwise, uint32_t *out,
                 struct err *e)
{
    double v = otherwise;
    int rc = otherwise < 0 ? machine_value(u, name, QUANTITY_COUNT, &v, e)
                           : optional(u, name, QUANTITY_COUNT, otherwise, &v, e);
    if (!rc && !(v >= 1 && v <= 1e6 && v == floor(v)))
        rc = err_set(e, ERR_ERANGE,
                     "machine \"%s\": \"%s\": got %g, want a whole number of 1 to 1e6",
                     u->machine->name, name, v);
    if (!rc)
        *out = (uint32_t)v;
    return rc;
}

static int read_chip(struct device_params *p, struct machine_use *u, struct err *e)
{
    double memory = 0, smem = 0;
    int rc = count(u, "gpu.sms", -1, &p->sms, e);
    if (!rc)
        rc = count(u, "gpu.warps_per_sm", 64, &p->warps_per_sm, e);
    if (!rc)
        rc = count(u, "gpu.blocks_per_sm", 32, &p->blocks_per_sm, e);
    if (!rc)
        rc = count(u, "gpu.registers_per_sm", 65536, &p->registers_per_sm, e);
    if (!rc)
        rc = optional(u, "gpu.smem_per_sm", QUANTITY_BYTES, 0, &smem, e);
    if (!rc)
        rc = machine_value(u, "gpu.memory", QUANTITY_BYTES, &memory, e);
    if (!rc)
        rc = machine_value(u, "gpu.bandwidth", QUANTITY_RATE, &p->bandwidth, e);
    if (!rc)
        rc = optional(u, "gpu.flops", QUANTITY_COUNT, 0, &p->flops, e);
    if (!rc && machine_find(u->machine, "gpu.reach"))
        rc = machine_table(u, "gpu.reach", &p->reach, e);
    if (!rc)
        rc = count(u, "gpu.copy_engines", 2, &p->copy_engines, e);
    if (!rc)
        rc = count(u, "gpu.queue_depth", DEVICE_QUEUE, &p->queue_depth, e);
    p->memory = (uint64_t)memory;
    p->smem_per_sm = (uint32_t)smem;
    return rc;
}

static int read_draw(struct device_params *p, struct machine_use *u, struct err *e)
{
    int rc = count(u, "gpu.draw.memory_bound", 800, &p->draw_memory, e);
    if (!rc)
        rc = count(u, "gpu.draw.compute_bound", 200, &p->draw_compute, e);
    if (!rc)
        rc = count(u, "gpu.draw.unknown", 400, &p->draw_unknown, e);
    if (!rc)
        rc = count(u, "gpu.draw.sms_of_memory_bound", 500, &p->draw_sms, e);
    return rc;
}

static int read_times(struct device_params *p, struct machine_use *u, struct err *e)
{
    int rc = optional_ps(u, "gpu.gap", 0, &p->gap, e);
    if (!rc)
        rc = optional_ps(u, "gpu.graph_gap", p->gap, &p->graph_gap, e);
    if (!rc)
        rc = machine_ps(u, "gpu.timeslice", &p->timeslice, e);
    if (!rc)
        rc = machine_ps(u, "gpu.context_switch", &p->context_switch, e);
    if (!rc)
        rc = optional_ps(u, "gpu.preempt", p->context_switch, &p->preempt, e);
    return rc;
}

static int read_link(struct device_params *p, struct machine_use *u, struct err *e)
{
    int rc = machine_value(u, "link.pcie", QUANTITY_RATE, &p->link, e);
    if (!rc)
        rc = optional(u, "link.duplex", QUANTITY_RATE, 2 * p->link, &p->duplex, e);
    if (!rc)
        rc = optional_ps(u, "link.copy_latency", 0, &p->copy_latency, e);
    if (!rc)
        rc = optional(u, "link.pageable", QUANTITY_RATE, p->link, &p->pageable, e);
    if (!rc)
        rc = optional(u, "link.nvlink", QUANTITY_RATE, p->link, &p->peer, e);
    return rc;
}

static int sane(const struct device_params *p, const struct machine_use *u, struct err *e)
{
    if (p->bandwidth < 1 || p->link < 1 || p->duplex < 1 || p->pageable < 1 || p->peer < 1)
        return err_set(e, ERR_ERANGE,
                       "machine \"%s\": a bandwidth of \"gpu\" or \"link\" is 0, want more",
                       u->machine->name);
    if (p->draw_memory > DEVICE_MILLI || p->draw_compute > DEVICE_MILLI ||
        p->draw_unknown > DEVICE_MILLI || p->draw_sms > DEVICE_MILLI)
        return err_set(e, ERR_ERANGE,
                       "machine \"%s\": a part in \"gpu.draw\" is above 1000, want 0..1000",
                       u->machine->name);
    if (p->timeslice < 1000)
        return err_set(e, ERR_ERANGE,
                       "machine \"%s\": \"gpu.timeslice\" is too small, want a nanosecond or more",
                       u->machine->name);
    return 0;
}

int device_params_read(struct device_params *p, struct machine_use *u, struct err *e)
{
    *p = (struct device_params){0};
    int rc = read_chip(p, u, e);
    if (!rc)
        rc = read_draw(p, u, e);
    if (!rc)
        rc = read_times(p, u, e);
    if (!rc)
        rc = read_link(p, u, e);
    return rc ? rc : sane(p, u, e);
}

/* ---- occupancy: CUDA C++ Programming Guide, "Occupancy"; registers go to warps in units of 256
 * ---- */

enum { WARP = 32, REGISTER_UNIT = 256, SCHEDULERS = 4 };

static uint32_t at_most(uint32_t have, uint64_t each, uint32_t whole)
{
    const uint64_t fit = each ? whole / each : have;
    return fit < have ? (uint32_t)fit : have;
}

uint32_t device_occupancy(const struct device_params *p, const struct device_shape *k)
{
    const uint64_t warps = k->block ? (k->block + WARP - 1) / WARP : 1;
    const uint64_t unit = ((uint64_t)k->registers * WARP + REGISTER_UNIT - 1) / REGISTER_UNIT;
    const uint64_t per_warp = unit * REGISTER_UNIT;
    uint32_t blocks = at_most(p->blocks_per_sm, warps, p->warps_per_sm);
    if (per_warp) /* each scheduler has its own quarter of the registers */
        blocks = at_most(blocks, warps,
                         (uint32_t)(p->registers_per_sm / SCHEDULERS / per_warp) * SCHEDULERS);
    if (p->smem_per_sm)
        blocks = at_most(blocks, k->smem, p->smem_per_sm);
    return blocks;
}

bool device_fit(const struct device_params *p, const struct device_shape *k, struct device_work *w)
{
    const uint32_t each = device_occupancy(p, k);
    if (!each)
        return false;
    const uint64_t loads = (k->grid + each - 1) / each;
    w->loads = loads < UINT32_MAX ? (uint32_t)loads : UINT32_MAX;
    w->loads += !w->loads;
    w->sms = w->loads < p->sms ? w->loads : p->sms;
    w->waves = (uint32_t)(((uint64_t)w->loads + w->sms - 1) / w->sms);
    return true;
}
