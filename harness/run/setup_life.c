/* setup_life.c - a hook whose policy changes in mid-run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run/setup.h"

#define TIME_MAX_MS 1e9

struct section {
    const char *label; /* of a swept life, for results */
    const struct config *candidates, *swap, *per_vm, *select, *guard, *watch;
    double select_ms;
};
static const struct config_field section_fields[] = {
    CONFIG_STR(struct section, label, false),
    CONFIG_ANY(struct section, candidates, true),
    CONFIG_ANY(struct section, swap, false),
    CONFIG_ANY(struct section, per_vm, false),
    CONFIG_ANY(struct section, select, false),
    CONFIG_F64(struct section, select_ms, 0.001, TIME_MAX_MS, false),
    CONFIG_ANY(struct section, guard, false),
    CONFIG_ANY(struct section, watch, false),
    CONFIG_END,
};

struct guard {
    const struct config *baseline;
    struct policy_guard g;
};
static const struct config_field guard_fields[] = {
    CONFIG_ANY(struct guard, baseline, true),
    {"every", CONFIG_T_U32, offsetof(struct guard, g.every), 2, 1000000, false},
    {"window", CONFIG_T_U32, offsetof(struct guard, g.window), 2, 1000000, false},
    {"worse", CONFIG_T_F64, offsetof(struct guard, g.worse), 1, 1000, false},
    CONFIG_END,
};

static const struct config_field watch_fields[] = {
    {"from_ms", CONFIG_T_F64, offsetof(struct life_setup, watch_from_ms), 0, TIME_MAX_MS, true},
    {"width_ms", CONFIG_T_F64, offsetof(struct life_setup, watch_width_ms), 0.001, TIME_MAX_MS,
     true},
    {"windows", CONFIG_T_U32, offsetof(struct life_setup, windows), 1, POLICY_WINDOWS, true},
    CONFIG_END,
};

struct swap {
    double at_ms;
    const struct config *to, *load, *by, *vm, *state;
    bool rollback, unload, quiesce;
};
static const struct config_field swap_fields[] = {
    CONFIG_F64(struct swap, at_ms, 0, TIME_MAX_MS, true),
    CONFIG_ANY(struct swap, to, false),
    CONFIG_ANY(struct swap, load, false),
    CONFIG_ANY(struct swap, by, false),
    CONFIG_ANY(struct swap, vm, false),
    CONFIG_ANY(struct swap, state, false),
    CONFIG_BOOL(struct swap, rollback, false),
    CONFIG_BOOL(struct swap, unload, false),
    CONFIG_BOOL(struct swap, quiesce, false),
    CONFIG_END,
};

enum policy_hook setup_slot_hook(const struct setup *s, unsigned slot)
{
    if (slot == 0)
        return POLICY_HOOKS_N;
    return slot <= POLICY_HOOKS_N ? (enum policy_hook)(slot - 1)
                                  : s->extra_hook[slot - 1 - POLICY_HOOKS_N];
}

/* ---- versions ------------------------------------------------------------------------- */

/* The first version takes the slot of its hook; *version is its number. */
static int add_version(struct setup *s, enum policy_hook hook, const struct config *at,
                       bool standing, uint32_t *version, struct err *e)
{
    struct life_setup *l = &s->life[hook];
    unsigned slot = 1 + hook;
    if (l->n == POLICY_VERSIONS)
        return err_set(e, ERR_ERANGE, "%s: one policy too many, want at most %d at one hook",
                       config_path(at), POLICY_VERSIONS);
    if (l->n && s->n_extra == POLICY_EXTRAS)
        return err_set(e, ERR_ERANGE, "%s: one policy too many, want at most %d besides the first",
                       config_path(at), POLICY_EXTRAS);
    if (l->n) {
        slot = 1 + POLICY_HOOKS_N + s->n_extra;
        s->extra_hook[s->n_extra++] = hook;
    }
    int rc = setup_choice(&s->policy[slot], at, e);
    l->slot[l->n] = slot;
    l->standing[l->n] = standing;
    *version = l->n++;
    return rc;
}

static bool is_label(const struct setup *s, enum policy_hook hook, const char *label, uint32_t *to)
{
    const struct life_setup *l = &s->life[hook];
    for (uint32_t i = 0; i < l->n; i++)
        if (!strcmp(s->policy[l->slot[i]].label, label))
            return *to = i, true;
    return false;
}

