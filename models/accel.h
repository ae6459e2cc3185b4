/* accel.h - one GPU shared by a tenant's iterations and a policy's small kernels.
 *
 * The tenant (the serving engine) runs one piece of work at a time.  A small
 * kernel that comes meanwhile is another context: it waits for the rest of
 * the tenant's time slice (or for what is left of its work, if that is less),
 * pays the switch, runs, and the tenant goes on that much later.  Small
 * kernels follow one another in order.  Without a tenant there is no wait.
 *
 * A change of turns may cost time too: between two contexts whose kernels end by
 * themselves, whichever comes after the other pays it (accel_turns; else none).
 *
 * Busy time counts the work done, not the switches.  Work comes as whole ns to
 * wait and exact ps to count, so that counts do not depend on rounding.      */
#ifndef MODELS_ACCEL_H
#define MODELS_ACCEL_H

#include <stdbool.h>

#include "sim/sim.h"

struct accel {
    struct sim *sim;
    sim_fn *done; /* the tenant's, while it runs */
    void *ctx;
    bool running;
    sim_time started, end, work; /* of the tenant's current piece */
    sim_event ev;
    sim_time side_until; /* the last small kernel's end */
    sim_cost work_ps;    /* of the tenant's current piece, for the count */
    sim_cost busy_ps;    /* finished tenant work and all small kernels accepted */
    bool tenant;         /* it has run something */
    bool side_last;      /* a small kernel is what runs last of all that is there, or was */
    sim_time turn;       /* a change of turns */
};

void accel_begin(struct accel *g, struct sim *s);
void accel_turns(struct accel *g, sim_time turn); /* before the first work */
/* The tenant's next piece: one at a time (asserted). */
void accel_run(struct accel *g, sim_time work, sim_cost work_ps, sim_fn *done, void *ctx);
/* The same, begun at `started` <= now by a tenant who was alone until now. */
void accel_resume(struct accel *g, sim_time started, sim_time work, sim_cost work_ps, sim_fn *done,
                  void *ctx);
void accel_credit(struct accel *g,
                  sim_cost work_ps); /* tenant work done in one leap, nobody else there */
void accel_side(struct accel *g, sim_cost work, sim_time slice, sim_time cost, sim_fn *done,
                void *ctx, uint64_t arg);
sim_cost accel_busy(const struct accel *g);    /* busy ps up to now */
bool accel_tenant_seen(const struct accel *g); /* a tenant has used it */

#endif
