/* slices.c - the model "slices": from a job's time on the whole GPU and on one MIG slice, its
 * time on the others.  Closed form (slice_speed.h); where times were measured, also how far off. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/gpu/mig.h"
#include "models/gpu/slice_speed.h"
#include "models/model.h"

enum { JOBS_MAX = 4096, JOB_NAME_MAX = 64 };

struct section {
    const struct config *jobs;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    const char *given; /* a profile; NULL: the smallest that a job was measured on */
    bool each;         /* every measured slice is the given one in turn; only errors are reported */
};
static const struct config_field section_fields[] = {
    CONFIG_ANY(struct section, jobs, true), CONFIG_STR(struct section, label, false),
    CONFIG_STR(struct section, given, false), CONFIG_BOOL(struct section, each, false), CONFIG_END};

struct job {
    const char *name;
    const struct config *ms; /* profile: time of an iteration */
};
static const struct config_field job_fields[] = {CONFIG_STR(struct job, name, true),
                                                 CONFIG_ANY(struct job, ms, true), CONFIG_END};

struct slices {
    struct section section;
    struct mig_table table;
    struct slice_speed speed;
    const struct mig_profile *whole;
    struct measures *out;
    struct sketch *error, *error_sms;
    uint64_t jobs, predicted, outside;
};

/* ---- the section ---- */

