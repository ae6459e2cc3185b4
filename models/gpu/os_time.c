#include "models/gpu/os_time.h"

static int look_up(struct gpu_os_time *t, struct machine_use *u, const struct stack *s,
                   struct err *e)
{
    struct stack_cost launch, copy, sync;
    int rc = stack_cost(s, STACK_launch, u, &launch, e);
    if (!rc)
        rc = stack_cost(s, STACK_copy, u, &copy, e);
    if (!rc)
        rc = stack_cost(s, STACK_sync, u, &sync, e);
    if (!rc)
        *t = (struct gpu_os_time){true, launch.os, copy.os, sync.os};
    return rc;
}

int gpu_os_time_read(struct gpu_os_time *t, struct machine_use *u, const char *stack, struct err *e)
{
    const struct stack *s = stack_find(stack ? stack : "native", e);
    struct machine_use probe; /* what is not there is not used */
    *t = (struct gpu_os_time){0};
    if (!s)
        return ERR_ENAME;
    int rc = machine_use_begin(&probe, u->machine, e);
    const bool there = !rc && !look_up(t, &probe, s, NULL);
    machine_use_end(&probe);
    return rc || !there ? rc : look_up(t, u, s, e);
}

sim_cost gpu_os_time(const struct gpu_os_time *t, const struct gpu_program *p)
{
    uint64_t launches = 0, copies = 0, syncs = 0;
    for (uint64_t i = 0; i < p->n; i++) {
        const uint8_t kind = p->op[i].kind;
        launches += kind == TRACE_OP_LAUNCH;
        copies += kind == TRACE_OP_H2D || kind == TRACE_OP_D2H;
        syncs += kind == TRACE_OP_SYNC;
    }
    if (copies > launches) /* a capture without its calls */
        copies = launches;
    return (launches - copies) * t->launch + copies * t->copy + syncs * t->sync;
}
