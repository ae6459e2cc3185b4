/* infer.c - picks a backend, and lets nothing invalid through to it. */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/mlp.h"

struct infer {
    const struct infer_ops *ops;
    void *self;
    char name[160], notice[320];
};

struct infer_model {
    const struct infer_ops *ops;
    void *self;
};

int infer_fail(char *why, size_t n, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (n)
        vsnprintf(why, n, format, args);
    va_end(args);
    return -1;
}

static int open_ops(struct infer **r, const struct infer_ops *ops, char *why, size_t n)
{
    struct infer *made = calloc(1, sizeof *made);
    if (!made)
        return infer_fail(why, n, "out of memory");
    made->ops = ops;
    if (ops->open(&made->self, made->name, sizeof made->name, why, n)) {
        free(made);
        return -1;
    }
    *r = made;
    return 0;
}

static const struct infer_ops *const backends[] = {
    [INFER_CUDA] = &infer_cuda, [INFER_CPU] = &infer_cpu, [INFER_EMU] = &infer_emu};

/* No GPU is the usual case, not an error: say so in one line and go on. */
static int open_auto(struct infer **r, char *why, size_t n)
{
    char no_gpu[256] = "";
    if (!infer_open(r, INFER_CUDA, no_gpu, sizeof no_gpu))
        return 0;
    if (infer_open(r, INFER_CPU, why, n))
        return -1;
    snprintf((*r)->notice, sizeof(*r)->notice, "no GPU (%s): networks run on %s", no_gpu,
             (*r)->name);
    return 0;
}

int infer_open(struct infer **r, enum infer_backend want, char *why, size_t n)
{
    if (want == INFER_AUTO)
        return open_auto(r, why, n);
    if ((size_t)want >= sizeof backends / sizeof *backends || !backends[want])
        return infer_fail(why, n, "this build has no inference backend number %d", (int)want);
    return open_ops(r, backends[want], why, n);
}

void infer_close(struct infer *r)
{
    if (!r)
        return;
    r->ops->close(r->self);
    free(r);
}

const char *infer_name(const struct infer *r)
{
    return r->name;
}

const char *infer_notice(const struct infer *r)
{
    return r->notice[0] ? r->notice : NULL;
}

struct infer_layer infer_layer(const struct infer_mlp *m, uint32_t i)
{
    return i ? m->deep[i - 1]
             : (struct infer_layer){m->n_hidden, m->w1, m->b1, m->q1, m->c1, m->hidden_scale};
}

/* What several layers, or a sigmoid, ask for beyond check_shape. */
static int check_deep(const struct infer_mlp *m, char *why, size_t n)
{
    if (m->n_deep > INFER_DEEP_MAX)
        return infer_fail(why, n, "n_deep is %u, want 0..%d", m->n_deep, INFER_DEEP_MAX);
    if (m->type == INFER_S8 && (m->sigmoid || m->sigmoid_out))
        return infer_fail(why, n, "an int8 network has a sigmoid, want ReLU and linear outputs");
    for (uint32_t i = 0; i <= m->n_deep; i++)
        if (infer_layer(m, i).width - 1 >= MLP_DEEP_WIDTH_MAX)
            return infer_fail(why, n, "hidden layer %u is %u wide, want 1..%d", i + 1,
                              infer_layer(m, i).width, MLP_DEEP_WIDTH_MAX);
    return 0;
}

static int check_shape(const struct infer_mlp *m, char *why, size_t n)
{
    const struct {
        const char *name;
        uint32_t is, max;
    } dims[] = {{"n_in", m->n_in, MLP_IN_MAX},
                {"n_hidden", m->n_hidden, MLP_HIDDEN_MAX},
                {"n_out", m->n_out, MLP_OUT_MAX}};
    for (int i = 0; i < 3; i++)
        if (dims[i].is < 1 || dims[i].is > dims[i].max)
            return infer_fail(why, n, "%s is %u, want 1..%u", dims[i].name, dims[i].is,
                              dims[i].max);
    return m->n_deep || m->sigmoid || m->sigmoid_out ? check_deep(m, why, n) : 0;
}

/* Sums stay below 2^24 in the first layer, so that float(sum) is exact, and
 * below 2^31 in the second. */
enum { C1_MAX = 1 << 23, C2_MAX = 1 << 30 };

static int check_biases(const char *name, const int32_t *c, uint32_t count, int32_t max, char *why,
                        size_t n)
{
    for (uint32_t i = 0; i < count; i++)
        if (c[i] > max || c[i] < -max)
            return infer_fail(why, n, "%s[%u] is %d, want at most %d in magnitude", name, i, c[i],
                              max);
    return 0;
}

static int check_scale(const char *name, float scale, char *why, size_t n)
{
    if (!isnormal(scale) || scale < 0 || !isfinite(1.0f / scale))
        return infer_fail(why, n, "%s is %g, want a positive number", name, (double)scale);
    return 0;
}

static int check_deep_s8(const struct infer_layer *l, uint32_t i, char *why, size_t n)
{
    char c[24], scale[24];
    snprintf(c, sizeof c, "c of hidden layer %u", i);
    snprintf(scale, sizeof scale, "scale of layer %u", i);
    if (!l->q || !l->c)
        return infer_fail(why, n, "hidden layer %u of an int8 network lacks q or c", i);
    if (check_scale(scale, l->scale, why, n))
        return -1;
    return check_biases(c, l->c, l->width, C1_MAX, why, n);
}

static int check_s8(const struct infer_mlp *m, char *why, size_t n)
{
    if (check_scale("in_scale", m->in_scale, why, n) ||
        check_scale("hidden_scale", m->hidden_scale, why, n) ||
        check_scale("out_scale", m->out_scale, why, n))
        return -1;
    if (!m->q1 || !m->q2 || !m->c1 || !m->c2)
        return infer_fail(why, n, "an int8 network lacks q1, q2, c1 or c2");
    if (check_biases("c1", m->c1, m->n_hidden, C1_MAX, why, n))
        return -1;
    for (uint32_t i = 0; i < m->n_deep; i++)
        if (check_deep_s8(&m->deep[i], i + 2, why, n))
            return -1;
    return check_biases("c2", m->c2, m->n_out, C2_MAX, why, n);
}

static int check_f32(const struct infer_mlp *m, char *why, size_t n)
{
    if (!m->w1 || !m->b1 || !m->w2 || !m->b2)
        return infer_fail(why, n, "a float network lacks w1, b1, w2 or b2");
    for (uint32_t i = 0; i < m->n_deep; i++)
        if (!m->deep[i].w || !m->deep[i].b)
            return infer_fail(why, n, "hidden layer %u of a float network lacks w or b", i + 2);
    return 0;
}

int infer_load(struct infer *r, const struct infer_mlp *m, struct infer_model **out, char *why,
               size_t n)
{
    if (check_shape(m, why, n) || (m->type == INFER_S8 ? check_s8 : check_f32)(m, why, n))
        return -1;
    struct infer_model *made = calloc(1, sizeof *made);
    if (!made)
        return infer_fail(why, n, "out of memory");
    made->ops = r->ops;
    if (r->ops->load(r->self, m, &made->self, why, n)) {
        free(made);
        return -1;
    }
    *out = made;
    return 0;
}

void infer_unload(struct infer_model *m)
{
    if (!m)
        return;
    m->ops->unload(m->self);
    free(m);
}

int infer_run(struct infer_model *m, uint32_t rows, const float *in, float *out, char *why,
              size_t n)
{
    if (!rows)
        return infer_fail(why, n, "rows is 0, want at least 1");
    return m->ops->run(m->self, rows, in, out, why, n);
}
