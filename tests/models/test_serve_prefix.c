/* test_serve_prefix.c - blocks that requests share in the engine: closed forms on the toy machine,
 * conservation, leaping. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/serve/prefix.h"
#include "sim/rng.h"
#include "tests/models/prefix_requests.h"
#include "tests/models/serve_bench.h"
#include "tests/policies/guarded.h"

struct opened {
    struct policy *policy;
    struct policy_slot slot;
    struct policy_session *session;
};

static struct policy_slot *open_policy(struct opened *o, const char *name)
{
    struct err e = {0};
    cr_assert_eq(policy_load(&o->policy, name, &e), 0, "%s", e.msg);
    o->slot = (struct policy_slot){.ops = policy_ops(o->policy), .label = name};
    const struct policy_session_want want = {.seed = 1};
    cr_assert_eq(policy_host_open(&o->session, &o->slot, &want, &e), 0, "%s", e.msg);
    return &o->slot;
}

static void close_policy(struct opened *o)
{
    struct err e = {0};
    o->slot.out = NULL;
    cr_assert_eq(policy_host_close(o->session, &e), 0, "%s", e.msg);
    cr_expect_eq(o->slot.ejected, EJECT_NONE, "%s", o->slot.eject_note);
    policy_unload(o->policy);
}

/* ---- the blocks themselves, against lists ---- */

enum { FRAMES = 40, SEQS = 6, HASHES = 90 };

struct model { /* the same by arrays: who uses a block, whether it is held, when it was given back
                */
    uint32_t users[HASHES];
    uint64_t given[HASHES];
    bool held[HASHES];
    uint64_t clock;
    uint32_t n_held, n_idle;
};

struct user {
    uint64_t hash[8];
    uint32_t n;
};

/* Chains by arithmetic: the block after b in chain c is 10 c + depth. */
static void chain(struct user *u, uint64_t c, uint32_t n)
{
    u->n = n;
    for (uint32_t i = 0; i < n; i++)
        u->hash[i] = 10 * c + i;
}

static void forget(struct prefix *p, struct model *m)
{
    uint64_t victim = HASHES;
    for (uint64_t h = 0; h < HASHES; h++)
        if (m->held[h] && !m->users[h] && (victim == HASHES || m->given[h] < m->given[victim]))
            victim = h;
    prefix_evict(p, m->clock);
    m->held[victim] = false;
    m->n_held--;
    m->n_idle--;
}

static void take(struct prefix *p, struct model *m, struct user *u)
{
    uint32_t idle, found = prefix_find(p, u->hash, u->n, &idle), want = 0, want_idle = 0;
    for (; want < u->n && m->held[u->hash[want]]; want++)
        want_idle += m->users[u->hash[want]] == 0;
    cr_assert_eq(found, want);
    cr_assert_eq(idle, want_idle);
    prefix_use(p, u->hash, found);
    m->n_idle -= idle;
    for (uint32_t i = 0; i < u->n; i++) {
        const uint64_t h = u->hash[i];
        if (i >= found) {
            while (m->n_held >= FRAMES && !m->held[h])
                forget(p, m);
            const enum prefix_added added = prefix_add(p, h);
            cr_assert_eq(added, !m->held[h]   ? PREFIX_NEW
                                : m->users[h] ? PREFIX_TWICE
                                              : PREFIX_WOKEN);
            m->n_held += !m->held[h];
            m->n_idle -= m->held[h] && !m->users[h];
            m->held[h] = true;
        }
        m->users[h]++;
    }
}

static void give(struct prefix *p, struct model *m, struct user *u)
{
    uint32_t idle = 0;
    for (uint32_t i = u->n; i-- > 0;) {
        idle += --m->users[u->hash[i]] == 0;
        m->given[u->hash[i]] = ++m->clock;
    }
    cr_assert_eq(prefix_give(p, u->hash, u->n, m->clock), idle);
    m->n_idle += idle;
    u->n = 0;
}

