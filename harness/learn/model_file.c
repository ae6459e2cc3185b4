#include "harness/learn/model_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/places.h"
#include "harness/learn/model_kind.h"

static const struct model_kind *const kinds[] = {&model_kind_forest, &model_kind_knn,
                                                 &model_kind_lstm};

enum { LAYERS_MOST = INFER_DEEP_MAX + 2 }; /* hidden layers and the outputs */

struct model_file {
    struct infer_net net;
    struct infer_mlp mlp;
    struct safetensors *st;
    char *path;
    const struct model_kind *kind; /* NULL: a perceptron */
    void *own;                     /* of another kind */
    void *owned[2 * LAYERS_MOST];  /* aligned copies of the tensors */
    float scales[LAYERS_MOST + 1];
};

/* The tensors of a file, from the first layer to the outputs. */
struct tensors {
    const struct safetensor *w[LAYERS_MOST], *b[LAYERS_MOST];
    uint32_t n;
};

/* ---- names -------------------------------------------------------------------- */

static const struct {
    const char *weight, *bias;
    uint32_t first, step; /* how the layers are numbered */
} names[] = {
    {"w%u", "b%u", 1, 1},
    {"%u.weight", "%u.bias", 0, 2},
    {"fc%u.weight", "fc%u.bias", 1, 1},
};

static const struct safetensor *find(const struct model_file *m, const char *format, uint32_t i)
{
    char name[32];
    snprintf(name, sizeof name, format, i);
    return safetensors_find(m->st, name);
}

static int pick(struct model_file *m, struct tensors *t, struct err *e)
{
    for (size_t set = 0; set < sizeof names / sizeof *names; set++)
        for (t->n = 0;; t->n++) {
            uint32_t at = names[set].first + t->n * names[set].step;
            const struct safetensor *w = find(m, names[set].weight, at);
            const struct safetensor *b = find(m, names[set].bias, at);
            if (!w || !b) {
                if (t->n >= 2)
                    return 0;
                break;
            }
            if (t->n == LAYERS_MOST)
                return err_set(e, ERR_ERANGE, "%s: %s is one layer too many, want at most %d",
                               m->path, w->name, LAYERS_MOST);
            t->w[t->n] = w;
            t->b[t->n] = b;
        }
    return err_set(e, ERR_ENAME,
                   "%s: want tensors w1, b1, w2, b2 (or 0.weight .. 2.bias, or "
                   "fc1.weight .. fc2.bias)",
                   m->path);
}

/* ---- shapes ------------------------------------------------------------------- */

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

/* Each layer takes what the one before gives. */
static int check_chain(const struct model_file *m, const struct tensors *t, struct err *e)
{
    bool s8 = m->mlp.type == INFER_S8;
    int rc = 0;
    for (uint32_t i = 0; i < t->n && !rc; i++) {
        uint64_t rows = t->w[i]->shape[0], cols = i ? t->w[i - 1]->shape[0] : t->w[i]->shape[1];
        rc = check(m, t->w[i], s8 ? "I8" : "F32", 2, rows, cols, e);
        rc = rc ? rc : check(m, t->b[i], s8 ? "I32" : "F32", 1, rows, 0, e);
    }
    return rc;
}

