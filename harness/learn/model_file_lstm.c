#include "harness/learn/model_file_lstm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_kind.h"

enum { PARTS = 4, TENSORS = PARTS * INFER_LSTM_LAYERS + 2 };
static const char *const parts[PARTS] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
static const char *const denses[] = {"fc", "linear", "dense", "out", "head"};

struct model_lstm {
    struct infer_lstm net;
    float *own[TENSORS]; /* aligned copies; what a file leaves out is zero */
};

struct taking {
    struct model_lstm *m;
    const struct safetensors *st;
    const char *path;
    uint32_t n; /* of own */
};

/* ---- names ------------------------------------------------------------------------ */

static const struct safetensor *find(const struct safetensors *st, uint32_t part, uint32_t layer)
{
    char name[40];
    snprintf(name, sizeof name, "lstm.%s_l%u", parts[part], layer);
    const struct safetensor *t = safetensors_find(st, name);
    return t ? t : safetensors_find(st, name + 5);
}

static const struct safetensor *find_dense(const struct safetensors *st, const char *part)
{
    const struct safetensor *t = NULL;
    for (size_t i = 0; !t && i < sizeof denses / sizeof *denses; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s.%s", denses[i], part);
        t = safetensors_find(st, name);
    }
    return t;
}

/* ---- one tensor --------------------------------------------------------------------- */

static int check(const struct taking *k, const struct safetensor *t, uint64_t rows, uint64_t cols,
                 struct err *e)
{
    const uint32_t n_dim = cols ? 2 : 1;
    if (strcmp(t->dtype, "F32"))
        return err_set(e, ERR_ERANGE, "%s: %s is %s, want F32", k->path, t->name, t->dtype);
    if (t->n_dim == n_dim && t->shape[0] == rows && (!cols || t->shape[1] == cols))
        return 0;
    char want[48];
    snprintf(want, sizeof want, cols ? "[%llu, %llu]" : "[%llu]", (unsigned long long)rows,
             (unsigned long long)cols);
    return err_set(e, ERR_ERANGE, "%s: %s has another shape than %s", k->path, t->name, want);
}

/* cols 0: a vector; t NULL: zeros. */
static int copy(struct taking *k, const struct safetensor *t, uint64_t rows, uint64_t cols,
                const float **to, struct err *e)
{
    int rc = t ? check(k, t, rows, cols, e) : 0;
    if (rc)
        return rc;
    const size_t count = (size_t)(rows * (cols ? cols : 1));
    float *v = k->m->own[k->n++] = calloc(count, sizeof *v);
    if (!v)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", k->path);
    if (t)
        memcpy(v, t->data, count * sizeof *v);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(v[i]))
            return err_set(e, ERR_ERANGE, "%s: %s[%zu] is not a finite number", k->path, t->name,
                           i);
    *to = v;
    return 0;
}

/* ---- all of them ---------------------------------------------------------------------- */

static int take_layer(struct taking *k, uint32_t i, struct err *e)
{
    struct infer_lstm *net = &k->m->net;
    struct infer_lstm_layer *to = &net->layer[i];
    const struct safetensor *t[PARTS];
    for (uint32_t p = 0; p < PARTS; p++)
        t[p] = find(k->st, p, i);
    if (!t[0] || !t[1] || !t[2] != !t[3])
        return err_set(e, ERR_ENAME,
                       "%s: layer %u lacks one of weight_ih_l%u, weight_hh_l%u, "
                       "bias_ih_l%u, bias_hh_l%u",
                       k->path, i, i, i, i, i);
    const uint64_t gates = 4 * (uint64_t)net->width;
    const uint64_t before = i ? net->width : net->vocab ? net->vocab : net->n_step;
    int rc = copy(k, t[0], gates, before, &to->w_ih, e);
    rc = rc ? rc : copy(k, t[1], gates, net->width, &to->w_hh, e);
    rc = rc ? rc : copy(k, t[2], gates, 0, &to->b_ih, e);
    return rc ? rc : copy(k, t[3], gates, 0, &to->b_hh, e);
}

