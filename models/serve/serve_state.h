/* serve_state.h - the inside of the serving model, shared by serve*.c only.
 *
 * A request is one slot: intake (serve_intake.c) brings it through the stack
 * and past the policy (serve_decide.c) into the waiting heap; the engine (serve_engine.c) composes
 * iterations from waiting and running slots, walks their phases, and leaps
 * over runs of identical decode iterations; serve_report.c turns the counts
 * into measures.                                                            */
#ifndef MODELS_SERVE_SERVE_STATE_H
#define MODELS_SERVE_SERVE_STATE_H

#include "models/cores.h"
#include "models/accel.h"
#include "models/llm_cost.h"
#include "models/mlaas/mlaas.h"
#include "models/model.h"
#include "models/policy_life.h"
#include "models/serve/paging.h"
#include "models/serve/request_parts.h"
#include "models/serve/reuse.h"
#include "models/serve/serve_kv.h"
#include "models/serve/serve_left.h"
#include "models/serve/serve_queue.h"
#include "models/serve/slot_heap.h"
#include "models/stack.h"
#include "sim/spans.h"

#define SERVE_TABLES 8 /* most names in "costs" */

enum serve_preempt { PREEMPT_WORST, PREEMPT_LAST };

struct serve_config {
    const char *model;               /* "llm.MODEL" of the machine profile */
    const char *costs[SERVE_TABLES]; /* of the experiment's "tables"; none: the profile's fit */
    size_t n_costs;
    uint32_t parallel;         /* degree of tensor parallelism that the tables were measured at */
    uint32_t max_running;      /* sequences in a batch */
    uint32_t max_batch_tokens; /* tokens in an iteration, prompt parts and decoding together */
    uint32_t chunk;            /* most prompt tokens of one request in an iteration; 0: no limit */
    uint32_t max_context;      /* prompt + output tokens of one request */
    double kv_fraction;        /* of GPU memory, for weights and KV cache together */
    uint64_t kv_blocks;        /* of the KV cache; 0: what kv_fraction leaves */
    enum serve_preempt preempt;
    bool recover;          /* a preempted request finds what is left of its blocks */
    uint32_t prefix_block; /* tokens in a block of the trace's hashes; 0: no prefix cache */
    double swap_gib;       /* of host memory for preempted requests; 0: they are computed again */
    struct paging_config paging; /* who moves what does not fit, and where to */
    double slo_ttft_ms, slo_tpot_ms;
    uint32_t cores;
    bool graphs;  /* decode iterations are one captured launch */
    bool overlap; /* the next iteration is prepared while the GPU works: vLLM's async scheduling */
    bool leap;    /* false: step through every iteration (for tests: the same result) */
    struct mlaas_config infer;
};
/* serve_config.c */
int serve_config(struct serve_config *c, const struct config *section, struct err *e) MUST_CHECK;

struct seq {
    uint64_t id; /* ascending by arrival */
    struct request_clock clock;
    sim_time arrived, ready, scheduled, first_token;
    uint32_t tenant, model, prompt, output;
    uint32_t generated;    /* when it (re)joined the decode set, or so far */
    uint32_t goal, filled; /* prompt part: tokens to compute (with those lost), computed */
    uint32_t chunk;        /* of this iteration */
    uint32_t preempted;
    uint64_t left, kept; /* preempted: its blocks in the free queue, and how many were full */
    struct reuse_seq reuse;
    bool swapped;  /* its KV cache lies in host memory */
    uint64_t turn; /* when it was let in last, counted */
    uint32_t at;   /* index in running[] */
    int64_t key;
    uint64_t joined; /* decode step at which it joined */
    uint64_t length; /* tokens in the KV cache when it joined */
    bool admitted;   /* the policy's verdict */
    bool was_scheduled, decoding;
    uint32_t pinned;  /* answers under way that do not hold it up */
    bool gone;        /* finished meanwhile */
    uint32_t by;      /* the version that ranked it */
    uint32_t next_by; /* being ranked again: by whom, and its key then */
    int64_t next_key;
    struct policy_ticket admit, rank, again;
};

enum serve_phase { PHASE_IDLE, PHASE_EVICT, PHASE_PRE, PHASE_GPU, PHASE_POST, PHASE_LEAP };

/* One iteration, or a leap over k of them: each costs pre + gpu + post, and gpu grows by `growth`,
 * for `straight` iterations.  host: the CPU's work, hidden or not. */
struct serve_segment {
    uint64_t k, straight;
    sim_cost pre, gpu, post, host;
    int64_t growth;
    sim_time start;
    uint32_t carry; /* ps, when it began */
    struct llm_batch batch;
};

struct serve_counts {
    uint64_t requests, rejected, completed, good, preemptions;
    uint64_t iterations, batch_sum, tokens, launches;
    uint64_t crossings, recovered; /* recovered: tokens that a preempted request found */
    uint64_t prompt_sum, output_sum;
    uint64_t asked_tokens, found_tokens; /* prefix cache: of prompts let in for the first time */
    uint64_t swapped_out, swapped_in;    /* KV blocks */
    sim_cost engine_ps, intake_ps, sender_ps;
    sim_time first_arrival, last_arrival, last_done;
    double kv_ns; /* integral of used KV blocks, between changes of the batch */
};

