/* malv run - an experiment, one trial after the other. */
#include <stdio.h>

#include "harness/commands.h"
#include "harness/run/launch.h"

static const char help[] =
    "usage: malv run EXPERIMENT.json [OPTIONS]\n"
    "       malv run --explain PATH [EXPERIMENT.json]\n"
    "\n"
    "Runs every trial of an experiment and writes the results; goes on where an earlier,\n"
    "interrupted run of the same experiment stopped.\n"
    "\n"
    "  -o, --out OUT.h5     where results go (default: out/NAME.h5)\n"
    "  --set PATH=VALUE     changes a setting (repeatable): --set serve.max_running=64;\n"
    "                       a swept one is then fixed to that value\n"
    "  --seed N             the first seed          --trials N   seeds per combination\n"
    "  --backend NAME       what runs the networks: auto, cuda, cpu, emu; never changes a result\n"
    "  --spans FILE         what happened when in trial 0, for Perfetto\n"
    "  --explain PATH       the crossings of a path (launch, request_in, ..; all) under each\n"
    "                       stack, with costs and sources, on the experiment's machine\n"
    "  --policy-limit S     how long one call of a policy may take (default: 5)\n"
    "  --json               trials on standard output\n"
    "  -q, --quiet          no progress, no table\n"
    "  -h, --help           this text\n"
    "\n"
    "example: malv run experiments/demo.json --trials 2 --set policy=fifo -o out/fifo.h5\n";

int cmd_run(int argc, char **argv, struct err *e)
{
    struct run_args a;
    int rc = run_args_parse(&a, argc, argv, false, e);
    if (!rc && a.help)
        fputs(help, stdout);
    else if (!rc)
        rc = a.explain ? launch_explain(&a, e) : launch(&a, e);
    run_args_free(&a);
    return rc;
}
