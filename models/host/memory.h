/* memory.h - what memory adds to a tenant's work: page walks and copies.     */
#ifndef MODELS_HOST_MEMORY_H
#define MODELS_HOST_MEMORY_H

#include <stdbool.h>

#include "models/machine.h"

struct memory_costs {
    double copy_ps_per_byte, clear_ps_per_byte; /* a core copies, a core clears */
};

int memory_costs(struct memory_costs *m, struct machine_use *use, struct err *e) MUST_CHECK;
/* Page walks beside `ps` of memory-bound work over a working set: what comes on top. */
sim_cost memory_walks(const struct memory_costs *m, sim_cost ps, uint64_t working_set, bool vm,
                      bool large_pages);

#endif
