/* gpu_part.h - GPUs of the host that several tenants share: models/gpu/device.h behind their
 * drivers' queues.
 *
 * A tenant with a part has a context there, and a stream for each of its own.
 * When its work ends hangs on the others, so that ends are events here, and who
 * waits is woken by them.  Alone on it a tenant is as fast as on a GPU of its own:
 * device gaps and copy latencies are left out, as they are there.             */
#ifndef MODELS_HOST_GPU_PART_H
#define MODELS_HOST_GPU_PART_H

#include "models/gpu/device.h"
#include "models/gpu/mig.h"
#include "models/host/gpu_queue.h"

enum gpu_parts { PARTS_TURNS, PARTS_MPS, PARTS_MIG };
enum { PARTS_GPUS = 16 };

/* "gpus" of the section. */
struct gpu_parts_setup {
    enum gpu_parts sharing;
    sim_time timeslice; /* 0: the profile's */
};
/* "gpu" of a VM. */
struct gpu_part_setup {
    bool has;          /* a part; else a GPU of its own, or none */
    uint32_t on;       /* which of the host's */
    uint32_t weight;   /* turns: 1024 is one */
    uint32_t percent;  /* MPS: of the SMs, at most; 100: all */
    const char *slice; /* MIG; borrowed */
};

/* What a run needs of the machine. */
struct gpu_parts_costs {
    struct device_params device;
    struct mig_table mig;
};
int gpu_parts_costs(struct gpu_parts_costs *c, const struct gpu_parts_setup *set,
                    struct machine_use *u, struct err *e) MUST_CHECK;

struct gpu_shared;
int gpu_shared_new(struct gpu_shared **out, struct sim *sim, const struct gpu_parts_setup *set,
                   const struct gpu_parts_costs *costs, struct err *e) MUST_CHECK;
void gpu_shared_free(struct gpu_shared *s);
/* First all parts that there will be, then, in the same order, whoever takes them. */
int gpu_shared_want(struct gpu_shared *s, const struct gpu_part_setup *part,
                    struct err *e) MUST_CHECK;
int gpu_shared_join(struct gpu_shared *s, const struct gpu_part_setup *part,
                    struct device_context **out, struct err *e) MUST_CHECK;

/* One more command of q, which has a context, from `arrives` on; false: out of memory. */
bool gpu_part_add(struct gpu_queue *q, struct sim *sim, sim_time arrives,
                  const struct device_work *work);

#endif
