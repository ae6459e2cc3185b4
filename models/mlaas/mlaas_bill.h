/* mlaas_bill.h - what inferences cost where a model asks in the middle of a step
 * of its own and goes on when it has the answer: no queues, no company.
 *
 * The service (mlaas.h) makes batches of what comes within a window and runs
 * them on simulated cores; a model without cores of that kind, or whose asker
 * is itself on a CPU and waits there, takes the bill and charges it to whom it
 * keeps waiting.  Mode "wait": all of it.  "async": the work is counted, but
 * somebody else's; the decision is there at once.  "free": nothing.  Places
 * are those of the service, for a batch that meets nobody: no back-off.
 *
 * What policies keep in the feature store the asker pays for.  A model that says
 * what time it is (mlaas_bill_clock) also prices training: a thread with a core of
 * its own does the operations, infer.train each, one piece after the other, and
 * what was learned is there when it is done.                                 */
#ifndef MODELS_MLAAS_MLAAS_BILL_H
#define MODELS_MLAAS_MLAAS_BILL_H

#include "models/mlaas/mlaas.h"

#define MLAAS_BILL_NETS 8 /* that one run asks; a ninth is an error */

struct mlaas_bill {
    const struct mlaas_config *c;
    const struct stack *stack;
    struct machine_use *use;
    const struct model_infer *infer; /* NULL: no policy can ask */
    struct mlaas_ways ways;
    bool has_ways;
    struct mlaas_bill_net {
        int model;
        const struct mlaas_tuning *tuning;
        struct mlaas_net_cost cost;
        uint32_t crossover;
    } net[MLAAS_BILL_NETS];
    uint32_t n_nets;
    sim_cost waits; /* of the hook in progress */
    uint64_t calls, rows;
    sim_cost cpu_ps, gpu_ps, waited_ps; /* totals */
    struct mlaas_bill_store {
        bool known;
        sim_cost put, commit, row;
        uint64_t puts, commits, rows;
    } store;
    struct mlaas_bill_training {
        bool known;
        sim_cost operation; /* infer.train */
        sim_time now, done; /* the model's clock; when the thread has done its last piece */
        uint64_t pieces, refused, flops;
        sim_cost cpu_ps;
    } training;
    struct err why; /* why a call could not be priced */
    int rc;
};

/* "infer": {...} of a model that takes the bill (NULL: the defaults): place, mode, gpu_rows,
 * submit, and "models" with the first and third of these.  What is about batches, queues and memory
 * is refused. */
int mlaas_bill_config(struct mlaas_config *c, const struct config *section,
                      struct err *e) MUST_CHECK;
/* For models that may do without a machine: an answer that is charged for (a section, mode not
 * "free") needs one, and a machine that is there must have its price.  model: its name. */
int mlaas_bill_fits(const struct mlaas_config *c, const struct config *section, const char *model,
                    const struct machine *machine, const char *stack, struct err *e) MUST_CHECK;

/* Listens to the tap until it is closed.  c is borrowed.  use NULL: the model has no costs. */
int mlaas_bill_open(struct mlaas_bill *b, const struct mlaas_config *c, const char *stack,
                    struct machine_use *use, const struct model_infer *infer,
                    struct err *e) MUST_CHECK;
void mlaas_bill_close(struct mlaas_bill *b);

/* The model has a clock, and it is at `now`: from the first call on networks may be trained. */
void mlaas_bill_clock(struct mlaas_bill *b, sim_time now);

/* Around a hook: what its inferences keep the asker waiting for, in ps. */
static inline void mlaas_bill_begin(struct mlaas_bill *b)
{
    b->waits = 0;
}
static inline sim_cost mlaas_bill_end(const struct mlaas_bill *b)
{
    return b->waits;
}

/* Nor does it go on before so many ns from the beginning of the hook, for another reason. */
static inline void mlaas_bill_wait(struct mlaas_bill *b, sim_time ns)
{
    b->waits = b->waits > ns * 1000 ? b->waits : ns * 1000;
}

/* Fails when a policy asked for what this machine has no price of. */
int mlaas_bill_check(const struct mlaas_bill *b, struct err *e) MUST_CHECK;
void mlaas_bill_report(const struct mlaas_bill *b,
                       struct measures *out); /* if any were asked for */

#endif
