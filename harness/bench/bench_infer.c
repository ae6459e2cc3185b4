/* bench_infer.c - malv bench infer: every network, by batch and backend, beside
 * the libraries that do the same.
 *
 * Contenders take turns within a repeat, so that a busy machine slows all; a
 * repeat is the best of many short bursts, since what is asked is the cost of
 * the arithmetic, not of the neighbours.  A twin is called as a policy calls
 * it, through infer_run.  A GPU's times are of the wall clock, with staging
 * and launch in them; the emulator of kernels is no backend to be timed.
 * A library that has but a part of the work is timed at that (".products"),
 * and again with what one would write around it: that is the one to beat.   */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gpu-kernels/rivals.h"
#include "harness/bench/bench.h"
#include "harness/bench/bench_nets.h"

enum { CONTENDERS = 8 };

struct contender {
    const char *name;          /* "int8", "openblas" */
    struct infer_model *model; /* ours, or */
    const struct rival *rival; /* theirs */
    void *self;
    bool gpu;
    double sample[BENCH_REPEATS], kept[BENCH_REPEATS]; /* bench_add sorts what it is given */
};

/* What all races share. */
struct track {
    struct infer *cpu, *gpu; /* gpu: NULL where there is none */
    const struct rival *const *rivals;
    struct bench *bench;
};

struct race {
    const struct track *t;
    const struct bench_net *net;
    struct contender c[CONTENDERS];
    int count, twins; /* twins come first */
    uint32_t batch;
    float *x, *y, *y_rival;
};

/* ---- the contenders --------------------------------------------------------------- */

static int add_ours(struct race *r, struct infer *on, int variant, const char *name, struct err *e)
{
    char why[256];
    struct contender *c = &r->c[r->count++];
    c->name = name;
    c->gpu = on == r->t->gpu;
    if (infer_load(on, &r->net->net[variant], &c->model, why, sizeof why))
        return err_set(e, ERR_EFAIL, "%s %s: %s", r->net->name, name, why);
    return 0;
}

static int add_twins(struct race *r, struct err *e)
{
    int rc = 0;
    for (int v = 0; !rc && v < BENCH_NET_VARIANTS && r->net->variant[v]; v++)
        rc = add_ours(r, r->t->cpu, v, r->net->variant[v], e);
    r->twins = r->count;
    for (int v = 0; !rc && r->t->gpu && v < r->twins; v++)
        rc = add_ours(r, r->t->gpu, v, v ? "int8.gpu" : "gpu", e);
    return rc;
}

static void add_rivals(struct race *r)
{
    const struct infer_net *net = &r->net->net[0];
    for (const struct rival *const *v = r->t->rivals; *v && r->count < CONTENDERS; v++) {
        struct contender *c = &r->c[r->count];
        if ((*v)->kind != net->kind || !(c->self = (*v)->make(net, r->batch, r->x, r->y_rival)))
            continue;
        c->rival = *v;
        c->name = (*v)->name;
        r->count++;
    }
}

static void drop(struct race *r)
{
    for (int i = 0; i < r->count; i++) {
        infer_unload(r->c[i].model);
        if (r->c[i].rival)
            r->c[i].rival->free(r->c[i].self);
    }
    free(r->x);
    free(r->y);
    free(r->y_rival);
}

/* ---- a repeat ------------------------------------------------------------------------ */

static void run(const struct race *r, const struct contender *c)
{
    if (c->rival)
        c->rival->run(c->self);
    else /* a batch that was accepted once cannot fail on the CPU */
        (void)infer_run(c->model, r->batch, r->x, r->y, NULL, 0);
}

