/* cpu.c - the cpu backend: the fastest twin that this processor can run. */
#include <stdio.h>
#include <stdlib.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/kind.h"

struct cpu_loaded {
    const struct kind *kind;
    void *twin;
};

static bool always(void)
{
    return true;
}

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_vnni(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vnni");
}
#endif

const struct cpu_twin cpu_twins[] = {
    {"scalar", always, cpu_scalar_f32, cpu_scalar_s8, PACK_PAIRS},
#if defined(__x86_64__)
    {"avx2", has_avx2, cpu_avx2_f32, cpu_avx2_s8, PACK_PAIRS},
    {"avx512", has_avx512, cpu_avx512_f32, cpu_avx2_s8, PACK_PAIRS},
    {"avx512-vnni", has_vnni, cpu_avx512_f32, cpu_vnni_s8, PACK_QUADS},
#endif
    {NULL, NULL, NULL, NULL, PACK_F32}};

bool cpu_model_make(struct cpu_model *m, const struct cpu_twin *twin, const struct infer_mlp *net)
{
    bool f32 = net->type == INFER_F32;
    m->forward = f32 ? twin->f32 : twin->s8;
    return pack_make(&m->pack, net, f32 ? PACK_F32 : twin->s8_layout);
}

static int cpu_open(void **self, char *name, size_t name_size, char *why, size_t n)
{
    (void)why, (void)n;
    const struct cpu_twin *best = cpu_twins;
    for (const struct cpu_twin *t = cpu_twins; t->name; t++)
        if (t->supported())
            best = t;
    snprintf(name, name_size, "cpu (%s)", best->name);
    *self = (void *)(uintptr_t)best; /* const: a twin has no state */
    return 0;
}

static void cpu_close(void *self)
{
    (void)self;
}

static int cpu_load(void *self, const struct infer_net *net, void **model, char *why, size_t n)
{
    struct cpu_loaded *made = malloc(sizeof *made);
    const struct cpu_twin *twin = self;
    void *running = made ? kind_of(net)->twin_make(net, (uint32_t)(twin - cpu_twins)) : NULL;
    if (!running) {
        free(made);
        return infer_fail(why, n, "out of memory");
    }
    *made = (struct cpu_loaded){kind_of(net), running};
    *model = made;
    return 0;
}

static void cpu_unload(void *model)
{
    struct cpu_loaded *m = model;
    m->kind->twin_free(m->twin);
    free(m);
}

static int cpu_run(void *model, uint32_t rows, const float *in, float *out, char *why, size_t n)
{
    const struct cpu_loaded *m = model;
    return m->kind->twin_run(m->twin, rows, in, out) ? 0 : infer_fail(why, n, "out of memory");
}

const struct infer_ops infer_cpu = {
    .open = cpu_open, .close = cpu_close, .load = cpu_load, .unload = cpu_unload, .run = cpu_run};
