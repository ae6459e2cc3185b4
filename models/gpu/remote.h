/* remote.h - API remoting: a guest calls a GPU that somebody else holds.
 *
 * A stub in the guest marshals each call, a channel carries messages of up to
 * `coalesce` calls to the API server, which unmarshals them and calls the
 * driver; the GPU does the work.  These are stages of a pipeline:
 *
 *   guest    stub per call; the channel's sending side per message
 *   wire     one way, from sent to received; nobody's CPU
 *   server   the receiving side per message; dispatch per call
 *   GPU      what the calls ask for
 *
 * An asynchronous call leaves the guest as soon as its message does; a
 * synchronous one is a message of its own and comes back the same way.
 * Payload (copies) goes through the channel at its bandwidth, and the caller
 * waits for it.  So a program is bound by its calls (the slowest of guest and
 * server), by the GPU, or by its bytes.
 *
 *   tcp         ONC RPC and the like: guest's network stack, virtio-net, vhost,
 *               host's network stack, a thread that wakes up
 *   virtio      a virtio device of its own: kick, a monitor's thread that wakes up
 *   ring        a ring in shared memory; the server polls
 *   infiniband  queue pairs mapped into the guest; the server polls
 *   none        no channel: the program runs where the GPU is
 *
 * Which crossings a channel makes is a list (remote.c); what they cost, and
 * remote.KIND.bandwidth, is in the profile.                                     */
#ifndef MODELS_GPU_REMOTE_H
#define MODELS_GPU_REMOTE_H

#include <stdbool.h>

#include "models/machine.h"

enum remote_kind { REMOTE_NONE, REMOTE_TCP, REMOTE_VIRTIO, REMOTE_RING, REMOTE_INFINIBAND };
extern const char *const remote_kind_names[]; /* NULL-terminated */

struct remote_channel {
    sim_cost stub, dispatch;      /* per call: guest, server */
    sim_cost send, wire, receive; /* per message: guest, nobody, server */
    double byte;                  /* ps per byte of payload */
    uint32_t coalesce;            /* asynchronous calls in one message; at least 1 */
};
int remote_channel_read(struct remote_channel *c, enum remote_kind kind, struct machine_use *u,
                        struct err *e) MUST_CHECK;

/* For other models: what the guest's thread waits for one call.  An asynchronous launch costs its
 * stub and its part of a message; the rest runs beside it, remote_behind says how much of the
 * server each call takes. */
sim_cost remote_async(const struct remote_channel *c);
sim_cost remote_behind(const struct remote_channel *c);
sim_cost remote_sync(const struct remote_channel *c); /* beyond what is waited for */
sim_cost remote_copy(const struct remote_channel *c, uint64_t bytes); /* beyond the copy itself */

/* One iteration of a program: payload in, calls, a synchronization, payload out. */
struct remote_work {
    uint64_t calls, sync_calls; /* of calls, so many wait for their answer, evenly spread */
    uint64_t in, out;           /* bytes */
    sim_cost local;             /* how long it takes where the GPU is */
};
struct remote_cost {
    sim_cost time;                        /* of the iteration */
    sim_cost guest, server, gpu, payload; /* how long each was busy */
    uint64_t messages;
};
void remote_run(const struct remote_channel *c, const struct remote_work *w,
                struct remote_cost *out);

#endif
