/* policy_exercise_cpu.c - a few CPUs whose tasks wake up, run, block, and move. */
#include "harness/policy/policy_exercise.h"

#define TASKS 24
#define CPUS  4

struct cpus {
    struct exercise *x;
    uint32_t cpus, tasks;
    uint32_t running[CPUS]; /* task, or POLICY_NONE */
    uint64_t since[CPUS];   /* when it was put there */
    bool ready[TASKS];
    struct policy_task task[TASKS]; /* .cpu: on whose queue it is */
    uint32_t failed;
};

static struct policy_cpu the_cpu(const struct cpus *w, uint32_t cpu)
{
    return (struct policy_cpu){w->x->now_ns, cpu, cpu / 2, w->cpus, (w->cpus + 1) / 2};
}

static void make_tasks(struct cpus *w)
{
    static const uint32_t weight[] = {1, 15, 1024, 1024, 1024, 88761};
    for (uint32_t i = 0; i < w->tasks; i++) {
        struct policy_task *t = &w->task[i];
        *t = (struct policy_task){.id = i * 7, .cpu = exercise_below(w->x, w->cpus)};
        t->vm = i / 4;
        t->weight = weight[exercise_below(w->x, 6)];
        t->prio = i % 5 == 0 ? (int32_t)exercise_below(w->x, 100) - 10 : 0;
        t->gang = i % 3 == 0 ? i / 6 : POLICY_NONE;
        if (i % 6 == 0) {
            t->budget_ns = 2000000;
            t->period_ns = 10000000;
        }
    }
}

/* The running task's clock goes on to now. */
static void account(struct cpus *w, uint32_t cpu)
{
    if (w->running[cpu] == POLICY_NONE)
        return;
    struct policy_task *t = &w->task[w->running[cpu]];
    uint64_t passed = w->x->now_ns - w->since[cpu];
    t->ran_ns += passed;
    t->on_ns += passed;
    w->since[cpu] = w->x->now_ns;
}

static void put_on(struct cpus *w, uint32_t cpu, uint32_t task)
{
    if (w->running[cpu] == task)
        return;
    if (w->running[cpu] != POLICY_NONE)
        w->task[w->running[cpu]].on_ns = 0;
    w->running[cpu] = task;
    w->since[cpu] = w->x->now_ns;
}

/* Until it blocks; some spin. */
static uint64_t left(const struct cpus *w, uint32_t i)
{
    if (i % 7 == 0 || !policy_slot_oracle(w->x->slot))
        return 0;
    return 10000 + w->x->now_ns % 1000000 * (i + 1);
}

static void ask(struct cpus *w, uint32_t cpu, enum policy_why why, uint32_t woken)
{
    struct policy_task seen[TASKS];
    uint32_t which[TASKS];
    struct policy_pick_obs o = {.at = the_cpu(w, cpu), .why = why, .task = seen};
    struct policy_pick a;
    o.current = o.woken = POLICY_NONE;
    for (uint32_t i = 0; i < w->tasks; i++) {
        if (!w->ready[i] || w->task[i].cpu != cpu)
            continue;
        o.current = i == w->running[cpu] ? o.n : o.current;
        o.woken = i == woken ? o.n : o.woken;
        which[o.n] = i;
        seen[o.n] = w->task[i];
        seen[o.n++].oracle_left_ns = left(w, i);
    }
    if (!o.n)
        return;
    policy_slot_pick(w->x->slot, &o, &a);
    exercise_answer(w->x, a.task);
    exercise_answer(w->x, (int64_t)a.slice_ns);
    put_on(w, cpu, which[a.task]);
}

static void block(struct cpus *w, uint32_t cpu)
{
    uint32_t t = w->running[cpu];
    if (t == POLICY_NONE)
        return;
    w->ready[t] = false;
    w->task[t].on_ns = 0;
    w->running[cpu] = POLICY_NONE;
    ask(w, cpu, POLICY_BLOCKED, POLICY_NONE);
}

static void wake(struct cpus *w, uint32_t t)
{
    struct policy_task *task = &w->task[t];
    if (w->ready[t])
        return;
    w->ready[t] = true;
    task->ready_ns = w->x->now_ns;
    task->deadline_ns = task->period_ns ? w->x->now_ns + task->period_ns : 0;
    ask(w, task->cpu, POLICY_WOKE, t);
}

static void load_of(const struct cpus *w, uint32_t cpu, uint32_t *len, uint64_t *load)
{
    *len = 0;
    *load = 0;
    for (uint32_t i = 0; i < w->tasks; i++)
        if (w->ready[i] && w->task[i].cpu == cpu) {
            *load += w->task[i].weight;
            ++*len;
        }
}

static uint64_t left_of(const struct cpus *w, uint32_t cpu)
{
    uint64_t ns = 0;
    for (uint32_t i = 0; i < w->tasks; i++)
        ns += w->ready[i] && w->task[i].cpu == cpu ? left(w, i) : 0;
    return ns;
}

static void balance(struct cpus *w, uint32_t dst)
{
    uint32_t t = exercise_below(w->x, w->tasks), src = w->task[t].cpu;
    if (!w->ready[t] || src == dst || w->running[src] == t)
        return;
    struct policy_balance_obs o = {
        .task = w->task[t], .src = the_cpu(w, src), .dst = the_cpu(w, dst)};
    load_of(w, src, &o.src_len, &o.src_load);
    load_of(w, dst, &o.dst_len, &o.dst_load);
    o.dst_idle =
        w->running[dst] != POLICY_NONE ? POLICY_BUSY : POLICY_IDLE + exercise_below(w->x, 2);
    o.since_ran_ns = w->x->now_ns - w->task[t].ready_ns;
    o.home_node = rng_below(&w->x->r, 3) ? src / 2 : POLICY_NONE;
    o.failed = w->failed;
    o.task.oracle_left_ns = left(w, t);
    o.oracle_src_ns = left_of(w, src);
    o.oracle_dst_ns = left_of(w, dst);
    int move = policy_slot_balance(w->x->slot, &o);
    exercise_answer(w->x, move);
    w->failed = move == POLICY_MIGRATE ? 0 : w->failed + 1;
    if (move != POLICY_MIGRATE)
        return;
    w->task[t].cpu = dst;
    ask(w, dst, POLICY_WOKE, t);
}

void exercise_cpu(struct exercise *x, uint32_t steps)
{
    struct cpus w = {.x = x, .cpus = x->small ? 1 : CPUS, .tasks = x->small ? 2 : TASKS};
    make_tasks(&w);
    for (uint32_t i = 0; i < w.cpus; i++)
        w.running[i] = POLICY_NONE;
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t cpu = exercise_below(x, w.cpus);
        exercise_wait(x, 6000000);
        for (uint32_t c = 0; c < w.cpus; c++)
            account(&w, c);
        switch (exercise_below(x, 4)) {
        case 0:
            block(&w, cpu);
            break;
        case 1:
            ask(&w, cpu, POLICY_SLICE_END, POLICY_NONE);
            break;
        default:
            wake(&w, exercise_below(x, w.tasks));
        }
        balance(&w, cpu);
    }
}
