/* tally.c - best effort runs in short pieces, only while no critical work is there.
 *
 * Critical kernels go at once.  A kernel of best effort is cut by blocks into
 * pieces that take no longer than the turnaround it may cost a critical one,
 * and goes only when nothing critical waits, runs, or did within the last
 * `wait_us`.  So a critical kernel waits for one piece at most, whatever its
 * neighbour is like; the price is the launch of each piece and the idleness
 * between a critical job's kernels, which nobody fills.
 *
 * Source: Zhao and others, Tally, ASPLOS'25; turnaround as in its published
 * runs (0.0316 ms), the least wait as in its documentation (0.1 ms).
 * Its other transformation, blocks that watch a flag (preemptible persistent
 * blocks), differs from pieces in cost only and is not told apart here.
 *
 * Parameters
 *   turnaround_us  (31.6)   longest piece
 *   wait_us        (100)    without critical work, before best effort goes
 *   ahead          (1)      pieces of best effort on the GPU                  */
#include "gpu_tenants.h"

struct tally {
    uint64_t turnaround, wait, critical_ns; /* when critical work was last there */
    uint32_t ahead;
    int seen; /* any was */
};

static int create(void **self, const struct policy_host *h)
{
    struct tally *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->turnaround = gpu_param_ns(h, "turnaround_us", 31.6, 1e3, &bad);
    s->wait = gpu_param_ns(h, "wait_us", 100, 1e3, &bad);
    s->ahead = (uint32_t)gpu_param(h, "ahead", 1, 1, 1e6, &bad);
    bad |= s->turnaround < POLICY_PIECE_MIN;
    return gpu_created(self, h, s, bad);
}

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    struct tally *s = self;
    uint32_t critical = gpu_first(o, GPU_CRITICAL);
    if (critical != POLICY_NONE || gpu_running(o, GPU_CRITICAL)) {
        s->critical_ns = o->now_ns;
        s->seen = 1;
        gpu_answer(answer, critical);
        return;
    }
    if (s->seen && o->now_ns < s->critical_ns + s->wait) {
        gpu_wait(answer, s->critical_ns + s->wait - o->now_ns);
        return;
    }
    int full = gpu_running(o, GPU_BEST_EFFORT) >= s->ahead;
    gpu_answer(answer, full ? POLICY_NONE : gpu_first(o, GPU_BEST_EFFORT));
    answer->piece_ns = s->turnaround;
}

POLICY(.name = "tally",
       .summary = "GPU: best effort in short pieces while nothing critical is there",
       .create = create, .destroy = free, .gpu_dispatch = dispatch);
