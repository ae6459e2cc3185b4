/* fleet_state.h - the inside of the model of many serving engines, shared by models/fleet/ only.
 *
 * A request is one slot of fleet.seq: intake (fleet_intake.c) brings it to the
 * router, which admits it and picks an engine (fleet_route.c), one request after
 * another, each for as long as the inference takes that its policies ask for; the engine runs
 * iterations (engine.c times them, engine_batch.c composes them) and either
 * ends it or, when it only computes prompts, ships its KV cache to an engine
 * that decodes.  fleet_scale.c starts and ends engines.
 *
 * What a router sees of the engines, struct policy_engine, is kept up to date
 * in place, and who changed is noted: a question costs what changed since the
 * last, not the number of engines.                                          */
#ifndef MODELS_FLEET_FLEET_STATE_H
#define MODELS_FLEET_FLEET_STATE_H

#include "models/fleet/engine_memory.h"
#include "models/fleet/fleet_cost.h"
#include "models/mlaas/desk.h"
#include "models/model.h"
#include "models/policy_life.h"
#include "models/serve/request_parts.h"
#include "models/serve/reuse.h"
#include "models/serve/serve_kv.h"
#include "models/serve/slot_heap.h"

#define NO_SLOT    UINT32_MAX
#define POOLS_MAX  16
#define FLEET_MOST 100000 /* engines of a pool */

struct seq {     /* a request */
    uint64_t id; /* ascending by arrival */
    struct request_clock clock;
    sim_time arrived, ready, first_token;
    uint32_t tenant, model, prompt, output;
    uint32_t generated;    /* when it (re)joined the decode set, or so far */
    uint32_t goal, filled; /* prompt part: tokens to compute (with those lost), computed */
    uint32_t chunk;        /* of this iteration */
    uint32_t preempted;
    uint32_t next;          /* behind it in its engine's queue; NO_SLOT */
    uint32_t child;         /* fleet_order.c: the first of those behind it */
    int64_t key;            /* of serve.batch: the lowest first; 0 without a policy */
    int64_t rank;           /* in its queue: the key, or before all */
    uint64_t turn;          /* engine_memory.c: when it was let in last, counted */
    uint64_t left, kept;    /* preempted: its blocks in the free queue, and how many were full */
    uint32_t seat;          /* in its engine's running[] */
    uint32_t engine;        /* fleet.engine[] where it is */
    uint32_t home;          /* place in the router's engine[] that took it in */
    uint64_t ticket;        /* ascending by when it joined its engine's queue */
    uint64_t joined;        /* decode step at which it joined */
    uint64_t length;        /* tokens in the KV cache when it joined */
    struct reuse_seq reuse; /* the prefix cache's part of its prompt */
    bool was_scheduled, decoding;
    enum policy_stage stage;          /* at which the router is asked about it */
    struct policy_ticket asked, came; /* now; when it came */
    uint32_t let;                     /* in, by this version at serve.admit */
    bool shipped;                     /* its KV cache came over the link: nothing to compute */
    bool swapped;                     /* its KV cache lies in host memory */
    bool leaving;                     /* it waits to be shipped, or is on the link */
    bool broken;                      /* the engine that it was leaving failed */
    uint32_t tries;                   /* engines that failed under it */
    uint32_t life;                    /* of the engine that it is shipped to: engine.lives */
};

enum pool_rule { RULE_MIXED, RULE_PROMPTS_FIRST }; /* what prompts and decoding share */

struct scale_config {
    bool on;
    uint32_t least, most;
    double period_s, cold_start_s;
    const char *source; /* of cold_start_s */
};

struct failure_config {
    bool on;
    double mtbf_h;           /* of an engine that serves; exponential; 0: only `at` given times */
    double mttr_s;           /* exponential */
    double cold_start_s;     /* after the repair */
    double check_s;          /* the router looks once in so long; 0: it knows at once */
    const struct config *at; /* [[engine of the pool, s, s that it is away], ..] or NULL */
    const char *source;
};

struct pool_config {
    const char *name;
    enum policy_role role;
    uint32_t engines;
    uint32_t max_running, max_batch_tokens, chunk, max_context;
    enum pool_rule rule;
    uint64_t kv_tokens; /* 0: from the machine profile */
    double kv_fraction;
    uint64_t kv_bytes; /* per token, for what crosses the link; 0: from the profile */
    struct scale_config scale;
    struct failure_config failures;
    struct memory_config memory;
    const struct config *cost, *section;
};

