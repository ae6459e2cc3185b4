/* pager.h - who moves data between the GPU and the host's memory, and what that takes.
 *
 * The process submits a copy of every piece that lies together in both places
 * (path copy), into pinned memory of its own; or a kernel of it gathers the
 * pieces in a buffer on the GPU, one copy takes that over, and a core copies
 * it out of pinned memory (launch, copy, complete and host.copy; two buffers
 * take turns).  The OS moves pages: asked for a batch of them (path move, and
 * move_page for each), or by faults of the GPU (gpu_fault, for so many at a
 * time).  It moves whole pages, whatever is beside a piece in them.
 *
 * What the copy engine takes for one piece of a long batch is measured
 * (link.copy, by size): a piece of half the size may take twice the time.  Copies in
 * both directions at once share link.copy_both.                             */
#ifndef MODELS_PAGER_H
#define MODELS_PAGER_H

#include "models/stack.h"

enum pager_way { PAGER_COPIES, PAGER_STAGED, PAGER_ASKED, PAGER_FAULTS };
enum pager_dir { PAGER_IN, PAGER_OUT }; /* to the GPU; to the host */

struct pager_config {
    enum pager_way way;
    uint64_t page;    /* bytes; what the OS moves */
    uint64_t staging; /* bytes of a staging buffer */
};

struct pager {
    struct pager_config c;
    struct stack_cost copy, launch, complete, move, move_page, fault;
    const struct machine_cost *piece; /* link.copy */
    double both_ps;                   /* a byte, both directions together */
    double core_ps, gather_ps;        /* a byte copied by a core; gathered on the GPU */
    double channel_ps;                /* a byte to where the GPU is; 0: it is here */
    uint64_t faults;                  /* in a batch */
};

/* What some moves take together; starts as 0. */
struct pager_work {
    sim_cost cpu;       /* of who asks: he waits for it */
    sim_cost stall;     /* the GPU waits for faults to be served */
    sim_cost link[2];   /* pager_dir: the copy engine is busy */
    uint64_t bytes[2];  /* over the link */
    uint64_t copied;    /* bytes that a core copied */
    uint64_t commands;  /* copies submitted */
    uint64_t asked;     /* crossings into whoever moves: copies, calls, faults */
    uint64_t crossings; /* of all lists */
    sim_cost os;        /* CPU time that is not the process's own, of cpu and stall */
};

/* Looks up what the way needs of the profile. */
int pager_open(struct pager *p, const struct pager_config *c, const struct stack *s,
               struct machine_use *u, struct err *e) MUST_CHECK;
/* n pieces of so many bytes each go this way, as one batch. */
void pager_move(const struct pager *p, enum pager_dir dir, uint64_t n, uint64_t bytes,
                struct pager_work *w);
/* How long the copies take beyond the CPU time, which runs beside them; and stalls. */
sim_cost pager_wait(const struct pager *p, const struct pager_work *w);
/* The same where the GPU computes in `layers` equal parts meanwhile, each of which needs its part
 * of what comes: all of it together takes so long. */
sim_cost pager_beside(sim_cost wait, sim_cost compute, uint64_t layers);
void pager_sum(struct pager_work *to, const struct pager_work *w);

#endif
