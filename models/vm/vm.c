/* vm.c - VMs come, run, stop and go. */
#include <assert.h>
#include <stdlib.h>

#include "models/vm/vm_state.h"

struct hv *hv_new(const struct hv_env *env)
{
    struct hv *h = calloc(1, sizeof *h);
    if (h)
        h->env = *env;
    return h;
}

static void reap(void *ctx, uint64_t unused)
{
    (void)unused;
    struct hv *h = ctx;
    h->reap = 0;
    while (h->dead) {
        struct vm *m = h->dead;
        h->dead = m->next;
        free(m);
    }
}

void hv_free(struct hv *h)
{
    if (!h)
        return;
    while (h->first)
        vm_destroy(h->first);
    sim_cancel(h->env.sim, h->reap);
    reap(h, 0);
    free(h);
}

/* ---- a VM ---- */

static bool vcpu_make(struct vm *m, uint32_t i)
{
    struct vcpu *v = &m->vcpu[i];
    struct cpu_task_spec spec = m->spec.task;
    spec.name = "vcpu";
    spec.vm = m->spec.id;
    if (m->spec.pin) {
        spec.first_cpu += i;
        spec.n_cpus = 1;
    }
    v->vm = m;
    v->index = i;
    v->poll.rule = &m->spec.halt_poll;
    timer_reset(v);
    v->task = cpu_task_new(m->hv->env.cpus, &spec);
    if (v->task)
        cpu_task_watch(v->task, vcpu_moved, v);
    return v->task != NULL;
}

struct vm *vm_create(struct hv *h, const struct vm_spec *spec)
{
    assert(spec->vcpus > 0 && spec->id > 0);
    struct vm *m = calloc(1, sizeof *m + spec->vcpus * sizeof m->vcpu[0]);
    if (!m)
        return NULL;
    m->hv = h;
    m->spec = *spec;
    m->paused = true;
    m->next = h->first;
    if (h->first)
        h->first->prev = m;
    h->first = m;
    for (uint32_t i = 0; i < spec->vcpus; i++)
        if (!vcpu_make(m, i)) {
            m->spec.vcpus = i;
            vm_destroy(m);
            return NULL;
        }
    return m;
}

void vm_run(struct vm *m)
{
    if (!m->paused)
        return;
    m->paused = false;
    for (uint32_t i = 0; i < m->spec.vcpus && !m->dead && !m->paused; i++) {
        struct vcpu *v = &m->vcpu[i];
        if (v->state == VCPU_PARKED)
            v->parked(v);
        else if (v->state == VCPU_REST)
            irq_notice(v);
    }
}

/* Guest code is left by an exit, behind which the vCPU finds that it may not enter. */
void vm_pause(struct vm *m)
{
    m->paused = true;
    for (uint32_t i = 0; i < m->spec.vcpus; i++)
        if (vcpu_in_guest(&m->vcpu[i]))
            exit_forced(&m->vcpu[i], EXIT_EXTINT, NULL);
}

bool vm_paused(const struct vm *m)
{
    return m->paused;
}

static void vcpu_end(struct vcpu *v)
{
    struct sim *s = vcpu_sim(v);
    sim_cancel(s, v->step);
    sim_cancel(s, v->notice);
    sim_cancel(s, v->timer);
    cpu_task_watch(v->task, NULL, NULL);
    cpu_task_end(v->task);
}

/* Its memory stays until the next event: a caller may be within one of its callbacks. */
void vm_destroy(struct vm *m)
{
    struct hv *h = m->hv;
    assert(!m->dead);
    m->dead = true;
    for (uint32_t i = 0; i < m->spec.vcpus; i++)
        vcpu_end(&m->vcpu[i]);
    *(m->prev ? &m->prev->next : &h->first) = m->next;
    if (m->next)
        m->next->prev = m->prev;
    m->next = h->dead;
    h->dead = m;
    if (!h->reap)
        h->reap = sim_after(h->env.sim, 0, 0, reap, h, 0);
}

struct vcpu *vm_vcpu(struct vm *m, uint32_t i)
{
    assert(i < m->spec.vcpus);
    return &m->vcpu[i];
}

const struct vm_spec *vm_spec_of(const struct vm *m)
{
    return &m->spec;
}
