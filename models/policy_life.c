/* policy_life.c - who answers, tickets, and the counts. */
#include "models/policy_life_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- who answers ------------------------------------------------------------------- */

static uint32_t index_of(uint32_t vm)
{
    return vm < POLICY_VMS ? vm : POLICY_VMS - 1;
}

static const struct life_binding *binding_of(const struct policy_life *l, uint32_t vm)
{
    const uint32_t i = index_of(vm);
    return i < l->vms && l->vm[i].bound ? &l->vm[i].own : &l->all;
}

uint32_t policy_life_version(const struct policy_life *l, uint32_t vm)
{
    return l->plan ? binding_of(l, vm)->now : 0;
}

struct policy_slot *policy_life_of(const struct policy_life *l, uint32_t version)
{
    if (!l->plan)
        return l->alone;
    return version < l->plan->n && l->loaded[version] ? l->plan->version[version] : NULL;
}

struct policy_slot *policy_life_slot(const struct policy_life *l, uint32_t vm)
{
    return l->plan ? policy_life_of(l, binding_of(l, vm)->now) : l->alone;
}

uint32_t policy_life_loads(const struct policy_life *l, uint32_t version)
{
    return l->loads[version];
}

bool policy_life_any(const struct policy_life *l)
{
    return l->plan || (l->alone && l->alone->ops);
}

bool policy_plan_oracle(const struct policy_plan *plan)
{
    for (uint32_t i = 0; plan && i < plan->n; i++)
        if (plan->version[i]->ops && plan->version[i]->ops->oracle)
            return true;
    return false;
}

bool policy_life_busy(const struct policy_life *l)
{
    return l->busy;
}

const char *life_label(const struct policy_life *l, uint32_t version)
{
    return version == LIFE_NOBODY ? "the default" : l->plan->label[version];
}

/* ---- VMs --------------------------------------------------------------------------- */

void life_fail(struct policy_life *l, int rc)
{
    if (!l->rc)
        l->rc = rc;
    sim_stop(l->env.sim);
}

struct life_vm *life_vm(struct policy_life *l, uint32_t vm)
{
    const uint32_t i = index_of(vm);
    if (i >= l->vms) {
        uint32_t n = l->vms ? l->vms : 16;
        while (n <= i)
            n *= 2;
        struct life_vm *more = realloc(l->vm, n * sizeof *more);
        if (!more) {
            life_fail(l, err_set(l->env.e, ERR_ENOMEM, "policies: out of memory"));
            return NULL;
        }
        for (uint32_t k = l->vms; k < n; k++)
            more[k] = (struct life_vm){.bound = false};
        l->vm = more;
        l->vms = n;
    }
    l->vm[i].seen = true;
    return &l->vm[i];
}

struct life_binding *life_binding(struct policy_life *l, uint32_t vm)
{
    if (vm == POLICY_NONE)
        return &l->all;
    struct life_vm *v = life_vm(l, vm);
    if (!v)
        return NULL;
    if (!v->bound)
        v->own = l->all;
    v->bound = true;
    return &v->own;
}

bool life_concerns(const struct policy_life *l, uint32_t vm)
{
    const uint32_t about = l->job.step.vm, i = index_of(vm);
    if (about != POLICY_NONE)
        return i == index_of(about);
    return !(i < l->vms && l->vm[i].bound);
}

/* ---- decisions ---------------------------------------------------------------------- */

static bool hold(struct policy_life *l, const struct life_held *h)
{
    if (l->n_held == l->cap_held) {
        size_t cap = l->cap_held ? 2 * l->cap_held : 64;
        struct life_held *more = realloc(l->held, cap * sizeof *more);
        if (!more) {
            life_fail(l, err_set(l->env.e, ERR_ENOMEM, "policies: out of memory"));
            return false;
        }
        l->held = more;
        l->cap_held = cap;
    }
    l->held[l->n_held++] = *h;
    return true;
}

