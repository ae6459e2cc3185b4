/* jobs.c - from rows of the trace to jobs, and back to free slots. */
#include <stdio.h>
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

static bool more_slots(struct cluster *s)
{
    uint32_t n = s->n_slots ? 2 * s->n_slots : 64;
    struct job *job = realloc(s->job, n * sizeof *job);
    uint32_t *scratch = job ? realloc(s->scratch, n * sizeof *scratch) : NULL;
    struct end *ends = scratch ? realloc(s->ends, n * sizeof *ends) : NULL;
    s->job = job ? job : s->job;
    s->scratch = scratch ? scratch : s->scratch;
    if (!ends)
        return false;
    s->ends = ends;
    for (uint32_t i = n; i-- > s->n_slots;) {
        s->job[i] = (struct job){.next = s->spare};
        s->spare = i;
    }
    s->n_slots = n;
    return true;
}

void jobs_free(struct cluster *s)
{
    for (uint32_t i = 0; i < s->n_slots; i++) { /* of those that run when all ends early */
        free(s->job[i].seat);
        free(s->job[i].pace);
    }
    free(s->job);
    free(s->scratch);
    free(s->ends);
}

void jobs_gone(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    order_forget(s, j);
    order_gone(s, j);
    *j = (struct job){.next = s->spare};
    s->spare = slot;
}

/* ---- what a row says --------------------------------------------------------- */

static int32_t priority(const struct cluster *s, uint32_t qos)
{
    double prio;
    const char *name = s->c.qos && qos != TRACE_NAME_NONE && s->env->rows->name
                           ? s->env->rows->name(s->env->rows, qos)
                           : NULL;
    const struct config *at = name ? config_get(s->c.qos, name) : NULL;
    return at && !config_f64(at, -1e6, 1e6, &prio, NULL) ? (int32_t)prio : 0;
}

/* Users' estimates are uniform between the truth and 1 + factor times it: Mu'alem and Feitelson,
 * "Utilization, Predictability, Workloads, and User Runtime Estimates" (TPDS 2001), the f-model. */
static uint64_t predicted(struct cluster *s, uint64_t duration)
{
    switch (s->c.predicted) {
    case PREDICTED_TRUTH:
        return duration;
    case PREDICTED_USER:
        return (uint64_t)((double)duration * (1 + s->c.factor * rng_unit(&s->guessing)));
    default:
        return 0;
    }
}

static void elastic(const struct cluster *s, struct policy_job *p)
{
    p->gpus_min = p->gpus_max = p->gpus;
    if (!s->c.elastic || !p->gpus || p->gpu_milli < 1000)
        return;
    const double least = s->c.least * p->gpus, most = s->c.most * p->gpus;
    p->gpus_min = (uint32_t)least + ((double)(uint32_t)least < least);
    p->gpus_max = (uint32_t)most;
}

static int fill(struct cluster *s, const struct trace_job *row, struct job *j)
{
    *j = (struct job){.seen = {.id = ++s->ids,
                               .arrived_ns = sim_now(s->sim),
                               .since_ns = sim_now(s->sim),
                               .tenant = row->tenant,
                               .user = row->user,
                               .group = row->group,
                               .predicted_ns = predicted(s, row->duration_ns),
                               .oracle_ns = row->duration_ns},
                      .work_ns = row->duration_ns,
                      .pace_micro = 1000000};
    int rc = hosts_read(s, row, j);
    j->seen.prio = priority(s, row->qos);
    elastic(s, &j->seen);
    return rc;
}

/* ---- arrivals ------------------------------------------------------------------ */

static void offered(struct cluster *s, const struct trace_job *row)
{
    struct counts *n = &s->n;
    const sim_time now = sim_now(s->sim);
    const uint64_t milli = row->gpus == 1 ? row->gpu_milli : UINT64_C(1000) * row->gpus;
    const double gap = n->jobs ? (double)(now - n->last_arrival) / 1e9 : 0;
    if (!n->jobs)
        n->first_arrival = now;
    n->jobs++;
    n->last_arrival = now;
    n->gap2 += gap * gap;
    if (row->duration_ns == TRACE_TIME_NONE)
        return;
    const double size = (double)row->duration_ns / 1e12 * (double)milli;
    n->offered += (wide)row->duration_ns * milli;
    n->size1 += size;
    n->size2 += size * size;
}

/* 0: it may come in; 1: it was turned away, and said; negative. */
static int judge(struct cluster *s, const struct trace_job *row)
{
    const unsigned long long at = row->row + 1;
    if (row->duration_ns == TRACE_TIME_NONE) {
        cluster_complain(s, s->n.unsaid++, "unsaid",
                         "job %llu of the trace does not say how long it runs: left out", at);
        return 1;
    }
    if (row->gpus == 1 && row->gpu_milli < 1000 && s->c.of == OF_NOTHING)
        return err_set(s->e, ERR_EUSAGE,
                       "cluster: job %llu of the trace asks for %.3g of a GPU: \"fraction\" must "
                       "say of what (time, memory, mps or mig)",
                       at, row->gpu_milli / 1000.0);
    return 0;
}

static bool feasible(const struct cluster *s, const struct job *j)
{
    const struct queue *q = &s->queue[s->kind[j->kind].queue];
    const uint64_t need = (uint64_t)j->seen.gpus_min * j->seen.gpu_milli;
    return hosts_feasible(s, j) && (need <= q->quota || s->c.borrow);
}

static int come(struct cluster *s, const struct trace_job *row)
{
    offered(s, row);
    int rc = judge(s, row);
    if (rc)
        return rc < 0 ? rc : 0;
    if (s->spare == NOBODY && !more_slots(s))
        return cluster_no_memory(s);
    const uint32_t slot = s->spare;
    struct job *j = &s->job[slot];
    const uint32_t next = j->next;
    rc = fill(s, row, j);
    if (!rc)
        rc = line_kind(s, j);
    if (rc)
        return rc;
    if (!feasible(s, j)) {
        cluster_complain(s, s->n.infeasible++, "infeasible",
                         "job %llu of the trace asks for %u GPUs, more than there ever are for it: "
                         "left out",
                         (unsigned long long)row->row + 1, row->gpus);
        *j = (struct job){.next = next};
        return 0;
    }
    s->spare = next;
    order_ask(s, slot, POLICY_NEW);
    return 0;
}

static void arrive(void *ctx, uint64_t unused)
{
    struct cluster *s = ctx;
    (void)unused;
    const struct trace_job row = s->row.job;
    int rc = come(s, &row);
    if (!rc)
        rc = jobs_pull(s);
    if (rc < 0)
        cluster_fail(s, rc);
}

int jobs_pull(struct cluster *s)
{
    int rc = s->env->rows->next(s->env->rows, &s->row, s->e);
    s->more = rc == 1;
    if (rc != 1)
        return rc;
    const uint64_t k = s->rows++;
    const sim_time at = s->c.first + (s->c.every ? k / s->c.every * s->c.gap : s->row.job.time_ns);
    s->row_at = at > sim_now(s->sim) ? at : sim_now(s->sim);
    sim_at(s->sim, s->row_at, 1, arrive, s, 0);
    return 1;
}
