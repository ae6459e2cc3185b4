#include "harness/policy/infer_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/mlp_train.h"
#include "harness/learn/model_file.h"

#define MODELS_MOST 32

struct infer_host {
    struct infer *runtime;
    struct model_infer face;
    struct infer_tap tap;
    struct host_model {
        char *name;              /* NULL: the place is free */
        struct model_file *file; /* NULL: of a fork */
        struct infer_model *loaded;
        uint64_t bytes; /* of its weights */
        /* Of a fork: what learns, and what it came from. */
        struct mlp_train *learns;
        int of;
    } model[MODELS_MOST];
    int n;         /* places in use, free ones among them */
    char why[256]; /* the last failure */
};

int infer_host_backend(const char *text, enum infer_backend *out, struct err *e)
{
    static const char *const names[] = {"auto", "cuda", "cpu", "emu"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(text, names[i])) {
            *out = (enum infer_backend)i;
            return 0;
        }
    return err_set(e, ERR_EUSAGE, "no backend \"%.32s\"; want auto, cuda, cpu or emu", text);
}

static int known(const struct infer_host *h, int model)
{
    return model >= 0 && model < h->n && h->model[model].name;
}

/* The network as it was opened: a fork has the shape of what it came from. */
static const struct infer_net *net_of(const struct infer_host *h, int model)
{
    const struct host_model *m = &h->model[model];
    return model_file_net(m->file ? m->file : h->model[m->of].file);
}

static int new_place(struct infer_host *h)
{
    int i = 0;
    while (i < h->n && h->model[i].name)
        i++;
    if (i == MODELS_MOST)
        snprintf(h->why, sizeof h->why, "more than %d models open", MODELS_MOST);
    return i == MODELS_MOST ? -1 : i;
}

static int settle(struct infer_host *h, int place, const struct host_model *m)
{
    h->model[place] = *m;
    h->n = place == h->n ? place + 1 : h->n;
    return place;
}

static int load(struct infer_host *h, const char *name)
{
    struct err e = {0};
    struct host_model m = {0};
    const int i = new_place(h);
    if (i < 0)
        return -1;
    if (model_file_open(&m.file, name, &e)) {
        snprintf(h->why, sizeof h->why, "%.250s", e.msg);
        return -1;
    }
    m.name = strdup(name);
    if (!m.name ||
        infer_load(h->runtime, model_file_net(m.file), &m.loaded, h->why, sizeof h->why)) {
        free(m.name);
        model_file_free(m.file);
        return -1;
    }
    m.bytes = infer_bytes(model_file_net(m.file));
    return settle(h, i, &m);
}

static int face_open(void *ctx, const char *name, uint32_t *n_in, uint32_t *n_out)
{
    struct infer_host *h = ctx;
    int i = 0;
    while (i < h->n && !(h->model[i].file && !strcmp(h->model[i].name, name)))
        i++;
    if (i == h->n && (i = load(h, name)) < 0)
        return -1;
    infer_shape(net_of(h, i), n_in, n_out);
    return i;
}

static int face_run(void *ctx, int model, uint32_t rows, const float *in, float *out)
{
    struct infer_host *h = ctx;
    if (known(h, model))
        return infer_run(h->model[model].loaded, rows, in, out, h->why, sizeof h->why);
    snprintf(h->why, sizeof h->why, "no model was opened as %d", model);
    return -1;
}

static uint64_t face_flops(void *ctx, int model)
{
    const struct infer_host *h = ctx;
    return known(h, model) ? infer_flops(net_of(h, model)) : 0;
}

static const char *face_name(void *ctx, int model)
{
    const struct infer_host *h = ctx;
    return known(h, model) ? h->model[model].name : NULL;
}

static const char *face_kind(void *ctx, int model)
{
    const struct infer_host *h = ctx;
    return known(h, model) ? infer_kind(net_of(h, model)) : NULL;
}

static uint64_t face_bytes(void *ctx, int model)
{
    const struct infer_host *h = ctx;
    return known(h, model) ? h->model[model].bytes : 0;
}

/* ---- training ---------------------------------------------------------------------------- */

