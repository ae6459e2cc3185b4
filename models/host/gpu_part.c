#include "models/host/gpu_part.h"

#include <stdlib.h>

struct shared_gpu {
    struct device *device;              /* NULL: nobody has a part yet */
    uint32_t partition[MIG_SLICES_MAX]; /* [0]: of all, but with MIG */
    const char *slice[MIG_SLICES_MAX];
    uint32_t wanted, taken; /* slices */
};
struct gpu_shared {
    struct sim *sim;
    const struct gpu_parts_setup *set;
    const struct gpu_parts_costs *costs;
    struct shared_gpu gpu[PARTS_GPUS];
};

int gpu_parts_costs(struct gpu_parts_costs *c, const struct gpu_parts_setup *set,
                    struct machine_use *u, struct err *e)
{
    int rc = device_params_read(&c->device, u, e);
    c->device.gap = c->device.graph_gap = c->device.copy_latency = 0;
    return rc || set->sharing != PARTS_MIG ? rc : mig_table_read(&c->mig, u, e);
}

int gpu_shared_new(struct gpu_shared **out, struct sim *sim, const struct gpu_parts_setup *set,
                   const struct gpu_parts_costs *costs, struct err *e)
{
    struct gpu_shared *s = *out = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_ENOMEM, "host: out of memory");
    s->sim = sim;
    s->set = set;
    s->costs = costs;
    return 0;
}

void gpu_shared_free(struct gpu_shared *s)
{
    for (uint32_t i = 0; s && i < PARTS_GPUS; i++)
        if (s->gpu[i].device)
            device_free(s->gpu[i].device);
    free(s);
}

int gpu_shared_want(struct gpu_shared *s, const struct gpu_part_setup *part, struct err *e)
{
    struct shared_gpu *g = &s->gpu[part->on];
    if (s->set->sharing != PARTS_MIG)
        return 0;
    if (g->wanted == MIG_SLICES_MAX)
        return err_set(e, ERR_ERANGE, "host.vms: GPU %u: want at most %d MIG slices", part->on,
                       MIG_SLICES_MAX);
    g->slice[g->wanted++] = part->slice;
    return 0;
}

/* All slices at once: where one can lie hangs on the others. */
static int cut(struct gpu_shared *s, struct shared_gpu *g, struct err *e)
{
    struct device_partition_want want[MIG_SLICES_MAX];
    struct mig mig = {.table = &s->costs->mig};
    int rc = mig_layout(&mig, g->slice, g->wanted, want, e);
    if (rc)
        return err_wrap(e, rc, "host.vms");
    for (uint32_t i = 0; !rc && i < g->wanted; i++)
        rc = device_partition(g->device, &want[i], DEVICE_TURNS, &g->partition[i], e);
    return rc;
}

static int open_gpu(struct gpu_shared *s, struct shared_gpu *g, struct err *e)
{
    static const struct device_partition_want all = {0};
    const enum device_turns turns = s->set->sharing == PARTS_MPS ? DEVICE_TOGETHER : DEVICE_TURNS;
    int rc = device_new(&g->device, s->sim, &s->costs->device, e);
    if (rc)
        return rc;
    return s->set->sharing == PARTS_MIG
               ? cut(s, g, e)
               : device_partition(g->device, &all, turns, &g->partition[0], e);
}

int gpu_shared_join(struct gpu_shared *s, const struct gpu_part_setup *part,
                    struct device_context **out, struct err *e)
{
    struct shared_gpu *g = &s->gpu[part->on];
    const bool mig = s->set->sharing == PARTS_MIG;
    const sim_time turn = s->set->timeslice ? s->set->timeslice : s->costs->device.timeslice / 1000;
    struct device_context_want want = {.timeslice = turn * part->weight / 1024,
                                       .sms_milli = part->percent < 100 ? part->percent * 10 : 0};
    int rc = g->device ? 0 : open_gpu(s, g, e);
    if (rc)
        return rc;
    want.timeslice = want.timeslice ? want.timeslice : 1;
    want.partition = g->partition[mig ? g->taken++ : 0];
    *out = device_context(g->device, &want, e);
    return *out ? 0 : e->code;
}

/* ---- commands -------------------------------------------------------------------- */

static void ended(void *ctx, uint64_t is_copy)
{
    struct gpu_queue *q = ctx;
    q->free = sim_now(q->sim);
    q->ended++;
    if (is_copy)
        q->copy[q->copies++ % GPU_COPIES] = (struct gpu_copy){device_began(q->stream), q->free};
    gpu_queue_wake(q);
}

static void arrived(void *ctx, uint64_t unused)
{
    struct gpu_queue *q = ctx;
    const struct device_work *w = &q->on_way[q->reached++ % q->depth];
    const struct device_call call = {.done = ended, .ctx = q, .arg = w->kind != DEVICE_KERNEL};
    (void)unused;
    device_submit(q->stream, w, &call);
}

bool gpu_part_add(struct gpu_queue *q, struct sim *sim, sim_time arrives,
                  const struct device_work *work)
{
    struct err e = {0};
    q->sim = sim;
    if (!q->on_way && !(q->on_way = calloc(q->depth, sizeof *q->on_way)))
        return false;
    if (!q->stream && !(q->stream = device_stream(q->context, 0, &e)))
        return false;
    q->on_way[q->submitted++ % q->depth] = *work;
    q->busy += work->alone / 1000;
    sim_at(sim, arrives, 0, arrived, q, 0);
    return true;
}
