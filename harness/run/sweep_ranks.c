#include "harness/run/sweep_ranks.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness/base/places.h"

/* How many processes were started with us: what mpirun or srun left in the environment. */
long ranks_expected(void)
{
    static const char *const size[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
        const char *text = getenv(size[i]);
        if (text && atol(text) > 1)
            return atol(text);
    }
    /* A batch script has SLURM_NTASKS as well; only a task that srun started has a step. */
    const char *tasks = getenv("SLURM_NTASKS");
    return tasks && getenv("SLURM_STEP_ID") ? atol(tasks) : 1;
}

static int open_object(struct ranks *r, const char *path, long n, struct err *e)
{
    if (access(path, R_OK))
        return err_set(e, ERR_EUSAGE,
                       "started as one of %ld processes, but %s is not there: install "
                       "libopenmpi-dev and run make, or use -j",
                       n, path);
    r->object = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* MPI opens plugins that look for it */
    r->ops = r->object ? dlsym(r->object, RANKS_SYMBOL) : NULL;
    if (!r->ops)
        return err_set(e, ERR_EABI, "%s: does not load: %s", path, dlerror());
    if (r->ops->open(&r->rank, &r->size))
        return err_set(e, ERR_EFAIL, "MPI does not start");
    return 0;
}

int ranks_open(struct ranks *r, struct err *e)
{
    *r = (struct ranks){.rank = 0, .size = 1};
    long n = ranks_expected();
    if (n <= 1)
        return 0;
    char *path = places_build("malv-mpi.so");
    if (!path)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = open_object(r, path, n, e);
    free(path);
    if (rc)
        r->ops = NULL;
    return rc;
}

void ranks_close(struct ranks *r)
{
    if (r->ops)
        r->ops->close();
    r->ops = NULL; /* the object stays: MPI leaves handlers behind that run at exit */
}
