/* pages.c - one batch of pages as a list of commands. */
#include "models/lake/pages.h"

#include <math.h>

enum { PAGE = 4096 };

static int own_costs(struct pages_costs *c, struct machine_use *use, struct err *e)
{
    const struct {
        const char *name;
        sim_cost *to;
    } all[] = {
        {"ecryptfs.call", &c->call},          {"ecryptfs.file_read", &c->file[0]},
        {"ecryptfs.file_write", &c->file[1]}, {"ecryptfs.cpu", &c->cpu},
        {"ecryptfs.aesni", &c->aesni},
    };
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof all / sizeof *all; i++)
        rc = machine_ps(use, all[i].name, all[i].to, e);
    return rc;
}

static int gpu_costs(struct pages_costs *c, struct machine_use *use, struct err *e)
{
    const struct {
        const char *name;
        sim_cost *to;
        bool lake;
    } all[] = {
        {"ecryptfs.batch_read", &c->batch[0], false}, {"ecryptfs.batch_write", &c->batch[1], false},
        {"ecryptfs.kernel", &c->kernel, false},       {"ecryptfs.gpu_page", &c->gpu, false},
        {"ecryptfs.driver_page", &c->driver, true},   {"ecryptfs.start", &c->start, true},
        {"cost.copy_page", &c->copy, true},
    };
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof all / sizeof *all; i++)
        if (!all[i].lake || c->way.kind == GPUWAY_LAKE)
            rc = machine_ps(use, all[i].name, all[i].to, e);
    double rate = 0;
    if (!rc && c->way.kind == GPUWAY_MALV)
        rc = machine_value(use, "link.pcie", QUANTITY_RATE, &rate, e);
    if (!rc && c->way.kind == GPUWAY_MALV && rate <= 0)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": \"link.pcie\" is 0, want more",
                     use->machine->name);
    if (!rc && c->way.kind == GPUWAY_MALV)
        c->link = (sim_cost)llround(PAGE * 1e12 / rate);
    return rc ? rc : gpuway_config(&c->way, use, e);
}

int pages_costs(struct pages_costs *c, enum pages_engine engine, struct machine_use *use,
                struct err *e)
{
    *c = (struct pages_costs){.way.kind = engine == PAGES_MALV ? GPUWAY_MALV : GPUWAY_LAKE};
    int rc = own_costs(c, use, e);
    return rc || engine == PAGES_CPU || engine == PAGES_AESNI ? rc : gpu_costs(c, use, e);
}

struct list {
    struct gpuway_command command[8];
    uint32_t n;
};

static void add(struct list *l, struct gpuway_command c)
{
    l->command[l->n++] = c;
}

static void own(struct list *l, sim_cost ps)
{
    if (ps)
        add(l, (struct gpuway_command){.what = GPUWAY_OWN, .extra = ps});
}

/* The GPU's pages go out first, so that it works while the core does. */
static void commands(struct list *l, const struct pages_costs *c, enum pages_engine engine,
                     uint64_t gpu, uint64_t aesni)
{
    const bool lake = engine == PAGES_LAKE;
    sim_cost kernel = c->kernel + gpu * (c->gpu + 2 * c->link);
    own(l, gpu * c->copy);
    if (lake)
        add(l, (struct gpuway_command){
                   .what = GPUWAY_COPY_IN, .async = true, .extra = gpu * c->driver});
    add(l, (struct gpuway_command){
               .what = GPUWAY_LAUNCH, .async = true, .gpu_ns = (kernel + 500) / 1000});
    own(l, aesni * c->aesni);
    if (lake)
        add(l, (struct gpuway_command){
                   .what = GPUWAY_COPY_OUT, .async = true, .extra = gpu * c->driver});
    add(l, (struct gpuway_command){.what = GPUWAY_SYNC});
    own(l, gpu * c->copy);
}

static void stop(void *ctx, uint64_t unused)
{
    (void)unused;
    sim_stop(ctx);
}

/* The list on its own; 0: out of memory. */
static sim_time latency(const struct pages_costs *c, const struct list *l)
{
    struct sim *sim = sim_new(NULL);
    struct gpuway *g = sim ? gpuway_new(sim, &c->way) : NULL;
    struct gpuway_call call = {.command = l->command, .n = l->n, .done = stop, .ctx = sim};
    sim_time ns = 0;
    if (g) {
        gpuway_submit(g, &call);
        sim_run(sim, SIM_NEVER);
        ns = sim_failed(sim) ? 0 : sim_now(sim);
    }
    gpuway_free(g);
    sim_free(sim);
    return ns;
}

sim_time pages_batch(const struct pages_costs *c, enum pages_engine engine, bool write, uint32_t n,
                     uint32_t aesni_percent)
{
    if (engine == PAGES_CPU || engine == PAGES_AESNI) {
        sim_cost page = c->file[write] + (engine == PAGES_CPU ? c->cpu : c->aesni);
        return (n * page + 500) / 1000;
    }
    const uint64_t aesni = (uint64_t)n * aesni_percent / 100;
    struct list l = {.n = 0};
    own(&l, n * c->batch[write]);
    if (aesni < n)
        commands(&l, c, engine, n - aesni, aesni);
    else
        own(&l, aesni * c->aesni);
    return latency(c, &l);
}
