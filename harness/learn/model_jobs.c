#include "harness/learn/model_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/learn/jobs_choose.h"
#include "harness/learn/jobs_score.h"
#include "harness/learn/model_write.h"
#include "harness/learn/train_forest.h"

struct part { /* one log and where its jobs went, in this order in time */
    const char *path;
    struct job_rows rows;
    size_t train, valid, test;
    bool absent;
    struct jobs_score score;
};

enum { MEAN, QUANTILE, OUTPUTS };

struct jobs_training {
    const struct model_train_want *want;
    struct part trace[MODEL_TRACES], eval[MODEL_TRACES];
    float *x, *y;      /* all train rows, then all validation rows */
    uint32_t *seconds; /* of the validation rows */
    double quantile;
    struct jobs_choice choice; /* of it; best 0: it was given */
    size_t train, valid, n;
    struct forest_fit fit[OUTPUTS];
    struct model_forest *one[OUTPUTS], *forest;
};

/* ---- rows ------------------------------------------------------------------------ */

static int load(struct jobs_training *t, struct err *e)
{
    const struct model_train_want *w = t->want;
    for (size_t i = 0; i < w->n_trace; i++) {
        struct part *p = &t->trace[i];
        p->path = w->trace[i];
        int rc = job_rows_load(&p->rows, p->path, w->requests, e);
        if (rc)
            return err_wrap(e, rc, "--trace");
        p->train = (size_t)((double)p->rows.n * MODEL_TRAIN_SHARE);
        p->valid = (size_t)((double)p->rows.n * MODEL_VALID_SHARE);
        p->test = p->rows.n - p->train - p->valid;
        if (!p->train || !p->valid || !p->test)
            return err_set(e, ERR_ERANGE, "--trace: %s: %zu jobs, want at least 20", p->path,
                           p->rows.n);
        t->train += p->train;
        t->valid += p->valid;
    }
    for (size_t i = 0; i < w->n_eval; i++) {
        struct part *p = &t->eval[i];
        p->path = w->eval[i];
        int rc = job_rows_load(&p->rows, p->path, w->requests, e);
        if (rc == ERR_ENAME && !strncmp(p->path, "data:", 5)) {
            *e = (struct err){0};
            p->absent = true;
            continue;
        }
        if (rc)
            return err_wrap(e, rc, "--eval");
        p->test = p->rows.n;
    }
    return 0;
}

static void append(struct jobs_training *t, const struct job_rows *from, size_t at, size_t n)
{
    memcpy(t->x + t->n * DURATION_N, from->x + at * DURATION_N, n * DURATION_N * sizeof *t->x);
    memcpy(t->y + t->n, from->y + at, n * sizeof *t->y);
    t->n += n;
}

static int gather(struct jobs_training *t, struct err *e)
{
    const size_t n = t->train + t->valid;
    t->x = malloc(n * DURATION_N * sizeof *t->x);
    t->y = malloc(n * sizeof *t->y);
    t->seconds = malloc(t->valid * sizeof *t->seconds);
    if (!t->x || !t->y || !t->seconds)
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < t->want->n_trace; i++)
        append(t, &t->trace[i].rows, 0, t->trace[i].train);
    for (size_t i = 0; i < t->want->n_trace; i++) {
        const struct part *p = &t->trace[i];
        memcpy(t->seconds + (t->n - t->train), p->rows.seconds + p->train,
               p->valid * sizeof *t->seconds);
        append(t, &p->rows, p->train, p->valid);
    }
    return 0;
}

/* ---- fitting, scoring --------------------------------------------------------------- */

static int choose(struct jobs_training *t, const struct forest_task *task, struct err *e)
{
    size_t valid[MODEL_TRACES];
    t->quantile = t->want->o.quantile;
    if (t->quantile > 0)
        return 0;
    for (size_t i = 0; i < t->want->n_trace; i++)
        valid[i] = t->trace[i].valid;
    int rc = jobs_choose(&t->choice, task, t->seconds, valid, t->want->n_trace, e);
    t->quantile = rc ? 0 : t->choice.quantile[t->choice.best];
    return rc;
}

