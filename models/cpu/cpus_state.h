/* cpus_state.h - what pCPUs and tasks are made of; for models/cpu/ only.
 *
 * Callers may call anything from within a callback.  So a call changes the
 * task, puts the CPUs it concerns on the list of those to look at again, and
 * cpus_settle works through that list - unless it is already doing so.      */
#ifndef MODELS_CPU_CPUS_STATE_H
#define MODELS_CPU_CPUS_STATE_H

#include "models/cpu/cpus.h"

#define SPEED_ONE   UINT32_C(65536) /* progress per ns of CPU at full speed */
#define CACHE_LINES INT64_C(65536)  /* a core's caches, full */

enum task_wants { WANTS_NOTHING, WANTS_WORK, WANTS_SPIN };
enum task_state { TASK_ASLEEP, TASK_READY, TASK_ON, TASK_THROTTLED, TASK_ENDED };

struct cpu;

struct cpu_task {
    struct cpus *c;
    struct cpu_task_spec spec;
    uint32_t id;
    enum task_wants wants;
    enum task_state state;
    bool ending;
    struct cpu *cpu;              /* in whose queue it is; else where it last was, or NULL */
    struct cpu *ran_on;           /* whose caches it knows; NULL: never ran */
    struct cpu_task *next, *prev; /* the queue, in order of id */

    unsigned __int128 left; /* of the work, in progress units (SPEED_ONE a ns) */
    uint64_t surplus;       /* progress beyond the end of the last work */
    uint32_t remote_speed;  /* away from its memory */
    sim_fn *done, *moved;
    void *ctx, *moved_ctx;
    uint64_t arg;

    int64_t lines, missing; /* its footprint; what of it was not yet refilled when it left */
    struct cpu_task *newer, *older; /* in its core's `recent` */

    sim_time budget_left, deadline;
    sim_event refill;

    sim_time born, ended, since;          /* since: in this state, up to where it is counted */
    sim_time ready_at, left_at, ran_then; /* ran_then: when it was put on */
    bool woke;                            /* and did not run since */
    sim_cost wake_cost;
    struct cpu_task_times n; /* age is filled on demand */
};

struct core {
    uint32_t busy;           /* threads with a task */
    struct cpu_task *recent; /* who last ran there, the latest first; each task in one list */
};

struct cpu {
    struct cpus *c;
    struct core *core;
    uint32_t id, node;
    struct cpu_task *first; /* runnable ones, cur among them */
    uint32_t n;
    uint64_t load;         /* their weights */
    struct cpu_task *cur;  /* on the CPU */
    struct cpu_task *last; /* the last one that was */
    struct cpu_task *woken;
    sim_time since;                /* counted up to here */
    sim_time cold_from, work_from; /* of cur: switching, then refilling caches, then work */
    sim_time slice_left;
    uint32_t speed; /* 0: idle, and its core does not count it as busy */
    struct carry carry;
    sim_event timer;
    sim_time timer_at;
    bool listed;
    struct cpu *next_listed;
    uint32_t failed;     /* balancing attempts in a row that moved nothing */
    sim_time asks_until; /* idle, it thinks about whom to pull */
    sim_cost owed; /* what picking took, and the same of one that runs: paid at its next switch */
    uint64_t work, spin, overhead, idle;
};

struct cpus {
    struct cpus_config cfg;
    struct cpus_env env;
    struct cpu *cpu;
    struct core *core;
    uint32_t n, nodes, *idle; /* idle: queues without a task, per node */
    struct cpu_task **task;
    size_t n_tasks, cap_tasks;
    struct policy_task *obs; /* [cap_tasks] */
    uint32_t waiting;        /* runnable, not on a CPU */
    struct cpu *here;        /* whose task's callback runs */
    struct cpu *list, **list_end;
    bool settling;
    sim_event balance;
    sim_time began;
    struct cpus_totals n_total; /* switches, wakeups, .. */
};

static inline bool cpu_allows(const struct cpu *cpu, const struct cpu_task *t)
{
    return !t->spec.n_cpus || cpu->id - t->spec.first_cpu < t->spec.n_cpus;
}

/* Who answers now. */
static inline const struct policy_slot *cpus_asked(const struct policy_slot *alone,
                                                   const struct policy_life *life)
{
    return life ? policy_life_slot(life, 0) : alone;
}

/* cpus.c */
void cpus_settle(struct cpus *c);
void cpu_look(struct cpu *cpu);   /* puts it on the list */
void cpu_charge(struct cpu *cpu); /* counts up to now */
void cpu_arm(struct cpu *cpu);    /* the timer for what happens next by itself */

/* cpus_queue.c */
void queue_add(struct cpu *cpu, struct cpu_task *t);
void queue_remove(struct cpu_task *t);
void task_state(struct cpu_task *t, enum task_state state); /* ends the old one's count */
void cpu_observe(const struct cpu *cpu, struct policy_cpu *o);
void cpu_observe_task(const struct cpu *cpu, const struct cpu_task *t, struct policy_task *o);
uint64_t cpu_task_left(const struct cpu_task *t);    /* ns of its work at full speed; 0: it spins */
void cpu_pick(struct cpu *cpu, enum policy_why why); /* n >= 1; runs the answer */
void cpu_run_idle(struct cpu *cpu);                  /* nothing to run */
void cpu_stop_current(struct cpu *cpu, enum task_state to);

/* cpus_place.c: where a task that wakes goes. */
struct cpu *cpus_place(struct cpus *c, const struct cpu_task *t);

/* cpus_cost.c */
void cpu_speeds(struct cpu *cpu);                         /* of all threads of its core */
void cpu_enter_cost(struct cpu *cpu, struct cpu_task *t); /* sets cold_from, work_from */
void cpu_leave_cost(struct cpu *cpu, struct cpu_task *t); /* what it leaves in the caches */
/* Until a task that waits would block there, ns: as struct policy_balance_obs says. */
uint64_t cpu_foresee(struct cpu *cpu, const struct cpu_task *t);

/* cpus_balance.c */
bool cpu_pull(struct cpu *dst);          /* newly idle: true if a task came */
void cpus_balance_later(struct cpus *c); /* while tasks wait */

/* cpus_budget.c: scheduling contexts.  Hard constant bandwidth server. */
bool task_may_run(struct cpu_task *t); /* it wakes; false: throttled, comes back by itself */
void task_throttle(struct cpu_task *t);
void task_wake(struct cpu_task *t); /* cpu_task.c: into a queue */

#endif
