/* synth_jobs.c - one job after another. */
#include "traces/synth_jobs.h"

#include <math.h>
#include <stdlib.h>

#include "sim/dmath.h"
#include "sim/rng.h"

#define NS_PER_S 1e9
#define NS_MAX   9e18 /* of a gap, a duration, a time: far below 2^64 */
#define HOUR_NS  (3600 * NS_PER_S)
#define HOURS    24

struct cls {
    double below;       /* cumulative share of the jobs */
    double gpus_weight; /* sum */
    double mu;
};

struct jobs {
    struct synth_rows rows;
    struct synth_jobs p;
    struct cls cls[SYNTH_JOB_CLASSES];
    double rate[HOURS]; /* relative to the mean */
    struct rng gaps, kinds, durations, owners;
    struct rng_zipf *group, *user[2]; /* user: of groups with one user more, and of the others */
    struct trace_names *names;
    uint64_t now_ns;
};

static void begin(struct synth_rows *r)
{
    struct jobs *s = (struct jobs *)r;
    rng_init(&s->gaps, r->seed, "synth-jobs", "gaps");
    rng_init(&s->kinds, r->seed, "synth-jobs", "kinds");
    rng_init(&s->durations, r->seed, "synth-jobs", "durations");
    rng_init(&s->owners, r->seed, "synth-jobs", "owners");
    s->now_ns = 0;
}

/* Stretches a gap of operational time: an hour with rate r passes r ns of it per ns. */
static double stretch(const struct jobs *s, double gap_ns)
{
    double at = (double)s->now_ns, done = 0;
    if (s->p.amplitude == 0)
        return gap_ns;
    for (;;) {
        double hour = floor((at + done) / HOUR_NS);
        double room = (hour + 1) * HOUR_NS - (at + done);
        double rate = s->rate[(uint64_t)hour % HOURS];
        if (gap_ns <= room * rate)
            return done + gap_ns / rate;
        gap_ns -= room * rate;
        done += room;
    }
}

static void go_on(struct jobs *s)
{
    double shape = 1 / (s->p.cv * s->p.cv), mean_ns = HOUR_NS / s->p.rate_per_h;
    double gap_ns = stretch(s, rng_gamma(&s->gaps, shape, mean_ns / shape));
    double left = NS_MAX - (double)s->now_ns;
    s->now_ns += (uint64_t)((gap_ns < left ? gap_ns : left) + 0.5);
}

static uint32_t draw_class(struct jobs *s)
{
    double at = rng_unit(&s->kinds);
    uint32_t i = 0;
    while (i + 1 < s->p.classes && at >= s->cls[i].below)
        i++;
    return i;
}

static double draw_gpus(struct jobs *s, uint32_t cls)
{
    const struct synth_job_class *c = &s->p.cls[cls];
    double at = rng_unit(&s->kinds) * s->cls[cls].gpus_weight;
    uint32_t i = 0;
    while (i + 1 < c->n_gpus && at >= c->gpus_weight[i])
        at -= c->gpus_weight[i++];
    return c->gpus[i];
}

static uint64_t draw_duration(struct jobs *s, uint32_t cls)
{
    const struct synth_job_class *c = &s->p.cls[cls];
    double seconds = rng_lognormal(&s->durations, s->cls[cls].mu, c->sigma);
    return (uint64_t)((seconds < c->max_s ? seconds : c->max_s) * NS_PER_S + 0.5);
}

/* The users of group g are g, g + groups, ..: the first of them is its most popular. */
static void draw_owners(struct jobs *s, struct trace_job *j)
{
    uint32_t groups = s->p.groups, g = 0, of = groups ? groups : 1;
    if (groups)
        j->group = g = (uint32_t)rng_zipf_draw(s->group, &s->owners) - 1;
    if (s->p.users) {
        const struct rng_zipf *z = s->user[g >= s->p.users % of];
        j->user = groups + ((uint32_t)rng_zipf_draw(z, &s->owners) - 1) * of + g;
    }
}

