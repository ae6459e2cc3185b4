/* cuda_image.h - the compiled kernels that are to be given to the driver.
 *
 * The PTX lies in the program itself; any driver since 450 compiles it for
 * its GPU.  Where nvcc was there at build time, libmalv-cuda.so beside the
 * program holds the same kernels already compiled for the usual GPUs, which
 * saves the tenths of a second that the driver needs on a first run.        */
#ifndef GPU_KERNELS_CUDA_IMAGE_H
#define GPU_KERNELS_CUDA_IMAGE_H

/* Of a kind of network (kind.h); NULL: built with neither nvcc nor clang. */
const char *cuda_image_ptx(const char *kind);

#define CUDA_IMAGE_LIBRARY "libmalv-cuda.so"
#define CUDA_IMAGE_SYMBOL  "malv_cuda_cubin"
typedef const void *cuda_image_cubin_fn(const char *kind, int arch); /* NULL: none for this GPU */

/* A kind's cubin for a GPU, NULL when there is none.  *library is for beside_close
 * when the module is loaded; it may be set even when the result is NULL.    */
const void *cuda_image_cubin(const char *kind, int arch, void **library);

#endif
