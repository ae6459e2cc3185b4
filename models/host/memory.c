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
    return rc || !walks ? rc : mem_walk_costs(&m->walk, use, e);
}

double memory_walks(const struct memory_costs *m, const struct memory_work *w)
{
    const enum page_size page = w->large_pages ? PAGE_2M : PAGE_4K;
    const struct mem_walk_case k = {.working_set = (double)w->working_set,
                                    .guest = page,
                                    .host = page,
                                    .virtualized = w->vm,
                                    .levels = 4,
                                    .independent = false};
    if (w->memory_bound <= 0 || !w->working_set)
        return 0;
    return mem_walk_slowdown(&m->walk, &k, w->memory_bound) - 1;
}
