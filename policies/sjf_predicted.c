/* sjf_predicted.c - the shortest job first, by a forest that predicts durations.
 *
 * Helios's quasi-shortest-service-first (SC'21): when a job is submitted boosted
 * trees (weights/duration.safetensors, docs/job-durations.md) say from what is
 * asked for and how its owner's jobs went before how long it will run;
 * duration_features.h says exactly what.  Their outputs are the mean of the log
 * duration and a high quantile of it, which was chosen on jobs that come before
 * those it is scored on (jobs_choose.h).  Good when owners repeat themselves; where
 * they do not it is random order plus the price of inference.  Jobs that look
 * long starve under overload unless `aging` forgives them for the time they waited.
 *
 * Parameters
 *   model    which weights                                    ("duration")
 *   risk     0: rank by the mean of the log; 1: by the quantile, which heavy
 *            tails make the better guess of an expected duration      (1)
 *   reserve  0: backfill counts on the mean; 1: on the quantile      (1)
 *   gpus     1: by duration times GPUs, as Helios does        (1)
 *   aging    seconds forgiven per second of waiting           (0)            */
#include <stdlib.h>

#include "duration_features.h"
#include "open_net.h"

struct sjf {
    const struct policy_host *h;
    int model;
    double risk, reserve, gpus, aging;
    struct duration_state seen;
};

static int create(void **self, const struct policy_host *h)
{
    struct sjf *s = net_state(h, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    s->risk = h->param(h->host, "risk", 1);
    s->reserve = h->param(h->host, "reserve", 1);
    s->gpus = h->param(h->host, "gpus", 1);
    s->aging = h->param(h->host, "aging", 0);
    if (!(s->risk >= 0 && s->risk <= 1))
        return net_refuse(h, s, "risk: want 0..1");
    if (!(s->reserve >= 0 && s->reserve <= 1))
        return net_refuse(h, s, "reserve: want 0..1");
    if (!(s->aging >= 0 && s->aging <= 1e3))
        return net_refuse(h, s, "aging: want 0..1000");
    s->model = open_net(h, "duration", DURATION_N, 2);
    return net_created(self, s, h, s->model);
}

static void destroy(void *self)
{
    free(self);
}

static struct duration_job described(const struct policy_job *j)
{
    return (struct duration_job){.submitted_ns = j->arrived_ns,
                                 .user = j->user,
                                 .group = j->group,
                                 .gpus = j->gpus,
                                 .gpu_milli = j->gpu_milli,
                                 .cpu_milli = j->cpu_milli,
                                 .spec = j->gpu_models == POLICY_ANY_MODEL
                                             ? DURATION_NONE
                                             : (uint32_t)__builtin_ffsll((long long)j->gpu_models),
                                 .mem_bytes = j->mem_bytes};
}

static double between(const float y[2], double risk)
{
    return (1 - risk) * duration_seconds(y[0]) + risk * duration_seconds(y[1]);
}

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    struct sjf *s = self;
    const struct duration_job j = described(&o->job);
    float x[DURATION_N], y[2];
    duration_features(&s->seen, &j, x);
    if (o->why == POLICY_NEW)
        duration_submitted(&s->seen, &j);
    if (s->h->infer(s->h->host, s->model, 1, x, y))
        return; /* the host fails the trial */
    const double wide = s->gpus > 0 && o->job.gpus ? o->job.gpus : 1;
    const double key =
        1e6 * (wide * between(y, s->risk) + s->aging * (double)o->job.arrived_ns / 1e9);
    answer->key = key < 0x1p61 ? (int64_t)key : INT64_C(1) << 61;
    answer->predicted_ns = (uint64_t)(1e9 * (between(y, s->reserve) + 1));
}

static void done(void *self, const struct policy_job_done *d)
{
    struct sjf *s = self;
    const struct duration_job j = described(&d->job);
    duration_ended(&s->seen, &j, d->duration_ns / 1000000000);
}

POLICY(.name = "sjf-predicted", .summary = "the shortest job first by a learned duration (forest)",
       .create = create, .destroy = destroy, .cluster_order = order, .cluster_done = done);
