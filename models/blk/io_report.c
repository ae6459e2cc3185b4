/* io_report.c - counts into measures. */
#include <stdio.h>

#include "models/blk/io_state.h"

bool io_report_begin(struct io *s)
{
    char name[32];
    s->read_us = measures_sketch(s->out, "read_latency", "us", s->env->exact);
    s->write_us = measures_sketch(s->out, "write_latency", "us", s->env->exact);
    s->decision_us = measures_sketch(s->out, "decision_latency", "us", s->env->exact);
    for (uint32_t i = 0; i < s->c.replicas; i++) {
        snprintf(name, sizeof name, "pending.%u", i);
        s->dev[i].s_pending = measures_series(s->out, name, "requests");
    }
    return !s->out->failed && s->read_us && s->write_us && s->decision_us;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static void number(struct io *s, const char *name, const char *unit, enum better better, double v)
{
    measures_number(s->out, name, unit, better, v);
}

static void report_latency(struct io *s)
{
    number(s, "read_mean", "us", BETTER_LESS, sketch_mean(s->read_us));
    number(s, "read_p50", "us", BETTER_LESS, sketch_quantile(s->read_us, 0.5));
    number(s, "read_p99", "us", BETTER_LESS, sketch_quantile(s->read_us, 0.99));
    number(s, "write_mean", "us", BETTER_LESS, sketch_mean(s->write_us));
}

/* What a read's time is made of; the shares sum to 1. */
static void report_shares(struct io *s)
{
    static const char *const names[SSD_PARTS_N] = {
#define X(name, what) [SSD_##name] = "share." #name,
        SSD_PARTS(X)
#undef X
    };
    const double total = (double)s->n.total_ns;
    double inside = (double)(s->n.infer_ns + s->n.retry_ns);
    for (int i = 0; i < SSD_PARTS_N; i++) {
        number(s, names[i], "1", BETTER_NONE, ratio((double)s->n.part[i], total));
        inside += (double)s->n.part[i];
    }
    number(s, "share.infer", "1", BETTER_NONE, ratio((double)s->n.infer_ns, total));
    number(s, "share.retry", "1", BETTER_NONE, ratio((double)s->n.retry_ns, total));
    number(s, "share.kernel", "1", BETTER_NONE, ratio(total - inside, total));
}

/* A read let pass that was slow is a false submit, one turned away that would have been fast a
 * false reject; the other two are right. */
static void report_steering(struct io *s)
{
    const struct io_counts *n = &s->n;
    const double judged = (double)(n->passed + n->turned);
    number(s, "asked", "1", BETTER_NONE, ratio((double)n->asked, (double)n->reads));
    number(s, "reroutes", "1", BETTER_NONE, ratio((double)n->turned, (double)n->reads));
    number(s, "away", "1", BETTER_NONE, ratio((double)n->away, (double)n->reads));
    number(s, "false_submit", "1", BETTER_LESS, ratio((double)n->passed_slow, judged));
    number(s, "false_reject", "1", BETTER_LESS, ratio((double)n->turned_fast, judged));
    if (policy_life_any(s->steer))
        policy_slot_report(model_policy(s->env, POLICY_HOOK_IO_STEER), s->out);
    policy_life_report(s->steer);
}

static void report_device(struct io *s, uint32_t i, double span_ns)
{
    char name[40];
    struct ssd_stats st;
    ssd_stats(s->dev[i].ssd, &st);
    double busy = 0;
    for (int k = 0; k < SSD_CAUSES; k++)
        busy += (double)st.busy[k];
    snprintf(name, sizeof name, "device.%u.read_mean", i);
    number(s, name, "us", BETTER_LESS, sketch_mean(s->dev[i].latency));
    snprintf(name, sizeof name, "device.%u.reads", i);
    number(s, name, "1", BETTER_NONE, (double)st.reads);
    snprintf(name, sizeof name, "device.%u.util", i);
    number(s, name, "1", BETTER_NONE, ratio(busy, span_ns * (double)s->drive.dies));
    snprintf(name, sizeof name, "device.%u.gc", i);
    number(s, name, "1", BETTER_NONE,
           ratio((double)st.busy[SSD_gc], span_ns * (double)s->drive.dies));
    snprintf(name, sizeof name, "home.%u.read_mean", i);
    number(s, name, "us", BETTER_LESS, sketch_mean(s->dev[i].home));
}

void io_report_end(struct io *s)
{
    const struct io_counts *n = &s->n;
    const double span = (double)n->last_done;
    struct mlaas_stats infer;
    mlaas_stats(s->mlaas, &infer);
    report_latency(s);
    number(s, "reads", "1", BETTER_NONE, (double)n->reads);
    number(s, "writes", "1", BETTER_NONE, (double)n->writes);
    number(s, "bios", "1", BETTER_NONE, (double)n->bios);
    number(s, "queued", "1", BETTER_NONE, (double)n->queued);
    number(s, "iops", "1/s", BETTER_MORE, ratio((double)(n->reads + n->writes), span / 1e9));
    number(s, "bytes_per_s", "B/s", BETTER_MORE,
           ratio((double)(n->read_bytes + n->write_bytes), span / 1e9));
    report_steering(s);
    report_shares(s);
    mlaas_report(s->mlaas, s->out);
    number(s, "infer_cpu_time", "s", BETTER_LESS, (double)infer.cpu_ps / 1e12);
    number(s, "crossings", "1", BETTER_NONE, (double)(n->crossings + infer.crossings));
    const double per = ratio(1e-6, (double)(n->reads + n->writes));
    const sim_cost os =
        n->reads * s->read_in.os + n->writes * s->write_in.os + (n->reads + n->writes) * s->back.os;
    number(s, "os_cpu", "us", BETTER_LESS, (double)os * per);
    number(s, "policy_time", "us", BETTER_LESS, (double)(infer.cpu_ps + infer.gpu_ps) * per);
    for (uint32_t i = 0; i < s->c.replicas; i++)
        report_device(s, i, span);
    machine_use_report(&s->use, s->out);
}
