/* policy.h - the one door between the simulator and a policy.
 *
 * Self-contained on purpose: a policy needs this header and nothing else; it
 * never sees the simulator.  It is a shared object exporting one const table
 * under POLICY_SYMBOL.  When a struct below changes shape or meaning, the
 * number in POLICY_ABI goes up and with it the symbol's name, so that a stale
 * object fails at load, never in the middle of a run.
 *
 * A hook must not block, read a clock, touch files or draw randomness other
 * than from the host: a run is a pure function of its inputs.  Pointers in an
 * observation are borrowed for the call.  A hook that answers out of range,
 * crashes or does not return is ejected: the host's default takes over (it
 * stands beside each hook below) and the report says so.                    */
#ifndef POLICY_H
#define POLICY_H

#include <stddef.h>
#include <stdint.h>

#define POLICY_ABI        6
#define POLICY_CAT_(a, b) a##b
#define POLICY_CAT(a, b)  POLICY_CAT_(a, b)
#define POLICY_STR_(s)    #s
#define POLICY_STR(s)     POLICY_STR_(s)
#define POLICY_TABLE      POLICY_CAT(malv_policy_v, POLICY_ABI)
#define POLICY_SYMBOL     POLICY_STR(POLICY_TABLE)

/* ---- what a policy may ask of the host ------------------------------------ */

struct policy_field { /* of a registry of the feature store */
    const char *name;
    uint32_t history; /* 1..: its columns: the committed value and those before it, newest first */
};

/* Most of gain . x over x >= 0, with row . x <= most for every row.  A sparse matrix: entry k is at
 * (row[k], col[k]), no place twice. */
#define POLICY_LP_MAX 65536 /* rows, cols; entries: 64 times that */
struct policy_lp {
    uint32_t rows, cols, entries;
    const double *gain; /* [cols] */
    const double *most; /* [rows] */
    const uint32_t *row, *col;
    const double *value;
};

/* One piece of training: steps of gradient descent with momentum on the cross entropy of the
 * softmax of the outputs (gpu-kernels/mlp_train.h), each over all rows. */
#define POLICY_TRAIN_ROWS  4096
#define POLICY_TRAIN_STEPS 65536
struct policy_train {
    uint32_t rows, steps;  /* 1 and more of both */
    const float *in;       /* [rows][n_in] */
    const uint32_t *label; /* [rows], below n_out: the output that was right */
    float rate, momentum;
};

struct policy_host {
    void *host;                                /* pass back as the first argument */
    void (*log)(void *host, const char *line); /* shown with -v and in the report */
    uint64_t (*random)(void *host);            /* seeded; the policy's own stream */

    /* Parameters from the experiment ("params": {...}).  A parameter that the
     * policy never asked for is an input error: typos do not pass silently. */
    double (*param)(void *host, const char *name, double otherwise);
    const char *(*param_text)(void *host, const char *name, const char *otherwise);

    /* Inference service.  model_open: a handle >= 0, or -1 when there is no
     * such model (the host has already said why).  infer: runs the real
     * network on `rows` rows of n_in floats and fills rows x n_out; 0, or -1
     * for a bad handle.  What it costs is charged to the simulated CPU or GPU,
     * and the decision takes effect when that work is done.                 */
    int (*model_open)(void *host, const char *name, uint32_t *n_in, uint32_t *n_out);
    int (*infer)(void *host, int model, uint32_t rows, const float *in, float *out);

    /* model_update: from now on the handle is the network `name`, of the same shape; questions
     * under way finish on the old one.  0, or -1 and all stays as it is: no such model, another
     * shape, or no memory for it (the host says why).  model_close: the handle ends. */
    int (*model_update)(void *host, int model, const char *name);
    void (*model_close)(void *host, int model);

    /* Feature store.  A registry is a ring of `rows` vectors (0: 256; a full one overwrites its
     * oldest) shared by all policies of a VM that open it by the same name and fields: a handle,
     * or -1 (the host says why); at most 32.  A vector is captured field by field between begin,
     * which forgets what was not committed, and commit.  get: the newest `most` vectors committed
     * at since_ns or later, the oldest of them first, each as its columns; at_ns may be NULL.
     * score: runs the network on just those, one question for all; out is rows x n_out.  drop:
     * forgets vectors up to until_ns.  All answer how many vectors, or 0, or -1 for a wrong
     * handle, field or shape.  What they cost is charged. */
    int (*features)(void *host, const char *name, const struct policy_field *field,
                    uint32_t n_field, uint32_t rows);
    int (*feature_begin)(void *host, int registry);
    int (*feature_put)(void *host, int registry, uint32_t field, float value);
    int (*feature_add)(void *host, int registry, uint32_t field, float value);
    int (*feature_commit)(void *host, int registry, uint64_t at_ns);
    int (*feature_get)(void *host, int registry, uint64_t since_ns, uint32_t most, float *rows,
                       uint64_t *at_ns);
    int (*feature_score)(void *host, int registry, int model, uint64_t since_ns, uint32_t most,
                         float *out);
    int (*feature_drop)(void *host, int registry, uint64_t until_ns);

