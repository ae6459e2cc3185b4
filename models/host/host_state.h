/* host_state.h - the machine while it runs: tenants, their threads, and what they run on.
 *
 * A thread runs on a seat, a task of models/cpu: a vCPU that the threads of a
 * tenant share, or, on the metal, a task of its own.  What a thread did last
 * is told by `doing`, so that its account can be booked at any moment.  For
 * models/host/ only.                                                         */
#ifndef MODELS_HOST_STATE_H
#define MODELS_HOST_STATE_H

#include "models/cpu/cpus.h"
#include "models/host/disk.h"
#include "models/host/gpu_part.h"
#include "models/host/gpu_queue.h"
#include "models/host/ledger.h"
#include "models/host/legs.h"
#include "models/host/memory.h"
#include "models/host/setup.h"
#include "models/mlaas/mlaas_bill.h"
#include "models/model.h"
#include "models/vm/halt_poll.h"
#include "sim/rng.h"

struct host;
struct tenant;
struct thread;
struct hand;

/* ---- work that a task of the host does for a tenant (hand.c) ------------------ */

struct hand_job {
    struct bill bill;
    sim_fn *done; /* NULL: nobody waits, and the job is freed */
    void *ctx;
    struct cpu_task_times then; /* of the worker's task when the job came */
    struct hand_job *next;
};
struct hand {
    struct host *host;
    struct cpu_task *task;
    struct hand_job *first, **last;
    bool busy;
    uint64_t came, did;
};

/* ---- seats (seat.c) ------------------------------------------------------------- */

enum seat_state { SEAT_RUNS, SEAT_HALTING, SEAT_POLLS, SEAT_HALTED };
struct seat {
    struct tenant *vm;
    struct cpu_task *task;
    struct thread *cur; /* NULL: idle */
    enum seat_state state;
    bool active; /* within a callback of its task, which has no work yet */
    struct halt_poll poll;
    sim_time halted_at, polled, ticked;
    sim_event poll_end;
    struct thread *last; /* who had it last */
    sim_time on_since;
    uint32_t number, track;
};

/* ---- threads (thread.c) ----------------------------------------------------------- */

enum doing { DOING_WAITS, DOING_STRETCH, DOING_WORKER, DOING_GPU, DOING_MEETS, DOING_ENDED };
typedef void thread_fn(struct thread *);

struct thread {
    struct host *host;
    struct tenant *vm;
    const struct crew *crew;
    uint32_t index, in_crew; /* in the tenant, in its crew */
    size_t pc;
    uint64_t left[PROGRAM_DEPTH_MAX]; /* rounds of each open loop */
    uint32_t at[PROGRAM_DEPTH_MAX];   /* where it began */
    unsigned depth;
    uint64_t round; /* of an op that does something `count` times */
    uint64_t work_left;

    struct seat *seat;   /* where it runs or ran last */
    struct thread *next; /* in the one list it is in */
    thread_fn *resume;   /* when it is on a seat again */
    thread_fn *then;     /* after the stretch in progress */

    struct account account, began;
    sim_time began_at;
    enum doing doing;
    enum ledger_category waits_for; /* DOING_WAITS */
    struct account *seen;           /* DOING_MEETS: accounts of all threads of the tenant then */
    bool cutting;
    struct bill bill; /* DOING_STRETCH: what is left of it */
    struct cpu_task_times then_times;
    bool woke;      /* this stretch began with a wake-up of its seat */
    bool signalled; /* an interrupt is on its way to it */
    struct carry carry[LEDGER_N];
    sim_cost owed[LEDGER_N]; /* CPU work that the next stretch begins with */

    const struct legs *legs; /* a path in progress, and the leg of it */
    size_t leg;
    thread_fn *landed; /* when the last one is done */
    struct hand_job job;
    struct disk_io io;
    thread_fn *flown; /* when it is back from a flight; NULL: its next op */
    sim_event timer;

    struct guest_lock *lock; /* waits for it */
    bool parked;
    struct gpu_queue *gpu; /* of the wait or launch in progress */
    uint64_t gpu_until;    /* a part of a GPU: waits until so many have ended, */
    sim_fn *gpu_then;      /* and then, after so long, for this */
    sim_time gpu_after;
    struct thread *gpu_next; /* who waits for the same */