bool policy_life_ask(struct policy_life *l, uint32_t vm, struct policy_ticket *t, sim_fn *again,
                     void *ctx, uint64_t arg)
{
    if (!l->plan)
        return true;
    struct life_vm *v = life_vm(l, vm);
    if (!v)
        return true;
    if (t->state == TICKET_NEW) {
        l->n.asked++;
        t->asked = sim_now(l->env.sim);
        life_asked(l, v, t);
    }
    if (l->job.holding && life_concerns(l, vm)) {
        l->n.held += t->state == TICKET_NEW;
        t->state = TICKET_HELD;
        hold(l, &(struct life_held){again, ctx, arg, vm});
        return false;
    }
    l->n.twice += t->state >= TICKET_OPEN;
    t->state = TICKET_OPEN;
    v->in_flight++;
    t->version = life_choose(l, v, binding_of(l, vm)->now);
    v->answered[t->version == LIFE_NOBODY ? POLICY_VERSIONS : t->version]++;
    if (t->version != LIFE_NOBODY)
        v->period.of[t->version].answered++;
    return true;
}

void policy_life_answered(struct policy_life *l, uint32_t vm, struct policy_ticket *t)
{
    if (!l->plan)
        return;
    struct life_vm *v = life_vm(l, vm);
    if (!v)
        return;
    if (t->state != TICKET_OPEN) {
        l->n.twice++;
        return;
    }
    t->state = TICKET_DONE;
    life_window_answer(l, t);
    l->n.answered++;
    v->in_flight--;
    if (l->job.draining && life_concerns(l, vm) && --l->job.in_flight == 0)
        life_drained(l);
}

void policy_life_gone(struct policy_life *l, uint32_t vm, struct policy_ticket *t)
{
    if (t->state == TICKET_OPEN)
        policy_life_answered(l, vm, t);
    else if (t->state == TICKET_HELD)
        l->n.answered++;
    t->state = TICKET_DONE;
}

sim_time policy_life_stall(struct policy_life *l)
{
    const sim_time now = sim_now(l->env.sim),
                   wait = l->stalls_until > now ? l->stalls_until - now : 0;
    l->n.held += wait > 0;
    l->n.held_most = wait > l->n.held_most ? wait : l->n.held_most;
    return wait;
}

struct policy_slot *policy_life_now(struct policy_life *l, uint32_t vm, struct policy_ticket *t,
                                    sim_time *wait)
{
    *t = (struct policy_ticket){.size = 1};
    *wait = policy_life_stall(l);
    policy_life_ask(l, vm, t, NULL, NULL, 0);
    return policy_life_of(l, t->version);
}

void policy_life_said(struct policy_life *l, uint32_t vm, struct policy_ticket *t)
{
    policy_life_answered(l, vm, t);
    policy_life_watch(l, vm);
}

/* ---- life cycle --------------------------------------------------------------------- */

static void due(void *ctx, uint64_t i)
{
    struct policy_life *l = ctx;
    life_due(l, &l->plan->step[i]);
}

int life_costs(struct life_costs *k, const struct policy_step *step, uint32_t n_step, bool selects,
               const struct stack *stack, struct machine_use *use, struct err *e)
{
    static const char *const name[] = {"cost.policy_load", "cost.policy_replace",
                                       "cost.policy_unload", "cost.copy_page", "cost.syscall"};
    sim_cost *const to[] = {&k->load, &k->replace, &k->unload, &k->page, &k->script};
    int rc = selects ? machine_ps(use, "cost.policy_select", &k->select, e) : 0;
    for (size_t i = 0; i < sizeof name / sizeof *name && !rc; i++)
        rc = machine_ps(use, name[i], to[i], e);
    for (uint32_t i = 0; i < n_step && !rc; i++)
        if (step[i].by == LIFE_BY_HYPERCALL) {
            struct stack_cost way;
            rc = stack_cost(stack, STACK_hypercall, use, &way, e);
            k->hypercall = rc ? 0 : way.cpu_before + way.wire_before;
        }
    return rc;
}

