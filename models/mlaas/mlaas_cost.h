/* mlaas_cost.h - what an inference costs on a stack and a machine.
 *
 * A profile says what networks cost in rows "infer.net.KIND.NAME": `flops` of
 * one row of that network and the tables `cpu` and `gpu` of time over rows.  A
 * network of that kind costs what the row with the same number of operations
 * says, between two rows what lies between them in proportion to its
 * operations, and beyond the last one what the nearest says, scaled.  Where
 * the profile has no row of its kind, the reference network does:
 * infer.flops, infer.cpu and infer.gpu.
 *
 * Scaled: on a core everything grows with the operations; on the GPU the first
 * row is latency, and only what comes on top of it grows.                   */
#ifndef MODELS_MLAAS_MLAAS_COST_H
#define MODELS_MLAAS_MLAAS_COST_H

#include "models/stack.h"

/* One side of it, core or GPU. */
struct mlaas_curve {
    const struct machine_cost *lo, *hi; /* hi NULL: only one row is used */
    const struct machine_cost *lo_flops, *hi_flops;
    double part;  /* of the way from lo to hi */
    double scale; /* hi NULL: this network's operations over lo's */
    bool gpu;
};
sim_cost mlaas_curve_at(const struct mlaas_curve *c, uint64_t rows);

struct mlaas_net_cost {
    struct mlaas_curve cpu, gpu;
};
/* kind NULL: the reference network's.  with_gpu false: .gpu is not looked up. */
int mlaas_net_cost(struct mlaas_net_cost *n, const char *kind, uint64_t flops, bool with_gpu,
                   const struct machine *machine, struct err *e) MUST_CHECK;
/* From now on the result depends on these constants. */
void mlaas_net_cost_use(const struct mlaas_net_cost *n, struct machine_use *use);

/* The ways to a core and to the GPU; how a kernel of its own submits to it: launches, or a graph,
 * or words in the mailbox of a resident kernel.  For the last two the profile has tables of the
 * reference network's time on the GPU; another one takes that and what it takes more than the
 * reference in a launch. */
enum mlaas_submit { MLAAS_LAUNCH, MLAAS_GRAPH, MLAAS_MAILBOX };
struct mlaas_ways {
    struct stack_cost core, gpu;
    bool has_gpu;
    enum mlaas_submit submit;
    const struct machine_cost *own, *launched; /* those tables, and that of launches; else NULL */
    sim_cost wake;                             /* of a core: to make the kernel resident again */
    sim_cost poll;                             /* of a core: to look how busy the GPU is */
};
int mlaas_ways(struct mlaas_ways *w, const struct stack *s, bool want_gpu, enum mlaas_submit submit,
               struct machine_use *use, struct err *e) MUST_CHECK;
/* The GPU's part of a batch. */
sim_cost mlaas_gpu_at(const struct mlaas_ways *w, const struct mlaas_net_cost *n, uint64_t rows);
/* From the question to the answer of a batch that meets nobody. */
sim_cost mlaas_alone_core(const struct mlaas_ways *w, const struct mlaas_net_cost *n,
                          uint64_t rows);
sim_cost mlaas_alone_gpu(const struct mlaas_ways *w, const struct mlaas_net_cost *n, uint64_t rows);
/* The smallest batch for which the way over the GPU is no slower than a core; 0: none up to
 * MLAAS_BATCH_MOST. */
#define MLAAS_BATCH_MOST 4096
uint32_t mlaas_crossover(const struct mlaas_ways *w, const struct mlaas_net_cost *n);

#endif
