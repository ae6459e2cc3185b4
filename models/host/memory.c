#include "models/host/memory.h"

int memory_costs(struct memory_costs *m, struct machine_use *use, struct err *e)
{
    double copy = 0, clear = 0;
    int rc = machine_value(use, "host.copy", QUANTITY_RATE, &copy, e);
    if (!rc)
        rc = machine_value(use, "host.clear", QUANTITY_RATE, &clear, e);
    if (!rc && (copy <= 0 || clear <= 0))
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": host.copy and host.clear must be above 0",
                     use->machine->name);
    if (!rc)
        *m = (struct memory_costs){1e12 / copy, 1e12 / clear};
    return rc;
}

sim_cost memory_walks(const struct memory_costs *m, sim_cost ps, uint64_t working_set, bool vm,
                      bool large_pages)
{
    (void)m, (void)ps, (void)working_set, (void)vm, (void)large_pages;
    return 0;
}
