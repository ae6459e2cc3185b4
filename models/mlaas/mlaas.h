/* mlaas.h - the inference service behind policy_host.infer: what it costs.
 *
 * A policy calls infer from within a hook and gets real outputs at once: the
 * harness ran the network.  The service hears of the call through the tap
 * (models/model.h) and charges its cost to the simulated machine: on a core,
 * or on the GPU through the stack's path (LAKE's daemon, or the kernel's own
 * submission), where it meets the tenant's work.  Calls that fall into one
 * window of virtual time share a batch.  The decision takes effect when the
 * batch is done ("wait"), at once with a correction later ("async"), or at
 * once and without any cost ("free").
 *
 * "auto" places each batch as LAKE's contention policy does: at most every
 * 20 ms the GPU's utilisation is polled; above the limit (or for batches too
 * small to pay off, or on a stack without such a path) the batch runs on a
 * core.
 *
 * Rule "lake" forms batches as LAKE's I/O predictor does (utcs-scea/LAKE
 * dfeef0f, kernel_hook/main.c and predictors.c): a row does not wait, but runs
 * on a core at once, when one on a core takes less than the mean of the
 * group's last four gaps between arrivals, or when the window is 5 us or less;
 * else it joins its group's batch, and closing that costs cost.batch_close. */
#ifndef MODELS_MLAAS_MLAAS_H
#define MODELS_MLAAS_MLAAS_H

#include "models/cores.h"
#include "models/accel.h"
#include "models/model.h"
#include "models/stack.h"

enum mlaas_place { MLAAS_CORE, MLAAS_LAKE, MLAAS_MALV, MLAAS_AUTO };
enum mlaas_mode { MLAAS_WAIT, MLAAS_ASYNC, MLAAS_FREE };
enum mlaas_rule { MLAAS_WINDOW, MLAAS_LAKE_RULE };
#define MLAAS_GROUPS    16 /* batches that form side by side: one per device, say */
#define MLAAS_RULE_GAPS 4

struct mlaas_config {
    enum mlaas_place place;
    enum mlaas_mode mode;
    enum mlaas_rule rule;
    double window_us;
    uint32_t max_batch;
    uint32_t gpu_rows; /* auto: fewer rows than this stay on a core */
    double gpu_limit;  /* auto: utilisation above which the GPU is left to the tenants */
};

/* "infer": {...} of a model's section; NULL keeps the defaults. */
int mlaas_config(struct mlaas_config *c, const struct config *section, struct err *e) MUST_CHECK;

/* What a stack and a machine make of it; fails where the place asked for is not there. */
struct mlaas_costs {
    struct stack_cost core, gpu; /* the paths */
    bool has_gpu;
    const struct machine_cost *cpu_table, *gpu_table; /* rows of the reference network */
    double reference_flops;                           /* of one row of it */
    sim_cost close;                                   /* rule "lake": to close a batch */
};
int mlaas_costs(struct mlaas_costs *k, const struct mlaas_config *c, const struct stack *stack,
                struct machine_use *use, struct err *e) MUST_CHECK;

struct mlaas_stats {
    uint64_t calls, rows, batches, gpu_batches, crossings;
    sim_cost cpu_ps, gpu_ps;
};

struct mlaas;
struct mlaas_env {
    struct sim *sim;
    struct cores *cpu;
    struct accel *gpu;
    const struct stack *stack;
    struct machine_use *use;
    const struct model_infer *infer; /* NULL: no policy can ask */
};
int mlaas_open(struct mlaas **m, const struct mlaas_config *c, const struct mlaas_env *env,
               struct err *e) MUST_CHECK;
void mlaas_close(struct mlaas *m); /* takes its ear off the tap */

/* Around a hook.  end: true when the hook asked for inference that costs time; then done(ctx, arg)
 * is called once when all of it is finished.  False: nothing to wait for, done is not called. */
void mlaas_hook_begin(struct mlaas *m);
void mlaas_hook_group(struct mlaas *m, uint32_t group); /* below MLAAS_GROUPS; else 0 */
bool mlaas_hook_end(struct mlaas *m, sim_fn *done, void *ctx, uint64_t arg);
bool mlaas_idle(const struct mlaas *m);   /* nothing waits in a window or runs */
bool mlaas_failed(const struct mlaas *m); /* out of memory: the simulation was stopped */
void mlaas_stats(const struct mlaas *m, struct mlaas_stats *out);

#endif
