/* cluster_state.h - the inside of model "cluster", shared by its files only.
 *
 * A row of the trace becomes a job (jobs.c), gets a key from the policy at
 * cluster.order (order.c) and waits in the line of its queue and demand
 * (line.c).  When anything has changed, one pass (pass.c) starts whom the
 * discipline lets start, maybe at the cost of others (push.c).  Keys and passes
 * are work of the scheduler, which does one thing at a time and takes as long as
 * the inference that they ask for (scheduler.c).  A run of a job
 * pays for its restart, works, saves checkpoints, and ends, is preempted or
 * fails (run.c, failures.c).  What GPUs there are is hosts.c's.
 *
 * Jobs live in slots that are used again; memory grows with the jobs alive.  */
#ifndef MODELS_CLUSTER_CLUSTER_STATE_H
#define MODELS_CLUSTER_CLUSTER_STATE_H

#include "models/cluster/cluster_config.h"
#include "models/machine.h"
#include "models/mlaas/desk.h"
#include "models/model.h"
#include "models/policy_life.h"
#include "sim/rng.h"

#define NOBODY UINT32_MAX
/* So many runs in a row stopped without having done anything that lasts: nothing ever will. */
#define CLUSTER_STOPS 100000u

__extension__ typedef unsigned __int128 wide; /* GPU time: ns x milli-GPUs x jobs */

enum job_state { JOB_WAITS, JOB_RUNS };

struct job {
    /* As policies see it; running, ran, service: as of order_look.  id 0: a free slot. */
    struct policy_job seen;
    uint64_t work_ns;  /* on `gpus` GPUs of its own, without restarts */
    uint64_t saved_ns; /* of it, done in earlier runs, and until its speed last changed */
    int64_t key;
    uint64_t predicted_ns; /* for backfill: the policy's, or else seen.predicted_ns; 0: none */
    uint64_t at_service_ns, ask_at; /* when its key is asked for again; 0: never */
    sim_event ask, end;
    bool queued;                        /* for the scheduler to ask about it, */
    struct policy_ticket ticket, asked; /* of that question; of the one that is being answered */
    unsigned why;                       /* because of this */
    bool comes;                         /* into the line, when that is answered */
    uint32_t kind, owner;               /* indices: struct kind, struct owner */
    uint32_t runs;                      /* on full machines: the rule of "hosts" */
    uint32_t place;                     /* in the heap of its kind, or of the running; by state */
    uint32_t sharing; /* in its owner's list of those that follow its share, + 1; 0: no */
    enum job_state state;
    bool started; /* once */
    /* Of the run under way. */
    sim_time began, settled; /* settled: GPU time is accounted for until then */
    uint64_t overhead_ns;    /* of it, before it works */
    uint64_t phase_ns;       /* of the period of work and saving, when its speed last changed */
    uint64_t unsafe_ns;      /* of saved_ns, done until then and not saved */
    uint64_t unsafe_wall_ns; /* the time that this took */
    bool lasted;             /* it has saved since it began */
    uint32_t given;          /* GPUs */
    uint32_t pace_micro;     /* of each GPU's work; 1,000,000: as on its own GPUs */
    uint32_t speed_micro;    /* of all its work: the same, but for who has other GPUs than wanted */
    uint64_t milli;          /* that it holds: given x gpu_milli */
    sim_time first;          /* when it started first */
    struct policy_seat *seat; /* [n_seat]; NULL in a pool */
    struct pace *pace;        /* [n_seat], on full machines: hosts_full.c's */
    uint32_t n_seat;
    uint32_t next; /* free slots */
};

/* Who waits, with one demand in one queue: any of them fits where the first does. */
struct kind {
    uint32_t queue;
    uint32_t gpus, gpus_min, gpus_max, gpu_milli, cpu_milli;
    uint64_t mem_bytes, models;
    uint32_t *slot; /* heap by (key, id) */
    uint32_t n, cap;
    uint32_t barred; /* number of the pass that could not start its first */
    uint32_t next;   /* of its bucket; NOBODY */
};

struct queue {
    uint32_t name;  /* of the group, user or tenant; TRACE_NAME_NONE */
    uint64_t quota; /* milli-GPUs; UINT64_MAX: none */
    uint64_t used;
    uint32_t barred; /* number of the pass in which its first did not fit */
};

struct owner { /* for shares */
    uint32_t user;
    uint64_t used; /* milli-GPUs */
    uint64_t cpu_milli, mem_bytes;
    uint32_t *follows; /* slots that wait with keys that follow the share */
    uint32_t n, cap;
    bool stale;
};

