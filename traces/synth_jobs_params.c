/* synth_jobs_params.c - jobs after Philly's published statistics, and a section of one's own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth_jobs.h"
#include "traces/synth_kinds.h"

#define SECONDS_MAX 1e9
#define GPUS_MAX    8192.0
#define CPUS_MAX    512.0 /* of a GPU; times GPUS_MAX in thousandths stays within 32 bits */

/* Microsoft Philly 2017 (Jeon et al., ATC'19), the 82,247 jobs that the authors of Pollux extracted
 * (github.com/pkusys/ElasticFlow 04a0109, pollux/pollux_simulator/traces/philly.csv, CC-BY-4.0).
 * Published: jobs by GPUs, by virtual cluster, longest run 4,628,226 s, mean gap 114.397 s.
 * Fitted: the two medians and the one sigma, to the median (1,144 s) and mean (13,135.93 s) of the
 * durations and the mean GPU time (42,811.08 s); cv to the median gap (8 s); group_zipf by maximum
 * likelihood to the jobs of the 15 virtual clusters; amplitude and peak are the first harmonic of
 * the jobs by hour of submission.  Compared and not fitted: the durations' p99 (254,884 s), the
 * gaps' p99 (601 s).  Time 0 is midnight.  The extract names no users, CPUs or memory.  */
static const struct synth_jobs philly = {
    .head.rows = 82247,
    .rate_per_h = 31.469372,
    .cv = 2.3905,
    .amplitude = 0.2877,
    .peak_h = 4.981,
    .groups = 15,
    .group_zipf = 1.75,
    .user_zipf = 1,
    .cls = {{.weight = 76627,
             .gpus = {1},
             .gpus_weight = {76627},
             .n_gpus = 1,
             .median_s = 987.1116,
             .sigma = 1.976912,
             .max_s = 4628226},
            {.weight = 5620,
             .gpus = {2, 4, 8, 12, 16, 24, 32, 64, 128},
             .gpus_weight = {1818, 1870, 1643, 7, 199, 7, 67, 6, 3},
             .n_gpus = 9,
             .median_s = 15348.6,
             .sigma = 1.976912,
             .max_s = 4628226}},
    .classes = 2};

static const struct preset {
    const char *name, *title, *source;
    const struct synth_jobs *params;
} presets[] = {
    {"philly", "training jobs on 15 virtual clusters, 82,247 in 109 days",
     "fitted to moments of Microsoft Philly 2017 (Jeon et al., ATC'19), the extract of Pollux's "
     "authors",
     &philly},
};
#define PRESETS (sizeof presets / sizeof *presets)

