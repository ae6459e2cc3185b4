/* policy_life_steps.c - a step on its way: asked for, loaded, drained, handed over, replaced. */
#include "models/policy_life_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE 4096

static void begin(struct policy_life *l);

sim_time life_charge(struct policy_life *l, sim_cost ps, sim_fn *next)
{
    const sim_time ns = carry_ns(&l->carry, ps);
    l->n.cpu += ps;
    if (!(l->env.cpu ? cores_submit(l->env.cpu, ns, next, l, 0)
                     : l->env.charge(l->env.ctx, ns, next, l, 0)))
        life_fail(l, err_set(l->env.e, ERR_ENOMEM, "policies: out of memory"));
    return ns;
}

static void nobody_waits(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg;
}

/* ---- the words of it ---------------------------------------------------------------- */

static const char *by_text(const struct policy_life *l, char *text, size_t n)
{
    const struct policy_step *s = &l->job.step;
    static const char *const who[] = {"script", "hypercall", "selector", "guard", "ejection"};
    if (s->vm == POLICY_NONE)
        snprintf(text, n, "by %s", who[s->by]);
    else
        snprintf(text, n, "for VM %" PRIu32 " by %s", s->vm, who[s->by]);
    return text;
}

static void say_step(struct policy_life *l, const char *kind, const char *how)
{
    char by[64];
    life_say(l, kind, "%.60s -> %.60s %s: %.100s", life_label(l, l->job.from),
             life_label(l, l->job.to), by_text(l, by, sizeof by), how);
}

/* ---- the end of a step ---------------------------------------------------------------- */

static void finish(struct policy_life *l)
{
    free(l->job.state);
    l->job = (struct life_job){.state = NULL};
    l->busy = false;
    begin(l);
}

/* Those that waited ask again, in the order in which they came. */
static void release(struct policy_life *l)
{
    struct life_held *held = l->held;
    const size_t n = l->n_held;
    l->job.holding = l->job.draining = false;
    const sim_time waited = sim_now(l->env.sim) - l->job.holds_since;
    if (n && waited > l->n.held_most)
        l->n.held_most = waited;
    l->held = NULL;
    l->n_held = l->cap_held = 0;
    for (size_t i = 0; i < n; i++)
        held[i].again(held[i].ctx, held[i].arg);
    free(held);
}

static bool in_use(const struct policy_life *l, uint32_t version)
{
    if (l->all.now == version || l->all.before == version)
        return true;
    for (uint32_t i = 0; i < l->vms; i++)
        if (l->vm[i].bound && (l->vm[i].own.now == version || l->vm[i].own.before == version))
            return true;
    return false;
}

static void unload(struct policy_life *l, uint32_t version)
{
    if (version == LIFE_NOBODY || !l->loaded[version] || l->plan->standing[version] ||
        in_use(l, version))
        return;
    l->loaded[version] = false;
    int rc = l->plan->retire(l->plan->ctx, version, l->env.e);
    if (rc)
        life_fail(l, rc);
    life_charge(l, l->k.unload, nobody_waits);
}

/* The new version will not do: the old one stays. */
static void undo(struct policy_life *l)
{
    const uint32_t to = l->job.to;
    l->n.undone++;
    say_step(l, "undone", l->plan->version[to]->eject_note);
    unload(l, to);
    release(l);
    finish(l);
}

/* ---- the replacement ------------------------------------------------------------------- */

static bool ejected(const struct policy_life *l, uint32_t version)
{
    return version != LIFE_NOBODY && l->plan->version[version]->ejected != EJECT_NONE;
}

/* false: it crashed over the state of its predecessor. */
static bool restore(struct policy_life *l, char *how, size_t n)
{
    struct life_job *j = &l->job;
    if (!j->state) {
        snprintf(how, n, "%s", j->to == LIFE_NOBODY ? "unloaded" : "no state handed over");
        return true;
    }
    struct policy_slot *to = l->plan->version[j->to];
    int rc = policy_slot_restore(to, j->state, j->bytes, l->plan->version[j->from]->ops->name,
                                 sim_now(l->env.sim));
    if (ejected(l, j->to))
        return false;
    snprintf(how, n, rc ? "refuses the state of %zu bytes" : "takes over %zu bytes of state",
             j->bytes);
    return true;
}

static void replace(void *ctx, uint64_t arg)
{
    (void)arg;
    struct policy_life *l = ctx;
    struct life_job *j = &l->job;
    char how[128], all[200];
    if (!restore(l, how, sizeof how)) {
        undo(l);
        return;
    }
    struct life_binding *b = life_binding(l, j->step.vm);
    if (!b)
        return;
    const uint32_t displaced = b->before, vm = j->step.vm;
    *b = (struct life_binding){j->to, j->from, false};
    l->n.replaced++;
    for (uint32_t i = 0; i < l->vms && j->step.by != LIFE_BY_GUARD; i++)
        if (life_concerns(l, i))
            l->vm[i].guard = (struct life_guard){0};
    const sim_time now = sim_now(l->env.sim), until = l->stalls_until > now ? l->stalls_until : now;
    snprintf(all, sizeof all, "%.60s; took %.3f us, %zu decisions waited", how,
             (double)(until - j->since) / 1e3, l->n_held);
    say_step(l, "replaced", all);
    if (j->step.what == LIFE_UNLOAD)
        b->before = LIFE_NOBODY;
    j->holding = false; /* those that wait go on in a moment, nobody joins them */
    if (l->env.changed)
        l->env.changed(l->env.ctx, vm);
    unload(l, displaced);
    unload(l, j->from);
    release(l);
    finish(l);
}

