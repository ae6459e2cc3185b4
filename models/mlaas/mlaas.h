/* mlaas.h - the inference service behind policy_host.infer: what it costs.
 *
 * A policy calls infer from within a hook and gets real outputs at once: the
 * harness ran the network.  The service hears of the call through the tap
 * (models/model.h) and charges its cost to the simulated machine: on a core,
 * or on the GPU through the stack's path (LAKE's daemon, or the kernel's own
 * submission), where it meets the tenant's work.  Calls of one network and
 * group that fall into one window of virtual time share a batch; batches form
 * side by side.  The decision takes effect when all its batches are done
 * ("wait"), at once with a correction later ("async"), or at once and without
 * any cost ("free").
 *
 * Where a batch goes: "core", "lake" and "malv" are static; "auto" takes the
 * GPU from gpu_rows rows on; "table" from the crossover on that the profile
 * gives (mlaas_crossover).  Back-off then may still leave the GPU to the
 * tenants.  "lake": as LAKE's contention policy does, at most every 20 ms the
 * GPU is polled; with more than one process on it and its utilisation above
 * gpu_limit, batches run on a core until it is at or below gpu_return.
 * "tenants": when the tenants want the GPU as the batch closes, or did when
 * one closed within the last calm_us.
 *
 * On Micro-LAKE a batch is submitted by "launch", as a "graph", or through the
 * "mailbox" of a resident kernel, whose batches wait for one another but not
 * for tenants, and which is launched again when it has ended (mlaas_cost.h).
 *
 * Weights take memory: the host's while a policy holds the network, the GPU's
 * from the first batch there on (mlaas_memory.c).  gpu_mib and host_mib bound
 * it.  When the GPU's part is full, the network used longest ago makes room
 * ("evict"), or the batch stays on a core ("core").
 *
 * The service holds at most queue_rows rows, waiting and running.  A row that
 * finds no room runs on a core at once and alone ("core"), or is not asked
 * for: the model sees mlaas_full and takes the hook's default ("default").
 *
 * Rule "lake" forms batches as LAKE's I/O predictor does (utcs-scea/LAKE
 * dfeef0f, kernel_hook/main.c and predictors.c): a row does not wait, but runs
 * on a core at once, when one on a core takes less than the mean of the
 * group's last four gaps between arrivals, or when the window is 5 us or less;
 * else it joins its group's batch, and closing that costs cost.batch_close. */
#ifndef MODELS_MLAAS_MLAAS_H
#define MODELS_MLAAS_MLAAS_H

#include "models/accel.h"
#include "models/cores.h"
#include "models/mlaas/mlaas_cost.h"
#include "models/model.h"

enum mlaas_place { MLAAS_CORE, MLAAS_LAKE, MLAAS_MALV, MLAAS_AUTO, MLAAS_TABLE };
enum mlaas_mode { MLAAS_WAIT, MLAAS_ASYNC, MLAAS_FREE };
enum mlaas_rule { MLAAS_WINDOW, MLAAS_LAKE_RULE };
enum mlaas_backoff { MLAAS_BACKOFF_NONE, MLAAS_BACKOFF_LAKE, MLAAS_BACKOFF_TENANTS };
enum mlaas_when_full { MLAAS_FULL_CORE, MLAAS_FULL_DEFAULT };
enum mlaas_memory_full { MLAAS_MEMORY_EVICT, MLAAS_MEMORY_CORE };
#define MLAAS_GROUPS    16 /* batches of a network that form side by side: one per device, say */
#define MLAAS_RULE_GAPS 4
#define MLAAS_TUNED     16 /* networks with settings of their own */

/* What may differ from one network to the next. */
struct mlaas_tuning {
    const char *name; /* as the policy opens it; NULL: all others.  Borrowed from the section */
    enum mlaas_place place;
    double window_us;
    uint32_t max_batch;
    uint32_t gpu_rows; /* auto: fewer rows than this stay on a core */
};

struct mlaas_config {
    struct mlaas_tuning all, of[MLAAS_TUNED];
    uint32_t n_of;
    enum mlaas_mode mode;
    enum mlaas_rule rule;
    enum mlaas_backoff backoff;
    enum mlaas_submit submit;
    double mailbox_idle_us; /* the resident kernel ends after so long without a question */
    enum mlaas_when_full when_full;
    uint32_t queue_rows;
    double gpu_limit, gpu_return; /* LAKE's: utilisation to leave the GPU above, to return at */
    double poll_ms, calm_us;
    double host_mib, gpu_mib; /* for weights; 0: no limit */
    enum mlaas_memory_full memory_full;
};

/* "infer": {...} of a model's section; NULL keeps the defaults. */
int mlaas_config(struct mlaas_config *c, const struct config *section, struct err *e) MUST_CHECK;
bool mlaas_wants_gpu(const struct mlaas_config *c);
/* SMs that a resident kernel takes from the tenants: a block for each 16 rows of the largest batch;
 * 0: there is none. */
#define MLAAS_MAILBOX_ROWS 16
uint32_t mlaas_mailbox_sms(const struct mlaas_config *c);

/* Whether a stack and a machine have what such a service will ask of them. */
int mlaas_fits(const struct mlaas_config *c, const struct stack *stack, struct machine_use *use,
               struct err *e) MUST_CHECK;

struct mlaas_stats {
    uint64_t calls, rows, batches, gpu_batches, crossings;
    uint64_t small, backoffs; /* batches left on a core: too few rows; for the tenants */
    uint64_t overflowed;      /* rows that found no room */
    uint64_t polls;
    uint64_t wakes;                             /* launches of the resident kernel */
    uint64_t loads, unloads, copies, evictions; /* of networks: by the host; to the GPU, off it */
    uint64_t no_memory;                         /* batches on a core: no room on the GPU */
    uint64_t host_bytes, gpu_bytes;             /* of weights, at the most */
    uint64_t puts, commits, rows_read;          /* of the feature store */
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
    struct measures *out;            /* NULL: no sketches */
    bool (*wants_gpu)(void *ctx);    /* have the tenants work for it?  NULL: there are none */
    void *ctx;
};
int mlaas_open(struct mlaas **m, const struct mlaas_config *c, const struct mlaas_env *env,
               struct err *e) MUST_CHECK;
void mlaas_close(struct mlaas *m); /* takes its ear off the tap */

/* Around a hook.  end: true when the hook asked for inference that costs time; then done(ctx, arg)
 * is called once when all of it is finished.  False: nothing to wait for, done is not called. */
void mlaas_hook_begin(struct mlaas *m);
void mlaas_hook_group(struct mlaas *m, uint32_t group); /* below MLAAS_GROUPS; else 0 */
bool mlaas_hook_end(struct mlaas *m, sim_fn *done, void *ctx, uint64_t arg);
/* No room, and rows without room are not asked for: the default answers.  Counts one. */
bool mlaas_full(struct mlaas *m);
bool mlaas_idle(const struct mlaas *m); /* nothing waits in a window or runs */
/* 0, or why the simulation was stopped. */
int mlaas_failed(const struct mlaas *m, struct err *e) MUST_CHECK;
void mlaas_stats(const struct mlaas *m, struct mlaas_stats *out);
void mlaas_bytes(const struct mlaas *m, uint64_t *host, uint64_t *gpu); /* of weights, now */
void mlaas_report(const struct mlaas *m, struct measures *out); /* batches, places, back-offs */

#endif
