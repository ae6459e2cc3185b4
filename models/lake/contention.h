/* contention.h - an inference client in the kernel and a user's process want one GPU.
 *
 * The client runs one batch after another, with a pause between; each on the GPU through LAKE's
 * daemon or by Micro-LAKE, or on its core.  The user's process comes, creates its context, runs
 * kernels one after another, waiting for what each brings back, and goes; before each of those of
 * its first sample it copies in what is hashed.  On the GPU the two are contexts (models/accel.h):
 * through LAKE the client's work waits for the rest of the user's time slice; Micro-LAKE preempts;
 * each change of turns costs a switch.
 *
 * Back-off "lake": every poll_ms the client asks NVML, through the daemon, for the number of
 * processes and the utilisation; with more than one and more than limit percent it uses its core
 * until the next poll.  NVML's utilisation is the share of the last window in which kernels were on
 * the GPU or switched to, copies not counted, looked at ten times a window.  Back-off "tenants":
 * the client's kernel sees the GPU's queue; while a user's work is there, and calm_us after, it
 * uses its core.
 */
#ifndef MODELS_LAKE_CONTENTION_H
#define MODELS_LAKE_CONTENTION_H

#include "models/accel.h"
#include "models/lake/offload.h"
#include "sim/measures.h"
#include "sim/rng.h"

enum contention_backoff { BACKOFF_NONE, BACKOFF_LAKE, BACKOFF_TENANTS };
enum { CONTENTION_TICKS = 10 }; /* looks per window of utilisation */
#define CONTENTION_EARLY (200 * SIM_MS)

struct contention_setup {
    enum offload_way way; /* OFFLOAD_COPIES or OFFLOAD_MALV */
    enum contention_backoff backoff;
    uint32_t batch;
    sim_time pause, poll, calm;
    uint32_t limit; /* percent */
    sim_time user_start, user_end, end;
    uint32_t user_pages, user_sample; /* pages of one kernel; kernels of one entry of its log */
};
struct contention_costs {
    sim_time before, after, core; /* of a batch: to the GPU, from it, on a core instead */
    sim_cost gpu;                 /* its work there */
    sim_time slice, switching;    /* what it waits for, and pays, while the user's work runs */
    sim_time ask;                 /* one poll: both questions */
    sim_time window;              /* of utilisation */
    sim_time create;              /* the user's context */
    sim_time user_kernel;
    sim_cost user_kernel_ps;
    sim_time user_gap, user_copy; /* after each of its kernels; before each of its first sample */
};

enum contention_phase { PHASE_ALONE, PHASE_BOTH, PHASE_AFTER, PHASES };
struct contention_result {
    double rate[PHASES]; /* inferences a second */
    double pages;        /* the user's, a second, while both run */
    bool reacted, returned;
    sim_time reaction;  /* from the user's first kernel to the first batch on a core */
    int64_t logged;     /* the same from the end of the user's first sample */
    double early;       /* the user's pages in its first CONTENTION_EARLY, of what it does alone */
    sim_time back;      /* from the user's end to the first batch on the GPU again */
    double utilisation; /* of the GPU while the client is alone */
    bool failed;        /* out of memory */
};
/* Series: "kernel" (inferences/s) and "user" (pages/s); either may be NULL. */
void contention_run(const struct contention_setup *s, const struct contention_costs *c,
                    const struct sim_options *opt, struct measure_series *kernel,
                    struct measure_series *user, struct contention_result *out);

#endif
