#include "harness/learn/model_score.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "harness/base/fmt.h"

#define BATCH 1024

static const struct {
    const char *name, *title;
} predictors[PREDICTORS] = {
    {"network", "network"},
    {"global_mean", "mean of all"},
    {"tenant_mean", "mean of tenant, recent"},
    {"prompt_class_mean", "mean of prompt class, recent"},
    {"prompt_length", "the prompt's own length"},
};

int model_known(struct model_known *k, const struct train_rows *rows, size_t n, struct err *e)
{
    *k = (struct model_known){0};
    for (size_t i = 0; i < n; i++)
        k->mean_log += (double)length_log(rows->tokens[i]) / (double)n;
    return score_edges(k->edges, rows->tokens, n, e);
}

int model_predict(struct infer_model *net, const float *x, size_t n, float *y, struct err *e)
{
    char why[256];
    for (size_t at = 0; at < n; at += BATCH) {
        uint32_t batch = (uint32_t)(n - at < BATCH ? n - at : BATCH);
        if (infer_run(net, batch, x + at * LENGTH_N, y + 2 * at, why, sizeof why))
            return err_set(e, ERR_EFAIL, "inference: %s", why);
    }
    return 0;
}

static double predict(int who, const float *x, const float *y, const struct model_known *known)
{
    switch (who) {
    case PREDICT_NET:
        return length_tokens(y[0]);
    case PREDICT_ALL:
        return length_tokens((float)known->mean_log);
    case PREDICT_TENANT:
        return length_tokens(x[2]);
    case PREDICT_CLASS:
        return length_tokens(x[6]);
    default:
        return length_tokens(x[0]);
    }
}

static int compare(struct model_score *s, const struct train_rows *rows, size_t from,
                   const float *y, struct err *e)
{
    double *p = malloc(s->rows * sizeof *p);
    int rc = p ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    for (int who = 0; !rc && who < PREDICTORS; who++) {
        for (size_t i = 0; i < s->rows; i++)
            p[i] = predict(who, rows->x + (from + i) * LENGTH_N, y + 2 * i, &s->known);
        rc = score_rows(&s->by[who], p, rows->tokens + from, s->rows, s->known.edges, e);
    }
    size_t covered = 0;
    for (size_t i = 0; !rc && i < s->rows; i++)
        covered += rows->tokens[from + i] <= length_tokens(y[2 * i + 1]);
    s->covered = (double)covered / (double)s->rows;
    free(p);
    return rc;
}

struct asked {
    struct infer_model *net;
    const float *was; /* log lengths */
    size_t n;
    float *y; /* room for the answers */
};

static double off(const struct asked *a)
{
    double sum = 0;
    for (size_t i = 0; i < a->n; i++)
        sum += fabs((double)a->y[2 * i] - (double)a->was[i]);
    return sum * (double)LENGTH_SCALE / (double)a->n;
}

static int error_of(void *ctx, const float *x, double *error, struct err *e)
{
    struct asked *a = ctx;
    const int rc = model_predict(a->net, x, a->n, a->y, e);
    *error = rc ? 0 : off(a);
    return rc;
}

/* a->y: what the network says of x. */
static int trust(struct model_score *s, struct asked *a, const float *x, uint64_t seed,
                 struct err *e)
{
    const struct score_inputs in = {.x = x,
                                    .n = a->n,
                                    .n_in = LENGTH_N,
                                    .component = "lengths",
                                    .seed = seed,
                                    .of = error_of,
                                    .ctx = a,
                                    .plain = off(a)};
    const int rc = score_calibration(s->bin, SCORE_BINS, a->y, 2, a->was, a->n, e);
    return rc ? rc : score_importance(s->importance, &in, e);
}