    /* Linear programs, solved by the host: a policy needs no library for them.  0 and x[cols], each
     * rounded to a multiple of 2^-32; 1: no x keeps all rows, or none is the best; -1: not a
     * program (an index or a number out of range).  Costs nothing in simulated time. */
    int (*lp)(void *host, const struct policy_lp *program, double *x);

    /* Training while the machine runs, beside the hook: a copy of the handle's network, the
     * policy's own from the first piece on, learns; questions are still answered by the version
     * before. train: 0 when the piece was taken; 1 when the last one is still in work, and nothing
     * happened; -1: this network or this machine can't, or a number is out of range (the host says
     * why). renew: 0: the handle is from now on the network as trained; 1: the work is not done
     * yet; -1: nothing new was learned.  The work is charged to a core. */
    int (*model_train)(void *host, int model, const struct policy_train *piece);
    int (*model_renew)(void *host, int model);
};

/* ---- serve.admit, serve.batch ------------------------------------------------ */

struct policy_request {
    uint64_t id; /* unique in the run, ascending by arrival */
    uint64_t arrived_ns;
    uint32_t tenant, model;
    uint32_t prompt_tokens;
    uint32_t cached_tokens;        /* of the prompt, already in the KV cache */
    uint32_t oracle_output_tokens; /* the truth, for policies marked .oracle; else 0 */
    uint32_t preempted;            /* how often it lost its KV cache and came back */
};

struct policy_server { /* what a serving engine knows about itself */
    uint64_t now_ns;
    uint32_t waiting, running;
    uint64_t waiting_prompt_tokens;
    uint32_t kv_blocks_total, kv_blocks_free, block_tokens;
    uint32_t max_running;
};

struct policy_admit_obs {
    struct policy_request request;
    struct policy_server server;
    uint32_t engine; /* the one that would take it, its place in engine[]; 0 if alone */
};
enum policy_verdict { POLICY_ADMIT = 0, POLICY_REJECT = 1 };

/* Rank a request when it enters the waiting queue: the lowest key runs first,
 * ties in order of arrival.  The host owns the queue. */
struct policy_batch_obs {
    struct policy_request request;
    struct policy_server server;
    uint32_t again; /* 1: it waits or runs already, ranked by another policy or version */
};
#define POLICY_KEY_MAX INT64_C(0x3fffffffffffffff) /* |key| beyond this is a bad answer */

struct policy_done { /* feedback: a request finished */
    struct policy_request request;
    uint64_t now_ns;
    uint32_t output_tokens; /* now known to everybody */
    uint32_t engine;        /* the one that took it in, its place in engine[]; 0 if alone */
    uint64_t first_token_ns, last_token_ns;
};

/* ---- cpu.pick, cpu.balance ---------------------------------------------------- */

#define POLICY_NONE      UINT32_MAX
#define POLICY_TASKS_MAX 65536
#define POLICY_CPUS_MAX  4096

struct policy_task {               /* a vCPU or a host thread, as a scheduler sees it */
    uint32_t id;                   /* below POLICY_TASKS_MAX, unique in the run; never reused */
    uint32_t vm;                   /* 0: the host itself */
    uint32_t cpu;                  /* runs there, or ran there last; POLICY_NONE: never ran */
    uint32_t weight;               /* share of the CPU; 1024 is one task of nice 0 */
    int32_t prio;                  /* fixed priority, larger first; 0 for ordinary tasks */
    uint32_t gang;                 /* tasks of one gang want to run together; POLICY_NONE: none */
    uint64_t ran_ns;               /* CPU time so far */
    uint64_t on_ns;                /* of it, since it was last put on a CPU; 0 when it waits */
    uint64_t ready_ns;             /* since when it waits: it woke up, or lost its CPU */
    uint64_t budget_ns, period_ns; /* scheduling context; 0: none.  Host enforces the budget. */
    uint64_t deadline_ns;          /* end of the current period; 0: none */
    uint64_t oracle_left_ns;       /* oracles: CPU time at full speed until it blocks; else 0 */
};

