/* sweep_ranks.h - the processes of one mpirun or srun, when there are several.
 *
 * The program itself knows nothing of MPI: when the environment says that it
 * is one of many, it opens malv-mpi.so beside the executable, which is built
 * only where mpicc is.  Messages are small and never awaited: a rank asks
 * what has come, and goes on.                                               */
#ifndef HARNESS_RUN_SWEEP_RANKS_H
#define HARNESS_RUN_SWEEP_RANKS_H

#include <stddef.h>

#include "sim/err.h"

#define RANKS_SYMBOL "malv_ranks_v1"

/* The table that malv-mpi.so exports under RANKS_SYMBOL. All return 0, or -1 where not said. */
struct ranks_ops {
    int (*open)(unsigned *rank, unsigned *size);
    int (*send)(unsigned to, int tag, const void *data, size_t n);
    /* 1 and a malloc'd message, 0 when there is none, -1. */
    int (*receive)(unsigned *from, int *tag, void **data, size_t *n);
    void (*close)(void); /* every rank must come here */
};

struct ranks {
    const struct ranks_ops *ops; /* NULL: alone */
    void *object;
    unsigned rank, size; /* alone: 0 of 1 */
};

long ranks_expected(void); /* how many processes were started together, says the environment */
int ranks_open(struct ranks *r, struct err *e) MUST_CHECK;
void ranks_close(struct ranks *r);

#endif
