#include "harness/policy/policy_exercise.h"

#include "sim/rng.h"

#define RUNNING 64

struct exercise {
    struct policy_slot *slot;
    struct rng r;
    struct policy_server server;
    struct policy_request running[RUNNING];
    uint64_t hash;
};

static void answer(struct exercise *x, int64_t v)
{
    x->hash = (x->hash ^ (uint64_t)v) * UINT64_C(0x100000001b3); /* FNV-1a, a word at a time */
}

/* Mostly what production sees, now and then the ends of the range. */
static uint32_t size(struct exercise *x, uint32_t usual)
{
    static const uint32_t odd[] = {0, 1, UINT32_MAX, 1u << 20};
    return rng_below(&x->r, 50) ? (uint32_t)rng_below(&x->r, usual) : odd[rng_below(&x->r, 4)];
}

static void look_around(struct exercise *x)
{
    struct policy_server *s = &x->server;
    s->now_ns += rng_below(&x->r, 10) ? rng_below(&x->r, 100000000) : 0;
    s->waiting = size(x, 100);
    s->running = (uint32_t)rng_below(&x->r, s->max_running + 1);
    s->waiting_prompt_tokens = (uint64_t)s->waiting * 700;
    s->kv_blocks_free = (uint32_t)rng_below(&x->r, s->kv_blocks_total + 1);
}

static void rank(struct exercise *x, const struct policy_request *r)
{
    struct policy_batch_obs o = {*r, x->server};
    answer(x, policy_slot_batch(x->slot, &o));
}

static void finish(struct exercise *x, const struct policy_request *r)
{
    struct policy_done d = {.request = *r, .now_ns = x->server.now_ns};
    d.output_tokens = size(x, 1000);
    d.first_token_ns = r->arrived_ns;
    d.last_token_ns = d.now_ns;
    policy_slot_done(x->slot, &d);
}

static void arrive(struct exercise *x, uint64_t id)
{
    struct policy_request r = {.id = id, .arrived_ns = x->server.now_ns};
    r.tenant = size(x, 8);
    r.model = size(x, 3);
    r.prompt_tokens = size(x, 4000);
    r.cached_tokens = (uint32_t)rng_below(&x->r, (uint64_t)r.prompt_tokens + 1);
    r.oracle_output_tokens = size(x, 1000);
    struct policy_admit_obs o = {r, x->server};
    int verdict = policy_slot_admit(x->slot, &o);
    answer(x, verdict);
    if (verdict != POLICY_ADMIT)
        return;
    rank(x, &r);
    if (!rng_below(&x->r, 20)) {
        r.preempted++;
        rank(x, &r);
    }
    struct policy_request *place = &x->running[rng_below(&x->r, RUNNING)];
    if (place->arrived_ns)
        finish(x, place);
    *place = r;
}

uint64_t policy_exercise(struct policy_slot *slot, uint64_t seed, uint32_t requests)
{
    struct exercise x = {.slot = slot, .hash = UINT64_C(0xcbf29ce484222325)};
    rng_init(&x.r, seed, "check", "exercise");
    x.server = (struct policy_server){
        .now_ns = 1, .kv_blocks_total = 4096, .block_tokens = 16, .max_running = 256};
    for (uint64_t id = 0; id < requests; id++) {
        look_around(&x);
        arrive(&x, id);
    }
    return x.hash;
}