struct policy_cpu {
    uint64_t now_ns;
    uint32_t cpu, node, cpus, nodes; /* numbered from 0; cpus up to POLICY_CPUS_MAX */
};

/* Asked when a CPU has something to decide: its task blocked, its slice ended, or a task woke
 * up on it.  task[] are the runnable tasks of that CPU, in order of id, the running one among
 * them.  Default: round robin. */
enum policy_why { POLICY_BLOCKED, POLICY_SLICE_END, POLICY_WOKE };
struct policy_pick_obs {
    struct policy_cpu at;
    uint32_t why;     /* policy_why */
    uint32_t current; /* index of the one that runs; POLICY_NONE */
    uint32_t woken;   /* index of the one that woke; POLICY_NONE */
    uint32_t n;       /* >= 1 */
    const struct policy_task *task;
};
#define POLICY_SLICE_MIN UINT64_C(10000)       /* ns: a shorter slice is a bad answer */
#define POLICY_SLICE_MAX UINT64_C(10000000000) /* and so is a longer one */
struct policy_pick {
    uint32_t task;     /* index; the running one: no switch */
    uint64_t slice_ns; /* it is asked again after this, at the latest */
};

/* May this waiting task move?  Asked for one candidate after another, when a CPU falls idle
 * and every balancing period.  Default: yes if it evens the queues out. */
enum policy_idle { POLICY_BUSY, POLICY_IDLE, POLICY_NEWLY_IDLE };
struct policy_balance_obs {
    struct policy_task task;
    struct policy_cpu src, dst;
    uint32_t dst_idle;           /* policy_idle */
    uint32_t src_len, dst_len;   /* runnable tasks */
    uint64_t src_load, dst_load; /* sums of their weights */
    uint64_t since_ran_ns;       /* how long ago it ran: its caches may be warm */
    uint32_t home_node;          /* where most of its memory is; POLICY_NONE */
    uint32_t failed;             /* attempts in a row that moved nothing */
    uint32_t src_astray;         /* runnable tasks there whose memory is on another node */
    /* Oracles: how long it is until this task's burst is done on either CPU, if nobody comes and
     * all share by weight until each blocks; with cold caches and memory far away.  Else 0. */
    uint64_t oracle_src_ns, oracle_dst_ns;
};
enum policy_move { POLICY_LEAVE = 0, POLICY_MIGRATE = 1 };

/* ---- mem.evict, mem.place, mem.readahead ------------------------------------------ */

struct policy_mem {  /* before the first question */
    uint32_t frames; /* of the cache that mem.evict rules; frames are numbered from 0 */
    uint32_t tiers;  /* for mem.place; 0 is the fastest */
    uint32_t page_bytes;
};

struct policy_access {
    uint64_t now_ns; /* or the number of the access, in a replay without times */
    uint64_t page;
    uint32_t frame; /* where it is, or is put */
    uint32_t write;
    uint64_t next;  /* oracles: number of accesses until this page comes again; UINT64_MAX: never */
    uint32_t depth; /* blocks of a KV cache: how many stand before it in its prompt; else 0 */
};

/* Placing regions on tiers, once a period.  Default: leave everything where it is. */
struct policy_region {
    uint64_t page; /* the first of `pages` */
    uint32_t pages, tier;
    uint32_t accesses;      /* in the period that ended */
    uint32_t next_accesses; /* oracles: in the one that begins; else 0 */
};
struct policy_place_obs {
    uint64_t now_ns, period;
    uint32_t n; /* regions, the same ones in the same order every period, new ones at the end */
    const struct policy_region *region;
    const uint64_t *tier_pages; /* [tiers]: capacity */
};

/* How many pages after a missed one to fetch with it.  Default: 32. */
struct policy_readahead_obs {
    uint64_t now_ns, page;
    uint32_t stream;    /* which file or task */
    uint32_t readahead; /* the last answer for it */
    uint64_t accesses;  /* of the stream so far */
    float feature[5];   /* over the last window: accesses; mean, standard deviation of the page;
                           mean |step| in pages; current readahead (KML's) */
    const uint64_t *oracle_next; /* [n_next], for oracles: pages it accesses next; else NULL */
    uint32_t n_next;
    uint64_t io_ns; /* time of the device that its misses and their readahead took so far, this miss
                       not among them; 0 on no machine */
};
#define POLICY_READAHEAD_MAX 1024