static int fit(struct jobs_training *t, struct err *e)
{
    const struct train_options *o = &t->want->o;
    struct forest_task task = {.n_in = DURATION_N,
                               .x = t->x,
                               .y = t->y,
                               .train = t->train,
                               .valid = t->valid,
                               .rounds = o->epochs,
                               .patience = o->patience,
                               .depth = JOBS_DEPTH,
                               .rate = o->rate,
                               .child = JOBS_CHILD,
                               .seed = o->seed};
    int rc = choose(t, &task, e);
    for (int i = 0; i < OUTPUTS && !rc; i++) {
        task.quantile = i == QUANTILE ? t->quantile : 0;
        rc = train_forest(&task, &t->fit[i], &t->one[i], e);
    }
    return rc ? rc : train_forest_join(t->one, OUTPUTS, &t->forest, e);
}

static int score_all(struct jobs_training *t, struct err *e)
{
    const struct infer_net net = model_forest_net(t->forest);
    const uint64_t seed = t->want->o.seed;
    struct infer *runtime;
    struct infer_model *m;
    char why[256];
    int rc = 0;
    if (infer_open(&runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    if (infer_load(runtime, &net, &m, why, sizeof why)) {
        infer_close(runtime);
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    }
    for (size_t i = 0; !rc && i < t->want->n_trace; i++) {
        struct part *p = &t->trace[i];
        rc = jobs_score(&p->score, m, &p->rows, p->train + p->valid, p->test, p->train, seed, e);
    }
    /* Baselines know all of a log that was never trained on: the harder rival. */
    for (size_t i = 0; !rc && i < t->want->n_eval; i++)
        if (!t->eval[i].absent)
            rc = jobs_score(&t->eval[i].score, m, &t->eval[i].rows, 0, t->eval[i].test,
                            t->eval[i].test, seed, e);
    infer_unload(m);
    infer_close(runtime);
    return rc;
}

/* ---- provenance --------------------------------------------------------------------- */

static void command(FILE *f, const struct model_train_want *w)
{
    const struct train_options *o = &w->o;
    fprintf(f, "malv model train %s --jobs --seed %llu --epochs %u --patience %u --rate %g",
            w->name, (unsigned long long)o->seed, o->epochs, o->patience, o->rate);
    if (o->quantile > 0)
        fprintf(f, " --quantile %g", o->quantile);
    model_write_traces(f, w);
}

static void json_parts(FILE *f, const struct part *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ",\n  {\"trace\": " : "\n  {\"trace\": ", f);
        json_string(f, p[i].path);
        if (p[i].absent) {
            fputs(", \"absent\": true}", f);
            continue;
        }
        fprintf(f, ", \"format\": \"%s\", \"sha256\": \"%s\", \"jobs\": %zu,\n", p[i].rows.format,
                p[i].rows.digest, p[i].rows.n);
        if (p[i].train) {
            fputs("   ", f);
            model_write_split(f, p[i].train, p[i].valid, p[i].test);
            fputs(",\n", f);
        }
        fputs("   \"accuracy\": ", f);
        jobs_score_json(f, &p[i].score);
        fputc('}', f);
    }
}

static void json_choice(FILE *f, const struct jobs_choice *c)
{
    if (!c->best)
        return;
    fprintf(f,
            " \"quantile\": {\"kept\": %g, \"by\": \"mean wait of batches of %d jobs of the "
            "validation parts in the order predicted, over that of the true order\", \"costs\": [",
            c->quantile[c->best], JOBS_BATCH);
    for (int i = 0; i < JOBS_CANDIDATES; i++) { /* the mean first */
        fprintf(f, i ? ", {\"quantile\": %g, \"cost\": " : "{\"mean_of_log\": true, \"cost\": ",
                c->quantile[i]);
        json_number(f, c->cost[i]);
        fputc('}', f);
    }
    fputs("]},\n", f);
}

