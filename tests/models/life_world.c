#include "tests/models/life_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sim/lot.h"

/* ---- versions that do nothing but exist, and hand on one number ------------------------ */

static struct lot selves; /* those that crash are never destroyed */

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = lot_new(&selves, sizeof(uint64_t));
    if (*self)
        memset(*self, 0, sizeof(uint64_t));
    return *self ? 0 : -1;
}
static void destroy(void *self)
{
    memset(self, 0xa5, sizeof(uint64_t)); /* nobody looks at it again */
}
static size_t save(void *self, void *to, size_t room)
{
    if (room)
        memcpy(to, self, sizeof(uint64_t));
    return sizeof(uint64_t);
}
static int restore(void *self, const void *from, size_t n, const char *by)
{
    cr_assert_eq(n, sizeof(uint64_t));
    cr_assert_str_eq(by, "version");
    memcpy(self, from, n);
    ++*(uint64_t *)self; /* how often it was handed on */
    return 0;
}
static const struct policy_ops ops = {
    .name = "version", .create = create, .destroy = destroy, .save = save, .restore = restore};

/* ---- a world that asks ---------------------------------------------------------------------- */

static const char costs[] =
    "{\"schema\": \"malv-machine/1\", \"name\": \"m\", \"title\": \"m\", \"cost\": {"
#define COST(name, us)                                                                             \
    "\"" name "\": {\"value\": " us ", \"unit\": \"us\", \"source\": \"x\", \"evidence\": "        \
    "\"assumed\"}"
    COST("policy_load", "50") "," COST("policy_unload", "10") "," COST(
        "policy_replace",
        "5") "," COST("copy_page", "1") "," COST("syscall", "0.5") "," COST("vm_exit", "2") "}}";

static int world_create(void *ctx, uint32_t version, struct err *e)
{
    (void)e;
    struct life_world *w = ctx;
    policy_slot_create(&w->slot[version], NULL, NULL, NULL);
    return 0;
}

static int world_retire(void *ctx, uint32_t version, struct err *e)
{
    (void)e;
    struct life_world *w = ctx;
    policy_slot_destroy(&w->slot[version]);
    return 0;
}

static void world_changed(void *ctx, uint32_t vm)
{
    (void)vm;
    ((struct life_world *)ctx)->changes++;
}

void life_open(struct life_world *w, uint64_t seed)
{
    struct config *doc;
    memset(w, 0, sizeof *w);
    rng_init(&w->rng, seed, "test", "life");
    w->sim = sim_new(NULL);
    w->cpu = cores_new(w->sim, 2);
    w->out = measures_new();
    cr_assert_eq(config_parse(&doc, "m", costs, strlen(costs), &w->e), 0, "%s", w->e.msg);
    cr_assert_eq(machine_load(&w->machine, doc, &w->e), 0, "%s", w->e.msg);
    config_free(doc);
    cr_assert_eq(machine_use_begin(&w->use, w->machine, &w->e), 0);
    w->plan = (struct policy_plan){
        .hook = POLICY_HOOK_SERVE_BATCH, .create = world_create, .retire = world_retire, .ctx = w};
}

void life_version(struct life_world *w, bool standing)
{
    static const char *const name[POLICY_VERSIONS] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                                      "i", "j", "k", "l", "m", "n", "o", "p"};
    const uint32_t i = w->plan.n++;
    w->slot[i] = (struct policy_slot){.ops = &ops, .label = name[i], .number = i, .out = w->out};
    w->plan.version[i] = &w->slot[i];
    w->plan.label[i] = name[i];
    w->plan.standing[i] = standing;
    if (standing)
        policy_slot_create(&w->slot[i], NULL, NULL, NULL);
}

void life_start(struct life_world *w)
{
    const struct life_env env = {.sim = w->sim,
                                 .cpu = w->cpu,
                                 .at_once = w->at_once,
                                 .stack = stack_find("kvm", NULL),
                                 .use = &w->use,
                                 .out = w->out,
                                 .changed = world_changed,
                                 .ctx = w,
                                 .e = &w->e};
    cr_assert_eq(policy_life_open(&w->life, &w->plan, NULL, &env, &w->e), 0, "%s", w->e.msg);
}

void life_close(struct life_world *w)
{
    policy_life_free(w->life);
    for (uint32_t i = 0; i < w->plan.n; i++)
        if (w->slot[i].calls && w->slot[i].self)
            policy_slot_destroy(&w->slot[i]);
    machine_use_end(&w->use);
    machine_free(w->machine);
    measures_free(w->out);
    cores_free(w->cpu);
    sim_free(w->sim);
    lot_free(&selves);
}

void life_effect(void *ctx, uint64_t i)
{
    struct life_world *w = ctx;
    w->q[i].answered++;
    policy_life_answered(w->life, w->q[i].vm, &w->q[i].t);
}

void life_question(void *ctx, uint64_t i)
{
    struct life_world *w = ctx;
    struct question *q = &w->q[i];
    if (!policy_life_ask(w->life, q->vm, &q->t, life_question, w, i))
        return;
    q->asked++;
    struct policy_slot *p = policy_life_slot(w->life, q->vm);
    cr_assert(!p || p->self || p->ejected != EJECT_NONE, "a version that is not there is asked");
    if (rng_below(&w->rng, 4))
        sim_after(w->sim, rng_below(&w->rng, 40 * SIM_US), 0, life_effect, w, i);
    else
        life_effect(w, i);
    policy_life_watch(w->life, q->vm);
}

double life_number(struct life_world *w, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "life.serve.batch.%s", what);
    const double *v = measures_find(w->out, name);
    cr_assert_not_null(v, "%s", name);
    return *v;
}
