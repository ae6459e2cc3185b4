/* mllb_features.h - what MLLB's network is told of a task that may move, as it is
 * trained and as it is asked.
 *
 * The fifteen inputs of Chen et al. (APSys'20) in their order, each near [0, 1].
 * Two are not what they were in Linux: a task's memory lies on one node here,
 * so the difference of its faults is -1, 0 or 1; and there are no buddies, in
 * whose place stands the task's weight, which the heuristic weighs too.     */
#ifndef POLICIES_MLLB_FEATURES_H
#define POLICIES_MLLB_FEATURES_H

#include "balance_linux.h"

#define MLLB_VERSION 1 /* goes up when a feature changes: weights name it */
#define MLLB_N       15

static inline float mllb_part(double v, double most)
{
    return (float)((v < most ? v : most) / most);
}

static inline void mllb_features(const struct policy_balance_obs *o, float x[MLLB_N])
{
    const int known = o->home_node != POLICY_NONE;
    x[0] = mllb_part(o->src_astray, 8);
    x[1] = (float)balance_warm(o, BALANCE_WARM_NS);
    x[2] = o->dst_idle == POLICY_IDLE;
    x[3] = o->dst_idle == POLICY_BUSY;
    x[4] = o->dst_idle == POLICY_NEWLY_IDLE;
    x[5] = o->src.node == o->dst.node;
    x[6] = known && o->src.node == o->home_node;
    x[7] = known && o->dst.node == o->home_node;
    x[8] = mllb_part(o->src_len < 2 ? 0 : (double)o->src_len - 2, 8);
    x[9] = mllb_part((double)o->src_load, 8192);
    x[10] = mllb_part((double)o->dst_load, 8192);
    x[11] = mllb_part(o->dst_len, 8);
    x[12] = (float)balance_nearer(o);
    x[13] = o->failed > BALANCE_TRIES;
    x[14] = mllb_part(o->task.weight, 4096);
}

#endif
