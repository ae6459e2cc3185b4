/* paging.h - where blocks of the KV cache go that do not fit the GPU, and who takes them there.
 *
 * Two kinds of traffic: preempted requests that wait in host memory (swap_gib),
 * and blocks of prompts whose memory is wanted ("paging": host_gib, ssd_gib).
 * What moves before an iteration is one batch in each direction; the engine's CPU
 * asks for it, and the GPU waits for what comes, all of it before it begins or,
 * with "overlap", layer by layer.                                            */
#ifndef MODELS_SERVE_PAGING_H
#define MODELS_SERVE_PAGING_H

#include "models/pager.h"
#include "models/serve/kv_store.h"
#include "models/serve/serve_kv.h"
#include "sim/measures.h"

struct paging_config {
    bool on;
    struct pager_config pager;
    bool by_layer; /* K and V of each layer lie by themselves; else a block is one piece */
    bool overlap;
    double host_gib, ssd_gib;
    const char *drive; /* "ssd.DRIVE" of the profile; borrowed */
};
/* at NULL: off. */
int paging_config(struct paging_config *c, const struct config *at, struct err *e) MUST_CHECK;

struct paging {
    struct paging_config c;
    struct pager pager;
    struct kv_store store;                /* no tiers: none */
    uint64_t pieces, piece_bytes, layers; /* of a KV block */
    uint64_t per_block;                   /* KV blocks in a block of the store */
    struct stack_cost io, io_done;        /* the process's; the OS's: io alone */
    double read_ps, write_ps;             /* a byte from the drive; to it */
    sim_time drive_free;
    uint64_t moving[2];    /* pager_dir: KV blocks that the next iteration waits for */
    uint64_t reads;        /* of them, blocks of the store that come from the drive */
    struct pager_work all; /* paid so far */
    sim_cost waited;       /* by the GPU */
    uint64_t found;        /* tokens that the store spared */
};

struct paging_of { /* of the engine */
    const struct stack *stack;
    const char *model;     /* "llm.MODEL" */
    uint64_t token_bytes;  /* of KV cache */
    uint32_t block_tokens; /* of the trace's hashes; 0: no store */
};
int paging_begin(struct paging *p, const struct paging_config *c, const struct paging_of *of,
                 struct machine_use *u, struct err *e) MUST_CHECK;
bool paging_open_store(struct paging *p, const struct paging_of *of); /* false: out of memory */
void paging_end(struct paging *p);

/* So many KV blocks go this way before the next iteration. */
void paging_move(struct paging *p, enum pager_dir dir, uint64_t kv_blocks);
/* A block that the GPU needs the memory of. */
void paging_gone(struct paging *p, uint64_t hash, sim_time now);
/* Whether the store has it; then it comes to the GPU. */
bool paging_fetch(struct paging *p, uint64_t hash, sim_time now);

/* What the moves so far take of the next iteration, whose computing takes so long: CPU time of
 * the engine, and with them the GPU is done after *gpu.  false: nothing moves. */
bool paging_pay(struct paging *p, sim_time now, sim_cost *cpu, sim_cost *gpu);
void paging_report(const struct paging *p, double asked_tokens, struct measures *out);

#endif