/* ---- io.steer ------------------------------------------------------------------- */

#define POLICY_IO_HISTORY 4
struct policy_device {
    uint32_t pending;       /* I/Os in its queue */
    uint32_t pending_pages; /* 4 KiB pages of reads and writes in its queue */
    /* The last reads that completed on it, newest first; zero before there were so many. */
    uint32_t latency_us[POLICY_IO_HISTORY];
    uint32_t then_pending_pages[POLICY_IO_HISTORY]; /* pages pending when each was submitted */
};
/* Where a read goes; every replica has the data.  Default: its home. */
struct policy_steer_obs {
    uint64_t now_ns, id;
    uint32_t tenant, home, n; /* devices are numbered from 0 */
    uint32_t tried;           /* bit set of devices that have turned it away */
    uint64_t offset, bytes;
    const struct policy_device *device; /* [n] */
    const uint64_t *oracle_latency_ns;  /* [n], for oracles; else NULL */
};
struct policy_io_done { /* feedback: an I/O finished */
    uint64_t now_ns, id, latency_ns, bytes;
    uint32_t device, write;
    uint32_t then_pending_pages; /* on the device when it was submitted, with its own */
};

/* ---- gpu.dispatch, gpu.share ------------------------------------------------------ */

#define POLICY_GPU_TENANTS_MAX 256
#define POLICY_MILLI           1000

enum policy_gpu_bound { POLICY_BOUND_UNKNOWN, POLICY_BOUND_COMPUTE, POLICY_BOUND_MEMORY };
struct policy_gpu_tenant { /* as who hands commands to a GPU sees it */
    uint32_t id;           /* below POLICY_GPU_TENANTS_MAX, unique in the run */
    int32_t prio;          /* larger first; above 0: latency-critical, 0: best effort */
    uint32_t weight;       /* of the share it was promised; 1024 is one part */
    uint32_t waiting;      /* commands that could go to the GPU now */
    uint32_t running;      /* commands of it on the GPU */
    uint64_t ready_ns;     /* since when the first that waits does */
    uint64_t used_ns; /* GPU time so far: time its commands ran x the part of the SMs they had */
    uint64_t done;    /* commands that ended */
    uint64_t deadline_ns; /* of its current request; 0: none */
    uint64_t request_ns;  /* when its current request came; 0: it has none */
    uint64_t latency_ns;  /* of its last request that was answered; 0: none was */
    /* The first that waits, as profiled alone; 0: never seen before. */
    uint64_t head_ns;    /* how long it takes */
    uint32_t head_sms;   /* SMs that it can fill */
    uint32_t head_bound; /* policy_gpu_bound */
    uint32_t head_milli; /* of the memory bandwidth, that it draws */
    /* What runs, together. */
    uint32_t running_sms, running_bound, running_milli;
    uint64_t running_left_ns; /* of the longest of them, at the present speed */
    uint64_t oracle_next_ns;  /* oracles: when the request after the current one comes; UINT64_MAX:
                                 never; 0: nobody knows yet, or no oracle */
};

/* Whose next command goes to the GPU?  Asked when one could go: one came, or ended, or was handed
 * over, or the time came that the last answer named.  tenant[] are those with anything waiting or
 * running, in order of id.  Default: the one that waits longest, whole. */
struct policy_dispatch_obs {
    uint64_t now_ns;
    uint32_t device, sms, free_sms; /* free: nothing runs on them */
    uint32_t n;                     /* >= 1 */
    const struct policy_gpu_tenant *tenant;
    uint64_t oracle_next_ns; /* oracles: when a tenant of prio above 0 has a request next, now_ns if
                                one has; UINT64_MAX: never; 0: nobody knows, or no oracle */
};
#define POLICY_PIECE_MIN 1000 /* ns: shorter pieces are a bad answer */
#define POLICY_AGAIN_MIN 1000 /* and so is a shorter wait */
struct policy_dispatch {
    uint32_t tenant;  /* index of one with `waiting`; POLICY_NONE: nothing now */
    uint32_t preempt; /* index of one whose running work makes room at once; POLICY_NONE */
    uint32_t sms;     /* the command gets at most so many SMs; 0: no limit */
    uint64_t
        piece_ns; /* it is cut into pieces of so long (alone), each dispatched anew; 0: whole */
    uint64_t again_ns; /* with POLICY_NONE: ask again after this; 0: not before something happens,
                          which is a bad answer while nothing runs */
};

