#include "harness/learn/model_steer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"
#include "harness/base/fmt.h"
#include "harness/learn/model_data.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_quant.h"
#include "harness/learn/model_write.h"
#include "harness/learn/train_machine.h"

struct column { /* one trace */
    struct steer_rows rows;
    char *about;
    size_t train, valid, test;
    struct steer_score score, int8_score;
};

struct steer_training {
    const struct model_train_want *want;
    struct column column[MODEL_TRACES];
    float *x; /* all train rows, then all validation rows */
    unsigned char *slow;
    size_t train, valid, n;
    struct train_fit fit;
    struct model_quant quant;
};

/* ---- rows ------------------------------------------------------------------------ */

int model_steer_log(struct steer_rows *rows, const char *trace, const char *machine,
                    enum steer_piece piece, uint64_t seed, size_t most, char **about, struct err *e)
{
    static const char *const section[] = {
        [STEER_BIOS] = "{\"mode\": \"failover\"}", [STEER_WHOLE] = "{}"};
    struct machine *m = NULL;
    struct row_source *from = NULL;
    *rows = (struct steer_rows){0};
    int rc = train_machine(&m, machine, e);
    if (!rc)
        rc = model_data_rows(&from, trace, TRACE_IO, seed, most, about, e);
    if (!rc) {
        rc = steer_rows_collect(rows, from, m, section[piece], seed, e);
        from->close(from);
    }
    machine_free(m);
    return rc;
}

int model_steer_rows(struct steer_rows *rows, const char *trace, const char *machine, uint64_t seed,
                     size_t most, char **about, struct err *e)
{
    int rc = model_steer_log(rows, trace, machine, STEER_BIOS, seed, most, about, e);
    return rc ? rc : steer_rows_label(rows, (size_t)((double)rows->n * STEER_TRAIN_SHARE), e);
}

static int load(struct steer_training *t, struct err *e)
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
        t->train += c->train;
        t->valid += c->valid;
    }
    return 0;
}

static void append(struct steer_training *t, const struct steer_rows *from, size_t at, size_t n)
{
    memcpy(t->x + t->n * LINNOS_N, from->x + at * LINNOS_N, n * LINNOS_N * sizeof *t->x);
    memcpy(t->slow + t->n, from->slow + at, n);
    t->n += n;
}

static int gather(struct steer_training *t, struct err *e)
{
    const size_t n = t->train + t->valid;
    t->x = malloc((n + 1) * LINNOS_N * sizeof *t->x);
    t->slow = malloc(n + 1);
    if (!t->x || !t->slow)
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < t->want->n_trace; i++)
        append(t, &t->column[i].rows, 0, t->column[i].train);
    for (size_t i = 0; i < t->want->n_trace; i++)
        append(t, &t->column[i].rows, t->column[i].train, t->column[i].valid);
    return 0;
}

/* ---- loss -------------------------------------------------------------------------- */

/* Outputs: fast, slow.  max(0, 1 + wrong - right), heavier for a slow read that looks fast. */
static double loss(const void *ctx, size_t row, const double *y, double *d)
{
    const int right = ((const unsigned char *)ctx)[row], wrong = 1 - right;
    const double gap = 1 + y[wrong] - y[right];
    const double weight = right == 1 && y[0] >= y[1] ? STEER_FALSE_SUBMIT_WEIGHT : 1;
    d[right] = gap > 0 ? -weight : 0;
    d[wrong] = gap > 0 ? weight : 0;
    return gap > 0 ? weight * gap : 0;
}

/* ---- scores -------------------------------------------------------------------------- */

