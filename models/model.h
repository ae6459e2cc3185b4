/* model.h - what every model offers the harness, and what it is given.
 *
 * A model is a const table; the guest list below names them all.  The harness
 * opens the inputs, loads policies, picks the inference backend, and hands
 * them over in struct model_env; a model returns measures and nothing else.
 * run() is a pure function of its environment.                              */
#ifndef MODELS_MODEL_H
#define MODELS_MODEL_H

#include "policies/policy.h"
#include "sim/config.h"
#include "sim/err.h"
#include "sim/measures.h"
#include "sim/sim.h"
#include "traces/record.h"

struct machine;     /* models/machine.h: a parsed machine profile */
struct policy_slot; /* models/policy_slot.h: a loaded policy behind its guard */
struct policy_plan; /* models/policy_life.h: its versions, and when they change */

/* The inference service's real arithmetic, provided by the harness so that
 * models never see gpu-kernels/.  Handles are small integers.               */
#define INFER_HELD 256
struct infer_tap { /* told of what policies ask for, so that its cost can be charged */
    void (*called)(void *ctx, int model, uint32_t rows);
    void (*stored)(void *ctx, uint32_t puts, uint32_t commits, uint32_t rows); /* rows: read */
    /* A policy takes hold of a network, or lets it go.  false: there is no memory for it. */
    bool (*holds)(void *ctx, int model, bool on);
    /* A network is trained: so many operations.  false: its last piece is still in work.  NULL
     * beside `called`: the model knows no price of it, and nothing is trained. */
    bool (*trains)(void *ctx, int model, uint64_t flops);
    bool (*trained)(void *ctx, int model); /* that work is done */
    void *ctx;
    /* What is held, whoever listens: in order of taking hold, a network once for each handle. */
    int held[INFER_HELD];
    uint32_t n_held;
};

struct model_infer {
    void *ctx;
    int (*open)(void *ctx, const char *name, uint32_t *n_in, uint32_t *n_out);
    int (*run)(void *ctx, int model, uint32_t rows, const float *in, float *out);
    /* Shape of an open model, for the cost model. */
    uint64_t (*flops)(void *ctx, int model);
    const char *(*name)(void *ctx, int model);
    const char *(*kind)(void *ctx, int model); /* "mlp", ..; NULL: not known */
    uint64_t (*bytes)(void *ctx, int model);   /* of its weights; NULL: not known, 0 */
    /* The harness's memory, never NULL: the running model sets `called` (NULL: nobody listens);
     * policy_host.infer calls it after the real arithmetic, from within the hook. */
    struct infer_tap *tap;
    const char *(*why)(
        void *ctx); /* the sentence of the last open, run, fork or renew that failed */
    /* A network of its own with the weights of another, to be trained and given back; -1. */
    int (*fork)(void *ctx, int model);
    void (*drop)(void *ctx, int fork);
    uint64_t (*train_flops)(void *ctx, int fork, uint32_t rows); /* of a step */
    void (*train)(void *ctx, int fork,
                  const struct policy_train *piece); /* checked by the caller */
    int (*renew)(void *ctx, int fork);               /* it runs as trained from now on; 0, or -1 */
};

/* Rows under a name, to be read through and rewound as often as one likes: a captured program that
 * tenants run (operations), or a table of measured costs. */
struct model_table {
    const char *name; /* as the experiment calls it */
    struct row_source *rows;
};

struct model_env {
    uint64_t seed;
    struct sim_options sim;          /* queue kind, tie shuffle, spans */
    const struct machine *machine;   /* NULL when the experiment names none */
    struct request_source *requests; /* NULL when the experiment has no trace */
    struct row_source *rows;  /* jobs, pages, io, sched or vms; NULL when there is no such trace */
    struct row_source *nodes; /* machines of the cluster; NULL: the experiment has no "nodes" */
    struct model_table *program; /* [n_programs] of "programs", in the order of the experiment */
    struct model_table *table;   /* [n_tables] of "tables", whose rows are costs */
    size_t n_programs, n_tables;
    struct policy_slot *policy; /* for every hook without one of its own; NULL: the defaults */
    struct policy_slot *bound[POLICY_HOOKS_N];      /* NULL: `policy` is asked */
    const struct policy_plan *plan[POLICY_HOOKS_N]; /* how that changes in mid-run; NULL: never */
    const struct model_infer *infer;                /* NULL: none wanted */
    const char *stack; /* "native", "kvm", "lake", "malv"; NULL: native */
    bool exact;        /* exact percentiles instead of the sketch */
};

