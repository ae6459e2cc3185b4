#include "harness/learn/model_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"
#include "harness/base/fmt.h"
#include "harness/learn/model_data.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_quant.h"
#include "harness/learn/model_write.h"
#include "harness/learn/model_score.h"

struct part { /* one trace and where its rows went */
    struct model_data data;
    size_t train, valid, test; /* counts; in this order in time */
    struct model_score score;
};

struct training {
    const struct model_train_want *want;
    struct part trace[MODEL_TRACES], eval[MODEL_TRACES];
    struct train_rows fitted; /* all train rows, then all validation rows */
    size_t train, valid;
    struct train_fit fit;
    struct model_quant quant;
    struct model_score int8_score; /* on the first trace's test rows */
    struct infer *runtime;
};

/* ---- rows ------------------------------------------------------------------------ */

static int append(struct train_rows *to, const struct train_rows *from, size_t at, size_t n)
{
    float *x = realloc(to->x, (to->n + n + 1) * LENGTH_N * sizeof *x);
    if (x)
        to->x = x;
    uint32_t *tokens = realloc(to->tokens, (to->n + n + 1) * sizeof *tokens);
    if (tokens)
        to->tokens = tokens;
    if (!x || !tokens)
        return -1;
    memcpy(x + to->n * LENGTH_N, from->x + at * LENGTH_N, n * LENGTH_N * sizeof *x);
    memcpy(tokens + to->n, from->tokens + at, n * sizeof *tokens);
    to->n += n;
    return 0;
}

static int load(struct training *t, struct err *e)
{
    const struct model_train_want *w = t->want;
    for (size_t i = 0; i < w->n_trace; i++) {
        struct part *p = &t->trace[i];
        int rc = model_data_load(&p->data, w->trace[i], w->o.seed, w->requests, false, e);
        if (rc)
            return err_wrap(e, rc, "--trace");
        p->train = (size_t)((double)p->data.rows.n * MODEL_TRAIN_SHARE);
        p->valid = (size_t)((double)p->data.rows.n * MODEL_VALID_SHARE);
        p->test = p->data.rows.n - p->train - p->valid;
        t->train += p->train;
        t->valid += p->valid;
    }
    for (size_t i = 0; i < w->n_eval; i++) {
        struct part *p = &t->eval[i];
        int rc = model_data_load(&p->data, w->eval[i], w->o.seed, w->requests, true, e);
        if (rc)
            return err_wrap(e, rc, "--eval");
        p->test = p->data.rows.n;
    }
    int bad = 0;
    for (size_t i = 0; i < w->n_trace; i++)
        bad |= append(&t->fitted, &t->trace[i].data.rows, 0, t->trace[i].train);
    for (size_t i = 0; i < w->n_trace; i++)
        bad |= append(&t->fitted, &t->trace[i].data.rows, t->trace[i].train, t->trace[i].valid);
    return bad ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
}

/* ---- scores ------------------------------------------------------------------------ */