static int take_outputs(struct taking *k, struct err *e)
{
    struct infer_lstm *net = &k->m->net;
    const struct safetensor *w = find_dense(k->st, "weight"), *b = find_dense(k->st, "bias");
    if (!w)
        return err_set(e, ERR_ENAME,
                       "%s: want the outputs as fc.weight and fc.bias (or linear, "
                       "dense, out, head)",
                       k->path);
    if (w->n_dim != 2 || w->shape[0] - 1 >= INFER_LSTM_OUT)
        return err_set(e, ERR_ERANGE, "%s: %s has another shape than [1..%d, %u]", k->path, w->name,
                       INFER_LSTM_OUT, net->width);
    net->n_out = (uint32_t)w->shape[0];
    int rc = copy(k, w, net->n_out, net->width, &net->w, e);
    return rc ? rc : copy(k, b, net->n_out, 0, &net->b, e);
}

/* ---- what tensors do not say ------------------------------------------------------------ */

static int either(const struct taking *k, const char *key, const char *no, const char *yes,
                  bool *out, struct err *e)
{
    const char *text = safetensors_meta(k->st, key);
    *out = text && !strcmp(text, yes);
    if (!text || *out || !strcmp(text, no))
        return 0;
    return err_set(e, ERR_ENAME, "%s: %s is \"%.32s\", want %s or %s", k->path, key, text, no, yes);
}

static int take_steps(struct taking *k, struct err *e)
{
    const char *text = safetensors_meta(k->st, "steps");
    char *end = NULL;
    unsigned long n = text ? strtoul(text, &end, 10) : 0;
    if (!text)
        return err_set(e, ERR_ENAME, "%s: want metadata \"steps\", how many a row has", k->path);
    if (*end || *text == '-' || n < 1 || n > INFER_LSTM_STEPS)
        return err_set(e, ERR_ERANGE, "%s: steps is \"%.32s\", want 1..%d", k->path, text,
                       INFER_LSTM_STEPS);
    k->m->net.steps = (uint32_t)n;
    return 0;
}

static int take_shape(struct taking *k, bool ids, struct err *e)
{
    struct infer_lstm *net = &k->m->net;
    const struct safetensor *w = find(k->st, 0, 0);
    const uint64_t most = ids ? INFER_LSTM_VOCAB : INFER_LSTM_STEP;
    if (!w)
        return err_set(e, ERR_ENAME, "%s: want a tensor weight_ih_l0", k->path);
    if (w->n_dim != 2 || w->shape[0] % 4 || w->shape[0] / 4 - 1 >= INFER_LSTM_WIDTH ||
        w->shape[1] - 1 >= most)
        return err_set(e, ERR_ERANGE, "%s: %s has another shape than [4 x 1..%d, 1..%llu]", k->path,
                       w->name, INFER_LSTM_WIDTH, (unsigned long long)most);
    net->width = (uint32_t)(w->shape[0] / 4);
    net->vocab = ids ? (uint32_t)w->shape[1] : 0;
    net->n_step = ids ? 1 : (uint32_t)w->shape[1];
    net->layers = find(k->st, 0, 1) ? 2 : 1;
    return find(k->st, 0, 2) ? err_set(e, ERR_ERANGE, "%s: a third layer, want at most %d", k->path,
                                       INFER_LSTM_LAYERS)
                             : 0;
}

static int take(struct taking *k, struct err *e)
{
    bool ids = false;
    int rc = take_steps(k, e);
    rc = rc ? rc : either(k, "input", "values", "ids", &ids, e);
    rc = rc ? rc : either(k, "output", "logits", "softmax", &k->m->net.softmax, e);
    rc = rc ? rc : take_shape(k, ids, e);
    for (uint32_t i = 0; !rc && i < k->m->net.layers; i++)
        rc = take_layer(k, i, e);
    return rc ? rc : take_outputs(k, e);
}

