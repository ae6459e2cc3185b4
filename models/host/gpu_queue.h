/* gpu_queue.h - a tenant's own GPU, as its driver sees it: one stream, in order.
 *
 * Kernels and copies run one after another, each from when it has arrived and
 * the one before it has ended.  The driver lets `depth` of them be
 * outstanding.  Ends are known as soon as work is submitted, so that nothing
 * here is an event, but for those with a part of a GPU that others use too.
 * Waiting for it is booked by what it does at the time.                       */
#ifndef MODELS_HOST_GPU_QUEUE_H
#define MODELS_HOST_GPU_QUEUE_H

#include "models/host/ledger.h"
#include "sim/sim.h"

struct device_context;
struct device_stream;
struct device_work;
struct thread;

enum { GPU_COPIES = 16 };

struct gpu_queue {
    sim_time free;      /* when all that was submitted has ended */
    uint64_t depth;     /* set before the first */
    sim_time *end;      /* [depth] of the last ones; NULL before the first */
    uint64_t submitted; /* kernels and copies */
    struct gpu_copy {
        sim_time start, end;
    } copy[GPU_COPIES]; /* the last ones */
    uint64_t copies;
    uint64_t busy;  /* ns of work submitted */
    uint32_t track; /* for spans */
    bool tracked;

    /* A part of a GPU (gpu_part.h): ends are known when they come, and `free` is the last one. */
    struct device_context *context; /* NULL: a GPU of its own */
    struct device_stream *stream;   /* from the first command on */
    struct device_work *on_way;     /* [depth] */
    uint64_t reached, ended;        /* of those submitted */
    struct sim *sim;
    struct thread *waits; /* those whom ends wake */
};

/* `arrives` never goes back.  Returns when it ends; 0: out of memory. */
sim_time gpu_queue_add(struct gpu_queue *q, sim_time arrives, sim_time ns, bool copy);
/* When n more may be submitted, up to depth; 0: now. */
sim_time gpu_queue_room(const struct gpu_queue *q, uint64_t n);
/* Books the time since the last entry: copy while the GPU copies, else gpu. */
void gpu_queue_book(const struct gpu_queue *q, struct account *a, sim_time now);
void gpu_queue_free(struct gpu_queue *q);
void gpu_queue_wake(struct gpu_queue *q); /* thread_gpu.c: one has ended, of a part */

#endif