struct fleet_config {
    struct pool_config pool[POOLS_MAX];
    uint32_t pools;
    double slo_ttft_ms, slo_tpot_ms;
    double link_gb_per_s, link_latency_us; /* KV caches, from each engine */
    const char *link_source;
    uint32_t retries;           /* of a request whose engine fails; then it is lost */
    bool fails;                 /* some pool has failures */
    uint32_t prefix_block;      /* tokens in a block of the trace's hashes; 0: no prefix caches */
    const struct config *infer; /* the section; NULL: none */
    struct mlaas_config service;
    bool leap; /* false: step through every iteration (for tests: the same result) */
};

struct pool {
    const struct pool_config *c;
    struct fleet_cost cost;
    struct memory_costs memory;
    uint64_t kv_blocks, kv_bytes; /* of a cache; of a token on the link */
    uint32_t first, most;         /* engines [first, first + most) of fleet.engine */
    uint32_t serving, starting, ending, down;
    /* this period, for serve.scale */
    uint64_t period, arrived, arrived_tokens, done, good;
    sim_cost busy_then;
    struct policy_ticket asked; /* of its last question there */
    sim_time asked_at;
    /* the whole run */
    uint64_t routed, prompt_tokens, tokens, iterations, batch_sum, preemptions;
    sim_cost busy, gpu;
    double engine_ns;      /* integral of engines that are not off */
    double up_ns, down_ns; /* of those that serve or end; of those that have failed */
    sim_time since;
    struct measure_series *s_engines, *s_serving;
};

/* down: from its failure until it serves again, cold start and all. */
enum engine_state { ENGINE_OFF, ENGINE_STARTING, ENGINE_SERVING, ENGINE_ENDING, ENGINE_DOWN };

struct engine {
    struct fleet *f;
    struct pool *pool;
    struct policy_engine *seen; /* what routers see of it */
    uint32_t id;                /* in fleet.engine */
    enum engine_state state;
    uint32_t head, tail; /* its queue; slots; NO_SLOT; ordered by keys it has no tail */
    uint64_t tickets;
    uint32_t *running; /* [seats] slots, any order */
    uint32_t *filling; /* [seats] slots whose prompt is being computed, oldest first */
    uint32_t seats, n_running, n_filling;
    struct slot_heap finish; /* seats, by (decode step of the last token, request) */
    struct serve_kv kv;
    struct reuse reuse;
    struct engine_memory *mem; /* NULL: what does not fit is computed again, and that is all */
    uint64_t cached;           /* tokens in the caches of decoding sequences */
    uint32_t leaving;          /* KV caches on their way out, whose blocks it still holds */
    uint32_t incoming;         /* KV caches on their way to it */
    uint32_t lives;            /* how often it has failed */
    bool iterating, decodes;   /* this iteration, or leap; decoding goes on in it */
    bool flagged;              /* it is in the router's list of changes */
    uint64_t k;                /* iterations of the leap */
    sim_time start;            /* of the iteration or leap */
    struct carry carry;        /* its own clock below a nanosecond */
    struct fleet_time time;
    struct fleet_batch batch;
    sim_event ev;
    sim_time link_free; /* its link is busy until then */
};

struct gate { /* engines among which a router chooses, at one stage */
    struct policy_engine *engine;
    uint32_t n, taking, *changed, n_changed, next;
    uint32_t first; /* engine[0] is fleet.engine[first] */
    uint32_t parked,
        parked_last; /* requests that wait until one that failed is back; by seq.next */
};

struct routed {            /* the router's last answer */
    struct engine *engine; /* NULL: none could hold it */
    bool admitted;
};

struct fleet_counts {
    uint64_t requests, impossible, rejected, completed, good, good_ttft, good_tpot;
    uint64_t prompt_sum, output_sum, cold_starts;
    uint64_t shipped, shipped_tokens, in_system;
    uint64_t failures, retries, lost, lost_tokens;
    uint64_t asked_tokens, found_tokens; /* prefix caches: of prompts let in for the first time */
    sim_time first_arrival, last_arrival, last_done;
};

