/* malv sweep - an experiment, its trials shared by all cores or by the ranks of mpirun. */
#include <stdio.h>
#include <unistd.h>

#include "harness/commands.h"
#include "harness/run/launch.h"
#include "harness/run/sweep_ranks.h"

static const char help[] =
    "usage: malv sweep EXPERIMENT.json [-j N] [OPTIONS]\n"
    "       mpirun -n R malv sweep EXPERIMENT.json [-j N] [OPTIONS]\n"
    "\n"
    "Runs the trials of an experiment on N workers, or on N workers of each rank of mpirun or\n"
    "srun. The results are the same, byte for byte, for any N and R, and after any number of\n"
    "interruptions: what is finished is kept, and the same command goes on from there.\n"
    "\n"
    "  -j, --jobs N         workers (default: one per CPU; one per rank under mpirun)\n"
    "  and --out, --set, --seed, --trials, --backend, --spans, --policy-limit, --json, --quiet\n"
    "  as malv run has them\n"
    "\n"
    "example: malv sweep experiments/demo.json -j 8 -o out/demo.h5\n";

int cmd_sweep(int argc, char **argv, struct err *e)
{
    struct run_args a;
    int rc = run_args_parse(&a, argc, argv, true, e);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (!a.jobs)
        a.jobs = ranks_expected() > 1 || cpus < 1 ? 1 : (unsigned)cpus;
    if (!rc && a.help)
        fputs(help, stdout);
    else if (!rc)
        rc = a.explain ? launch_explain(&a, e) : launch(&a, e);
    run_args_free(&a);
    return rc;
}
