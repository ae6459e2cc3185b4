/* policy_life_learn.c - what became of decisions: windows of time, the selector, the guard. */
#include "models/policy_life_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- windows ------------------------------------------------------------------------ */

/* The window of a time; NULL: outside. */
static struct life_window *window_at(struct policy_life *l, sim_time t)
{
    const struct policy_plan *p = l->plan;
    if (!p->windows || t < p->window_from)
        return NULL;
    const uint64_t i = (t - p->window_from) / p->window_ns;
    return i < p->windows ? &l->window[i] : NULL;
}

bool life_windows_open(struct policy_life *l)
{
    for (uint32_t i = 0; i < l->plan->windows; i++) {
        l->window[i].decision = sketch_new(false);
        l->window[i].cost = sketch_new(false);
        if (!l->window[i].decision || !l->window[i].cost)
            return false;
    }
    return true;
}

void life_windows_close(struct policy_life *l)
{
    for (uint32_t i = 0; i < POLICY_WINDOWS; i++) {
        sketch_free(l->window[i].decision);
        sketch_free(l->window[i].cost);
    }
}

void life_window_answer(struct policy_life *l, const struct policy_ticket *t)
{
    struct life_window *w = window_at(l, t->asked);
    if (w)
        sketch_add(w->decision, (double)(sim_now(l->env.sim) - t->asked) / 1e3);
}

/* A window in which nothing was asked has no quantiles. */
static void window_numbers(struct policy_life *l, const char *what, uint32_t i, const char *unit,
                           const struct sketch *s)
{
    static const struct {
        const char *name;
        double q;
    } each[] = {{"p50", 0.5}, {"p99", 0.99}};
    for (size_t k = 0; k < sizeof each / sizeof *each && sketch_count(s); k++) {
        char name[64];
        snprintf(name, sizeof name, "life.%s.%s_%s.w%02u", policy_hook_name(l->plan->hook), what,
                 each[k].name, i);
        measures_number(l->env.out, name, unit, BETTER_LESS, sketch_quantile(s, each[k].q));
    }
}

void life_windows_report(struct policy_life *l)
{
    for (uint32_t i = 0; i < l->plan->windows; i++) {
        window_numbers(l, "decision", i, "us", l->window[i].decision);
        window_numbers(l, "cost", i, "ms", l->window[i].cost);
    }
}

/* ---- the selector --------------------------------------------------------------------- */

static void observe(const struct policy_life *l, uint32_t vm, struct policy_candidate *seen,
                    struct policy_select_obs *o)
{
    const struct policy_plan *p = l->plan;
    const struct life_vm *v = &l->vm[vm];
    const double n = (double)v->period.asked, mean = v->period.size / n;
    const double var = v->period.size_sq / n - mean * mean;
    const struct life_binding *b = v->bound ? &v->own : &l->all;
    for (uint32_t i = 0; i < p->select_of; i++)
        seen[i] = (struct policy_candidate){
            .label = p->label[i],
            .answered = v->period.of[i].answered,
            .done = v->period.of[i].done,
            .cost_ns = v->period.of[i].cost,
            .oracle_cost_ns = p->foreseen ? p->foreseen(p->ctx, i, vm) : 0,
        };
    *o = (struct policy_select_obs){
        .now_ns = sim_now(l->env.sim),
        .period = sim_now(l->env.sim) / p->select_ns - 1,
        .vm = vm,
        .hook = p->hook,
        .current = b->now < p->select_of ? b->now : POLICY_NONE,
        .n = p->select_of,
        .context = {(float)(n * 1e9 / (double)p->select_ns), (float)mean,
                    mean > 0 && var > 0 ? (float)(sqrt(var) / mean) : 0},
        .candidate = seen,
    };
}

static void select_one(struct policy_life *l, uint32_t vm)
{
    struct policy_candidate seen[POLICY_VERSIONS];
    struct policy_select_obs o;
    observe(l, vm, seen, &o);
    const uint32_t to = policy_slot_select(l->plan->select, &o);
    l->n.selected++;
    if (to == o.current || to == POLICY_NONE)
        return;
    l->n.switched++;
    life_due(l,
             &(struct policy_step){
                 .at = o.now_ns, .what = LIFE_REPLACE, .by = LIFE_BY_SELECT, .to = to, .vm = vm});
}

static void nothing(void *ctx, uint64_t arg)
{
    (void)ctx, (void)arg;
}

static void period_over(void *ctx, uint64_t arg)
{
    (void)arg;
    struct policy_life *l = ctx;
    uint32_t asked = 0;
    l->armed = false;
    for (uint32_t vm = 0; vm < l->vms; vm++)
        asked += l->vm[vm].period.asked != 0;
    if (!asked || l->rc)
        return;
    if (l->env.begins)
        l->env.begins(l->env.ctx);
    life_charge(l, asked * l->k.select, nothing);
    for (uint32_t vm = 0; vm < l->vms; vm++)
        if (l->vm[vm].period.asked) {
            select_one(l, vm);
            l->vm[vm].period = (struct life_period){.asked = 0};
        }
}

