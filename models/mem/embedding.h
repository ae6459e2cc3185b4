/* embedding.h - tables of embeddings that are larger than the GPU's memory: who places rows.
 *
 * A batch looks up batch x pooling rows, drawn by Zipf's law, and then
 * computes.  The process keeps a cache of rows on the GPU: a kernel looks rows
 * up, missing ones are gathered by cores from host memory (and the drive
 * behind it) and copied, or read over the link by the kernel.  The OS places
 * pages on the GPU, in host memory and on the drive, once a period, by
 * mem.place; kernels read rows where they are.  Both move by models/pager.h.
 * Times are those of one batch after the other, in ps.                      */
#ifndef MODELS_MEM_EMBEDDING_H
#define MODELS_MEM_EMBEDDING_H

#include "models/mem/evict_life.h"
#include "models/mlaas/mlaas_bill.h"
#include "models/model.h"
#include "models/pager.h"
#include "sim/rng.h"

enum { EMB_HBM, EMB_HOST, EMB_DRIVE, EMB_TIERS };

struct emb_config {
    uint64_t rows, batches, warmup;                      /* warmup: of these, not reported */
    uint32_t row_bytes, batch, pooling, period, threads; /* period: batches; threads: that gather */
    uint64_t page;                                       /* bytes; of the OS */
    double skew, hbm_gib, host_gib, compute_us;          /* host_gib 0: room for all */
    bool os, direct, ahead, scattered, train;
    const char *drive;
    struct mlaas_config infer;
};
int emb_config(struct emb_config *c, const struct config *section, struct err *e) MUST_CHECK;

struct emb_costs {
    struct pager copies, pages; /* the process's; the OS's */
    struct stack_cost launch, complete, read, read_done, os_read, fault;
    double hbm_ps, direct_ps, core_ps, tags; /* a byte; bytes of tags a lookup reads */
    sim_cost row_ps;                         /* a core finds a row in host memory */
    double read_ps;                          /* a byte from the drive */
    sim_cost io_ps;                          /* an I/O, so many being with the drive at once */
    sim_cost period_ps;
    uint64_t faults; /* in a batch of them */
};

/* What a batch takes, and what it did. */
struct emb_batch {
    sim_cost lookup, fill, stall; /* kernels; rows that come for them; the GPU waits for faults */
    sim_cost cpu;                 /* of the process, in lookup or fill */
    uint64_t by_tier[EMB_TIERS];  /* lookups, by where the row was */
    struct pager_work work;
    uint64_t faults, reads, moves; /* pages that were not there; I/Os; pages that changed places */
};

struct emb {
    struct emb_config c;
    struct emb_costs cost;
    struct machine_use use;
    const struct model_env *env;
    const struct stack *stack;
    struct mlaas_bill bill;
    uint64_t lookups;               /* in a batch */
    uint32_t *row;                  /* [period x lookups], row numbers; of this period */
    uint32_t *next_row;             /* of the next one, for oracles */
    struct mem_cache *cache, *host; /* process: rows on the GPU, in host memory (NULL: all) */
    struct evict_life *evict_life;  /* process; NULL: one policy for ever */
    struct policy_slot *place;      /* OS: who places; NULL: nothing moves */
    struct life_clock *place_life;  /* who that is when; NULL: `place` for ever */
    double now_ps;                  /* end of the batches so far */
    struct policy_region *region;   /* [pages] */
    uint32_t *where, *seen;         /* [pages]: scratch; the batch that touched it last, from 1 */
    uint64_t room[EMB_TIERS], used[EMB_TIERS]; /* pages */
    uint64_t pages, rows_of_page;
    uint32_t tiers;
    struct pager_work backlog; /* moves that the next batch shares the link with */
    sim_cost backlog_stall;    /* a decision that is waited for */
    struct measures *out;
    struct err *e;
};

int emb_no_memory(const struct emb *m); /* ERR_ENOMEM */

/* embedding_cache.c */
int emb_cache_begin(struct emb *m) MUST_CHECK;
void emb_cache_batch(struct emb *m, const uint32_t *row, uint64_t now, struct emb_batch *b);
void emb_cache_end(struct emb *m);
/* embedding_place.c */
int emb_place_begin(struct emb *m) MUST_CHECK;
void emb_place_batch(struct emb *m, const uint32_t *row, uint32_t number, struct emb_batch *b);
void emb_place_period(struct emb *m, uint64_t period, struct emb_batch *b);
void emb_place_end(struct emb *m);

/* Adds a path so many times to a batch's work; its CPU time. */
sim_cost emb_walk(const struct stack_cost *path, uint64_t times, struct pager_work *w);

#endif