static void make(struct synth_rows *row, union trace_row *out)
{
    struct jobs *s = (struct jobs *)row;
    uint32_t cls = draw_class(s);
    double gpus = draw_gpus(s, cls);
    out->job = (struct trace_job){.time_ns = s->now_ns,
                                  .duration_ns = draw_duration(s, cls),
                                  .gpus = gpus < 1 ? 1 : (uint32_t)gpus,
                                  .gpu_milli = gpus < 1 ? (uint32_t)(gpus * 1000 + 0.5) : 1000,
                                  .cpu_milli = (uint32_t)(gpus * s->p.cpu_per_gpu * 1000 + 0.5),
                                  .mem_bytes = (uint64_t)(gpus * s->p.mem_gib_per_gpu * 0x1p30),
                                  .gpu_spec = TRACE_NAME_NONE,
                                  .user = TRACE_NAME_NONE,
                                  .group = TRACE_NAME_NONE,
                                  .status = TRACE_NAME_NONE,
                                  .name = TRACE_NAME_NONE,
                                  .qos = TRACE_NAME_NONE,
                                  .wait_ns = TRACE_TIME_NONE,
                                  .row = row->made};
    draw_owners(s, &out->job);
    go_on(s);
}

static void end(struct synth_rows *r)
{
    struct jobs *s = (struct jobs *)r;
    rng_zipf_free(s->group);
    rng_zipf_free(s->user[0]);
    rng_zipf_free(s->user[1]);
    names_free(s->names);
    free(s);
}

static const char *name(const struct row_source *self, uint32_t id)
{
    return names_text(((const struct jobs *)self)->names, id);
}

static bool name_all(struct trace_names *n, const char *what, uint32_t count)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < count; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "%s-%u", what, i);
        ok = names_id(n, text, (size_t)len) != TRACE_NAME_NONE;
    }
    return ok;
}

struct trace_names *synth_jobs_names(const void *params)
{
    const struct synth_jobs *p = params;
    struct trace_names *n = names_new();
    if (n && name_all(n, "group", p->groups) && name_all(n, "user", p->users))
        return n;
    names_free(n);
    return NULL;
}

static bool set_up_owners(struct jobs *s)
{
    uint32_t of = s->p.groups ? s->p.groups : 1, fewest = s->p.users / of;
    s->names = synth_jobs_names(&s->p);
    s->group = rng_zipf_new(of, s->p.group_zipf);
    s->user[0] = rng_zipf_new(fewest + 1, s->p.user_zipf);
    s->user[1] = rng_zipf_new(fewest ? fewest : 1, s->p.user_zipf);
    return s->names && s->group && s->user[0] && s->user[1];
}

static void set_up(struct jobs *s)
{
    double total = 0, below = 0;
    for (uint32_t i = 0; i < s->p.classes; i++)
        total += s->p.cls[i].weight;
    for (uint32_t i = 0; i < s->p.classes; i++) {
        const struct synth_job_class *c = &s->p.cls[i];
        s->cls[i].below = below += c->weight / total;
        s->cls[i].mu = dmath_log(c->median_s);
        for (uint32_t k = 0; k < c->n_gpus; k++)
            s->cls[i].gpus_weight += c->gpus_weight[k];
    }
    for (int h = 0; h < HOURS; h++)
        s->rate[h] = 1 + s->p.amplitude * dmath_cospi(2 * (h + 0.5 - s->p.peak_h) / HOURS);
}

int synth_jobs_open(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    struct jobs *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->p = *(const struct synth_jobs *)params;
    s->rows.begin = begin;
    s->rows.make = make;
    s->rows.end = end;
    set_up(s);
    if (!set_up_owners(s)) {
        end(&s->rows);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    synth_rows_open(&s->rows, TRACE_JOBS, &s->p.head, seed);
    s->rows.base.name = name;
    *out = &s->rows.base;
    return 0;
}
