/* share.h - what part of a GPU is whose, over time: gpu.share.
 *
 * Every `period`, and when a tenant comes or goes, the policy is asked for the
 * parts, in 1/1000; they go to the device as limits of SMs (MPS percentages)
 * or, in proportion, as time slices that sum to `turn`.  Until a policy changes
 * a part, and without one, the device keeps what the experiment says.  Parts
 * that took inference count when it is done; when the next question is asked
 * before that, they never do.  A question that waits for a step of the policy's
 * life is about what there is when that is over.                                                */
#ifndef MODELS_GPU_SHARE_H
#define MODELS_GPU_SHARE_H

#include "models/gpu/tenant.h"
#include "models/mlaas/mlaas.h"
#include "models/policy_life.h"

struct share_params {
    enum policy_share_of of;
    uint32_t sms;             /* of the partition */
    sim_time period;          /* ns between questions; 0: only when tenants come and go */
    sim_time turn;            /* POLICY_SHARE_TIME: of all slices together */
    struct mlaas *infer;      /* charges what the policy's inference takes; NULL: it is free */
    struct policy_life *life; /* who answers when; NULL: `policy` for ever */
};

struct share;
/* policy NULL: the parts stay what the experiment says.  NULL: out of memory. */
struct share *share_new(struct sim *s, struct device *d, const struct share_params *p,
                        struct policy_slot *policy);
void share_free(struct share *x);

/* milli: the part that the experiment gives it; 0: all SMs, an equal part of the time. */
int share_come(struct share *x, const struct gpu_tenant *t, uint32_t milli,
               struct err *e) MUST_CHECK;
void share_go(struct share *x, const struct gpu_tenant *t);
void share_stop(struct share *x); /* the run ends: no more questions */

#endif
