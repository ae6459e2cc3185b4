/* llm_cost.h - how long one iteration of a serving engine keeps the GPU busy.
 *
 * Time = dense layers (a table over the tokens of the batch: it bends where
 * weights stop being the bottleneck) + the output head (a table over the
 * sequences sampled) + attention.  There are two sources of these:
 *   - the machine profile's "llm.MODEL": attention linear in what it reads,
 *     query-key pairs for prompts, cached tokens for decoding; coefficients
 *     fitted to published kernel tables by tools/fit-llm-cost;
 *   - operator tables as measured, interpolated (models/llm_ops.h).
 * All arithmetic is in integers, so that the sum over k iterations in closed
 * form equals k single ones: the cost of a decoding iteration is a straight
 * line in the iterations done, piece by piece.                              */
#ifndef MODELS_LLM_COST_H
#define MODELS_LLM_COST_H

#include "models/llm_ops.h"
#include "models/machine.h"

#define LLM_FEW 256

struct llm_cost {
    struct llm_ops *ops; /* NULL: the fit, which is all that follows but for sizes */
    const struct machine_cost *dense, *head;
    sim_cost fixed;        /* per iteration: embedding, sampling, gaps between kernels */
    sim_cost prompt_step;  /* attention, per iteration with any part of a prompt */
    sim_cost prompt_token; /* per token of those parts */
    sim_cost prompt_past;  /* per cached token that they look back on */
    sim_cost prompt_kpair; /* per 1000 query-key pairs */
    sim_cost decode_step;  /* attention, per iteration with any decoding sequence */
    sim_cost decode_seq;   /* per decoding sequence */
    sim_cost decode_token; /* per cached token of the decoding sequences */
    uint64_t weight_bytes, kv_bytes_per_token, reserve_bytes;
    uint64_t sms, sms_lost; /* of the GPU; in somebody else's hands.  lost 0: sms is not known */
    uint64_t kernels;       /* launches of an iteration when nothing is captured in a graph */
    /* What the tables say of so few, as most iterations ask for: stretched by what is lost. */
    sim_cost few_dense[LLM_FEW], few_head[LLM_FEW];
};

struct llm_batch {
    uint64_t chunks, prompt_tokens; /* prompt parts: how many, their tokens */
    uint64_t past, pairs;           /* cached tokens they look back on, query-key pairs */
    uint64_t decoding, cached;      /* decoding sequences, tokens in their caches */
    uint64_t sampled;               /* sequences that get a token */
};

/* By the fit.  llm_cost_close is due in any case, also after an error. */
int llm_cost_open(struct llm_cost *c, struct machine_use *u, const char *model,
                  struct err *e) MUST_CHECK;
/* By operator tables, measured at this degree of tensor parallelism; the profile has the model's
 * sizes ("llm.MODEL.weights", "kv_per_token", "reserve", "kernels", "layers").  n 0: these alone
 * are looked up, and no iteration may be asked for. */
int llm_cost_open_ops(struct llm_cost *c, struct machine_use *u, const char *model,
                      struct row_source *const *rows, size_t n, uint32_t parallel,
                      struct err *e) MUST_CHECK;
void llm_cost_close(struct llm_cost *c);
/* Somebody else keeps SMs busy: all times on the GPU grow by what is missing (gpu.sms). */
int llm_cost_without(struct llm_cost *c, uint64_t sms, struct machine_use *u,
                     struct err *e) MUST_CHECK;
sim_cost llm_cost_iteration(const struct llm_cost *c, const struct llm_batch *b);
/* How much more each further iteration of the same decoding sequences (no prompts) costs than the
 * one before, b being the first; ps, may be negative.  *iterations: for how many, b's included,
 * that is so (at least 1, UINT64_MAX: for ever). */
int64_t llm_cost_growth(const struct llm_cost *c, const struct llm_batch *b, uint64_t *iterations);
/* Tokens that fit in the GPU beside the weights, using this fraction of its memory. */
int llm_cost_kv_tokens(const struct llm_cost *c, struct machine_use *u, double fraction,
                       uint64_t *tokens, struct err *e) MUST_CHECK;

#endif
