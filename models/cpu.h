/* cpu.h - the cores that everything on the host competes for.
 *
 * One pool of identical cores, first come first served: the engine's own
 * work, request handling and policy inference all queue here.  Guest and host
 * work share the pool (vCPUs are pinned one to one in this model).          */
#ifndef MODELS_CPU_H
#define MODELS_CPU_H

#include <stdbool.h>

#include "sim/sim.h"

struct cpu;
struct cpu *cpu_new(struct sim *s, unsigned cores); /* NULL when out of memory */
void cpu_free(struct cpu *c);
/* Work of `service` ns; done(ctx, arg) when it is finished.  false: out of memory. */
bool cpu_submit(struct cpu *c, sim_time service, sim_fn *done, void *ctx, uint64_t arg);
bool cpu_idle(const struct cpu *c); /* nothing runs and nothing waits */

#endif
