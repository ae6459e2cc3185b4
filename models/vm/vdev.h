/* vdev.h - a guest's device: paravirtual through a ring, or passed through.
 *
 * virtio: the guest adds a request to the ring and kicks (an exit handled in
 * the kernel) only when the host's worker asked for it, which it does when it
 * found the ring empty.  The worker, a thread of the host, takes requests one
 * by one, pays for each, and hands it to the backend.  A completed request
 * raises an interrupt only when the guest asked for one: it does when it has
 * taken all that were complete.  So a busy device costs few kicks and few
 * interrupts.  With `always` neither side ever suppresses.
 *
 * Passthrough: the guest rings the device's own doorbell, without exit, and the
 * device's interrupt reaches the vCPU as any other (vm.h: posted or not).
 *
 *     submitted = completed + queued + with the backend      at any time.    */
#ifndef MODELS_VM_VDEV_H
#define MODELS_VM_VDEV_H

#include "models/vm/vm.h"

enum vdev_kind { VDEV_VIRTIO, VDEV_DIRECT };
struct vdev_spec {
    enum vdev_kind kind;
    uint32_t ring; /* requests under way at most */
    uint8_t vector;
    struct vcpu *irq_to; /* which vCPU its interrupts go to */
    bool always;
    /* Starts the request; vdev_complete when it is done, not from within. */
    void (*backend)(void *ctx, uint64_t request);
    sim_fn *done; /* the guest learns of it: done(ctx, request) */
    void *ctx;
    struct cpu_task_spec worker; /* of virtio, but for its name */
};
struct vdev_counts {
    uint64_t submitted, completed, seen; /* seen: by the guest */
    uint64_t queued, outside;            /* in the ring; with the backend */
    uint64_t kicks, interrupts;
};

struct vdev;
struct vdev *vdev_new(struct hv *h, const struct vdev_spec *spec); /* NULL: out of memory */
void vdev_free(struct vdev *d); /* before its VM's hypervisor; the backend calls no more */
bool vdev_full(const struct vdev *d);
/* The guest submits one, as the vCPU's next operation; the ring is not full. */
void vdev_submit(struct vdev *d, struct vcpu *v, uint64_t request, const struct vcpu_then *then);
void vdev_complete(struct vdev *d, uint64_t request);
void vdev_irq(struct vdev *d); /* the guest's handler: call it when the vector was served */
void vdev_counts(const struct vdev *d, struct vdev_counts *out);

#endif
