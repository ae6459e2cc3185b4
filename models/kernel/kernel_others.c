/* kernel_others.c - the monolithic kernel's operations, and the two ways to the GPU. */
#include <stdbool.h>

#include "models/kernel/kernel_model.h"

/* ---- two tasks and the channels between them ---- */

struct pair {
    struct kernel_run *r;
    struct mono *m;
    struct kernel_timer timer;
    uint32_t there, back;
    bool begun, other_posts;
    sim_cost part[MONO_CLASSES], sum[MONO_CLASSES];
};

static void begin(struct pair *p)
{
    kernel_timer_start(&p->timer, &p->r->probe);
    for (int i = 0; i < MONO_CLASSES; i++)
        p->part[i] = 0;
    p->begun = true;
}

/* Whether to go on. */
static bool end(struct pair *p)
{
    uint64_t before = p->r->probe.n;
    if (p->begun)
        kernel_timer_stop(&p->timer, &p->r->probe);
    p->begun = false;
    for (int i = 0; p->r->probe.n > before && i < MONO_CLASSES; i++)
        p->sum[i] += p->part[i];
    if (p->timer.done < p->r->set->count + KERNEL_WARMUP)
        return true;
    sim_stop(p->r->sim);
    return false;
}

static void nulls(void *ctx, struct mono_task *t, struct mono_op *next)
{
    (void)t;
    if (!end(ctx))
        return;
    begin(ctx);
    *next = (struct mono_op){.op = MONO_NULL};
}

static void pings(void *ctx, struct mono_task *t, struct mono_op *next)
{
    struct pair *p = ctx;
    (void)t;
    if (p->begun && !p->other_posts) { /* posted: now wait for the answer */
        p->other_posts = true;
        *next = (struct mono_op){.op = MONO_WAIT, .channel = p->back};
        return;
    }
    p->other_posts = false;
    if (!end(p))
        return;
    begin(p);
    *next = (struct mono_op){.op = MONO_POST, .channel = p->there};
}

struct answer {
    struct pair *p;
    bool has;
};

static void pongs(void *ctx, struct mono_task *t, struct mono_op *next)
{
    struct answer *a = ctx;
    (void)t;
    *next = a->has ? (struct mono_op){.op = MONO_POST, .channel = a->p->back}
                   : (struct mono_op){.op = MONO_WAIT, .channel = a->p->there};
    a->has = !a->has;
}

enum { DEVICE_GAP = 20000 }; /* ns from the task's wake-up to the next interrupt */

static void device(void *ctx, uint64_t unused)
{
    (void)unused;
    struct pair *p = ctx;
    begin(p);
    mono_irq(p->m, 0, p->there);
}

static void handles(void *ctx, struct mono_task *t, struct mono_op *next)
{
    struct pair *p = ctx;
    (void)t;
    if (!end(p))
        return;
    sim_after(p->r->sim, DEVICE_GAP, 0, device, p, 0);
    *next = (struct mono_op){.op = MONO_WAIT, .channel = p->there};
}

static enum mono_kind channel_of(enum kernel_operation o)
{
    return o == KERNEL_eventfd_cross  ? MONO_EVENTFD
           : o == KERNEL_futex_cross  ? MONO_FUTEX
           : o == KERNEL_signal_cross ? MONO_SIGNAL
                                      : MONO_PIPE;
}

static void run_pair(struct pair *p, struct answer *a)
{
    enum kernel_operation o = p->r->set->operation;
    uint32_t core = o != KERNEL_pipe;
    p->there = mono_channel(p->m, channel_of(o));
    p->back = mono_channel(p->m, channel_of(o));
    if (!p->there || !p->back)
        return;
    mono_account(p->m, p->part);
    if (o == KERNEL_syscall) {
        mono_task(p->m, 0, nulls, p);
    } else if (o == KERNEL_irq_to_task) {
        mono_task(p->m, 0, handles, p);
    } else {
        mono_task(p->m, core, pongs, a);
        mono_task(p->m, 0, pings, p);
    }
    sim_run(p->r->sim, SIM_NEVER);
}

/* What two cores do at the same time is longer than the latency. */
static double scale(const struct pair *p)
{
    double known = 0, total = p->r->probe.total_ns * 1e3;
    for (int i = 0; i < MONO_CLASSES; i++)
        known += (double)p->sum[i];
    return known > 0 ? total / known : 1;
}

