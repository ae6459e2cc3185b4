#include "harness/learn/model_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/learn/model_data.h"
#include "harness/learn/model_file_lstm.h"
#include "harness/learn/model_write.h"
#include "harness/learn/page_score.h"
#include "harness/learn/train_lstm.h"
#include "sim/rng.h"

/* Hot sets that come round after 3, 4, 4, 5, 6 and 8 periods and stay for one or two of them, 2 to
 * 60 accesses a page; and what does not move. */
#define SYNTH(keys) "{\"synth\": {\"table\": \"pages\", \"rows\": 160000, " keys "}}"
#define PHASES(pages, hot, phase)                                                                  \
    SYNTH("\"pattern\": \"phases\", \"pages\": " #pages ", \"hot\": " #hot                         \
          ", \"phase_accesses\": " #phase)
const char *const model_pages_traces[] = {PHASES(240, 0.333334, 1000),
                                          PHASES(60, 0.25, 1000),
                                          PHASES(900, 0.5, 2000),
                                          PHASES(150, 0.2, 1000),
                                          PHASES(120, 0.333334, 2000),
                                          PHASES(400, 0.25, 2000),
                                          SYNTH("\"pattern\": \"zipf\", \"pages\": 2000"),
                                          SYNTH("\"pattern\": \"uniform\", \"pages\": 300"),
                                          NULL};

struct part { /* one trace */
    struct page_rows rows;
    char *about;
    size_t train, valid, test;
    struct page_score score;
};

struct training {
    const struct model_train_want *want;
    struct part part[MODEL_TRACES];
    uint8_t *id, *next; /* all train rows, then all validation rows */
    size_t train, valid, n;
    struct rng scale;
    struct train_lstm_fit fit;
};

/* ---- rows ------------------------------------------------------------------------------ */

static int load_part(struct part *p, const struct model_train_want *w, const char *trace,
                     struct err *e)
{
    struct row_source *from = NULL;
    int rc = model_data_rows(&from, trace, TRACE_PAGES, w->o.seed, 0, &p->about, e);
    if (rc)
        return err_wrap(e, rc, "--trace");
    rc = page_rows_collect(&p->rows, from, PAGES_PERIOD, e);
    from->close(from);
    page_rows_thin(&p->rows, w->requests, w->o.seed);
    p->train = (size_t)((double)p->rows.n * MODEL_TRAIN_SHARE);
    p->valid = (size_t)((double)p->rows.n * MODEL_VALID_SHARE);
    p->test = p->rows.n - p->train - p->valid;
    return rc;
}

static uint8_t scaled(uint8_t bin, double by)
{
    return (uint8_t)place_bin((uint32_t)(place_bin_mean(bin) * by));
}

/* Each row as if there were 2^-2 to 2^3 times as many accesses: how a page comes round and how
 * often it is accessed then have nothing to do with each other, though in a handful of traces they
 * seem to. */
static void append(struct training *t, const struct page_rows *from, size_t at, size_t n)
{
    for (size_t i = at; i < at + n; i++, t->n++) {
        const double by = 0.25 * (double)(1u << rng_below(&t->scale, 6));
        for (size_t k = 0; k < PLACE_STEPS; k++)
            t->id[t->n * PLACE_STEPS + k] = scaled(from->id[i * PLACE_STEPS + k], by);
        t->next[t->n] = scaled(from->next[i], by);
    }
}

static int load(struct training *t, struct err *e)
{
    const struct model_train_want *w = t->want;
    for (size_t i = 0; i < w->n_trace; i++) {
        int rc = load_part(&t->part[i], w, w->trace[i], e);
        if (rc)
            return rc;
        t->train += t->part[i].train;
        t->valid += t->part[i].valid;
    }
    t->id = malloc((t->train + t->valid + 1) * PLACE_STEPS);
    t->next = malloc(t->train + t->valid + 1);
    if (!t->id || !t->next)
        return err_set(e, ERR_ENOMEM, "out of memory");
    rng_init(&t->scale, w->o.seed, "train", "scale");
    for (size_t i = 0; i < w->n_trace; i++)
        append(t, &t->part[i].rows, 0, t->part[i].train);
    for (size_t i = 0; i < w->n_trace; i++)
        append(t, &t->part[i].rows, t->part[i].train, t->part[i].valid);
    return 0;
}

/* ---- scores ----------------------------------------------------------------------------- */

static int score_parts(struct training *t, struct infer *runtime, struct err *e)
{
    const struct infer_net net = {.kind = INFER_LSTM, .lstm = &t->fit.net};
    struct infer_model *model;
    char why[256];
    int rc = 0;
    if (infer_load(runtime, &net, &model, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    for (size_t i = 0; !rc && i < t->want->n_trace; i++) {
        struct part *p = &t->part[i];
        rc = page_score(&p->score, model, &p->rows, p->rows.n - p->test, p->test, t->want->o.seed,
                        e);
    }
    infer_unload(model);
    return rc;
}

static int score(struct training *t, struct err *e)
{
    struct infer *runtime;
    char why[256];
    if (infer_open(&runtime, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    int rc = score_parts(t, runtime, e);
    infer_close(runtime);
    return rc;
}

/* ---- files -------------------------------------------------------------------------------- */

static void put_command(FILE *f, const struct model_train_want *w)
{
    const struct train_options *o = &w->o;
    fprintf(f,
            "malv model train %s --pages --requests %llu --seed %llu --hidden %u --epochs %u "
            "--batch %u --patience %u --rate %g",
            w->name, (unsigned long long)w->requests, (unsigned long long)o->seed, o->hidden,
            o->epochs, o->batch, o->patience, o->rate);
    model_write_traces(f, w);
}

static void put_part(FILE *f, const struct part *p, const char *text)
{
    fputs("\n  {\"trace\": ", f);
    json_string(f, text);
    fprintf(f,
            ",\n   \"about\": %s,\n   \"pages\": %zu, \"periods\": %zu, \"split\": {\"by\": "
            "\"time\", \"train\": %zu, \"validation\": %zu, \"test\": %zu},\n   \"test\": ",
            p->about, p->rows.pages, p->rows.periods, p->train, p->valid, p->test);
    page_score_json(f, &p->score);
    fputs("}", f);
}

static void put_provenance(FILE *f, const void *training)
{
    const struct training *t = training;
    const struct train_options *o = &t->want->o;
    fprintf(f, "{\"schema\": \"malv-model/1\",\n \"name\": \"%s\",\n \"command\": ", t->want->name);
    model_write_command(f, put_command, t->want);
    fprintf(f,
            ",\n \"network\": \"%u ids of %u, LSTM %u x %u, softmax of %u\", \"features\": "
            "\"place/%d\",\n \"outputs\": \"probability of each bin of the next period's "
            "accesses\", \"period\": \"%d rows of the trace\",\n \"confusion\": \"[real][foreseen] "
            "of 0, 1..3, 4..15 and more accesses\",\n",
            t->fit.net.steps, t->fit.net.vocab, t->fit.net.layers, t->fit.net.width,
            t->fit.net.n_out, PLACE_VERSION, PAGES_PERIOD);
    fprintf(f,
            " \"seed\": %llu, \"optimizer\": {\"name\": \"Adam\", \"rate\": %g, \"schedule\": "
            "\"linear to 0\", \"batch\": %u, \"epochs\": %u, \"patience\": %u},\n"
            " \"fit\": {\"epochs_run\": %u, \"best_epoch\": %u, \"train_loss\": %.6g, "
            "\"validation_loss\": %.6g},\n \"trained_on\": [",
            (unsigned long long)o->seed, o->rate, o->batch, o->epochs, o->patience, t->fit.epochs,
            t->fit.best_epoch, t->fit.train_loss, t->fit.valid_loss);
    for (size_t i = 0; i < t->want->n_trace; i++) {
        fputs(i ? "," : "", f);
        put_part(f, &t->part[i], t->want->trace[i]);
    }
    fputs("]}\n", f);
}

static int write_files(const struct training *t, struct err *e)
{
    char features[32], *path;
    snprintf(features, sizeof features, "place/%d", PLACE_VERSION);
    const struct model_write w = {.dir = t->want->dir, .name = t->want->name};
    const struct safetensors_text meta[] = {{"format", "malv-lstm/1"},
                                            {"features", features},
                                            {"outputs", "bins of the next period's accesses"},
                                            {"provenance", "the .json of the same name"}};
    if (asprintf(&path, "%s/%s.safetensors", w.dir, w.name) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = model_lstm_write(path, &t->fit.net, meta, sizeof meta / sizeof *meta, e);
    free(path);
    return rc ? rc : model_write_provenance(&w, put_provenance, t, t->want->json, e);
}

static void print(const struct training *t)
{
    printf("%s: LSTM %u x %u, %zu rows fitted, %zu to stop by; %u epochs, the best was %u\n\n"
           "  %8s %9s %12s %11s %12s  %s\n",
           t->want->name, t->fit.net.layers, t->fit.net.width, t->train, t->valid, t->fit.epochs,
           t->fit.best_epoch, "rows", "accuracy", "as before", "mean error", "as before",
           "the last rows of");
    for (size_t i = 0; i < t->want->n_trace; i++) {
        const struct page_score *s = &t->part[i].score;
        printf("  %8zu %8.1f%% %11.1f%% %11.2f %12.2f  %s\n", s->rows, 100 * s->accuracy,
               100 * s->stay_accuracy, s->error, s->stay_error, t->want->trace[i]);
    }
}

static void release(struct training *t)
{
    for (size_t i = 0; i < MODEL_TRACES; i++) {
        page_rows_free(&t->part[i].rows);
        free(t->part[i].about);
    }
    free(t->id);
    free(t->next);
    train_lstm_fit_free(&t->fit);
    free(t);
}

static int fit(struct training *t, struct err *e)
{
    const struct train_options *o = &t->want->o;
    const struct train_lstm_task task = {PLACE_STEPS, PLACE_BINS, PLACE_BINS, t->id, t->next};
    const struct train_lstm_options how = {.seed = o->seed,
                                           .layers = PAGES_LAYERS,
                                           .width = o->hidden,
                                           .epochs = o->epochs,
                                           .batch = o->batch,
                                           .patience = o->patience,
                                           .rate = o->rate};
    if (o->hidden > INFER_LSTM_WIDTH)
        return err_set(e, ERR_EUSAGE, "--hidden: got %u, want 1..%d with --pages", o->hidden,
                       INFER_LSTM_WIDTH);
    return train_lstm(&task, t->train, t->valid, &how, t->want->quiet, &t->fit, e);
}

int model_pages_train(const struct model_train_want *want, struct err *e)
{
    struct training *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(e, ERR_ENOMEM, "out of memory");
    t->want = want;
    int rc = load(t, e);
    rc = rc ? rc : fit(t, e);
    rc = rc ? rc : score(t, e);
    rc = rc ? rc : write_files(t, e);
    if (!rc && !want->json && !want->quiet)
        print(t);
    release(t);
    return rc;
}