/* Six sequences of at most five blocks never use more than 30 of 40. */
Test(serve_prefix, blocks_are_held_used_and_forgotten_as_by_lists)
{
    struct opened o;
    struct model m = {0};
    struct user u[SEQS] = {0};
    struct rng g;
    struct prefix_stats s;
    struct prefix *p = prefix_new(FRAMES, 1, open_policy(&o, "lru"));
    rng_init(&g, 5, "test", "blocks");
    for (int i = 0; i < 20000; i++) {
        struct user *x = &u[rng_below(&g, SEQS)];
        if (x->n) {
            give(p, &m, x);
        } else {
            chain(x, rng_below(&g, 9), 1 + (uint32_t)rng_below(&g, 5));
            take(p, &m, x);
        }
        if (m.n_idle && rng_below(&g, 20) == 0)
            forget(p, &m);
        prefix_stats(p, &s);
        cr_assert_eq(s.held, m.n_held);
        cr_assert_eq(s.idle, m.n_idle);
        if (i % 100 == 0)
            cr_assert(prefix_sound(p));
    }
    cr_expect_gt(s.evicted, 500);
    for (uint64_t h = 0; h < HASHES; h++) /* the very blocks that LRU keeps */
        cr_expect_eq(prefix_find(p, &h, 1, NULL), m.held[h], "block %lu", h);
    prefix_free(p);
    close_policy(&o);
}

Test(serve_prefix, every_policy_names_a_block_that_nobody_uses)
{
    static const char *const policies[] = {"lfu",    "length-aware", "fifo-cache",  "arc",
                                           "s3fifo", "clock",        "random-evict"};
    for (size_t k = 0; k < sizeof policies / sizeof *policies; k++) {
        struct opened o;
        struct rng g;
        struct prefix_stats s;
        struct user u[SEQS] = {0};
        struct prefix *p = prefix_new(30, 1, open_policy(&o, policies[k]));
        rng_init(&g, k, "test", "names");
        for (int i = 0; i < 5000; i++) {
            struct user *x = &u[rng_below(&g, SEQS)];
            if (x->n) {
                prefix_give(p, x->hash, x->n, (sim_time)i);
                x->n = 0;
                continue;
            }
            chain(x, rng_below(&g, 9), 1 + (uint32_t)rng_below(&g, 5));
            const uint32_t found = prefix_find(p, x->hash, x->n, NULL);
            prefix_use(p, x->hash, found);
            for (uint32_t d = found; d < x->n; d++) {
                for (prefix_stats(p, &s); s.held >= 30; prefix_stats(p, &s))
                    prefix_evict(p, (sim_time)i); /* asserts that it was idle, by its counts */
                (void)prefix_add(p, x->hash[d]);
            }
            cr_assert(prefix_sound(p), "%s", policies[k]);
        }
        cr_expect_gt(s.evicted, 100, "%s", policies[k]);
        prefix_free(p);
        close_policy(&o);
    }
}

/* ---- in the engine ---- */

static const uint64_t same[] = {11, 12, 13, 14};

/* A prompt that was there takes the time of what is left of it: 96 of 160 tokens, 64 being a block.
 * The dense layers take 1 us a token. */
Test(serve_prefix, what_is_found_is_not_computed)
{
    const struct trace_request r[] = {
        {.time_ns = 0, .prompt_tokens = 160, .output_tokens = 1, .n_prefix = 3, .prefix = same},
        {.time_ns = 1000000000,
         .prompt_tokens = 160,
         .output_tokens = 1,
         .n_prefix = 3,
         .prefix = same},
        {.time_ns = 2000000000,
         .prompt_tokens = 128,
         .output_tokens = 1,
         .n_prefix = 2,
         .prefix = same},
        {.time_ns = 3000000000, .prompt_tokens = 160, .output_tokens = 1}};
    static const double want[] = {160, 160 - 128, 128 - 112, 160}; /* the last token is computed */
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"prefix_block\":64}",
                      .dense_us = {1, 1001},
                      .traced = r,
                      .exact = true};
    double before = 0;
    for (b.n = 1; b.n <= 4; b.n++) {
        struct measures *m = bench_run(&b, NULL);
        const double all = sketch_mean(bench_sketch(m, "ttft")) * (double)b.n;
        cr_expect_float_eq(all - before, want[b.n - 1] / 1e3, 1e-6, "request %zu: %g ms", b.n,
                           all - before);
        before = all;
        if (b.n == 4)
            cr_expect_float_eq(bench_number(m, "prefix_hit_ratio"), (128.0 + 112) / (3 * 160 + 128),
                               1e-12);
        measures_free(m);
    }
}

