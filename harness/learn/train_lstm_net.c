#include "harness/learn/train_lstm_net.h"

#include <stdlib.h>
#include <string.h>

#include "sim/dmath.h"

/* ---- where everything lies ------------------------------------------------------------ */

struct train_lstm_shape train_lstm_shape(const struct train_lstm_task *t,
                                         const struct train_lstm_options *o)
{
    return (struct train_lstm_shape){t->steps,  t->vocab, t->n_out,
                                     o->layers, o->width, 4 * o->width};
}

size_t train_lstm_map(const struct train_lstm_shape *s, double *p, struct train_lstm_params *to)
{
    size_t n = 0;
    for (uint32_t l = 0; l < s->layers; l++) {
        to->x[l] = p + n, n += (size_t)(l ? s->width : s->vocab) * s->gates;
        to->h[l] = p + n, n += (size_t)s->width * s->gates;
        to->b[l] = p + n, n += s->gates;
    }
    to->out = p + n, n += (size_t)s->width * s->n_out;
    to->b_out = p + n, n += s->n_out;
    return n;
}

size_t train_lstm_params(const struct train_lstm_task *t, const struct train_lstm_options *o)
{
    const struct train_lstm_shape s = train_lstm_shape(t, o);
    struct train_lstm_params unused;
    static double origin[1];
    return train_lstm_map(&s, origin, &unused);
}

static double *cut(double **room, size_t n)
{
    double *at = *room;
    *room += n;
    return at;
}

bool train_lstm_tape(struct train_lstm_tape *t, const struct train_lstm_shape *s)
{
    const size_t w = s->width, step = s->gates + 3 * w;
    double *room = t->room = calloc(
        s->layers * (s->steps * step + 4 * w) + s->steps * w + s->gates + s->n_out, sizeof *room);
    if (!room)
        return false;
    for (uint32_t l = 0; l < s->layers; l++) {
        t->c[l][0] = cut(&room, w);
        t->h[l][0] = cut(&room, w);
        t->dh[l] = cut(&room, w);
        t->dc[l] = cut(&room, w);
        for (uint32_t i = 0; i < s->steps; i++) {
            t->z[l][i] = cut(&room, s->gates);
            t->c[l][i + 1] = cut(&room, w);
            t->h[l][i + 1] = cut(&room, w);
            t->tanh_c[l][i] = cut(&room, w);
        }
    }
    t->below = cut(&room, s->steps * w);
    t->dz = cut(&room, s->gates);
    t->y = cut(&room, s->n_out);
    return true;
}

/* ---- there ---------------------------------------------------------------------------- */

static double sigmoid(double v)
{
    return 1 / (1 + dmath_exp(-v));
}

static double hyperbolic(double v)
{
    return 1 - 2 / (dmath_exp(2 * v) + 1);
}

/* to += a * from */
static void add(double *restrict to, double a, const double *restrict from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        to[i] += a * from[i];
}