int policy_life_open(struct policy_life **out, const struct policy_plan *plan,
                     struct policy_slot *alone, const struct life_env *env, struct err *e)
{
    struct policy_life *l = *out = calloc(1, sizeof *l);
    if (!l)
        return err_set(e, ERR_ENOMEM, "policies: out of memory");
    l->plan = plan;
    l->alone = alone;
    l->env = *env;
    if (!plan)
        return 0;
    l->all = (struct life_binding){0, LIFE_NOBODY, false};
    for (uint32_t i = 0; i < plan->n; i++)
        l->loads[i] = l->loaded[i] = plan->standing[i];
    for (uint32_t i = 0; i < plan->n_per_vm; i++) {
        struct life_binding *b = life_binding(l, plan->per_vm[i].vm);
        if (b)
            *b = (struct life_binding){plan->per_vm[i].version, LIFE_NOBODY, false};
    }
    if (!life_windows_open(l))
        life_fail(l, err_set(e, ERR_ENOMEM, "policies: out of memory"));
    int rc = l->rc;
    if (!rc && (plan->n_step || plan->select || plan->guard.every))
        rc = life_costs(&l->k, plan->step, plan->n_step, plan->select, env->stack, env->use, e);
    for (uint32_t i = 0; i < plan->n_step && !rc; i++)
        sim_at(env->sim, plan->step[i].at, 0, due, l, i);
    return rc;
}

void policy_life_free(struct policy_life *l)
{
    if (!l)
        return;
    free(l->vm);
    free(l->waiting);
    free(l->held);
    free(l->job.state);
    life_windows_close(l);
    free(l);
}

int policy_life_failed(const struct policy_life *l)
{
    return l->rc;
}

/* ---- what is told ------------------------------------------------------------------- */

#define LINES_SAID 200

void life_say(struct policy_life *l, const char *kind, const char *fmt, ...)
{
    char text[256], who[64];
    va_list ap;
    if (l->n.said++ >= LINES_SAID)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    snprintf(who, sizeof who, "%s", policy_hook_name(l->plan->hook));
    measures_incident(l->env.out, kind, who, sim_now(l->env.sim), l->n.asked, text);
}

static void say_answers(struct policy_life *l, uint32_t vm)
{
    char text[256];
    size_t at = 0;
    for (uint32_t i = 0; i <= POLICY_VERSIONS && at < sizeof text; i++)
        if (l->vm[vm].answered[i])
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %llu", at ? ", " : "",
                                   i < POLICY_VERSIONS ? life_label(l, i) : "the default",
                                   (unsigned long long)l->vm[vm].answered[i]);
    if (at)
        life_say(l, "answers", "VM %u: %s", vm, text);
}

#define VMS_SAID 16 /* by name; all of them are in the counts */

void policy_life_report(struct policy_life *l)
{
    if (!l->plan)
        return;
    struct measures *m = l->env.out;
    const char *hook = policy_hook_name(l->plan->hook);
    const struct life_counts *n = &l->n;
    const struct {
        const char *name, *unit;
        enum better better;
        double v;
    } each[] = {
        {"asked", "1", BETTER_NONE, (double)n->asked},
        {"lost", "1", BETTER_LESS, (double)n->asked - (double)n->answered},
        {"twice", "1", BETTER_LESS, (double)n->twice},
        {"held", "1", BETTER_NONE, (double)n->held},
        {"held_most", "ms", BETTER_LESS, (double)n->held_most / 1e6},
        {"steps", "1", BETTER_NONE, (double)n->steps},
        {"replaced", "1", BETTER_NONE, (double)n->replaced},
        {"undone", "1", BETTER_LESS, (double)n->undone},
        {"selected", "1", BETTER_NONE, (double)n->selected},
        {"switched", "1", BETTER_NONE, (double)n->switched},
        {"judged", "1", BETTER_NONE, (double)n->judged},
        {"cpu_time", "us", BETTER_LESS, (double)n->cpu / 1e6},
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        char name[64];
        snprintf(name, sizeof name, "life.%s.%s", hook, each[i].name);
        measures_number(m, name, each[i].unit, each[i].better, each[i].v);
    }
    life_windows_report(l);
    for (uint32_t vm = 0; vm < l->vms && l->plan->learns; vm++)
        if (l->vm[vm].all[0].n)
            l->plan->learns(l->plan->ctx, vm, policy_life_mean(l, vm, 0));
    for (uint32_t vm = 0, said = 0; vm < l->vms && said < VMS_SAID; vm++)
        if (l->vm[vm].seen) {
            say_answers(l, vm);
            said++;
        }
}