static int read_candidates(struct setup *s, enum policy_hook hook, const struct config *list,
                           struct err *e)
{
    uint32_t v;
    if (config_kind(list) != CONFIG_ARRAY || !config_count(list))
        return config_complain(list, e, "an array of policies, the one that begins first");
    for (size_t i = 0; i < config_count(list); i++) {
        const struct config *at = config_at(list, i);
        struct policy_choice c;
        int rc = setup_choice(&c, at, e);
        if (!rc && is_label(s, hook, c.label, &v))
            rc = err_set(e, ERR_ENAME, "%s: \"%s\" is there twice, want another label",
                         config_path(at), c.label);
        if (!rc)
            rc = add_version(s, hook, at, true, &v, e);
        if (rc)
            return rc;
    }
    return 0;
}

/* The label of one that is there, or a policy of its own. */
static int find_version(struct setup *s, enum policy_hook hook, const struct config *at,
                        bool standing, uint32_t *version, struct err *e)
{
    struct policy_choice c;
    int rc = setup_choice(&c, at, e);
    if (rc || (config_kind(at) == CONFIG_STRING && is_label(s, hook, c.label, version)))
        return rc;
    if (is_label(s, hook, c.label, version))
        return err_set(e, ERR_ENAME, "%s: \"%s\" is there twice, want another label",
                       config_path(at), c.label);
    return add_version(s, hook, at, standing, version, e);
}

/* ---- steps ------------------------------------------------------------------------------ */

static int read_what(struct policy_step *step, struct setup *s, enum policy_hook hook,
                     const struct swap *w, const struct config *at, struct err *e)
{
    const int ways = !!w->to + !!w->load + w->rollback + w->unload;
    if (ways != 1)
        return config_complain(at, e, "one of \"to\", \"load\", \"rollback\", \"unload\"");
    step->what = w->to         ? LIFE_REPLACE
                 : w->load     ? LIFE_LOAD
                 : w->rollback ? LIFE_ROLLBACK
                               : LIFE_UNLOAD;
    if (w->to || w->load)
        return find_version(s, hook, w->to ? w->to : w->load, false, &step->to, e);
    return 0;
}

static int read_by(struct policy_step *step, const struct swap *w, const struct config *at,
                   struct err *e)
{
    static const char *const by[] = {"script", "hypercall", NULL};
    static const char *const state[] = {"hand", "drop", NULL};
    int who = LIFE_BY_SCRIPT, drop = !w->quiesce, rc = 0;
    uint64_t vm = POLICY_NONE;
    if (w->by)
        rc = config_choice(w->by, by, &who, e);
    if (!rc && w->vm)
        rc = config_u64(w->vm, 0, POLICY_VMS - 1, &vm, e);
    if (!rc && w->state)
        rc = config_choice(w->state, state, &drop, e);
    if (!rc && who == LIFE_BY_HYPERCALL && !w->vm)
        rc = config_complain(at, e, "\"vm\": a hypercall is of one VM, and about itself");
    if (!rc && !drop && !w->quiesce)
        rc = config_complain(w->state, e, "\"drop\" where nothing is quiesced");
    step->by = (enum life_by)who;
    step->vm = (uint32_t)vm;
    step->quiesce = w->quiesce;
    step->hand = !drop;
    return rc;
}

static int read_step(struct setup *s, enum policy_hook hook, const struct config *at, struct err *e)
{
    struct life_setup *l = &s->life[hook];
    struct swap w = {.quiesce = true};
    if (l->n_step == POLICY_STEPS)
        return err_set(e, ERR_ERANGE, "%s: one step too many, want at most %d", config_path(at),
                       POLICY_STEPS);
    struct policy_step *step = &l->step[l->n_step];
    int rc = config_fill(at, swap_fields, &w, e);
    if (!rc)
        rc = read_what(step, s, hook, &w, at, e);
    if (!rc)
        rc = read_by(step, &w, at, e);
    step->at = (sim_time)(w.at_ms * 1e6);
    if (!rc && l->n_step && step->at < step[-1].at)
        rc =
            config_complain(config_get(at, "at_ms"), e, "a time not before that of the step ahead");
    l->n_step += !rc;
    return rc;
}

