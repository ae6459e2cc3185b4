/* cudrv.c - see cudrv.h */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/backend.h"
#include "gpu-kernels/cudrv.h"

enum { ARCH_MIN = 80 }; /* mma.m16n8k32 of the int8 kernel */

static int find_calls(struct cudrv *d, char *why, size_t n)
{
    void *found;
#define X(call, args)                                                                              \
    found = dlsym(d->library, #call);                                                              \
    if (!found)                                                                                    \
        return infer_fail(why, n, "the NVIDIA driver is too old, it lacks " #call);                \
    memcpy(&d->call, &found, sizeof found);
    CUDRV_CALLS(X)
#undef X
    return 0;
}

static int find_device(struct cudrv *d, char *why, size_t n)
{
    int count = 0, major = 0, minor = 0;
    cu_result r = d->cuInit(0);
    if (r)
        return infer_fail(why, n, "cuInit says %s", cudrv_error(d, r));
    d->cuDriverGetVersion(&d->version);
    if (d->cuDeviceGetCount(&count) || count < 1)
        return infer_fail(why, n, "the NVIDIA driver sees no device");
    if (d->cuDeviceGet(&d->device, 0) || d->cuDeviceGetName(d->name, sizeof d->name, d->device) ||
        d->cuDeviceGetAttribute(&major, CU_ATTR_MAJOR, d->device) ||
        d->cuDeviceGetAttribute(&minor, CU_ATTR_MINOR, d->device) ||
        d->cuDeviceGetAttribute(&d->sm_count, CU_ATTR_SM_COUNT, d->device))
        return infer_fail(why, n, "the NVIDIA driver does not describe device 0");
    d->arch = major * 10 + minor;
    return 0;
}

int cudrv_any(struct cudrv *d, char *why, size_t n)
{
    const char *other = getenv("MALV_LIBCUDA");
    *d = (struct cudrv){0};
    d->library = dlopen(other ? other : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!d->library)
        return infer_fail(why, n, "no NVIDIA driver library: %s", dlerror());
    if (!find_calls(d, why, n) && !find_device(d, why, n))
        return 0;
    cudrv_close(d);
    return -1;
}

int cudrv_open(struct cudrv *d, char *why, size_t n)
{
    if (cudrv_any(d, why, n))
        return -1;
    if (d->arch >= ARCH_MIN)
        return 0;
    cudrv_close(d);
    return infer_fail(why, n, "%s is sm_%d, want sm_%d or newer", d->name, d->arch, ARCH_MIN);
}

void cudrv_close(struct cudrv *d)
{
    if (d->library)
        dlclose(d->library);
    d->library = NULL;
}

const char *cudrv_error(const struct cudrv *d, cu_result r)
{
    const char *name = NULL;
    if (d->cuGetErrorName(r, &name) || !name)
        return "an unknown error";
    return name;
}
