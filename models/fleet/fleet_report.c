/* fleet_report.c - counts into measures. */
#include <stdio.h>

#include "models/fleet/fleet_state.h"

#define SATURATED 0.9 /* of the estimated capacity */

bool fleet_report_begin(struct fleet *f)
{
    struct measures *m = f->out;
    const bool exact = f->env->exact;
    request_parts_begin(&f->parts);
    f->ttft = measures_sketch(m, "ttft", "ms", exact);
    f->tpot = measures_sketch(m, "tpot", "ms", exact);
    f->e2e = measures_sketch(m, "e2e", "ms", exact);
    f->queue_wait = measures_sketch(m, "queue_wait", "ms", exact);
    for (uint32_t i = 0; i < f->c.pools; i++) {
        char name[64];
        snprintf(name, sizeof name, "engines.%s", f->c.pool[i].name);
        if (f->c.pool[i].scale.on)
            f->pool[i].s_engines = measures_series(m, name, "engines");
        snprintf(name, sizeof name, "serving.%s", f->c.pool[i].name);
        if (f->c.pool[i].failures.on)
            f->pool[i].s_serving = measures_series(m, name, "engines");
    }
    return !m->failed && f->ttft && f->tpot && f->e2e && f->queue_wait;
}

static void number(struct fleet *f, const char *what, const struct pool *p, const char *unit,
                   enum better better, double v)
{
    char name[64];
    if (p)
        snprintf(name, sizeof name, "%s.%s", what, p->c->name);
    measures_number(f->out, p ? name : what, unit, better, v);
}

/* ---- load ---- */

/* Seconds of one engine that the mean request takes of it, when it is as full as it gets. */
static double engine_s(const struct fleet *f, const struct pool *p, double prompt, double output)
{
    const bool prompts = p->c->role != POLICY_DECODE, decodes = p->c->role != POLICY_PREFILL;
    const uint64_t n = (uint64_t)(prompt + 0.5);
    struct fleet_batch one = {.llm = {.chunks = 1, .prompt_tokens = n, .sampled = 1}};
    one.llm.pairs = n * (n + 1) / 2;
    one.squares = n * n;
    double s = prompts ? (double)fleet_cost_iteration(&p->cost, &one).all / 1e12 : 0;
    const double context = prompt + output / 2;
    double batch = (double)p->kv_blocks * KV_BLOCK / context;
    if (batch > p->c->max_running)
        batch = p->c->max_running;
    if (batch < 1)
        batch = 1;
    const uint64_t b = (uint64_t)batch;
    struct fleet_batch full = {
        .llm = {.decoding = b, .sampled = b, .cached = (uint64_t)((double)b * context)}};
    (void)f;
    if (decodes && output > 1)
        s += (output - 1) * (double)fleet_cost_iteration(&p->cost, &full).all / 1e12 / (double)b;
    return s;
}

/* Requests per second that the engines of one stage can do for ever. */
static double capacity(const struct fleet *f, bool decode, double prompt, double output)
{
    double sum = 0;
    for (uint32_t i = 0; i < f->c.pools; i++) {
        const struct pool *p = &f->pool[i];
        if ((p->c->role == POLICY_DECODE) == decode)
            sum += p->most / engine_s(f, p, prompt, output);
    }
    return sum;
}

static void report_load(struct fleet *f)
{
    const struct fleet_counts *n = &f->n;
    const double k = (double)(n->requests - n->impossible);
    const double span = (double)(n->last_arrival - n->first_arrival) / 1e9;
    if (k < 2 || span <= 0)
        return;
    const double prompt = (double)n->prompt_sum / k, output = (double)n->output_sum / k;
    double load = (k - 1) / span / capacity(f, false, prompt, output);
    if (f->back.n && output > 1) {
        const double back = (k - 1) / span / capacity(f, true, prompt, output);
        load = back > load ? back : load;
    }
    measures_number(f->out, "load", "1", BETTER_NONE, load);
    if (load < SATURATED)
        return;
    char line[200];
    snprintf(line, sizeof line,
             "offered load is %.2f of the estimated capacity: waits depend on the length of the "
             "trace, and small errors of the costs become large ones of the waits",
             load);
    measures_incident(f->out, "warning", "fleet", n->last_arrival, 0, line);
}

/* ---- pools ---- */

static void report_pool(struct fleet *f, struct pool *p)
{
    fleet_scale_engines(p, p->since > f->n.last_done ? p->since : f->n.last_done);
    const double up_ps = p->engine_ns * 1e3;
    number(f, "engine_hours", p, "h", BETTER_LESS, p->engine_ns / 3.6e12);
    number(f, "util", p, "1", BETTER_NONE, up_ps > 0 ? (double)p->busy / up_ps : 0);
    number(f, "batch_mean", p, "1", BETTER_NONE,
           p->iterations ? (double)p->batch_sum / (double)p->iterations : 0);
    number(f, "routed", p, "1", BETTER_NONE, (double)p->routed);
    number(f, "preemptions", p, "1", BETTER_LESS, (double)p->preemptions);
}