struct counts {
    uint64_t jobs, done, infeasible, unsaid, preempted, failed, failures, passes, asks;
    uint64_t borrowed, backfilled, resized;
    uint64_t stops;                    /* in a row that saved no work: a livelock when too many */
    wide useful, overhead, lost, held; /* milli-GPU x ns, of ended runs */
    wide offered;                      /* of all jobs */
    sim_time first_arrival, last_arrival, last_end;
    double gap2, size1, size2; /* s: sums of squared gaps; of GPU-seconds and their squares */
    double jct, wait, slowdown;
    double jct_max, wait_max;
};

struct hosts; /* what GPUs there are, and whose */

struct cluster {
    struct cluster_config c;
    const struct model_env *env;
    struct policy_slot *order;
    struct measures *out;
    struct err *e;
    struct sim *sim;
    struct hosts *hosts;
    struct machine_use use; /* of the scheduler's machine; zero: there is none */
    struct mlaas_bill bill;
    struct desk *desk;
    struct policy_life *life;    /* who answers at cluster.order */
    struct policy_life *placing; /* who answers at cluster.place, at once */
    struct cores *life_core;     /* where their steps go */
    struct policy_order answer;  /* on its way, or just given */
    unsigned asked_why;
    sim_time asked_at;
    struct rng failing, guessing;

    union trace_row row; /* the one that comes next */
    bool more;
    uint64_t rows;
    sim_time row_at;

    struct job *job;
    uint32_t n_slots, spare; /* of slots: the first free one, NOBODY */
    uint64_t ids;
    uint32_t waiting, running, coming; /* coming: into the line */

    struct kind *kind;
    uint32_t n_kinds, cap_kinds;
    uint32_t *bucket; /* of kinds by hash */
    uint32_t *busy;   /* kinds with anyone waiting */
    uint32_t n_busy;
    struct queue *queue;
    uint32_t n_queues, cap_queues;
    struct owner *owner;
    uint32_t n_owners, cap_owners;
    uint32_t *ran; /* heap of those that run, the worst (key, id) first */
    uint32_t cap_ran;
    uint32_t *scratch; /* [n_slots] */
    struct end *ends;  /* [n_slots], for reservations */

    bool passing;   /* a pass is booked */
    bool ejected;   /* as last seen */
    bool unsettled; /* an owner's share has changed */
    uint32_t pass;  /* its number */
    sim_event failure, beat;

    struct sketch *jct, *wait, *first_wait;
    struct measure_series *s_waiting, *s_busy;
    wide held; /* milli-GPU x ns so far, from levels */
    uint64_t busy_milli, down_milli;
    wide down;
    sim_time busy_since;
    struct counts n;
    int rc;
    bool stuck;
};

struct end {
    sim_time at;
    uint32_t slot;
};

