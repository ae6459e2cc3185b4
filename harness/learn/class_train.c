#include "harness/learn/class_train.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_write.h"
#include "harness/learn/train_loss.h"

struct training {
    const struct class_task *task;
    const struct model_train_want *want;
    struct class_rows fitted, test; /* fitted: all train rows, then all validation rows */
    size_t train, valid;
    struct train_fit fit;
    struct class_score score;
};

/* ---- rows ------------------------------------------------------------------------ */

static void split(struct training *t)
{
    for (size_t i = 0; i < t->task->n_runs; i++) {
        struct class_run *r = &t->task->run[i];
        r->train = (size_t)((double)r->rows.n * MODEL_TRAIN_SHARE);
        r->valid = (size_t)((double)r->rows.n * MODEL_VALID_SHARE);
        r->test = r->rows.n - r->train - r->valid;
        t->train += r->train;
        t->valid += r->valid;
    }
}

static int gather(struct training *t, struct err *e)
{
    const struct class_task *k = t->task;
    bool whole = true;
    t->fitted.n_in = t->test.n_in = k->n_in;
    for (size_t i = 0; i < k->n_runs; i++)
        whole = whole && class_rows_append(&t->fitted, &k->run[i].rows, 0, k->run[i].train);
    for (size_t i = 0; i < k->n_runs; i++) {
        const struct class_run *r = &k->run[i];
        whole = whole && class_rows_append(&t->fitted, &r->rows, r->train, r->valid) &&
                class_rows_append(&t->test, &r->rows, r->train + r->valid, r->test);
    }
    return whole ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

/* ---- fit ------------------------------------------------------------------------- */

static double loss(const void *ctx, size_t row, const double *y, double *d)
{
    const struct training *t = ctx;
    const uint32_t label = t->fitted.label[row];
    return t->task->n_out == 1 ? train_loss_sigmoid(y[0], label, d)
                               : train_loss_softmax(y, t->task->n_out, label, d);
}

static int fit(struct training *t, struct err *e)
{
    const struct class_task *k = t->task;
    struct train_task task = {.n_in = k->n_in,
                              .n_out = k->n_out,
                              .n_deep = k->n_deep,
                              .sigmoid = k->sigmoid,
                              .sigmoid_out = k->n_out == 1,
                              .x = t->fitted.x,
                              .loss = loss,
                              .ctx = t};
    memcpy(task.deep, k->deep, sizeof task.deep);
    return train_net(&task, t->train, t->valid, &t->want->o, t->want->quiet, &t->fit, e);
}

static int score(struct training *t, struct err *e)
{
    char why[256];
    struct infer *runtime;
    struct infer_model *net;
    if (infer_open(&runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    int rc = 0;
    if (infer_load_mlp(runtime, &t->fit.mlp, &net, why, sizeof why)) {
        rc = err_set(e, ERR_EFAIL, "inference: %s", why);
    } else {
        const struct class_net asked = {.model = net, .n_out = t->task->n_out};
        rc = class_score(&t->score, &asked, &t->test, 0, t->test.n, t->want->o.seed, e);
        infer_unload(net);
    }
    infer_close(runtime);
    return rc;
}

/* ---- provenance --------------------------------------------------------------------- */

static void put_runs(FILE *f, const struct class_task *k)
{
    for (size_t i = 0; i < k->n_runs; i++) {
        const struct class_run *r = &k->run[i];
        fprintf(f,
                "%s\n  {\"run\": %s,\n   \"split\": {\"by\": \"time\", \"train\": %zu, "
                "\"validation\": %zu, \"test\": %zu}}",
                i ? "," : "", r->about, r->train, r->valid, r->test);
    }
}

static void provenance(FILE *f, const void *training)
{
    const struct training *t = training;
    const struct train_options *o = &t->want->o;
    char shape[64];
    model_file_shape(&t->fit.mlp, shape, sizeof shape);
    fputs("{\"schema\": \"malv-model/1\",\n \"name\": ", f);
    json_string(f, t->want->name);
    fputs(",\n \"command\": ", f);
    json_string(f, t->task->command);
    fprintf(f,
            ",\n \"network\": \"%s\", \"activation\": \"%s\", \"features\": \"%s\",\n"
            " \"labels\": ",
            shape, t->task->sigmoid ? "sigmoid" : "relu", t->task->features);
    json_string(f, t->task->labels);
    fputs(",\n \"loss\": ", f);
    json_string(f, t->task->loss);
    fprintf(f,
            ",\n \"seed\": %llu, \"optimizer\": {\"name\": \"Adam\", \"rate\": %g, \"schedule\": "
            "\"linear to 0\", \"batch\": %u, \"epochs\": %u, \"patience\": %u},\n"
            " \"fit\": {\"epochs_run\": %u, \"best_epoch\": %u, \"train_loss\": %.6g, "
            "\"validation_loss\": %.6g},\n \"test\": ",
            (unsigned long long)o->seed, o->rate, o->batch, o->epochs, o->patience, t->fit.epochs,
            t->fit.best_epoch, t->fit.train_loss, t->fit.valid_loss);
    class_score_json(f, &t->score, t->task->input, t->task->class_name);
    fputs(",\n \"trained_on\": [", f);
    put_runs(f, t->task);
    fputs("]}\n", f);
}

static int write_files(const struct training *t, struct err *e)
{
    char outputs[256] = "";
    const uint32_t classes = t->task->n_out == 1 ? 2 : t->task->n_out;
    for (uint32_t i = t->task->n_out == 1; i < classes; i++) {
        const size_t at = strlen(outputs);
        snprintf(outputs + at, sizeof outputs - at, "%s%s", at ? ", " : "", t->task->class_name[i]);
    }
    const struct model_write w = {.dir = t->want->dir,
                                  .name = t->want->name,
                                  .features = t->task->features,
                                  .outputs = outputs};
    const int rc = model_write_weights(&w, "", &t->fit.mlp, e);
    return rc ? rc : model_write_provenance(&w, provenance, t, t->want->json, e);
}

int class_train(const struct class_task *task, const struct model_train_want *want, struct err *e)
{
    struct training t = {.task = task, .want = want};
    char shape[64];
    split(&t);
    int rc = gather(&t, e);
    rc = rc ? rc : fit(&t, e);
    rc = rc ? rc : score(&t, e);
    rc = rc ? rc : write_files(&t, e);
    if (!rc && !want->json && !want->quiet) {
        model_file_shape(&t.fit.mlp, shape, sizeof shape);
        printf("%s: %s, %zu rows of %zu runs fitted, %zu to stop by; %u epochs, the best was %u\n\n"
               "the last %zu rows of the runs, not trained on\n",
               want->name, shape, t.train, task->n_runs, t.valid, t.fit.epochs, t.fit.best_epoch,
               t.test.n);
        class_score_print(stdout, &t.score, task->input, task->class_name);
    }
    class_rows_free(&t.fitted);
    class_rows_free(&t.test);
    train_fit_free(&t.fit);
    return rc;
}

void class_runs_free(struct class_run *run, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        class_rows_free(&run[i].rows);
        free(run[i].about);
    }
}