static int face_fork(void *ctx, int model)
{
    struct infer_host *h = ctx;
    const struct infer_net *net = known(h, model) ? net_of(h, model) : NULL;
    if (!net || net->kind != INFER_MLP || !mlp_train_can(net->mlp)) {
        snprintf(h->why, sizeof h->why,
                 "only perceptrons in fp32 with linear outputs can be trained in the machine");
        return -1;
    }
    const int place = new_place(h);
    if (place < 0)
        return -1;
    struct host_model m = {.of = model, .bytes = h->model[model].bytes};
    m.name = strdup(h->model[model].name);
    m.learns = mlp_train_new(net->mlp);
    if (m.name && m.learns &&
        !infer_load_mlp(h->runtime, mlp_train_net(m.learns), &m.loaded, h->why, sizeof h->why))
        return settle(h, place, &m);
    if (!m.name || !m.learns)
        snprintf(h->why, sizeof h->why, "out of memory");
    mlp_train_free(m.learns);
    free(m.name);
    return -1;
}

static void face_drop(void *ctx, int fork)
{
    struct infer_host *h = ctx;
    struct host_model *m = &h->model[fork];
    if (!known(h, fork) || !m->learns)
        return;
    infer_unload(m->loaded);
    mlp_train_free(m->learns);
    free(m->name);
    *m = (struct host_model){0};
}

static uint64_t face_train_flops(void *ctx, int fork, uint32_t rows)
{
    const struct infer_host *h = ctx;
    return mlp_train_flops(mlp_train_net(h->model[fork].learns), rows);
}

static void face_train(void *ctx, int fork, const struct policy_train *piece)
{
    const struct infer_host *h = ctx;
    const struct mlp_batch b = {.rows = piece->rows, .x = piece->in, .label = piece->label};
    for (uint32_t i = 0; i < piece->steps; i++)
        mlp_train_step(h->model[fork].learns, &b, piece->rate, piece->momentum);
}

static int face_renew(void *ctx, int fork)
{
    struct infer_host *h = ctx;
    struct host_model *m = &h->model[fork];
    struct infer_model *fresh;
    if (infer_load_mlp(h->runtime, mlp_train_net(m->learns), &fresh, h->why, sizeof h->why))
        return -1;
    infer_unload(m->loaded);
    m->loaded = fresh;
    return 0;
}

static const char *face_why(void *ctx)
{
    return ((const struct infer_host *)ctx)->why;
}

int infer_host_open(struct infer_host **out, enum infer_backend want, struct err *e)
{
    *out = NULL;
    struct infer_host *h = calloc(1, sizeof *h);
    if (!h)
        return err_set(e, ERR_ENOMEM, "out of memory");
    if (infer_open(&h->runtime, want, h->why, sizeof h->why)) {
        int rc = err_set(e, ERR_EFAIL, "inference backend: %s", h->why);
        free(h);
        return rc;
    }
    h->face = (struct model_infer){.ctx = h,
                                   .open = face_open,
                                   .run = face_run,
                                   .flops = face_flops,
                                   .name = face_name,
                                   .kind = face_kind,
                                   .bytes = face_bytes,
                                   .why = face_why,
                                   .fork = face_fork,
                                   .drop = face_drop,
                                   .train_flops = face_train_flops,
                                   .train = face_train,
                                   .renew = face_renew,
                                   .tap = &h->tap};
    *out = h;
    return 0;
}

void infer_host_close(struct infer_host *h)
{
    if (!h)
        return;
    for (int i = 0; i < h->n; i++)
        if (!h->model[i].file)
            face_drop(h, i);
    for (int i = 0; i < h->n; i++)
        if (h->model[i].file) {
            infer_unload(h->model[i].loaded);
            model_file_free(h->model[i].file);
            free(h->model[i].name);
        }
    infer_close(h->runtime);
    free(h);
}

const struct model_infer *infer_host_face(const struct infer_host *h)
{
    return &h->face;
}

const char *infer_host_name(const struct infer_host *h)
{
    return infer_name(h->runtime);
}

const char *infer_host_notice(const struct infer_host *h)
{
    return infer_notice(h->runtime);
}