static void provenance(FILE *f, const void *training)
{
    const struct jobs_training *t = training;
    const struct train_options *o = &t->want->o;
    static const char *const losses[OUTPUTS] = {"squared error", "pinball"};
    char text[128];
    const struct infer_net net = model_forest_net(t->forest);
    model_kind_forest.say(&net, text, sizeof text);
    fputs("{\"schema\": \"malv-model/1\",\n \"name\": ", f);
    json_string(f, t->want->name);
    fputs(",\n \"command\": ", f);
    model_write_command(f, command, t->want);
    fprintf(f,
            ",\n \"network\": \"%s\", \"features\": \"duration/%d\",\n \"outputs\": [\"mean of "
            "the log duration\", \"its %g quantile\"],\n",
            text, DURATION_VERSION, t->quantile);
    json_choice(f, &t->choice);
    fprintf(f,
            " \"seed\": %llu, \"trainer\": {\"name\": \"XGBoost %s\", \"tree_method\": \"hist\", "
            "\"nthread\": 1, \"max_depth\": %d, \"eta\": %g, \"min_child_rows\": %d},\n",
            (unsigned long long)o->seed, t->fit[MEAN].version, JOBS_DEPTH, o->rate, JOBS_CHILD);
    fputs(" \"assumed\": \"a job starts when it is submitted where its log does not say when\",\n"
          " \"fit\": [",
          f);
    for (int i = 0; i < OUTPUTS; i++) {
        fprintf(f,
                "%s{\"loss\": \"%s\", \"rounds_run\": %u, \"rounds_kept\": %u, "
                "\"validation_loss\": ",
                i ? ", " : "", losses[i], t->fit[i].rounds, t->fit[i].best);
        json_number(f, t->fit[i].valid_loss);
        fputc('}', f);
    }
    fputs("],\n \"trained_on\": [", f);
    json_parts(f, t->trace, t->want->n_trace);
    fputs("],\n \"evaluated_on\": [", f);
    json_parts(f, t->eval, t->want->n_eval);
    fputs("]}\n", f);
}

/* ---- files ---------------------------------------------------------------------------- */

static int write_files(const struct jobs_training *t, struct err *e)
{
    char features[32], *path;
    snprintf(features, sizeof features, "duration/%d", DURATION_VERSION);
    const struct model_write w = {.dir = t->want->dir, .name = t->want->name};
    const struct safetensors_text meta[] = {{"format", "malv-forest/1"},
                                            {"features", features},
                                            {"outputs", "log duration: mean, quantile"},
                                            {"provenance", "the .json of the same name"}};
    if (asprintf(&path, "%s/%s.safetensors", w.dir, w.name) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = model_forest_write(path, t->forest, meta, 4, e);
    free(path);
    return rc ? rc : model_write_provenance(&w, provenance, t, t->want->json, e);
}

static void print(const struct jobs_training *t)
{
    printf("%s: %u trees, %zu jobs fitted, %zu to stop by; %u and %u rounds kept\n", t->want->name,
           t->forest->f.n_trees, t->train, t->valid, t->fit[MEAN].best, t->fit[QUANTILE].best);
    if (t->choice.best)
        printf("cost of ordering by the mean of the log: %.4f\n", t->choice.cost[0]);
    for (int i = 1; t->choice.best && i < JOBS_CANDIDATES; i++)
        printf("by the quantile %g: %.4f%s\n", t->choice.quantile[i], t->choice.cost[i],
               i == t->choice.best ? ", kept" : "");
    for (size_t i = 0; i < t->want->n_trace; i++) {
        printf("\n%s: the last %zu jobs, not trained on\n", t->trace[i].path, t->trace[i].test);
        jobs_score_print(stdout, &t->trace[i].score);
    }
    for (size_t i = 0; i < t->want->n_eval; i++) {
        printf("\n%s: no part of it trained on\n", t->eval[i].path);
        if (t->eval[i].absent)
            printf("not on this machine\n");
        else
            jobs_score_print(stdout, &t->eval[i].score);
    }
}

static void release(struct jobs_training *t)
{
    for (size_t i = 0; i < MODEL_TRACES; i++) {
        job_rows_free(&t->trace[i].rows);
        job_rows_free(&t->eval[i].rows);
    }
    for (int i = 0; i < OUTPUTS; i++)
        model_forest_free(t->one[i]);
    model_forest_free(t->forest);
    free(t->x);
    free(t->y);
    free(t->seconds);
    free(t);
}

int model_jobs_train(const struct model_train_want *want, struct err *e)
{
    struct jobs_training *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ERR_ENOMEM, "out of memory");
    t->want = want;
    int rc = load(t, e);
    rc = rc ? rc : gather(t, e);
    rc = rc ? rc : fit(t, e);
    rc = rc ? rc : score_all(t, e);
    rc = rc ? rc : write_files(t, e);
    if (!rc && !want->json && !want->quiet)
        print(t);
    release(t);
    return rc;
}
