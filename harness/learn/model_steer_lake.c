#include "harness/learn/model_steer_lake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/learn/model_write.h"
#include "sim/rng.h"

struct training { /* of one device */
    const struct model_train_want *want;
    char name[64];
    uint32_t device;
    const char *about;
    struct steer_rows rows;
    size_t train, test;
    struct train_options o;
    struct train_fit fit;
    struct steer_score score;
};

/* ---- rows ------------------------------------------------------------------------- */

static void copy_row(struct steer_rows *to, size_t at, const struct steer_rows *from, size_t i)
{
    memcpy(to->x + at * LINNOS_N, from->x + i * LINNOS_N, LINNOS_N * sizeof *to->x);
    to->latency_us[at] = from->latency_us[i];
    to->device[at] = from->device[i];
}

static int room(struct steer_rows *rows, size_t n, struct err *e)
{
    rows->cap = n + 1;
    rows->x = malloc(rows->cap * LINNOS_N * sizeof *rows->x);
    rows->latency_us = malloc(rows->cap * sizeof *rows->latency_us);
    rows->device = malloc(rows->cap);
    rows->slow = malloc(rows->cap);
    return rows->x && rows->latency_us && rows->device && rows->slow
               ? 0
               : err_set(e, ERR_ENOMEM, "out of memory");
}

/* The rows of t->device in a seeded order, labelled. */
static int pick(struct training *t, const struct steer_rows *all, struct err *e)
{
    struct rng r;
    size_t n = 0;
    int rc = room(&t->rows, all->n, e);
    size_t *order = malloc((all->n + 1) * sizeof *order);
    if (!rc && !order)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    rng_init_indexed(&r, t->want->o.seed, "train", "rows", t->device);
    for (size_t i = 0; !rc && i < all->n; i++)
        if (all->device[i] == t->device)
            order[n++] = i;
    for (size_t i = n; !rc && i > 0; i--) {
        const size_t j = (size_t)rng_below(&r, i), row = order[j];
        order[j] = order[i - 1];
        copy_row(&t->rows, t->rows.n++, all, row);
    }
    free(order);
    if (rc)
        return rc;
    t->train = (size_t)((double)n * STEER_TRAIN_SHARE);
    t->test = n - t->train;
    return steer_rows_label(&t->rows, n, e);
}

/* ---- fit -------------------------------------------------------------------------- */

double model_steer_lake_loss(const void *ctx, size_t row, const double *y, double *d)
{
    const int right = ((const unsigned char *)ctx)[row], wrong = 1 - right;
    const double other = y[wrong] > 0 ? y[wrong] : 0, gap = 1 + other - y[right];
    const double weight = right == 1 && y[0] >= y[1] ? STEER_FALSE_SUBMIT_WEIGHT : 1;
    d[right] = gap > 0 ? -weight : 0;
    d[wrong] = gap > 0 && y[wrong] > 0 ? weight : 0;
    return gap > 0 ? weight * gap : 0;
}

static int fit(struct training *t, struct err *e)
{
    const struct train_task task = {.n_in = LINNOS_N,
                                    .n_out = 2,
                                    .keras = true,
                                    .x = t->rows.x,
                                    .loss = model_steer_lake_loss,
                                    .ctx = t->rows.slow};
    t->o = t->want->o;
    t->o.seed += t->device;
    return train_net(&task, t->train, t->test, &t->o, t->want->quiet, &t->fit, e);
}

static int score(struct training *t, struct err *e)
{
    char why[256];
    struct infer *runtime = NULL;
    struct infer_model *net;
    if (infer_open(&runtime, INFER_CPU, why, sizeof why) ||
        infer_load_mlp(runtime, &t->fit.mlp, &net, why, sizeof why)) {
        infer_close(runtime);
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    }
    int rc =
        steer_score(&t->score, net, STEER_DIGITS, &t->rows, t->train, t->test, t->want->o.seed, e);
    infer_unload(net);
    infer_close(runtime);
    return rc;
}

/* ---- files ------------------------------------------------------------------------ */

