/* collective.h - what a collective between the GPUs of one node costs.
 *
 * Alpha-beta with steps: a step costs a hop, and the bytes that one GPU sends
 * in all go over its link.  n GPUs, S bytes on each (all-gather, all-to-all,
 * broadcast: the whole result):
 *
 *   ring     all-reduce 2(n-1) steps of S/n; all-gather, reduce-scatter n-1 of
 *            S/n; broadcast n-1 steps, S
 *   tree     all-reduce 2 ceil(log2 n) steps, 2 (n-1)/n S; broadcast half of both
 *   direct   everybody reads from everybody: one step; all-reduce (n-1) S
 *   nvls     the switch reduces: one step, S
 *
 * A ring or tree runs in one of NCCL's protocols: ll (flags beside the data:
 * quick, half of the link), ll128, simple (bulk).  ll starts with one channel
 * and opens another per channel_bytes of a GPU's share, so that its cost rises
 * with the first channel's load and then not again until the link is full.
 *
 * "nccl" takes the protocol that NCCL's own estimates favour (tuning.cc; not
 * what is quickest), and the switch when that is quicker.  "custom" is a
 * serving engine's kernel for small messages: one stage (direct) up to a size,
 * then two (reduce-scatter and all-gather, direct); "nccl" beyond its largest.
 * "table" interpolates measured times.
 *
 * Constants: section "collective" of the profile, and link.nvlink, or link.pcie
 * where there is none.                                                        */
#ifndef MODELS_GPU_COLLECTIVE_H
#define MODELS_GPU_COLLECTIVE_H

#include <stdbool.h>

#include "models/machine.h"

enum collective_op {
    COLLECTIVE_ALL_REDUCE,
    COLLECTIVE_ALL_GATHER,
    COLLECTIVE_REDUCE_SCATTER,
    COLLECTIVE_BROADCAST,
    COLLECTIVE_ALL_TO_ALL
};
extern const char *const collective_op_names[]; /* NULL-terminated */

enum collective_how {
    COLLECTIVE_NCCL,
    COLLECTIVE_RING,
    COLLECTIVE_TREE,
    COLLECTIVE_DIRECT,
    COLLECTIVE_NVLS,
    COLLECTIVE_CUSTOM,
    COLLECTIVE_TABLE
};
extern const char *const collective_how_names[];

enum { COLLECTIVE_LL, COLLECTIVE_LL128, COLLECTIVE_SIMPLE, COLLECTIVE_PROTOCOLS };
enum { COLLECTIVE_GPUS_MAX = 16 };

struct collective_protocol {
    bool there;
    double base, hop;             /* ps */
    double byte;                  /* ps per byte over the link */
    double local;                 /* ps per byte of a GPU's own share, passed over once; simple */
    double channel, channel_most; /* ps per byte in one channel, and bytes; ll */
    double guess_base, guess_hop, guess_byte; /* ps, and ps per byte: NCCL's own: its choice */
};
struct collective_stage { /* of a custom kernel */
    double base, peer;    /* ps */
    double byte;
};
struct collective_params {
    struct collective_protocol protocol[COLLECTIVE_PROTOCOLS];
    bool nvls, custom;
    double nvls_base, nvls_byte;
    uint32_t nvls_gpus; /* from so many */
    struct collective_stage one, two;
    uint64_t two_from_4, two_from_8, custom_most; /* bytes: two stages from here; no more */
    const struct machine_cost *table[COLLECTIVE_GPUS_MAX + 1]; /* all-reduce, by GPUs; or NULL */
};
/* What `how` looks at; the constants of other ways are not read. */
int collective_params_read(struct collective_params *p, struct machine_use *u,
                           enum collective_how how, struct err *e) MUST_CHECK;

struct collective_ask {
    enum collective_op op;
    enum collective_how how;
    uint32_t gpus; /* 1..COLLECTIVE_GPUS_MAX; one alone costs nothing */
    uint64_t bytes;
};
struct collective_cost {
    sim_cost time;
    double latency, wire, local; /* ps; they sum to time but for rounding; table: all wire */
    uint32_t steps;
    uint64_t sent;   /* bytes over a GPU's link, out */
    const char *how; /* "ring ll", "nvls", .. */
};
/* Fails when there is no such way to do it, by its kind or on this machine. */
int collective_cost(const struct collective_params *p, const struct collective_ask *a,
                    struct collective_cost *out, struct err *e) MUST_CHECK;

#endif
