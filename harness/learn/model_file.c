#include "harness/learn/model_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/places.h"

struct model_file {
    struct infer_mlp mlp;
    struct safetensors *st;
    char *path;
    void *owned[4]; /* aligned copies of the tensors */
    float scales[3];
};

enum { W1, B1, W2, B2 };

static const char *const names[][4] = {
    {"w1", "b1", "w2", "b2"},
    {"0.weight", "0.bias", "2.weight", "2.bias"},
    {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"},
};

/* ---- shapes ------------------------------------------------------------------- */

static int pick(struct model_file *m, const struct safetensor *t[4], struct err *e)
{
    for (size_t set = 0; set < sizeof names / sizeof *names; set++) {
        int found = 0;
        for (int i = 0; i < 4; i++)
            found += !!(t[i] = safetensors_find(m->st, names[set][i]));
        if (found == 4)
            return 0;
    }
    return err_set(e, ERR_ENAME,
                   "%s: want tensors w1, b1, w2, b2 (or 0.weight .. 2.bias, or "
                   "fc1.weight .. fc2.bias)",
                   m->path);
}

static int check(const struct model_file *m, const struct safetensor *t, const char *dtype,
                 uint32_t n_dim, uint64_t rows, uint64_t cols, struct err *e)
{
    if (strcmp(t->dtype, dtype))
        return err_set(e, ERR_ERANGE, "%s: %s is %s, want %s", m->path, t->name, t->dtype, dtype);
    if (t->n_dim == n_dim && t->shape[0] == rows && (n_dim == 1 || t->shape[1] == cols))
        return 0;
    char want[48];
    if (n_dim == 1)
        snprintf(want, sizeof want, "[%llu]", (unsigned long long)rows);
    else
        snprintf(want, sizeof want, "[%llu, %llu]", (unsigned long long)rows,
                 (unsigned long long)cols);
    return err_set(e, ERR_ERANGE, "%s: %s has another shape than %s", m->path, t->name, want);
}

static int check_shapes(struct model_file *m, const struct safetensor *const t[4], struct err *e)
{
    struct infer_mlp *p = &m->mlp;
    if (t[W1]->n_dim != 2 || t[W2]->n_dim != 2)
        return err_set(e, ERR_ERANGE, "%s: %s and %s want two dimensions each", m->path,
                       t[W1]->name, t[W2]->name);
    if (t[W1]->shape[1] - 1 >= 64 || t[W1]->shape[0] - 1 >= 1024 || t[W2]->shape[0] - 1 >= 16)
        return err_set(e, ERR_ERANGE, "%s: a %llu-%llu-%llu network, want 1..64, 1..1024, 1..16",
                       m->path, (unsigned long long)t[W1]->shape[1],
                       (unsigned long long)t[W1]->shape[0], (unsigned long long)t[W2]->shape[0]);
    p->n_in = (uint32_t)t[W1]->shape[1];
    p->n_hidden = (uint32_t)t[W1]->shape[0];
    p->n_out = (uint32_t)t[W2]->shape[0];
    p->type = strcmp(t[W1]->dtype, "I8") ? INFER_F32 : INFER_S8;
    const char *weight = p->type == INFER_S8 ? "I8" : "F32",
               *bias = p->type == INFER_S8 ? "I32" : "F32";
    int rc = check(m, t[W1], weight, 2, p->n_hidden, p->n_in, e);
    rc = rc ? rc : check(m, t[B1], bias, 1, p->n_hidden, 0, e);
    rc = rc ? rc : check(m, t[W2], weight, 2, p->n_out, p->n_hidden, e);
    return rc ? rc : check(m, t[B2], bias, 1, p->n_out, 0, e);
}

/* ---- values --------------------------------------------------------------------- */

static int check_finite(const struct model_file *m, const struct safetensor *t, const float *v,
                        struct err *e)
{
    for (uint64_t i = 0; i < t->bytes / sizeof *v; i++)
        if (!isfinite(v[i]))
            return err_set(e, ERR_ERANGE, "%s: %s[%llu] is not a finite number", m->path, t->name,
                           (unsigned long long)i);
    return 0;
}

static int take_scales(struct model_file *m, struct err *e)
{
    const struct safetensor *t = safetensors_find(m->st, "scales");
    if (!t)
        return err_set(e, ERR_ENAME, "%s: int8 weights want a tensor scales", m->path);
    int rc = check(m, t, "F32", 1, 3, 0, e);
    if (rc)
        return rc;
    memcpy(m->scales, t->data, sizeof m->scales);
    for (int i = 0; i < 3; i++)
        if (!isnormal(m->scales[i]) || m->scales[i] < 0)
            return err_set(e, ERR_ERANGE, "%s: scales[%d] is %g, want a number above zero", m->path,
                           i, (double)m->scales[i]);
    m->mlp.in_scale = m->scales[0];
    m->mlp.hidden_scale = m->scales[1];
    m->mlp.out_scale = m->scales[2];
    return 0;
}

static int take(struct model_file *m, const struct safetensor *const t[4], struct err *e)
{
    struct infer_mlp *p = &m->mlp;
    for (int i = 0; i < 4; i++) {
        if (!(m->owned[i] = malloc(t[i]->bytes)))
            return err_set(e, ERR_ENOMEM, "%s: out of memory", m->path);
        memcpy(m->owned[i], t[i]->data, t[i]->bytes);
        int rc = p->type == INFER_F32 ? check_finite(m, t[i], m->owned[i], e) : 0;
        if (rc)
            return rc;
    }
    if (p->type == INFER_F32) {
        p->w1 = m->owned[W1], p->b1 = m->owned[B1];
        p->w2 = m->owned[W2], p->b2 = m->owned[B2];
        return 0;
    }
    p->q1 = m->owned[W1], p->c1 = m->owned[B1];
    p->q2 = m->owned[W2], p->c2 = m->owned[B2];
    return take_scales(m, e);
}

/* ---- the file -------------------------------------------------------------------- */

char *model_file_place(const char *name, const char *extension)
{
    char *relative, *path;
    if (strchr(name, '/'))
        return strdup(name);
    if (asprintf(&relative, "policies/weights/%s.%s", name, extension) < 0)
        return NULL;
    path = places_root(relative);
    free(relative);
    return path;
}

static int finish(struct model_file *m, struct err *e)
{
    const struct safetensor *t[4];
    int rc = pick(m, t, e);
    rc = rc ? rc : check_shapes(m, t, e);
    return rc ? rc : take(m, t, e);
}

static int start(struct model_file **out, char *path, struct err *e)
{
    *out = NULL;
    struct model_file *m = path ? calloc(1, sizeof *m) : NULL;
    if (!m) {
        free(path);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    m->path = path;
    *out = m;
    return 0;
}

static int done(struct model_file **out, int rc)
{
    if (rc) {
        model_file_free(*out);
        *out = NULL;
    }
    return rc;
}

int model_file_open(struct model_file **out, const char *name, struct err *e)
{
    int rc = start(out, model_file_place(name, "safetensors"), e);
    if (rc)
        return rc;
    if (access((*out)->path, R_OK))
        rc = strchr(name, '/')
                 ? err_set(e, ERR_ENAME, "%s: no such file, want weights in safetensors", name)
                 : err_set(e, ERR_ENAME, "no weights policies/weights/%.64s.safetensors", name);
    rc = rc ? rc : safetensors_load(&(*out)->st, (*out)->path, e);
    return done(out, rc ? rc : finish(*out, e));
}

int model_file_from(struct model_file **out, const char *name, const void *bytes, size_t n,
                    struct err *e)
{
    int rc = start(out, strdup(name), e);
    if (rc)
        return rc;
    rc = safetensors_parse(&(*out)->st, name, bytes, n, e);
    return done(out, rc ? rc : finish(*out, e));
}

void model_file_free(struct model_file *m)
{
    if (!m)
        return;
    safetensors_free(m->st);
    for (int i = 0; i < 4; i++)
        free(m->owned[i]);
    free(m->path);
    free(m);
}

const struct infer_mlp *model_file_mlp(const struct model_file *m)
{
    return &m->mlp;
}

const char *model_file_meta(const struct model_file *m, const char *key)
{
    return safetensors_meta(m->st, key);
}

const char *model_file_path(const struct model_file *m)
{
    return m->path;
}

uint64_t model_file_flops(const struct infer_mlp *p)
{
    return 2 * (uint64_t)p->n_hidden * (p->n_in + p->n_out);
}

int model_file_write(const char *path, const struct infer_mlp *p,
                     const struct safetensors_text *meta, size_t n_meta, struct err *e)
{
    bool s8 = p->type == INFER_S8;
    const char *weight = s8 ? "I8" : "F32", *bias = s8 ? "I32" : "F32";
    uint64_t w = s8 ? 1 : 4, in = p->n_in, hid = p->n_hidden, out = p->n_out;
    float scales[3] = {p->in_scale, p->hidden_scale, p->out_scale};
    const struct safetensor t[] = {
        {"b1", bias, {hid}, 1, s8 ? (const void *)p->c1 : p->b1, 4 * hid},
        {"b2", bias, {out}, 1, s8 ? (const void *)p->c2 : p->b2, 4 * out},
        {"scales", "F32", {3}, 1, scales, sizeof scales},
        {"w1", weight, {hid, in}, 2, s8 ? (const void *)p->q1 : p->w1, w * hid * in},
        {"w2", weight, {out, hid}, 2, s8 ? (const void *)p->q2 : p->w2, w * out * hid},
    };
    if (s8)
        return safetensors_write(path, t, 5, meta, n_meta, e);
    const struct safetensor f32[] = {t[0], t[1], t[3], t[4]};
    return safetensors_write(path, f32, 4, meta, n_meta, e);
}