/* What part of the GPU is whose?  Asked when a tenant comes or goes, and every period.
 * Default: the parts that there are, at first what the experiment says. */
enum policy_share_of { POLICY_SHARE_TIME, POLICY_SHARE_SMS };
struct policy_share_obs {
    uint64_t now_ns, period;
    uint32_t of;   /* policy_share_of */
    uint32_t busy; /* 1/1000 of the last period in which the GPU ran anything */
    uint32_t n;
    const struct policy_gpu_tenant *tenant;
};

/* ---- serve.route, serve.scale ------------------------------------------------------- */

/* A serving engine among others, as a router sees it. */
enum policy_role { POLICY_MIXED, POLICY_PREFILL, POLICY_DECODE };
struct policy_engine {
    uint32_t id;    /* its place in engine[] */
    uint32_t role;  /* policy_role */
    uint32_t takes; /* 1: requests may go there; 0: it starts, empties itself, or is off */
    uint32_t waiting, running;      /* waiting: those on their way to it are among them */
    uint64_t waiting_prompt_tokens; /* not yet computed, of those that wait and run */
    uint64_t cached_tokens;         /* in the KV caches of what decodes, when that last changed */
    uint64_t shipped_tokens; /* of KV caches that wait to decode there, or are on their way */
    uint64_t kv_tokens;      /* that its KV cache can hold */
    uint32_t prefix_tokens;  /* of this request's prompt, in its prefix cache */
    uint32_t max_running;
    uint64_t routed; /* requests sent there so far */
};

/* Which engine serves this request?  Asked when it comes, and once more, with other engines, when
 * a prefill engine has computed its prompt.  engine[] are always the same ones at each of the two;
 * only those that take requests are good answers.  Default: the next one, round robin. */
enum policy_stage { POLICY_COMES, POLICY_PREFILLED };
struct policy_route_obs {
    struct policy_request request;
    uint64_t now_ns;
    uint32_t stage; /* policy_stage */
    uint32_t n;     /* >= 1, and one of them takes requests */
    const struct policy_engine *engine;
    /* Places in engine[] of those that are not as they were at the last question of this stage
     * (prefix_tokens apart): who keeps an order of the engines has no need to look at all. */
    uint32_t n_changed;
    const uint32_t *changed;
};

struct policy_coming { /* what will come in a stretch of time */
    uint64_t requests, prompt_tokens, output_tokens;
};

/* How many engines shall a pool have?  Asked once a period.  Default: as many as there are. */
struct policy_scale_obs {
    uint64_t now_ns, period, period_ns;
    uint32_t role;                      /* policy_role */
    uint32_t serving, starting, ending; /* engines of the pool */
    uint32_t least, most;               /* the answer lies between */
    uint32_t waiting, running;          /* requests, on all of them */
    uint64_t arrived, arrived_tokens;   /* in the period: requests, their prompt tokens */
    uint64_t done, good;                /* in the period: of these, within the objective */
    uint32_t busy_milli;                /* 1/1000 of the period that its engines computed */
    uint64_t start_ns;                  /* how long a cold start takes */
    const struct policy_coming *oracle; /* [2], for oracles: to the fleet until a cold start that
                                           began now is over; in the period after that; else NULL */
};

/* ---- cluster.order, cluster.place ---------------------------------------------------- */

#define POLICY_NODE_GPUS 16
#define POLICY_ANY_MODEL UINT64_MAX
struct policy_job { /* a batch job, a training job or a pod */
    uint64_t id;    /* unique in the run, ascending by arrival */
    uint64_t arrived_ns;
    uint32_t tenant, user, group; /* POLICY_NONE: not said */
    uint32_t gpus;                /* all at once; 0: none */
    uint32_t gpus_min, gpus_max;  /* what it can run on; both `gpus` unless it is elastic */
    uint32_t gpu_milli;           /* of each GPU; below 1000 with one GPU only */
    uint64_t gpu_models;          /* bit set of node models that it may run on */
    uint32_t cpu_milli;           /* of all its GPUs together, like mem_bytes */
    uint32_t running;             /* 1: it does */
    uint64_t mem_bytes;
    int32_t prio;
    uint32_t lost;         /* how often it was preempted or failed */
    uint64_t since_ns;     /* since when it waits, or runs */
    uint64_t ran_ns;       /* time it ran so far */
    uint64_t service_ns;   /* GPU time so far: ran_ns x its GPUs */
    uint64_t predicted_ns; /* of its whole duration, as a predictor or its user says; 0: nobody */
    uint64_t oracle_ns;    /* oracles: its whole duration; else 0 */
};
struct policy_cluster {
    uint64_t now_ns;
    uint32_t waiting, running; /* jobs */
    uint64_t gpu_milli, gpu_milli_free;
};