static int score_net(struct steer_training *t, struct infer *runtime, const struct infer_mlp *mlp,
                     bool int8, struct err *e)
{
    char why[256];
    struct infer_model *net;
    int rc = 0;
    if (infer_load_mlp(runtime, mlp, &net, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    for (size_t i = 0; !rc && i < t->want->n_trace; i++) {
        struct column *c = &t->column[i];
        rc = steer_score(int8 ? &c->int8_score : &c->score, net, STEER_DIGITS, &c->rows,
                         c->rows.n - c->test, c->test, t->want->o.seed, e);
    }
    infer_unload(net);
    return rc;
}

static int score_all(struct steer_training *t, struct err *e)
{
    char why[256];
    struct infer *runtime;
    if (infer_open(&runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    int rc = score_net(t, runtime, &t->fit.mlp, false, e);
    if (!rc && t->want->int8)
        rc = score_net(t, runtime, &t->quant.mlp, true, e);
    infer_close(runtime);
    return rc;
}

/* ---- provenance ------------------------------------------------------------------------ */

static void put_command(FILE *f, const struct model_train_want *w)
{
    const struct train_options *o = &w->o;
    fprintf(f,
            "malv model train %s --steer --machine %s --requests %llu --seed %llu --hidden %u "
            "--epochs %u --batch %u --patience %u --rate %g%s",
            w->name, w->machine, (unsigned long long)w->requests, (unsigned long long)o->seed,
            o->hidden, o->epochs, o->batch, o->patience, o->rate, w->int8 ? " --int8" : "");
    for (size_t i = 0; i < w->n_trace; i++)
        fprintf(f, " --trace %s", w->trace[i]);
}

static void put_column(FILE *f, const struct column *c, const char *text, bool int8)
{
    fputs("\n  {\"trace\": ", f);
    json_string(f, text);
    fprintf(f,
            ",\n   \"about\": %s,\n   \"split\": {\"by\": \"time\", \"train\": %zu, "
            "\"validation\": %zu, \"test\": %zu},\n   \"slow_from_us\": [",
            c->about, c->train, c->valid, c->test);
    for (int d = 0; d < STEER_DEVICES && c->rows.threshold_us[d] > 0; d++)
        fprintf(f, "%s%.6g", d ? ", " : "", c->rows.threshold_us[d]);
    fputs("],\n   ", f);
    steer_score_json(f, "test", &c->score);
    if (int8) {
        fputs(",\n   ", f);
        steer_score_json(f, "test_int8", &c->int8_score);
    }
    fputs("}", f);
}

static void put_provenance(FILE *f, const void *training)
{
    const struct steer_training *t = training;
    const struct model_train_want *w = t->want;
    const struct train_options *o = &w->o;
    fprintf(f, "{\"schema\": \"malv-model/1\",\n \"name\": \"%s\",\n \"command\": \"", w->name);
    put_command(f, w);
    fprintf(f,
            "\",\n \"network\": \"%u-%u-%u\", \"features\": \"linnos/%d\",\n"
            " \"outputs\": [\"fast\", \"slow\"], \"slow\": \"from the 90th percentile of the "
            "device's reads on\",\n \"loss\": \"categorical hinge, false submits weigh %d\",\n"
            " \"seed\": %llu, \"optimizer\": {\"name\": \"Adam\", \"rate\": %g, \"schedule\": "
            "\"linear to 0\", \"batch\": %u, \"epochs\": %u, \"patience\": %u},\n"
            " \"fit\": {\"epochs_run\": %u, \"best_epoch\": %u, \"train_loss\": %.6g, "
            "\"validation_loss\": %.6g},\n \"trained_on\": [",
            t->fit.mlp.n_in, t->fit.mlp.n_hidden, t->fit.mlp.n_out, LINNOS_VERSION,
            STEER_FALSE_SUBMIT_WEIGHT, (unsigned long long)o->seed, o->rate, o->batch, o->epochs,
            o->patience, t->fit.epochs, t->fit.best_epoch, t->fit.train_loss, t->fit.valid_loss);
    for (size_t i = 0; i < w->n_trace; i++) {
        fputs(i ? "," : "", f);
        put_column(f, &t->column[i], w->trace[i], w->int8);
    }
    fputs("]}\n", f);
}

/* ---- files ----------------------------------------------------------------------------- */

static int write_files(const struct steer_training *t, struct err *e)
{
    char features[32];
    snprintf(features, sizeof features, "linnos/%d", LINNOS_VERSION);
    const struct model_write w = {
        .dir = t->want->dir, .name = t->want->name, .features = features, .outputs = "fast, slow"};
    int rc = model_write_weights(&w, "", &t->fit.mlp, e);
    if (!rc && t->want->int8)
        rc = model_write_weights(&w, "_s8", &t->quant.mlp, e);
    return rc ? rc : model_write_provenance(&w, put_provenance, t, t->want->json, e);
}

static void print(const struct steer_training *t)
{
    printf("%s: %u-%u-%u, %zu rows fitted, %zu to stop by; %u epochs, the best was %u\n\n",
           t->want->name, t->fit.mlp.n_in, t->fit.mlp.n_hidden, t->fit.mlp.n_out, t->train,
           t->valid, t->fit.epochs, t->fit.best_epoch);
    steer_score_print_head();
    for (size_t i = 0; i < t->want->n_trace; i++)
        steer_score_print(t->want->trace[i], &t->column[i].score);
}

static void release(struct steer_training *t)
{
    for (size_t i = 0; i < MODEL_TRACES; i++) {
        steer_rows_free(&t->column[i].rows);
        free(t->column[i].about);
    }
    free(t->x);
    free(t->slow);
    train_fit_free(&t->fit);
    model_quant_free(&t->quant);
    free(t);
}

static int fit(struct steer_training *t, struct err *e)
{
    const struct train_task task = {
        .n_in = LINNOS_N, .n_out = 2, .x = t->x, .loss = loss, .ctx = t->slow};
    return train_net(&task, t->train, t->valid, &t->want->o, t->want->quiet, &t->fit, e);
}

int model_steer_train(const struct model_train_want *want, struct err *e)
{
    struct steer_training *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ERR_ENOMEM, "out of memory");
    t->want = want;
    int rc = load(t, e);
    rc = rc ? rc : gather(t, e);
    rc = rc ? rc : fit(t, e);
    if (!rc && want->int8)
        rc = model_quant(&t->quant, &t->fit.mlp, t->x, t->train, e);
    rc = rc ? rc : score_all(t, e);
    rc = rc ? rc : write_files(t, e);
    if (!rc && !want->json && !want->quiet)
        print(t);
    release(t);
    return rc;
}
