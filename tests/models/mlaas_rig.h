/* mlaas_rig.h - the inference service alone: hooks that ask at given times, and
 * what became of them.                                                       */
#ifndef TESTS_MODELS_MLAAS_RIG_H
#define TESTS_MODELS_MLAAS_RIG_H

#include "models/machine.h"
#include "models/mlaas/mlaas.h"
#include "sim/rng.h"

struct mlaas_rig_net {
    const char *name, *kind;
    uint64_t flops, bytes;
};

struct mlaas_rig {
    /* set before mlaas_rig_open; ' stands for " in JSON */
    const char *infer;               /* the section "infer" */
    const char *profile;             /* more members of the machine; NULL: none */
    const char *stack;               /* NULL: malv */
    const struct mlaas_rig_net *net; /* NULL: "a", 1000 operations, the reference's kind */
    unsigned cores;                  /* 0: 1 */
    bool (*wants_gpu)(void *ctx);
    void *ctx;

    struct sim *sim;
    struct cores *cpu;
    struct accel gpu;
    struct machine *machine;
    struct machine_use use;
    struct config *section;
    struct measures *out;
    struct mlaas *m;
    struct infer_tap tap;
    struct model_infer face;

    uint64_t asked, answered; /* hooks */
    double waited_us;         /* of all answered */
    double last_us;           /* of the last one */
};

void mlaas_rig_open(struct mlaas_rig *r);
void mlaas_rig_refused(struct mlaas_rig *r, const char *why); /* mlaas_config or mlaas_open says */
/* At `when` a hook of `group` asks `rows` of each of the networks in the set `nets`. */
void mlaas_rig_ask(struct mlaas_rig *r, sim_time when, uint32_t group, unsigned nets,
                   uint32_t rows);
/* At `when` a hook (or, hook false, somebody outside of hooks) uses the feature store. */
void mlaas_rig_store(struct mlaas_rig *r, sim_time when, uint32_t puts, uint32_t commits,
                     uint32_t rows, bool hook);
/* A policy takes hold of a network or lets it go: before time begins, or then. */
void mlaas_rig_hold(struct mlaas_rig *r, int model, bool on);
void mlaas_rig_hold_at(struct mlaas_rig *r, sim_time when, int model, bool on);
/* Poisson: n hooks of one row of network 0. */
void mlaas_rig_poisson(struct mlaas_rig *r, uint64_t n, double mean_gap_us);
void mlaas_rig_run(struct mlaas_rig *r); /* to the end; every hook must have been answered once */
double mlaas_rig_number(struct mlaas_rig *r, const char *name);
void mlaas_rig_close(struct mlaas_rig *r);

#endif