/* Rank a job when it enters the queue, and again when what its key follows has changed: the lowest
 * key runs first, ties in order of arrival.  Whether a job that waits may push out one that runs
 * with a larger key, and whether one may pass another that does not fit, is the experiment's to
 * say.  Default: in order of arrival. */
enum policy_again {
    POLICY_NEW,    /* it came */
    POLICY_BACK,   /* it lost its GPUs */
    POLICY_SERVED, /* it had the GPU time that the last answer named */
    POLICY_LATER,  /* the time came that the last answer named */
    POLICY_SHARED, /* its user's share changed */
    POLICY_OTHER   /* another policy or version ranked it */
};
struct policy_order_obs {
    struct policy_job job;
    struct policy_cluster cluster;
    uint32_t why;        /* policy_again */
    uint32_t user_micro; /* its user's dominant share of the cluster, 1/1,000,000 (DRF) */
    int64_t key;         /* its present one; 0 for POLICY_NEW */
};
#define POLICY_ORDER_MIN 1000000 /* ns: to be asked again sooner is a bad answer */
struct policy_order {
    int64_t key;              /* |key| <= POLICY_KEY_MAX */
    uint64_t at_service_ns;   /* ask again when its service_ns reaches this; 0: never */
    uint64_t after_ns;        /* ask again after so long; 0: never */
    uint64_t predicted_ns;    /* its whole duration, for who reserves; 0: no opinion */
    uint32_t follows_sharing; /* 1: ask again when its user's share has changed, while it waits */
};
struct policy_job_done { /* feedback: a job ended */
    struct policy_job job;
    uint64_t now_ns;
    uint64_t duration_ns; /* what it took on its GPUs, without restarts; now known to everybody */
};

struct policy_node {
    uint32_t id;    /* its place in node[] */
    uint32_t model; /* of its GPUs: bit number in policy_job.gpu_models; POLICY_NONE: no GPU */
    uint32_t rack;
    uint32_t gpus, cpu_milli, cpu_free_milli;
    uint64_t mem_bytes, mem_free_bytes;
    uint16_t gpu_free_milli[POLICY_NODE_GPUS]; /* [gpus] */
    uint32_t jobs;
    uint32_t kinds;   /* what jobs it runs: bit 0 those with a part of a GPU, bit k those that
                         have k GPUs in all (the last bit: so many or more) */
    uint32_t changes; /* goes up whenever anything above does */
};
#define POLICY_KINDS 32
struct policy_demand { /* a typical job of the workload */
    uint32_t gpus, gpu_milli, cpu_milli;
    uint32_t weight; /* how many such jobs the trace has */
    uint64_t gpu_models;
};
/* Where does this job run?  node[] are all nodes, always the same ones; only those with room are
 * good answers.  A job on several GPUs of several nodes has a seat on each.  Default: the first
 * nodes that have room. */
struct policy_seat {
    uint32_t node;
    uint32_t gpus; /* bit set of its GPUs; 0 for a job without */
};
struct policy_seat_obs {
    struct policy_job job;
    struct policy_cluster cluster;
    uint32_t n, n_demand;
    const struct policy_node *node;
    const struct policy_demand *demand; /* [n_demand]: as the whole trace has it, largest first */
    uint32_t most;                      /* seats that there is room for in the answer */
    const uint64_t *oracle_ends_ns; /* [n], for oracles: when the last of the jobs on each node will
                                       end, as fast as they run now; 0: it has none; else NULL */
};

/* ---- cluster.share -------------------------------------------------------------------- */

/* A cluster of GPUs of several types, scheduled in rounds: what part of its time shall each job run
 * on each type?  Two jobs may be given a part together: they run on the same GPUs, each at the rate
 * that it has beside the other.  Asked when jobs have come or ended, no more often than the
 * experiment says.  Default: equal parts of every type. */