static double clock_s(const struct contender *c)
{
    struct timespec t;
    if (!c->gpu)
        return bench_cpu_s();
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Microseconds of one batch: the best of some bursts, of so many seconds together. */
static double measure(const struct race *r, const struct contender *c, double seconds)
{
    int calls = 1 + (int)(256 / r->batch);
    double best = INFINITY;
    for (double spent = 0; spent < seconds;) {
        double begin = clock_s(c);
        for (int j = 0; j < calls; j++)
            run(r, c);
        double burst = clock_s(c) - begin;
        best = fmin(best, burst / calls);
        spent += burst;
    }
    return best * 1e6;
}

/* A rival that computed something else would be no rival. */
static int check_rival(const struct race *r, const struct contender *c, struct err *e)
{
    if (!c->rival)
        return 0;
    c->rival->run(c->self);
    if (c->rival->finish)
        c->rival->finish(c->self);
    for (size_t i = 0; i < (size_t)r->batch * r->net->n_out; i++)
        if (fabsf(r->y[i] - r->y_rival[i]) > 1e-3f * (1 + fabsf(r->y[i])))
            return err_set(e, ERR_EFAIL, "%s: %s computes %g where the twin computes %g",
                           r->net->name, c->name, (double)r->y_rival[i], (double)r->y[i]);
    return 0;
}

static void report(struct race *r)
{
    struct bench *b = r->t->bench;
    for (int i = 0; i < r->count; i++) {
        struct contender *c = &r->c[i];
        struct bench_row *row = bench_add(b, "us/batch", c->sample, b->repeats, "%s.%s.batch%u",
                                          r->net->name, c->name, r->batch);
        if (i == 0 && r->twins == r->count)
            row->note = "no library here that does the same";
        const bool whole = c->rival && !c->rival->finish;
        for (int ours = 0; whole && ours < r->twins; ours++)
            bench_ratio(b, r->c[ours].kept, c->kept, b->repeats, 1.0, "%s.%s/%s.batch%u",
                        r->net->name, r->c[ours].name, c->name, r->batch);
    }
}

static int race(struct race *r, struct err *e)
{
    const struct bench *b = r->t->bench;
    int rc = 0;
    for (int i = 0; i < b->repeats; i++)
        for (int k = 0; k < r->count; k++) {
            struct contender *c = &r->c[k];
            c->sample[i] = c->kept[i] = measure(r, c, b->quick ? 2e-4 : 0.02);
        }
    run(r, &r->c[0]);
    for (int k = 0; !rc && k < r->count; k++)
        rc = check_rival(r, &r->c[k], e);
    if (!rc)
        report(r);
    return rc;
}

static int one_batch(const struct track *t, const struct bench_net *net, uint32_t batch,
                     struct err *e)
{
    struct race r = {.t = t, .net = net, .batch = batch, .x = bench_nets_inputs(net, batch)};
    const size_t outputs = (size_t)batch * net->n_out;
    r.y = calloc(outputs, sizeof *r.y);
    r.y_rival = calloc(outputs, sizeof *r.y_rival);
    int rc = r.x && r.y && r.y_rival ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    rc = rc ? rc : add_twins(&r, e);
    if (!rc) {
        add_rivals(&r);
        rc = race(&r, e);
    }
    drop(&r);
    return rc;
}

int bench_infer(struct bench *b, struct err *e)
{
    static const uint32_t batches[] = {1, 8, 64, 1024, 4096};
    const int sizes = b->quick ? 2 : 5;
    struct track t = {.rivals = rivals_open(), .bench = b};
    struct bench_nets nets = {0};
    char why[256];
    int rc = infer_open(&t.cpu, INFER_CPU, why, sizeof why) ? err_set(e, ERR_EFAIL, "%s", why) : 0;
    if (!rc && infer_open(&t.gpu, INFER_CUDA, why, sizeof why))
        t.gpu = NULL;
    rc = rc ? rc : bench_nets_make(&nets, b->quick, e);
    for (size_t i = 0; !rc && i < nets.n; i++)
        for (int k = 0; !rc && k < sizes; k++)
            rc = one_batch(&t, &nets.net[i], batches[k], e);
    bench_nets_free(&nets);
    infer_close(t.gpu);
    infer_close(t.cpu);
    return rc;
}
