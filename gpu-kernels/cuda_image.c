/* cuda_image.c - see cuda_image.h; kernels.mk says where the PTX lies. */
#include <string.h>

#include "gpu-kernels/beside.h"
#include "gpu-kernels/cuda_image.h"
#include "gpu-kernels/kind.h"

#if defined(CUDA_PTX_FROM)
#define X(kind)                                                                                    \
    __asm__(".pushsection .rodata\n"                                                               \
            ".balign 16\n"                                                                         \
            "cuda_image_" #kind ":\n"                                                              \
            ".incbin \"" CUDA_PTX_DIR "/" #kind "." CUDA_PTX_FROM ".ptx\"\n"                       \
            ".byte 0\n"                                                                            \
            ".popsection\n");                                                                      \
    extern const char cuda_image_##kind[] __attribute__((visibility("hidden")));
KINDS(X)
#undef X
#define X(kind) {#kind, cuda_image_##kind},
#else
#define X(kind) {#kind, NULL},
#endif

static const struct {
    const char *kind, *text;
} images[] = {KINDS(X)};
#undef X

const char *cuda_image_ptx(const char *kind)
{
    size_t i = 0;
    while (strcmp(images[i].kind, kind))
        i++;
    return images[i].text;
}

const void *cuda_image_cubin(const char *kind, int arch, void **library)
{
    cuda_image_cubin_fn *find;
    *library = beside_open(CUDA_IMAGE_LIBRARY);
    void *symbol = *library ? beside_symbol(*library, CUDA_IMAGE_SYMBOL) : NULL;
    if (!symbol)
        return NULL;
    memcpy(&find, &symbol, sizeof find);
    return find(kind, arch);
}