struct policy_round_job {
    uint64_t id; /* unique in the run, ascending by arrival */
    uint64_t arrived_ns;
    uint32_t kind; /* below kinds: what it runs, and on how many GPUs */
    uint32_t gpus; /* all at once, of one type; >= 1 */
    double weight; /* of its part; > 0 */
    double steps;  /* that it has left to run; > 0 */
};
struct policy_round_obs {
    uint64_t now_ns;
    uint32_t n, types, kinds;
    uint32_t most;                      /* parts that there is room for in the answer */
    const struct policy_round_job *job; /* [n], in order of id */
    const uint32_t *gpus;               /* [types] of the cluster; the experiment's order */
    const double *rate;                 /* [types][kinds]: steps/s; 0: it can't run there */
    const double *beside; /* [types][kinds][kinds]: steps/s of the first beside the second; 0: they
                             can't; NULL: two jobs never share */
};
struct policy_part {
    uint32_t job, beside; /* places in job[]; beside: POLICY_NONE, or a later place than job's */
    uint32_t type;
    double part; /* 0..1 of the time; all of a job's: at most 1; of a type: at most its GPUs */
};

/* ---- policy.select ---------------------------------------------------------------- */

/* Which of several policies shall answer at a hook for one VM?  Asked once a period for each VM
 * that asked anything in it.  Default: the one that does. */
#define POLICY_CONTEXT 3
struct policy_candidate {
    const char *label;
    uint64_t answered;       /* decisions in the period that ended */
    uint64_t done;           /* of its decisions, those whose outcome became known in the period */
    uint64_t cost_ns;        /* the sum of their costs: a request's latency, a read's */
    uint64_t oracle_cost_ns; /* oracles: mean cost of this VM when it answers all the time */
};
struct policy_select_obs {
    uint64_t now_ns, period;
    uint32_t vm, hook;             /* policy_hook */
    uint32_t current, n;           /* index of the one that answers now; POLICY_NONE */
    float context[POLICY_CONTEXT]; /* of the period: decisions per second; mean size (prompt
                                      tokens, bytes); standard deviation over mean of it */
    const struct policy_candidate *candidate; /* [n] */
};

/* ---- the table ------------------------------------------------------------- */

struct policy_ops {
    uint32_t abi;                           /* POLICY_ABI */
    uint32_t ops_size, host_size, obs_size; /* sizeof, as the policy's compiler saw them */
    const char *name;
    const char *summary; /* one line for `malv policy list` */
    uint32_t oracle;     /* 1: wants the truth; reports mark it */

    int (*create)(void **self,
                  const struct policy_host *h); /* 0, or nonzero after h->log said why */
    void (*destroy)(void *self);

    /* A policy that is replaced in mid-run may hand its state to the one that comes: another
     * version of it, or one that knows its format.  save: how many bytes; written only where they
     * have room.  restore: after create, before any hook; `by` is the name of who saved; nonzero:
     * it can't use them, and is as create left it.  Without both the state is dropped. */
    size_t (*save)(void *self, void *to, size_t room);
    int (*restore)(void *self, const void *from, size_t n, const char *by);

    /* Hooks: NULL where the policy has no opinion. */
    int (*serve_admit)(void *self, const struct policy_admit_obs *o);     /* a policy_verdict */
    int64_t (*serve_batch)(void *self, const struct policy_batch_obs *o); /* the key */
    void (*serve_done)(void *self, const struct policy_done *d);          /* optional feedback */

    void (*cpu_pick)(void *self, const struct policy_pick_obs *o, struct policy_pick *answer);
    int (*cpu_balance)(void *self, const struct policy_balance_obs *o); /* a policy_move */

    /* mem.evict: told of every access, asked for a victim when all frames are taken. */
    int (*mem_begin)(void *self, const struct policy_mem *m); /* 0; before any other mem hook */
    void (*mem_hit)(void *self, const struct policy_access *a);
    void (*mem_insert)(void *self, const struct policy_access *a);           /* into a free frame */
    uint32_t (*mem_evict)(void *self, const struct policy_access *incoming); /* frame to free */
    void (*mem_remove)(void *self, uint32_t frame, uint64_t page); /* freed by somebody else */
    /* tier[i]: where region i shall be; it comes filled with where it is. */
    void (*mem_place)(void *self, const struct policy_place_obs *o, uint32_t *tier);
    uint32_t (*mem_readahead)(void *self, const struct policy_readahead_obs *o);

    uint32_t (*io_steer)(void *self, const struct policy_steer_obs *o); /* a device */
    void (*io_done)(void *self, const struct policy_io_done *d);        /* optional feedback */

    void (*gpu_dispatch)(void *self, const struct policy_dispatch_obs *o,
                         struct policy_dispatch *answer);
    /* milli[n] comes filled with the present parts; each 1..1000.  Parts of SMs may overlap,
     * parts of time are taken in proportion. */
    void (*gpu_share)(void *self, const struct policy_share_obs *o, uint32_t *milli);

