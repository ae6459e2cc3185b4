/* bench_infer.c - malv bench infer: the CPU twin against the libraries.
 *
 * The network is LinnOS's 31-256-2.  Contenders take turns within a repeat,
 * so that a busy machine slows all; a repeat is the best of many short
 * bursts, since what is asked is the cost of the arithmetic, not of the
 * neighbours.  The twin is called as a policy calls it, through infer_run.  */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "gpu-kernels/infer.h"
#include "gpu-kernels/rivals.h"
#include "harness/bench/bench.h"

enum { N_IN = 31, N_HIDDEN = 256, N_OUT = 2, BATCH_MAX = 1024, CONTENDERS = 8 };

struct weights {
    float w1[N_HIDDEN * N_IN], b1[N_HIDDEN], w2[N_OUT * N_HIDDEN], b2[N_OUT];
    int8_t q1[N_HIDDEN * N_IN], q2[N_OUT * N_HIDDEN];
    int32_t c1[N_HIDDEN], c2[N_OUT];
    float x[BATCH_MAX * N_IN], y[BATCH_MAX * N_OUT], y_rival[BATCH_MAX * N_OUT];
};

struct contender {
    const char *name;
    struct infer_model *model; /* ours, or */
    const struct rival *rival; /* theirs */
    void *self;
    double sample[BENCH_REPEATS], kept[BENCH_REPEATS]; /* bench_add sorts what it is given */
};

struct race {
    struct weights *w;
    struct infer *infer;
    struct contender c[CONTENDERS];
    int count;
    uint32_t batch;
};

static uint32_t next(uint32_t *state) /* xorshift: the weights only must not be special */
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill(float *to, int8_t *q, size_t n, uint32_t *state)
{
    for (size_t i = 0; i < n; i++) {
        int8_t v = (int8_t)(next(state) >> 24);
        to[i] = (float)v / 256.0f;
        if (q)
            q[i] = v;
    }
}

static struct weights *make_weights(void)
{
    uint32_t state = 2463534242u;
    struct weights *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    fill(w->w1, w->q1, N_HIDDEN * N_IN, &state);
    fill(w->w2, w->q2, N_OUT * N_HIDDEN, &state);
    fill(w->b1, NULL, N_HIDDEN, &state);
    fill(w->b2, NULL, N_OUT, &state);
    for (size_t i = 0; i < BATCH_MAX * N_IN; i++)
        w->x[i] = (float)(next(&state) % 10); /* LinnOS's inputs are decimal digits */
    return w;
}

static struct infer_mlp network(const struct weights *w, enum infer_type type)
{
    return (struct infer_mlp){.n_in = N_IN,
                              .n_hidden = N_HIDDEN,
                              .n_out = N_OUT,
                              .type = type,
                              .w1 = w->w1,
                              .b1 = w->b1,
                              .w2 = w->w2,
                              .b2 = w->b2,
                              .q1 = w->q1,
                              .c1 = w->c1,
                              .q2 = w->q2,
                              .c2 = w->c2,
                              .in_scale = 1,
                              .hidden_scale = 1.0f / 128,
                              .out_scale = 1.0f / 4096};
}

static int add_ours(struct race *r, const char *name, enum infer_type type, struct err *e)
{
    char why[256];
    struct infer_mlp m = network(r->w, type);
    struct contender *c = &r->c[r->count++];
    c->name = name;
    if (infer_load_mlp(r->infer, &m, &c->model, why, sizeof why))
        return err_set(e, ERR_EFAIL, "%s: %s", name, why);
    return 0;
}

static void add_rivals(struct race *r, const struct infer_mlp *m)
{
    for (const struct rival *v = rivals_open(); v->name && r->count < CONTENDERS; v++) {
        struct contender *c = &r->c[r->count];
        c->self = v->make(m, r->batch, r->w->x, r->w->y_rival);
        c->rival = v;
        c->name = v->name;
        r->count += c->self != NULL;
    }
}

