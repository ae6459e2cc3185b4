#include "results/metric.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct measure_sketch *sketch_of(const struct measures *m, const char *name,
                                              size_t len)
{
    for (size_t i = 0; i < m->n_sketch; i++)
        if (strlen(m->sketch[i].name) == len && !memcmp(m->sketch[i].name, name, len))
            return &m->sketch[i];
    return NULL;
}

/* "mean", "max", "min", or "p" and a percentage. */
static bool sketch_statistic(const struct sketch *s, const char *what, double *out)
{
    if (!strcmp(what, "mean"))
        *out = sketch_mean(s);
    else if (!strcmp(what, "max"))
        *out = sketch_max(s);
    else if (!strcmp(what, "min"))
        *out = sketch_min(s);
    else if (what[0] == 'p') {
        char *end;
        const double percent = strtod(what + 1, &end);
        if (end == what + 1 || *end || !(percent >= 0 && percent <= 100))
            return false;
        *out = sketch_quantile(s, percent / 100);
    } else
        return false;
    return true;
}

bool metric_value(const struct measures *m, const char *name, double *out)
{
    if (!m)
        return false;
    const double *number = measures_find(m, name);
    if (number) {
        *out = *number;
        return isfinite(*out);
    }
    /* Names have dots of their own: the sketch is the part before one of them. */
    for (const char *dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
        const struct measure_sketch *s = sketch_of(m, name, (size_t)(dot - name));
        if (s && sketch_count(s->sketch))
            return sketch_statistic(s->sketch, dot + 1, out) && isfinite(*out);
    }
    return false;
}

static bool add(struct metric_list *l, const char *name, const char *unit, enum better better)
{
    if (metric_named(l, name))
        return true;
    struct metric *grown = realloc(l->metric, (l->n + 1) * sizeof *grown);
    if (!grown)
        return false;
    l->metric = grown;
    struct metric *new = &l->metric[l->n];
    *new = (struct metric){strdup(name), strdup(unit), better};
    l->n++;
    return new->name &&new->unit;
}

static bool add_sketch(struct metric_list *l, const struct measure_sketch *s)
{
    static const char *const what[] = {"mean", "p50", "p90", "p99"};
    char name[256];
    for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
        snprintf(name, sizeof name, "%s.%s", s->name, what[i]);
        if (!add(l, name, s->unit, BETTER_LESS)) /* sketches hold latencies */
            return false;
    }
    return true;
}

bool metric_list(const struct result_set *rs, struct metric_list *out)
{
    *out = (struct metric_list){0};
    bool ok = true;
    for (size_t t = 0; ok && t < rs->n_trial; t++) {
        const struct measures *m = rs->trial[t].measures;
        for (size_t i = 0; ok && m && i < m->n_number; i++)
            ok = add(out, m->number[i].name, m->number[i].unit, m->number[i].better);
    }
    for (size_t t = 0; ok && t < rs->n_trial; t++) {
        const struct measures *m = rs->trial[t].measures;
        for (size_t i = 0; ok && m && i < m->n_sketch; i++)
            ok = add_sketch(out, &m->sketch[i]);
    }
    if (!ok)
        metric_list_free(out);
    return ok;
}

void metric_list_free(struct metric_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->metric[i].name);
        free(l->metric[i].unit);
    }
    free(l->metric);
    *l = (struct metric_list){0};
}

const struct metric *metric_named(const struct metric_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->metric[i].name && !strcmp(l->metric[i].name, name))
            return &l->metric[i];
    return NULL;
}

static bool is_listed(const struct metric *const *out, size_t n, const struct metric *m)
{
    for (size_t i = 0; i < n; i++)
        if (out[i] == m)
            return true;
    return false;
}

static bool is_own_count(const char *name)
{
    return !strncmp(name, "share.", 6) || !strcmp(name, "ejected") ||
           !strcmp(name, "policy_decisions");
}

size_t metric_order(const struct metric_list *l, const char *first, const struct metric **out,
                    size_t most)
{
    size_t n = 0;
    char name[128];
    for (const char *at = first; at && *at && n < most; at += strcspn(at, ","), at += *at == ',') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
        const struct metric *m = metric_named(l, name);
        if (m && !is_listed(out, n, m))
            out[n++] = m;
    }
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < l->n && n < most; i++) {
            const struct metric *m = &l->metric[i];
            if ((m->better == BETTER_NONE) == pass && !is_own_count(m->name) &&
                !is_listed(out, n, m))
                out[n++] = m;
        }
    return n;
}
