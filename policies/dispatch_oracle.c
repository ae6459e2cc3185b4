/* dispatch_oracle.c - best effort exactly until the next critical request comes.
 *
 * Critical kernels go at once, and nothing else while a critical request is
 * under way: its latency is what it would be alone.  Told when the next one
 * comes, best effort runs whole kernels that end before, and of the one that
 * would not a piece that does.  A bound on latency at whatever throughput the
 * time between requests allows, not an optimum of both: what could have run
 * beside a critical kernel, or in its gaps, does not.  Where nobody knows when a request comes (a
 * loop that is not over), pieces of `piece_us`.
 *
 * Parameters
 *   piece_us  (100)    where the future is not known, 1..1e6                 */
#include "gpu_tenants.h"

struct oracle {
    uint64_t piece;
};

static int create(void **self, const struct policy_host *h)
{
    struct oracle *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->piece = gpu_param_ns(h, "piece_us", 100, 1e3, &bad);
    bad |= s->piece < POLICY_PIECE_MIN;
    return gpu_created(self, h, s, bad);
}

/* Until all best effort on the GPU has ended; one command at a time is queued behind another. */
static uint64_t running_left(const struct policy_dispatch_obs *o)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (gpu_class(&o->tenant[i]) == GPU_BEST_EFFORT && o->tenant[i].running_left_ns > left)
            left = o->tenant[i].running_left_ns;
    return left;
}

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    const struct oracle *s = self;
    const uint32_t critical = gpu_first(o, GPU_CRITICAL), best = gpu_first(o, GPU_BEST_EFFORT);
    const uint64_t next = o->oracle_next_ns;
    gpu_answer(answer, critical);
    if (critical != POLICY_NONE || best == POLICY_NONE)
        return;
    if (next && next <= o->now_ns) { /* a critical request is under way */
        if (!gpu_running(o, GPU_CRITICAL))
            gpu_wait(answer, s->piece);
        return;
    }
    if (gpu_running(o, GPU_BEST_EFFORT) > 1)
        return; /* one runs, one is behind it */
    const uint64_t until = next ? next - o->now_ns : s->piece, busy = running_left(o);
    const uint64_t room = until > busy ? until - busy : 0, head = o->tenant[best].head_ns;
    if (room < POLICY_PIECE_MIN) {
        if (!busy)
            gpu_wait(answer, until);
        return;
    }
    answer->tenant = best;
    if (!head || head > room)
        answer->piece_ns = room;
}

POLICY(.name = "dispatch-oracle",
       .summary = "GPU: best effort until the next critical request comes (oracle)", .oracle = 1,
       .create = create, .destroy = free, .gpu_dispatch = dispatch);
