#include "harness/learn/jobs_score.h"

#include <math.h>
#include <stdlib.h>

#include "harness/base/fmt.h"

enum { BATCH = 1024, OUTS = 2 };
/* Where in the features the baselines are. */
enum { X_OWNER_MEAN = 5, X_OWNER_LAST = 9, X_SHAPE_MEAN = 19 };

static const struct {
    const char *name, *title;
} predictors[JOBS_PREDICTORS] = {{"forest", "forest"},
                                 {"global_mean", "mean of all"},
                                 {"owner_mean", "mean of the owner"},
                                 {"owner_last", "the owner's last job"},
                                 {"shape_mean", "mean of the owner's jobs like it"}};

static int run(struct infer_model *net, const float *x, size_t n, float *y, struct err *e)
{
    char why[256];
    for (size_t at = 0; at < n; at += BATCH) {
        const uint32_t some = (uint32_t)(n - at < BATCH ? n - at : BATCH);
        if (infer_run(net, some, x + at * DURATION_N, y + at * OUTS, why, sizeof why))
            return err_set(e, ERR_EFAIL, "inference: %s", why);
    }
    return 0;
}

static float predict(int who, const float *x, const float *y, float mean)
{
    const float says = who == JOBS_FOREST  ? y[0]
                       : who == JOBS_OWNER ? x[X_OWNER_MEAN]
                       : who == JOBS_LAST  ? x[X_OWNER_LAST]
                       : who == JOBS_SHAPE ? x[X_SHAPE_MEAN]
                                           : NAN;
    return isnan(says) ? mean : says;
}

static double log_error(const struct job_rows *rows, size_t from, size_t n, const float *y)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs((double)y[OUTS * i] - (double)rows->y[from + i]);
    return sum / (double)n;
}

/* ---- how each feature matters ------------------------------------------------------- */

struct asked {
    struct infer_model *net;
    const struct job_rows *rows;
    size_t from, n;
    float *y; /* room for the answers */
};

static int error_of(void *ctx, const float *x, double *error, struct err *e)
{
    struct asked *a = ctx;
    const int rc = run(a->net, x, a->n, a->y, e);
    *error = rc ? 0 : log_error(a->rows, a->from, a->n, a->y);
    return rc;
}

static int importance(struct jobs_score *s, struct asked *a, uint64_t seed, struct err *e)
{
    const struct score_inputs in = {.x = a->rows->x + a->from * DURATION_N,
                                    .n = a->n,
                                    .n_in = DURATION_N,
                                    .component = "jobs",
                                    .seed = seed,
                                    .of = error_of,
                                    .ctx = a,
                                    .plain = log_error(a->rows, a->from, a->n, a->y)};
    return score_importance(s->importance, &in, e);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int compare(struct jobs_score *s, const struct job_rows *rows, size_t from, size_t known,
                   const float *y, struct err *e)
{
    double edges[SCORE_CLASSES - 1], mean = 0, *p = malloc(s->rows * sizeof *p);
    int rc =
        p ? score_edges(edges, rows->seconds, known, e) : err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < known; i++)
        mean += (double)rows->y[i] / (double)known;
    for (int who = 0; who < JOBS_PREDICTORS && !rc; who++) {
        for (size_t i = 0; i < s->rows; i++)
            p[i] = duration_seconds(
                predict(who, rows->x + (from + i) * DURATION_N, y + OUTS * i, (float)mean));
        rc = score_rows(&s->by[who], p, rows->seconds + from, s->rows, edges, e);
    }
    free(p);
    return rc;
}

int jobs_score(struct jobs_score *s, struct infer_model *net, const struct job_rows *rows,
               size_t from, size_t n, size_t known, uint64_t seed, struct err *e)
{
    *s = (struct jobs_score){.rows = n};
    if (!n || !known)
        return err_set(e, ERR_ERANGE, "no jobs to score");
    float *y = malloc(n * OUTS * sizeof *y);
    int rc = y ? run(net, rows->x + from * DURATION_N, n, y, e)
               : err_set(e, ERR_ENOMEM, "out of memory");
    rc = rc ? rc : compare(s, rows, from, known, y, e);
    rc = rc ? rc : score_calibration(s->bin, SCORE_BINS, y, OUTS, rows->y + from, s->rows, e);
    for (size_t i = 0; i < n && !rc; i++)
        s->covered += (rows->y[from + i] <= y[OUTS * i + 1]) / (double)n;
    struct asked a = {net, rows, from, n, y};
    rc = rc ? rc : importance(s, &a, seed, e);
    free(y);
    return rc;
}

/* ---- showing it -------------------------------------------------------------------------- */

void jobs_score_print(FILE *f, const struct jobs_score *s)
{
    fprintf(f, "%-34s %10s %9s %9s %9s %9s\n", "", "MAE, s", "log2 RMSE", "Spearman", "Kendall",
            "class");
    for (int who = 0; who < JOBS_PREDICTORS; who++) {
        const struct score *v = &s->by[who];
        fprintf(f, "%-34s %10.0f %9.3f %9.3f %9.3f %9.3f\n", predictors[who].title, v->mae,
                v->log2_rmse, v->spearman, v->kendall, v->accuracy);
    }
    fprintf(f, "%zu jobs; within the quantile output: %.1f %%\n", s->rows, 100 * s->covered);
}

static void member(FILE *f, const char *key, double v)
{
    fprintf(f, ", \"%s\": ", key);
    json_number(f, v);
}

static void predictor_json(FILE *f, int who, const struct score *v)
{
    fprintf(f, "{\"name\": \"%s\"", predictors[who].name);
    member(f, "mae_s", v->mae);
    member(f, "log2_rmse", v->log2_rmse);
    member(f, "spearman", v->spearman);
    member(f, "kendall", v->kendall);
    member(f, "class_accuracy", v->accuracy);
    fputc('}', f);
}

void jobs_score_json(FILE *f, const struct jobs_score *s)
{
    fprintf(f, "{\"rows\": %zu", s->rows);
    member(f, "quantile_covers", s->covered);
    fputs(", \"predictors\": [", f);
    for (int who = 0; who < JOBS_PREDICTORS; who++) {
        fputs(who ? ",\n    " : "\n    ", f);
        predictor_json(f, who, &s->by[who]);
    }
    fputs("],\n   \"confusion\": [", f);
    for (int t = 0; t < SCORE_CLASSES; t++) {
        fputs(t ? ", [" : "[", f);
        for (int p = 0; p < SCORE_CLASSES; p++)
            fprintf(f, "%s%llu", p ? ", " : "",
                    (unsigned long long)s->by[JOBS_FOREST].confusion[t][p]);
        fputc(']', f);
    }
    fputs("],\n   ", f);
    score_put_bins(f, "calibration_log2", s->bin, 1);
    fputs(",\n   ", f);
    score_put_numbers(f, "importance_log2", s->importance, DURATION_N);
    fputs("}", f);
}
