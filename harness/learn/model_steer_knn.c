#include "harness/learn/model_steer_knn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/learn/model_file_knn.h"
#include "harness/learn/model_write.h"
#include "policies/linnos_features.h"

/* Slow references in a hundred, one of which the validation rows choose. */
static const uint32_t shares[] = {10, 20, 30, 40, 50};
enum { SHARES = sizeof shares / sizeof *shares };

struct column { /* of one trace */
    struct steer_rows rows;
    char *about;
    size_t train, valid, test;
    struct steer_score score;
};

struct training {
    const struct model_train_want *want;
    struct column column[MODEL_TRACES];
    struct infer *runtime;
    int8_t refs[STEER_KNN_REFS * KNN_FEATURES_N];
    uint8_t labels[STEER_KNN_REFS];
    struct infer_knn m;
    double cost[SHARES]; /* of the validation rows, each */
    uint32_t slow;       /* the share taken */
    size_t valid;
};

/* ---- rows ------------------------------------------------------------------------- */

static int load(struct training *t, struct err *e)
{
    const struct model_train_want *w = t->want;
    for (size_t i = 0; i < w->n_trace; i++) {
        struct column *c = &t->column[i];
        int rc = model_steer_rows(&c->rows, w->trace[i], w->machine, w->o.seed, w->requests,
                                  &c->about, e);
        if (rc)
            return rc;
        c->train = (size_t)((double)c->rows.n * STEER_TRAIN_SHARE);
        c->valid = (size_t)((double)c->rows.n * STEER_VALID_SHARE);
        c->test = c->rows.n - c->train - c->valid;
        t->valid += c->valid;
    }
    return 0;
}

static size_t count(const struct training *t, bool slow)
{
    size_t n = 0;
    for (size_t i = 0; i < t->want->n_trace; i++)
        for (size_t r = 0; r < t->column[i].train; r++)
            n += t->column[i].rows.slow[r] == slow;
    return n;
}

/* ---- references --------------------------------------------------------------------- */

static void put_reference(struct training *t, const float *digits, bool slow)
{
    float x[KNN_FEATURES_N];
    knn_features(digits, x);
    for (int i = 0; i < KNN_FEATURES_N; i++)
        t->refs[(size_t)t->m.n_refs * KNN_FEATURES_N + (size_t)i] = (int8_t)x[i];
    t->labels[t->m.n_refs++] = slow;
}

