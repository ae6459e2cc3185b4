/* test_prefix_replay.c - the model "prefix" against a cache written the slow way, against hit
 * counts that others computed from Mooncake's trace, and when its policy misbehaves. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/model.h"
#include "models/policy_slot.h"
#include "tests/models/prefix_requests.h"
#include "tests/policies/guarded.h"
#include "tests/policies/opened.h"
#include "traces/source.h"

static struct measures *run(const char *section, struct request_source *requests,
                            struct policy_slot *slot)
{
    struct config *c;
    struct err e = {0};
    struct measures *out = measures_new();
    struct model_env env = {.seed = 1, .requests = requests, .policy = slot, .exact = true};
    cr_assert_eq(config_parse(&c, "t", section, strlen(section), &e), 0, "%s", e.msg);
    cr_assert_eq(model_prefix.check(c, &e), 0, "%s", e.msg);
    cr_assert_eq(model_prefix.run(c, &env, out, &e), 0, "%s", e.msg);
    config_free(c);
    return out;
}

/* As a policy of that name would do; NULL: the model's own hand. */
static struct measures *under(const char *name, const char *section, struct request_source *from)
{
    struct opened o;
    if (!name)
        return run(section, from, NULL);
    struct measures *m = run(section, from, opened_policy(&o, name));
    opened_close(&o);
    return m;
}

static double number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert(v, "%s", name);
    return *v;
}

static struct measures *replay(const char *name, const struct prefix_requests *p, size_t blocks,
                               bool backward)
{
    char section[120];
    struct prefix_source s = {.source = {.next = prefix_source_next}, .p = p};
    snprintf(section, sizeof section, "{\"blocks\":%zu,\"block_tokens\":64,\"order\":\"%s\"}",
             blocks, backward ? "backward" : "forward");
    return under(name, section, &s.source);
}

Test(prefix_replay, the_same_hits_as_a_slow_cache)
{
    static const char *const policies[] = {"lru", "lfu", "length-aware", "fifo-cache"};
    static const size_t blocks[] = {1, 7, 50, 200, 600, 0};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct prefix_requests p;
        prefix_requests_make(&p, 400, 64, seed);
        for (size_t i = 0; i < 4 * 6 * 2; i++) {
            const char *name = policies[i % 4];
            const size_t room = blocks[i / 4 % 6];
            const bool back = i / 24;
            struct prefix_count want = prefix_reference(name, &p, room, back);
            struct measures *m = replay(name, &p, room, back);
            cr_expect_eq(number(m, "blocks"), p.blocks);
            cr_expect_eq(number(m, "block_hits"), want.hits, "%s, %zu, %d: %g hits, want %lu", name,
                         room, back, number(m, "block_hits"), want.hits);
            cr_expect_eq(number(m, "prefix_hits"), want.leading, "%s, %zu, %d: %g, want %lu", name,
                         room, back, number(m, "prefix_hits"), want.leading);
            measures_free(m);
        }
        prefix_requests_free(&p);
    }
}

/* Belady's optimum is the most that any order of eviction gets, and never more than no eviction. */
Test(prefix_replay, nobody_beats_the_oracle)
{
    static const char *const policies[] = {"lru", "lfu",   "length-aware", "fifo-cache",
                                           "arc", "clock", "s3fifo",       "random-evict"};
    struct prefix_requests p;
    prefix_requests_make(&p, 600, 64, 9);
    for (size_t room = 20; room <= 500; room *= 5) {
        struct measures *best = replay("belady", &p, room, false);
        struct measures *all = replay("belady", &p, 0, false);
        cr_expect_leq(number(best, "block_hits"), number(all, "block_hits"));
        for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
            struct measures *m = replay(policies[i], &p, room, false);
            const double mine = number(m, "block_hits"), most = number(best, "block_hits");
            cr_expect(room < 500 ? mine < most : mine <= most, "%s, %zu blocks: %g, %g",
                      policies[i], room, mine, most);
            cr_expect_leq(number(m, "prefix_hits"), number(m, "block_hits"));
            measures_free(m);
        }
        measures_free(best);
        measures_free(all);
    }
    prefix_requests_free(&p);
}

