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

enum verdict contrast_verdict(const struct contrast *c, double p)
{
    if (!c->pair.n)
        return VERDICT_NONE;
    if (c->pair.diff == 0 && (c->pair.n == 1 || c->pair.p == 1) && c->pair.lo >= c->pair.hi)
        return VERDICT_SAME;
    if (c->pair.n == 1)
        return c->pair.diff == 0 ? VERDICT_SAME : VERDICT_ONE;
    if (!(p < 1 - CONFIDENCE))
        return VERDICT_UNSURE;
    if (c->metric->better == BETTER_NONE)
        return VERDICT_DIFFERENT;
    return (c->pair.diff < 0) == (c->metric->better == BETTER_LESS) ? VERDICT_BETTER
                                                                    : VERDICT_WORSE;
}

int contrast_cells(const struct cell *a, const struct cell *b, const struct metric *metric,
                   struct contrast *out, struct err *e)
{
    const size_t most = a->n < b->n ? a->n : b->n;
    double *x = malloc((most + 1) * sizeof *x), *y = malloc((most + 1) * sizeof *y);
    *out = (struct contrast){.metric = metric};
    int rc = 0;
    if (x && y) {
        const size_t n = pair_up(a, b, out, x, y);
        stats_paired(x, y, n, CONFIDENCE, &out->pair);
        out->verdict = contrast_verdict(out, out->pair.p);
    } else {
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    }
    free(x);
    free(y);
    return rc;
}

static void how_much(const struct contrast *c, char *out, size_t size)
{
    const char *way = c->pair.diff < 0 ? "lower" : "higher";
    const double change = 100 * fabs(c->pair.ratio - 1);
    if (!isfinite(change) || c->pair.ratio < 0)
        snprintf(out, size, "%.4g %s %s", fabs(c->pair.diff),
                 strcmp(c->metric->unit, "1") ? c->metric->unit : "", way);
    else if (c->pair.ratio >= 3)
        snprintf(out, size, "%.3g times as high", c->pair.ratio);
    else
        snprintf(out, size, "%.*f %% %s", change < 0.95 ? 2 : 1, change, way);
}

void contrast_words(const struct contrast *c, double p, char *out, size_t size)
{
    char much[64], chance[48];
    how_much(c, much, sizeof much);
    if (p < 0.0001)
        snprintf(chance, sizeof chance, "p < 0.0001");
    else
        snprintf(chance, sizeof chance, "p = %.4f", p);
    switch (contrast_verdict(c, p)) {
    case VERDICT_NONE:
        snprintf(out, size, "no pairs to compare");
        break;
    case VERDICT_ONE:
        snprintf(out, size, "%s in the only pair: nothing can be said about chance", much);
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