struct sums {
    double hours, util_ps, tokens, prompt_tokens, iterations, preemptions;
};

static void report_pools(struct fleet *f, double per_s)
{
    struct sums a = {0};
    for (uint32_t i = 0; i < f->c.pools; i++) {
        struct pool *p = &f->pool[i];
        report_pool(f, p);
        a.hours += p->engine_ns / 3.6e12;
        a.util_ps += (double)p->busy;
        a.tokens += (double)p->tokens;
        a.prompt_tokens += (double)p->prompt_tokens;
        a.iterations += (double)p->iterations;
        a.preemptions += (double)p->preemptions;
    }
    number(f, "engine_hours", NULL, "h", BETTER_LESS, a.hours);
    number(f, "util", NULL, "1", BETTER_NONE, a.hours > 0 ? a.util_ps / (a.hours * 3.6e15) : 0);
    number(f, "token_throughput", NULL, "tokens/s", BETTER_MORE, a.tokens * per_s);
    number(f, "prompt_tokens", NULL, "tokens", BETTER_NONE, a.prompt_tokens);
    number(f, "iterations", NULL, "1", BETTER_NONE, a.iterations);
    number(f, "preemptions", NULL, "1", BETTER_LESS, a.preemptions);
}

/* How unevenly requests were spread: the most that one engine of the front took, over the mean. */
static double imbalance(const struct fleet *f)
{
    uint64_t most = 0, all = 0;
    for (uint32_t i = 0; i < f->front.n; i++) {
        const uint64_t n = f->front.engine[i].routed;
        most = n > most ? n : most;
        all += n;
    }
    return all ? (double)most * f->front.n / (double)all : 0;
}

static void report_slo(struct fleet *f, double per_s)
{
    const struct fleet_counts *n = &f->n;
    const double of = n->requests ? 1 / (double)n->requests : 0;
    number(f, "goodput", NULL, "requests/s", BETTER_MORE, (double)n->good * per_s);
    number(f, "slo_met", NULL, "1", BETTER_MORE, (double)n->good * of);
    number(f, "slo_ttft_met", NULL, "1", BETTER_MORE, (double)n->good_ttft * of);
    number(f, "slo_tpot_met", NULL, "1", BETTER_MORE, (double)n->good_tpot * of);
}

void fleet_report_end(struct fleet *f)
{
    const struct fleet_counts *n = &f->n;
    const double makespan =
        (double)(n->last_done > n->first_arrival ? n->last_done - n->first_arrival : 0) / 1e9;
    const double per_s = makespan > 0 ? 1 / makespan : 0;
    number(f, "requests", NULL, "1", BETTER_NONE, (double)n->requests);
    number(f, "completed", NULL, "1", BETTER_MORE, (double)n->completed);
    number(f, "rejected", NULL, "1", BETTER_LESS, (double)(n->rejected + n->impossible));
    number(f, "infeasible", NULL, "1", BETTER_NONE, (double)n->impossible);
    number(f, "makespan", NULL, "s", BETTER_LESS, makespan);
    number(f, "throughput", NULL, "requests/s", BETTER_MORE, (double)n->completed * per_s);
    report_slo(f, per_s);
    report_pools(f, per_s);
    request_parts_report(&f->parts, f->out);
    fleet_prefix_report(f);
    engine_memory_report(f);
    number(f, "route_imbalance", NULL, "1", BETTER_LESS, imbalance(f));
    if (f->back.n) {
        number(f, "shipped", NULL, "1", BETTER_NONE, (double)n->shipped);
        number(f, "shipped_tokens", NULL, "tokens", BETTER_NONE, (double)n->shipped_tokens);
    }
    if (f->c.fails)
        fleet_failures_report(f);
    number(f, "cold_starts", NULL, "1", BETTER_NONE, (double)n->cold_starts);
    report_load(f);
    number(f, "events", NULL, "1", BETTER_NONE, (double)sim_fired(f->sim));
    policy_slot_report(f->admit, f->out); /* the router's decisions are the last to be said */
    if (f->batch)
        policy_slot_report(f->batch, f->out);
    policy_slot_report(f->scale, f->out);
    policy_slot_report(f->route, f->out);
    fleet_infer_report(f);
    if (f->uses_machine || f->bill.n_nets || f->env->plan[POLICY_HOOK_SERVE_ROUTE])
        machine_use_report(&f->use, f->out);
}
