/* fleet_rig.h - requests, pools and policies for tests of model "fleet". */
#ifndef TESTS_MODELS_FLEET_RIG_H
#define TESTS_MODELS_FLEET_RIG_H

#include "harness/policy/policy_load.h"
#include "sim/rng.h"
#include "tests/models/serve_bench.h"

extern const struct model_ops model_fleet;

#define ENGINE "\"max_running\":1,\"kv_tokens\":1000000000,\"max_context\":10000000,"
/* A prompt token takes 0.1 us and one token comes out: service is as random as prompts are. */
#define PER_TOKEN "\"cost\":{\"prefill_ms\":[0,0.0001,0],\"decode_ms\":[1,0,0],\"source\":\"test\"}"
#define STEPS                                                                                      \
    "\"kv_tokens\":100000,\"cost\":{\"prefill_ms\":[2,0.01,0],\"decode_ms\":[5,0,0],"              \
    "\"source\":\"test\"}"
#define FOUR "{\"pools\":{\"all\":{\"engines\":4," ENGINE PER_TOKEN "}}}"
#define APART                                                                                      \
    "{\"pools\":{\"p\":{\"role\":\"prefill\",\"engines\":2,\"kv_bytes\":1000," STEPS "},"          \
    "\"d\":{\"role\":\"decode\",\"engines\":3," STEPS "}},"                                        \
    "\"link\":{\"gb_per_s\":1,\"latency_us\":500,\"source\":\"test\"}}"

/* Poisson arrivals, one token out, exponential prompts of 10,000 tokens in the mean (with
 * PER_TOKEN: 1 ms each); to be freed. */
struct bench_request *fleet_exponential(size_t n, double rate_per_s, uint64_t seed);
/* The first at 0; prompts up to 3000 tokens, answers up to most_out; to be freed. */
struct bench_request *fleet_chat(size_t n, double rate_per_s, uint32_t most_out, uint64_t seed);

struct hired { /* a policy from its object, with its default parameters */
    struct policy *policy;
    struct rng random;
    struct policy_host host;
    struct policy_slot slot;
};
void fleet_hire(struct hired *h, const char *name);
void fleet_dismiss(struct hired *h);
/* Runs under it, which must not be ejected; NULL: the defaults. */
struct measures *fleet_under(struct bench b, const char *policy);
/* What model "serve" and a fleet of one engine report of the same requests, to the last bit. */
void fleet_same(const struct measures *serve, const struct measures *fleet);

#endif
