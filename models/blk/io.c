/* io.c - block requests over replicas with steering: settings, wiring, life cycle. */
#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "models/blk/io_state.h"

/* ---- requests ------------------------------------------------------------------ */

struct io_block { /* made by the dozen and given back all at once */
    struct io_block *next;
    struct io_req req[64];
    struct io_bio bio[64];
};

void io_fail(struct io *s, int rc)
{
    if (!s->rc)
        s->rc = rc;
    sim_stop(s->sim);
}

void io_give(struct io *s, struct io_req *q)
{
    q->next = s->spare;
    s->spare = q;
}

void io_give_bio(struct io *s, struct io_bio *b)
{
    b->next = s->spare_bio;
    s->spare_bio = b;
}

static bool grow(struct io *s)
{
    struct io_block *b = malloc(sizeof *b);
    if (!b) {
        io_fail(s, err_set(s->e, ERR_ENOMEM, "io: out of memory"));
        return false;
    }
    b->next = s->blocks;
    s->blocks = b;
    for (size_t i = 0; i < sizeof b->req / sizeof *b->req; i++) {
        io_give(s, &b->req[i]);
        io_give_bio(s, &b->bio[i]);
    }
    return true;
}

struct io_req *io_take(struct io *s)
{
    if (!s->spare && !grow(s))
        return NULL;
    struct io_req *q = s->spare;
    s->spare = q->next;
    return q;
}

struct io_bio *io_take_bio(struct io *s)
{
    if (!s->spare_bio && !grow(s))
        return NULL;
    struct io_bio *b = s->spare_bio;
    s->spare_bio = b->next;
    return b;
}

static void free_blocks(struct io *s)
{
    for (struct io_block *next; s->blocks; s->blocks = next) {
        next = s->blocks->next;
        free(s->blocks);
    }
}

/* ---- settings ------------------------------------------------------------------- */

struct section {
    struct io_config c;
    const struct config *mode, *infer;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
};

#define FIELD(type, key, lo, hi)                                                                   \
    {                                                                                              \
#key, CONFIG_T_##type, offsetof(struct section, c.key), lo, hi, false                      \
    }