static int check_shapes(struct model_file *m, const struct tensors *t, struct err *e)
{
    struct infer_mlp *p = &m->mlp;
    const struct safetensor *first = t->w[0], *last = t->w[t->n - 1];
    for (uint32_t i = 1; i < t->n; i++)
        if (t->w[i - 1]->n_dim != 2 || t->w[i]->n_dim != 2)
            return err_set(e, ERR_ERANGE, "%s: %s and %s want two dimensions each", m->path,
                           t->w[i - 1]->name, t->w[i]->name);
    if (first->shape[1] - 1 >= 64 || first->shape[0] - 1 >= 1024 || last->shape[0] - 1 >= 16)
        return err_set(e, ERR_ERANGE, "%s: a %llu-%llu-%llu network, want 1..64, 1..1024, 1..16",
                       m->path, (unsigned long long)first->shape[1],
                       (unsigned long long)first->shape[0], (unsigned long long)last->shape[0]);
    for (uint32_t i = 0; t->n > 2 && i + 1 < t->n; i++)
        if (t->w[i]->shape[0] - 1 >= 512)
            return err_set(e, ERR_ERANGE, "%s: %s has %llu neurons, want 1..512 in a deep network",
                           m->path, t->w[i]->name, (unsigned long long)t->w[i]->shape[0]);
    p->n_in = (uint32_t)first->shape[1];
    p->n_hidden = (uint32_t)first->shape[0];
    p->n_out = (uint32_t)last->shape[0];
    p->n_deep = t->n - 2;
    p->type = strcmp(first->dtype, "I8") ? INFER_F32 : INFER_S8;
    return check_chain(m, t, e);
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
    const uint32_t n = m->mlp.n_deep + 3;
    if (!t)
        return err_set(e, ERR_ENAME, "%s: int8 weights want a tensor scales", m->path);
    int rc = check(m, t, "F32", 1, n, 0, e);
    if (rc)
        return rc;
    memcpy(m->scales, t->data, n * sizeof *m->scales);
    for (uint32_t i = 0; i < n; i++)
        if (!isnormal(m->scales[i]) || m->scales[i] < 0)
            return err_set(e, ERR_ERANGE, "%s: scales[%u] is %g, want a number above zero", m->path,
                           i, (double)m->scales[i]);
    m->mlp.in_scale = m->scales[0];
    m->mlp.hidden_scale = m->scales[1];
    for (uint32_t i = 0; i < m->mlp.n_deep; i++)
        m->mlp.deep[i].scale = m->scales[2 + i];
    m->mlp.out_scale = m->scales[n - 1];
    return 0;
}

static int copy(struct model_file *m, const struct safetensor *t, uint32_t at, struct err *e)
{
    if (!(m->owned[at] = malloc(t->bytes)))
        return err_set(e, ERR_ENOMEM, "%s: out of memory", m->path);
    memcpy(m->owned[at], t->data, t->bytes);
    return m->mlp.type == INFER_F32 ? check_finite(m, t, m->owned[at], e) : 0;
}

/* Layer i of the file is the first one, a deep one or the outputs. */
static void place(struct infer_mlp *p, uint32_t i, const void *w, const void *b)
{
    struct infer_layer unused = {0}, *l = i && i <= p->n_deep ? &p->deep[i - 1] : &unused;
    const bool first = i == 0, last = i == p->n_deep + 1;
    if (p->type == INFER_S8) {
        *(first ? &p->q1 : last ? &p->q2 : &l->q) = w;
        *(first ? &p->c1 : last ? &p->c2 : &l->c) = b;
    } else {
        *(first ? &p->w1 : last ? &p->w2 : &l->w) = w;
        *(first ? &p->b1 : last ? &p->b2 : &l->b) = b;
    }
}

static int take_sigmoid(const struct model_file *m, const char *key, const char *other, bool *out,
                        struct err *e)
{
    const char *text = safetensors_meta(m->st, key);
    *out = text && !strcmp(text, "sigmoid");
    if (!text || *out || !strcmp(text, other))
        return 0;
    return err_set(e, ERR_ENAME, "%s: %s is \"%.32s\", want %s or sigmoid", m->path, key, text,
                   other);
}

static int take(struct model_file *m, const struct tensors *t, struct err *e)
{
    struct infer_mlp *p = &m->mlp;
    int rc = take_sigmoid(m, "activation", "relu", &p->sigmoid, e);
    rc = rc ? rc : take_sigmoid(m, "output_activation", "linear", &p->sigmoid_out, e);
    for (uint32_t i = 0; i < t->n && !rc; i++) {
        rc = copy(m, t->w[i], 2 * i, e);
        rc = rc ? rc : copy(m, t->b[i], 2 * i + 1, e);
        if (i && i + 1 < t->n)
            p->deep[i - 1].width = (uint32_t)t->w[i]->shape[0];
        place(p, i, m->owned[2 * i], m->owned[2 * i + 1]);
    }
    return rc || p->type == INFER_F32 ? rc : take_scales(m, e);
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
    struct tensors t;
    const char *kind = safetensors_meta(m->st, "kind");
    for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kind, kinds[i]->name)) {
            m->kind = kinds[i];
            return m->kind->take(&m->own, &m->net, m->st, m->path, e);
        }
    if (kind && strcmp(kind, "mlp"))
        return err_set(e, ERR_ENAME, "%s: there is no kind of network \"%.32s\"", m->path, kind);
    int rc = pick(m, &t, e);
    rc = rc ? rc : check_shapes(m, &t, e);
    return rc ? rc : take(m, &t, e);
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
    m->net = (struct infer_net){.kind = INFER_MLP, .mlp = &m->mlp};
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
    if (m->kind)
        m->kind->free(m->own);
    safetensors_free(m->st);
    for (int i = 0; i < 2 * LAYERS_MOST; i++)
        free(m->owned[i]);
    free(m->path);
    free(m);
}