static void run(const struct race *r, const struct contender *c)
{
    if (c->rival)
        c->rival->run(c->self);
    else /* a batch that was accepted once cannot fail on the CPU */
        (void)infer_run(c->model, r->batch, r->w->x, r->w->y, NULL, 0);
}

/* Microseconds of one batch: the best of `bursts` bursts. */
static double measure(const struct race *r, const struct contender *c, int bursts)
{
    int calls = 1 + (int)(256 / r->batch);
    double best = INFINITY;
    for (int i = 0; i < bursts; i++) {
        double begin = bench_cpu_s();
        for (int j = 0; j < calls; j++)
            run(r, c);
        best = fmin(best, (bench_cpu_s() - begin) / calls);
    }
    return best * 1e6;
}

/* A rival that computed something else would be no rival. */
static int check_rival(const struct race *r, const struct contender *c, struct err *e)
{
    for (uint32_t i = 0; c->rival && i < r->batch * N_OUT; i++)
        if (fabsf(r->w->y[i] - r->w->y_rival[i]) > 1e-3f * (1 + fabsf(r->w->y[i])))
            return err_set(e, ERR_EFAIL, "%s computes %g where the twin computes %g", c->name,
                           (double)r->w->y_rival[i], (double)r->w->y[i]);
    return 0;
}

static void report(struct race *r, struct bench *b)
{
    for (int i = 0; i < r->count; i++) {
        struct contender *c = &r->c[i];
        struct bench_row *row =
            bench_add(b, "us/batch", c->sample, b->repeats, "%s.batch%u", c->name, r->batch);
        if (i == 0 && r->count == 2)
            row->note = "OpenBLAS and oneDNN are not installed";
        for (int ours = 0; c->rival && ours < 2; ours++)
            bench_ratio(b, r->c[ours].kept, c->kept, b->repeats, 1.0, "%s/%s.batch%u",
                        r->c[ours].name, c->name, r->batch);
    }
}

static int race_batch(struct race *r, struct bench *b, struct err *e)
{
    int rc = 0;
    for (int i = 0; i < b->repeats; i++)
        for (int k = 0; k < r->count; k++) {
            struct contender *c = &r->c[k];
            c->sample[i] = c->kept[i] = measure(r, c, b->quick ? 20 : 400);
        }
    run(r, &r->c[0]);
    for (int k = 0; !rc && k < r->count; k++)
        rc = check_rival(r, &r->c[k], e);
    if (!rc)
        report(r, b);
    return rc;
}

static int one_batch(struct infer *infer, struct weights *w, uint32_t batch, struct bench *b,
                     struct err *e)
{
    struct race r = {.w = w, .infer = infer, .batch = batch};
    struct infer_mlp m = network(w, INFER_F32);
    int rc = add_ours(&r, "f32", INFER_F32, e);
    if (!rc)
        rc = add_ours(&r, "int8", INFER_S8, e);
    if (!rc) {
        add_rivals(&r, &m);
        rc = race_batch(&r, b, e);
    }
    for (int i = 0; i < r.count; i++) {
        infer_unload(r.c[i].model);
        if (r.c[i].rival)
            r.c[i].rival->free(r.c[i].self);
    }
    return rc;
}

int bench_infer(struct bench *b, struct err *e)
{
    static const uint32_t batches[] = {1, 64, 1024};
    char why[256];
    struct infer *infer = NULL;
    struct weights *w = make_weights();
    int rc = 0;
    if (!w)
        return err_set(e, ERR_ENOMEM, "out of memory");
    if (infer_open(&infer, INFER_CPU, why, sizeof why))
        rc = err_set(e, ERR_EFAIL, "%s", why);
    for (int i = 0; !rc && i < 3; i++)
        rc = one_batch(infer, w, batches[i], b, e);
    infer_close(infer);
    free(w);
    return rc;
}