static int score(struct training *t, const struct infer_mlp *mlp, struct part *p,
                 struct model_score *s, struct err *e)
{
    char why[256];
    struct infer_model *net;
    struct model_known known;
    const struct train_rows *rows = &p->data.rows;
    /* Baselines know the fitted rows; on a trace never trained on, its own: the harder rival. */
    int rc = model_known(&known, rows, p->train ? p->train : rows->n, e);
    if (rc)
        return rc;
    if (infer_load_mlp(t->runtime, mlp, &net, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    rc = model_score(s, net, rows, rows->n - p->test, p->test, &known, t->want->o.seed, e);
    infer_unload(net);
    return rc;
}

static int score_all(struct training *t, struct err *e)
{
    char why[256];
    int rc = 0;
    if (infer_open(&t->runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    for (size_t i = 0; !rc && i < t->want->n_trace; i++)
        rc = score(t, &t->fit.mlp, &t->trace[i], &t->trace[i].score, e);
    for (size_t i = 0; !rc && i < t->want->n_eval; i++)
        if (!t->eval[i].data.absent)
            rc = score(t, &t->fit.mlp, &t->eval[i], &t->eval[i].score, e);
    if (!rc && t->want->int8)
        rc = score(t, &t->quant.mlp, &t->trace[0], &t->int8_score, e);
    return rc;
}

/* ---- provenance --------------------------------------------------------------------- */

static void command(FILE *f, const struct model_train_want *w)
{
    const struct train_options *o = &w->o;
    fprintf(f,
            "malv model train %s --requests %llu --seed %llu --hidden %u --epochs %u --batch %u "
            "--patience %u --rate %g --quantile %g%s",
            w->name, (unsigned long long)w->requests, (unsigned long long)o->seed, o->hidden,
            o->epochs, o->batch, o->patience, o->rate, o->quantile, w->int8 ? " --int8" : "");
    model_write_traces(f, w);
}

static void json_parts(FILE *f, const struct part *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ",\n  {\"trace\": " : "\n  {\"trace\": ", f);
        json_string(f, p[i].data.text);
        if (p[i].data.absent) {
            fputs(", \"absent\": true}", f);
            continue;
        }
        fprintf(f, ",\n   \"about\": %s,\n", p[i].data.about);
        if (p[i].train) {
            fputs("   ", f);
            model_write_split(f, p[i].train, p[i].valid, p[i].test);
            fputs(",\n", f);
        }
        fputs("   \"accuracy\": ", f);
        model_score_json(f, &p[i].score);
        fputc('}', f);
    }
}

static void provenance(FILE *f, const void *training)
{
    const struct training *t = training;
    const struct train_options *o = &t->want->o;
    fputs("{\"schema\": \"malv-model/1\",\n \"name\": ", f);
    json_string(f, t->want->name);
    fputs(",\n \"command\": ", f);
    model_write_command(f, command, t->want);
    fprintf(f,
            ",\n \"network\": \"%u-%u-%u\", \"features\": \"length/%d\",\n"
            " \"outputs\": [\"mean of the log length\", \"its %g quantile\"],\n",
            t->fit.mlp.n_in, t->fit.mlp.n_hidden, t->fit.mlp.n_out, LENGTH_VERSION, o->quantile);
    fprintf(f,
            " \"seed\": %llu, \"optimizer\": {\"name\": \"Adam\", \"rate\": %g, \"schedule\": "
            "\"linear to 0\", \"batch\": %u, \"epochs\": %u, \"patience\": %u},\n",
            (unsigned long long)o->seed, o->rate, o->batch, o->epochs, o->patience);
    fprintf(f, " \"assumed\": \"an answer finishes %g s plus %g s per token after arrival\",\n",
            (double)TRAIN_FIRST_NS / 1e9, (double)TRAIN_TOKEN_NS / 1e9);
    fprintf(f, " \"fit\": {\"epochs_run\": %u, \"best_epoch\": %u, \"train_loss\": ", t->fit.epochs,
            t->fit.best_epoch);
    json_number(f, t->fit.train_loss);
    fputs(", \"validation_loss\": ", f);
    json_number(f, t->fit.valid_loss);
    fputs("},\n \"trained_on\": [", f);
    json_parts(f, t->trace, t->want->n_trace);
    fputs("],\n \"evaluated_on\": [", f);
    json_parts(f, t->eval, t->want->n_eval);
    fputs("]", f);
    if (t->want->int8) {
        fputs(",\n \"int8\": {\"file\": ", f);
        fprintf(f, "\"%s_s8.safetensors\", \"accuracy\": ", t->want->name);
        model_score_json(f, &t->int8_score);
        fputs("}", f);
    }
    fputs("}\n", f);
}

/* ---- files ---------------------------------------------------------------------------- */

static int write_files(const struct training *t, struct err *e)
{
    char features[32];
    snprintf(features, sizeof features, "length/%d", LENGTH_VERSION);
    const struct model_write w = {.dir = t->want->dir,
                                  .name = t->want->name,
                                  .features = features,
                                  .outputs = "log length: mean, quantile"};
    int rc = model_write_weights(&w, "", &t->fit.mlp, e);
    if (!rc && t->want->int8)
        rc = model_write_weights(&w, "_s8", &t->quant.mlp, e);
    return rc ? rc : model_write_provenance(&w, provenance, t, t->want->json, e);
}

static void print(const struct training *t)
{
    printf("%s: %u-%u-%u, %zu rows fitted, %zu to stop by; %u epochs, the best was %u\n",
           t->want->name, t->fit.mlp.n_in, t->fit.mlp.n_hidden, t->fit.mlp.n_out, t->train,
           t->valid, t->fit.epochs, t->fit.best_epoch);
    for (size_t i = 0; i < t->want->n_trace; i++) {
        printf("\n%s: the last %zu rows, not trained on\n", t->want->trace[i], t->trace[i].test);
        model_score_print(stdout, &t->trace[i].score);
    }
    for (size_t i = 0; i < t->want->n_eval; i++) {
        printf("\n%s: no part of it trained on\n", t->want->eval[i]);
        if (t->eval[i].data.absent)
            printf("not on this machine\n");
        else
            model_score_print(stdout, &t->eval[i].score);
    }
    if (t->want->int8) {
        printf("\nint8, on the first trace's rows\n");
        model_score_print(stdout, &t->int8_score);
    }
}

static void release(struct training *t)
{
    for (size_t i = 0; i < MODEL_TRACES; i++) {
        model_data_free(&t->trace[i].data);
        model_data_free(&t->eval[i].data);
    }
    train_rows_free(&t->fitted);
    train_fit_free(&t->fit);
    model_quant_free(&t->quant);
    if (t->runtime)
        infer_close(t->runtime);
    free(t);
}

int model_train(const struct model_train_want *want, struct err *e)
{
    struct training *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ERR_ENOMEM, "out of memory");
    t->want = want;
    int rc = load(t, e);
    rc = rc ? rc : train_mlp(&t->fitted, t->train, t->valid, &want->o, want->quiet, &t->fit, e);
    if (!rc && want->int8)
        rc = model_quant(&t->quant, &t->fit.mlp, t->fitted.x, t->train, e);
    rc = rc ? rc : score_all(t, e);
    rc = rc ? rc : write_files(t, e);
    if (!rc && !want->json && !want->quiet)
        print(t);
    release(t);
    return rc;
}
