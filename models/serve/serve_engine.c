/* serve_engine.c - the engine's loop: host work, GPU work, host work, again.
 *
 * Each phase takes its place on the shared cores or the shared GPU.  While
 * only decoding goes on and nobody else is about, the iterations ahead differ
 * in nothing but how much cache they read, which grows by the same amount each
 * time (until the cost table's next bend); their total time is a closed form, so the engine leaps
 * over them in one event.  An arrival ends the leap: the iterations already over are
 * booked, and the one in progress goes on from the phase it is in.  Times add
 * up in picoseconds, so leaping and stepping give the same result.          */
#include <assert.h>

#include "models/serve/serve_state.h"

#define LEAP_MOST UINT64_C(65536) /* keeps sums of picoseconds far below 2^64 */

static void begin_pre(struct serve *s);

/* ---- what an iteration costs --------------------------------------------------- */

static uint64_t launches_of(const struct serve *s, const struct llm_batch *b)
{
    return s->c.graphs && !b->chunks ? 1 : s->llm.kernels;
}

static sim_cost one_launch(const struct serve *s)
{
    return s->launch.cpu_before + s->launch.wire_before;
}

static void cost_of(struct serve *s, struct serve_segment *g)
{
    const struct llm_batch *b = &g->batch;
    const uint64_t launches = launches_of(s, b);
    const sim_cost one = one_launch(s);
    g->gpu = llm_cost_iteration(&s->llm, b);
    if (launches * one > g->gpu) /* the host can't launch as fast as the GPU runs */
        g->gpu = launches * one;
    sim_cost asks, done = g->gpu;
    const bool moved = s->c.paging.on && paging_pay(&s->paging, sim_now(s->sim), &asks, &done);
    g->pre = s->engine_step + (b->decoding + b->chunks) * s->engine_seq + one;
    g->pre += moved ? asks : 0;
    g->post = s->complete.cpu_before + s->complete.wire_before;
    if (s->c.cores == 1) /* nobody else can send the tokens */
        g->post += b->sampled * s->token_out.cpu_before;
    g->host = g->pre + g->post;
    if (s->c.overlap) { /* the host works on the next iteration while the GPU is at this one */
        g->pre = g->host > g->gpu ? g->host - g->gpu : 0;
        g->post = 0;
    }
    g->gpu = done + s->swap_ps;
    s->swap_ps = 0;
    g->growth = 0;
    g->straight = 1;
    if (!b->chunks && !moved)
        g->growth = llm_cost_growth(&s->llm, b, &g->straight);
    g->k = 1;
}

/* For how many iterations the closed form holds: up to the next bend of the cost, and not where
 * the host is what an iteration waits for. */
static uint64_t straight(const struct serve *s, uint64_t most)
{
    const struct serve_segment *g = &s->seg;
    const uint64_t k = g->straight < most ? g->straight : most;
    sim_cost least = g->gpu + (g->growth < 0 ? (sim_cost)g->growth * (k - 1) : 0);
    sim_cost floor = launches_of(s, &g->batch) * one_launch(s);
    if (s->c.overlap && g->host > floor)
        floor = g->host;
    return least >= floor && g->gpu == llm_cost_iteration(&s->llm, &g->batch) ? k : 1;
}

/* Picoseconds from the start to the end of the i-th iteration, what was left over included. */
static sim_cost span(const struct serve_segment *g, uint64_t i)
{
    return g->carry + i * (g->pre + g->gpu + g->post) +
           (i ? (sim_cost)g->growth * (i * (i - 1) / 2) : 0);
}

static void account(struct serve *s, uint64_t k)
{
    const struct serve_segment *g = &s->seg;
    const uint64_t launches = launches_of(s, &g->batch);
    s->n.iterations += k;
    s->n.batch_sum += k * (g->batch.decoding + g->batch.chunks);
    s->n.tokens += k * g->batch.sampled;
    s->n.launches += k * launches;
    s->n.crossings += k * (launches * s->launch.crossings + s->complete.crossings +
                           g->batch.sampled * s->token_out.crossings);
    s->n.engine_ps += k * g->host;
    s->n.sender_ps += s->c.cores == 1 ? 0 : k * g->batch.sampled * s->token_out.cpu_before;
}

static void iterations_over(struct serve *s, uint64_t k)
{
    account(s, k);
    batch_done(s, k);
}

/* ---- one iteration, phase by phase ----------------------------------------------- */

static void end_post(void *ctx, uint64_t arg)
{
    (void)arg;
    struct serve *s = ctx;
    s->phase = PHASE_IDLE;
    spans_slice(s->env->sim.spans, s->track_engine, s->seg.batch.chunks ? "prefill" : "decode",
                s->seg.start, sim_now(s->sim));
    iterations_over(s, 1);
    engine_kick(s);
}

static void on_core(struct serve *s, sim_time work, sim_fn *next)
{
    if (!cores_submit(s->cpu, work, next, s, 0))
        serve_fail(s, err_set(s->e, ERR_ENOMEM, "serve: out of memory"));
}

static void begin_post(void *ctx, uint64_t arg)
{
    (void)arg;
    struct serve *s = ctx;
    s->phase = PHASE_POST;
    on_core(s, carry_ns(&s->carry, s->seg.post), end_post);
}