int model_score(struct model_score *s, struct infer_model *net, const struct train_rows *rows,
                size_t from, size_t n, const struct model_known *known, uint64_t seed,
                struct err *e)
{
    *s = (struct model_score){.rows = n, .known = *known};
    if (!n)
        return err_set(e, ERR_ERANGE, "no rows to score");
    const float *x = rows->x + from * LENGTH_N;
    float *y = malloc(2 * n * sizeof *y), *was = malloc(n * sizeof *was);
    int rc = y && was ? model_predict(net, x, n, y, e) : err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < n; i++)
        was[i] = length_log(rows->tokens[from + i]);
    rc = rc ? rc : compare(s, rows, from, y, e);
    rc = rc ? rc : trust(s, &(struct asked){net, was, n, y}, x, seed, e);
    free(was);
    free(y);
    return rc;
}

static void cell(FILE *f, double v)
{
    if (isfinite(v))
        fprintf(f, " %9.3f", v);
    else
        fprintf(f, " %9s", "-");
}

void model_score_print(FILE *f, const struct model_score *s)
{
    fprintf(f, "%-30s %9s %9s %9s %9s %9s %9s %9s\n", "", "MAE", "log2 RMSE", "Spearman", "Kendall",
            "class", "top prec.", "top rec.");
    for (int who = 0; who < PREDICTORS; who++) {
        const struct score *v = &s->by[who];
        bool length = who != PREDICT_PROMPT; /* of the prompt only the order means something */
        fprintf(f, "%-30s", predictors[who].title);
        cell(f, length ? v->mae : NAN);
        cell(f, length ? v->log2_rmse : NAN);
        cell(f, v->spearman);
        cell(f, v->kendall);
        cell(f, length ? v->accuracy : NAN);
        cell(f, length ? v->top_precision : NAN);
        cell(f, length ? v->top_recall : NAN);
        fputc('\n', f);
    }
    fprintf(
        f,
        "%zu rows; answers within the quantile output: %.1f %%; classes end at %g, %g, %g tokens\n",
        s->rows, 100 * s->covered, s->known.edges[0], s->known.edges[1], s->known.edges[2]);
}

static void member(FILE *f, const char *key, double v)
{
    fprintf(f, ", \"%s\": ", key);
    json_number(f, v);
}

static void predictor_json(FILE *f, int who, const struct score *v)
{
    double none = who == PREDICT_PROMPT ? NAN : 0;
    fprintf(f, "\"name\": \"%s\"", predictors[who].name);
    member(f, "mae", v->mae + none);
    member(f, "log2_rmse", v->log2_rmse + none);
    member(f, "spearman", v->spearman);
    member(f, "kendall", v->kendall);
    member(f, "class_accuracy", v->accuracy + none);
    member(f, "top_precision", v->top_precision + none);
    member(f, "top_recall", v->top_recall + none);
}

void model_score_json(FILE *f, const struct model_score *s)
{
    fprintf(f, "{\"rows\": %zu", s->rows);
    member(f, "quantile_covers", s->covered);
    fprintf(f, ", \"class_edges\": [%g, %g, %g], \"confusion\": [", s->known.edges[0],
            s->known.edges[1], s->known.edges[2]);
    for (int t = 0; t < SCORE_CLASSES; t++) {
        fputs(t ? ", [" : "[", f);
        for (int p = 0; p < SCORE_CLASSES; p++)
            fprintf(f, "%s%llu", p ? ", " : "",
                    (unsigned long long)s->by[PREDICT_NET].confusion[t][p]);
        fputc(']', f);
    }
    fputs("], \"predictors\": [", f);
    for (int who = 0; who < PREDICTORS; who++) {
        fputs(who ? ",\n    {" : "\n    {", f);
        predictor_json(f, who, &s->by[who]);
        fputc('}', f);
    }
    fputs("],\n    ", f);
    score_put_bins(f, "calibration_log2", s->bin, (double)LENGTH_SCALE);
    fputs(",\n    ", f);
    score_put_numbers(f, "importance_log2", s->importance, LENGTH_N);
    fputc('}', f);
}
