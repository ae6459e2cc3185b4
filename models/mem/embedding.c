/* embedding.c - the model "embedding": batch after batch, and what is reported. */
#include "models/mem/embedding.h"

#include <stdio.h>
#include <stdlib.h>

#include "models/mem/touch.h"

/* ---- costs ------------------------------------------------------------------------ */

static int rate(struct emb *m, const char *name, double *ps_per_byte)
{
    double v = 1;
    int rc = machine_value(&m->use, name, QUANTITY_RATE, &v, m->e);
    if (!rc && v <= 0)
        rc = err_set(m->e, ERR_ERANGE, "machine \"%s\": %s: want more than 0", m->use.machine->name,
                     name);
    *ps_per_byte = 1e12 / v;
    return rc;
}

static bool has_drive(const struct emb *m)
{
    const double table = (double)m->c.rows * m->c.row_bytes / 0x1p30;
    return m->c.host_gib > 0 && m->c.host_gib + (m->c.os ? m->c.hbm_gib : 0) < table;
}

static int open_drive(struct emb *m)
{
    char name[128];
    const struct machine_cost *read = NULL;
    double dies = 1;
    snprintf(name, sizeof name, "ssd.%.60s.read_link", m->c.drive);
    int rc = rate(m, name, &m->cost.read_ps);
    snprintf(name, sizeof name, "ssd.%.60s.dies", m->c.drive);
    if (!rc)
        rc = machine_value(&m->use, name, QUANTITY_COUNT, &dies, m->e);
    snprintf(name, sizeof name, "ssd.%.60s.read", m->c.drive);
    if (!rc)
        rc = machine_table(&m->use, name, &read, m->e);
    if (!rc)
        m->cost.io_ps = machine_table_at(read, 4096) / (uint64_t)(dies >= 1 ? dies : 1);
    return rc;
}

struct path {
    enum stack_path_id path;
    struct stack_cost *to;
};

static int open_paths(struct emb *m, const struct path *p, size_t n)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < n; i++)
        rc = stack_cost(m->stack, p[i].path, &m->use, p[i].to, m->e);
    return rc;
}

static int open_process(struct emb *m)
{
    struct emb_costs *c = &m->cost;
    const struct path paths[] = {{STACK_complete, &c->complete},
                                 {STACK_block_read, &c->read},
                                 {STACK_block_done, &c->read_done}};
    const struct pager_config copies = {.way = PAGER_COPIES};
    int rc = open_paths(m, paths, has_drive(m) ? 3 : 1);
    if (!rc)
        rc = pager_open(&c->copies, &copies, m->stack, &m->use, m->e);
    if (!rc)
        rc = rate(m, "host.copy", &c->core_ps);
    if (!rc)
        rc = machine_ps(&m->use, "memory.local.latency", &c->row_ps, m->e);
    return rc ? rc : machine_value(&m->use, "embedding.tags", QUANTITY_BYTES, &c->tags, m->e);
}

static int open_os(struct emb *m)
{
    struct emb_costs *c = &m->cost;
    double faults = 1;
    const struct path paths[] = {{STACK_os_read, &c->os_read}, {STACK_gpu_fault, &c->fault}};
    const struct pager_config pages = {.way = PAGER_ASKED, .page = m->c.page};
    int rc = pager_open(&c->pages, &pages, m->stack, &m->use, m->e);
    if (!rc && has_drive(m))
        rc = open_paths(m, paths, 2);
    if (!rc && has_drive(m))
        rc = machine_value(&m->use, "uvm.batch", QUANTITY_COUNT, &faults, m->e);
    c->faults = faults >= 1 ? (uint64_t)faults : 1;
    return rc ? rc : machine_ps(&m->use, "memory.place_period", &c->period_ps, m->e);
}

/* The profile's part; m->use has begun. */
static int open_costs(struct emb *m, const char *stack)
{
    const struct path launch = {STACK_launch, &m->cost.launch};
    if (!(m->stack = stack_find(stack ? stack : "native", m->e)))
        return ERR_ENAME;
    if (m->c.direct && stack_pays(m->stack, STACK_copy, "cost.remote_dispatch"))
        return err_set(m->e, ERR_ENAME,
                       "embedding.fill is \"direct\", but on stack \"%s\" the GPU does not reach "
                       "the guest's memory",
                       m->stack->name);
    int rc = open_paths(m, &launch, 1);
    if (!rc)
        rc = rate(m, "gpu.bandwidth", &m->cost.hbm_ps);
    if (!rc)
        rc = rate(m, "link.direct", &m->cost.direct_ps);
    if (!rc && has_drive(m))
        rc = open_drive(m);
    return rc ? rc : m->c.os ? open_os(m) : open_process(m);
}

