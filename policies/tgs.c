/* tgs.c - best effort at a rate that the critical jobs do not notice.
 *
 * All it measures is how many kernels the critical jobs send per window.  After
 * `profile` windows without best effort, that rate is the goal; from then on
 * best effort has a budget of SM time per tick, which grows half as much again
 * while the goal is met (slow start), and after the first loss by a little or
 * shrinks by 8 % (congestion avoidance); a loss beyond three times `threshold`
 * starts over at a tenth.  Where critical jobs stop for long, there is no limit.
 * Knows nothing of kernels, and needs no profiles; but it looks at rates, so a
 * single request can be as late as without it, and where requests come by
 * chance it takes the chance for interference.
 *
 * Source: Wu and others, TGS, NSDI'23, and its repository (pkusys/TGS): 5
 * windows, 3 %, x 1.5, - 8 %, / 10, ticks of 10 ms.  Its windows are 5 s, for
 * jobs of hours; its budget counts blocks.
 *
 * Parameters
 *   window_ms  (100)    tick_ms    (10)     profile  (5)  windows
 *   threshold  (0.03)   start      (0.1)    of the GPU, first budget          */
#include "gpu_tenants.h"

enum { PROFILE, SLOW_START, AVOIDANCE };
enum { WINDOWS = 5, MOST = 1000000 };

struct tgs {
    uint64_t window, tick;
    uint32_t profile;
    double threshold, start;

    int state, grew; /* avoidance: the last step was upwards */
    uint64_t window_ends, tick_ends, windows;
    double arrived; /* critical kernels, up to the start of this window */
    double last[WINDOWS];
    double goal;   /* kernels per window */
    double budget; /* SM time per tick, of the GPU's; above 1 nobody feels it */
    double sent;   /* in this tick */
};

static int create(void **self, const struct policy_host *h)
{
    struct tgs *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    s->window = gpu_param_ns(h, "window_ms", 100, 1e6, &bad);
    s->tick = gpu_param_ns(h, "tick_ms", 10, 1e6, &bad);
    s->profile = (uint32_t)gpu_param(h, "profile", 5, 1, 1000, &bad);
    s->threshold = gpu_param(h, "threshold", 0.03, 1e-6, 1, &bad);
    s->start = gpu_param(h, "start", 0.1, 1e-6, 1, &bad);
    bad |= s->tick < POLICY_AGAIN_MIN || s->window < s->tick;
    s->window_ends = s->window;
    s->tick_ends = s->tick;
    return gpu_created(self, h, s, bad);
}

/* Kernels that critical jobs sent so far. */
static double arrivals(const struct policy_dispatch_obs *o, double at_least)
{
    double n = 0;
    for (uint32_t i = 0; i < o->n; i++) {
        const struct policy_gpu_tenant *t = &o->tenant[i];
        if (gpu_class(t) == GPU_CRITICAL)
            n += (double)t->done + t->running + t->waiting;
    }
    return n > at_least ? n : at_least; /* who has nothing there is not shown */
}

static int stopped(const struct tgs *s)
{
    int none = 0;
    for (int i = 0; i < WINDOWS; i++)
        none += s->last[i] <= 0;
    return none > WINDOWS / 2;
}

static void adjust(struct tgs *s, double rate)
{
    double loss = rate < s->goal ? 1 - rate / s->goal : 0;
    int fine = loss <= s->threshold;
    if (s->state == SLOW_START) {
        s->budget *= fine ? 1.5 : 1 / 1.5;
        s->state = fine ? SLOW_START : AVOIDANCE;
    } else if (fine) {
        s->budget += 0.05 * s->start;
    } else {
        s->budget -= 0.08 * s->budget;
    }
    if (s->state == AVOIDANCE && loss >= 3 * s->threshold) {
        s->state = SLOW_START;
        s->budget /= 10;
    }
    if (s->budget < 0.05 * s->start)
        s->budget = 0.05 * s->start;
    if (s->budget > MOST)
        s->budget = MOST;
}

static void end_window(struct tgs *s, double rate)
{
    for (int i = WINDOWS - 1; i > 0; i--)
        s->last[i] = s->last[i - 1];
    s->last[0] = rate;
    s->windows++;
    if (s->state == PROFILE) {
        double mean = s->windows > 1 ? (rate + s->last[1]) / 2 : rate;
        s->goal = mean > s->goal ? mean : s->goal;
        if (s->windows < s->profile)
            return;
        s->state = SLOW_START;
        s->budget = s->start;
    } else if (s->goal > 0) {
        adjust(s, rate);
    }
}

static void pass_time(struct tgs *s, const struct policy_dispatch_obs *o)
{
    while (o->now_ns >= s->window_ends) {
        double n = arrivals(o, s->arrived);
        end_window(s, n - s->arrived);
        s->arrived = n;
        s->window_ends += s->window;
        if (o->now_ns > s->window_ends + 2 * WINDOWS * s->window) /* nothing happened for long */
            s->window_ends = o->now_ns;
    }
    if (o->now_ns >= s->tick_ends) {
        s->sent = 0;
        s->tick_ends = o->now_ns - o->now_ns % s->tick + s->tick;
    }
}

static void dispatch(void *self, const struct policy_dispatch_obs *o,
                     struct policy_dispatch *answer)
{
    struct tgs *s = self;
    pass_time(s, o);
    uint32_t critical = gpu_first(o, GPU_CRITICAL), best = gpu_first(o, GPU_BEST_EFFORT);
    gpu_answer(answer, critical);
    if (critical != POLICY_NONE || best == POLICY_NONE)
        return;
    int free_run = s->state != PROFILE && stopped(s);
    if (!free_run && (s->state == PROFILE || s->sent >= s->budget)) {
        gpu_wait(answer, s->tick_ends - o->now_ns);
        return;
    }
    const struct policy_gpu_tenant *t = &o->tenant[best];
    uint32_t sms = t->head_sms < o->sms ? t->head_sms : o->sms;
    s->sent += (double)t->head_ns * sms / ((double)o->sms * (double)s->tick);
    answer->tenant = best;
}

POLICY(.name = "tgs", .summary = "GPU: best effort at a rate that critical jobs do not notice",
       .create = create, .destroy = free, .gpu_dispatch = dispatch);
