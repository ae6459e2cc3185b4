#include "harness/run/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/infer_host.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"

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
    unsigned here = slot ? 1u << (slot - 1) : ~0u;
    if (!(asked & here))
        return err_set(e, ERR_ENAME, "%s: model \"%s\" never asks at this hook, only at %s", at,
                       s->model->name, hooks_text(asked, list, sizeof list));
    if (!(has & here))
        return err_set(e, ERR_ENAME, "%s: policy %s does not have this hook; it has: %s", at,
                       o->name, hooks_text(has, list, sizeof list));
    if (!(has & asked))
        return err_set(e, ERR_ENAME,
                       "%s: policy %s has none of the hooks that model \"%s\" asks: %s", at,
                       o->name, s->model->name, hooks_text(asked, list, sizeof list));
    return 0;
}

static int create(struct binding *b, unsigned slot, const struct bindings_want *w, struct err *e)
{
    const struct policy_choice *c = &w->setup->policy[slot];
    const struct pool_eject *known = &w->task->eject[slot];
    const char *hook = slot ? policy_hook_name((enum policy_hook)(slot - 1)) : NULL;
    snprintf(b->who, sizeof b->who, hook ? "%.100s (%s)" : "%.100s", c->label, hook);
    b->slot = (struct policy_slot){.ops = policy_ops(b->policy),
                                   .label = b->who,
                                   .number = slot,
                                   .beat = w->beat,
                                   .eject_at = known->at,
                                   .eject_why = known->why,
                                   .eject_text = known->text,
                                   .out = w->out};
    struct policy_session_want want = {.seed = w->seed,
                                       .hook = hook,
                                       .params = c->params,
                                       .infer = infer_host_face(w->tools->infer)};
    return policy_host_open(&b->session, &b->slot, &want, e);
}

int bindings_open_one(struct bindings *all, unsigned slot, const struct bindings_want *w,
                      struct err *e)
{
    struct binding *b = &all->of[slot];
    const struct policy_choice *c = &w->setup->policy[slot];
    if (!c->name)
        return 0;
    int rc = load(b, w->x, c, e);
    if (!rc)
        rc = check_hook(b, slot, w->setup, e);
    if (!rc && !w->tools->infer)
        rc = infer_host_open(&w->tools->infer, w->tools->backend, e);
    return rc ? rc : create(b, slot, w, e);
}

bool bindings_any(const struct bindings *b)
{
    for (unsigned i = 0; i < POLICY_SLOTS; i++)
        if (b->of[i].session)
            return true;
    return false;
}

void bindings_show(struct bindings *b, struct model_env *env)
{
    env->policy = b->of[0].session ? &b->of[0].slot : NULL;
    for (unsigned h = 0; h < POLICY_HOOKS_N; h++)
        env->bound[h] = b->of[1 + h].session ? &b->of[1 + h].slot : NULL;
}

void bindings_report(struct bindings *b, struct measures *out)
{
    double decisions = 0, ejected = 0;
    if (!bindings_any(b))
        return;
    for (unsigned i = 0; i < POLICY_SLOTS; i++) {
        decisions += (double)b->of[i].slot.decisions;
        ejected += b->of[i].slot.ejected != EJECT_NONE;
        if (b->of[i].session && b->of[i].slot.ops->oracle)
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
    return rc;
}
