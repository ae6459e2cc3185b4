/* desk.h - one who decides and does one thing at a time: a cluster's scheduler, a
 * router.
 *
 * It is a thread with a core of its own.  Questions are put to the policy in the
 * order in which they came, each when the answer before it is there and all else
 * of that moment has happened; what the policy's networks cost (mlaas_bill.h) is
 * how long its answer takes.  One that costs nothing is answered within desk_put.  A question that
 * is put while another is asked is part of that one: it is asked and answered at once, and the
 * other takes the longer for it.                                       */
#ifndef MODELS_MLAAS_DESK_H
#define MODELS_MLAAS_DESK_H

#include "models/mlaas/mlaas_bill.h"
#include "sim/sim.h"

struct desk_calls {
    void (*ask)(void *ctx, uint64_t a, uint64_t b);      /* its turn has come */
    void (*answered)(void *ctx, uint64_t a, uint64_t b); /* now the answer takes effect */
    void *ctx;
};
struct desk;
/* NULL: out of memory.  The bill is borrowed, and may be of several desks. */
struct desk *desk_new(struct sim *s, struct mlaas_bill *bill, const struct desk_calls *calls);
void desk_free(struct desk *d);                                   /* NULL is fine */
bool desk_put(struct desk *d, uint64_t a, uint64_t b) MUST_CHECK; /* false: out of memory */
/* The same, before all that wait. */
bool desk_put_first(struct desk *d, uint64_t a, uint64_t b) MUST_CHECK;
/* From within ask: what its inferences take so far, and those before it of this question. */
sim_time desk_so_far(const struct desk *d);

/* If any answer took time: WHO.questions, .util (part of span_ns that it was busy), .decision_mean
 * and .decision_p99 (us, from the question to its answer). */
void desk_report(const struct desk *d, const char *who, sim_time span_ns, struct measures *out);

#endif
