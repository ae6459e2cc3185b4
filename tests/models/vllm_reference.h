/* vllm_reference.h - vLLM's scheduler (v1, 0.19) step by step, block by block, as plainly as can
 * be: every block has a number and a place in the free list, every request a list of its blocks.
 * What the serving model does with counts and closed forms is held against it.                  */
#ifndef TESTS_MODELS_VLLM_REFERENCE_H
#define TESTS_MODELS_VLLM_REFERENCE_H

#include "tests/models/serve_bench.h"

struct reference_set {
    uint32_t max_running, max_tokens, blocks;
    bool reuse;
    uint64_t step_ns, token_ns, cached_ns; /* an iteration; each of its tokens but the first; each
                                              cached token of those who decode */
};

struct reference_out {
    uint64_t iterations, preemptions, recovered;
    double ttft_ms, e2e_ms, tpot_ms; /* means; tpot over those with more than one token */
    uint64_t last_ns;
};

struct reference_out vllm_reference(const struct reference_set *set,
                                    const struct bench_request *request, size_t n);

#endif
