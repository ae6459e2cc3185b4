/* llm_ops.h - operator tables: what an iteration costs by what was measured, operator by operator.
 *
 * A profile of one GPU and one model: how long each operator took at so many tokens, sequences, and
 * cached tokens.  An iteration is the operators of a layer times the layers, those around them, and
 * the head.  Between measured points costs lie on straight lines (models/llm_grid.h); along the
 * growing context of decoding sequences the line is exact, so that k iterations have a closed form
 * as far as the next measured point.
 *
 * Rows are struct trace_cost in picoseconds, named:
 *   dense:OP      key {tokens}                           OP of a layer or around the layers
 *   sequence:OP   key {sequences}                        lm_head, sampler
 *   attention     key {prompt tokens, past, decoding, context}     per layer, prompts and decoding
 *                                                                  sequences in one kernel
 * where key[5] is the degree of tensor parallelism that was measured (0: not said; then it is the
 * one asked for).  Or of products and kernels of any model, from which its shape picks:
 *   gemm:bfloat16              key {m, n, k}               of every product whose rows are not
 * given prompt_attention:bfloat16  key {prompts, tokens of each, heads, KV heads}
 *   decode_attention:bfloat16  key {sequences, context, heads, KV heads}
 *   all_reduce:vllm_graph, nccl:all_reduce:half            key {GPUs, elements}, after o_proj and
 *                                                          down_proj; the faster of the two
 * Importers: traces/import_ops_llmservingsim.c, traces/import_ops_aiconfigurator.c.  With gemm
 * rows, operators that are no product (norms, rotary embedding, activation, sampler) may be left
 * out, and are free. */
#ifndef MODELS_LLM_OPS_H
#define MODELS_LLM_OPS_H

#include "models/llm_grid.h"
#include "sim/time.h"
#include "traces/record.h"

struct llm_batch;

struct llm_shape { /* of the model; all but layers are 0 where tables of any model are not read */
    uint64_t layers, hidden, ffn, heads, kv_heads, head_dim, vocab;
};

struct llm_ops {
    struct grid dense;     /* ps by tokens: all layers and what is around them */
    struct grid head;      /* ps by sequences that get a token */
    struct grid attention; /* ps, all layers: (prompt tokens, past, decoding, context); or empty: */
    struct grid prompt;    /* ps, all layers: (prompts, tokens of each) */
    struct grid decode;    /* ps, all layers: (decoding, context) */
    struct grid reduce;    /* ps, all layers, by elements; empty: one GPU */
    uint64_t hidden;       /* elements of a token */
};

/* The tables' rows, each read to its end.  Operators that an iteration needs and no row measures
 * are an error; so are rows that it knows no use for. */
int llm_ops_open(struct llm_ops *o, struct row_source *const *rows, size_t n,
                 const struct llm_shape *shape, uint32_t parallel, struct err *e) MUST_CHECK;
void llm_ops_free(struct llm_ops *o);
/* All times grow by num / den (attention's: the others' are stretched when asked for). */
void llm_ops_stretch(struct llm_ops *o, uint64_t num, uint64_t den);

sim_cost llm_ops_dense(const struct llm_ops *o, uint64_t tokens);   /* with its all-reduces */
sim_cost llm_ops_head(const struct llm_ops *o, uint64_t sequences); /* 0 for none */
/* Of prompts: the tables hold one prompt with its past, a batch several.  What counts is
 * query-key pairs: it is taken for one prompt of all its tokens with the past that makes as many
 * pairs (none, where even no past makes more).  Apart from decoding: for as many fresh prompts as
 * have these tokens and pairs together. */
sim_cost llm_ops_attention(const struct llm_ops *o, const struct llm_batch *b);
/* How much more each further iteration of the same decoding sequences costs than the one before,
 * b being the first, and for how many iterations (b's included) that is so. */
int64_t llm_ops_growth(const struct llm_ops *o, const struct llm_batch *b, uint64_t *iterations);

#endif