static void arm(struct policy_life *l)
{
    const sim_time ns = l->plan->select_ns;
    if (l->armed || !l->plan->select)
        return;
    l->armed = true;
    sim_at(l->env.sim, (sim_now(l->env.sim) / ns + 1) * ns, 1, period_over, l, 0);
}

/* ---- the guard --------------------------------------------------------------------------- */

/* Whether the baseline answers some decisions of this VM, to be compared. */
static bool guarded(const struct policy_life *l, uint32_t now)
{
    return l->plan->guard.every && now != l->plan->guard.baseline && now != LIFE_NOBODY;
}

bool policy_life_stale(const struct policy_life *l, uint32_t vm, uint32_t version)
{
    if (!l->plan)
        return false;
    const uint32_t now = policy_life_version(l, vm);
    return version != now && !(guarded(l, now) && version == l->plan->guard.baseline);
}

uint32_t life_choose(struct policy_life *l, struct life_vm *v, uint32_t now)
{
    if (!guarded(l, now))
        return now;
    const struct policy_slot *b = l->plan->version[l->plan->guard.baseline];
    return b->ejected == EJECT_NONE && v->guard.asked++ % l->plan->guard.every == 0
               ? l->plan->guard.baseline
               : now;
}

static double mean(const struct life_sum *s)
{
    return s->sum / (double)s->n;
}

/* Squared standard error of the mean. */
static double error_sq(const struct life_sum *s)
{
    const double m = mean(s), var = s->sq / (double)s->n - m * m;
    return var > 0 ? var / (double)(s->n - 1) : 0;
}

#define ERRORS 2 /* standard errors between them before it is no chance */

/* Both have been seen often enough: is the learned one worse? */
static void judge(struct policy_life *l, uint32_t vm, struct life_vm *v)
{
    struct life_guard *g = &v->guard;
    const struct policy_guard *want = &l->plan->guard;
    if (g->ours.n < want->window || g->base.n < want->window)
        return;
    const double ours = mean(&g->ours), base = mean(&g->base), apart = ours - base;
    const bool worse = ours > want->worse * base &&
                       apart * apart > ERRORS * ERRORS * (error_sq(&g->ours) + error_sq(&g->base));
    g->ours = g->base = (struct life_sum){0};
    l->n.judged++;
    if (!worse || g->fallen)
        return;
    g->fallen = true;
    life_say(l, "guard",
             "VM %u: %.60s costs %.3f ms, the baseline %.60s %.3f ms over %u each: falls back", vm,
             life_label(l, v->bound ? v->own.now : l->all.now), ours / 1e6,
             life_label(l, want->baseline), base / 1e6, want->window);
    life_due(l, &(struct policy_step){.at = sim_now(l->env.sim),
                                      .what = LIFE_REPLACE,
                                      .by = LIFE_BY_GUARD,
                                      .to = want->baseline,
                                      .vm = vm});
}

static void add(struct life_sum *s, double x)
{
    s->n++;
    s->sum += x;
    s->sq += x * x;
}

/* ---- what models tell ---------------------------------------------------------------------- */

void life_asked(struct policy_life *l, struct life_vm *v, const struct policy_ticket *t)
{
    v->period.asked++;
    v->period.size += t->size;
    v->period.size_sq += t->size * t->size;
    arm(l);
}

void policy_life_done(struct policy_life *l, uint32_t vm, const struct policy_ticket *t,
                      sim_time cost)
{
    if (!l->plan)
        return;
    struct life_vm *v = life_vm(l, vm);
    struct life_window *w = window_at(l, t->asked);
    if (!v)
        return;
    if (w)
        sketch_add(w->cost, (double)cost / 1e6);
    if (t->version >= l->plan->n)
        return;
    add(&v->all[t->version], (double)cost);
    v->period.of[t->version].done++;
    v->period.of[t->version].cost += cost;
    const uint32_t now = v->bound ? v->own.now : l->all.now;
    if (!guarded(l, now) || v->guard.fallen)
        return;
    if (t->version == l->plan->guard.baseline)
        add(&v->guard.base, (double)cost);
    else if (t->version == now)
        add(&v->guard.ours, (double)cost);
    judge(l, vm < POLICY_VMS ? vm : POLICY_VMS - 1, v);
}

double policy_life_mean(const struct policy_life *l, uint32_t vm, uint32_t version)
{
    if (!l->plan || vm >= l->vms || !l->vm[vm].all[version].n)
        return 0;
    return mean(&l->vm[vm].all[version]);
}