static void save(struct policy_life *l)
{
    struct life_job *j = &l->job;
    if (!j->step.hand || j->from == LIFE_NOBODY || j->to == LIFE_NOBODY || ejected(l, j->from) ||
        !l->plan->version[j->from]->ops->save || !l->plan->version[j->to]->ops->restore)
        return;
    j->state = policy_slot_save(l->plan->version[j->from], &j->bytes, sim_now(l->env.sim));
}

static sim_cost pages(const struct policy_life *l, size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * l->k.page;
}

/* The replacement, and what the newcomer hears of the machine. */
static sim_cost comes(const struct policy_life *l)
{
    const bool told = l->env.tells && l->job.to != LIFE_NOBODY;
    return l->k.replace + (told ? pages(l, l->env.tells(l->env.ctx)) : 0);
}

void life_drained(struct policy_life *l)
{
    struct life_job *j = &l->job;
    j->draining = false;
    save(l);
    const sim_cost ps = comes(l) + pages(l, j->bytes);
    if (!l->env.at_once) {
        life_charge(l, ps, replace);
        return;
    }
    l->stalls_until = sim_now(l->env.sim) + life_charge(l, ps, nobody_waits);
    replace(l, 0);
}

static void quiesce(struct policy_life *l)
{
    struct life_job *j = &l->job;
    if (!j->step.quiesce) {
        life_charge(l, comes(l), replace);
        return;
    }
    if (l->env.at_once) {
        life_drained(l);
        return;
    }
    j->holding = true;
    j->holds_since = sim_now(l->env.sim);
    for (uint32_t i = 0; i < l->vms; i++)
        j->in_flight += life_concerns(l, i) ? l->vm[i].in_flight : 0;
    if (j->in_flight)
        j->draining = true;
    else
        life_drained(l);
}

/* ---- its beginning ---------------------------------------------------------------------- */

static void loaded(void *ctx, uint64_t arg)
{
    (void)arg;
    struct policy_life *l = ctx;
    const uint32_t to = l->job.to;
    l->loaded[to] = true;
    l->loads[to]++;
    int rc = l->plan->create(l->plan->ctx, to, l->env.e);
    if (rc) {
        life_fail(l, rc);
        return;
    }
    if (ejected(l, to)) {
        undo(l);
    } else if (l->job.step.what == LIFE_LOAD) {
        say_step(l, "loaded", "stands by");
        finish(l);
    } else {
        quiesce(l);
    }
}

static void refuse(struct policy_life *l, const char *why)
{
    l->n.refused++;
    say_step(l, "refused", why);
    finish(l);
}

static void asked(void *ctx, uint64_t arg)
{
    (void)arg;
    struct policy_life *l = ctx;
    struct life_job *j = &l->job;
    const struct life_binding *b = life_binding(l, j->step.vm);
    if (!b)
        return;
    j->from = b->now;
    j->to = j->step.what == LIFE_ROLLBACK ? b->before
            : j->step.what == LIFE_UNLOAD ? LIFE_NOBODY
                                          : j->step.to;
    if (j->step.what == LIFE_ROLLBACK && (j->to == LIFE_NOBODY || ejected(l, j->to)))
        refuse(l, "there is none to roll back to");
    else if (j->to == j->from && j->step.what != LIFE_LOAD)
        refuse(l, "answers already");
    else if (j->to != LIFE_NOBODY && ejected(l, j->to))
        refuse(l, "was ejected before");
    else if (j->to != LIFE_NOBODY && !l->loaded[j->to])
        life_charge(l, l->k.load, loaded);
    else if (j->step.what == LIFE_LOAD)
        refuse(l, "is loaded already");
    else
        quiesce(l);
}

static void begin(struct policy_life *l)
{
    if (l->busy || !l->n_waiting || l->rc)
        return;
    l->busy = true;
    l->n.steps++;
    l->job =
        (struct life_job){.step = l->waiting[0], .from = LIFE_NOBODY, .since = sim_now(l->env.sim)};
    l->n_waiting--;
    for (size_t i = 0; i < l->n_waiting; i++)
        l->waiting[i] = l->waiting[i + 1];
    if (l->env.begins)
        l->env.begins(l->env.ctx);
    const enum life_by by = l->job.step.by;
    life_charge(l,
                by == LIFE_BY_SCRIPT      ? l->k.script
                : by == LIFE_BY_HYPERCALL ? l->k.hypercall
                                          : 0,
                asked);
}

void life_due(struct policy_life *l, const struct policy_step *step)
{
    if (l->n_waiting == l->cap_waiting) {
        size_t cap = l->cap_waiting ? 2 * l->cap_waiting : 8;
        struct policy_step *more = realloc(l->waiting, cap * sizeof *more);
        if (!more) {
            life_fail(l, err_set(l->env.e, ERR_ENOMEM, "policies: out of memory"));
            return;
        }
        l->waiting = more;
        l->cap_waiting = cap;
    }
    l->waiting[l->n_waiting++] = *step;
    begin(l);
}

void policy_life_watch(struct policy_life *l, uint32_t vm)
{
    if (!l->plan)
        return;
    const struct policy_slot *now = policy_life_slot(l, vm);
    if (!now || now->ejected == EJECT_NONE)
        return;
    struct life_vm *v = life_vm(l, vm);
    if (!v)
        return;
    struct life_binding *b = v->bound ? &v->own : &l->all;
    if (b->fell || b->before == LIFE_NOBODY || ejected(l, b->before))
        return;
    b->fell = true;
    life_due(l, &(struct policy_step){.at = sim_now(l->env.sim),
                                      .what = LIFE_ROLLBACK,
                                      .by = LIFE_BY_EJECTION,
                                      .vm = v->bound ? vm : POLICY_NONE});
}
