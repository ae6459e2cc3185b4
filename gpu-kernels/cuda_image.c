/* cuda_image.c - see cuda_image.h; kernels.mk defines CUDA_PTX, a file name. */
#include <string.h>

#include "gpu-kernels/beside.h"
#include "gpu-kernels/cuda_image.h"

#if defined(CUDA_PTX)
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "cuda_image_text:\n"
        ".incbin \"" CUDA_PTX "\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char cuda_image_text[] __attribute__((visibility("hidden")));
const char *const cuda_image_ptx = cuda_image_text;
#else
const char *const cuda_image_ptx = NULL;
#endif

const void *cuda_image_cubin(int arch, void **library)
{
    cuda_image_cubin_fn *find;
    *library = beside_open(CUDA_IMAGE_LIBRARY);
    void *symbol = *library ? beside_symbol(*library, CUDA_IMAGE_SYMBOL) : NULL;
    if (!symbol)
        return NULL;
    memcpy(&find, &symbol, sizeof find);
    return find(arch);
}