struct fleet {
    struct fleet_config c;
    const struct model_env *env;
    struct policy_slot *route, *scale, *admit, *batch;
    bool admits_all;           /* nobody will ever be asked at serve.admit */
    bool keys_dropped;         /* batch was ejected, and its keys with it */
    struct fleet_ahead *ahead; /* NULL: nobody is told what comes */
    struct measures *out;
    struct sim *sim;
    struct machine_use use;
    bool uses_machine; /* for more than inference */
    struct mlaas_bill bill;
    struct desk *router, *scaler;        /* each on a core of its own */
    struct policy_life *routes;          /* who answers at serve.route; f->route: the first */
    struct policy_life *scales, *admits; /* the same at serve.scale, serve.admit */
    struct cores *life_core;             /* where their steps go */
    const struct policy_slot *routed_by; /* that saw the last changes of the engines */
    struct routed routed;
    uint32_t scaled_to; /* the last answer of serve.scale */
    struct stack_cost in, token_out;

    struct seq *seq; /* [slots] */
    uint32_t slots, *spare, n_spare;
    struct pool pool[POOLS_MAX];
    struct engine *engine; /* [engines]: those that take new requests first */
    uint32_t engines;
    struct failing *failing; /* [engines]; NULL: none ever fails */
    struct gate front, back;
    struct trace_request next;
    struct carry intake_carry;
    uint64_t refused_said;
    struct sketch *ttft, *tpot, *e2e, *queue_wait;
    struct request_parts parts;
    struct fleet_counts n;
    bool trace_over;
    int rc;
    struct err *e;
};

/* fleet_config.c */
int fleet_config(struct fleet_config *c, const struct config *section, struct err *e) MUST_CHECK;
/* fleet_infer.c: what the inference behind the policies costs */
int fleet_infer_fits(const struct fleet_config *c, const struct machine *machine, const char *stack,
                     struct err *e) MUST_CHECK;
int fleet_infer_open(struct fleet *f) MUST_CHECK; /* after fleet_open */
int fleet_infer_failed(const struct fleet *f) MUST_CHECK;
void fleet_infer_close(struct fleet *f);
void fleet_infer_report(const struct fleet *f);
/* fleet_setup.c: engines, from the configuration */
int fleet_open(struct fleet *f, struct err *e) MUST_CHECK;
void fleet_close(struct fleet *f);
int fleet_costs_fit(struct fleet *f, struct err *e) MUST_CHECK;
/* fleet_price.c: what a pool's iterations cost */
int pool_cost_check(const struct pool_config *c, struct err *e) MUST_CHECK;
bool pool_cost_machine(const struct pool_config *c); /* it needs a machine profile */
int pool_cost_open(struct fleet *f, struct pool *p, struct err *e) MUST_CHECK;
void pool_cost_close(struct pool *p);

/* fleet.c */
bool fleet_slot(struct fleet *f, uint32_t *slot);
void fleet_release(struct fleet *f, uint32_t slot);
void fleet_fail(struct fleet *f, int rc);

/* fleet_intake.c */
int fleet_intake_begin(struct fleet *f);
void fleet_refuse(struct fleet *f, uint32_t slot, const char *why);
void fleet_request(const struct seq *q, struct policy_request *o);
/* NULL, or why this engine could never serve it. */
const char *pool_impossible(const struct pool *p, uint64_t prompt, uint64_t output);

/* fleet_route.c */
extern const struct desk_calls fleet_route_calls;           /* of the router; ctx: the fleet */
sim_fn fleet_route_new;                                     /* a request is at the router */
void fleet_route_prefilled(struct fleet *f, uint32_t slot); /* its KV cache wants to go on */
void fleet_route_again(struct fleet *f, uint32_t slot);     /* it comes once more */
static inline struct gate *fleet_route_gate(struct engine *e)
{
    return e->seen->role == POLICY_DECODE ? &e->f->back : &e->f->front;
}
static inline void fleet_route_changed(struct engine *e) /* seen is not what it was */
{
    struct gate *g = fleet_route_gate(e);
    if (!e->flagged)
        g->changed[g->n_changed++] = e->seen->id;
    e->flagged = true;
}
void fleet_route_takes(struct engine *e, bool takes);
/* With the tokens that it has got already at the end of its prompt. */
static inline bool fleet_route_could_hold(const struct engine *e, const struct seq *q)
{
    return !pool_impossible(e->pool, q->goal, (uint64_t)q->prompt + q->output - q->goal);
}

