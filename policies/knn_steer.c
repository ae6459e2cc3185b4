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
#include "steer_net.h"

static int create(void **self, const struct policy_host *h)
{
    struct steer_net *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    if (steer_net_open(s, h, "knn_steer", 32, KNN_FEATURES_N, 3)) {
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    const struct steer_net *s = self;
    float digit[LINNOS_N], x[KNN_FEATURES_N], y[3]; /* y: votes for fast, for slow; distance */
    linnos_features(&o->device[o->home], o->bytes, digit);
    knn_features(digit, x);
    return steer_net_answer(s, o, x, y);
}

POLICY(.name = "knn-steer", .summary = "turns a read away where reads like it were slow",
       .create = create, .destroy = destroy, .io_steer = steer);
