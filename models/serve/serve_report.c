/* serve_report.c - counts into measures. */
#include <assert.h>
#include <stdio.h>

#include "models/serve/serve_state.h"

bool serve_report_begin(struct serve *s)
{
    struct measures *m = s->out;
    bool exact = s->env->exact;
    request_parts_begin(&s->parts);
    s->ttft = measures_sketch(m, "ttft", "ms", exact);
    s->tpot = measures_sketch(m, "tpot", "ms", exact);
    s->e2e = measures_sketch(m, "e2e", "ms", exact);
    s->queue_wait = measures_sketch(m, "queue_wait", "ms", exact);
    s->decision = measures_sketch(m, "decision_latency", "ms", exact);
    s->s_waiting = measures_series(m, "waiting", "requests");
    s->s_running = measures_series(m, "running", "requests");
    s->s_kv = measures_series(m, "kv_used", "1");
    s->s_gpu = measures_series(m, "gpu_busy", "1");
    s->track_engine = spans_track(s->env->sim.spans, "serve", "engine");
    s->track_policy = spans_track(s->env->sim.spans, "serve", "policy");
    return !m->failed && s->ttft && s->tpot && s->e2e && s->queue_wait && s->decision && s->s_gpu;
}

/* Levels change only when the batch does, so that they are the same whether the engine leaps or
 * steps.  Between changes the cache grows by one token a sequence and iteration: a straight line,
 * which the mean of its ends integrates. */
void serve_report_levels(struct serve *s)
{
    if (!s->changed)
        return;
    s->changed = false;
    sim_time now = sim_now(s->sim);
    s->n.kv_ns += (double)(s->kv_level + s->kv_grown) / 2 * (double)(now - s->kv_since);
    s->kv_level = s->kv_grown = s->kv.total - s->kv.free;
    s->kv_since = now;
    const struct serve_segment *g = &s->seg;
    bool busy = s->n_running > 0;
    double share = (double)g->gpu / (double)(g->pre + g->gpu + g->post + 1);
    series_level(s->s_waiting, now, (double)s->waiting.n);
    series_level(s->s_running, now, (double)s->n_running);
    series_level(s->s_kv, now, (double)s->kv_level / (double)s->kv.total);
    series_level(s->s_gpu, now, busy ? share : 0);
    spans_counter(s->env->sim.spans, s->track_engine, "waiting", now, (double)s->waiting.n);
    spans_counter(s->env->sim.spans, s->track_engine, "running", now, (double)s->n_running);
}

static sim_cost sending(const struct serve *s)
{
    return s->token_out.cpu_before + s->token_out.wire_before;
}

void serve_report_first(struct serve *s, struct seq *q)
{
    q->first_token = sim_now(s->sim);
    request_parts_first(&s->parts, &q->clock, sending(s));
}

void serve_report_done(struct serve *s, const struct seq *q, sim_time last_token)
{
    sim_cost out_ps = sending(s);
    double out_ms = (double)out_ps / 1e9; /* from the engine to the wire */
    double ttft = (double)(q->first_token - q->arrived) / 1e6 + out_ms;
    double decode = (double)(last_token - q->first_token) / 1e6;
    double tpot = q->output > 1 ? decode / (q->output - 1) : 0;
    sketch_add(s->ttft, ttft);
    sketch_add(s->e2e, (double)(last_token - q->arrived) / 1e6 + out_ms);
    if (q->output > 1)
        sketch_add(s->tpot, tpot);
    request_parts_last(&s->parts, &q->clock, out_ps);
    s->n.completed++;
    s->n.good += ttft <= s->c.slo_ttft_ms && tpot <= s->c.slo_tpot_ms;
    s->n.last_done = last_token;
}

/* Requests per second that the server can finish for ever, from the cost model: the batch as large
 * as places and cache allow at the mean lengths, its share of prompt work added to each iteration.
 */
static double capacity(const struct serve *s)
{
    double n = (double)(s->n.requests - s->impossible);
    double prompt = (double)(s->n.prompt_sum - s->n.found_tokens) / n;
    double output = (double)s->n.output_sum / n;
    double context = (double)s->n.prompt_sum / n + output / 2;
    double fit = (double)s->kv.total * KV_BLOCK / context;
    double batch = fit < s->c.max_running ? fit : s->c.max_running;
    if (batch < 1)
        batch = 1;
    double steps = output > 1 ? output - 1 : 0, joins = steps > 0 ? batch / steps : batch;
    double tokens = joins * prompt + (steps > 0 ? batch : 0), most = s->c.max_batch_tokens;
    double over =
        tokens > most ? most / tokens : 1; /* prompts are the bottleneck: everything slows */
    joins *= over;
    struct llm_batch b = {
        .chunks = joins < 1 ? 1 : (uint64_t)joins,
        .prompt_tokens = (uint64_t)(joins * prompt),
        .pairs = (uint64_t)(joins * prompt * prompt / 2),
        .decoding = steps > 0 ? (uint64_t)(batch * over) : 0,
        .cached = steps > 0 ? (uint64_t)(batch * over * context) : 0,
        .sampled = (uint64_t)(batch * over),
    };
    sim_cost host = s->engine_step + (b.decoding + b.chunks) * s->engine_seq +
                    s->launch.cpu_before + s->launch.wire_before + s->complete.cpu_before +
                    s->complete.wire_before;
    double iteration_s = (double)(llm_cost_iteration(&s->llm, &b) + host) / 1e12;
    return joins / iteration_s;
}