static const struct config_field fields[] = {
    FIELD(STR, device, 0, 0),
    FIELD(U32, replicas, 1, IO_REPLICAS),
    FIELD(U32, clients, 0, 1 << 20),
    FIELD(U32, cores, 1, 1024),
    FIELD(U32, bio_bytes, IO_PAGE, 1 << 30),
    FIELD(F64, slow_us, 0, 1e12),
    CONFIG_ANY(struct section, mode, false),
    CONFIG_ANY(struct section, infer, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_END,
};

int io_config(struct io_config *c, const struct config *section, struct err *e)
{
    static const char *const modes[] = {"volume", "failover", NULL};
    struct section in = {
        .c = {
            .device = "980-pro", .replicas = 3, .clients = 128, .cores = 32, .bio_bytes = 1 << 20}};
    int mode = IO_VOLUME, rc = section ? config_fill(section, fields, &in, e) : 0;
    if (!rc && in.mode)
        rc = config_choice(in.mode, modes, &mode, e);
    if (!rc)
        rc = mlaas_config(&in.c.infer, in.infer, e);
    if (!rc && in.c.infer.mode == MLAAS_ASYNC)
        rc = config_complain(config_get(in.infer, "mode"), e,
                             "\"wait\" or \"free\": a read cannot be called back");
    in.c.mode = (enum io_mode)mode;
    if (!rc)
        *c = in.c;
    return rc;
}

static int check(const struct config *section, struct err *e)
{
    struct io_config c;
    return io_config(&c, section, e);
}

/* ---- life ------------------------------------------------------------------------ */

static int need_machine(const struct machine *m, struct err *e)
{
    return m ? 0 : err_set(e, ERR_ENAME, "model \"io\" needs a machine profile (\"machine\": ...)");
}

static int open_costs(struct io *s)
{
    s->stack = stack_find(s->env->stack ? s->env->stack : "native", s->e);
    if (!s->stack)
        return ERR_ENAME;
    int rc = stack_cost(s->stack, STACK_block_read, &s->use, &s->read_in, s->e);
    if (!rc)
        rc = stack_cost(s->stack, STACK_block_write, &s->use, &s->write_in, s->e);
    if (!rc)
        rc = stack_cost(s->stack, STACK_block_done, &s->use, &s->back, s->e);
    if (!rc)
        rc = ssd_params(&s->drive, &s->use, s->c.device, s->e);
    return rc;
}

/* Everything that a run would look up, looked up. */
static int fits(const struct config *section, const struct machine *machine, const char *stack,
                struct err *e)
{
    struct model_env env = {.machine = machine, .stack = stack};
    struct io s = {.env = &env, .e = e};
    int rc = need_machine(machine, e);
    if (!rc)
        rc = io_config(&s.c, section, e);
    if (!rc)
        rc = machine_use_begin(&s.use, machine, e);
    if (!rc)
        rc = open_costs(&s);
    if (!rc && s.c.infer.mode != MLAAS_FREE)
        rc = mlaas_fits(&s.c.infer, s.stack, &s.use, e);
    machine_use_end(&s.use);
    return rc;
}

static bool open_drives(struct io *s)
{
    for (uint32_t i = 0; i < s->c.replicas; i++) {
        struct io_device *d = &s->dev[i];
        d->queue_last = &d->queue;
        d->ssd = ssd_new(s->sim, &s->drive);
        d->latency = sketch_new(false);
        d->home = sketch_new(false);
        if (!d->ssd || !d->latency || !d->home)
            return false;
    }
    return true;
}

static int open_policy(struct io *s)
{
    struct policy_slot *p = model_policy(s->env, POLICY_HOOK_IO_STEER);
    const struct life_env env = {
        .sim = s->sim, .cpu = s->cpu, .stack = s->stack, .use = &s->use, .out = s->out, .e = s->e};
    if (p)
        p->out = s->out;
    return policy_life_open(&s->steer, s->env->plan[POLICY_HOOK_IO_STEER], p, &env, s->e);
}

static int open_parts(struct io *s)
{
    struct sim_options opt = s->env->sim;
    opt.seed = s->env->seed;
    s->sim = sim_new(&opt);
    s->cpu = s->sim ? cores_new(s->sim, s->c.cores) : NULL;
    if (!s->cpu)
        return err_set(s->e, ERR_ENOMEM, "io: out of memory");
    accel_begin(&s->gpu, s->sim);
    int rc = machine_use_begin(&s->use, s->env->machine, s->e);
    if (!rc)
        rc = open_costs(s);
    const struct mlaas_env env = {.sim = s->sim,
                                  .cpu = s->cpu,
                                  .gpu = &s->gpu,
                                  .stack = s->stack,
                                  .use = &s->use,
                                  .infer = s->env->infer,
                                  .out = s->out};
    if (!rc)
        rc = mlaas_open(&s->mlaas, &s->c.infer, &env, s->e);
    if (!rc && (!open_drives(s) || !io_report_begin(s)))
        rc = err_set(s->e, ERR_ENOMEM, "io: out of memory");
    return rc ? rc : open_policy(s);
}

static void close_parts(struct io *s)
{
    policy_life_free(s->steer);
    mlaas_close(s->mlaas);
    for (uint32_t i = 0; i < s->c.replicas; i++) {
        ssd_free(s->dev[i].ssd);
        sketch_free(s->dev[i].latency);
        sketch_free(s->dev[i].home);
    }
    machine_use_end(&s->use);
    cores_free(s->cpu);
    sim_free(s->sim);
    free_blocks(s);
}

static int simulate(struct io *s)
{
    int rc = io_pull(s);
    if (rc < 0)
        return rc;
    sim_run(s->sim, SIM_NEVER);
    if (s->rc)
        return s->rc;
    rc = mlaas_failed(s->mlaas, s->e);
    if (!rc)
        rc = policy_life_failed(s->steer);
    if (rc)
        return rc;
    if (sim_failed(s->sim))
        return err_set(s->e, ERR_ENOMEM, "io: out of memory");
    assert(s->n.done_reads == s->n.reads && s->n.done_writes == s->n.writes && "an I/O was lost");
    io_report_end(s);
    return s->out->failed ? err_set(s->e, ERR_ENOMEM, "io: out of memory") : 0;
}

static int run(const struct config *section, const struct model_env *env, struct measures *out,
               struct err *e)
{
    struct io s = {.env = env, .out = out, .e = e};
    int rc = need_machine(env->machine, e);
    if (!rc && (!env->rows || env->rows->table != TRACE_IO))
        rc = err_set(e, ERR_EUSAGE, "model \"io\" needs a trace of block I/O (\"trace\": ...)");
    if (!rc)
        rc = io_config(&s.c, section, e);
    if (!rc)
        rc = open_parts(&s);
    if (!rc)
        rc = simulate(&s);
    close_parts(&s);
    return rc;
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    struct io_config c;
    struct err ignored = {0};
    (void)oracle;
    if (hook != POLICY_HOOK_IO_STEER || io_config(&c, section, &ignored) || c.replicas > 1)
        return NULL;
    return "none: with one replica there is no choice";
}

const struct model_ops model_io = {
    .name = "io",
    .summary = "block I/O over replicated drives, reads steered by a policy",
    .headline = "read_mean,read_p99,write_mean,iops",
    .check = check,
    .fits = fits,
    .stacks = true,
    .rows = 1u << TRACE_IO,
    .needs_rows = true,
    .hooks = 1u << POLICY_HOOK_IO_STEER,
    .lives = 1u << POLICY_HOOK_IO_STEER,
    .mute = mute,
    .run = run,
};
