/* memory.h - what memory adds to a tenant's work: page walks and copies.     */
#ifndef MODELS_HOST_MEMORY_H
#define MODELS_HOST_MEMORY_H

#include "models/mem/walk.h"

struct memory_costs {
    double copy_ps_per_byte, clear_ps_per_byte; /* a core copies, a core clears */
    struct mem_walk_costs walk;
};

/* walks: some work is bound by memory, so that the profile's "memory" section is needed. */
int memory_costs(struct memory_costs *m, bool walks, struct machine_use *use,
                 struct err *e) MUST_CHECK;
struct memory_work {
    double memory_bound;  /* share of its time that waits for memory, if translation were free */
    uint64_t working_set; /* bytes, accessed at random */
    bool vm, large_pages; /* in a VM both of its tables have these pages */
};
/* Page walks for each ns of such work, on top: 0 without any. */
double memory_walks(const struct memory_costs *m, const struct memory_work *w);

#endif