struct model_ops {
    const char *name; /* as written in the experiment: "model": "serve" */
    const char *summary;
    /* Checks the model's own section of the experiment without running. */
    int (*check)(const struct config *section, struct err *e);
    /* Whether the machine (NULL: none named) and stack have what a run will ask of them.
     * NULL: it takes no machine. */
    int (*fits)(const struct config *section, const struct machine *machine, const char *stack,
                struct err *e);
    bool stacks;         /* the experiment's "stack" means something to it */
    bool needs_nodes;    /* an experiment without them is wrong */
    bool needs_requests; /* an experiment without a trace is wrong */
    /* Tables other than requests that a trace section may bring; a set of 1 << TRACE_x.  0, and
     * no requests: it takes no trace. */
    unsigned rows;
    bool needs_rows; /* and must bring */
    /* Whether the section goes with an experiment's trace (given), or with none; NULL: it is as
     * needs_requests and needs_rows say. */
    int (*trace)(const struct config *section, bool given, struct err *e);
    bool nodes; /* the experiment's "nodes" (a trace section of nodes) means something to it */
    /* Whether the section goes with these programs (NULL: the experiment has none), by name: keys
     * of an object.  NULL: it takes none. */
    int (*programs)(const struct config *section, const struct config *programs, struct err *e);
    int (*tables)(const struct config *section, const struct config *tables,
                  struct err *e); /* the same for "tables" */
    /* Where it asks policies: a set of 1 << POLICY_HOOK_x.  Another binding is refused as a
     * mistake; 0: it takes no policy. */
    unsigned hooks;
    unsigned lives;     /* of these, where a policy may be replaced in mid-run */
    unsigned lives_one; /* of these, where all VMs have the same one at any time */
    /* Why a policy bound to one of `hooks` would have no say in a run of this checked section, as
     * what is wanted in its place: "none: ..".  oracle: whether it is one; it has no say where the
     * truth can't be told.  NULL, or a NULL answer: it has. */
    const char *(*mute)(const struct config *section, enum policy_hook hook, bool oracle);
    /* Its measures by importance, for tables and reports: "miss_ratio,stall.mean". */
    const char *headline;
    int (*run)(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e);
};

/* Whom to ask at this hook. */
static inline struct policy_slot *model_policy(const struct model_env *env, enum policy_hook hook)
{
    return env->bound[hook] ? env->bound[hook] : env->policy;
}

/* The guest list: one line per model. */
#define MODELS(X)                                                                                  \
    X(model_serve)                                                                                 \
    X(model_fleet)                                                                                 \
    X(model_prefix)                                                                                \
    X(model_kernel)                                                                                \
    X(model_vcpus)                                                                                 \
    X(model_queueing)                                                                              \
    X(model_memory)                                                                                \
    X(model_embedding)                                                                             \
    X(model_io)                                                                                    \
    X(model_host)                                                                                  \
    X(model_colocate)                                                                              \
    X(model_slices)                                                                                \
    X(model_hypervisor)                                                                            \
    X(model_gpu)                                                                                   \
    X(model_collective)                                                                            \
    X(model_uvm)                                                                                   \
    X(model_remote)                                                                                \
    X(model_preempt)                                                                               \
    X(model_offload)                                                                               \
    X(model_ecryptfs)                                                                              \
    X(model_contention)                                                                            \
    X(model_cluster)                                                                               \
    X(model_packing)                                                                               \
    X(model_rounds)

#define X(m) extern const struct model_ops m;
MODELS(X)
#undef X

#endif