static struct trace_request *of(const struct prefix_requests *p, double slower)
{
    struct trace_request *r = malloc(p->n * sizeof *r);
    for (size_t i = 0; i < p->n; i++) {
        r[i] = p->r[i];
        r[i].time_ns = (uint64_t)((double)r[i].time_ns * slower);
    }
    return r;
}

/* One after the other, with room for all: what is found is what an unbounded cache has of full
 * blocks. */
Test(serve_prefix, with_room_and_time_the_hits_are_those_of_an_unbounded_cache)
{
    struct prefix_requests p;
    prefix_requests_make(&p, 300, 64, 4);
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"prefix_block\":64}",
                      .dense_us = {1, 1001},
                      .n = p.n,
                      .traced = of(&p, 1000),
                      .exact = true};
    double found = 0;
    for (size_t i = 0; i < p.n; i++) {
        const uint32_t full = p.r[i].prompt_tokens / 64;
        uint32_t most = 0;
        for (size_t k = 0; k < i; k++) {
            uint32_t d = 0;
            while (d < full && d < p.r[k].prompt_tokens / 64 &&
                   p.r[i].prefix[d] == p.r[k].prefix[d])
                d++;
            most = d > most ? d : most;
        }
        found += fmin(64 * most, (p.r[i].prompt_tokens - 1) / 16 * 16);
    }
    struct measures *m = bench_run(&b, NULL);
    cr_expect_gt(found, 0);
    cr_expect_eq(bench_number(m, "prefix_tokens_found"), found);
    cr_expect_eq(bench_number(m, "prefix_evictions"), 0);
    measures_free(m);
    free((void *)b.traced);
    prefix_requests_free(&p);
}

/* Under pressure, with preemptions and evictions: blocks are conserved (the model asserts it), and
 * leaping changes nothing. */
Test(serve_prefix, leaping_changes_nothing)
{
    static const char *const policies[] = {NULL, "lru", "lfu", "length-aware", "random-evict"};
    static const char *const options[] = {"", ",\"chunk\":50", ",\"swap_gib\":0.000001"};
    static const double pace[] = {1, 0.2};
    uint64_t preempted = 0, evicted = 0, swapped = 0;
    for (size_t i = 0; i < 5 * 3 * 2; i++) {
        struct prefix_requests p;
        char section[2][200];
        struct measures *m[2];
        prefix_requests_make(&p, 250, 64, i);
        struct bench b = {.dense_us = {500.5, 9001.25},
                          .token_ns = 41.7,
                          .step_us = 30.7,
                          .seq_us = 1.3,
                          .parse_us = 20.7,
                          .launch_us = 2.4,
                          .kv_tokens = 6000,
                          .n = p.n,
                          .traced = of(&p, pace[i / 15]),
                          .exact = true};
        for (int k = 0; k < 2; k++) {
            struct opened o;
            const char *name = policies[i % 5];
            snprintf(section[k], sizeof section[k],
                     "{\"model\":\"toy\",\"kv_fraction\":1,\"max_running\":16,\"prefix_block\":64,"
                     "\"leap\":%s%s}",
                     k ? "false" : "true", options[i / 5 % 3]);
            b.section = section[k];
            b.evict = name ? open_policy(&o, name) : NULL;
            m[k] = bench_run(&b, NULL);
            if (name)
                close_policy(&o);
        }
        cr_expect_lt(bench_number(m[0], "events"), bench_number(m[1], "events"));
        preempted += (uint64_t)bench_number(m[0], "preemptions");
        evicted += (uint64_t)bench_number(m[0], "prefix_evictions");
        swapped += i / 5 % 3 == 2 ? (uint64_t)bench_number(m[0], "swapped_blocks") : 0;
        cr_expect_gt(bench_number(m[0], "prefix_hit_ratio"), 0.1);
        bench_same(m[0], m[1]);
        measures_free(m[0]);
        measures_free(m[1]);
        free((void *)b.traced);
        prefix_requests_free(&p);
    }
    cr_expect_gt(preempted, 100);
    cr_expect_gt(swapped, 100);
    cr_expect_gt(evicted, 1000);
}

