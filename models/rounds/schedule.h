/* schedule.h - a cluster of several types of GPUs, scheduled in rounds (Gavel, OSDI'20, section 5).
 *
 * A policy says what part of its time a job shall run on each type.  Rounds of equal length bring
 * that about: at the start of each, every type in turn takes the jobs that lag most behind their
 * part (part over the time they had since the parts were last made; ties: what they were owed when
 * the parts were made before, then the larger part, then the order of arrival), one job at one
 * place only, as many as fit.  A job that no longer has steps leaves when it ends; its GPUs and all
 * that arrives wait for the next round.  A round ends when the last of its jobs has run its share
 * of steps.
 *
 * Parts are made anew at the first round after jobs have come or ended, but no sooner than
 * `share_every` after the last time; a job that came waits for that, whatever is free.  The round
 * begins when the inference behind the parts is done: nothing runs meanwhile.  Another policy is
 * a reason to make parts anew, too. */
#ifndef MODELS_ROUNDS_SCHEDULE_H
#define MODELS_ROUNDS_SCHEDULE_H

#include <stdbool.h>

#include "models/life_clock.h"
#include "models/mlaas/mlaas_bill.h"
#include "models/policy_slot.h"
#include "policies/python_random.h"
#include "models/rounds/rates.h"
#include "sim/time.h"

struct schedule_arrival {
    sim_time arrives; /* not before the last one's */
    uint32_t kind;
    double steps, weight; /* > 0 */
};

struct schedule_set {
    const struct rates *rates;
    uint32_t gpus[RATES_TYPES_MAX]; /* of each type of the rates */
    sim_time round, share_every;
    bool fill;      /* a job may run where it has no part, on GPUs that are left over */
    bool pairs;     /* two jobs may share GPUs */
    bool shuffle;   /* the types take their jobs in another order each round */
    uint64_t order; /* seed of that: Python's shuffle */
    struct policy_slot *policy;
    struct life_clock *life; /* who answers when; NULL: `policy` for ever */
    struct mlaas_bill *bill; /* of what it asks; NULL: free */
    /* The next job: 1, 0 when there are no more, or an error. */
    int (*next)(void *ctx, struct schedule_arrival *a, struct err *e);
    /* A job has left.  Not 0: that was enough. */
    int (*left)(void *ctx, uint64_t id, uint32_t kind, sim_time arrived, sim_time left);
    void *ctx;
};

struct schedule_stats {
    sim_time end;
    uint64_t rounds, shares, arrived, done, most_jobs;
    double busy_s[RATES_TYPES_MAX]; /* GPU-seconds run */
    uint64_t pair_rounds,
        moves;  /* a job's round with another; its round on another type than before */
    bool stuck; /* jobs are there and none can ever run */
    uint64_t stuck_job;
};

int schedule_run(const struct schedule_set *set, struct schedule_stats *stats,
                 struct err *e) MUST_CHECK;

#endif