/* fleet_order.c: an engine's queue, and the policy at serve.batch */
void fleet_order_rank(struct engine *e, struct seq *q);  /* asks for its key on this engine */
void fleet_order_push(struct engine *e, uint32_t slot);  /* to the end, or where its key says */
void fleet_order_front(struct engine *e, uint32_t slot); /* one that came before all who wait */
static inline bool fleet_order_by_turn(const struct engine *e) /* who came last gives way */
{
    return e->mem && e->mem->c->last;
}
uint32_t fleet_order_rest(struct engine *e); /* the head of the queue without its head */
/* Empties it: the first, and by seq.next the others in order. */
uint32_t fleet_order_list(struct engine *e);
void fleet_order_watch(struct fleet *f); /* keys of a policy that was ejected mean nothing */

/* fleet_ahead.c: nothing is read ahead but for an oracle at serve.scale. */
int fleet_ahead_open(struct fleet *f) MUST_CHECK;
void fleet_ahead_close(struct fleet *f);
int fleet_ahead_next(struct fleet *f, struct trace_request *out); /* 1, 0 at the end, negative */
/* What comes before `middle`, and from then before `end`. */
int fleet_ahead_look(struct fleet *f, sim_time middle, sim_time end,
                     struct policy_coming coming[2]) MUST_CHECK;

/* fleet_retry.c: requests whose engine failed */
void fleet_retry(struct fleet *f, uint32_t slot); /* it held nothing that is still there */
void fleet_retry_leaving(struct engine *e);       /* caches that were leaving it have not arrived */
/* Nobody takes requests that could hold it: whether it waits for one that failed. */
bool fleet_retry_parks(struct fleet *f, struct gate *g, uint32_t slot);
void fleet_retry_parked(struct fleet *f, struct gate *g); /* one takes requests again */

/* fleet_failures.c */
int fleet_failures_config(struct failure_config *c, const struct pool_config *pool,
                          const struct config *section, struct err *e) MUST_CHECK;
bool fleet_failures_begin(struct fleet *f);                           /* false: out of memory */
void fleet_failures_became(struct engine *e, enum engine_state from); /* it is no more */
void fleet_failures_report(struct fleet *f);

/* fleet_prefix.c */
int fleet_prefix_open(struct fleet *f, struct err *e) MUST_CHECK;
void fleet_prefix_close(struct fleet *f);
void fleet_prefix_show(struct fleet *f, const struct gate *g, const struct seq *q); /* to routers */
uint32_t fleet_prefix_tokens(struct engine *e, const struct seq *q); /* that it would find now */
void fleet_prefix_join(struct engine *e, struct seq *q);             /* takes its blocks */
void fleet_prefix_leave(struct engine *e, struct seq *q, uint64_t length); /* gives them back */
bool fleet_prefix_sound(const struct fleet *f); /* at the end: all is free, counts agree */
void fleet_prefix_report(const struct fleet *f);

/* engine.c */
void fleet_engine_enqueue(struct engine *e, uint32_t slot);
void fleet_engine_kick(struct engine *e); /* begins an iteration if idle and there is work */
/* It has failed: what its iterations did until now counts, and none of them ever ends. */
void fleet_engine_stop(struct engine *e);
struct serve_kv fleet_engine_now(const struct engine *e); /* with what a leap has taken by now */
void fleet_engine_reordered(struct engine *e);            /* somebody else is first in its queue */
void fleet_engine_trim(struct engine *e); /* idle blocks that a leap has taken by now are gone */

/* engine_batch.c */
bool fleet_batch_compose(struct engine *e); /* false: nothing to run */
uint64_t
fleet_batch_steps(const struct engine *e); /* iterations ahead that are alike; 1: no more */
bool fleet_batch_can_join(const struct engine *e);
void fleet_batch_done(struct engine *e, uint64_t k);
void fleet_batch_stop(struct engine *e); /* it has failed: who runs gets on no more */
/* Everybody leaves it, caches and all; the first, and by seq.next the others as they came. */
uint32_t fleet_batch_evict(struct engine *e);

/* fleet_done.c */
void fleet_done_first(struct engine *e, uint32_t slot); /* the prompt is computed, a token is out */
void fleet_done_last(struct engine *e, uint32_t slot);  /* so is the answer */

/* fleet_scale.c */
extern const struct desk_calls fleet_scale_calls; /* of the scaler */
void fleet_scale_begin(struct fleet *f);
void fleet_scale_become(struct engine *e, enum engine_state to);
void fleet_scale_empty(struct engine *e);               /* nothing left to do on one that ends */
void fleet_scale_engines(struct pool *p, sim_time now); /* books engine time until now */

/* fleet_report.c */
bool fleet_report_begin(struct fleet *f);
void fleet_report_end(struct fleet *f);

#endif
