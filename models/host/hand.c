/* hand.c - a task of the host that does a tenant's work, one job after another. */
#include <stdlib.h>

#include "models/host/host_state.h"

bool hand_begin(struct hand *w, struct tenant *vm)
{
    const struct cpu_task_spec spec = {
        .name = vm->name, .gang = POLICY_NONE, .home_node = POLICY_NONE, .footprint = 0.1};
    w->last = &w->first;
    w->host = vm->host;
    return (w->task = cpu_task_new(vm->host->cpus, &spec)) != NULL;
}

struct stretch hand_stretch(const struct hand *w, const struct hand_job *job)
{
    struct cpu_task_times t;
    cpu_task_times(w->task, &t);
    const uint64_t cold = t.cold - job->then.cold, entered = t.entered - job->then.entered;
    return (struct stretch){t.waited - job->then.waited - cold - entered, cold, entered, true};
}

static void start(struct hand *w);

static void job_done(void *ctx, uint64_t unused)
{
    (void)unused;
    struct hand *w = ctx;
    struct hand_job *job = w->first;
    w->first = job->next;
    if (!w->first)
        w->last = &w->first;
    w->busy = false;
    w->did++;
    if (job->done)
        job->done(job->ctx, 0);
    else
        free(job);
    if (w->first && !w->busy)
        start(w);
}

static void start(struct hand *w)
{
    const uint64_t ns = bill_total(&w->first->bill);
    w->busy = true;
    w->host->os_ns += bill_os(&w->first->bill) + w->first->bill.ns[LEDGER_copy]; /* vhost's */
    cpu_task_run(w->task, ns ? ns : 1, job_done, w, 0);
}

void hand_submit(struct hand *w, struct hand_job *job)
{
    job->next = NULL;
    cpu_task_times(w->task, &job->then);
    *w->last = job;
    w->last = &job->next;
    w->came++;
    if (!w->busy)
        start(w);
}

/* Jobs that somebody waits for are theirs. */
void hand_end(struct hand *w)
{
    for (struct hand_job *job = w->first, *next; job; job = next) {
        next = job->next;
        if (!job->done)
            free(job);
    }
    w->first = NULL;
}