/* Evenly `want` of the `all` rows that are slow, or fast. */
static void pick(struct training *t, bool slow, size_t want, size_t all)
{
    size_t seen = 0, taken = 0;
    for (size_t i = 0; i < t->want->n_trace; i++) {
        const struct column *c = &t->column[i];
        for (size_t r = 0; r < c->train; r++)
            if (c->rows.slow[r] == slow && seen++ == (2 * taken + 1) * all / (2 * want)) {
                put_reference(t, c->rows.x + r * LINNOS_N, slow);
                if (++taken == want)
                    return;
            }
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void choose(struct training *t, uint32_t share)
{
    const size_t slow = count(t, true), fast = count(t, false);
    size_t want = least(slow, STEER_KNN_REFS * share / 100);
    t->m = (struct infer_knn){.n_dim = KNN_FEATURES_N,
                              .k = STEER_KNN_K,
                              .n_labels = 2,
                              .refs = t->refs,
                              .labels = t->labels,
                              .in_scale = 1};
    if (want)
        pick(t, true, want, slow);
    want = least(fast, STEER_KNN_REFS - want);
    if (want)
        pick(t, false, want, fast);
    t->m.k = (uint32_t)least(STEER_KNN_K, t->m.n_refs);
    t->slow = share;
}

/* ---- scores --------------------------------------------------------------------------- */

static int with_net(struct training *t,
                    int (*f)(struct training *, struct infer_model *, struct err *), struct err *e)
{
    const struct infer_net net = {.kind = INFER_KNN, .knn = &t->m};
    struct infer_model *loaded;
    char why[256];
    if (infer_load(t->runtime, &net, &loaded, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    int rc = f(t, loaded, e);
    infer_unload(loaded);
    return rc;
}

enum { BATCH = 256 };

/* What the mistakes among the validation rows of a column cost. */
static int cost_of(struct infer_model *net, const struct column *c, double *cost, struct err *e)
{
    float x[BATCH * KNN_FEATURES_N], y[BATCH * 3];
    char why[256];
    for (size_t from = c->train, end = from + c->valid, some; from < end; from += some) {
        some = least(end - from, BATCH);
        for (size_t i = 0; i < some; i++)
            knn_features(c->rows.x + (from + i) * LINNOS_N, x + i * KNN_FEATURES_N);
        if (infer_run(net, (uint32_t)some, x, y, why, sizeof why))
            return err_set(e, ERR_EFAIL, "inference: %s", why);
        for (size_t i = 0; i < some; i++) {
            const bool said = y[3 * i + 1] > y[3 * i], is = c->rows.slow[from + i];
            *cost += said == is ? 0 : is ? STEER_FALSE_SUBMIT_WEIGHT : 1;
        }
    }
    return 0;
}

static int validate(struct training *t, struct infer_model *net, struct err *e)
{
    double cost = 0;
    int rc = 0;
    for (size_t i = 0; !rc && i < t->want->n_trace; i++)
        rc = cost_of(net, &t->column[i], &cost, e);
    for (int i = 0; i < SHARES; i++)
        if (shares[i] == t->slow)
            t->cost[i] = t->valid ? cost / (double)t->valid : 0;
    return rc;
}

static int test(struct training *t, struct infer_model *net, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < t->want->n_trace; i++) {
        struct column *c = &t->column[i];
        rc = steer_score(&c->score, net, STEER_POINTS, &c->rows, c->rows.n - c->test, c->test,
                         t->want->o.seed, e);
    }
    return rc;
}

static int fit(struct training *t, struct err *e)
{
    char why[256];
    int rc = 0, best = 0;
    if (infer_open(&t->runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    if (!count(t, true) || !count(t, false))
        return err_set(e, ERR_ERANGE, "the traces have no slow reads, or no fast ones");
    for (int i = 0; !rc && i < SHARES; i++) {
        choose(t, shares[i]);
        rc = with_net(t, validate, e);
        best = t->cost[i] < t->cost[best] ? i : best;
    }
    if (rc)
        return rc;
    choose(t, shares[best]);
    return with_net(t, test, e);
}

/* ---- files ------------------------------------------------------------------------------ */

static void put_command(FILE *f, const struct model_train_want *w)
{
    fprintf(f, "malv model train %s --steer-knn --machine %s --requests %llu --seed %llu", w->name,
            w->machine, (unsigned long long)w->requests, (unsigned long long)w->o.seed);
    for (size_t i = 0; i < w->n_trace; i++)
        fprintf(f, " --trace %s", w->trace[i]);
}

static void put_column(FILE *f, const struct column *c, const char *text)
{
    fputs("\n  {\"trace\": ", f);
    json_string(f, text);
    fprintf(f,
            ",\n   \"about\": %s,\n   \"split\": {\"by\": \"time\", \"train\": %zu, "
            "\"validation\": %zu, \"test\": %zu},\n   ",
            c->about, c->train, c->valid, c->test);
    steer_score_json(f, "test", &c->score);
    fputs("}", f);
}

static void put_provenance(FILE *f, const void *training)
{
    const struct training *t = training;
    const struct model_train_want *w = t->want;
    fprintf(f, "{\"schema\": \"malv-model/1\",\n \"name\": \"%s\",\n \"command\": \"", w->name);
    put_command(f, w);
    fprintf(f,
            "\",\n \"network\": \"%u nearest of %u\", \"features\": \"knn/%d\",\n"
            " \"outputs\": [\"votes for fast\", \"votes for slow\", \"mean squared distance\"],\n"
            " \"slow\": \"from the 90th percentile of the device's reads on\", \"seed\": %llu,\n"
            " \"slow_references\": {\"share\": %g, \"chosen_by\": \"validation rows, false submits "
            "weigh %d\", \"tried\": [",
            t->m.k, t->m.n_refs, KNN_FEATURES_VERSION, (unsigned long long)w->o.seed,
            t->slow / 100.0, STEER_FALSE_SUBMIT_WEIGHT);
    for (int i = 0; i < SHARES; i++)
        fprintf(f, "%s{\"share\": %g, \"cost\": %.6g}", i ? ", " : "", shares[i] / 100.0,
                t->cost[i]);
    fputs("]},\n \"trained_on\": [", f);
    for (size_t i = 0; i < w->n_trace; i++) {
        fputs(i ? "," : "", f);
        put_column(f, &t->column[i], w->trace[i]);
    }
    fputs("]}\n", f);
}

static int write_files(const struct training *t, struct err *e)
{
    char features[32], *path;
    snprintf(features, sizeof features, "knn/%d", KNN_FEATURES_VERSION);
    const struct model_write w = {
        .dir = t->want->dir, .name = t->want->name, .features = features, .outputs = NULL};
    const struct safetensors_text meta[] = {{"format", "malv-knn/1"},
                                            {"features", features},
                                            {"outputs", "votes for fast, for slow; distance"},
                                            {"provenance", "the .json of the same name"}};
    if (asprintf(&path, "%s/%s.safetensors", w.dir, w.name) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = model_knn_write(path, &t->m, meta, sizeof meta / sizeof *meta, e);
    free(path);
    return rc ? rc : model_write_provenance(&w, put_provenance, t, t->want->json, e);
}

static void print(const struct training *t)
{
    printf("%s: %u nearest of %u references, %u %% of them slow (by %zu validation rows)\n\n",
           t->want->name, t->m.k, t->m.n_refs, t->slow, t->valid);
    steer_score_print_head();
    for (size_t i = 0; i < t->want->n_trace; i++)
        steer_score_print(t->want->trace[i], &t->column[i].score);
}

int model_steer_knn_train(const struct model_train_want *want, struct err *e)
{
    struct training *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ERR_ENOMEM, "out of memory");
    t->want = want;
    int rc = load(t, e);
    rc = rc ? rc : fit(t, e);
    rc = rc ? rc : write_files(t, e);
    if (!rc && !want->json && !want->quiet)
        print(t);
    for (size_t i = 0; i < MODEL_TRACES; i++) {
        steer_rows_free(&t->column[i].rows);
        free(t->column[i].about);
    }
    infer_close(t->runtime);
    free(t);
    return rc;
}
