#include "harness/learn/model_share.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/learn/train_machine.h"
#include "harness/learn/train_score.h"
#include "harness/learn/model_write.h"
#include "harness/learn/share_rows.h"
#include "harness/learn/train_forest.h"

enum { MEAN, QUANTILE, OUTPUTS };
enum { SPLITS = 3 };

struct share_score {
    size_t rows;
    double mae, same, mean;     /* log2: of the forest; if nothing changed; the fitted mean */
    double within;              /* share of rows off by less than a quarter */
    double covered;             /* within the quantile output */
    double importance[SHARE_N]; /* mae gained by shuffling a feature */
    struct score_bin bin[SCORE_BINS];
};

struct share_training {
    const struct model_train_want *want;
    struct share_rows rows[SPLITS];
    float *x, *y; /* fitted rows, then those of the validation */
    struct forest_fit fit[OUTPUTS];
    struct model_forest *one[OUTPUTS], *forest;
    struct share_score score;
};

/* ---- rows ------------------------------------------------------------------------ */

static int simulate(struct share_training *t, const struct machine *m, struct err *e)
{
    int rc = 0;
    for (uint32_t c = 0; c < SHARE_CRITICAL && !rc; c++)
        for (uint32_t b = 0; b < SHARE_BESIDE && !rc; b++)
            for (uint32_t load = 0; load < SHARE_LOADS && !rc; load++)
                rc = share_rows_collect(&t->rows[share_split(c, b)], m, c, load, b, SHARE_SECONDS,
                                        t->want->o.seed, e);
    return rc;
}

static int collect(struct share_training *t, struct err *e)
{
    struct machine *m = NULL;
    int rc = train_machine(&m, t->want->machine, e);
    rc = rc ? rc : simulate(t, m, e);
    machine_free(m);
    const size_t fitted = t->rows[SHARE_FITTED].n, n = fitted + t->rows[SHARE_VALIDATION].n;
    if (!rc && (!fitted || n == fitted || !t->rows[SHARE_TEST].n))
        rc = err_set(e, ERR_ERANGE, "too few windows with answers");
    if (rc)
        return rc;
    t->x = malloc(n * SHARE_N * sizeof *t->x);
    t->y = malloc(n * sizeof *t->y);
    if (!t->x || !t->y)
        return err_set(e, ERR_ENOMEM, "out of memory");
    memcpy(t->x, t->rows[SHARE_FITTED].x, fitted * SHARE_N * sizeof *t->x);
    memcpy(t->y, t->rows[SHARE_FITTED].y, fitted * sizeof *t->y);
    memcpy(t->x + fitted * SHARE_N, t->rows[SHARE_VALIDATION].x,
           (n - fitted) * SHARE_N * sizeof *t->x);
    memcpy(t->y + fitted, t->rows[SHARE_VALIDATION].y, (n - fitted) * sizeof *t->y);
    return 0;
}

static int fit(struct share_training *t, struct err *e)
{
    const struct train_options *o = &t->want->o;
    int rc = 0;
    for (int i = 0; i < OUTPUTS && !rc; i++) {
        const struct forest_task task = {.n_in = SHARE_N,
                                         .x = t->x,
                                         .y = t->y,
                                         .train = t->rows[SHARE_FITTED].n,
                                         .valid = t->rows[SHARE_VALIDATION].n,
                                         .quantile = i == QUANTILE ? o->quantile : 0,
                                         .rounds = o->epochs,
                                         .patience = o->patience,
                                         .depth = SHARE_DEPTH,
                                         .rate = o->rate,
                                         .child = SHARE_CHILD,
                                         .seed = o->seed};
        rc = train_forest(&task, &t->fit[i], &t->one[i], e);
    }
    return rc ? rc : train_forest_join(t->one, OUTPUTS, &t->forest, e);
}

/* ---- scores ------------------------------------------------------------------------ */

static double off(const struct share_rows *r, const float *y)
{
    double sum = 0;
    for (size_t i = 0; i < r->n; i++)
        sum += fabs((double)y[OUTPUTS * i] - (double)r->y[i]);
    return sum / (double)r->n;
}

static double mean_fitted(const struct share_training *t)
{
    double sum = 0;
    for (size_t i = 0; i < t->rows[SHARE_FITTED].n; i++)
        sum += (double)t->y[i];
    return sum / (double)t->rows[SHARE_FITTED].n;
}

