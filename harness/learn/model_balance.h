/* model_balance.h - labelled runs of model "host", and the balancing network of MLLB.
 *
 * Guests that compute and guests that sleep between small reads share eight
 * cores on two nodes, in mixes that differ by weights, memory and load.  The
 * tasks move as policies/balance_linux.h says, and each of its answers labels a
 * row: what was asked, and whether the task may move.                       */
#ifndef HARNESS_LEARN_MODEL_BALANCE_H
#define HARNESS_LEARN_MODEL_BALANCE_H

#include "harness/learn/class_train.h"
#include "models/machine.h"

#define BALANCE_REQUESTS 20000 /* questions of a run, at most */
#define BALANCE_MACHINE  "machines/two-nodes.json"
#define BALANCE_DEFAULTS                                                                           \
    {                                                                                              \
        .seed = 3001, .hidden = 10, .epochs = 40, .batch = 32, .patience = 10, .rate = 0.02        \
    }

struct balance_mix {                   /* of guests with two vCPUs each */
    uint32_t batch, web;               /* how many compute, how many sleep and read */
    uint32_t batch_weight, web_weight; /* 1024: nice 0 */
    uint32_t compute_us, think_us;
};
const struct balance_mix *model_balance_mix(size_t i); /* NULL past the end */
/* The section of model "host"; malloc'd, NULL: no memory. */
char *model_balance_section(const struct balance_mix *mix, double seconds);

int model_balance_run(struct class_run *run, const struct balance_mix *mix, const struct machine *m,
                      uint64_t questions, uint64_t seed, struct err *e) MUST_CHECK;
int model_balance_train(const struct model_train_want *want, struct err *e) MUST_CHECK;

#endif
