/* dispatch.h - the software between tenants' queues and one device: gpu.dispatch.
 *
 * Each tenant has streams, used exactly like those of device.h.  What is
 * submitted to one waits in a queue of ours; a kernel at the head of its
 * stream, behind nothing that it must wait for, is ready.  The policy picks
 * which tenant's oldest ready kernel is handed to the device next, whole or a
 * piece of it, on all SMs or on some.  Handing one over takes the dispatcher
 * params.per_command, one after the other: it is one thread (in the
 * hypervisor with stack "malv", in a library with the others: dispatch_cost).
 * What was handed over is the device's; its stream there keeps the order, so
 * that many commands of a stream can be on their way at once.
 *
 *   copies    take no SMs: they go as soon as they are ready, and nobody is
 *             asked.
 *   pieces    a kernel is cut by blocks (Tally, ASPLOS'25): into
 *             ceil(alone / piece) parts of equal time, but no more than it has
 *             waves, for no block ends before its time.  Each is dispatched
 *             anew, pays per_command and the device's gap, and the kernel has
 *             ended when the last has.
 *   preempt   device_preempt on the tenant's context.  Its interrupted work
 *             counts as ready, at the head; choosing the tenant again resumes
 *             it and hands nothing over.
 *   profile   head_ns, head_sms, head_bound and head_milli are those of the
 *             program's capture, rescaled to this device; a kernel without
 *             duration or one of `unseen` has zeros there.
 *
 * An answer takes effect when the inference behind it is done: until then the
 * dispatcher waits, and hands over nothing.  Who was to be interrupted and has
 * nothing running by then is not.
 *
 * The policy is asked as policy.h says; after an answer "nothing now" it is
 * asked again when a command comes or ends, or again_ns have passed.        */
#ifndef MODELS_GPU_DISPATCH_H
#define MODELS_GPU_DISPATCH_H

#include "models/gpu/tenant.h"
#include "models/mlaas/mlaas.h"
#include "models/policy_life.h"

struct dispatch_params {
    uint32_t device;          /* number, for the policy */
    uint32_t partition;       /* of the device */
    uint32_t sms;             /* of the partition */
    sim_cost per_command;     /* dispatch_cost; 0: free, the policy knows at once */
    struct mlaas *infer;      /* what the policy's inference costs; NULL: nothing */
    bool async;               /* the answer does not wait for it */
    struct policy_life *life; /* who answers when, at once; NULL: `policy` for ever */
};
/* What handing over one command costs on a stack: cost.gpu_dispatch (malv: the hypervisor takes the
 * command off its queue), cost.gpu_intercept (all others: a library in the tenant's process puts it
 * through a ring that the scheduler polls). */
int dispatch_cost(struct machine_use *u, const char *stack, sim_cost *out,
                  struct err *e) MUST_CHECK;

struct dispatch;
struct dispatch_queue;  /* of one tenant */
struct dispatch_stream; /* of a queue */

/* policy NULL: the default, first come first served.  NULL: out of memory. */
struct dispatch *dispatch_new(struct sim *s, struct device *d, const struct dispatch_params *p,
                              struct policy_slot *policy);
void dispatch_free(struct dispatch *x); /* with queues and streams; before the device */

/* t belongs to the caller and stays; call dispatch_news when prio, weight or requests of it change
 * while it has commands.  In order of id: each larger than the one before. */
struct dispatch_queue *dispatch_queue(struct dispatch *x, const struct gpu_tenant *t,
                                      struct err *e) MUST_CHECK;
struct dispatch_stream *dispatch_stream(struct dispatch_queue *q, int32_t prio,
                                        struct err *e) MUST_CHECK;
void dispatch_news(struct dispatch *x); /* asks again, if it was told to wait */

/* What the profiler said beside what the work carries. */
struct dispatch_profile {
    uint32_t bound; /* policy_gpu_bound, = trace_op_bound */
    bool unseen;    /* the policy is not told about it */
};
/* As device_submit, device_wait, ..; begun fires with the first piece, done with the last; numbers
 * are this stream's own.  p NULL: nothing known but the work itself. */
uint64_t dispatch_submit(struct dispatch_stream *s, const struct device_work *w,
                         const struct dispatch_profile *p, const struct device_call *call);
void dispatch_wait(struct dispatch_stream *s, struct dispatch_stream *other, uint64_t n);
uint64_t dispatch_ended(const struct dispatch_stream *s);
uint32_t dispatch_queued(const struct dispatch_stream *s);

struct dispatch_use { /* up to now */
    uint64_t asked, commands, pieces, preempted;
    sim_cost busy; /* of the dispatcher's thread */
};
void dispatch_used(const struct dispatch *x, struct dispatch_use *out);

#endif