static void compare(struct share_score *s, const struct share_rows *r, const float *y, double mean)
{
    const double n = (double)r->n;
    s->rows = r->n;
    s->mae = off(r, y);
    for (size_t i = 0; i < r->n; i++) {
        const double was = (double)r->y[i], before = (double)r->x[i * SHARE_N];
        s->same += fabs((isnan(before) ? mean : before) - was) / n;
        s->mean += fabs(mean - was) / n;
        s->within += (fabs((double)y[OUTPUTS * i] - was) < 0.32) / n; /* log2 of 1.25 */
        s->covered += (was <= (double)y[OUTPUTS * i + 1]) / n;
    }
}

static int run(struct infer_model *net, size_t n, const float *x, float *y, struct err *e)
{
    char why[256];
    if (infer_run(net, (uint32_t)n, x, y, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    return 0;
}

struct asked {
    struct infer_model *net;
    const struct share_rows *rows;
    float *y; /* room for the answers */
};

static int error_of(void *ctx, const float *x, double *error, struct err *e)
{
    struct asked *a = ctx;
    const int rc = run(a->net, a->rows->n, x, a->y, e);
    *error = rc ? 0 : off(a->rows, a->y);
    return rc;
}

static int importance(struct share_score *s, struct asked *a, uint64_t seed, struct err *e)
{
    const struct score_inputs in = {.x = a->rows->x,
                                    .n = a->rows->n,
                                    .n_in = SHARE_N,
                                    .component = "share",
                                    .seed = seed,
                                    .of = error_of,
                                    .ctx = a,
                                    .plain = s->mae};
    return score_importance(s->importance, &in, e);
}

static int score(struct share_training *t, struct infer_model *net, struct err *e)
{
    const struct share_rows *r = &t->rows[SHARE_TEST];
    float *y = malloc(r->n * OUTPUTS * sizeof *y);
    int rc = y ? run(net, r->n, r->x, y, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc) {
        compare(&t->score, r, y, mean_fitted(t));
        rc = score_calibration(t->score.bin, SCORE_BINS, y, OUTPUTS, r->y, r->n, e);
        rc = rc ? rc : importance(&t->score, &(struct asked){net, r, y}, t->want->o.seed, e);
    }
    free(y);
    return rc;
}

static int score_forest(struct share_training *t, struct err *e)
{
    const struct infer_net net = model_forest_net(t->forest);
    struct infer *runtime;
    struct infer_model *m;
    char why[256];
    if (infer_open(&runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    int rc = infer_load(runtime, &net, &m, why, sizeof why)
                 ? err_set(e, ERR_EFAIL, "inference: %s", why)
                 : score(t, m, e);
    if (!rc)
        infer_unload(m);
    infer_close(runtime);
    return rc;
}

/* ---- provenance --------------------------------------------------------------------- */

static void member(FILE *f, const char *key, double v)
{
    fprintf(f, ", \"%s\": ", key);
    json_number(f, v);
}

static void json_score(FILE *f, const struct share_score *s)
{
    fprintf(f, "{\"rows\": %zu", s->rows);
    member(f, "mae_log2", s->mae);
    member(f, "mae_log2_if_nothing_changed", s->same);
    member(f, "mae_log2_of_mean", s->mean);
    member(f, "within_a_quarter", s->within);
    member(f, "quantile_covers", s->covered);
    fputs(",\n  ", f);
    score_put_numbers(f, "importance_log2", s->importance, SHARE_N);
    fputs(",\n  ", f);
    score_put_bins(f, "calibration_log2", s->bin, 1);
    fputc('}', f);
}

static void pairings(FILE *f, enum share_split which)
{
    char text[160];
    bool first = true;
    for (uint32_t c = 0; c < SHARE_CRITICAL; c++)
        for (uint32_t b = 0; b < SHARE_BESIDE; b++)
            for (uint32_t l = 0; l < SHARE_LOADS; l++)
                if (share_split(c, b) == which) {
                    share_rows_say(c, l, b, text, sizeof text);
                    fputs(first ? "\n  " : ",\n  ", f);
                    json_string(f, text);
                    first = false;
                }
}

static void provenance(FILE *f, const void *training)
{
    const struct share_training *t = training;
    const struct model_train_want *w = t->want;
    const struct infer_net net = model_forest_net(t->forest);
    char text[128];
    model_kind_forest.say(&net, text, sizeof text);
    fprintf(f,
            "{\"schema\": \"malv-model/1\",\n \"name\": \"%s\",\n \"command\": \"malv model train "
            "%s --share --machine %s --seed %llu --epochs %u --patience %u --rate %g --quantile "
            "%g\",\n",
            w->name, w->name, w->machine, (unsigned long long)w->o.seed, w->o.epochs, w->o.patience,
            w->o.rate, w->o.quantile);
    fprintf(f,
            " \"network\": \"%s\", \"features\": \"share/%d\",\n \"outputs\": [\"mean of the log "
            "latency\", \"its %g quantile\"],\n",
            text, SHARE_VERSION, w->o.quantile);
    fprintf(f,
            " \"trainer\": {\"name\": \"XGBoost %s\", \"tree_method\": \"hist\", \"nthread\": 1, "
            "\"max_depth\": %d, \"eta\": %g, \"min_child_rows\": %d, \"rounds_kept\": [%u, %u]},\n",
            t->fit[MEAN].version, SHARE_DEPTH, w->o.rate, SHARE_CHILD, t->fit[MEAN].best,
            t->fit[QUANTILE].best);
    fprintf(f,
            " \"runs\": {\"model\": \"gpu\", \"sharing\": \"mps\", \"seconds\": %d, \"period_ms\": "
            "%d, \"window_periods\": %d, \"seed\": %llu},\n",
            SHARE_SECONDS, SHARE_MS, SHARE_HOLD, (unsigned long long)w->o.seed);
    fprintf(f,
            " \"split\": {\"by\": \"pairing\", \"train\": %zu, \"validation\": %zu, \"test\": "
            "%zu},\n",
            t->rows[SHARE_FITTED].n, t->rows[SHARE_VALIDATION].n, t->rows[SHARE_TEST].n);
    static const char *const names[SPLITS] = {"fitted", "validation", "test"};
    for (int i = 0; i < SPLITS; i++) {
        fprintf(f, " \"%s\": {\"rows\": %zu, \"pairings\": [", names[i], t->rows[i].n);
        pairings(f, (enum share_split)i);
        fputs("]},\n", f);
    }
    fputs(" \"accuracy\": ", f);
    json_score(f, &t->score);
    fputs("}\n", f);
}

/* ---- files ---------------------------------------------------------------------------- */

static int write_files(const struct share_training *t, struct err *e)
{
    char features[32], *path;
    snprintf(features, sizeof features, "share/%d", SHARE_VERSION);
    const struct model_write w = {.dir = t->want->dir, .name = t->want->name};
    const struct safetensors_text meta[] = {{"format", "malv-forest/1"},
                                            {"features", features},
                                            {"outputs", "log latency: mean, quantile"},
                                            {"provenance", "the .json of the same name"}};
    if (asprintf(&path, "%s/%s.safetensors", w.dir, w.name) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = model_forest_write(path, t->forest, meta, 4, e);
    free(path);
    return rc ? rc : model_write_provenance(&w, provenance, t, t->want->json, e);
}

static void print(const struct share_training *t)
{
    const struct share_score *s = &t->score;
    printf("%s: %u trees, %zu windows fitted, %zu to stop by, %zu of other pairings scored\n",
           t->want->name, t->forest->f.n_trees, t->rows[SHARE_FITTED].n,
           t->rows[SHARE_VALIDATION].n, s->rows);
    printf("mean absolute error, log2 of the latency: %.3f; if nothing changed %.3f; mean of all "
           "%.3f\nwithin a quarter: %.1f %%; within the quantile output: %.1f %%\n",
           s->mae, s->same, s->mean, 100 * s->within, 100 * s->covered);
}

static void release(struct share_training *t)
{
    for (int i = 0; i < SPLITS; i++)
        share_rows_free(&t->rows[i]);
    for (int i = 0; i < OUTPUTS; i++)
        model_forest_free(t->one[i]);
    model_forest_free(t->forest);
    free(t->x);
    free(t->y);
    free(t);
}

int model_share_train(const struct model_train_want *want, struct err *e)
{
    struct share_training *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ERR_ENOMEM, "out of memory");
    t->want = want;
    int rc = collect(t, e);
    rc = rc ? rc : fit(t, e);
    rc = rc ? rc : score_forest(t, e);
    rc = rc ? rc : write_files(t, e);
    if (!rc && !want->json && !want->quiet)
        print(t);
    release(t);
    return rc;
}
