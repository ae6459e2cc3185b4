/* vllm_reference.c - see vllm_reference.h. */
#include "tests/models/vllm_reference.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16
#define NONE  UINT32_MAX

struct request {
    uint64_t at, first, last;
    uint32_t prompt, output, done, computed, now; /* now: tokens of this step */
    uint32_t *block, n_blocks;
    bool decoding; /* has had a token since it was let in */
};

struct engine {
    const struct reference_set *set;
    struct request *r;
    uint32_t *running, n_running, *waiting, n_waiting;
    uint32_t *free, n_free; /* the free list, next to be taken first */
    uint32_t *of, *index;   /* [blocks] whose tokens it holds (NONE), and which of them */
    struct reference_out out;
};

static void take(struct engine *g, struct request *q, uint32_t n)
{
    cr_assert_leq(n, g->n_free);
    for (uint32_t i = 0; i < n; i++) {
        q->block[q->n_blocks++] = g->free[i];
        g->of[g->free[i]] = NONE;
    }
    memmove(g->free, g->free + n, (g->n_free -= n) * sizeof *g->free);
}

static void give(struct engine *g, struct request *q)
{
    while (q->n_blocks)
        g->free[g->n_free++] = q->block[--q->n_blocks];
}

/* Full blocks are remembered once their tokens are computed. */
static void remember(struct engine *g, uint32_t who)
{
    const struct request *q = &g->r[who];
    for (uint32_t i = 0; i < (q->computed + q->now) / BLOCK; i++) {
        g->of[q->block[i]] = who;
        g->index[q->block[i]] = i;
    }
}

static uint32_t find(const struct engine *g, uint32_t who, uint32_t index)
{
    for (uint32_t i = 0; i < g->n_free; i++)
        if (g->of[g->free[i]] == who && g->index[g->free[i]] == index)
            return i;
    return NONE;
}

static uint32_t found(struct engine *g, uint32_t who)
{
    struct request *q = &g->r[who];
    const uint32_t most = (q->prompt + q->done - 1) / BLOCK;
    uint32_t i = 0, at;
    for (; g->set->reuse && i < most && (at = find(g, who, i)) != NONE; i++) {
        q->block[q->n_blocks++] = g->free[at];
        memmove(g->free + at, g->free + at + 1, (--g->n_free - at) * sizeof *g->free);
    }
    return i;
}

static uint32_t blocks_for(const struct request *q, uint32_t tokens)
{
    const uint32_t want = (q->computed + tokens + BLOCK - 1) / BLOCK;
    return want > q->n_blocks ? want - q->n_blocks : 0;
}

static void preempt_last(struct engine *g)
{
    const uint32_t who = g->running[--g->n_running];
    struct request *q = &g->r[who];
    give(g, q);
    q->computed = q->now = 0;
    q->decoding = false;
    memmove(g->waiting + 1, g->waiting, g->n_waiting++ * sizeof *g->waiting);
    g->waiting[0] = who;
    g->out.preemptions++;
}

/* false: somebody was preempted, so that nobody is let in. */
static bool run_running(struct engine *g, uint32_t *budget)
{
    const uint64_t before = g->out.preemptions;
    for (uint32_t i = 0; i < g->n_running && *budget; i++) {
        struct request *q = &g->r[g->running[i]];
        uint32_t n = q->prompt + q->done - q->computed;
        n = n < *budget ? n : *budget;
        while (i < g->n_running && blocks_for(q, n) > g->n_free)
            preempt_last(g);
        if (i >= g->n_running)
            break;
        take(g, q, blocks_for(q, n));
        q->now = n;
        *budget -= n;
        remember(g, g->running[i]);
    }
    return g->out.preemptions == before;
}

static void let_in(struct engine *g, uint32_t *budget)
{
    while (g->n_waiting && *budget && g->n_running < g->set->max_running) {
        const uint32_t who = g->waiting[0];
        struct request *q = &g->r[who];
        const uint32_t all = q->prompt + q->done;
        if ((all + BLOCK - 1) / BLOCK > g->n_free)
            return;
        const uint32_t hit = found(g, who);
        q->computed = hit * BLOCK;
        g->out.recovered += q->computed;
        q->now = all - q->computed < *budget ? all - q->computed : *budget;
        take(g, q, blocks_for(q, q->now));
        remember(g, who);
        *budget -= q->now;
        memmove(g->waiting, g->waiting + 1, --g->n_waiting * sizeof *g->waiting);
        g->running[g->n_running++] = who;
    }
}

