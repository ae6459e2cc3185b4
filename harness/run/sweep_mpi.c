/* sweep_mpi.c - ranks over MPI: built to malv-mpi.so where mpicc is, opened at run time. */
#include <mpi.h>

#include <limits.h>
#include <stdlib.h>

#include "harness/run/sweep_ranks.h"

static int mpi_open(unsigned *rank, unsigned *size)
{
    int r, n;
    if (MPI_Init(NULL, NULL) || MPI_Comm_rank(MPI_COMM_WORLD, &r) ||
        MPI_Comm_size(MPI_COMM_WORLD, &n))
        return -1;
    *rank = (unsigned)r;
    *size = (unsigned)n;
    return 0;
}

static int mpi_send(unsigned to, int tag, const void *data, size_t n)
{
    if (n > INT_MAX)
        return -1;
    return MPI_Send(data, (int)n, MPI_BYTE, (int)to, tag, MPI_COMM_WORLD) ? -1 : 0;
}

static int mpi_receive(unsigned *from, int *tag, void **data, size_t *n)
{
    int there, bytes;
    MPI_Status s;
    if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &s))
        return -1;
    if (!there)
        return 0;
    if (MPI_Get_count(&s, MPI_BYTE, &bytes) || !(*data = malloc(bytes ? (size_t)bytes : 1)))
        return -1;
    if (MPI_Recv(*data, bytes, MPI_BYTE, s.MPI_SOURCE, s.MPI_TAG, MPI_COMM_WORLD, &s)) {
        free(*data);
        return -1;
    }
    *from = (unsigned)s.MPI_SOURCE;
    *tag = s.MPI_TAG;
    *n = (size_t)bytes;
    return 1;
}

static void mpi_close(void)
{
    MPI_Finalize();
}

extern const struct ranks_ops malv_ranks_v1;
const struct ranks_ops malv_ranks_v1 = {
    .open = mpi_open, .send = mpi_send, .receive = mpi_receive, .close = mpi_close};
