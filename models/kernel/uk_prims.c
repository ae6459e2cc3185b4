/* uk_prims.c - primitive costs from a machine profile. */
#include "models/kernel/uk_prims.h"

#include <math.h>
#include <stdio.h>

static const struct {
    const char *name;
    enum uk_class class;
} prims[] = {
#define X(name, class, what) {#name, UK_C_##class},
    UK_PRIMS(X)
#undef X
};

const char *uk_class_name(enum uk_class c)
{
    static const char *const names[] = {"trap", "space", "ipc",  "copy",    "sched", "fpu",
                                        "irq",  "wake",  "lock", "compute", "device"};
    return names[c];
}

enum uk_class uk_prim_class(enum uk_prim p)
{
    return prims[p].class;
}

double uk_prims_cycles(const struct uk_prims *p, double ns)
{
    return ns * p->clock / 1e9;
}

/* A step that only a mitigation takes, which is off. */
static bool never_taken(int prim, unsigned mitigations)
{
    return (prim == UK_ibrs && !(mitigations >> UK_M_ibrs & 1)) ||
           (prim == UK_ibpb && !(mitigations >> UK_M_ibpb & 1)) ||
           (prim == UK_rsb && !(mitigations >> UK_M_rsb & 1));
}

int uk_prims_read(struct uk_prims *p, unsigned mitigations, struct machine_use *use, struct err *e)
{
    double scale = 1, registers = 0;
    *p = (struct uk_prims){.clock = 1, .mitigations = mitigations};
    int rc = machine_value(use, "cost.ukernel.clock", QUANTITY_CLOCK, &p->clock, e);
    if (!rc)
        rc = machine_value(use, "cost.ukernel.scale", QUANTITY_COUNT, &scale, e);
    if (!rc)
        rc = machine_value(use, "cost.ukernel.registers", QUANTITY_COUNT, &registers, e);
    p->registers = (uint32_t)registers;
    for (int i = 0; !rc && i < UK_PRIMS_N; i++) {
        char name[64];
        double cycles = 0;
        if (never_taken(i, mitigations))
            continue;
        snprintf(name, sizeof name, "cost.ukernel.%s", prims[i].name);
        rc = machine_value(use, name, QUANTITY_COUNT, &cycles, e);
        double ps = cycles * scale / p->clock * 1e12;
        if (!rc && !(ps <= 1e12))
            rc = err_set(e, ERR_EPARSE, "machine \"%s\": \"%s\" is more than a second",
                         use->machine->name, name);
        if (!rc)
            p->ps[i] = (sim_cost)llround(ps);
    }
    if (!rc && (p->ps[UK_entry] < 1000 || p->ps[UK_exit] < 1000))
        return err_set(e, ERR_EPARSE,
                       "machine \"%s\": \"cost.ukernel.entry\" and \"exit\" are at least 1 ns",
                       use->machine->name);
    return rc;
}
