#include "harness/run/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/infer_host.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/mlaas/features.h"

static int load(struct binding *b, const struct experiment *x, const struct policy_choice *c,
                struct err *e)
{
    char *path = NULL;
    if (strchr(c->name, '/') && !(path = experiment_find(x, c->name, e)))
        return err_wrap(e, ERR_ENAME, "%s", config_path(c->at));
    int rc = policy_load(&b->policy, path ? path : c->name, e);
    if (rc)
        err_wrap(e, rc, "%s", config_path(c->at));
    free(path);
    return rc;
}

/* "serve.admit, serve.batch": the hooks of a set. */
static const char *hooks_text(unsigned set, char *text, size_t n)
{
    size_t at = 0;
    snprintf(text, n, "none");
    for (int h = 0; h < POLICY_HOOKS_N; h++)
        if (set & 1u << h && at < n)
            at += (size_t)snprintf(text + at, n - at, "%s%s", at ? ", " : "",
                                   policy_hook_name((enum policy_hook)h));
    return text;
}

/* A policy that nobody will ever ask is a mistake. */
static int check_hook(const struct binding *b, unsigned slot, const struct setup *s, struct err *e)
{
    const struct policy_ops *o = policy_ops(b->policy);
    const char *at = config_path(s->policy[slot].at);
    char list[160];
    unsigned has = policy_hooks(o), asked = s->model->hooks;
    const enum policy_hook hook = setup_slot_hook(s, slot);
    unsigned here = hook != POLICY_HOOKS_N ? 1u << hook : ~0u;
    if (slot > POLICY_HOOKS_N &&
        hook == POLICY_HOOK_POLICY_SELECT) /* the life asks, not the model */
        asked |= here;
    if (!(asked & here))
        return err_set(e, ERR_ENAME, "%s: model \"%s\" never asks at this hook, only at %s", at,
                       s->model->name, hooks_text(asked, list, sizeof list));
    if (slot && hook != POLICY_HOOKS_N && s->life[hook].at && !(s->model->lives & here))
        return err_set(e, ERR_ENAME,
                       "%s: model \"%s\" keeps its policy at this hook; where it may change: %s",
                       config_path(s->life[hook].at), s->model->name,
                       hooks_text(s->model->lives, list, sizeof list));
    if (!(has & here))
        return err_set(e, ERR_ENAME, "%s: policy %s does not have this hook; it has: %s", at,
                       o->name, hooks_text(has, list, sizeof list));
    if (!(has & asked))
        return err_set(e, ERR_ENAME,
                       "%s: policy %s has none of the hooks that model \"%s\" asks: %s", at,
                       o->name, s->model->name, hooks_text(asked, list, sizeof list));
    return 0;
}

/* So is one that this section leaves without a say; "policy" answers at several hooks and needs a
 * say at one, but no oracle goes untold. */
static int check_mute(const struct binding *b, unsigned slot, const struct setup *s, struct err *e)
{
    const struct policy_ops *o = policy_ops(b->policy);
    const enum policy_hook bound = setup_slot_hook(s, slot);
    const char *none = NULL;
    bool says = false;
    for (int h = 0; h < POLICY_HOOKS_N && s->model->mute; h++) {
        const enum policy_hook hook = (enum policy_hook)h;
        if (!(s->model->hooks & policy_hooks(o) & 1u << h) ||
            (bound != POLICY_HOOKS_N && bound != hook))
            continue;
        const char *why = s->model->mute(s->section, hook, false);
        const char *untold = why || !o->oracle ? NULL : s->model->mute(s->section, hook, true);
        if (untold)
            return err_set(e, ERR_ENAME, "%s: got the oracle %s, want %s",
                           config_path(s->policy[slot].at), o->name, untold);
        none = none ? none : why;
        says |= !why;
    }
    return says || !none ? 0
                         : err_set(e, ERR_EMUTE, "%s: got %s, want %s",
                                   config_path(s->policy[slot].at), o->name, none);
}

static void prepare(struct binding *b, unsigned slot, const struct bindings_want *w)
{
    const struct policy_choice *c = &w->setup->policy[slot];
    const struct pool_eject *known = &w->task->eject[slot];
    const enum policy_hook hook = setup_slot_hook(w->setup, slot);
    snprintf(b->who, sizeof b->who, slot ? "%.100s (%s)" : "%.100s", c->label,
             slot ? policy_hook_name(hook) : "");
    b->slot = (struct policy_slot){.ops = policy_ops(b->policy),
                                   .label = b->who,
                                   .number = slot,
                                   .beat = w->beat,
                                   .eject_at = known->at,
                                   .eject_why = known->why,
                                   .eject_text = known->text,
                                   .out = w->out};
}

static int create(struct bindings *all, unsigned slot, struct err *e)
{
    struct binding *b = &all->of[slot];
    const struct bindings_want *w = &all->want;
    const enum policy_hook hook = setup_slot_hook(w->setup, slot);
    char stream[48] = ""; /* two versions draw apart even if they are the same policy */
    if (slot)
        snprintf(stream, sizeof stream, slot > POLICY_HOOKS_N ? "%s#%u" : "%s",
                 policy_hook_name(hook), slot - POLICY_HOOKS_N);
    struct policy_session_want want = {.seed = w->seed,
                                       .hook = slot ? stream : NULL,
                                       .params = w->setup->policy[slot].params,
                                       .features = all->features,
                                       .infer = infer_host_face(w->tools->infer)};
    b->opened = true;
    return policy_host_open(&b->session, &b->slot, &want, e);
}

/* Whether it is there when the run begins. */
static bool stands(const struct setup *s, unsigned slot)
{
    for (unsigned h = 0; h < POLICY_HOOKS_N; h++)
        for (uint32_t i = 0; i < s->life[h].n; i++)
            if (s->life[h].slot[i] == slot)
                return s->life[h].standing[i];
    return true;
}

