#include "models/vm/vdev.h"

#include <assert.h>
#include <stdlib.h>

#include "models/vm/vm_state.h"

struct ring { /* of request numbers */
    uint64_t *slot;
    uint32_t first, n, cap;
};

struct vdev {
    struct vdev_spec spec;
    struct hv *hv;
    struct cpu_task *worker;
    struct ring avail, used;
    uint32_t outside;
    bool working, kick_wanted, irq_wanted;
    uint64_t request; /* the worker's; in hand */
    struct carry carry;
    struct vdev_counts n;
};

static void push(struct ring *r, uint64_t x)
{
    assert(r->n < r->cap);
    r->slot[(r->first + r->n++) % r->cap] = x;
}

static uint64_t pop(struct ring *r)
{
    assert(r->n > 0);
    uint64_t x = r->slot[r->first];
    r->first = (r->first + 1) % r->cap;
    r->n--;
    return x;
}

struct vdev *vdev_new(struct hv *h, const struct vdev_spec *spec)
{
    assert(spec->ring > 0);
    struct vdev *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    *d = (struct vdev){.spec = *spec, .hv = h, .kick_wanted = true, .irq_wanted = true};
    d->avail.cap = d->used.cap = spec->ring;
    d->avail.slot = calloc(spec->ring, sizeof *d->avail.slot);
    d->used.slot = calloc(spec->ring, sizeof *d->used.slot);
    struct cpu_task_spec worker = spec->worker;
    worker.name = "vhost";
    if (spec->kind == VDEV_VIRTIO)
        d->worker = cpu_task_new(h->env.cpus, &worker);
    if (d->avail.slot && d->used.slot && (d->worker || spec->kind == VDEV_DIRECT))
        return d;
    vdev_free(d);
    return NULL;
}

void vdev_free(struct vdev *d)
{
    if (!d)
        return;
    if (d->worker)
        cpu_task_end(d->worker);
    free(d->avail.slot);
    free(d->used.slot);
    free(d);
}

bool vdev_full(const struct vdev *d)
{
    return d->avail.n + d->outside + d->used.n == d->spec.ring;
}

void vdev_counts(const struct vdev *d, struct vdev_counts *out)
{
    *out = d->n;
    out->queued = d->avail.n;
    out->outside = d->outside;
}

/* ---- the host's worker ---- */

static void work(struct vdev *d);

/* The request in hand counts as outside from the moment the worker has it. */
static void worked(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vdev *d = ctx;
    d->spec.backend(d->spec.ctx, d->request);
    work(d);
}

static void work(struct vdev *d)
{
    d->working = d->avail.n > 0;
    d->kick_wanted = !d->working;
    if (!d->working)
        return;
    d->request = pop(&d->avail);
    d->outside++;
    cpu_task_run(d->worker, carry_ns(&d->carry, d->hv->env.cost->virtio_buffer), worked, d, 0);
}

/* ---- the guest ---- */

static void kicked(void *ctx, uint64_t unused)
{
    (void)unused;
    struct vdev *d = ctx;
    if (!d->working)
        work(d);
}

static void ring_bell(struct vdev *d, struct vcpu *v, uint64_t request,
                      const struct vcpu_then *then)
{
    d->outside++;
    vcpu_compute(v, carry_ns(&d->carry, d->hv->env.cost->doorbell), then);
    d->spec.backend(d->spec.ctx, request);
}

void vdev_submit(struct vdev *d, struct vcpu *v, uint64_t request, const struct vcpu_then *then)
{
    assert(!vdev_full(d));
    d->n.submitted++;
    if (d->spec.kind == VDEV_DIRECT) {
        ring_bell(d, v, request, then);
        return;
    }
    push(&d->avail, request);
    if (!d->kick_wanted && !d->spec.always) {
        vcpu_compute(v, carry_ns(&d->carry, d->hv->env.cost->virtio_ring), then);
        return;
    }
    struct vcpu_then kick = *then;
    assert(!then->effect && "the kick is the effect");
    kick.effect = kicked;
    kick.effect_ctx = d;
    d->n.kicks++;
    d->kick_wanted = false; /* one is under way */
    vcpu_exit(v, EXIT_IO_KERNEL, &kick);
}

void vdev_complete(struct vdev *d, uint64_t request)
{
    assert(d->outside > 0);
    d->outside--;
    d->n.completed++;
    push(&d->used, request);
    if (!d->irq_wanted && !d->spec.always)
        return;
    d->irq_wanted = false;
    d->n.interrupts++;
    vcpu_interrupt(d->spec.irq_to, d->spec.vector);
}

void vdev_irq(struct vdev *d)
{
    while (d->used.n) {
        uint64_t request = pop(&d->used);
        d->n.seen++;
        d->spec.done(d->spec.ctx, request);
    }
    d->irq_wanted = true;
}