static void begin_gpu(void *ctx, uint64_t arg)
{
    (void)arg;
    struct serve *s = ctx;
    s->phase = PHASE_GPU;
    accel_run(&s->gpu, carry_ns(&s->carry, s->seg.gpu), s->seg.gpu, begin_post, s);
}

static void begin_pre(struct serve *s)
{
    s->phase = PHASE_PRE;
    on_core(s, carry_ns(&s->carry, s->seg.pre), begin_gpu);
}

/* ---- leaps --------------------------------------------------------------------------- */

static bool alone(const struct serve *s)
{
    return s->inside == 0 && cores_idle(s->cpu) && mlaas_idle(s->mlaas) &&
           !policy_life_busy(s->admits) && !policy_life_busy(s->ranks);
}

static void leap_done(void *ctx, uint64_t arg)
{
    (void)arg;
    struct serve *s = ctx;
    struct serve_segment *g = &s->seg;
    sim_cost all = span(g, g->k);
    assert(s->phase == PHASE_LEAP && g->start + all / 1000 == sim_now(s->sim));
    s->phase = PHASE_IDLE;
    s->carry.ps = (uint32_t)(all % 1000);
    accel_credit(&s->gpu, g->k * g->gpu + (sim_cost)g->growth * (g->k * (g->k - 1) / 2));
    spans_slice(s->env->sim.spans, s->track_engine, "decode", g->start, sim_now(s->sim));
    iterations_over(s, g->k);
    engine_kick(s);
}

/* How many iterations of the leap are over by now. */
static uint64_t over_by(const struct serve_segment *g, sim_time now)
{
    uint64_t lo = 0, hi = g->k;
    while (lo < hi) {
        uint64_t mid = (lo + hi + 1) / 2;
        if (g->start + span(g, mid) / 1000 <= now)
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

/* The iteration in progress goes on alone, from its phase at this moment. */
static void resume(struct serve *s, sim_cost begun)
{
    struct serve_segment *g = &s->seg;
    sim_time now = sim_now(s->sim);
    sim_cost pre = begun + g->pre, gpu = pre + g->gpu, post = gpu + g->post;
    sim_time base = g->start, pre_end = base + pre / 1000, gpu_end = base + gpu / 1000;
    g->start = base + begun / 1000;
    if (now < pre_end) {
        s->phase = PHASE_PRE;
        s->carry.ps = (uint32_t)(pre % 1000);
        on_core(s, pre_end - now, begin_gpu);
    } else if (now < gpu_end) {
        s->phase = PHASE_GPU;
        s->carry.ps = (uint32_t)(gpu % 1000);
        accel_resume(&s->gpu, pre_end, gpu_end - pre_end, g->gpu, begin_post, s);
    } else {
        s->phase = PHASE_POST;
        s->carry.ps = (uint32_t)(post % 1000);
        accel_credit(&s->gpu, g->gpu);
        on_core(s, base + post / 1000 - now, end_post);
    }
}

void engine_interrupt(struct serve *s)
{
    if (s->phase != PHASE_LEAP)
        return;
    struct serve_segment *g = &s->seg;
    bool pending = sim_cancel(s->sim, s->leap_ev);
    assert(pending);
    (void)pending;
    uint64_t over = over_by(g, sim_now(s->sim));
    assert(over < g->k);
    sim_cost begun = span(g, over);
    if (over) {
        accel_credit(&s->gpu, over * g->gpu + (sim_cost)g->growth * (over * (over - 1) / 2));
        spans_slice(s->env->sim.spans, s->track_engine, "decode", g->start,
                    g->start + begun / 1000);
        iterations_over(s, over);
        g->gpu += over * (sim_cost)g->growth;
        g->batch.cached += over * g->batch.decoding;
    }
    g->k = 1;
    resume(s, begun);
}

static void begin_leap(struct serve *s, uint64_t k)
{
    struct serve_segment *g = &s->seg;
    g->k = k;
    s->phase = PHASE_LEAP;
    s->leap_ev = sim_at(s->sim, g->start + span(g, k) / 1000, 1, leap_done, s, 0);
}

/* ---- the loop --------------------------------------------------------------------------- */

/* The iteration that was composed. */
static void begin(struct serve *s)
{
    struct serve_segment *g = &s->seg;
    g->start = sim_now(s->sim);
    g->carry = s->carry.ps;
    if (s->c.leap && !s->evict_asks && batch_steady(s) && alone(s)) {
        const uint64_t ahead = batch_steps(s);
        const uint64_t k = straight(s, ahead < LEAP_MOST ? ahead : LEAP_MOST);
        if (k > 1 && !g->batch.chunks) {
            begin_leap(s, k);
            return;
        }
    }
    begin_pre(s);
}

void engine_kick(struct serve *s)
{
    struct serve_segment *g = &s->seg;
    if (s->phase != PHASE_IDLE)
        return;
    if (!batch_compose(s, &g->batch)) {
        serve_report_levels(s);
        return;
    }
    cost_of(s, g);
    serve_report_levels(s);
    if (s->evicting)
        s->phase = PHASE_EVICT;
    else
        begin(s);
}

void engine_evicted(struct serve *s)
{
    if (s->phase == PHASE_EVICT)
        begin(s);
}
