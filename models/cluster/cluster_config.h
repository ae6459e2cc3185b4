/* cluster_config.h - the section "cluster" of an experiment.
 *
 *   pool        identical GPUs without constraints of place
 *   even        {"nodes", "gpus"}: nodes that are all alike; with neither, the
 *               experiment's "nodes" says them
 *   rack_nodes  so many nodes one after another share a rack; 0: all are in one
 *   spread      nodes that one job may be on; 0: any number
 *   line        "strict": the first of a queue blocks it; "skip-over": whoever fits
 *               passes; "backfill": passes if the first is not delayed (EASY)
 *   depth       backfill: how many that wait are looked at (Slurm's
 *               bf_max_job_test: 500)
 *   preempt     {"every_s": 0}: who waits may push out larger keys, at every
 *               change or once a period; absent: nobody
 *   checkpoint  {"every_s", "save_s", "restart_s"}: 0: never, free, free
 *   queues      {"by": "group"|"user"|"tenant", "quota": {NAME: GPUs},
 *               "otherwise": GPUs, "borrow": false}
 *   fraction    {"of": "time"|"memory"|"mps"|"mig", "interference": [1, ..],
 *               "source": ".."}: what part of a GPU a job of less than one has;
 *               a job's speed beside 0, 1, .. others on its GPU
 *   hosts       nodes as full machines: full_config.h; absent: abstract
 *   failures    {"mtbf_h", "repair_s"}: of each GPU (a pool) or node
 *   predicted   {"from": "none"|"truth"|"user", "factor": 0}: user: uniform
 *               between the truth and 1 + factor times it
 *   arrivals    {"every": 1000, "gap_s": 60, "first_s": 0}: replaces the trace's
 *   tick_s      of a simulator that steps: `ticks` is reported
 *   elastic     {"least", "most", "scaling", "resize"}: of what is asked for
 *   priority    {"qos": {NAME: N}}: policies see it; 0 for the others
 *   infer       what policies' networks cost the scheduler (mlaas_bill.h); with
 *               neither it nor a machine they are free                       */
#ifndef MODELS_CLUSTER_CLUSTER_CONFIG_H
#define MODELS_CLUSTER_CLUSTER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "models/cluster/full_config.h"
#include "models/mlaas/mlaas.h"
#include "sim/config.h"
#include "sim/time.h"

enum cluster_line { LINE_STRICT, LINE_SKIP_OVER, LINE_BACKFILL };
enum cluster_by { BY_NOTHING, BY_GROUP, BY_USER, BY_TENANT };
enum cluster_predicted { PREDICTED_NONE, PREDICTED_TRUTH, PREDICTED_USER };

#define CLUSTER_GPUS_MAX  (1u << 24)
#define CLUSTER_NODE_GPUS 16 /* POLICY_NODE_GPUS */
#define CLUSTER_BESIDE    8  /* others on a GPU that the interference table can say */

struct cluster_config {
    uint32_t pool; /* 0: nodes */
    uint32_t even_nodes, even_gpus, rack_nodes, spread;
    enum cluster_line line;
    uint32_t depth;

    bool preempt;
    sim_time preempt_every;

    sim_time save_every, save, restart;

    enum cluster_by by;
    const struct config *quota; /* by name; borrowed */
    uint64_t quota_otherwise;   /* milli-GPUs; UINT64_MAX */
    bool borrow;

    enum cluster_fraction of;
    uint32_t n_beside;
    uint32_t beside_micro[CLUSTER_BESIDE]; /* speed beside so many others */
    const char *source;                    /* of the interference */

    struct full_config full;

    double mtbf_ns; /* 0: nothing fails */
    sim_time repair;

    enum cluster_predicted predicted;
    double factor;

    uint64_t every; /* arrivals; 0: as the trace has them */
    sim_time gap, first;
    sim_time tick; /* 0: none */

    bool elastic, resize;
    double least, most, scaling;

    const struct config *infer; /* the section; NULL: none; borrowed */
    struct mlaas_config service;

    const struct config *qos; /* names to priorities; borrowed */
    const char *label;
};

int cluster_config(struct cluster_config *c, const struct config *section,
                   struct err *e) MUST_CHECK;
/* The words of the experiment. */
extern const char *const cluster_of_names[], *const cluster_line_names[];

#endif