static double offered(const struct serve *s)
{
    uint64_t span = s->n.last_arrival - s->n.first_arrival;
    return s->n.requests > 1 && span ? (double)(s->n.requests - 1) / ((double)span / 1e9) : 0;
}

static void report_load(struct serve *s)
{
    double load = s->n.prompt_sum ? offered(s) / capacity(s) : 0;
    measures_number(s->out, "load", "1", BETTER_NONE, load);
    if (load < 0.9)
        return;
    char line[200];
    snprintf(
        line, sizeof line,
        "offered load is %.2f of the estimated capacity: waits depend on the length of the trace",
        load);
    measures_incident(s->out, "warning", "serve", s->n.last_arrival, 0, line);
}

static void report_rates(struct serve *s)
{
    const struct serve_counts *n = &s->n;
    double makespan =
        (double)(n->last_done > n->first_arrival ? n->last_done - n->first_arrival : 0) / 1e9;
    double per_s = makespan > 0 ? 1 / makespan : 0;
    struct mlaas_stats in;
    mlaas_stats(s->mlaas, &in);
    measures_number(s->out, "makespan", "s", BETTER_LESS, makespan);
    measures_number(s->out, "throughput", "requests/s", BETTER_MORE, (double)n->completed * per_s);
    measures_number(s->out, "token_throughput", "tokens/s", BETTER_MORE, (double)n->tokens * per_s);
    measures_number(s->out, "goodput", "requests/s", BETTER_MORE, (double)n->good * per_s);
    measures_number(s->out, "gpu_util", "1", BETTER_NONE,
                    (double)accel_busy(&s->gpu) / 1e12 * per_s);
    measures_number(s->out, "cpu_util", "1", BETTER_NONE,
                    (double)(n->engine_ps + n->intake_ps + n->sender_ps + in.cpu_ps) / 1e12 *
                        per_s / s->c.cores);
    measures_number(s->out, "batch_mean", "1", BETTER_NONE,
                    n->iterations ? (double)n->batch_sum / (double)n->iterations : 0);
    measures_number(s->out, "kv_util", "1", BETTER_NONE,
                    n->kv_ns / (double)s->kv.total / 1e9 * per_s);
}

/* CPU time of the stack for a request, and what its policy's inference took of CPU and GPU; us. */
static void report_os(struct serve *s, const struct mlaas_stats *in)
{
    const struct serve_counts *n = &s->n;
    const double per = n->completed ? 1e-6 / (double)n->completed : 0;
    const sim_cost os = (n->requests - s->impossible) * s->in.os + n->launches * s->launch.os +
                        n->iterations * s->complete.os + n->tokens * s->token_out.os +
                        s->paging.all.os;
    measures_number(s->out, "os_cpu", "us", BETTER_LESS, (double)os * per);
    measures_number(s->out, "policy_time", "us", BETTER_LESS,
                    (double)(in->cpu_ps + in->gpu_ps) * per);
}

void serve_report_end(struct serve *s)
{
    const struct serve_counts *n = &s->n;
    struct mlaas_stats in;
    mlaas_stats(s->mlaas, &in);
    measures_number(s->out, "requests", "1", BETTER_NONE, (double)n->requests);
    measures_number(s->out, "completed", "1", BETTER_MORE, (double)n->completed);
    measures_number(s->out, "rejected", "1", BETTER_LESS, (double)n->rejected);
    report_rates(s);
    measures_number(s->out, "preemptions", "1", BETTER_LESS, (double)n->preemptions);
    if (s->c.recover)
        measures_number(s->out, "recovered_tokens", "1", BETTER_NONE, (double)n->recovered);
    serve_prefix_report(s);
    swap_report(s);
    paging_report(&s->paging, (double)n->asked_tokens, s->out);
    measures_number(s->out, "iterations", "1", BETTER_NONE, (double)n->iterations);
    measures_number(s->out, "launches", "1", BETTER_NONE, (double)n->launches);
    request_parts_report(&s->parts, s->out);
    policy_slot_report(s->env->policy, s->out);
    measures_number(s->out, "infer_calls", "1", BETTER_NONE, (double)in.calls);
    measures_number(s->out, "infer_cpu_time", "s", BETTER_LESS, (double)in.cpu_ps / 1e12);
    measures_number(s->out, "infer_gpu_time", "s", BETTER_LESS, (double)in.gpu_ps / 1e12);
    mlaas_report(s->mlaas, s->out);
    measures_number(s->out, "crossings", "1", BETTER_NONE,
                    (double)(n->crossings + s->paging.all.crossings + in.crossings));
    report_os(s, &in);
    report_load(s);
    measures_number(s->out, "events", "1", BETTER_NONE, (double)sim_fired(s->sim));
    policy_life_report(s->admits);
    policy_life_report(s->ranks);
    machine_use_report(&s->use, s->out);
}
