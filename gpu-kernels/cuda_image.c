/* cuda_image.c - see cuda_image.h; kernels.mk defines CUDA_PTX, a file name. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
    char path[PATH_MAX];
    cuda_image_cubin_fn *find;
    *library = NULL;
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof CUDA_IMAGE_LIBRARY);
    if (length < 0)
        return NULL;
    path[length] = 0;
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash + 1 : path, CUDA_IMAGE_LIBRARY);
    if (!(*library = dlopen(path, RTLD_NOW | RTLD_LOCAL)))
        return NULL;
    void *symbol = dlsym(*library, CUDA_IMAGE_SYMBOL);
    if (!symbol)
        return NULL;
    memcpy(&find, &symbol, sizeof find);
    return find(arch);
}
