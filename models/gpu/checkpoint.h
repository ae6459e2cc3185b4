/* checkpoint.h - a tenant's GPU memory is saved to the host, and comes back, here or elsewhere.
 *
 *   save     resident bytes over the link, no faster than the host takes them: what is not pinned
 *            is allocated and touched on the way (link.unpinned), what is pinned goes at link.pcie
 *   restore  a context is made (gpu.context_create), then the bytes the same way back
 *
 * No implementation's times were found published (cuda-checkpoint, CRIUgpu and PhoenixOS give
 * none that we could reach): the parts are what such a system can not do without.             */
#ifndef MODELS_GPU_CHECKPOINT_H
#define MODELS_GPU_CHECKPOINT_H

#include "models/gpu/device.h"

struct checkpoint_cost {
    double unpinned, pinned; /* bytes/s */
    sim_cost create;         /* of a context */
};
int checkpoint_cost_read(struct checkpoint_cost *c, const struct device_params *p,
                         struct machine_use *u, struct err *e) MUST_CHECK;
sim_time checkpoint_save(const struct checkpoint_cost *c, uint64_t bytes, bool pinned);
sim_time checkpoint_restore(const struct checkpoint_cost *c, uint64_t bytes, bool pinned);

#endif
