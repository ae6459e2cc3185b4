#include "harness/policy/infer_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_file.h"

#define MODELS_MOST 32

struct infer_host {
    struct infer *runtime;
    struct model_infer face;
    struct infer_tap tap;
    struct {
        char *name;
        struct model_file *file;
        struct infer_model *loaded;
        uint64_t bytes; /* of its weights */
    } model[MODELS_MOST];
    int n;
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
    return model >= 0 && model < h->n;
}

static int load(struct infer_host *h, const char *name)
{
    struct err e = {0};
    int i = h->n;
    if (i == MODELS_MOST) {
        snprintf(h->why, sizeof h->why, "more than %d models open", MODELS_MOST);
        return -1;
    }
    if (model_file_open(&h->model[i].file, name, &e)) {
        snprintf(h->why, sizeof h->why, "%.250s", e.msg);
        return -1;
    }
    h->model[i].name = strdup(name);
    if (!h->model[i].name || infer_load(h->runtime, model_file_net(h->model[i].file),
                                        &h->model[i].loaded, h->why, sizeof h->why)) {
        free(h->model[i].name);
        model_file_free(h->model[i].file);
        return -1;
    }
    h->model[i].bytes = infer_bytes(model_file_net(h->model[i].file));
    return h->n++;
}

static int face_open(void *ctx, const char *name, uint32_t *n_in, uint32_t *n_out)
{
    struct infer_host *h = ctx;
    int i = 0;
    while (i < h->n && strcmp(h->model[i].name, name))
        i++;
    if (i == h->n && (i = load(h, name)) < 0)
        return -1;
    infer_shape(model_file_net(h->model[i].file), n_in, n_out);
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
    return known(h, model) ? infer_flops(model_file_net(h->model[model].file)) : 0;
}

static const char *face_name(void *ctx, int model)
{
    const struct infer_host *h = ctx;
    return known(h, model) ? h->model[model].name : NULL;
}

static const char *face_kind(void *ctx, int model)
{
    const struct infer_host *h = ctx;
    return known(h, model) ? infer_kind(model_file_net(h->model[model].file)) : NULL;
}

static uint64_t face_bytes(void *ctx, int model)
{
    const struct infer_host *h = ctx;
    return known(h, model) ? h->model[model].bytes : 0;
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
                                   .tap = &h->tap};
    *out = h;
    return 0;
}

void infer_host_close(struct infer_host *h)
{
    if (!h)
        return;
    for (int i = 0; i < h->n; i++) {
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
