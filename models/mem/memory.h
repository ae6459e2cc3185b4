/* memory.h - the parts of the model "memory", which runs one of three things:
 *
 *   cache   a page cache: hits, misses, write-backs; mem.evict, mem.readahead
 *   tiers   pages on tiers of memory, placed and moved; mem.place
 *   walk    address translation: references per walk, TLB reach, slowdown
 */
#ifndef MODELS_MEM_MEMORY_H
#define MODELS_MEM_MEMORY_H

#include "models/machine.h"
#include "models/mem/touch.h"
#include "models/model.h"

#define MEMORY_WINDOW (UINT64_C(1) << 20) /* how far an oracle sees, in accesses */

/* What a part is given: its own section, the accesses, and the machine's costs. */
struct memory_run {
    const struct config *section;
    const struct model_env *env;
    const struct mem_pattern *pattern; /* NULL: the trace */
    uint64_t window;
    struct machine_use *use; /* machine NULL: none named */
    struct measures *out;
};

/* check: the section alone.  run: fills the measures. */
struct memory_part {
    const char *name;
    bool needs_accesses, needs_machine;
    int (*check)(const struct config *section, struct err *e);
    int (*fits)(const struct config *section, struct machine_use *use, struct err *e);
    bool (*asks)(const struct config *section, enum policy_hook hook); /* of a checked section */
    int (*run)(const struct memory_run *r, struct err *e);
};
extern const struct memory_part memory_cache, memory_tiers, memory_walk;

/* Adds up time by what it is spent on; shares of the whole sum to one. */
struct memory_time {
    double compute, memory, walk, queue, migrate, io, infer; /* ns */
};
void memory_time_report(const struct memory_time *t, struct measures *out);

#endif
