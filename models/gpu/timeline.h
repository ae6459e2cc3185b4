/* timeline.h - one process's operations (plan.h), replayed: each begins when all it waits for has
 * happened and its lag has passed.
 *
 * Up to `window` operations are known at a time; the next is pulled when the
 * oldest has ended.  A kernel is handed to its stream as soon as it waits for
 * nothing but the stream's previous operations: the device keeps their order,
 * and a gap of up to TIMELINE_LEAD between them is the device's as well (its
 * context has work meanwhile).  A longer gap is a wait of the host's.
 *
 * Host threads cost no events: when their rows begin and end follows from the
 * row before, so they run ahead until one waits for the device.               */
#ifndef MODELS_GPU_TIMELINE_H
#define MODELS_GPU_TIMELINE_H

#include "models/gpu/lane.h"
#include "models/gpu/plan.h"
#include "sim/sim.h"

/* What passes for the front end's own gap between kernels of a stream: several times the 0.9-1.6 us
 * that back-to-back dependent kernels take on A100 to H200 (te42kyfo/gpu-benches, small kernels).
 */
#define TIMELINE_LEAD UINT64_C(10000) /* ns */

struct timeline_host { /* who owns it */
    void *ctx;
    /* Operation `number` of this pass: 1, 0 there is none, or an error. */
    int (*next)(void *ctx, uint64_t number, struct plan_op *op, struct err *e);
    struct lane *(*lane)(void *ctx, uint32_t queue); /* NULL: out of memory */
    /* A device operation has run; NULL: nobody asks. Times since the pass began. */
    void (*ran)(void *ctx, const struct plan_op *op, sim_time begin, sim_time end);
    void (*ended)(void *ctx, int rc); /* the pass: all done, or an error (in e) */
    struct err *e;
};
struct timeline;
struct timeline *timeline_new(struct sim *s, const struct timeline_host *h, uint32_t window);
void timeline_free(struct timeline *t);
void timeline_start(struct timeline *t);          /* a pass, from now; none is under way */
uint64_t timeline_done(const struct timeline *t); /* operations of this pass */
/* Operations that came too late to be on time, for the window was full. */
uint64_t timeline_stalls(const struct timeline *t);

#endif
