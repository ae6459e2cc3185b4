#include "models/cpu/lock.h"

#include <assert.h>

void lock_init(struct lock *l, struct sim *sim, const struct lock_config *cfg)
{
    *l = (struct lock){.cfg = *cfg, .sim = sim, .last_cpu = POLICY_NONE};
}

sim_time lock_owed(struct lock_user *u)
{
    sim_time ns = carry_ns(&u->carry, u->owed);
    u->owed = 0;
    return ns;
}

static bool sleeps(const struct lock *l)
{
    return l->cfg.kind == LOCK_RWSEM || l->cfg.kind == LOCK_SLEEP;
}

static void append(struct lock_user **list, struct lock_user *u)
{
    while (*list)
        list = &(*list)->next;
    *list = u;
    u->next = NULL;
}

static void unlink_from(struct lock_user **list, struct lock_user *u)
{
    while (*list != u)
        list = &(*list)->next;
    *list = u->next;
    u->next = NULL;
}

static uint32_t running_spinners(const struct lock *l)
{
    uint32_t n = 0;
    for (const struct lock_user *u = l->spinners; u; u = u->next)
        n += u->state == LOCK_SPINS && cpu_task_on_cpu(u->task);
    return n;
}

static void rest(struct lock *l, struct lock_user *u)
{
    sim_cancel(l->sim, u->tired);
    u->tired = 0;
    u->impatient = false;
}

/* It is out of every list. */
static void take(struct lock *l, struct lock_user *u)
{
    uint32_t cpu = cpu_task_cpu(u->task);
    assert(!l->owner);
    if (l->last_cpu != POLICY_NONE && l->last_cpu != cpu)
        u->owed += l->cfg.handover * (l->cfg.kind == LOCK_TICKET ? 1 + running_spinners(l) : 1);
    l->owner = u;
    l->last_cpu = cpu;
    l->handoff = l->handoff == u ? NULL : l->handoff;
    l->taken++;
    rest(l, u);
    u->owns = l;
    u->lock = NULL;
    u->state = LOCK_OUTSIDE;
    u->got(u->ctx, u->arg);
}

static bool may_take(const struct lock *l, const struct lock_user *u)
{
    return !l->owner && (!l->handoff || l->handoff == u);
}

/* ---- sleeping ---- */

static void blocked(void *ctx, uint64_t woken)
{
    struct lock_user *u = ctx;
    struct lock *l = u->lock;
    if (may_take(l, u)) {
        unlink_from(&l->sleepers, u);
        take(l, u);
        return;
    }
    if (woken && l->cfg.handoff_after && !l->handoff && l->sleepers == u &&
        sim_now(l->sim) - u->since >= l->cfg.handoff_after)
        l->handoff = u;
    u->state = LOCK_ASLEEP; /* the task has nothing to do and blocks */
}

static void go_to_sleep(struct lock *l, struct lock_user *u)
{
    rest(l, u);
    u->state = LOCK_BLOCKING;
    u->since = sim_now(l->sim);
    u->owed += l->cfg.block;
    append(&l->sleepers, u);
    l->slept++;
    cpu_task_run(u->task, lock_owed(u), blocked, u, 0);
}

static void wake_first(struct lock *l, struct lock_user *waker)
{
    struct lock_user *u = l->sleepers;
    if (!u || u->state != LOCK_ASLEEP)
        return;
    waker->owed += l->cfg.wake;
    u->state = LOCK_WAKING;
    cpu_task_run(u->task, 0, blocked, u, 1);
}

/* ---- spinning ---- */

static bool runs(const struct lock_user *u)
{
    return u->state == LOCK_SPINS && cpu_task_on_cpu(u->task);
}

/* With the hint: those who wait for one that does not run stop: the first for the owner, the
 * others for who is before them. */
static void give_up(struct lock *l)
{
    const struct lock_user *before = l->owner;
    if (!l->cfg.hint)
        return;
    for (struct lock_user *u = l->spinners, *next; u; u = next) {
        next = u->next;
        if (!runs(u) || !before || cpu_task_on_cpu(before->task)) {
            before = u;
            continue;
        }
        if (sleeps(l)) { /* it leaves the queue: the next one waits for who was before it */
            unlink_from(&l->spinners, u);
            go_to_sleep(l, u);
        } else {
            u->state = LOCK_HALTED;
            cpu_task_stop(u->task);
            before = u;
        }
    }
}