/* The cache changes nothing for requests that share nothing. */
Test(serve_prefix, without_hashes_nothing_changes)
{
    struct prefix_requests p;
    prefix_requests_make(&p, 250, 64, 8);
    for (size_t i = 0; i < p.n; i++)
        p.r[i].n_prefix = 0;
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"prefix_block\":64}",
                      .dense_us = {500, 9000},
                      .kv_tokens = 6000,
                      .n = p.n,
                      .traced = of(&p, 0.3),
                      .exact = true};
    struct measures *on = bench_run(&b, NULL);
    b.section = "{\"model\":\"toy\",\"kv_fraction\":1}";
    struct measures *off = bench_run(&b, NULL);
    for (size_t i = 0; i < off->n_number; i++)
        cr_expect_eq(off->number[i].value, bench_number(on, off->number[i].name), "%s",
                     off->number[i].name);
    cr_expect_gt(bench_number(on, "preemptions"), 0);
    cr_expect_eq(bench_number(on, "prefix_hit_ratio"), 0);
    measures_free(on);
    measures_free(off);
    free((void *)b.traced);
    prefix_requests_free(&p);
}

/* ---- a policy that misbehaves ---- */

static int asked;

static uint32_t bad_evict(void *self, const struct policy_access *a)
{
    (void)self, (void)a;
    return asked++ < 0 ? 0 : 100000;
}

static const struct policy_ops bad = {
    .name = "bad", .create = guarded_create, .destroy = guarded_destroy, .mem_evict = bad_evict};

Test(serve_prefix, a_bad_answer_leaves_it_to_the_order_of_idleness)
{
    struct prefix_requests p;
    prefix_requests_make(&p, 250, 64, 3);
    struct policy_slot slot = guarded(&bad);
    struct measures *own = slot.out;
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"prefix_block\":64}",
                      .dense_us = {500, 9000},
                      .kv_tokens = 6000,
                      .n = p.n,
                      .traced = of(&p, 1),
                      .exact = true};
    struct measures *alone = bench_run(&b, NULL);
    b.evict = &slot;
    struct measures *m = bench_run(&b, NULL);
    cr_expect_eq(slot.ejected, EJECT_BAD_ANSWER);
    cr_expect_eq(m->n_incident, alone->n_incident + 1);
    for (size_t i = 0; i < alone->n_number; i++)
        cr_expect_eq(alone->number[i].value, bench_number(m, alone->number[i].name), "%s",
                     alone->number[i].name);
    slot.out = own;
    guarded_end(&slot);
    measures_free(alone);
    measures_free(m);
    free((void *)b.traced);
    prefix_requests_free(&p);
}

Test(serve_prefix, an_oracle_is_refused)
{
    struct opened o;
    struct err why = {0};
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"prefix_block\":64}",
                      .dense_us = {500, 9000},
                      .evict = open_policy(&o, "belady")};
    measures_free(bench_run(&b, &why));
    cr_expect_eq(why.code, ERR_EUSAGE);
    cr_expect(strstr(why.msg, "got an oracle, want a policy that does not ask what comes next"));
    close_policy(&o);
}

/* Without a policy the block goes that is idle for longest: what "lru" says. */
Test(serve_prefix, by_itself_it_does_what_lru_would)
{
    struct prefix_requests p;
    struct opened o;
    prefix_requests_make(&p, 400, 64, 12);
    struct bench b = {.section = "{\"model\":\"toy\",\"kv_fraction\":1,\"prefix_block\":64}",
                      .dense_us = {500, 9000},
                      .kv_tokens = 6000,
                      .n = p.n,
                      .traced = of(&p, 1),
                      .exact = true};
    struct measures *alone = bench_run(&b, NULL);
    b.evict = open_policy(&o, "lru");
    struct measures *m = bench_run(&b, NULL);
    close_policy(&o);
    cr_expect_gt(bench_number(alone, "prefix_evictions"), 100);
    for (size_t i = 0; i < alone->n_number; i++)
        cr_expect_eq(alone->number[i].value, bench_number(m, alone->number[i].name), "%s",
                     alone->number[i].name);
    measures_free(alone);
    measures_free(m);
    free((void *)b.traced);
    prefix_requests_free(&p);
}
