/* mllb.c - moves a task where a network says that Linux would.
 *
 * MLLB (Chen et al., APSys'20) taught a perceptron, 15-10-1, to imitate
 * can_migrate_task; so does this one (weights/mllb.safetensors), with the
 * answers of balance-linux on the simulator's own runs as its labels, and what
 * it sees in mllb_features.h.  It can be no better than what it imitates,
 * except by luck, and every question costs an inference: that it earns its
 * place is not to be expected, and what it costs is the point.
 *
 * Parameters
 *   model      which weights                              ("mllb")
 *   threshold  probability from which on a task is moved  (0.5)  */
#include <stdlib.h>

#include "mllb_features.h"
#include "open_net.h"

struct mllb {
    const struct policy_host *h;
    int model;
    double threshold;
};

static int create(void **self, const struct policy_host *h)
{
    struct mllb *s = net_state(h, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    s->threshold = h->param(h->host, "threshold", 0.5);
    if (!(s->threshold >= 0 && s->threshold <= 1))
        return net_refuse(h, s, "want threshold 0..1");
    s->model = open_net(h, "mllb", MLLB_N, 1);
    return net_created(self, s, h, s->model);
}

static void destroy(void *self)
{
    free(self);
}

static int balance(void *self, const struct policy_balance_obs *o)
{
    struct mllb *s = self;
    float x[MLLB_N], y;
    mllb_features(o, x);
    if (s->h->infer(s->h->host, s->model, 1, x, &y))
        return POLICY_LEAVE; /* the host fails the trial */
    return (double)y > s->threshold ? POLICY_MIGRATE : POLICY_LEAVE;
}

POLICY(.name = "mllb", .summary = "moves a task as a network learned it from Linux (MLLB)",
       .create = create, .destroy = destroy, .cpu_balance = balance);
