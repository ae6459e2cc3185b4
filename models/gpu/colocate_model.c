/* colocate_model.c - the model "colocate": normalized throughputs of pairs of jobs on one GPU, from
 * their demands (colocate.h); where a sum was measured, also how far off it is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/gpu/colocate.h"
#include "models/model.h"

enum { PAIRS_MAX = 100000, NAME_MAX_ = 48, NAMED_MAX = 1000 };

struct section {
    const struct config *pairs; /* GPU: list of [a, b] or [a, b, measured sum] */
    const struct config *mean;  /* GPU: what to predict for all, as a yardstick */
    const char *label;          /* a sweep over whole sections names them; nothing here reads it */
};
static const struct config_field fields[] = {CONFIG_ANY(struct section, pairs, true),
                                             CONFIG_ANY(struct section, mean, false),
                                             CONFIG_STR(struct section, label, false), CONFIG_END};

struct pair {
    const char *a, *b;
    double sum; /* NAN: not measured */
};

/* ---- the section ---- */

static bool good_name(const char *s)
{
    const size_t n = strlen(s);
    return n && n < NAME_MAX_ && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

static int read_name(const struct config *c, const char **out, struct err *e)
{
    const int rc = config_str(c, out, e);
    if (!rc && !good_name(*out))
        return config_complain(c, e, "a job of a-z, 0-9 and _, below %d bytes", NAME_MAX_);
    return rc;
}

static int read_pair(const struct config *c, struct pair *p, struct err *e)
{
    const size_t n = config_kind(c) == CONFIG_ARRAY ? config_count(c) : 0;
    p->sum = NAN;
    if (n < 2 || n > 3)
        return config_complain(c, e, "[job, job] or [job, job, measured sum]");
    int rc = read_name(config_at(c, 0), &p->a, e);
    if (!rc)
        rc = read_name(config_at(c, 1), &p->b, e);
    if (!rc && n == 3)
        rc = config_f64(config_at(c, 2), 0, 2, &p->sum, e);
    return rc;
}

static int read_list(const struct config *list, struct err *e)
{
    int rc = 0;
    if (!good_name(config_key(list)))
        return config_complain(list, e, "names of GPUs of a-z, 0-9 and _");
    if (config_kind(list) != CONFIG_ARRAY || !config_count(list) || config_count(list) > PAIRS_MAX)
        return config_complain(list, e, "a list of 1..%d pairs", PAIRS_MAX);
    for (size_t i = 0; !rc && i < config_count(list); i++) {
        struct pair p;
        rc = read_pair(config_at(list, i), &p, e);
    }
    return rc;
}

static int read_means(const struct section *s, struct err *e)
{
    int rc = 0;
    if (s->mean && config_kind(s->mean) != CONFIG_OBJECT)
        return config_complain(s->mean, e, "an object of GPUs and sums");
    for (size_t i = 0; !rc && s->mean && i < config_count(s->mean); i++) {
        const struct config *c = config_at(s->mean, i);
        double v;
        rc = config_f64(c, 0, 2, &v, e);
        if (!rc && !config_get(s->pairs, config_key(c)))
            rc = config_complain(c, e, "means of GPUs that have \"pairs\"");
    }
    return rc;
}

static int read_section(const struct config *c, struct section *s, struct err *e)
{
    int rc = config_fill(c, fields, s, e);
    if (!rc && (config_kind(s->pairs) != CONFIG_OBJECT || !config_count(s->pairs)))
        rc = config_complain(s->pairs, e, "an object of GPUs and their pairs");
    for (size_t i = 0; !rc && i < config_count(s->pairs); i++)
        rc = read_list(config_at(s->pairs, i), e);
    return rc ? rc : read_means(s, e);
}

/* ---- the run ---- */

struct run {
    struct section section;
    struct machine_use *use;
    struct measures *out; /* NULL: only looked up */
    struct sketch *sum, *error, *gpu_error, *mean_error;
    uint64_t pairs, measured;
};

static void judge(struct run *r, const struct pair *p, const char *gpu, double ours)
{
    const struct config *c = r->section.mean ? config_get(r->section.mean, gpu) : NULL;
    double mean;
    if (isnan(p->sum))
        return;
    r->measured++;
    sketch_add(r->error, fabs(ours - p->sum));
    sketch_add(r->gpu_error, fabs(ours - p->sum));
    if (c && !config_f64(c, 0, 2, &mean, NULL))
        sketch_add(r->mean_error, fabs(mean - p->sum));
}

static void tell(struct run *r, const struct pair *p, const char *gpu, double of_a, double of_b)
{
    char name[4 * NAME_MAX_];
    if (!isnan(p->sum) || r->pairs > NAMED_MAX)
        return;
    snprintf(name, sizeof name, "%s.%s.%s", gpu, p->a, p->b);
    measures_number(r->out, name, "1", BETTER_NONE, of_a);
    snprintf(name, sizeof name, "%s.%s.%s", gpu, p->b, p->a);
    measures_number(r->out, name, "1", BETTER_NONE, of_b);
}

static int run_pair(struct run *r, const char *gpu, const struct config *c, struct err *e)
{
    struct pair p;
    struct colocate_demand a, b;
    double of_a, of_b;
    int rc = read_pair(c, &p, e);
    if (!rc)
        rc = colocate_read(&a, r->use, gpu, p.a, e);
    if (!rc)
        rc = colocate_read(&b, r->use, gpu, p.b, e);
    if (rc || !r->out)
        return rc;
    colocate_pair(&a, &b, &of_a, &of_b);
    r->pairs++;
    sketch_add(r->sum, of_a + of_b);
    judge(r, &p, gpu, of_a + of_b);
    tell(r, &p, gpu, of_a, of_b);
    return 0;
}

static int run_gpu(struct run *r, const struct config *list, struct err *e)
{
    char name[NAME_MAX_ + 16];
    int rc = 0;
    snprintf(name, sizeof name, "error_%s", config_key(list));
    if (r->out && !(r->gpu_error = measures_sketch(r->out, name, "1", true)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < config_count(list); i++)
        rc = run_pair(r, config_key(list), config_at(list, i), e);
    return rc;
}

static int run_all(struct run *r, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < config_count(r->section.pairs); i++)
        rc = run_gpu(r, config_at(r->section.pairs, i), e);
    return rc;
}

static int colocate_check(const struct config *c, struct err *e)
{
    struct section s = {0};
    return read_section(c, &s, e);
}

static int with_machine(const struct config *c, const struct machine *m, struct measures *out,
                        struct err *e)
{
    struct machine_use use;
    struct run r = {.use = &use, .out = out};
    int rc = read_section(c, &r.section, e);
    if (!rc)
        rc = machine_use_begin(&use, m, e);
    if (rc)
        return rc;
    if (out) {
        r.sum = measures_sketch(out, "sum", "1", true);
        r.error = measures_sketch(out, "error", "1", true);
        r.mean_error = measures_sketch(out, "error_of_mean", "1", true);
    }
    rc = !out || (r.sum && r.error && r.mean_error) ? run_all(&r, e)
                                                    : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc && out) {
        measures_number(out, "pairs", "1", BETTER_NONE, (double)r.pairs);
        measures_number(out, "measured", "1", BETTER_NONE, (double)r.measured);
        machine_use_report(&use, out);
    }
    machine_use_end(&use);
    return rc;
}

static int colocate_fits(const struct config *c, const struct machine *m, const char *stack,
                         struct err *e)
{
    (void)stack;
    if (!m)
        return err_set(e, ERR_ENAME,
                       "colocate: got no \"machine\" in the experiment, want one with demands");
    return with_machine(c, m, NULL, e);
}

static int colocate_run(const struct config *c, const struct model_env *env, struct measures *out,
                        struct err *e)
{
    return with_machine(c, env->machine, out, e);
}

const struct model_ops model_colocate = {
    .name = "colocate",
    .summary = "throughputs of pairs of jobs on one GPU, from fitted demands",
    .check = colocate_check,
    .fits = colocate_fits,
    .headline = "error.p50,error.p90,error_of_mean.p50,sum.mean",
    .run = colocate_run,
};
