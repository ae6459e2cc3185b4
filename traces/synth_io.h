/* synth_io.h - block requests, after the generator of LAKE (ASPLOS'23; src/linnos/trace_tools).
 *
 * Each device has a stream of its own: exponential gaps, reads with a given
 * probability, sizes lognormal with mu = ln(median) and
 * sigma = (ln max - ln median) / 3, clipped to max and rounded up to 4 KiB,
 * offsets uniform, rounded up to 4 KiB, not below 128 MiB.
 *
 * LAKE's scripts call the median "avg": its generator draws
 * lognormal(ln(avg), sigma), so the mean size lies above avg.               */
#ifndef TRACES_SYNTH_IO_H
#define TRACES_SYNTH_IO_H

#include "traces/synth_rows.h"

#define SYNTH_IO_DEVICES 16
#define SYNTH_IO_ALIGN   4096
#define SYNTH_IO_LOWEST  (UINT64_C(128) << 20)

struct synth_io_size {
    double median_kib, max_kib;
};

struct synth_io_device {
    double read;   /* probability */
    double gap_us; /* mean */
    struct synth_io_size read_size, write_size;
};

struct synth_io {
    struct synth_head head;
    double span_gib; /* of the offsets */
    struct synth_io_device device[SYNTH_IO_DEVICES];
    uint32_t devices;
};

int synth_io_open(struct row_source **out, const void *params, uint64_t seed,
                  struct err *e) MUST_CHECK;

#endif