/* ---- the run -------------------------------------------------------------------------- */

int emb_no_memory(const struct emb *m)
{
    return err_set(m->e, ERR_ENOMEM, "embedding: out of memory");
}

static int open_memory(struct emb *m)
{
    m->lookups = (uint64_t)m->c.batch * m->c.pooling;
    m->row = malloc(m->lookups * m->c.period * sizeof *m->row);
    m->next_row = malloc(m->lookups * m->c.period * sizeof *m->next_row);
    if (!m->row || !m->next_row)
        return emb_no_memory(m);
    return m->c.os ? emb_place_begin(m) : emb_cache_begin(m);
}

static void close_memory(struct emb *m)
{
    if (m->c.os)
        emb_place_end(m);
    else
        emb_cache_end(m);
    free(m->row);
    free(m->next_row);
}

/* Zipf's ranks become rows: as they are, the hottest first, or each somewhere else. */
static void draw(const struct emb *m, const struct rng_zipf *z, struct rng *g, uint32_t *row)
{
    for (uint64_t i = 0; i < m->lookups * m->c.period; i++) {
        const uint64_t rank = rng_zipf_draw(z, g) - 1;
        row[i] = (uint32_t)(m->c.scattered ? mem_scattered(rank, m->c.rows) : rank);
    }
}

struct sums {
    struct emb_batch all;
    struct sketch *time;
    double busy_ps;
    uint64_t batches;
};

/* What comes for a batch hides behind the computing of the one before, if its ids are known then.
 */
static sim_cost time_of(const struct emb *m, const struct emb_batch *b)
{
    const sim_cost gpu = (sim_cost)(m->c.compute_us * 1e6 + 0.5) + b->lookup + b->stall;
    if (!m->c.ahead)
        return gpu + b->fill;
    return gpu > b->fill ? gpu : b->fill;
}

static void add(struct sums *s, const struct emb *m, const struct emb_batch *b)
{
    const sim_cost t = time_of(m, b);
    sketch_add(s->time, (double)t / 1e9);
    s->busy_ps += (double)t;
    s->batches++;
    s->all.lookup += b->lookup;
    s->all.fill += b->fill;
    s->all.stall += b->stall;
    s->all.cpu += b->cpu;
    for (int i = 0; i < EMB_TIERS; i++)
        s->all.by_tier[i] += b->by_tier[i];
    s->all.faults += b->faults;
    s->all.reads += b->reads;
    s->all.moves += b->moves;
    pager_sum(&s->all.work, &b->work);
}

static void one(struct emb *m, uint64_t i, struct emb_batch *b)
{
    const uint32_t *row = m->row + i % m->c.period * m->lookups;
    if (m->c.os)
        emb_place_batch(m, row, (uint32_t)i + 1, b);
    else
        emb_cache_batch(m, row, i * m->lookups, b);
}

static void swap_periods(struct emb *m)
{
    uint32_t *row = m->row;
    m->row = m->next_row;
    m->next_row = row;
}

static int end_lives(struct emb *m)
{
    int rc = mlaas_bill_check(&m->bill, m->e);
    rc = rc ? rc : life_clock_end(m->place_life);
    return rc ? rc : evict_life_end(m->evict_life);
}

static int batches(struct emb *m, struct sums *s)
{
    struct rng g;
    struct rng_zipf *z = rng_zipf_new(m->c.rows, m->c.skew);
    if (!z)
        return err_set(m->e, ERR_ENOMEM, "embedding: out of memory");
    rng_init(&g, m->env->seed, "embedding", "rows");
    draw(m, z, &g, m->next_row);
    for (uint64_t i = 0; i < m->c.batches; i++) {
        struct emb_batch b = {0};
        if (i % m->c.period == 0) {
            if (i && m->c.os)
                emb_place_period(m, i / m->c.period - 1, &b);
            swap_periods(m);
            draw(m, z, &g, m->next_row);
        }
        one(m, i, &b);
        m->now_ps += (double)time_of(m, &b);
        if (i >= m->c.warmup)
            add(s, m, &b);
    }
    rng_zipf_free(z);
    return end_lives(m);
}

/* ---- measures ------------------------------------------------------------------------------ */

