/* gpu_report.c - what a run of the model "gpu" says. */
#include <stdio.h>

#include "models/gpu/replay.h"
#include "models/gpu/run.h"

static void number(struct measures *out, const char *tenant, const char *what, const char *unit,
                   enum better better, double value)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", tenant, what);
    measures_number(out, name, unit, better, value);
}

static double over(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static void compare(struct measures *out, const char *name, const struct score *s,
                    const struct score *alone)
{
    double mean = sketch_mean(alone->latency), p99 = sketch_quantile(alone->latency, 0.99);
    number(out, name, "alone_mean", "ms", BETTER_NONE, mean);
    number(out, name, "alone_p99", "ms", BETTER_NONE, p99);
    number(out, name, "slowdown", "1", BETTER_LESS, over(sketch_mean(s->latency), mean));
    number(out, name, "slowdown_p99", "1", BETTER_LESS,
           over(sketch_quantile(s->latency, 0.99), p99));
    number(out, name, "service_slowdown", "1", BETTER_LESS,
           over(sketch_mean(s->service), sketch_mean(alone->service)));
    number(out, name, "service_slowdown_p99", "1", BETTER_LESS,
           over(sketch_quantile(s->service, 0.99), sketch_quantile(alone->service, 0.99)));
    number(out, name, "normalized", "1", BETTER_MORE, over(s->rate, alone->rate));
}

static void keep(const struct gpu_run *r, const char *tenant, const char *what,
                 const struct sketch *sketch)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", tenant, what);
    struct sketch *mine = measures_sketch(r->m->out, name, "ms", r->m->env->exact);
    if (!mine || sketch_merge(mine, sketch))
        r->m->out->failed = true;
}

static bool moves(const struct gpu_run *r, size_t client)
{
    for (size_t i = 0; i < r->m->set.events; i++)
        if (r->m->set.event[i].client == client)
            return true;
    return false;
}

static void tenant(const struct gpu_run *r, size_t i, const struct score *alone)
{
    const struct gpu_client_setup *set = &r->m->set.client[i];
    const struct score *s = &r->score[i];
    struct measures *out = r->m->out;
    keep(r, set->name, "latency", s->latency);
    keep(r, set->name, "service", s->service);
    number(out, set->name, "throughput", "1/s", BETTER_MORE, s->rate);
    number(out, set->name, "iterations", "1", BETTER_NONE, (double)s->iterations);
    if (alone)
        compare(out, set->name, s, alone);
    if (moves(r, i)) {
        number(out, set->name, "quiesce", "s", BETTER_LESS, (double)s->quiesce / 1e9);
        number(out, set->name, "downtime", "s", BETTER_LESS, (double)s->downtime / 1e9);
        number(out, set->name, "moved", "B", BETTER_NONE, (double)s->moved);
    }
    if (s->no_room)
        measures_incident(out, "warning", set->name, 0, 0,
                          "its memory is not there: it did not run");
}

static void tenants(const struct gpu_run *r, const struct score *alone)
{
    struct measures *out = r->m->out;
    struct sketch *all = measures_sketch(out, "latency", "ms", r->m->env->exact);
    double rate = 0, normalized = 0;
    for (size_t i = 0; i < r->m->set.clients; i++) {
        const struct score *s = &r->score[i];
        if (!all || (!r->m->set.client[i].background && sketch_merge(all, s->latency)))
            out->failed = true;
        rate += s->rate;
        normalized += alone ? over(s->rate, alone[i].rate) : 0;
    }
    measures_number(out, "throughput", "1/s", BETTER_MORE, rate);
    if (alone)
        measures_number(out, "normalized", "1", BETTER_MORE, normalized);
    for (size_t i = 0; i < r->m->set.clients; i++)
        tenant(r, i, alone ? &alone[i] : NULL);
}

/* CPU time for an operation of anybody, in us: of the way to the GPU, and of who dispatches. */
static void os_time(const struct gpu_run *r)
{
    double rate = 0, os = 0, dispatching = 0;
    for (size_t i = 0; i < r->m->set.clients; i++) {
        rate += r->score[i].rate;
        os += r->score[i].rate * (double)gpu_os_time(&r->m->os, &r->m->program[r->m->of[i]]);
    }
    for (uint32_t i = 0; i < r->boards; i++)
        dispatching += r->board[i] ? (double)board_dispatching(r->board[i]) : 0;
    const double s = (double)sim_now(r->sim) / 1e9;
    if (r->m->os.known)
        measures_number(r->m->out, "os_cpu", "us", BETTER_LESS, over(os, rate) / 1e6);
    if (r->m->set.sharing == SHARING_DISPATCH)
        measures_number(r->m->out, "policy_time", "us", BETTER_LESS,
                        over(over(dispatching, s), rate) / 1e6);
}

static void devices(const struct gpu_run *r)
{
    struct measures *out = r->m->out;
    double span = (double)sim_now(r->sim) * 1e3, boards = 0; /* ps */
    struct device_use sum = {0};
    for (uint32_t i = 0; i < r->boards; i++) {
        struct device_use u;
        if (!r->board[i])
            continue;
        device_used(board_device(r->board[i]), &u);
        boards++;
        sum.busy += u.busy;
        sum.sm_time += u.sm_time;
        sum.kernels += u.kernels;
        sum.copies += u.copies;
        sum.h2d += u.h2d;
        sum.d2h += u.d2h;
        sum.switches += u.switches;
        sum.preempted += u.preempted;
        sum.switching += u.switching;
        sum.idle_in_slice += u.idle_in_slice;
    }
    span *= boards;
    measures_number(out, "busy", "1", BETTER_NONE, over((double)sum.busy, span));
    measures_number(out, "sm_util", "1", BETTER_NONE,
                    over((double)sum.sm_time, span * r->m->params.sms));
    measures_number(out, "kernels", "1", BETTER_NONE, (double)sum.kernels);
    measures_number(out, "copies", "1", BETTER_NONE, (double)sum.copies);
    measures_number(out, "h2d", "B", BETTER_NONE, (double)sum.h2d);
    measures_number(out, "d2h", "B", BETTER_NONE, (double)sum.d2h);
    measures_number(out, "switches", "1", BETTER_NONE, (double)sum.switches);
    measures_number(out, "preempted", "1", BETTER_NONE, (double)sum.preempted);
    measures_number(out, "switching", "1", BETTER_LESS, over((double)sum.switching, span));
    measures_number(out, "forfeited", "1", BETTER_LESS, over((double)sum.idle_in_slice, span));
}

void gpu_report_run(const struct gpu_run *r, const struct score *alone)
{
    struct measures *out = r->m->out;
    if (r->replay) {
        replay_report(r->replay, out);
    } else {
        measures_number(out, "span", "s", BETTER_NONE, (double)sim_now(r->sim) / 1e9);
        tenants(r, alone);
    }
    devices(r);
    if (!r->replay)
        os_time(r);
    gpu_infer_report(r->infer, out);
    if (r->life)
        policy_life_report(r->life);
    if (r->share_life)
        policy_life_report(r->share_life);
    measures_number(out, "events", "1", BETTER_NONE, (double)sim_fired(r->sim));
}
