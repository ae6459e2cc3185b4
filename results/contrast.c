#include "results/contrast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool trial_ejected(const struct result_trial *t)
{
    const struct measures *m = t->measures;
    for (size_t i = 0; m && i < m->n_incident; i++)
        if (!strcmp(m->incident[i].kind, "ejected"))
            return true;
    const double *flag = m ? measures_find(m, "ejected") : NULL;
    return flag && *flag != 0;
}

/* Both sides are sorted by seed: walk them like a merge. */
static size_t pair_up(const struct cell *a, const struct cell *b, struct contrast *c, double *x,
                      double *y)
{
    size_t i = 0, k = 0, n = 0;
    while (i < a->n && k < b->n) {
        const struct result_trial *s = a->trial[i], *t = b->trial[k];
        if (s->seed < t->seed) {
            c->unpaired_a++, i++;
        } else if (s->seed > t->seed) {
            c->unpaired_b++, k++;
        } else {
            c->ejected_a += trial_ejected(s);
            c->ejected_b += trial_ejected(t);
            const bool both = metric_value(s->measures, c->metric->name, &x[n]) &&
                              metric_value(t->measures, c->metric->name, &y[n]);
            n += both;
            c->missing += !both;
            i++, k++;
        }
    }
    c->unpaired_a += a->n - i;
    c->unpaired_b += b->n - k;
    return n;
}

double contrast_ratio(const struct contrast *c)
{
    if (!isnan(c->pair.change))
        return c->pair.change;
    return c->pair.mean_a != 0 ? c->pair.mean_b / c->pair.mean_a : NAN;
}

/* Which way b went, by the very statistic that was tested. */
static bool lower(const struct contrast *c)
{
    return isnan(c->pair.change) ? c->pair.diff < 0 : c->pair.change < 1;
}

static enum verdict verdict_of(const struct contrast *c)
{
    const double p = c->pair.p;
    if (!c->pair.n)
        return VERDICT_NONE;
    if (c->pair.n == 1 || c->alike)
        return c->pair.diff == 0 ? VERDICT_SAME : VERDICT_ONE;
    if (c->pair.lo == 0 && c->pair.hi == 0)
        return VERDICT_SAME;
    if (!(p < 1 - CONFIDENCE))
        return VERDICT_UNSURE;
    if (c->metric->better == BETTER_NONE)
        return VERDICT_DIFFERENT;
    return lower(c) == (c->metric->better == BETTER_LESS) ? VERDICT_BETTER : VERDICT_WORSE;
}

static bool constant(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (x[i] != x[0])
            return false;
    return true;
}

static bool cell_alike(const struct cell *c, const char *metric)
{
    double first = 0, v = 0;
    const bool any = metric_value(c->trial[0]->measures, metric, &first);
    for (size_t i = 1; i < c->n; i++)
        if (metric_value(c->trial[i]->measures, metric, &v) != any || (any && v != first))
            return false;
    return true;
}

bool contrast_seeds_alike(const struct cells *c, const struct metric_list *metrics)
{
    bool several = false;
    for (size_t i = 0; i < c->n; i++) {
        several |= c->cell[i].n > 1;
        for (size_t m = 0; c->cell[i].n && m < metrics->n; m++)
            if (!cell_alike(&c->cell[i], metrics->metric[m].name))
                return false;
    }
    return several && metrics->n;
}

int contrast_cells(const struct cell *a, const struct cell *b, const struct metric *metric,
                   size_t family, struct contrast *out, struct err *e)
{
    const size_t most = a->n < b->n ? a->n : b->n;
    double *x = malloc((most + 1) * sizeof *x), *y = malloc((most + 1) * sizeof *y);
    *out = (struct contrast){.metric = metric};
    int rc = 0;
    if (x && y) {
        const size_t n = pair_up(a, b, out, x, y);
        out->alike = n > 1 && constant(x, n) && constant(y, n) && x[0] != y[0];
        stats_paired(x, y, out->alike ? 1 : n, 1 - (1 - CONFIDENCE) / (double)(family ? family : 1),
                     &out->pair);
        out->pair.n = n;
        if (!isnan(out->pair.p)) /* of one observation there is none */
            out->pair.p = fmin(1, out->pair.p * (double)(family ? family : 1));
        out->verdict = verdict_of(out);
    } else {
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    }
    free(x);
    free(y);
    return rc;
}

static void how_much(const struct contrast *c, char *out, size_t size)
{
    const char *way = lower(c) ? "lower" : "higher";
    const double ratio = contrast_ratio(c), change = 100 * fabs(ratio - 1);
    if (!isfinite(change) || ratio < 0)
        snprintf(out, size, "%.4g %s %s", fabs(c->pair.diff),
                 strcmp(c->metric->unit, "1") ? c->metric->unit : "", way);
    else if (ratio >= 3)
        snprintf(out, size, "%.3g times as high", ratio);
    else
        snprintf(out, size, "%.*f %% %s", change < 0.95 ? 2 : 1, change, way);
}

void contrast_words(const struct contrast *c, char *out, size_t size)
{
    char much[64], chance[48];
    how_much(c, much, sizeof much);
    if (c->pair.p < 0.0001)
        snprintf(chance, sizeof chance, "p < 0.0001");
    else
        snprintf(chance, sizeof chance, "p = %.4f", c->pair.p);
    switch (c->verdict) {
    case VERDICT_NONE:
        snprintf(out, size, "no pairs to compare");
        break;
    case VERDICT_ONE:
        snprintf(out, size, "%s in %s: nothing can be said about chance", much,
                 c->alike ? "every pair, whatever the seed" : "the only pair");
        break;
    case VERDICT_SAME:
        snprintf(out, size, "the same in every pair");
        break;
    case VERDICT_UNSURE:
        snprintf(out, size, "no difference shown (%s, %s)", much, chance);
        break;
    case VERDICT_BETTER:
        snprintf(out, size, "better: %s, significant (%s)", much, chance);
        break;
    case VERDICT_WORSE:
        snprintf(out, size, "worse: %s, significant (%s)", much, chance);
        break;
    case VERDICT_DIFFERENT:
        snprintf(out, size, "%s, significant (%s)", much, chance);
        break;
    }
}
