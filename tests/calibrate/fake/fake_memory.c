#include "tests/calibrate/fake/fake_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cudrv.h"

#define X(name, args) cu_result name args;
CUDRV_CALLS(X)
#undef X

enum { INVALID = 1, NO_MEMORY = 2, ALLOCS = 512 };

static struct {
    void *at;
    size_t size;
    bool pinned;
} alloc[ALLOCS];

size_t fake_memory_size(const void *at)
{
    for (int i = 0; i < ALLOCS; i++)
        if (alloc[i].at == at)
            return alloc[i].size;
    return 0;
}

bool fake_memory_pinned(const void *at)
{
    for (int i = 0; i < ALLOCS; i++)
        if (alloc[i].pinned && (const char *)at >= (char *)alloc[i].at &&
            (const char *)at < (char *)alloc[i].at + alloc[i].size)
            return true;
    return false;
}

static cu_result take(void **p, size_t n, bool pin)
{
    int i = 0;
    while (i < ALLOCS && alloc[i].at)
        i++;
    *p = i < ALLOCS ? calloc(1, n) : NULL;
    if (!*p)
        return NO_MEMORY;
    alloc[i].at = *p;
    alloc[i].size = n;
    alloc[i].pinned = pin;
    return 0;
}
static cu_result give(void *p)
{
    for (int i = 0; i < ALLOCS; i++)
        if (alloc[i].at == p) {
            alloc[i].at = NULL;
            alloc[i].pinned = false;
            free(p);
            return 0;
        }
    return INVALID;
}
cu_result cuMemAlloc_v2(cu_pointer *p, size_t n)
{
    void *at;
    cu_result r = take(&at, n, false);
    *p = (uintptr_t)at;
    return r;
}
cu_result cuMemFree_v2(cu_pointer p)
{
    return give((void *)(uintptr_t)p);
}
cu_result cuMemHostAlloc(void **p, size_t n, unsigned flags)
{
    return flags == CU_HOST_ALLOC_MAPPED ? take(p, n, true) : INVALID;
}
cu_result cuMemHostGetDevicePointer_v2(cu_pointer *device, void *at, unsigned flags)
{
    *device = (uintptr_t)at;
    return flags;
}
cu_result cuMemFreeHost(void *p)
{
    return give(p);
}
cu_result cuMemcpyHtoD_v2(cu_pointer to, const void *from, size_t n)
{
    memcpy((void *)(uintptr_t)to, from, n);
    return 0;
}
