/* share_learned.c - critical tenants get the part that a forest says their latency needs.
 *
 * Watches for `hold` periods, then asks a forest (weights/share.safetensors,
 * trained by `malv model train share --share` on the simulator's own runs)
 * what the latency of each critical tenant would be with 5 %, 10 % .. 95 % of
 * the SMs beside what the others do; share_features.h says what it knows.  It
 * takes the smallest part whose prediction is `margin` of the target at most,
 * the largest part where none is.  Best effort shares what is left by weight.
 * Good where tenants are like those it was trained on and loads last longer
 * than `hold` periods; it does not see a change that lies within one window,
 * and knows nothing of a tenant before its first answer.  Parts of time, for
 * which it was not trained, it leaves alone.
 *
 * Source: predicting interference from profiles is Gpulets' and iGniter's idea
 * (ATC'22, TPDS'23), theirs with linear models fitted per GPU.
 *
 * Parameters
 *   model      which weights                                    ("share")
 *   target_ms  (10)    margin (0.9)    hold (10)  periods of a window
 *   risk       0: the mean latency; 1: its 90th percentile      (1)
 *   floor      (100)   1/1000, that no critical tenant goes below             */
#include "gpu_tenants.h"
#include "share_features.h"
#include "open_net.h"

enum { STEP = 50, PARTS = 19 }; /* 1/1000; 50 .. 950 */

struct learned {
    const struct policy_host *h;
    int model;
    float limit, risk;
    uint32_t hold, floor;
    struct share_window seen;
};

static int create(void **self, const struct policy_host *h)
{
    struct learned *s = gpu_state(h, sizeof *s);
    int bad = 0;
    if (!s)
        return -1;
    const uint64_t target = gpu_param_ns(h, "target_ms", 10, 1e6, &bad);
    s->h = h;
    s->limit = share_log((uint64_t)((double)target * gpu_param(h, "margin", 0.9, 0.01, 10, &bad)));
    s->risk = (float)gpu_param(h, "risk", 1, 0, 1, &bad);
    s->hold = (uint32_t)gpu_param(h, "hold", 10, 1, 1e6, &bad);
    s->floor = (uint32_t)gpu_param(h, "floor", 100, 1, POLICY_MILLI, &bad);
    bad |= !target;
    s->model = open_net(h, "share", SHARE_N, 2);
    if (s->model >= 0)
        return gpu_created(self, h, s, bad);
    free(s);
    return -1;
}

/* The part for one critical tenant; its present one where nothing is known yet. */
static uint32_t part_for(const struct learned *s, const struct policy_share_obs *o, uint32_t who,
                         const uint32_t *milli)
{
    float x[PARTS * SHARE_N], y[PARTS * 2];
    uint32_t rest = 0, part = POLICY_MILLI - STEP;
    if (!s->seen.tenant[who].answered && !s->seen.tenant[who].oldest)
        return milli[who];
    for (uint32_t i = 0; i < o->n; i++)
        rest += i == who ? 0 : milli[i];
    for (uint32_t i = 0; i < PARTS; i++)
        share_features(&s->seen, who, milli[who], rest, (i + 1) * STEP, x + i * SHARE_N);
    if (s->h->infer(s->h->host, s->model, PARTS, x, y))
        return milli[who]; /* the host fails the trial */
    for (uint32_t i = PARTS; i-- > 0;)
        if ((1 - s->risk) * y[2 * i] + s->risk * y[2 * i + 1] <= s->limit)
            part = (i + 1) * STEP;
    return part < s->floor ? s->floor : part;
}

/* Best effort gets what is left, by weight. */
static void leave(const struct policy_share_obs *o, uint32_t *milli)
{
    uint64_t critical = 0, weights = 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (gpu_class(&o->tenant[i]) == GPU_CRITICAL)
            critical += milli[i];
        else
            weights += o->tenant[i].weight;
    const uint64_t left = critical < POLICY_MILLI ? POLICY_MILLI - critical : 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (gpu_class(&o->tenant[i]) != GPU_CRITICAL) {
            const uint64_t part = weights ? left * o->tenant[i].weight / weights : 0;
            milli[i] = part ? (uint32_t)part : 1;
        }
}

static void share(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    struct learned *s = self;
    uint32_t part[POLICY_GPU_TENANTS_MAX];
    if (o->of != POLICY_SHARE_SMS)
        return;
    if (!share_same(&s->seen, o)) {
        share_begin(&s->seen, o);
        return;
    }
    share_watch(&s->seen, o);
    if (s->seen.periods < s->hold)
        return;
    for (uint32_t i = 0; i < o->n; i++)
        part[i] = gpu_class(&o->tenant[i]) == GPU_CRITICAL ? part_for(s, o, i, milli) : milli[i];
    for (uint32_t i = 0; i < o->n; i++)
        milli[i] = part[i];
    leave(o, milli);
    share_begin(&s->seen, o);
}

POLICY(.name = "share-learned", .summary = "GPU parts: what a learned latency needs (forest)",
       .create = create, .destroy = free, .gpu_share = share);
