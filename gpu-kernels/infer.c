/* infer.c - picks a backend, and lets nothing invalid through to it. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/kind.h"

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

static const struct kind *const kinds[INFER_KINDS] = {
    [INFER_MLP] = &kind_mlp,
    [INFER_FOREST] = &kind_forest,
    [INFER_LSTM] = &kind_lstm,
    [INFER_KNN] = &kind_knn,
};

const struct kind *kind_of(const struct infer_net *net)
{
    return kinds[net->kind];
}

void infer_submit(struct infer *r, enum infer_submit how, uint32_t looks)
{
    if (r->ops->submit)
        r->ops->submit(r->self, how, looks ? looks : MAIL_LOOKS);
}

void infer_shape(const struct infer_net *net, uint32_t *n_in, uint32_t *n_out)
{
    kind_of(net)->shape(net, n_in, n_out);
}

uint64_t infer_flops(const struct infer_net *net)
{
    return kind_of(net)->flops(net);
}

uint64_t infer_bytes(const struct infer_net *net)
{
    struct kind_pack p = {0};
    uint64_t sum = 0;
    if (!kind_of(net)->pack(&p, net))
        return 0;
    for (uint32_t i = 0; i < p.n_blobs; i++)
        sum += p.blob[i].size;
    kind_of(net)->unpack(&p);
    return sum;
}

const char *infer_kind(const struct infer_net *net)
{
    if (net->kind == INFER_MLP && net->mlp->type == INFER_S8)
        return "mlp_s8";
    return kind_of(net)->name;
}

int infer_load_mlp(struct infer *r, const struct infer_mlp *mlp, struct infer_model **out,
                   char *why, size_t n)
{
    return infer_load(r, &(struct infer_net){.kind = INFER_MLP, .mlp = mlp}, out, why, n);
}

int infer_load(struct infer *r, const struct infer_net *net, struct infer_model **out, char *why,
               size_t n)
{
    if ((unsigned)net->kind >= INFER_KINDS)
        return infer_fail(why, n, "there is no kind of network number %d", (int)net->kind);
    if (kind_of(net)->check(net, why, n))
        return -1;
    struct infer_model *made = calloc(1, sizeof *made);
    if (!made)
        return infer_fail(why, n, "out of memory");
    made->ops = r->ops;
    if (r->ops->load(r->self, net, &made->self, why, n)) {
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
