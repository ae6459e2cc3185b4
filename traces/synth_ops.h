/* synth_ops.h - timelines of programs that do the same to a GPU again and again.
 *
 * An iteration copies its input in, runs its kernels, copies its result out and waits for it all.
 * Kernels are of classes.  The times of a class are lognormal: the k-th of its count has the
 * quantile (k - 1/2) / count, cut at max_us, all scaled so that their mean is us; so a class takes
 * count x us in every iteration, whatever the seed (but for jitter).  How many SMs a kernel can
 * fill is lognormal too, coupled to its time by the correlation of the logs.  The order is a
 * shuffle, the same in every iteration.
 *
 *   launches        one host thread submits: a launch takes launch_us, the operation begins
 *                   latency_us after it at the earliest, host_us pass before the next launch;
 *                   launch n of a stream waits until n - queue has ended, as a full launch queue
 *                   makes it; at the end the thread waits for all streams, then idles idle_us
 *   launches false  device rows only, every stream busy without a gap, as Orion's profiles have it
 *
 * Kernels go round the streams; copies take copy_us + bytes / copy_gbps, on stream 0.
 * With a network, an iteration is one of its steps (synth_net.h): its kernels, in its order.
 * A pure function of (parameters, seed); memory: one iteration and what is in the queues.       */
#ifndef TRACES_SYNTH_OPS_H
#define TRACES_SYNTH_OPS_H

#include "traces/synth_net.h"
#include "traces/synth_rows.h"

#define SYNTH_OPS_CLASSES 8
#define SYNTH_OPS_KERNELS 1000000 /* of an iteration */
#define SYNTH_OPS_STREAMS 64
#define SYNTH_OPS_QUEUE   1024

struct synth_ops_class {
    char name[32];
    uint32_t count;            /* in an iteration */
    double us, sigma, max_us;  /* mean; standard deviation of the log; 0: no bound */
    double sms, sms_sigma;     /* geometric mean, 0: not said; standard deviation of the log */
    uint32_t sms_max;          /* 0: no bound */
    double coupling;           /* correlation of the logs of time and SMs */
    enum trace_op_bound bound; /* what limits it */
};

struct synth_ops {
    struct synth_head head;
    uint64_t iterations; /* what head.rows is made of, when the section does not say rows */
    struct synth_ops_class cls[SYNTH_OPS_CLASSES];
    struct synth_net net; /* no layers: classes */
    uint32_t classes, streams, queue;
    bool launches;
    double launch_us, latency_us, host_us, idle_us;
    uint64_t h2d_bytes, d2h_bytes; /* 0: no such copy */
    double copy_us, copy_gbps;
    double jitter; /* each time is drawn evenly within +- this share */
};

/* Names of rows: the classes (with a network, enum net_name) in order, then these. */
enum { SYNTH_OPS_LAUNCH, SYNTH_OPS_IN, SYNTH_OPS_OUT, SYNTH_OPS_WAIT, SYNTH_OPS_NAMES };

uint32_t synth_ops_first_name(const struct synth_ops *p);
uint64_t synth_ops_kernels(const struct synth_ops *p); /* of an iteration */
uint64_t synth_ops_rows(const struct synth_ops *p);    /* of an iteration */
double synth_ops_span_us(const struct synth_ops *p);   /* of an iteration, at most */

struct synth_kernel {
    uint64_t ns, bytes, grid; /* bytes, grid .. smem: 0 where not said */
    uint32_t block, registers, smem;
    uint32_t sms, cls; /* cls: its name */
    enum trace_op_bound bound;
};
/* The kernels of an iteration in their order; malloc'd, synth_ops_kernels of them. */
int synth_ops_plan(struct synth_kernel **out, const struct synth_ops *p, uint64_t seed,
                   struct err *e) MUST_CHECK;
double synth_ops_quantile(double u); /* of the standard normal, within 1e-6; 0 < u < 1 */

int synth_ops_open(struct row_source **out, const void *params, uint64_t seed,
                   struct err *e) MUST_CHECK;

struct synth_ops_preset {
    const char *name, *title, *source;
    struct synth_ops p;
    const struct synth_net *net; /* NULL: p's classes */
};
const struct synth_ops_preset *synth_ops_preset_at(size_t i); /* NULL past the end */

#endif
