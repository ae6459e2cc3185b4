/* hv_cost.c - the profile's primitives. */
#include "models/vm/hv_cost.h"

#include <stddef.h>
#include <stdio.h>

static const struct {
    const char *name;
    size_t offset;
} primitives[] = {
#define P(key, field)                                                                              \
    {                                                                                              \
        "hypervisor." key, offsetof(struct hv_cost, field)                                         \
    }
    P("exit.hardware", hardware),
    P("exit.pmu", pmu),
    P("exit.state", state),
    P("exit.loop", loop),
    P("user.out", user_out),
    P("user.device", user_device),
    P("user.timer", user_timer),
    P("user.in", user_in),
    P("nested.switch", nested_switch),
    P("nested.copy", nested_copy),
    P("irq.guest", guest_irq),
    P("irq.notify", ipi_notify),
    P("irq.poll_notice", poll_notice),
    P("ept.small", ept_small),
    P("ept.large", ept_large),
    P("ept.copy", ept_copy),
    P("balloon.page", balloon_page),
    P("ksm.scan", ksm_scan),
    P("ksm.merge", ksm_merge),
    P("virtio.ring", virtio_ring),
    P("virtio.buffer", virtio_buffer),
    P("direct.doorbell", doorbell),
    P("guest.tpr", guest_tpr),
    P("guest.wake", guest_wake),
#undef P
};

const char *exit_reason_name(enum exit_reason r)
{
    static const char *const names[] = {
#define X(id, key, what) key,
        EXIT_REASONS(X)
#undef X
    };
    return names[r];
}

const char *hv_part_name(enum hv_part p)
{
    static const char *const names[] = {
#define X(id, key) key,
        HV_PARTS(X)
#undef X
    };
    return names[p];
}

double hv_cycles(const struct hv_cost *c, double ps)
{
    return ps * c->clock / 1e12;
}

/* Cycles where the profile says so, else a time. */
static int cost(const struct hv_cost *c, struct machine_use *use, const char *name, sim_cost *out,
                struct err *e)
{
    const struct machine_cost *m = machine_find(use->machine, name);
    double cycles = 0;
    if (!m || m->quantity != QUANTITY_COUNT)
        return machine_ps(use, name, out, e);
    int rc = machine_value(use, name, QUANTITY_COUNT, &cycles, e);
    *out = (sim_cost)(cycles * 1e12 / c->clock + 0.5);
    return rc;
}

static int handlers(struct hv_cost *c, struct machine_use *use, struct err *e)
{
    int rc = 0;
    for (int r = 0; r < EXIT_REASONS_N && !rc; r++) {
        char name[64];
        snprintf(name, sizeof name, "hypervisor.handler.%s", exit_reason_name(r));
        rc = cost(c, use, name, &c->handler[r], e);
    }
    return rc;
}

int hv_cost_load(struct hv_cost *c, struct machine_use *use, struct err *e)
{
    double exits = 0;
    *c = (struct hv_cost){0};
    int rc = machine_value(use, "hypervisor.clock", QUANTITY_CLOCK, &c->clock, e);
    if (!rc && !(c->clock > 0))
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": hypervisor.clock: want more than 0",
                     use->machine->name);
    for (size_t i = 0; i < sizeof primitives / sizeof *primitives && !rc; i++)
        rc = cost(c, use, primitives[i].name, (sim_cost *)((char *)c + primitives[i].offset), e);
    if (!rc)
        rc = handlers(c, use, e);
    if (!rc)
        rc = machine_value(use, "hypervisor.nested.user_exits", QUANTITY_COUNT, &exits, e);
    c->nested_user_exits = (uint64_t)(exits + 0.5);
    return rc;
}