void cluster_fail(struct cluster *s, int rc);
int cluster_no_memory(struct cluster *s); /* fails the run; ERR_ENOMEM */
/* One pass over those who wait, after all that happens at this moment. */
void cluster_wake(struct cluster *s);
/* Up to 8 of a kind are told, all are counted. */
void cluster_complain(struct cluster *s, uint64_t count, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* jobs.c */
int jobs_pull(struct cluster *s); /* books the next row; 1, 0 at the end, negative */
void jobs_free(struct cluster *s);
void jobs_gone(struct cluster *s, uint32_t slot); /* it has ended */

/* order.c */
void order_look(struct cluster *s, struct job *j); /* brings `seen` up to date */
/* The scheduler shall ask for its key: new ones and those that come back are in no line until they
 * have it. */
void order_ask(struct cluster *s, uint32_t slot, unsigned why);
void order_turn(struct cluster *s, uint32_t slot, uint64_t id);     /* asks */
void order_answered(struct cluster *s, uint32_t slot, uint64_t id); /* puts it where it belongs */
void order_book(struct cluster *s, uint32_t slot);                  /* when to ask again */
void order_unfollow(struct cluster *s, struct job *j);
void order_forget(struct cluster *s, struct job *j);
void order_shares(struct cluster *s); /* those whose owners' shares have changed */
void order_ejected(struct cluster *s);
void order_gone(struct cluster *s, struct job *j); /* with a question under way, maybe */
void order_changed(void *ctx, uint32_t vm);        /* another policy answers now */

/* line.c */
int line_kind(struct cluster *s, struct job *j); /* finds or makes kind, queue, owner */
void line_push(struct cluster *s, uint32_t slot);
void line_remove(struct cluster *s, uint32_t slot);
void line_rekey(struct cluster *s, uint32_t slot); /* its key has changed */
void line_rebuild(struct cluster *s);              /* all keys have, also of those that run */
void ran_push(struct cluster *s, uint32_t slot);
void ran_remove(struct cluster *s, uint32_t slot);
void ran_rekey(struct cluster *s, uint32_t slot);
static inline bool line_before(const struct cluster *s, uint32_t a, uint32_t b)
{
    const struct job *x = &s->job[a], *y = &s->job[b];
    return x->key != y->key ? x->key < y->key : x->seen.id < y->seen.id;
}
void line_free(struct cluster *s);

/* pass.c */
void pass_run(struct cluster *s);

/* scheduler.c */
int scheduler_fits(const struct cluster_config *c, const struct machine *machine, const char *stack,
                   struct err *e) MUST_CHECK;
int scheduler_open(struct cluster *s) MUST_CHECK;
void scheduler_close(struct cluster *s);
void scheduler_pass(void *ctx, uint64_t unused); /* an event: a pass, when its turn comes */
void scheduler_report(const struct cluster *s);
int scheduler_failed(const struct cluster *s) MUST_CHECK;
/* From within a pass: who is asked for a place, and that it answered. */
struct policy_slot *scheduler_placer(struct cluster *s, struct policy_ticket *t);
void scheduler_placed(struct cluster *s, struct policy_ticket *t);
/* From within a pass: how long after its beginning what it decides now takes effect. */
static inline sim_time scheduler_late(const struct cluster *s)
{
    return desk_so_far(s->desk);
}

/* push.c: room for a job that does not fit; false: not by anybody with a larger key. */
bool push_room(struct cluster *s, uint32_t slot);
void push_grow(struct cluster *s); /* elastic jobs take what is left */

/* backfill.c: the reservation of the first that does not fit. */
struct shadow {
    uint32_t slot; /* NOBODY: none */
    sim_time at;
    uint64_t extra; /* milli-GPUs free beside it then */
};
void shadow_cast(struct cluster *s, uint32_t slot, struct shadow *sh);
bool shadow_lets(const struct cluster *s, struct shadow *sh, uint32_t slot, bool take);

/* run.c */
bool run_start(struct cluster *s, uint32_t slot); /* false: no room */
enum run_stop { STOP_PREEMPTED, STOP_FAILED };
void run_stop(struct cluster *s, uint32_t slot, enum run_stop how);
/* Goes on with another number of GPUs; false: it got back what it had. */
bool run_resize(struct cluster *s, uint32_t slot, uint32_t given);
void run_speed(struct cluster *s, uint32_t slot, uint32_t micro); /* pace_micro, from now on */
uint64_t run_end(const struct cluster *s, const struct job *j);   /* when it will, as it runs */
uint64_t run_end_with(const struct cluster *s, const struct job *j, uint32_t given); /* resized */
void run_settle(struct cluster *s, struct job *j);
uint64_t run_predicted_end(const struct cluster *s, const struct job *j);
void run_levels(struct cluster *s);

/* failures.c */
void failures_begin(struct cluster *s);

/* hosts.c: what GPUs there are, and whose. */
int hosts_open(struct cluster *s);
void hosts_close(struct cluster *s);
uint64_t hosts_milli(const struct cluster *s); /* of all GPUs, also those down */
uint64_t hosts_down(const struct cluster *s);
uint64_t hosts_free(const struct cluster *s); /* up and idle */
uint64_t hosts_cpu(const struct cluster *s);  /* 0: not counted */
uint64_t hosts_mem(const struct cluster *s);
/* What a row asks for, and runs; negative: it cannot be read. */
int hosts_read(struct cluster *s, const struct trace_job *row, struct job *j);
bool hosts_feasible(const struct cluster *s, const struct job *j); /* on an empty cluster */
bool hosts_fits(const struct cluster *s, const struct job *j);     /* now */
/* Seats for `given` of its GPUs: given, milli and pace_micro are set.  false: no room. */
bool hosts_take(struct cluster *s, uint32_t slot, uint32_t given);
void hosts_give(struct cluster *s, uint32_t slot);
/* To try what would be without it: its seats count as free until it claims them. */
void hosts_lend(struct cluster *s, uint32_t slot);
void hosts_claim(struct cluster *s, uint32_t slot);
/* It worked so long at its present speed. */
void hosts_worked(struct cluster *s, const struct job *j, uint64_t wall);
void hosts_report(struct cluster *s);
/* What fails as one: GPUs of a pool, nodes. */
uint64_t hosts_units(const struct cluster *s);
bool hosts_up(const struct cluster *s, uint64_t unit);
uint32_t hosts_on(const struct cluster *s, uint64_t unit, uint32_t *slot); /* how many run there */
void hosts_break(struct cluster *s, uint64_t unit);                        /* nobody is on it */
void hosts_repair(struct cluster *s, uint64_t unit);

/* report.c */
bool report_begin(struct cluster *s);
void report_levels(struct cluster *s);
void report_done(struct cluster *s, const struct job *j);
void report_end(struct cluster *s);

#endif
