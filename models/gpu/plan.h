/* plan.h - rows of a captured timeline into what a replay does: each row becomes an operation that
 * waits for earlier ones, with the lags that the capture shows beyond that waiting.
 *
 * Pulled one at a time; memory is bounded by `reach` rows, beyond which a launch or a dependency
 * is forgotten (it ended long ago).  The captured times are used for lags only.
 *
 *   device   begins `after` its stream's previous one ended, and an edge's lag after each of its
 *            launch began and what it depends on ended
 *   host     begins `after` its thread's previous one ended; a sync ends an edge's lag after each
 *            of what it depends on ended, and not before it took `duration`
 *
 * The lag belongs to the constraint that was last in the capture; the others have the smallest of
 * their kind seen so far, bounded by the room that the capture left.  Where a capture contradicts
 * its own constraints (rounded times, clocks that disagree) the plan's own times are the base of
 * what follows, so that no error adds up.
 *
 * Kernels of one process that ran side by side on one device took what they took because of each
 * other: their SMs and bandwidth are scaled to fit together.                  */
#ifndef MODELS_GPU_PLAN_H
#define MODELS_GPU_PLAN_H

#include "models/gpu/crossings.h"
#include "models/gpu/device.h"
#include "models/gpu/rescale.h"
#include "traces/record.h"

#define PLAN_LONGEST (UINT64_C(1) << 53) /* ns, of a capture: 104 days */

struct plan_edge {
    uint64_t from; /* number of an earlier operation */
    uint64_t lag;  /* ns */
    bool begun;    /* from its begin, not its end */
};
struct plan_op {
    uint64_t at;       /* captured begin, ns from the first row */
    uint64_t after;    /* ns after the previous of its queue ended; of the first: after the start */
    uint64_t duration; /* ns, on the new device; a sync: at least */
    uint64_t bytes;
    uint32_t queue;                                 /* index into plan_queues */
    uint32_t sms, waves, loads, compute, bandwidth; /* as in struct device_work */
    uint8_t kind, bound;                            /* trace_op_kind, trace_op_bound */
    bool first;                                     /* of its queue */
    uint32_t n_edges;
    const struct plan_edge *edge; /* borrowed until the next operation */
};
struct plan_queue {                  /* a device's stream or a host thread of one process */
    uint32_t tenant, device, stream; /* device TRACE_NAME_NONE: a thread */
};

struct plan_want {
    const struct device_params *to;
    struct rescale rescale;
    uint64_t launch_ns; /* added to every launch */
    struct gpu_crossings crossings;
    double host;    /* CPU times are so many times the captured ones */
    bool smallest;  /* every lag of a device operation is the smallest of its kind seen so far */
    bool no_gaps;   /* nothing between operations of a stream: the device has its own gap */
    uint32_t depth; /* of a channel; for channels.h */
    uint32_t reach; /* rows, a power of two */
};
struct plan;
int plan_new(struct plan **p, struct row_source *rows, const struct plan_want *w,
             struct err *e) MUST_CHECK;
void plan_free(struct plan *p);                                               /* not the rows */
int plan_next(struct plan *p, struct plan_op *out, struct err *e) MUST_CHECK; /* 1, 0 end, < 0 */
const struct plan_queue *plan_queues(const struct plan *p, uint32_t *n);

struct plan_seen {                 /* in the capture, so far; ns from the first row */
    uint64_t span;                 /* to the last end */
    uint64_t kernels, kernels_end; /* the first kernel began, the last one ended */
    uint64_t lag;                  /* of device operations, all together */
};
void plan_seen(const struct plan *p, struct plan_seen *out);

#endif