static void put_command(FILE *f, const struct model_train_want *w)
{
    const struct train_options *o = &w->o;
    fprintf(f,
            "malv model train %s --steer-lake --machine %s --requests %llu --seed %llu --hidden %u "
            "--epochs %u --batch %u --rate %g",
            w->name, w->machine, (unsigned long long)w->requests, (unsigned long long)o->seed,
            o->hidden, o->epochs, o->batch, o->rate);
    model_write_traces(f, w);
}

static void put_provenance(FILE *f, const void *training)
{
    const struct training *t = training;
    const struct train_options *o = &t->o;
    fprintf(f, "{\"schema\": \"malv-model/1\",\n \"name\": \"%s\",\n \"command\": ", t->name);
    model_write_command(f, put_command, t->want);
    fprintf(f,
            ",\n \"network\": \"%u-%u-%u\", \"features\": \"linnos/%d\", \"device\": %u,\n"
            " \"outputs\": [\"fast\", \"slow\"], \"slow\": \"from the 90th percentile of the "
            "device's reads on\",\n \"loss\": \"categorical hinge as in Keras, false submits weigh "
            "%d\",\n \"seed\": %llu, \"optimizer\": {\"name\": \"Adam\", \"rate\": %g, "
            "\"schedule\": \"constant\", \"batch\": %u, \"epochs\": %u, \"kept\": \"the last\"},\n"
            " \"trained_on\": [\n  {\"trace\": ",
            t->fit.mlp.n_in, t->fit.mlp.n_hidden, t->fit.mlp.n_out, LINNOS_VERSION, t->device,
            STEER_FALSE_SUBMIT_WEIGHT, (unsigned long long)o->seed, o->rate, o->batch,
            t->fit.epochs);
    json_string(f, t->want->trace[0]);
    fprintf(f,
            ",\n   \"about\": %s,\n   \"split\": {\"by\": \"chance\", \"train\": %zu, \"test\": "
            "%zu}, \"slow_from_us\": %.6g,\n   ",
            t->about, t->train, t->test, t->rows.threshold_us[t->device]);
    steer_score_json(f, "test", &t->score);
    fputs("}]}\n", f);
}

static int write_files(const struct training *t, struct err *e)
{
    char features[32];
    snprintf(features, sizeof features, "linnos/%d", LINNOS_VERSION);
    const struct model_write w = {
        .dir = t->want->dir, .name = t->name, .features = features, .outputs = "fast, slow"};
    int rc = model_write_weights(&w, "", &t->fit.mlp, e);
    return rc ? rc : model_write_provenance(&w, put_provenance, t, t->want->json, e);
}

/* ---- all devices ------------------------------------------------------------------ */

static int one(const struct model_train_want *want, const struct steer_rows *all, uint32_t device,
               const char *about, struct err *e)
{
    struct training t = {.want = want, .device = device, .about = about};
    snprintf(t.name, sizeof t.name, "%.48s_%u", want->name, device);
    int rc = pick(&t, all, e);
    rc = rc ? rc : fit(&t, e);
    rc = rc ? rc : score(&t, e);
    rc = rc ? rc : write_files(&t, e);
    if (!rc && !want->json && !want->quiet)
        steer_score_print(t.name, &t.score);
    steer_rows_free(&t.rows);
    train_fit_free(&t.fit);
    return rc;
}

int model_steer_lake_train(const struct model_train_want *want, struct err *e)
{
    struct steer_rows all = {0};
    char *about = NULL;
    uint32_t devices = 0;
    if (want->n_trace != 1)
        return err_set(e, ERR_EUSAGE, "--steer-lake: want one --trace");
    int rc = model_steer_log(&all, want->trace[0], want->machine, STEER_WHOLE, want->o.seed,
                             want->requests, &about, e);
    for (size_t i = 0; i < all.n; i++)
        devices = all.device[i] >= devices ? all.device[i] + 1U : devices;
    if (!rc && !want->json && !want->quiet)
        steer_score_print_head();
    for (uint32_t d = 0; !rc && d < devices; d++)
        rc = one(want, &all, d, about, e);
    steer_rows_free(&all);
    free(about);
    return rc;
}