/* Time of the step that is set up. */
static uint64_t cost(const struct engine *g)
{
    uint64_t tokens = 0, cached = 0;
    for (uint32_t i = 0; i < g->n_running; i++) {
        const struct request *q = &g->r[g->running[i]];
        tokens += q->now;
        cached += q->decoding ? q->computed : 0;
    }
    return g->set->step_ns + (tokens - 1) * g->set->token_ns + cached * g->set->cached_ns;
}

static size_t end_step(struct engine *g, uint64_t now)
{
    uint32_t kept = 0;
    size_t finished = 0;
    for (uint32_t i = 0; i < g->n_running; i++) {
        const uint32_t who = g->running[i];
        struct request *q = &g->r[who];
        q->computed += q->now;
        const bool token = q->now && q->computed == q->prompt + q->done;
        q->now = 0;
        q->decoding |= token;
        if (token && !q->done++)
            q->first = now;
        if (q->done < q->output) {
            g->running[kept++] = who;
            continue;
        }
        q->last = now;
        give(g, q);
        finished++;
    }
    g->n_running = kept;
    return finished;
}

static void run(struct engine *g, size_t n)
{
    uint64_t now = 0;
    for (size_t next = 0, finished = 0; finished < n;) {
        if (!g->n_running && !g->n_waiting)
            now = now > g->r[next].at ? now : g->r[next].at;
        /* who comes as a step ends is seen by the next but one, unless the engine was idle */
        while (next < n && (g->r[next].at < now || (!g->n_running && g->r[next].at == now)))
            g->waiting[g->n_waiting++] = (uint32_t)next++;
        uint32_t budget = g->set->max_tokens;
        if (run_running(g, &budget))
            let_in(g, &budget);
        cr_assert_lt(budget, g->set->max_tokens, "the reference stands still");
        now += cost(g);
        g->out.iterations++;
        finished += end_step(g, now);
    }
    g->out.last_ns = now;
}

static void means(struct engine *g, size_t n)
{
    size_t many = 0;
    for (size_t i = 0; i < n; i++) {
        const struct request *q = &g->r[i];
        g->out.ttft_ms += (double)(q->first - q->at) / 1e6 / (double)n;
        g->out.e2e_ms += (double)(q->last - q->at) / 1e6 / (double)n;
        many += q->output > 1;
        if (q->output > 1)
            g->out.tpot_ms += (double)(q->last - q->first) / 1e6 / (q->output - 1);
    }
    g->out.tpot_ms /= many ? (double)many : 1;
}

struct reference_out vllm_reference(const struct reference_set *set,
                                    const struct bench_request *request, size_t n)
{
    struct engine g = {.set = set, .n_free = set->blocks};
    g.r = calloc(n, sizeof *g.r);
    g.running = calloc(n, sizeof *g.running);
    g.waiting = calloc(n + 1, sizeof *g.waiting);
    g.free = calloc(set->blocks, sizeof *g.free);
    g.of = calloc(set->blocks, sizeof *g.of);
    g.index = calloc(set->blocks, sizeof *g.index);
    for (uint32_t i = 0; i < set->blocks; i++) {
        g.free[i] = i;
        g.of[i] = NONE;
    }
    for (size_t i = 0; i < n; i++) {
        g.r[i] = (struct request){
            .at = request[i].at_ns, .prompt = request[i].prompt, .output = request[i].output};
        g.r[i].block = calloc(set->blocks, sizeof *g.r[i].block);
    }
    run(&g, n);
    means(&g, n);
    for (size_t i = 0; i < n; i++)
        free(g.r[i].block);
    free(g.r);
    free(g.running);
    free(g.waiting);
    free(g.free);
    free(g.of);
    free(g.index);
    return g.out;
}