static void stop_waiting(struct lock *l, struct lock_user *u)
{
    unlink_from(&l->spinners, u);
    go_to_sleep(l, u);
    give_up(l);
}

static void tired(void *ctx, uint64_t unused)
{
    (void)unused;
    struct lock_user *u = ctx;
    struct lock *l = u->lock;
    u->tired = 0;
    if (sleeps(l)) {
        u->impatient = true;
        if (runs(u))
            stop_waiting(l, u);
        return;
    }
    if (!runs(u))
        return;
    l->yields++;
    u->tired = sim_after(l->sim, l->cfg.ple_window, 0, tired, u, 0);
    if (l->cfg.boost)
        boost_spins(l->cfg.boost, &u->vcpu);
    else
        cpu_task_yield(u->task);
}

static void spin(struct lock *l, struct lock_user *u)
{
    sim_time limit = sleeps(l) ? l->cfg.patience : l->cfg.ple_window;
    u->state = LOCK_SPINS;
    append(&l->spinners, u);
    if (limit)
        u->tired = sim_after(l->sim, limit, 0, tired, u, 0);
    cpu_task_spin(u->task);
    give_up(l);
}

/* The first spinner of a free lock: spin locks are its own whether it runs or not; of the others
 * it must see that it is free. */
static void next_spinner(struct lock *l, struct lock_user *waker)
{
    struct lock_user *u = l->spinners;
    if (!u || l->owner || (sleeps(l) && (!runs(u) || !may_take(l, u))))
        return;
    if (u->state == LOCK_HALTED && waker)
        waker->owed += l->cfg.wake;
    unlink_from(&l->spinners, u);
    take(l, u);
    give_up(l);
}

/* ---- the two sides ---- */

void lock_acquire(struct lock *l, struct lock_user *u, sim_fn *got, void *ctx, uint64_t arg)
{
    assert(!u->lock && !u->owns && "one lock at a time");
    u->lock = l;
    u->got = got;
    u->ctx = ctx;
    u->arg = arg;
    if (may_take(l, u) && (!l->spinners || (sleeps(l) && !l->sleepers))) {
        take(l, u);
        return;
    }
    l->contended++;
    if (l->cfg.kind == LOCK_SLEEP)
        go_to_sleep(l, u);
    else
        spin(l, u);
}

void lock_release(struct lock_user *u)
{
    struct lock *l = u->owns;
    assert(l && l->owner == u);
    l->owner = NULL;
    u->owns = NULL;
    if (l->handoff && l->handoff->state == LOCK_ASLEEP) {
        struct lock_user *first = l->handoff;
        u->owed += l->cfg.wake;
        unlink_from(&l->sleepers, first);
        take(l, first); /* it wakes as the owner */
        give_up(l);
        return;
    }
    next_spinner(l, u);
    wake_first(l, u);
}

/* Back on a CPU, it is as patient as at first. */
static void spins_again(struct lock_user *u)
{
    struct lock *l = u->lock;
    if (!sleeps(l) && l->cfg.ple_window && !u->tired)
        u->tired = sim_after(l->sim, l->cfg.ple_window, 0, tired, u, 0);
}

static void moved(void *ctx, uint64_t on)
{
    struct lock_user *u = ctx;
    if (on)
        boost_runs(&u->vcpu);
    if (u->lock && on && u->state == LOCK_SPINS)
        next_spinner(u->lock, NULL);
    if (u->lock && on && u->state == LOCK_SPINS && u->impatient)
        stop_waiting(u->lock, u);
    if (u->lock && on && u->state == LOCK_SPINS)
        spins_again(u);
    struct lock *l = u->lock ? u->lock : u->owns;
    if (l && (u->owns || u->state == LOCK_SPINS))
        give_up(l);
}

void lock_user_init(struct lock_user *u, struct cpu_task *task)
{
    *u = (struct lock_user){.task = task, .vcpu.task = task};
    cpu_task_watch(task, moved, u);
}

void lock_user_end(struct lock_user *u)
{
    struct lock *l = u->lock ? u->lock : u->owns;
    cpu_task_watch(u->task, NULL, NULL);
    if (l)
        rest(l, u);
}