static double dot(const double *restrict a, const double *restrict b, uint32_t n)
{
    double sum[4] = {0};
    for (uint32_t i = 0; i < n; i += 4) /* gates come by the four */
        for (uint32_t k = 0; k < 4; k++)
            sum[k] += a[i + k] * b[i + k];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void states(const struct train_lstm_tape *t, uint32_t l, uint32_t i, uint32_t width)
{
    double *z = t->z[l][i];
    for (uint32_t j = 0; j < width; j++) {
        const double in = z[j] = sigmoid(z[j]), keep = z[width + j] = sigmoid(z[width + j]);
        const double g = z[2 * width + j] = hyperbolic(z[2 * width + j]);
        const double o = z[3 * width + j] = sigmoid(z[3 * width + j]);
        const double c = t->c[l][i + 1][j] = keep * t->c[l][i][j] + in * g;
        t->tanh_c[l][i][j] = hyperbolic(c);
        t->h[l][i + 1][j] = o * t->tanh_c[l][i][j];
    }
}

void train_lstm_forward(const struct train_lstm_shape *s, const struct train_lstm_params *p,
                        const struct train_lstm_tape *t, const uint8_t *id)
{
    for (uint32_t i = 0; i < s->steps; i++)
        for (uint32_t l = 0; l < s->layers; l++) {
            double *z = t->z[l][i];
            memcpy(z, p->b[l], s->gates * sizeof *z);
            if (!l)
                add(z, 1, p->x[0] + (size_t)id[i] * s->gates, s->gates);
            for (uint32_t k = 0; l && k < s->width; k++)
                add(z, t->h[l - 1][i + 1][k], p->x[l] + (size_t)k * s->gates, s->gates);
            for (uint32_t k = 0; i && k < s->width; k++)
                add(z, t->h[l][i][k], p->h[l] + (size_t)k * s->gates, s->gates);
            states(t, l, i, s->width);
        }
    memcpy(t->y, p->b_out, s->n_out * sizeof *t->y);
    for (uint32_t k = 0; k < s->width; k++)
        add(t->y, t->h[s->layers - 1][s->steps][k], p->out + (size_t)k * s->n_out, s->n_out);
}

double train_lstm_loss(double *y, uint32_t n, uint32_t class)
{
    double most = y[0], sum = 0;
    for (uint32_t o = 1; o < n; o++)
        most = y[o] > most ? y[o] : most;
    for (uint32_t o = 0; o < n; o++)
        sum += y[o] = dmath_exp(y[o] - most);
    for (uint32_t o = 0; o < n; o++)
        y[o] /= sum;
    const double right = y[class] > 1e-300 ? y[class] : 1e-300;
    y[class] -= 1;
    return -dmath_log(right);
}

/* ---- and back -------------------------------------------------------------------------- */

/* From the slopes at h and c after a step to those at the sums of its gates. */
static void back_states(const struct train_lstm_tape *t, uint32_t l, uint32_t i, uint32_t width)
{
    const double *z = t->z[l][i];
    for (uint32_t j = 0; j < width; j++) {
        const double in = z[j], keep = z[width + j], g = z[2 * width + j], o = z[3 * width + j];
        const double tc = t->tanh_c[l][i][j], dh = t->dh[l][j];
        const double dc = t->dc[l][j] + dh * o * (1 - tc * tc);
        t->dz[j] = dc * g * in * (1 - in);
        t->dz[width + j] = dc * t->c[l][i][j] * keep * (1 - keep);
        t->dz[2 * width + j] = dc * in * (1 - g * g);
        t->dz[3 * width + j] = dh * tc * o * (1 - o);
        t->dc[l][j] = dc * keep;
    }
}

/* A step of a layer: dz into the slopes of the weights, and into those of what it came from. */
static void back_step(const struct train_lstm_shape *s, const struct train_lstm_params *p,
                      const struct train_lstm_params *g, const struct train_lstm_tape *t,
                      const uint8_t *id, uint32_t l, uint32_t i)
{
    const uint32_t n = s->gates;
    back_states(t, l, i, s->width);
    add(g->b[l], 1, t->dz, n);
    if (!l)
        add(g->x[0] + (size_t)id[i] * n, 1, t->dz, n);
    for (uint32_t k = 0; k < s->width; k++) {
        const size_t row = (size_t)k * n;
        if (l) {
            add(g->x[l] + row, t->h[l - 1][i + 1][k], t->dz, n);
            t->below[i * s->width + k] = dot(p->x[l] + row, t->dz, n);
        }
        if (i)
            add(g->h[l] + row, t->h[l][i][k], t->dz, n);
        t->dh[l][k] = i ? dot(p->h[l] + row, t->dz, n) : 0;
    }
}

void train_lstm_backward(const struct train_lstm_shape *s, const struct train_lstm_params *p,
                         const struct train_lstm_params *g, const struct train_lstm_tape *t,
                         const uint8_t *id)
{
    const uint32_t top = s->layers - 1;
    add(g->b_out, 1, t->y, s->n_out);
    for (uint32_t l = 0; l < s->layers; l++) {
        memset(t->dh[l], 0, s->width * sizeof **t->dh);
        memset(t->dc[l], 0, s->width * sizeof **t->dc);
    }
    for (uint32_t k = 0; k < s->width; k++) {
        const size_t row = (size_t)k * s->n_out;
        add(g->out + row, t->h[top][s->steps][k], t->y, s->n_out);
        for (uint32_t o = 0; o < s->n_out; o++)
            t->dh[top][k] += p->out[row + o] * t->y[o];
    }
    for (uint32_t l = s->layers; l-- > 0;)
        for (uint32_t i = s->steps; i-- > 0;) {
            if (l < top)
                add(t->dh[l], 1, t->below + (size_t)i * s->width, s->width);
            back_step(s, p, g, t, id, l, i);
        }
}

double train_lstm_slope(const struct train_lstm_task *task, const struct train_lstm_options *o,
                        const double *params, size_t row, double *slope)
{
    const struct train_lstm_shape s = train_lstm_shape(task, o);
    struct train_lstm_params p, g;
    struct train_lstm_tape t;
    double loss = -1; /* no memory */
    double *own = malloc(train_lstm_params(task, o) * sizeof *own);
    if (own && train_lstm_tape(&t, &s)) {
        const size_t n = train_lstm_map(&s, own, &p);
        memcpy(own, params, n * sizeof *own);
        memset(slope, 0, n * sizeof *slope);
        (void)train_lstm_map(&s, slope, &g);
        train_lstm_forward(&s, &p, &t, task->id + row * s.steps);
        loss = train_lstm_loss(t.y, s.n_out, task->class[row]);
        train_lstm_backward(&s, &p, &g, &t, task->id + row * s.steps);
        free(t.room);
    }
    free(own);
    return loss;
}
