#include "models/host/memory.h"

int memory_costs(struct memory_costs *m, bool walks, struct machine_use *use, struct err *e)
{
    double copy = 0, clear = 0;
    int rc = machine_value(use, "host.copy", QUANTITY_RATE, &copy, e);
    if (!rc)
        rc = machine_value(use, "host.clear", QUANTITY_RATE, &clear, e);
    if (!rc && (copy <= 0 || clear <= 0))
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": host.copy and host.clear must be above 0",
                     use->machine->name);
    if (!rc)
        *m = (struct memory_costs){.copy_ps_per_byte = 1e12 / copy,
                                   .clear_ps_per_byte = 1e12 / clear};
    (void)walks;
    return rc;
}

double memory_walks(const struct memory_costs *m, const struct memory_work *w)
{
    (void)m, (void)w;
    return 0;
}