static int read_numbers(const struct config *c, double lo, double hi, double *to, uint32_t *n,
                        struct err *e)
{
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) < 1 || config_count(c) > SYNTH_JOB_GPUS)
        return config_complain(c, e, "a list of 1..%d numbers", SYNTH_JOB_GPUS);
    *n = (uint32_t)config_count(c);
    for (size_t i = 0; i < *n; i++) {
        int rc = config_f64(config_at(c, i), lo, hi, &to[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

static int check_gpus(const struct config *values, const struct config *weights,
                      const struct synth_job_class *c, uint32_t n_weights, struct err *e)
{
    double sum = 0;
    if (n_weights != c->n_gpus)
        return config_complain(weights, e, "one weight for each of %u values", c->n_gpus);
    for (uint32_t i = 0; i < c->n_gpus; i++) {
        sum += c->gpus_weight[i];
        if (c->gpus[i] > 1 && c->gpus[i] != floor(c->gpus[i]))
            return config_complain(config_at(values, i), e, "whole GPUs, or a part of one below 1");
    }
    return sum > 0 ? 0 : config_complain(weights, e, "a weight above 0");
}

static int read_gpus(const struct config *at, struct synth_job_class *c, struct err *e)
{
    struct gpus_text {
        const struct config *values, *weights;
    } t = {0};
    const struct config_field fields[] = {CONFIG_ANY(struct gpus_text, values, true),
                                          CONFIG_ANY(struct gpus_text, weights, true), CONFIG_END};
    uint32_t n = 0;
    int rc = config_fill(at, fields, &t, e);
    if (rc || (rc = read_numbers(t.values, 1e-3, GPUS_MAX, c->gpus, &c->n_gpus, e)) ||
        (rc = read_numbers(t.weights, 0, 1e15, c->gpus_weight, &n, e)))
        return rc;
    return check_gpus(t.values, t.weights, c, n, e);
}

static int read_duration(const struct config *at, struct synth_job_class *c, struct err *e)
{
    const struct config_field fields[] = {
        CONFIG_F64(struct synth_job_class, median_s, 1e-3, SECONDS_MAX, true),
        CONFIG_F64(struct synth_job_class, sigma, 0, 5, true),
        CONFIG_F64(struct synth_job_class, max_s, 1e-3, SECONDS_MAX, false),
        CONFIG_END,
    };
    int rc = config_fill(at, fields, c, e);
    if (!rc && c->max_s < c->median_s)
        rc = config_complain(at, e, "max_s not below median_s");
    return rc;
}

struct class_text {
    double weight;
    const struct config *gpus, *duration;
};

static int read_class(const struct class_text *t, struct synth_job_class *out, struct err *e)
{
    struct synth_job_class c = {.weight = t->weight, .max_s = SECONDS_MAX};
    int rc = read_gpus(t->gpus, &c, e);
    if (rc || (rc = read_duration(t->duration, &c, e)))
        return rc;
    *out = c;
    return 0;
}

static int read_classes(const struct config *at, struct synth_jobs *p, struct err *e)
{
    const struct config_field fields[] = {CONFIG_F64(struct class_text, weight, 0, 1e15, true),
                                          CONFIG_ANY(struct class_text, gpus, true),
                                          CONFIG_ANY(struct class_text, duration, true),
                                          CONFIG_END};
    double sum = 0;
    if (config_kind(at) != CONFIG_ARRAY || config_count(at) < 1 ||
        config_count(at) > SYNTH_JOB_CLASSES)
        return config_complain(at, e, "a list of 1..%d classes", SYNTH_JOB_CLASSES);
    p->classes = (uint32_t)config_count(at);
    for (size_t i = 0; i < p->classes; i++) {
        struct class_text t = {0};
        int rc = config_fill(config_at(at, i), fields, &t, e);
        if (rc || (rc = read_class(&t, &p->cls[i], e)))
            return rc;
        sum += t.weight;
    }
    return sum > 0 ? 0 : config_complain(at, e, "a weight above 0");
}

struct jobs_text {
    struct synth_jobs p;
    const struct config *table, *preset, *diurnal, *gpus, *duration, *classes;
};

static int read_diurnal(const struct config *at, struct synth_jobs *p, struct err *e)
{
    const struct config_field fields[] = {
        CONFIG_F64(struct synth_jobs, amplitude, 0, 0.99, true),
        CONFIG_F64(struct synth_jobs, peak_h, 0, 24, false),
        CONFIG_END,
    };
    return config_fill(at, fields, p, e);
}

/* What a job is: the preset's classes, one's own, or the one class that gpus and duration are. */
static int read_what(const struct config *section, struct jobs_text *t, struct err *e)
{
    bool one = t->gpus || t->duration;
    if (one && (t->classes || !t->gpus || !t->duration))
        return config_complain(section, e, "gpus with duration and no classes");
    if (!one && !t->classes)
        return t->preset ? 0
                         : config_complain(section, e, "a preset, classes, or gpus and duration");
    if (t->classes)
        return read_classes(t->classes, &t->p, e);
    t->p.classes = 1;
    return read_class(&(struct class_text){1, t->gpus, t->duration}, &t->p.cls[0], e);
}

#define FIELD(key, type, lo, hi)                                                                   \
    {                                                                                              \
#key, type, offsetof(struct jobs_text, p.key), lo, hi, false                               \
    }

static const struct config_field jobs_fields[] = {
    SYNTH_HEAD_FIELDS(struct jobs_text, p.head),
    CONFIG_ANY(struct jobs_text, diurnal, false),
    CONFIG_ANY(struct jobs_text, gpus, false),
    CONFIG_ANY(struct jobs_text, duration, false),
    CONFIG_ANY(struct jobs_text, classes, false),
    FIELD(rate_per_h, CONFIG_T_F64, 1e-5, 1e9),
    FIELD(cv, CONFIG_T_F64, 0.1, 10),
    FIELD(cpu_per_gpu, CONFIG_T_F64, 0, CPUS_MAX),
    FIELD(mem_gib_per_gpu, CONFIG_T_F64, 0, 1e5),
    FIELD(users, CONFIG_T_U32, 0, SYNTH_JOB_OWNERS),
    FIELD(groups, CONFIG_T_U32, 0, SYNTH_JOB_OWNERS),
    FIELD(user_zipf, CONFIG_T_F64, 0, 10),
    FIELD(group_zipf, CONFIG_T_F64, 0, 10),
    CONFIG_END,
};

static int read_params(const struct config *section, void *params, struct err *e)
{
    struct jobs_text t = {
        .p = {.head.rows = 10000, .rate_per_h = 60, .cv = 1, .user_zipf = 1, .group_zipf = 1}};
    int rc = synth_preset_read(section, &synth_kind_jobs, &t.p, e);
    if (rc || (rc = config_fill(section, jobs_fields, &t, e)) ||
        (rc = synth_head_check(section, &t.p.head, e)) || (rc = read_what(section, &t, e)) ||
        (t.diurnal && (rc = read_diurnal(t.diurnal, &t.p, e))))
        return rc;
    if (t.p.users && t.p.users < t.p.groups)
        return config_complain(section, e, "users not below groups: each has one group");
    *(struct synth_jobs *)params = t.p;
    return 0;
}

static void put_list(FILE *f, const char *key, const double *v, uint32_t n)
{
    fprintf(f, "\"%s\":[", key);
    for (uint32_t i = 0; i < n; i++)
        fprintf(f, "%s%.17g", i ? "," : "", v[i]);
    fputc(']', f);
}

static void put_class(FILE *f, const struct synth_job_class *c)
{
    fprintf(f, "{\"weight\":%.17g,\"gpus\":{", c->weight);
    put_list(f, "values", c->gpus, c->n_gpus);
    fputc(',', f);
    put_list(f, "weights", c->gpus_weight, c->n_gpus);
    fprintf(f, "},\"duration\":{\"median_s\":%.17g,\"sigma\":%.17g,\"max_s\":%.17g}}", c->median_s,
            c->sigma, c->max_s);
}

static void put_rest(FILE *f, const void *params)
{
    const struct synth_jobs *p = params;
    fprintf(f, ",\"rate_per_h\":%.17g,\"cv\":%.17g", p->rate_per_h, p->cv);
    fprintf(f, ",\"diurnal\":{\"amplitude\":%.17g,\"peak_h\":%.17g}", p->amplitude, p->peak_h);
    fprintf(f, ",\"cpu_per_gpu\":%.17g,\"mem_gib_per_gpu\":%.17g", p->cpu_per_gpu,
            p->mem_gib_per_gpu);
    fprintf(f, ",\"users\":%u,\"user_zipf\":%.17g,\"groups\":%u,\"group_zipf\":%.17g", p->users,
            p->user_zipf, p->groups, p->group_zipf);
    fputs(",\"classes\":[", f);
    for (uint32_t i = 0; i < p->classes; i++) {
        fputs(i ? "," : "", f);
        put_class(f, &p->cls[i]);
    }
    fputc(']', f);
}

static char *json(const void *params)
{
    return synth_head_json(params, put_rest);
}

static double span_s(const void *params)
{
    const struct synth_jobs *p = params;
    return synth_head_span(&p->head, (double)p->head.rows / p->rate_per_h * 3600);
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    struct synth_jobs *p = params;
    if (i >= PRESETS)
        return false;
    *what = (struct synth_named){presets[i].name, presets[i].title, presets[i].source};
    if (p) {
        *p = *presets[i].params;
        synth_head_named(&p->head, what->name);
    }
    return true;
}

const struct synth_kind synth_kind_jobs = {.table = TRACE_JOBS,
                                           .read = read_params,
                                           .json = json,
                                           .open = synth_jobs_open,
                                           .set_rows = synth_head_set_rows,
                                           .rows = synth_head_rows,
                                           .span_s = span_s,
                                           .name = synth_head_name,
                                           .seeded = synth_head_seeded,
                                           .names = synth_jobs_names,
                                           .preset_at = preset_at};