    struct request *batch; /* taken by receive */
    uint64_t batched;
    struct rng draws;
    const double *walks; /* its crew's */
};

/* ---- what threads of a tenant share ------------------------------------------------- */

struct thread_list {
    struct thread *first, **last;
};
struct guest_lock {
    struct thread *holder;
    struct thread_list waiters;
};
struct meeting { /* a queue between threads, or a barrier */
    uint64_t items;
    struct thread_list takers, putters;
};

struct request {
    struct tenant *vm;
    sim_time arrived;
    struct account account;
    size_t leg;
    struct hand_job job;
    struct request *next;
};

struct ahead { /* batches of input that the OS reads before they are asked for (ahead.c) */
    const struct op *op;  /* what a batch is */
    uint64_t ready, left; /* batches that are there; reads of the one under way */
    bool reading;
    struct disk_io *io; /* [op->count] */
    struct hand_job job;
    struct carry carry;
    struct rng draws;
    struct thread_list takers;
    uint64_t batches, waited, most; /* read; takes that waited; at once in memory */
};

/* What tenants do, by the path it takes; and what is counted of its exits. */
#define TENANT_PATHS(X)                                                                            \
    X(syscall)                                                                                     \
    X(read)                                                                                        \
    X(write)                                                                                       \
    X(io_done)                                                                                     \
    X(request_in)                                                                                  \
    X(send)                                                                                        \
    X(page_fault)                                                                                  \
    X(timer)                                                                                       \
    X(ipi)                                                                                         \
    X(ipi_taken)                                                                                   \
    X(launch)                                                                                      \
    X(joined)                                                                                      \
    X(stage)                                                                                       \
    X(ahead)                                                                                       \
    X(copy)                                                                                        \
    X(polled)                                                                                      \
    X(sync)                                                                                        \
    X(sync_done)                                                                                   \
    X(tick)                                                                                        \
    X(halt)
enum tenant_path {
#define X(name) PATH_##name,
    TENANT_PATHS(X)
#undef X
        PATHS_N
};

struct tenant {
    struct host *host;
    const struct vm_setup *set;
    uint32_t number; /* from 1: 0 is the host */
    char name[48];
    const struct workload *work;
    struct seat *seat;
    uint32_t n_seats;
    struct thread *thread;
    uint32_t n_threads, main_left;
    struct thread_list ready;
    struct hand hand;
    struct guest_lock lock[PROGRAM_IDS];
    struct meeting queue[PROGRAM_IDS], barrier[PROGRAM_IDS];
    struct gpu_queue *gpu; /* [gpus] */
    uint32_t gpus;
    struct request *first, **last, *spare; /* requests that wait; free ones */
    struct request_block *blocks;
    struct thread_list receivers;
    struct rng arrivals;
    uint32_t home_node;
    double memory_bound;      /* of its threads, for the scheduler's model */
    double *walks[CREWS_MAX]; /* of each op: page walks per ns of it */
    sim_time tick_ns;
    struct halt_poll_rule poll;
    uint64_t exits[PATHS_N], halts;
    struct ahead ahead;
    uint64_t gathered, mapped;         /* bytes of batches that a core copied; that the OS mapped */
    uint64_t copied, pinned;           /* bytes staged by the process's CPU; by the OS */
    uint64_t arrived, replied, inside; /* requests; inside: on their way in, or waiting */
    uint64_t raised, delivered;        /* interrupts and completions for threads */
    struct ledger ledger;
    struct sketch *latency;
    sim_time started, ended;
    uint64_t steps, warm_steps;
};

