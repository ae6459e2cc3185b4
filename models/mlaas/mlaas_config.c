/* mlaas_config.c - the inference service's settings. */
#include <stddef.h>

#include "models/mlaas/mlaas.h"

static const char *const places[] = {"core", "lake", "malv", "auto", "table", NULL};

/* What a network's own section and the service's have in common. */
#define TUNING_FIELDS(S, t)                                                                        \
    {"place", CONFIG_T_ANY, offsetof(S, place), 0, 0, false},                                      \
        {"window_us", CONFIG_T_F64, offsetof(S, t.window_us), 0, 1e6, false},                      \
        {"max_batch", CONFIG_T_U32, offsetof(S, t.max_batch), 1, MLAAS_BATCH_MOST, false},         \
    {                                                                                              \
        "gpu_rows", CONFIG_T_U32, offsetof(S, t.gpu_rows), 1, MLAAS_BATCH_MOST, false              \
    }

static int choose(const struct config *at, const char *const *names, int *v, struct err *e)
{
    return at ? config_choice(at, names, v, e) : 0;
}

static int read_tuning(struct mlaas_tuning *t, const struct config *section, struct err *e)
{
    struct own {
        struct mlaas_tuning t;
        const struct config *place;
    } in = {.t = *t};
    static const struct config_field fields[] = {TUNING_FIELDS(struct own, t), CONFIG_END};
    int rc = config_fill(section, fields, &in, e), v = (int)t->place;
    if (!rc)
        rc = choose(in.place, places, &v, e);
    in.t.place = (enum mlaas_place)v;
    if (!rc)
        *t = in.t;
    return rc;
}

static int read_models(struct mlaas_config *c, const struct config *models, struct err *e)
{
    if (config_kind(models) != CONFIG_OBJECT)
        return config_complain(models, e, "an object: a network's name and its settings");
    const size_t n = config_count(models);
    if (n > MLAAS_TUNED)
        return config_complain(models, e, "at most %d networks", MLAAS_TUNED);
    for (size_t i = 0; i < n; i++) {
        const struct config *own = config_at(models, i);
        struct mlaas_tuning *t = &c->of[c->n_of++];
        *t = c->all;
        t->name = config_key(own);
        int rc = read_tuning(t, own, e);
        if (rc)
            return rc;
    }
    return 0;
}

struct section {
    struct mlaas_config c;
    const struct config *place, *mode, *rule, *backoff, *submit, *when_full, *memory_full, *models;
};

static const struct config_field fields[] = {
    TUNING_FIELDS(struct section, c.all),
    CONFIG_ANY(struct section, mode, false),
    CONFIG_ANY(struct section, rule, false),
    CONFIG_ANY(struct section, backoff, false),
    CONFIG_ANY(struct section, when_full, false),
    CONFIG_ANY(struct section, memory_full, false),
    CONFIG_ANY(struct section, submit, false),
    {"mailbox_idle_us", CONFIG_T_F64, offsetof(struct section, c.mailbox_idle_us), 0, 1e9, false},
    CONFIG_ANY(struct section, models, false),
    {"queue_rows", CONFIG_T_U32, offsetof(struct section, c.queue_rows), 1, 1 << 24, false},
    {"gpu_limit", CONFIG_T_F64, offsetof(struct section, c.gpu_limit), 0, 1, false},
    {"gpu_return", CONFIG_T_F64, offsetof(struct section, c.gpu_return), 0, 1, false},
    {"poll_ms", CONFIG_T_F64, offsetof(struct section, c.poll_ms), 0.001, 1e6, false},
    {"calm_us", CONFIG_T_F64, offsetof(struct section, c.calm_us), 0, 1e9, false},
    {"host_mib", CONFIG_T_F64, offsetof(struct section, c.host_mib), 0, 1e9, false},
    {"gpu_mib", CONFIG_T_F64, offsetof(struct section, c.gpu_mib), 0, 1e9, false},
    CONFIG_END,
};