struct serve {
    struct serve_config c;
    const struct model_env *env;
    struct policy_life *admits, *ranks;
    struct measures *out;
    struct sim *sim;
    struct cores *cpu;
    struct accel gpu;
    struct mlaas *mlaas;
    struct machine_use use;
    const struct stack *stack;
    struct stack_cost in, launch, complete, token_out;
    struct llm_cost llm;
    sim_cost engine_step, engine_seq;

    struct seq *seq; /* [slots] */
    uint32_t slots;
    uint32_t *spare; /* [slots]: a stack of free slots */
    uint32_t n_spare;
    struct serve_queue waiting;
    struct slot_heap finish; /* by (decode step of the last token, id) */
    uint64_t waiting_tokens;
    uint32_t *running; /* [max_running] slots in the batch, any order */
    uint32_t n_running;
    uint32_t *filling; /* [max_running] slots whose prompt is being computed, oldest first */
    uint32_t n_filling;
    struct serve_kv kv;
    struct serve_left left;
    struct reuse reuse;
    uint32_t evicting;             /* inferences of mem.evict that the next iteration waits for */
    bool evict_asks;               /* there may be some: no leaps, which would not see them */
    uint64_t swap_room, swap_used; /* of host memory, in KV blocks */
    sim_cost swap_block_ps;        /* a KV block over the link, one way */
    sim_cost swap_ps;              /* copies that the next iteration waits for */
    struct paging paging;
    uint64_t early;  /* blocks of this iteration that `left` has given already */
    uint64_t turns;  /* requests let in so far */
    uint64_t cached; /* tokens in the caches of decoding sequences */

    enum serve_phase phase;
    struct serve_segment seg;
    struct carry carry; /* the engine's own clock below a nanosecond */
    sim_event leap_ev;
    bool changed; /* the batch is not what the series last saw */

    struct trace_request next; /* the one record held */
    uint64_t inside;           /* requests between arrival and the waiting heap */
    struct carry intake_carry;
    uint64_t refused_said;         /* incidents about refused requests so far */
    uint64_t impossible;           /* requests that could never fit */
    bool dropped[POLICY_VERSIONS]; /* the version was ejected, and its keys with it */

    struct sketch *ttft, *tpot, *e2e, *queue_wait, *decision;
    struct request_parts parts;
    struct measure_series *s_waiting, *s_running, *s_kv, *s_gpu;
    sim_time kv_since;           /* last change of the batch, and blocks used then */
    uint64_t kv_level, kv_grown; /* kv_grown: used at the end of the last iteration */
    uint32_t track_engine, track_policy;
    struct serve_counts n;
    int rc; /* the first failure; the simulation was stopped */
    struct err *e;
};

/* serve_intake.c */
int intake_begin(struct serve *s); /* pulls the first request */
void intake_enqueue(struct serve *s, uint32_t slot, int64_t key);
void intake_refuse(struct serve *s, uint32_t slot, const char *why);
void intake_server(const struct serve *s, struct policy_server *o);
void intake_request(const struct serve *s, const struct seq *q, struct policy_request *o);

/* serve_decide.c */
sim_fn decide_ready;                               /* a request has reached the server */
void decide_again(struct serve *s, uint32_t slot); /* another version answers for it now */
void decide_changed(void *ctx, uint32_t vm);       /* the same for all that are here */
void decide_watch(struct serve *s, uint32_t tenant);
void decide_done(struct serve *s, const struct seq *q, const struct policy_done *d);

/* serve_engine.c */
void engine_kick(struct serve *s);      /* begins an iteration if idle and there is work */
void engine_interrupt(struct serve *s); /* ends a leap here and now */
void engine_evicted(struct serve *s);   /* what an iteration waited for is done */

/* serve_batch.c */
bool batch_compose(struct serve *s, struct llm_batch *b); /* false: nothing to run */
bool batch_steady(const struct serve *s);                 /* decode only, and nobody can join */
uint64_t batch_steps(const struct serve *s);              /* identical iterations ahead */
void batch_done(struct serve *s, uint64_t k);             /* k iterations of this batch are over */

/* serve_prefix.c */
int serve_prefix_begin(struct serve *s);
void serve_prefix_end(struct serve *s);
void serve_prefix_report(const struct serve *s);
void serve_prefix_trim(struct serve *s); /* what is free shrank */
/* As reuse_leave. */
uint64_t serve_prefix_leave(struct serve *s, struct seq *q);

/* serve_swap.c */
int swap_begin(struct serve *s);
bool swap_out(struct serve *s, struct seq *q, uint64_t length); /* false: there is no room */
void swap_in(struct serve *s, struct seq *q, uint64_t length);
void swap_report(const struct serve *s);

/* serve_paging.c */
int serve_paging_begin(struct serve *s);
int serve_paging_store(struct serve *s);
uint32_t serve_paging_fetch(struct serve *s, const struct seq *q); /* tokens it need not compute */
uint64_t serve_paging_room(const struct serve *s);                 /* KV blocks that cost no move */

/* serve_report.c */
bool serve_report_begin(struct serve *s);
void serve_report_levels(struct serve *s); /* when an iteration is about to begin */
void serve_report_first(struct serve *s, struct seq *q);
void serve_report_done(struct serve *s, const struct seq *q, sim_time last_token);
void serve_report_end(struct serve *s);

/* serve.c */
bool serve_slot(struct serve *s, uint32_t *slot); /* false: out of memory, the run fails */
void serve_release(struct serve *s, uint32_t slot);
void serve_fail(struct serve *s, int rc); /* rc from err_set; stops the simulation */

#endif
