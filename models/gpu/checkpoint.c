#include "models/gpu/checkpoint.h"

int checkpoint_cost_read(struct checkpoint_cost *c, const struct device_params *p,
                         struct machine_use *u, struct err *e)
{
    int rc = machine_value(u, "link.unpinned", QUANTITY_RATE, &c->unpinned, e);
    if (!rc)
        rc = machine_ps(u, "gpu.context_create", &c->create, e);
    if (!rc && !(c->unpinned > 0))
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": \"link.unpinned\": got 0, want more",
                     u->machine->name);
    c->pinned = p->link;
    if (c->unpinned > p->link)
        c->unpinned = p->link;
    return rc;
}

sim_time checkpoint_save(const struct checkpoint_cost *c, uint64_t bytes, bool pinned)
{
    return (sim_time)((double)bytes / (pinned ? c->pinned : c->unpinned) * 1e9 + 0.5);
}

sim_time checkpoint_restore(const struct checkpoint_cost *c, uint64_t bytes, bool pinned)
{
    return (c->create + 500) / 1000 + checkpoint_save(c, bytes, pinned);
}
