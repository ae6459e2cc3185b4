/* knn_steer.c - nearest neighbours in front of each device: fast, or go elsewhere.
 *
 * As LinnOS does with its network (linnos.c), but the prediction is a vote of
 * the reads most like this one among 4,096 that the simulator ran and labelled
 * (weights/knn_steer, made by `malv model train knn_steer`;
 * features: linnos_features.h).  If the vote is for slow the next device in turn
 * is tried.
 *
 * Good where what slowed reads before looks the same again: there is no fit
 * that could smooth a rare case away, and references can be replaced one by
 * one.  It costs four times the arithmetic of that network (73,728 operations
 * and a selection), and far from all references it guesses like any other.
 *
 * Parameters
 *   model   which references                                        ("knn_steer")
 *   margin  votes by which "slow" must be ahead                               (0)  */
#include <stdlib.h>

#include "linnos_features.h"
#include "policy.h"

struct knn_steer {
    const struct policy_host *h;
    int model;
    double margin;
};

static int refuse(struct knn_steer *s, const char *why)
{
    s->h->log(s->h->host, why);
    free(s);
    return -1;
}

static int create(void **self, const struct policy_host *h)
{
    struct knn_steer *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->h = h;
    s->margin = h->param(h->host, "margin", 0);
    if (!(s->margin >= -32 && s->margin <= 32))
        return refuse(s, "margin: want -32..32");
    uint32_t n_in, n_out;
    s->model = h->model_open(h->host, h->param_text(h->host, "model", "knn_steer"), &n_in, &n_out);
    if (s->model < 0)
        return refuse(s, "no model, no predictions");
    if (n_in != KNN_FEATURES_N || n_out != 3)
        return refuse(s, "the model has other inputs or outputs than this policy: train it again");
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t next_in_turn(const struct policy_steer_obs *o)
{
    for (uint32_t k = 1; k < o->n; k++) {
        const uint32_t d = (o->home + k) % o->n;
        if (!(o->tried & (UINT32_C(1) << d)))
            return d;
    }
    return o->home;
}

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    const struct knn_steer *s = self;
    float digit[LINNOS_N], x[KNN_FEATURES_N], y[3]; /* y: votes for fast, for slow; distance */
    linnos_features(&o->device[o->home], o->bytes, digit);
    knn_features(digit, x);
    if (s->h->infer(s->h->host, s->model, 1, x, y))
        return o->home; /* the host fails the trial */
    return (double)y[1] - (double)y[0] > s->margin ? next_in_turn(o) : o->home;
}

POLICY(.name = "knn-steer", .summary = "turns a read away where reads like it were slow",
       .create = create, .destroy = destroy, .io_steer = steer);
