#include "models/host/legs.h"

#include <string.h>

/* Who goes on with this crossing, when it was `before` who made the last one. */
static enum leg_who who_of(const struct stack_crossing *c, bool vm, enum leg_who before)
{
    if (!vm || c->where == WHERE_GUEST_CPU)
        return LEG_SELF;
    if (c->kind == KIND_exit || c->kind == KIND_user_exit)
        return LEG_SELF;
    if (c->kind == KIND_irq || c->kind == KIND_copy || !strcmp(c->cost, "cost.notify"))
        return LEG_WORKER;
    return before;
}

static enum ledger_category category_of(const struct stack_crossing *c, bool vm, enum leg_who who)
{
    if (c->kind == KIND_ipc)
        return LEDGER_ipc;
    if (c->kind == KIND_exit || c->kind == KIND_user_exit)
        return LEDGER_exit;
    if (vm && c->where == WHERE_HOST_CPU)
        return who == LEG_SELF ? LEDGER_exit : LEDGER_host;
    if (c->kind == KIND_irq)
        return LEDGER_wake;
    if (c->kind == KIND_copy)
        return LEDGER_copy;
    return stack_own_work(c) ? LEDGER_compute : LEDGER_kernel;
}

static int add(struct legs *l, enum leg_who who, enum ledger_category c, sim_cost ps, bool exit,
               struct err *e)
{
    if (!l->n || l->leg[l->n - 1].who != who) {
        if (l->n == LEGS_MAX)
            return err_set(e, ERR_ERANGE, "a path changes hands more than %d times", LEGS_MAX);
        l->leg[l->n++] = (struct leg){.who = who};
    }
    l->leg[l->n - 1].ps[c] += ps;
    l->leg[l->n - 1].exits += exit;
    return 0;
}

static bool splits(const struct stack_path *p, size_t i)
{
    bool gpu = false;
    for (size_t k = 0; k < p->n; k++)
        gpu = gpu || !p->crossing[k].cost;
    return gpu ? !p->crossing[i].cost : p->crossing[i].kind == KIND_irq;
}

static int add_crossing(struct legs *l, const struct legs_of *of, const struct stack_crossing *c,
                        enum leg_who *cpu, struct machine_use *use, struct err *e)
{
    sim_cost ps = 0;
    int rc = machine_ps(use, c->cost, &ps, e);
    if (rc)
        return rc;
    if (c->where == WHERE_WIRE)
        return add(l, LEG_WIRE, of->device, ps, false, e);
    *cpu = who_of(c, of->vm, *cpu);
    return add(l, *cpu, category_of(c, of->vm, *cpu), ps, c->kind == KIND_exit, e);
}

int legs_read(struct legs *l, const struct legs_of *of, struct machine_use *use, struct err *e)
{
    const struct stack_path *p = of->path;
    enum leg_who cpu = LEG_SELF;
    bool after = false;
    int rc = 0;
    *l = (struct legs){0};
    for (size_t i = 0; !rc && p->exists && i < p->n; i++) {
        const struct stack_crossing *c = &p->crossing[i];
        after = after || splits(p, i);
        if (of->part == (after ? LEGS_BEFORE : LEGS_AFTER) || c->where == WHERE_GPU)
            continue;
        if (c->kind == KIND_wake && c->where == WHERE_WIRE)
            cpu = of->vm ? LEG_WORKER : LEG_SELF;
        else
            rc = add_crossing(l, of, c, &cpu, use, e);
    }
    return rc;
}

uint32_t legs_exits(const struct legs *l)
{
    uint32_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += l->leg[i].exits;
    return n;
}

sim_cost leg_total(const struct leg *l)
{
    sim_cost sum = 0;
    for (int c = 0; c < LEDGER_N; c++)
        sum += l->ps[c];
    return sum;
}

void legs_self(const struct legs *l, sim_cost ps[LEDGER_N], uint64_t times)
{
    for (size_t i = 0; i < l->n && l->leg[i].who != LEG_WORKER; i++)
        for (int c = 0; l->leg[i].who == LEG_SELF && c < LEDGER_N; c++)
            ps[c] += l->leg[i].ps[c] * times;
}

sim_cost legs_wire(const struct legs *l)
{
    sim_cost sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += l->leg[i].who == LEG_WIRE ? leg_total(&l->leg[i]) : 0;
    return sum;
}