    uint32_t (*serve_route)(void *self, const struct policy_route_obs *o); /* index of an engine */
    uint32_t (*serve_scale)(void *self, const struct policy_scale_obs *o); /* engines wanted */

    void (*cluster_order)(void *self, const struct policy_order_obs *o,
                          struct policy_order *answer);
    void (*cluster_done)(void *self, const struct policy_job_done *d); /* optional feedback */
    /* How many seats; 0: not now. */
    uint32_t (*cluster_place)(void *self, const struct policy_seat_obs *o,
                              struct policy_seat *seat);
    /* How many parts; a job that has none may still run on GPUs that nobody else wants. */
    uint32_t (*cluster_share)(void *self, const struct policy_round_obs *o,
                              struct policy_part *part);

    uint32_t (*policy_select)(void *self, const struct policy_select_obs *o); /* a candidate */
};

#define POLICY_OBS_SIZE                                                                            \
    (sizeof(struct policy_admit_obs) + sizeof(struct policy_batch_obs) +                           \
     sizeof(struct policy_done) + sizeof(struct policy_pick_obs) + sizeof(struct policy_pick) +    \
     sizeof(struct policy_balance_obs) + sizeof(struct policy_mem) +                               \
     sizeof(struct policy_access) + sizeof(struct policy_region) +                                 \
     sizeof(struct policy_place_obs) + sizeof(struct policy_readahead_obs) +                       \
     sizeof(struct policy_steer_obs) + sizeof(struct policy_device) +                              \
     sizeof(struct policy_io_done) + sizeof(struct policy_gpu_tenant) +                            \
     sizeof(struct policy_dispatch_obs) + sizeof(struct policy_dispatch) +                         \
     sizeof(struct policy_share_obs) + sizeof(struct policy_engine) +                              \
     sizeof(struct policy_route_obs) + sizeof(struct policy_scale_obs) +                           \
     sizeof(struct policy_order_obs) + sizeof(struct policy_order) +                               \
     sizeof(struct policy_job_done) + sizeof(struct policy_node) + sizeof(struct policy_demand) +  \
     sizeof(struct policy_seat_obs) + sizeof(struct policy_seat) +                                 \
     sizeof(struct policy_round_job) + sizeof(struct policy_round_obs) +                           \
     sizeof(struct policy_part) + sizeof(struct policy_lp) + sizeof(struct policy_train) +         \
     sizeof(struct policy_candidate) + sizeof(struct policy_select_obs) +                          \
     sizeof(struct policy_coming))

/* What an experiment can bind to a policy of its own ("policies": {"mem.evict": "lru"}). */
#define POLICY_HOOKS(X)                                                                            \
    X(SERVE_ADMIT, "serve.admit")                                                                  \
    X(SERVE_BATCH, "serve.batch")                                                                  \
    X(SERVE_ROUTE, "serve.route")                                                                  \
    X(SERVE_SCALE, "serve.scale")                                                                  \
    X(CPU_PICK, "cpu.pick")                                                                        \
    X(CPU_BALANCE, "cpu.balance")                                                                  \
    X(MEM_EVICT, "mem.evict")                                                                      \
    X(MEM_PLACE, "mem.place")                                                                      \
    X(MEM_READAHEAD, "mem.readahead")                                                              \
    X(IO_STEER, "io.steer")                                                                        \
    X(GPU_DISPATCH, "gpu.dispatch")                                                                \
    X(GPU_SHARE, "gpu.share")                                                                      \
    X(CLUSTER_ORDER, "cluster.order")                                                              \
    X(CLUSTER_PLACE, "cluster.place")                                                              \
    X(CLUSTER_SHARE, "cluster.share")                                                              \
    X(POLICY_SELECT, "policy.select")
enum policy_hook {
#define X(id, name) POLICY_HOOK_##id,
    POLICY_HOOKS(X)
#undef X
        POLICY_HOOKS_N
};

/* POLICY(.name = "x", .create = .., ..) at the end of a policy's file is its whole wiring. */
#define POLICY(...)                                                                                \
    __attribute__((visibility("default"))) extern const struct policy_ops POLICY_TABLE;            \
    const struct policy_ops POLICY_TABLE = {.abi = POLICY_ABI,                                     \
                                            .ops_size = sizeof(struct policy_ops),                 \
                                            .host_size = sizeof(struct policy_host),               \
                                            .obs_size = POLICY_OBS_SIZE,                           \
                                            __VA_ARGS__}

#endif