const struct infer_mlp *model_file_mlp(const struct model_file *m)
{
    return m->net.kind == INFER_MLP ? m->net.mlp : NULL;
}

const struct infer_net *model_file_net(const struct model_file *m)
{
    return &m->net;
}

const char *model_file_meta(const struct model_file *m, const char *key)
{
    return safetensors_meta(m->st, key);
}

const char *model_file_path(const struct model_file *m)
{
    return m->path;
}

void model_file_shape(const struct infer_mlp *p, char *text, size_t n)
{
    int at = snprintf(text, n, "%u", p->n_in);
    for (uint32_t i = 0; i <= p->n_deep; i++)
        at += snprintf(text + at, n - (size_t)at, "-%u", infer_layer(p, i).width);
    snprintf(text + at, n - (size_t)at, "-%u", p->n_out);
}

const struct model_kind *model_file_other(const struct model_file *m)
{
    return m->kind;
}

/* ---- writing ----------------------------------------------------------------------- */

/* Tensors in the order of their names, as the format's own writer has them. */
struct writing {
    struct safetensor t[2 * LAYERS_MOST + 1];
    char name[2 * LAYERS_MOST][8];
    float scales[LAYERS_MOST + 1];
};

static uint32_t list_tensors(struct writing *w, const struct infer_mlp *p)
{
    const bool s8 = p->type == INFER_S8;
    const uint32_t n = p->n_deep + 2, scaled = s8; /* b1 .., scales, w1 .. */
    uint64_t before = p->n_in;
    for (uint32_t i = 0; i < n; i++) {
        const struct infer_layer out = {p->n_out, p->w2, p->b2, p->q2, p->c2, p->out_scale};
        const struct infer_layer l = i < n - 1 ? infer_layer(p, i) : out;
        snprintf(w->name[i], sizeof w->name[i], "b%u", i + 1);
        snprintf(w->name[n + i], sizeof w->name[n + i], "w%u", i + 1);
        w->t[i] =
            (struct safetensor){w->name[i], s8 ? "I32" : "F32",           {l.width},
                                1,          s8 ? (const void *)l.c : l.b, 4 * (uint64_t)l.width};
        w->t[n + scaled + i] = (struct safetensor){w->name[n + i],
                                                   s8 ? "I8" : "F32",
                                                   {l.width, before},
                                                   2,
                                                   s8 ? (const void *)l.q : l.w,
                                                   (s8 ? 1 : 4) * l.width * before};
        w->scales[i + 1] = l.scale;
        before = l.width;
    }
    w->scales[0] = p->in_scale;
    if (s8)
        w->t[n] =
            (struct safetensor){"scales", "F32", {n + 1}, 1, w->scales, (n + 1) * sizeof(float)};
    return 2 * n + scaled;
}

int model_file_write(const char *path, const struct infer_mlp *p,
                     const struct safetensors_text *meta, size_t n_meta, struct err *e)
{
    struct writing w;
    struct safetensors_text *all = calloc(n_meta + 2, sizeof *all);
    uint32_t n = list_tensors(&w, p);
    if (!all)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    if (n_meta)
        memcpy(all, meta, n_meta * sizeof *all);
    if (p->sigmoid)
        all[n_meta++] = (struct safetensors_text){"activation", "sigmoid"};
    if (p->sigmoid_out)
        all[n_meta++] = (struct safetensors_text){"output_activation", "sigmoid"};
    int rc = safetensors_write(path, w.t, n, all, n_meta, e);
    free(all);
    return rc;
}
