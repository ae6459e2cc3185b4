/* cpu.h - the CPU twins: one arithmetic, four instruction sets.
 *
 * A twin computes exactly what mlp.h says.  Each lives in a file that alone
 * is compiled for its instruction set (kernels.mk); cpu.c asks the processor
 * and picks the last twin in the table that it can run.                     */
#ifndef GPU_KERNELS_CPU_H
#define GPU_KERNELS_CPU_H

#include "gpu-kernels/backend.h"
#include "gpu-kernels/pack.h"

typedef void cpu_forward(const struct pack *p, uint32_t rows, const float *x, float *y);

struct cpu_twin {
    const char *name;
    bool (*supported)(void);
    cpu_forward *f32, *s8;
    enum pack_layout s8_layout;
};

extern const struct cpu_twin cpu_twins[]; /* slowest first; a NULL name ends it */

cpu_forward cpu_scalar_f32, cpu_scalar_s8;
#if defined(__x86_64__)
cpu_forward cpu_avx2_f32, cpu_avx2_s8, cpu_avx512_f32, cpu_vnni_s8;
#endif

/* One forward pass of the twin that packed it; for tests and benchmarks. */
struct cpu_model {
    struct pack pack;
    cpu_forward *forward;
};
bool cpu_model_make(struct cpu_model *m, const struct cpu_twin *twin, const struct infer_mlp *net);
#endif
