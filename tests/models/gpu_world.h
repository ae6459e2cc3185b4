/* gpu_world.h - one GPU on a bench: round numbers, and a log of what ended when. */
#ifndef TESTS_GPU_WORLD_H
#define TESTS_GPU_WORLD_H

#include "models/gpu/device.h"

struct gpu_end {
    uint64_t arg;
    sim_time at;
};
struct gpu_world {
    struct sim *sim;
    struct device *d;
    struct gpu_end *end;
    size_t n, cap;
};

/* 100 SMs; 1000 GB/s, reach as by default; 10 GB/s host link, both ways 15, pageable 4, peer 50;
 * no gap, no latency, slices of 1 ms, switches of 100 us, preemption 50 us, 1 GB. */
struct device_params gpu_params(void);
void gpu_world_begin(struct gpu_world *w, const struct device_params *p,
                     const struct sim_options *o);
void gpu_world_end(struct gpu_world *w);
struct device_context *gpu_context(struct gpu_world *w, uint32_t partition);
struct device_stream *gpu_stream(struct device_context *c, int32_t prio);
struct device_call gpu_logs(struct gpu_world *w, uint64_t arg); /* done: logged */
/* Submits, logged; a kernel of so many us. */
uint64_t gpu_kernel(struct gpu_world *w, struct device_stream *s, uint64_t arg, sim_time us);
uint64_t gpu_work(struct gpu_world *w, struct device_stream *s, uint64_t arg,
                  struct device_work work);
uint64_t gpu_copy(struct gpu_world *w, struct device_stream *s, uint64_t arg, enum device_kind kind,
                  uint64_t bytes);
sim_time gpu_ended(const struct gpu_world *w, uint64_t arg); /* its first end; fails: none */

#endif
