/* rivals.c - see rivals.h */
#include <stdlib.h>

#include "gpu-kernels/beside.h"
#include "gpu-kernels/rivals.h"

/* A processor newer than the library gets its kernels of 2004: name the ones
 * that suit.  (0.3.21 does so for Sapphire Rapids and what followed.)  */
static const char *openblas_core(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni"))
        return "Cooperlake";
    if (__builtin_cpu_supports("avx512f"))
        return "SkylakeX";
    if (__builtin_cpu_supports("avx2"))
        return "Haswell";
#endif
    return "";
}

const struct rival *const *rivals_open(void)
{
    static const struct rival *const none[] = {NULL};
    /* Both libraries read these when they are loaded, and start threads then. */
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    setenv("OPENBLAS_CORETYPE", openblas_core(), 0);
    void *library = beside_open(RIVALS_LIBRARY);
    const struct rival *const *table = library ? beside_symbol(library, RIVALS_SYMBOL) : NULL;
    return table ? table : none;
}