struct host {
    const struct model_env *env;
    const struct host_setup *set;
    struct sim *sim;
    struct machine_use use;
    struct mlaas_bill bill; /* of policies that ask networks */
    const struct stack *stack;
    bool vm;                                    /* tenants are VMs */
    struct legs path[PATHS_N], passed[PATHS_N]; /* passed: for tenants with a disk of their own */
    struct cpus_config cpu_config;
    struct cpus *cpus;
    struct ssd_params drive;
    struct ssd *disk; /* NULL: nobody uses it */
    struct memory_costs memory;
    struct halt_poll_rule poll; /* cap: the hypervisor's own */
    double pcie_ps_per_byte;
    sim_cost pin;                   /* a page, there and back */
    bool maps;                      /* the OS maps memory for its guests */
    sim_cost os_read, os_read_wire; /* of a read on the OS's own account: CPU time, and delay */
    uint32_t os_read_exits;         /* a guest's kernel that reads ahead has to leave it */
    sim_time lock_spin;
    sim_time guest_slice; /* how long a thread keeps a vCPU that others wait for */
    uint64_t gpu_depth;
    struct gpu_parts_costs parts;
    struct gpu_shared *shared; /* NULL: nobody has a part of a GPU */
    struct rng starts;
    struct tenant *tenant;
    uint32_t n_tenants, running;
    struct measures *out;
    struct err *e;
    uint64_t os_ns; /* CPU work of kernel, hypervisor and servers that was begun */
    bool failed;    /* out of memory */
    int rc;         /* anything else */
};

/* host_costs.c: opens h->use; native when stack is NULL. */
int host_costs(struct host *h, const char *stack);

/* host.c */
void host_fail(struct host *h);
bool host_warm(const struct host *h); /* past the warm-up: operations count */
void tenant_over(struct tenant *vm);  /* its last thread that counts has ended */

/* thread.c */
bool thread_begin(struct thread *th, struct tenant *vm, const struct crew *crew, uint32_t index,
                  uint32_t in_crew);
void thread_end(struct thread *th);
void thread_step(struct thread *th); /* on its seat: goes on with its program */
void thread_book(struct thread *th); /* its account up to now */
void thread_owe(struct thread *th, enum tenant_path p, uint64_t times); /* what of p is its own */
const struct legs *thread_path(const struct thread *th, enum tenant_path p);
void thread_signal(struct thread *th); /* raises what will wake it; delivered when it runs */
void thread_waits(struct thread *th, enum ledger_category c); /* booked up to now, then c */
void thread_meets(struct thread *th);                         /* booked, then what `met` did */
void thread_met(struct thread *th, struct thread *other);

sim_time thread_draw(struct thread *th, sim_time ns); /* ns, more or less: the jitter */

/* thread_gpu.c */
void gpu_submit(struct thread *th); /* the launch or copy it is at */
void gpu_sync(struct thread *th, const struct op *op);
void gpu_stage(struct thread *th,
               uint64_t bytes); /* into what the GPU can fetch, by whoever does it */

/* ahead.c */
bool ahead_begin(struct tenant *vm);
void ahead_end(struct tenant *vm);
sim_fn ahead_start;
void fetch(struct thread *th, const struct op *op); /* a batch, by whoever reads it */

/* seat.c */
bool seats_begin(struct tenant *vm);
/* th has the seat: runs its bill and what it owes, then next(th). */
void seat_run(struct thread *th, thread_fn *next);
void seat_spin(struct thread *th);                   /* burns its CPU */
void seat_leave(struct thread *th);                  /* blocks; the seat goes on without it */
void seat_ready(struct thread *th, thread_fn *then); /* wakes: then(th) on a seat */
bool seat_idle_for(const struct thread *th);         /* would a seat have to be woken for it? */
bool seat_yield(struct thread *th, thread_fn *then); /* to others that are ready, if any */

/* hand.c */
bool hand_begin(struct hand *w, struct tenant *vm);
void hand_end(struct hand *w);
void hand_submit(struct hand *w, struct hand_job *job);
struct stretch hand_stretch(const struct hand *w, const struct hand_job *job);

/* flight.c: paths that leave the thread. */
void flight_disk(struct thread *th, enum tenant_path p);
void flight_back(struct thread *th, enum tenant_path p); /* an interrupt: p, then on with it */
void flight_post(struct thread *th, enum tenant_path p, uint64_t times); /* and does not wait */

/* meet.c */
void meet_begin(struct tenant *vm);
void meet_start(struct thread *th, const struct op *op);
void list_begin(struct thread_list *l);
void list_push(struct thread_list *l, struct thread *th);
struct thread *list_pop(struct thread_list *l); /* NULL: empty */

/* request.c */
void requests_begin(struct tenant *vm);
void request_receive(struct thread *th);
void requests_done(struct thread *th);
void requests_free(struct tenant *vm);

/* host_report.c */
struct host_result;
void host_result(struct host *h, struct host_result *r);
void host_report(struct host *h, struct measures *out);

#endif
