/* host_run.h - one run of a machine, and what comparisons take from it.      */
#ifndef MODELS_HOST_RUN_H
#define MODELS_HOST_RUN_H

#include "models/cpu/cpus.h"
#include "models/host/ledger.h"
#include "models/host/setup.h"
#include "models/model.h"

struct host_run {
    const struct model_env *env;
    const struct host_setup *set;
    const char *stack; /* NULL: native */
    uint32_t copies;
    struct measures *out; /* NULL: nobody wants them */
};

struct host_result {
    struct ledger ledger; /* of all tenants, operations after the warm-up */
    double end_to_end;    /* s, mean of the tenants that came to their end; 0: none did */
    uint32_t tenants, finished;
    uint64_t operations;
    uint64_t raised, delivered, pending; /* interrupts for threads */
    uint64_t arrived, replied, inside;   /* requests */
    uint64_t jobs, jobs_done, jobs_left; /* of host tasks that work for tenants */
    uint64_t over_budget, unaccounted;   /* vCPUs (or threads) whose times are wrong: none */
    struct cpus_totals cpus;
    uint64_t fingerprint;
};

int host_run(const struct host_run *r, struct host_result *out, struct err *e) MUST_CHECK;
/* end_to_end and operations of `here` over those of `there`, and what the difference is made of. */
void host_compare(const struct host_result *here, const struct host_result *there,
                  struct measures *out);

#endif
