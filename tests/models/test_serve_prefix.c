/* test_serve_prefix.c - blocks that requests share in the engine: closed forms on the toy machine,
 * conservation, leaping. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/serve/prefix.h"
#include "tests/models/prefix_requests.h"
#include "tests/models/serve_bench.h"
#include "tests/policies/guarded.h"
#include "tests/policies/opened.h"

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
            b.evict = name ? opened_policy(&o, name) : NULL;
            m[k] = bench_run(&b, NULL);
            if (name)
                opened_close(&o);
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

/* tests/bad/mute.cases has the sentences. */
Test(serve_prefix, an_oracle_is_refused_and_so_is_any_policy_without_a_cache)
{
    static const char *const text[] = {"{\"prefix_block\":64}", "{}"};
    for (int bare = 0; bare < 2; bare++) {
        struct config *c;
        struct err e = {0};
        cr_assert_eq(config_parse(&c, "serve", text[bare], strlen(text[bare]), &e), 0);
        cr_expect_eq(model_serve.mute(c, POLICY_HOOK_MEM_EVICT, false) != NULL, bare);
        cr_expect_not_null(model_serve.mute(c, POLICY_HOOK_MEM_EVICT, true));
        cr_expect_null(model_serve.mute(c, POLICY_HOOK_SERVE_BATCH, true));
        config_free(c);
    }
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
    b.evict = opened_policy(&o, "lru");
    struct measures *m = bench_run(&b, NULL);
    opened_close(&o);
    cr_expect_gt(bench_number(alone, "prefix_evictions"), 100);
    for (size_t i = 0; i < alone->n_number; i++)
        cr_expect_eq(alone->number[i].value, bench_number(m, alone->number[i].name), "%s",
                     alone->number[i].name);
    measures_free(alone);
    measures_free(m);
    free((void *)b.traced);
    prefix_requests_free(&p);
}
