/* sjf_mlp.c - shortest job first by a network that predicts answer lengths.
 *
 * At arrival an MLP (weights/sjf_mlp.safetensors, trained by `malv model
 * train`) estimates the length of the answer from the prompt and from what the
 * tenant, the prompt's size class and the model did lately; length_features.h
 * says exactly what.  Its outputs are the mean and the 90th percentile of the
 * log length.  The key is the estimated work.  Good when answers differ and
 * history tells which; where it predicts no better than chance it is random
 * order plus the price of inference.  Long answers starve under overload
 * unless `aging` forgives them for the time they waited.
 *
 * Parameters
 *   model          which weights                              ("sjf_mlp")
 *   prompt_weight  work of an uncached prompt token, in answer tokens  (0.2)
 *   risk           0: rank by the mean; 1: by the 90th percentile      (0)
 *   aging          answer tokens forgiven per second of waiting        (0)  */
#include <stdlib.h>

#include "length_features.h"
#include "open_net.h"

#define KEY_PER_TOKEN 1024.0

struct sjf {
    const struct policy_host *h;
    int model;
    double prompt_weight, risk, aging;
    struct length_state seen;
};

static int create(void **self, const struct policy_host *h)
{
    struct sjf *s = net_state(h, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    s->prompt_weight = h->param(h->host, "prompt_weight", 0.2);
    s->risk = h->param(h->host, "risk", 0);
    s->aging = h->param(h->host, "aging", 0);
    if (!(s->prompt_weight >= 0 && s->prompt_weight <= 1e3))
        return net_refuse(h, s, "prompt_weight: want 0..1000");
    if (!(s->risk >= 0 && s->risk <= 1))
        return net_refuse(h, s, "risk: want 0..1");
    if (!(s->aging >= 0 && s->aging <= 1e6))
        return net_refuse(h, s, "aging: want 0..1000000");
    s->model = open_net(h, "sjf_mlp", LENGTH_N, 2);
    return net_created(self, s, h, s->model);
}

static void destroy(void *self)
{
    free(self);
}

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    struct sjf *s = self;
    const struct policy_request *r = &o->request;
    float x[LENGTH_N], y[2];
    length_features(&s->seen, r, x);
    if (!r->preempted && !o->again)
        length_arrived(&s->seen, r);
    if (s->h->infer(s->h->host, s->model, 1, x, y))
        return 0; /* the host fails the trial */
    double answer = (1 - s->risk) * length_tokens(y[0]) + s->risk * length_tokens(y[1]);
    double prompt = (double)r->prompt_tokens - (double)r->cached_tokens;
    double since_start = (double)r->arrived_ns / 1e9;
    return (int64_t)(KEY_PER_TOKEN * (answer + s->prompt_weight * prompt + s->aging * since_start));
}

static void done(void *self, const struct policy_done *d)
{
    struct sjf *s = self;
    length_done(&s->seen, &d->request, d->output_tokens);
}

/* What it has seen is all that another version needs to know. */
static size_t save(void *self, void *to, size_t room)
{
    const struct sjf *s = self;
    if (room >= sizeof s->seen)
        memcpy(to, &s->seen, sizeof s->seen);
    return sizeof s->seen;
}

static int restore(void *self, const void *from, size_t n, const char *by)
{
    struct sjf *s = self;
    if (strcmp(by, "sjf-mlp") || n != sizeof s->seen)
        return -1;
    memcpy(&s->seen, from, n);
    return 0;
}

POLICY(.name = "sjf-mlp", .summary = "shortest job first by a learned length (MLP)",
       .create = create, .destroy = destroy, .save = save, .restore = restore, .serve_batch = batch,
       .serve_done = done);
