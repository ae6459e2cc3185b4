#include "harness/learn/model_quant.h"

#include <math.h>
#include <stdlib.h>

#define INT8_MOST 127

static float largest(const float *v, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fabsf(v[i]) > most ? fabsf(v[i]) : most;
    return most;
}

static float largest_hidden(const struct infer_mlp *net, const float *x, size_t rows)
{
    float most = 0;
    for (size_t r = 0; r < rows; r++)
        for (uint32_t j = 0; j < net->n_hidden; j++) {
            float h = net->b1[j];
            for (uint32_t i = 0; i < net->n_in; i++)
                h += net->w1[j * net->n_in + i] * x[r * net->n_in + i];
            most = h > most ? h : most;
        }
    return most;
}

static double nearest(double v, double most)
{
    double low = floor(v), r = v - low;
    v = r > 0.5 || (r == 0.5 && fmod(low, 2) != 0) ? low + 1 : low;
    return v > most ? most : v < -most ? -most : v;
}

static void to_int8(int8_t *q, const float *w, size_t n, float scale)
{
    for (size_t i = 0; i < n; i++)
        q[i] = (int8_t)nearest((double)w[i] / (double)scale, INT8_MOST);
}

static void to_int32(int32_t *c, const float *b, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++)
        c[i] = (int32_t)nearest((double)b[i] / scale, 1 << 30);
}

int model_quant(struct model_quant *out, const struct infer_mlp *net, const float *rows, size_t n,
                struct err *e)
{
    size_t in = net->n_in, hid = net->n_hidden, o = net->n_out;
    if (net->n_deep || net->sigmoid || net->sigmoid_out)
        return err_set(e, ERR_ERANGE, "int8: want one hidden layer, ReLU and linear outputs");
    *out =
        (struct model_quant){.q = malloc(hid * (in + o)), .c = malloc((hid + o) * sizeof *out->c)};
    if (!out->q || !out->c) {
        model_quant_free(out);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    /* A tensor of nothing but zeros still needs a scale. */
    float x = fmaxf(largest(rows, n * in), 1e-6f) / INT8_MOST;
    float w1 = fmaxf(largest(net->w1, hid * in), 1e-6f) / INT8_MOST;
    float w2 = fmaxf(largest(net->w2, o * hid), 1e-6f) / INT8_MOST;
    float h = fmaxf(largest_hidden(net, rows, n), 1e-6f) / INT8_MOST;
    to_int8(out->q, net->w1, hid * in, w1);
    to_int8(out->q + hid * in, net->w2, o * hid, w2);
    to_int32(out->c, net->b1, hid, (double)x * (double)w1);
    to_int32(out->c + hid, net->b2, o, (double)h * (double)w2);
    out->mlp = (struct infer_mlp){.n_in = net->n_in,
                                  .n_hidden = net->n_hidden,
                                  .n_out = net->n_out,
                                  .type = INFER_S8,
                                  .q1 = out->q,
                                  .q2 = out->q + hid * in,
                                  .c1 = out->c,
                                  .c2 = out->c + hid,
                                  .in_scale = x,
                                  .hidden_scale = x * w1 / h,
                                  .out_scale = h * w2};
    return 0;
}

void model_quant_free(struct model_quant *m)
{
    free(m->q);
    free(m->c);
    *m = (struct model_quant){0};
}
