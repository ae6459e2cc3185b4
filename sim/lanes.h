/* lanes.h - events due at one instant: a FIFO per priority, higher first.
 *
 * A model has few priorities, so finding a lane is a short search; a ring each
 * makes "now" as cheap as it can be.  Zero-initialise.  Private to sim/.    */
#ifndef SIM_LANES_H
#define SIM_LANES_H

#include "sim/pool.h"

struct lane {
    int32_t prio;
    uint32_t head, n, cap; /* a ring; cap is a power of two */
    sim_event *at;
};

struct lanes {
    struct lane *lane; /* higher prio first */
    uint32_t n, cap;
    size_t held; /* events in all lanes */
    bool failed; /* out of memory: sticky */
};

void lanes_free(struct lanes *ls);
void lanes_push(struct lanes *ls, sim_event ev, int32_t prio);
sim_event lanes_pop(struct lanes *ls);                       /* held > 0 */
void lanes_sweep(struct lanes *ls, const struct pool *pool); /* drops what was cancelled */

#endif