static int read_choices(struct section *in, struct err *e)
{
    static const char *const modes[] = {"wait", "async", "free", NULL};
    static const char *const rules[] = {"window", "lake", NULL};
    static const char *const backoffs[] = {"none", "lake", "tenants", NULL};
    static const char *const fulls[] = {"core", "default", NULL};
    static const char *const submits[] = {"launch", "graph", "mailbox", NULL};
    static const char *const memories[] = {"evict", "core", NULL};
    int place = MLAAS_CORE, mode = MLAAS_WAIT, rule = MLAAS_WINDOW, full = MLAAS_FULL_CORE,
        memory = MLAAS_MEMORY_EVICT, submit = MLAAS_LAUNCH;
    int rc = choose(in->place, places, &place, e);
    int backoff = place == MLAAS_AUTO ? MLAAS_BACKOFF_LAKE : MLAAS_BACKOFF_NONE;
    rc = rc ? rc : choose(in->mode, modes, &mode, e);
    rc = rc ? rc : choose(in->rule, rules, &rule, e);
    rc = rc ? rc : choose(in->backoff, backoffs, &backoff, e);
    rc = rc ? rc : choose(in->when_full, fulls, &full, e);
    rc = rc ? rc : choose(in->submit, submits, &submit, e);
    in->c.submit = (enum mlaas_submit)submit;
    rc = rc ? rc : choose(in->memory_full, memories, &memory, e);
    in->c.memory_full = (enum mlaas_memory_full)memory;
    in->c.all.place = (enum mlaas_place)place;
    in->c.mode = (enum mlaas_mode)mode;
    in->c.rule = (enum mlaas_rule)rule;
    in->c.backoff = (enum mlaas_backoff)backoff;
    in->c.when_full = (enum mlaas_when_full)full;
    return rc;
}

int mlaas_config(struct mlaas_config *c, const struct config *section, struct err *e)
{
    struct section in = {.c = {.all = {.max_batch = 64, .gpu_rows = 16},
                               .queue_rows = 65536,
                               .gpu_limit = 0.7,
                               .gpu_return = -1,
                               .poll_ms = 20, /* as LAKE (utcs-scea/LAKE, main_cont.c) */
                               .calm_us = 1000,
                               .mailbox_idle_us = 1000}};
    int rc = section ? config_fill(section, fields, &in, e) : 0;
    if (!rc)
        rc = read_choices(&in, e);
    if (in.c.gpu_return < 0)
        in.c.gpu_return = in.c.gpu_limit;
    if (!rc && in.c.gpu_return > in.c.gpu_limit)
        rc = config_complain(config_get(section, "gpu_return"), e, "at most gpu_limit, which is %g",
                             in.c.gpu_limit);
    if (!rc && in.models)
        rc = read_models(&in.c, in.models, e);
    if (!rc)
        *c = in.c;
    return rc;
}

static bool on_gpu(const struct mlaas_tuning *t)
{
    return t->place != MLAAS_CORE;
}

bool mlaas_wants_gpu(const struct mlaas_config *c)
{
    bool any = on_gpu(&c->all);
    for (uint32_t i = 0; i < c->n_of; i++)
        any |= on_gpu(&c->of[i]);
    return any;
}

uint32_t mlaas_mailbox_sms(const struct mlaas_config *c)
{
    uint32_t most = on_gpu(&c->all) ? c->all.max_batch : 0;
    for (uint32_t i = 0; i < c->n_of; i++)
        if (on_gpu(&c->of[i]) && c->of[i].max_batch > most)
            most = c->of[i].max_batch;
    return c->submit == MLAAS_MAILBOX ? (most + MLAAS_MAILBOX_ROWS - 1) / MLAAS_MAILBOX_ROWS : 0;
}

/* A place asked for by name has to be there; "auto" and "table" take what there is. */
static int check_place(const struct mlaas_tuning *t, const struct stack *s, struct err *e)
{
    const bool daemon = s->path[STACK_infer_gpu_daemon].exists;
    const bool kernel = s->path[STACK_infer_gpu_kernel].exists;
    if ((t->place != MLAAS_LAKE || daemon) && (t->place != MLAAS_MALV || kernel))
        return 0;
    return err_set(e, ERR_ENAME, "infer.%s%s%splace is \"%s\", but stack \"%s\" has no such path",
                   t->name ? "models." : "", t->name ? t->name : "", t->name ? "." : "",
                   places[t->place], s->name);
}

int mlaas_fits(const struct mlaas_config *c, const struct stack *stack, struct machine_use *use,
               struct err *e)
{
    struct mlaas_ways ways = {0};
    struct mlaas_net_cost any;
    sim_cost close;
    int rc = check_place(&c->all, stack, e);
    for (uint32_t i = 0; !rc && i < c->n_of; i++)
        rc = check_place(&c->of[i], stack, e);
    if (!rc)
        rc = mlaas_ways(&ways, stack, mlaas_wants_gpu(c), c->submit, use, e);
    if (!rc)
        rc = mlaas_net_cost(&any, NULL, 1, ways.has_gpu, use->machine, e);
    if (!rc && c->rule == MLAAS_LAKE_RULE)
        rc = machine_ps(use, "cost.batch_close", &close, e);
    return rc;
}