static void release(void *own)
{
    struct model_lstm *m = own;
    for (uint32_t i = 0; m && i < TENSORS; i++)
        free(m->own[i]);
    free(m);
}

static int take_new(void **own, struct infer_net *net, const struct safetensors *st,
                    const char *path, struct err *e)
{
    struct model_lstm *m = *own = calloc(1, sizeof *m);
    if (!m)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    *net = (struct infer_net){.kind = INFER_LSTM, .lstm = &m->net};
    return take(&(struct taking){.m = m, .st = st, .path = path}, e);
}

static void say(const struct infer_net *net, char *text, size_t n)
{
    const struct infer_lstm *l = net->lstm;
    char in[48];
    if (l->vocab)
        snprintf(in, sizeof in, "%u ids of %u", l->steps, l->vocab);
    else
        snprintf(in, sizeof in, "%u steps of %u", l->steps, l->n_step);
    snprintf(text, n, "%s, LSTM %u x %u, %u %s outputs", in, l->layers, l->width, l->n_out,
             l->softmax ? "softmax" : "linear");
}

const struct model_kind model_kind_lstm = {"lstm", take_new, release, say};

/* ---- writing --------------------------------------------------------------------------- */

static struct safetensor tensor(const char *name, const float *at, uint64_t rows, uint64_t cols)
{
    return (struct safetensor){.name = name,
                               .dtype = "F32",
                               .shape = {rows, cols},
                               .n_dim = cols ? 2 : 1,
                               .data = at,
                               .bytes = rows * (cols ? cols : 1) * sizeof *at};
}

/* In the order of their names, as the format's own writer has them. */
static uint32_t list(struct safetensor t[TENSORS], char name[TENSORS][24],
                     const struct infer_lstm *l)
{
    static const int order[PARTS] = {3, 2, 1, 0}; /* bias_hh, bias_ih, .. */
    const uint64_t gates = 4 * (uint64_t)l->width;
    uint32_t n = 0;
    for (int p = 0; p < PARTS; p++)
        for (uint32_t i = 0; i < l->layers; i++, n++) {
            const struct infer_lstm_layer *from = &l->layer[i];
            const uint64_t before = i ? l->width : l->vocab ? l->vocab : l->n_step;
            const float *const at[PARTS] = {from->w_ih, from->w_hh, from->b_ih, from->b_hh};
            const uint64_t cols[PARTS] = {before, l->width, 0, 0};
            snprintf(name[n], sizeof name[n], "%s_l%u", parts[order[p]], i);
            t[n] = tensor(name[n], at[order[p]], gates, cols[order[p]]);
            if (p == 1 && i + 1 == l->layers) { /* between b and w */
                t[n + 1] = tensor("fc.bias", l->b, l->n_out, 0);
                t[n + 2] = tensor("fc.weight", l->w, l->n_out, l->width);
                n += 2;
            }
        }
    return n;
}

int model_lstm_write(const char *path, const struct infer_lstm *l,
                     const struct safetensors_text *meta, size_t n_meta, struct err *e)
{
    struct safetensor t[TENSORS];
    char name[TENSORS][24], steps[16];
    struct safetensors_text all[16] = {{"kind", "lstm"},
                                       {"input", l->vocab ? "ids" : "values"},
                                       {"output", l->softmax ? "softmax" : "logits"},
                                       {"steps", steps}};
    snprintf(steps, sizeof steps, "%u", l->steps);
    if (n_meta > 12)
        return err_set(e, ERR_ERANGE, "%s: more metadata than 12 texts", path);
    memcpy(all + 4, meta, n_meta * sizeof *meta);
    return safetensors_write(path, t, list(t, name, l), all, 4 + n_meta, e);
}