static bool good_name(const char *s)
{
    const size_t n = strlen(s);
    return n && n < JOB_NAME_MAX && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

static int read_job(const struct config *c, struct job *j, struct err *e)
{
    int rc = config_fill(c, job_fields, j, e);
    if (!rc && !good_name(j->name))
        rc = config_complain(config_get(c, "name"), e, "a name of a-z, 0-9 and _, below %d bytes",
                             JOB_NAME_MAX);
    if (!rc && config_kind(j->ms) != CONFIG_OBJECT)
        rc = config_complain(j->ms, e, "an object of MIG profiles and milliseconds");
    for (size_t i = 0; !rc && i < config_count(j->ms); i++) {
        double ms;
        rc = config_f64(config_at(j->ms, i), 1e-6, 1e9, &ms, e);
    }
    return rc;
}

/* Measures are named by jobs. */
static bool named_before(const struct config *jobs, size_t i, const char *name)
{
    const char *other;
    for (size_t k = 0; k < i; k++)
        if (!config_str(config_get(config_at(jobs, k), "name"), &other, NULL) &&
            !strcmp(other, name))
            return true;
    return false;
}

static int read_section(const struct config *c, struct section *s, struct err *e)
{
    int rc = config_fill(c, section_fields, s, e);
    if (!rc && s->given && s->each)
        rc = config_complain(config_get(c, "given"), e, "none, as \"each\" is set");
    if (!rc && (config_kind(s->jobs) != CONFIG_ARRAY || !config_count(s->jobs) ||
                config_count(s->jobs) > JOBS_MAX))
        rc = config_complain(s->jobs, e, "a list of 1..%d jobs", JOBS_MAX);
    for (size_t i = 0; !rc && i < config_count(s->jobs); i++) {
        struct job j;
        rc = read_job(config_at(s->jobs, i), &j, e);
        if (!rc && named_before(s->jobs, i, j.name))
            rc = config_complain(config_at(s->jobs, i), e, "another name than \"%s\"", j.name);
    }
    return rc;
}

/* ---- one job ---- */

static double measured(const struct job *j, const char *profile)
{
    double ms;
    const struct config *c = config_get(j->ms, profile);
    return c && !config_f64(c, 1e-6, 1e9, &ms, NULL) ? ms : NAN;
}

static double factor(const struct slices *s, const struct mig_profile *p)
{
    return slice_speed_factor(&s->speed, (double)s->whole->sms / p->sms,
                              (double)s->whole->memory_slices / p->memory_slices);
}

static void judge(struct slices *s, double ours, double by_sms, double real)
{
    sketch_add(s->error, fabs(ours - real) / real);
    sketch_add(s->error_sms, fabs(by_sms - real) / real);
}

/* All but the whole and the given one. */
static void predict(struct slices *s, const struct job *j, const struct mig_profile *given)
{
    const double whole = measured(j, s->whole->name), time = measured(j, given->name) / whole;
    const double g = slice_speed_load(&s->speed, time, factor(s, given));
    char name[JOB_NAME_MAX + MIG_NAME_MAX + 8];
    s->outside += time < 1 || time > factor(s, given);
    for (uint32_t i = 0; i < s->table.n; i++) {
        const struct mig_profile *p = &s->table.profile[i];
        if (p == given || p == s->whole)
            continue;
        const double ours = whole * slice_speed_time(&s->speed, g, factor(s, p));
        const double real = measured(j, p->name);
        s->predicted++;
        if (!isnan(real))
            judge(s, ours, whole * s->whole->sms / p->sms, real);
        snprintf(name, sizeof name, "%s.%s", j->name, p->name);
        if (!s->section.each)
            measures_number(s->out, name, "ms", BETTER_NONE, ours);
    }
    snprintf(name, sizeof name, "%s.gpu", j->name);
    if (!s->section.each)
        measures_number(s->out, name, "1", BETTER_NONE, g);
}

/* Profiles that the machine lacks are mistakes; so is a job that nothing can be said of. */
static int check_job(const struct slices *s, const struct job *j, struct err *e)
{
    for (size_t i = 0; i < config_count(j->ms); i++)
        if (!mig_profile(&s->table, config_key(config_at(j->ms, i))))
            return config_complain(config_at(j->ms, i), e, "a MIG profile of \"%s\"",
                                   s->table.machine);
    if (isnan(measured(j, s->whole->name)))
        return config_complain(j->ms, e, "a time on the whole GPU, \"%s\"", s->whole->name);
    if (s->section.given ? isnan(measured(j, s->section.given)) : config_count(j->ms) < 2)
        return config_complain(j->ms, e, "a time on %s",
                               s->section.given ? s->section.given : "one slice at least");
    return 0;
}

static bool is_given(const struct slices *s, const struct mig_profile *p)
{
    return s->section.each || !s->section.given || !strcmp(s->section.given, p->name);
}

static int run_job(struct slices *s, const struct config *c, struct err *e)
{
    struct job j;
    int rc = read_job(c, &j, e);
    if (!rc)
        rc = check_job(s, &j, e);
    if (rc)
        return rc;
    s->jobs++;
    for (uint32_t i = 0; i < s->table.n; i++) {
        const struct mig_profile *p = &s->table.profile[i];
        if (p == s->whole || isnan(measured(&j, p->name)) || !is_given(s, p))
            continue;
        predict(s, &j, p);
        if (!s->section.each)
            break;
    }
    return 0;
}

/* ---- the model ---- */

static int begin(struct slices *s, struct machine_use *u, struct err *e)
{
    int rc = mig_table_read(&s->table, u, e);
    if (!rc)
        rc = slice_speed_read(&s->speed, u, e);
    for (uint32_t i = 0; !rc && i < s->table.n; i++) {
        const struct mig_profile *p = &s->table.profile[i];
        if (p->slices == s->table.slices && p->memory_slices == s->table.memory_slices)
            s->whole = p;
    }
    if (!rc && !s->whole)
        rc = err_set(e, ERR_ENAME, "machine \"%s\": gpu.mig: no profile is the whole GPU",
                     s->table.machine);
    if (!rc && s->section.given &&
        (!mig_profile(&s->table, s->section.given) || !strcmp(s->section.given, s->whole->name)))
        rc =
            err_set(e, ERR_ENAME, "slices.given: got \"%.40s\", want a part of \"%.40s\" (gpu.mig)",
                    s->section.given, s->table.machine);
    return rc;
}

static int slices_check(const struct config *c, struct err *e)
{
    struct section s = {0};
    return read_section(c, &s, e);
}

static int slices_fits(const struct config *c, const struct machine *m, const char *stack,
                       struct err *e)
{
    (void)stack;
    struct slices s = {0};
    struct machine_use use;
    if (!m)
        return err_set(e, ERR_ENAME,
                       "slices: got no \"machine\" in the experiment, want one with MIG profiles");
    int rc = read_section(c, &s.section, e);
    if (rc)
        return rc;
    rc = machine_use_begin(&use, m, e);
    if (rc)
        return rc;
    rc = begin(&s, &use, e);
    for (size_t i = 0; !rc && i < config_count(s.section.jobs); i++) {
        struct job j;
        rc = read_job(config_at(s.section.jobs, i), &j, e);
        if (!rc)
            rc = check_job(&s, &j, e);
    }
    machine_use_end(&use);
    return rc;
}

static void report(const struct slices *s, const struct machine_use *u)
{
    measures_number(s->out, "jobs", "1", BETTER_NONE, (double)s->jobs);
    measures_number(s->out, "predictions", "1", BETTER_NONE, (double)s->predicted);
    measures_number(s->out, "judged", "1", BETTER_NONE, (double)sketch_count(s->error));
    measures_number(s->out, "outside", "1", BETTER_NONE, (double)s->outside);
    machine_use_report(u, s->out);
}

static int slices_run(const struct config *c, const struct model_env *env, struct measures *out,
                      struct err *e)
{
    struct slices s = {.out = out};
    struct machine_use use;
    int rc = read_section(c, &s.section, e);
    if (rc)
        return rc;
    rc = machine_use_begin(&use, env->machine, e);
    if (rc)
        return rc;
    s.error = measures_sketch(out, "error", "1", true);
    s.error_sms = measures_sketch(out, "error_by_sms", "1", true);
    rc = s.error && s.error_sms ? begin(&s, &use, e) : err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < config_count(s.section.jobs); i++)
        rc = run_job(&s, config_at(s.section.jobs, i), e);
    if (!rc)
        report(&s, &use);
    machine_use_end(&use);
    return rc;
}

const struct model_ops model_slices = {
    .name = "slices",
    .summary = "times of jobs on MIG slices, from the whole GPU and one slice",
    .check = slices_check,
    .fits = slices_fits,
    .headline = "error.p50,error.p90",
    .run = slices_run,
};
