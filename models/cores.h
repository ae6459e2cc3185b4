/* cores.h - the cores that everything on the host competes for.
 *
 * One pool of identical cores, first come first served: the engine's own
 * work, request handling and policy inference all queue here.  Guest and host
 * work share the pool (vCPUs are pinned one to one in this model).          */
#ifndef MODELS_CORES_H
#define MODELS_CORES_H

#include <stdbool.h>

#include "sim/sim.h"

struct cores;
struct cores *cores_new(struct sim *s, unsigned cores); /* NULL when out of memory */
void cores_free(struct cores *c);
/* Work of `service` ns; done(ctx, arg) when it is finished.  false: out of memory. */
bool cores_submit(struct cores *c, sim_time service, sim_fn *done, void *ctx, uint64_t arg);
bool cores_idle(const struct cores *c); /* nothing runs and nothing waits */

#endif
