/* engine_memory.h - what an engine of a fleet does with KV blocks that it is short of, as model
 * "serve" does it: whom it preempts, where his blocks wait, who takes blocks to the host and back.
 *
 *     preempt   "worst": the one that the queue would have put last; "last": the one let in last,
 *               who comes before all who wait
 *     recover   a preempted request finds what nobody has taken of its blocks (serve_left.h)
 *     swap_gib  of host memory, for each engine's preempted requests
 *     paging    who copies, and a store of prompts' blocks in the host (paging.h), for each engine
 *
 * An engine without any of these has no memory of this kind (engine.mem is NULL).               */
#ifndef MODELS_FLEET_ENGINE_MEMORY_H
#define MODELS_FLEET_ENGINE_MEMORY_H

#include "models/serve/paging.h"
#include "models/serve/serve_left.h"

struct pool_config;
struct fleet;
struct pool;
struct engine;
struct seq;
struct fleet_time;

struct memory_config {
    bool on;
    bool last; /* preempt */
    bool recover;
    double swap_gib;
    struct paging_config paging;
};
/* What is not said is as without. */
int engine_memory_config(struct memory_config *c, const struct config *pool, uint32_t prefix_block,
                         struct err *e) MUST_CHECK;

struct memory_costs { /* of a pool */
    struct paging paging;
    uint64_t swap_room;     /* KV blocks */
    sim_cost swap_block_ps; /* one way */
};
int engine_memory_price(struct fleet *f, struct pool *p, const char *model,
                        struct err *e) MUST_CHECK;

struct engine_memory {
    const struct memory_config *c;
    struct serve_left left;
    struct paging paging;
    uint64_t early; /* blocks of this iteration that `left` has given already */
    uint64_t swap_room, swap_used;
    sim_cost swap_block_ps, swap_ps; /* swap_ps: copies that the next iteration waits for */
    uint64_t turns, fronts;          /* let in so far; put before all who wait */
    uint64_t recovered, swapped[2];  /* tokens; KV blocks, by pager_dir */
};
int engine_memory_open(struct fleet *f, struct err *e) MUST_CHECK;
void engine_memory_close(struct fleet *f);
bool engine_memory_sound(const struct engine *e);
void engine_memory_clear(struct engine *e); /* it is switched off, or has failed */
void engine_memory_report(const struct fleet *f);

/* ---- blocks; of engines that have it ---- */

uint32_t engine_memory_fetch(struct engine *e, struct seq *q); /* tokens that the store spares */
void engine_memory_join(struct engine *e, struct seq *q, bool prefix); /* takes its blocks */
void engine_memory_gave(struct engine *e, struct seq *q, uint64_t blocks);
void engine_memory_first(struct engine *e);                 /* those that decode take theirs */
void engine_memory_took(struct engine *e, uint64_t blocks); /* for k iterations */
void engine_memory_undo(struct engine *e);                  /* the iteration never ends */
/* q, so long, goes to the host; false: there is no room. */
bool engine_memory_out(struct engine *e, struct seq *q, uint64_t length);
void engine_memory_lost(struct engine *e, struct seq *q); /* what it had in the host */
uint64_t engine_memory_room(const struct engine *e);      /* KV blocks that cost no move */
/* Adds what moves before this iteration. */
void engine_memory_pay(struct engine *e, struct fleet_time *t);

#endif