int bindings_open_one(struct bindings *all, unsigned slot, const struct bindings_want *w,
                      struct err *e)
{
    struct binding *b = &all->of[slot];
    const struct policy_choice *c = &w->setup->policy[slot];
    all->want = *w;
    if (!c->name)
        return 0;
    int rc = load(b, w->x, c, e);
    if (!rc)
        rc = check_hook(b, slot, w->setup, e);
    if (!rc)
        rc = check_mute(b, slot, w->setup, e);
    if (rc == ERR_EMUTE && !w->try) /* it has its say in other combinations of the sweep */
        rc = 0;
    if (!rc && !w->tools->infer)
        rc = infer_host_open(&w->tools->infer, w->tools->backend, e);
    if (!rc && !all->features && !(all->features = features_new()))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (rc)
        return rc;
    prepare(b, slot, w);
    return w->try || stands(w->setup, slot) ? create(all, slot, e) : 0;
}

/* ---- in mid-run ------------------------------------------------------------------- */

static int create_version(void *ctx, uint32_t version, struct err *e)
{
    const struct life_plan *p = ctx;
    const unsigned slot = p->all->want.setup->life[p->hook].slot[version];
    return create(p->all, slot, e);
}

static int retire_version(void *ctx, uint32_t version, struct err *e)
{
    const struct life_plan *p = ctx;
    struct binding *b = &p->all->of[p->all->want.setup->life[p->hook].slot[version]];
    int rc = policy_host_close(b->session, e);
    b->session = NULL;
    return rc;
}

static void show_watchers(struct bindings *all, const struct life_setup *s, struct policy_plan *p)
{
    p->n_per_vm = s->n_per_vm;
    for (uint32_t i = 0; i < s->n_per_vm; i++) {
        p->per_vm[i].vm = s->per_vm[i];
        p->per_vm[i].version = s->per_vm_version[i];
    }
    p->select = s->select ? &all->of[s->select].slot : NULL;
    p->select_of = s->candidates;
    p->select_ns = (sim_time)(s->select_ms * 1e6);
    p->guard = s->guard;
    p->windows = s->windows;
    p->window_from = (sim_time)(s->watch_from_ms * 1e6);
    p->window_ns = (sim_time)(s->watch_width_ms * 1e6);
}

static uint64_t foresees(void *ctx, uint32_t version, uint32_t vm)
{
    const struct life_plan *p = ctx;
    const struct foreseen *f = p->all->want.foreseen;
    return f && vm < FORESEEN_VMS ? f->cost[version][vm] : 0;
}

static void learns(void *ctx, uint32_t vm, double mean)
{
    const struct life_plan *p = ctx;
    if (vm < FORESEEN_VMS)
        p->all->want.foreseen->cost[p->all->want.learn][vm] = (uint64_t)mean;
}

static void show_plan(struct bindings *all, enum policy_hook hook, struct model_env *env)
{
    const struct life_setup *s = &all->want.setup->life[hook];
    struct life_plan *p = &all->life[hook];
    *p = (struct life_plan){.all = all, .hook = hook};
    p->plan = (struct policy_plan){.hook = hook,
                                   .n = s->n,
                                   .n_step = s->n_step,
                                   .create = create_version,
                                   .retire = retire_version,
                                   .ctx = p};
    for (uint32_t i = 0; i < s->n; i++) {
        p->plan.version[i] = &all->of[s->slot[i]].slot;
        p->plan.label[i] = all->want.setup->policy[s->slot[i]].label;
        p->plan.standing[i] = s->standing[i];
    }
    memcpy(p->plan.step, s->step, sizeof s->step);
    show_watchers(all, s, &p->plan);
    p->plan.foreseen = foresees;
    p->plan.learns = all->want.learn < 0 ? NULL : learns;
    env->plan[hook] = &p->plan;
}

bool bindings_any(const struct bindings *b)
{
    for (unsigned i = 0; i < POLICY_SLOTS; i++)
        if (b->of[i].opened)
            return true;
    return false;
}

void bindings_show(struct bindings *b, struct model_env *env)
{
    env->policy = b->of[0].session ? &b->of[0].slot : NULL;
    for (unsigned h = 0; h < POLICY_HOOKS_N; h++)
        env->bound[h] = b->of[1 + h].session ? &b->of[1 + h].slot : NULL;
    for (unsigned h = 0; h < POLICY_HOOKS_N && b->want.setup; h++)
        if (b->want.setup->life[h].n)
            show_plan(b, (enum policy_hook)h, env);
}

void bindings_report(struct bindings *b, struct measures *out)
{
    double decisions = 0, ejected = 0;
    if (!bindings_any(b))
        return;
    for (unsigned i = 0; i < POLICY_SLOTS; i++) {
        decisions += (double)b->of[i].slot.decisions;
        ejected += b->of[i].slot.ejected != EJECT_NONE;
        if (b->of[i].opened && b->of[i].slot.ops->oracle)
            measures_incident(out, "oracle", b->of[i].who, 0, 0,
                              "is told the truth in advance: a bound, not a competitor");
    }
    measures_number(out, "policy_decisions", "1", BETTER_NONE, decisions);
    measures_number(out, "ejected", "1", BETTER_LESS, ejected);
}

int bindings_close(struct bindings *b, int rc, struct err *e)
{
    for (unsigned i = POLICY_SLOTS; i-- > 0;) {
        int closed = policy_host_close(b->of[i].session, rc ? NULL : e);
        policy_unload(b->of[i].policy);
        rc = rc ? rc : closed;
    }
    features_free(b->features);
    b->features = NULL;
    return rc;
}
