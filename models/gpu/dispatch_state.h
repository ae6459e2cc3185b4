/* dispatch_state.h - what a dispatcher is made of; for models/gpu/dispatch*.c only.
 *
 * Callbacks may call anything, so nothing is decided in them: they leave word
 * (dispatch_wake), and the policy is asked when all else of this instant is
 * over.                                                                      */
#ifndef MODELS_GPU_DISPATCH_STATE_H
#define MODELS_GPU_DISPATCH_STATE_H

#include "models/gpu/dispatch.h"

enum { DISPATCH_PRIO = -1000 }; /* of its events: after whatever else happens at that time */

/* A command, or (after != NULL) a place in the stream that is not passed before another stream has
 * ended its command number `number`. */
struct dispatch_command {
    struct dispatch_stream *stream, *after;
    uint64_t number;
    struct device_work work; /* alone, waves: of what was not handed over yet */
    struct device_call call;
    uint32_t bound;
    bool unseen, begun, whole; /* whole: all of it was handed over */
    uint32_t pieces;           /* of it on the device */
    sim_time ready;
    struct dispatch_command *next;
};

enum { DISPATCH_SLAB = 256 };
struct dispatch_slab {
    struct dispatch_slab *next;
    struct dispatch_command command[DISPATCH_SLAB];
};

struct dispatch_stream {
    struct dispatch_queue *q;
    struct device_stream *device;
    struct dispatch_command *head, *last; /* not handed over, or not all of it */
    uint32_t waits;                       /* places in it that are not to be passed yet */
    uint32_t ready;                       /* kernels ahead of the first of these */
    uint64_t submitted, ended;
    struct dispatch_stream *next;        /* of its queue */
    struct dispatch_stream *waiters;     /* streams that stop at a command of this one */
    struct dispatch_stream *next_waiter; /* of the stream that it stops for */
    bool stopped;                        /* it is in such a list */
};

struct dispatch_queue {
    struct dispatch *x;
    const struct gpu_tenant *tenant;
    struct dispatch_stream *stream, *last_stream;
    uint32_t running, bound; /* kernels on the device; what the last one to begin is bound by */
    uint64_t done;
    enum { QUEUE_RUNS, QUEUE_STOPPING, QUEUE_STOPPED } state;
    struct device_running cut; /* what was interrupted, and when */
    sim_time cut_at;
    struct dispatch_queue *next;
};

struct dispatch {
    struct sim *sim;
    struct device *device;
    struct dispatch_params p;
    struct policy_slot *policy;
    struct dispatch_queue *queue, *last_queue;
    struct dispatch_slab *slab;
    struct dispatch_command *spare;
    sim_event wake, again; /* to ask; 0: none */
    bool busy;             /* handing over `next`, or waiting for inference */
    bool thinks, missed;   /* the latter; and something happened meanwhile */
    struct dispatch_queue *which[POLICY_GPU_TENANTS_MAX]; /* whom the answer is about */
    struct dispatch_queue *next;
    struct policy_dispatch answer;
    struct carry carry;
    struct dispatch_use n;
};

void dispatch_wake(struct dispatch *x);
/* The stream that the queue's oldest ready kernel heads; NULL: none is ready. */
struct dispatch_stream *dispatch_oldest(const struct dispatch_queue *q);
/* The head of s, or a piece of it, goes to the device. */
void dispatch_hand_over(struct dispatch_stream *s, const struct policy_dispatch *how);

#endif