/* ---- who answers whom ---------------------------------------------------------------------- */

static int read_per_vm(struct setup *s, enum policy_hook hook, const struct config *list,
                       struct err *e)
{
    struct life_setup *l = &s->life[hook];
    if (config_kind(list) != CONFIG_OBJECT || config_count(list) > POLICY_VERSIONS)
        return config_complain(list, e,
                               "an object of at most %d VMs, by number, and who answers them",
                               POLICY_VERSIONS);
    for (size_t i = 0; i < config_count(list); i++) {
        const struct config *at = config_at(list, i);
        char *end;
        const unsigned long vm = strtoul(config_key(at), &end, 10);
        if (*end || end == config_key(at) || vm >= POLICY_VMS)
            return config_complain(at, e, "the number of a VM as its key, below %d", POLICY_VMS);
        int rc = find_version(s, hook, at, true, &l->per_vm_version[i], e);
        if (rc)
            return rc;
        l->per_vm[i] = (uint32_t)vm;
        l->n_per_vm++;
    }
    return 0;
}

static int read_select(struct setup *s, enum policy_hook hook, const struct section *in,
                       struct err *e)
{
    struct life_setup *l = &s->life[hook];
    if (s->n_extra == POLICY_EXTRAS)
        return err_set(e, ERR_ERANGE, "%s: one policy too many, want at most %d besides the first",
                       config_path(in->select), POLICY_EXTRAS);
    if (l->candidates < 2)
        return config_complain(in->candidates, e, "two candidates or more to select from");
    l->select = 1 + POLICY_HOOKS_N + s->n_extra;
    l->select_ms = in->select_ms;
    s->extra_hook[s->n_extra++] = POLICY_HOOK_POLICY_SELECT;
    return setup_choice(&s->policy[l->select], in->select, e);
}

static int read_guard(struct setup *s, enum policy_hook hook, const struct config *at,
                      struct err *e)
{
    struct guard in = {.g = {.every = 10, .window = 50, .worse = 1.1}};
    const char *label;
    int rc = config_fill(at, guard_fields, &in, e);
    if (!rc)
        rc = config_str(in.baseline, &label, e);
    if (!rc && !is_label(s, hook, label, &in.g.baseline))
        rc = config_complain(in.baseline, e, "the label of a candidate");
    s->life[hook].guard = in.g;
    return rc;
}

static int read_watchers(struct setup *s, enum policy_hook hook, const struct section *in,
                         struct err *e)
{
    int rc = in->per_vm ? read_per_vm(s, hook, in->per_vm, e) : 0;
    if (!rc && in->select)
        rc = read_select(s, hook, in, e);
    if (!rc && in->guard)
        rc = read_guard(s, hook, in->guard, e);
    if (!rc && in->watch)
        rc = config_fill(in->watch, watch_fields, &s->life[hook], e);
    return rc;
}

int setup_life(struct setup *s, enum policy_hook hook, const struct config *at, struct err *e)
{
    struct section in = {.select_ms = 500};
    s->life[hook].at = at;
    int rc = config_fill(at, section_fields, &in, e);
    if (!rc)
        rc = read_candidates(s, hook, in.candidates, e);
    s->life[hook].candidates = s->life[hook].n;
    if (!rc)
        rc = read_watchers(s, hook, &in, e);
    if (!rc && in.swap && config_kind(in.swap) != CONFIG_ARRAY)
        rc = config_complain(in.swap, e, "an array of steps");
    for (size_t i = 0; !rc && in.swap && i < config_count(in.swap); i++)
        rc = read_step(s, hook, config_at(in.swap, i), e);
    return rc;
}

void setup_life_fix(struct setup *s, enum policy_hook hook, uint32_t candidate)
{
    struct life_setup *l = &s->life[hook];
    s->policy[l->select].name = NULL;
    for (uint32_t i = 0; i < l->n; i++)
        if (i != candidate)
            s->policy[l->slot[i]].name = NULL;
    l->slot[0] = l->slot[candidate];
    l->standing[0] = true;
    l->n = 1;
    l->n_step = l->n_per_vm = l->windows = 0;
    l->select = 0;
    l->guard.every = 0;
}
