/* libmalv-cuda.c - the kernels compiled for the usual GPUs: libmalv-cuda.so.
 *
 * Built only where nvcc is (kernels.mk), and only ever a saving of time: see
 * cuda_image.h.  Code for sm_X0 also runs on sm_Xy of the same generation.  */
#include <stddef.h>

#include "gpu-kernels/cuda_image.h"

#define CUBINS(X) X(80) X(90) X(100) X(120)

#define X(arch)                                                                                    \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n"                                                                         \
            "cubin_" #arch ":\n"                                                                   \
            ".incbin \"" CUDA_CUBINS "/mlp.sm_" #arch ".cubin\"\n"                                 \
            ".popsection\n");                                                                      \
    extern const char cubin_##arch[] __attribute__((visibility("hidden")));
CUBINS(X)
#undef X

static const struct {
    int arch;
    const void *image;
} cubins[] = {
#define X(arch) {arch, cubin_##arch},
    CUBINS(X)
#undef X
};

__attribute__((visibility("default"))) cuda_image_cubin_fn malv_cuda_cubin;

const void *malv_cuda_cubin(int arch)
{
    for (size_t i = 0; i < sizeof cubins / sizeof *cubins; i++)
        if (cubins[i].arch / 10 == arch / 10)
            return cubins[i].image;
    return NULL;
}