int kernel_run_mono(struct kernel_run *r)
{
    struct mono_prims prims;
    struct pair p = {.r = r};
    struct answer a = {.p = &p};
    int rc = mono_prims_read(&prims, r->use, r->e);
    if (rc)
        return rc;
    p.m = mono_new(r->sim, &prims, 2);
    if (!p.m)
        return ERR_ENOMEM;
    run_pair(&p, &a);
    mono_free(p.m);
    if (sim_failed(r->sim))
        return ERR_ENOMEM;
    for (int i = 0; i < MONO_CLASSES; i++)
        kernel_share(r, mono_class_name((enum mono_class)i), (double)p.sum[i] * scale(&p));
    return 0;
}

/* ---- callers of a GPU ---- */

struct caller {
    struct callers *all;
    struct gpuway_call call;
    struct kernel_timer timer;
};

struct callers {
    struct kernel_run *r;
    struct gpuway *g;
    struct caller caller[KERNEL_CLIENTS];
    uint32_t running;
    sim_cost sum[GPUWAY_PARTS], cpu;
};

static void called(void *ctx, uint64_t i);

static void call(struct caller *c)
{
    const struct kernel_setup *k = c->all->r->set;
    kernel_timer_start(&c->timer, &c->all->r->probe);
    c->call = (struct gpuway_call){.command = k->command,
                                   .n = k->commands,
                                   .done = called,
                                   .ctx = c->all,
                                   .arg = (uint64_t)(c - c->all->caller)};
    gpuway_submit(c->all->g, &c->call);
}

static void called(void *ctx, uint64_t i)
{
    struct callers *all = ctx;
    struct caller *c = &all->caller[i];
    uint64_t before = all->r->probe.n;
    kernel_timer_stop(&c->timer, &all->r->probe);
    if (all->r->probe.n > before) {
        for (int k = 0; k < GPUWAY_PARTS; k++)
            all->sum[k] += c->call.part[k];
        all->cpu += c->call.caller_cpu;
    }
    if (c->timer.done < all->r->set->count + KERNEL_WARMUP)
        call(c);
    else if (!--all->running)
        sim_stop(all->r->sim);
}

static void report_gpu(struct callers *all)
{
    static const char *const names[] = {"software", "wake", "copy", "gpu"};
    struct kernel_run *r = all->r;
    struct gpuway_stats st = gpuway_stats(all->g);
    double span = (double)sim_now(r->sim), known = 0, total = r->probe.total_ns * 1e3;
    for (int i = 0; i < GPUWAY_PARTS; i++)
        known += (double)all->sum[i];
    /* What an asynchronous call hides behind other work is part of no latency. */
    double scale = known > total ? total / known : 1;
    for (int i = 0; i < GPUWAY_PARTS; i++)
        kernel_share(r, names[i], (double)all->sum[i] * scale);
    double rest = total - known;
    kernel_share(r, "queue", rest > (double)r->probe.n * 1e3 ? rest : 0);
    measures_number(r->out, "caller_cpu", "ns", BETTER_LESS,
                    (double)all->cpu / 1e3 / (double)r->probe.n);
    measures_number(r->out, "daemon_util", "1", BETTER_NONE, (double)st.daemon_busy / span);
    measures_number(r->out, "gpu_util", "1", BETTER_MORE, (double)st.gpu_busy / span);
    measures_number(r->out, "queue_max", "1", BETTER_LESS, (double)st.max_queue);
}

int kernel_gpuway(struct kernel_run *r, struct gpuway_config *c)
{
    bool lake = r->set->operation == KERNEL_lake_launch;
    *c = (struct gpuway_config){.kind = lake ? GPUWAY_LAKE : GPUWAY_MALV,
                                .interrupt = r->set->interrupt,
                                .shared = r->set->shared};
    return gpuway_config(c, r->use, r->e);
}

int kernel_run_gpu(struct kernel_run *r)
{
    struct callers all = {.r = r, .running = r->set->clients};
    struct gpuway_config c;
    int rc = kernel_gpuway(r, &c);
    if (rc)
        return rc;
    all.g = gpuway_new(r->sim, &c);
    if (!all.g)
        return ERR_ENOMEM;
    for (uint32_t i = 0; i < r->set->clients; i++) {
        all.caller[i].all = &all;
        call(&all.caller[i]);
    }
    sim_run(r->sim, SIM_NEVER);
    if (!sim_failed(r->sim))
        report_gpu(&all);
    gpuway_free(all.g);
    return 0;
}
