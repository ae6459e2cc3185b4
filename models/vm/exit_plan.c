/* exit_plan.c - an exit, put together from primitives. */
#include <string.h>

#include "models/vm/hv_cost.h"

/* Out of the guest, and later in again: half of what the processor takes for both. */
static sim_cost one_way(const struct hv_cost *c, bool pmu)
{
    return c->hardware / 2 + (pmu ? c->pmu / 2 : 0);
}

sim_cost exit_sum(const sim_cost part[HV_PARTS_N])
{
    sim_cost sum = 0;
    for (int p = 0; p < HV_PARTS_N; p++)
        sum += part[p];
    return sum;
}

static void host_exit(const struct hv_cost *c, enum exit_reason r, const struct exit_how *how,
                      struct exit_plan *p)
{
    p->host_exits = 1;
    p->before[HV_EXIT] = p->after[HV_EXIT] = one_way(c, how->pmu);
    (how->path == EXIT_PATH_ULTRA ? p->after : p->before)[HV_KERNEL] += c->state;
    if (how->path == EXIT_PATH_FULL)
        p->before[HV_KERNEL] += c->loop;
    else if (how->path != EXIT_PATH_REENTER)
        p->after[HV_KERNEL] += c->loop;
    p->before[HV_KERNEL] += c->handler[r];
    if (r == EXIT_IO_USER) {
        p->before[HV_USER] = c->user_out + c->user_device;
        p->after[HV_USER] = c->user_in;
    }
}

/* An exit of the guest hypervisor itself, to have the host do a trivial thing. */
static sim_cost hypervisor_exit(const struct hv_cost *c, const struct exit_how *how)
{
    return 2 * one_way(c, how->pmu) + c->state + c->loop + c->handler[EXIT_HYPERCALL];
}

/* The guest hypervisor does what a host would, between two switches that the host makes. */
static void nested_exit(const struct hv_cost *c, enum exit_reason r, const struct exit_how *how,
                        struct exit_plan *p)
{
    sim_cost way = one_way(c, how->pmu) * 2 + c->state + c->loop;
    sim_cost switches = c->nested_switch + (how->copy ? c->nested_copy : 0);
    p->host_exits = 2;
    p->before[HV_EXIT] = one_way(c, how->pmu);
    p->after[HV_EXIT] = one_way(c, how->pmu);
    p->before[HV_NESTED] = way - p->before[HV_EXIT] + switches / 2;
    p->after[HV_NESTED] = way - p->after[HV_EXIT] + switches - switches / 2;
    p->before[HV_KERNEL] = c->state + c->loop + c->handler[r];
    if (r == EXIT_IO_USER) {
        p->before[HV_USER] = c->user_out + c->user_device;
        p->after[HV_USER] = c->user_in;
        p->before[HV_NESTED] += c->nested_user_exits * hypervisor_exit(c, how);
        p->host_exits += (uint32_t)c->nested_user_exits;
    }
    if (r == EXIT_EPT) /* two tables: the host's own is filled by an exit that it handles itself */
        p->before[HV_NESTED] += hypervisor_exit(c, how);
}

void exit_plan(const struct hv_cost *c, enum exit_reason r, const struct exit_how *how,
               struct exit_plan *out)
{
    memset(out, 0, sizeof *out);
    if (how->nested)
        nested_exit(c, r, how, out);
    else
        host_exit(c, r, how, out);
}