static void report(const struct emb *m, const struct sums *s, struct measures *out)
{
    const struct emb_batch *a = &s->all;
    const struct pager_work *w = &a->work;
    const double n = (double)s->batches, all = n * (double)m->lookups;
    static const char *const tiers[] = {"hbm_share", "host_share", "drive_share"};
    measures_number(out, "throughput", "lookups/s", BETTER_MORE, all / s->busy_ps * 1e12);
    for (int i = 0; i < EMB_TIERS; i++)
        measures_number(out, tiers[i], "1", i ? BETTER_NONE : BETTER_MORE,
                        (double)a->by_tier[i] / all);
    measures_number(out, "lookup", "us", BETTER_LESS, (double)a->lookup / n / 1e6);
    measures_number(out, "fill", "us", BETTER_LESS, (double)a->fill / n / 1e6);
    measures_number(out, "stall", "us", BETTER_LESS, (double)a->stall / n / 1e6);
    measures_number(out, "cpu", "us", BETTER_LESS, (double)a->cpu / n / 1e6);
    measures_number(out, "os_cpu", "us", BETTER_LESS, (double)w->os / n / 1e6);
    measures_number(out, "asked", "1", BETTER_LESS, (double)w->asked / n);
    measures_number(out, "crossings", "1", BETTER_LESS, (double)w->crossings / n);
    measures_number(out, "copied", "B", BETTER_LESS, (double)w->copied / n);
    measures_number(out, "link_in", "B", BETTER_LESS, (double)w->bytes[PAGER_IN] / n);
    measures_number(out, "link_out", "B", BETTER_LESS, (double)w->bytes[PAGER_OUT] / n);
    measures_number(out, "faults", "1", BETTER_LESS, (double)a->faults / n);
    measures_number(out, "drive_reads", "1", BETTER_LESS, (double)a->reads / n);
    measures_number(out, "page_moves", "1", BETTER_LESS, (double)a->moves / n);
    mlaas_bill_report(&m->bill, out);
    policy_slot_report(
        model_policy(m->env, m->c.os ? POLICY_HOOK_MEM_PLACE : POLICY_HOOK_MEM_EVICT), out);
    machine_use_report(&m->use, out);
}

/* ---- the model ------------------------------------------------------------------------------ */

static int check(const struct config *section, struct err *e)
{
    struct emb_config c;
    return emb_config(&c, section, e);
}

static int need_machine(const struct machine *m, struct err *e)
{
    return m ? 0
             : err_set(e, ERR_ENAME,
                       "model \"embedding\" needs a machine profile (\"machine\": ...)");
}

static int fits(const struct config *section, const struct machine *machine, const char *stack,
                struct err *e)
{
    struct emb m = {.e = e};
    int rc = need_machine(machine, e);
    if (!rc)
        rc = emb_config(&m.c, section, e);
    if (!rc)
        rc = machine_use_begin(&m.use, machine, e);
    if (!rc)
        rc = open_costs(&m, stack);
    machine_use_end(&m.use);
    return rc;
}

static int simulate(struct emb *m, struct measures *out)
{
    struct sums s = {.time = measures_sketch(out, "batch", "ms", m->env->exact)};
    int rc = s.time ? open_memory(m) : emb_no_memory(m);
    rc = rc ? rc : batches(m, &s);
    if (!rc)
        report(m, &s, out);
    return rc;
}

static int run(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct emb m = {.env = env, .out = out, .e = e};
    int rc = need_machine(env->machine, e);
    if (!rc)
        rc = emb_config(&m.c, section, e);
    if (!rc)
        rc = machine_use_begin(&m.use, env->machine, e);
    if (!rc)
        rc = open_costs(&m, env->stack);
    if (!rc)
        rc = mlaas_bill_open(&m.bill, &m.c.infer, env->stack, &m.use, env->infer, e);
    if (!rc)
        rc = simulate(&m, out);
    close_memory(&m);
    mlaas_bill_close(&m.bill);
    machine_use_end(&m.use);
    return rc;
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    struct emb_config c;
    struct err ignored = {0};
    if (emb_config(&c, section, &ignored))
        return NULL;
    if (hook == POLICY_HOOK_MEM_PLACE)
        return c.os ? NULL : "none: only \"by\" \"os\" places pages";
    if (c.os)
        return "none: only \"by\" \"process\" has a cache to evict from";
    return oracle ? "a policy that does not ask what comes next: a cache can't know" : NULL;
}

const struct model_ops model_embedding = {
    .name = "embedding",
    .summary =
        "embedding tables larger than the GPU: rows cached by the process, or placed by the OS",
    .check = check,
    .fits = fits,
    .stacks = true,
    .hooks = 1u << POLICY_HOOK_MEM_EVICT | 1u << POLICY_HOOK_MEM_PLACE,
    .lives = 1u << POLICY_HOOK_MEM_EVICT | 1u << POLICY_HOOK_MEM_PLACE,
    .lives_one = 1u << POLICY_HOOK_MEM_EVICT | 1u << POLICY_HOOK_MEM_PLACE,
    .mute = mute,
    .headline = "batch.mean,throughput,hbm_share,asked,copied,os_cpu",
    .run = run,
};
