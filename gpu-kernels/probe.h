/* probe.h - kernels that measure a device: what malv calibrate --gpu launches.
 *
 * The device's clock is its globaltimer, in ns, the same for all contexts.  Compiled as C (the
 * emulation) they ask probe_emu_clock instead.                                              */
#ifndef GPU_KERNELS_PROBE_H
#define GPU_KERNELS_PROBE_H

#include <stdint.h>

enum { PROBE_THREADS = 1024, PROBE_LINE = 128 }; /* of a block of probe_copy; bytes */
enum { PROBE_GAPS = 4096 };

struct probe_nothing_args {
    uint64_t unused;
};

/* One thread looks at the clock for spin_ns, and keeps the gaps in which it did not run: those
 * longer than gap_ns. */
struct probe_spin_args {
    struct probe_spins *out;
    uint64_t spin_ns, gap_ns;
};
struct probe_spins {
    uint64_t begin, end, gaps; /* gaps: kept, at most PROBE_GAPS */
    struct {
        uint64_t off, on;
    } gap[PROBE_GAPS];
};

/* n words of 8 bytes, by blocks of PROBE_THREADS. */
struct probe_copy_args {
    uint64_t *to;
    const uint64_t *from;
    uint64_t n;
};

/* One thread follows next[] for some steps; ns takes how long, last where it came to. */
struct probe_chase_args {
    const uint32_t *next;
    uint64_t *ns;
    uint32_t *last;
    uint64_t steps;
};

#define PROBE_KERNELS(X) X(nothing, 1) X(spin, 1) X(copy, PROBE_THREADS) X(chase, 1)

enum probe_kernel {
#define X(name, threads) PROBE_##name,
    PROBE_KERNELS(X)
#undef X
        PROBES
};

#if !defined(__CUDACC__) && !defined(__CUDA__)
extern uint64_t (*probe_emu_clock)(void);
#define X(name, threads) void emu_probe_##name(const void *args);
PROBE_KERNELS(X)
#undef X
#endif

#endif