/* By hand: blocks of 64 tokens, two requests of 1.5 blocks that share the first. */
Test(prefix_replay, tokens_are_those_of_the_blocks_before_the_first_miss)
{
    static const uint64_t a[] = {1, 2}, b[] = {1, 3}, c[] = {9, 2};
    struct trace_request r[] = {{.prompt_tokens = 96, .n_prefix = 2, .prefix = a},
                                {.prompt_tokens = 96, .n_prefix = 2, .prefix = b},
                                {.prompt_tokens = 96, .n_prefix = 2, .prefix = c},
                                {.prompt_tokens = 96, .n_prefix = 2, .prefix = a},
                                {.prompt_tokens = 16}};
    const struct prefix_requests p = {.r = r, .n = 5};
    for (int i = 0; i < 4; i++) {
        struct measures *m = replay(i & 1 ? "lru" : NULL, &p, i & 1 ? 100 : 0, i & 2);
        cr_expect_eq(number(m, "requests"), 5);
        cr_expect_eq(number(m, "requests_without_hashes"), 1);
        cr_expect_eq(number(m, "block_hits"), 1 + 1 + 2);
        cr_expect_eq(number(m, "prefix_hits"), 1 + 0 + 2); /* c's second has no first */
        cr_expect_float_eq(number(m, "token_hit_ratio"), (64 + 96) / (4 * 96 + 16.0), 1e-12);
        cr_expect_float_eq(number(m, "cold_requests"), 2 / 4.0, 1e-12);
        measures_free(m);
    }
}

/* ---- Mooncake's trace ---- */

static struct request_source *conversation(void)
{
    char section[1200];
    struct config *c;
    struct err e = {0};
    struct trace_about about;
    struct request_source *s;
    const char *path = prefix_requests_mooncake();
    if (!path)
        return NULL;
    snprintf(section, sizeof section, "{\"import\":{\"format\":\"mooncake\",\"file\":\"%s\"}}",
             path);
    cr_assert_eq(config_parse(&c, "t", section, strlen(section), &e), 0, "%s", e.msg);
    const struct trace_places here = {0};
    cr_assert_eq(trace_source_open(c, 1, &here, &s, &about, &e), 0, "%s", e.msg);
    config_free(c);
    return s;
}

/* Hits that come with the copy of the trace (LRU, capacity in tokens / 512), and those of an
 * independent replay at other sizes: experiments/figures/mooncake-cache.json. */
Test(prefix_replay, conversation_has_the_hits_that_others_counted)
{
    static const struct {
        const char *policy;
        unsigned blocks, hits;
    } cases[] = {{"lru", 1000000 / 512, 15337},
                 {"lru", 3000000 / 512, 39101},
                 {"lru", 10000000 / 512, 82273},
                 {"lru", 50000000 / 512, 104870},
                 {"lru", 0, 105710},
                 {"lfu", 1000, 13871},
                 {"lfu", 10000, 38013},
                 {"lfu", 100000, 104755}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char section[60];
        struct request_source *s = conversation();
        if (!s)
            cr_skip_test("Mooncake's trace is not here (MALV_DATA or ../shared/traces)");
        snprintf(section, sizeof section, "{\"blocks\":%u}", cases[i].blocks);
        struct measures *m = under(cases[i].policy, section, s);
        cr_expect_eq(number(m, "blocks"), 288500);
        cr_expect_eq(number(m, "block_hits"), cases[i].hits, "%s, %u: %g, want %u", cases[i].policy,
                     cases[i].blocks, number(m, "block_hits"), cases[i].hits);
        if (!cases[i].blocks) /* "37.4 %" of the prompts' tokens, by the same count */
            cr_expect_float_eq(number(m, "token_hit_ratio"), 0.374, 0.0005);
        measures_free(m);
        s->close(s);
    }
}

/* ---- a policy that misbehaves ---- */

static int evictions;

static int begin(void *self, const struct policy_mem *m)
{
    (void)self;
    evictions = 0;
    return m->frames == 50 && m->page_bytes == 4096 ? 0 : 1;
}

static uint32_t bad_evict(void *self, const struct policy_access *a)
{
    (void)self, (void)a;
    return evictions++ < 100 ? (uint32_t)evictions % 50 : 5000;
}

static const struct policy_ops bad = {.name = "bad",
                                      .create = guarded_create,
                                      .destroy = guarded_destroy,
                                      .mem_begin = begin,
                                      .mem_evict = bad_evict};

Test(prefix_replay, a_bad_answer_in_mid_run_leaves_it_to_the_hand)
{
    struct prefix_requests p;
    prefix_requests_make(&p, 400, 64, 2);
    struct prefix_source s = {.source = {.next = prefix_source_next}, .p = &p};
    struct policy_slot slot = guarded(&bad);
    struct measures *own = slot.out;
    struct measures *m = run("{\"blocks\":50,\"block_tokens\":64}", &s.source, &slot);
    struct measures *fifo = replay("fifo-cache", &p, 50, false);
    cr_expect_eq(slot.ejected, EJECT_BAD_ANSWER);
    cr_expect_eq(number(m, "blocks"), p.blocks);
    cr_expect_eq(number(m, "evictions"), number(m, "blocks") - number(m, "block_hits") - 50);
    cr_expect_gt(number(m, "block_hits"), 0.8 * number(fifo, "block_hits"));
    cr_assert_eq(m->n_incident, 1);
    cr_expect_str_eq(m->incident[0].text, "mem_evict answered frame 5000, want a taken one of 50");
    slot.out = own;
    guarded_end(&slot);
    measures_free(m);
    measures_free(fifo);
    prefix_requests_free(&p);
}
