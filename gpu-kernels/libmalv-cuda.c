/* libmalv-cuda.c - the kernels compiled for the usual GPUs: libmalv-cuda.so.
 *
 * Built only where nvcc is (kernels.mk), and only ever a saving of time: see
 * cuda_image.h.  Code for sm_X0 also runs on sm_Xy of the same generation.  */
#include <stddef.h>
#include <string.h>

#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/kind.h"

#define ARCHES(X, kind) X(kind, 80) X(kind, 90) X(kind, 100) X(kind, 120)

#define X(kind, arch)                                                                              \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n"                                                                         \
            "cubin_" #kind "_" #arch ":\n"                                                         \
            ".incbin \"" CUDA_CUBINS "/" #kind ".sm_" #arch ".cubin\"\n"                           \
            ".popsection\n");                                                                      \
    extern const char cubin_##kind##_##arch[] __attribute__((visibility("hidden")));
#define K(kind) ARCHES(X, kind)
KINDS(K)
#undef X

static const struct {
    const char *kind;
    int arch;
    const void *image;
} cubins[] = {
#define X(kind, arch) {#kind, arch, cubin_##kind##_##arch},
    KINDS(K)
#undef X
};

__attribute__((visibility("default"))) cuda_image_cubin_fn malv_cuda_cubin;

const void *malv_cuda_cubin(const char *kind, int arch)
{
    for (size_t i = 0; i < sizeof cubins / sizeof *cubins; i++)
        if (!strcmp(cubins[i].kind, kind) && cubins[i].arch / 10 == arch / 10)
            return cubins[i].image;
    return NULL;
}
