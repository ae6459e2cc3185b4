/* serve_bench.h - a bench for the serving model: a machine whose every cost a
 * test can set, requests from an array, and the measures that come out.      */
#ifndef TESTS_MODELS_SERVE_BENCH_H
#define TESTS_MODELS_SERVE_BENCH_H

#include "models/machine.h"
#include "models/model.h"
#include "models/policy_slot.h"

struct bench_request {
    uint64_t at_ns;
    uint32_t prompt, output;
};

struct bench {
    const struct model_ops *model; /* NULL: serve */
    const char *section;           /* JSON of the model's section */
    const char *machine;           /* JSON file; NULL: the toy machine of these: */
    double dense_us[2];            /* of 1 token and of 1001 */
    double token_ns;               /* attention, per cached token and iteration */
    double step_us, seq_us;        /* engine's host work */
    double parse_us;               /* request handling */
    double launch_us;
    double kv_byte_per_us; /* over the link; 0: 1 (a token in the KV cache is a byte) */
    uint64_t kv_tokens;    /* size of the KV cache */
    const struct bench_request *request;
    const struct trace_request *traced; /* instead of these, or NULL */
    size_t n;
    const char *stack;
    struct policy_slot *policy, *evict; /* evict: at mem.evict */
    bool bare;                          /* no machine at all */
    const struct model_infer *infer;
    struct model_table *table; /* [n_tables] */
    size_t n_tables;
    bool exact, shuffle;
    uint64_t shuffle_seed;
};

/* Runs; the caller frees the result. A failure ends the test, unless `why` is given. */
struct measures *bench_run(const struct bench *b, struct err *why);
double bench_number(const struct measures *m, const char *name); /* asserts that it is there */
const struct sketch *bench_sketch(const struct measures *m, const char *name);
/* Everything but the number of events is equal, to the last bit; both are changed by the look. */
void bench_same(const struct measures *a, const struct measures *b);

#endif
