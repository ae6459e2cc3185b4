/* commands.h - the subcommands of malv, one per file cmd_NAME.c.
 *
 * A command parses its own argv (argv[0] is its name), prints its results on
 * standard output, and returns 0 or a negative enum err_code with *e filled.
 * main() prints the sentence and turns the code into the exit status:
 * 0 done, 1 the run failed, 2 usage or input error, 3 a tolerance was missed.
 * A command that ran another program returns its status, above 0.            */
#ifndef HARNESS_COMMANDS_H
#define HARNESS_COMMANDS_H

#include "sim/err.h"

#define COMMANDS(X)                                                                                \
    X(run, "run an experiment")                                                                    \
    X(sweep, "run an experiment on all cores, or under mpirun")                                    \
    X(compare, "compare results pair by pair, with confidence intervals")                          \
    X(figure, "reproduce a published figure: published, ours, error per point")                    \
    X(tornado, "which assumed constants a result rests on")                                        \
    X(report, "write a page with figures and tables about results")                                \
    X(trace, "traces: import, info, verify, synth, export, get, list")                             \
    X(bench, "measure how fast the simulator itself is")                                           \
    X(calibrate, "measure what things cost on this machine: a machine profile")                    \
    X(capture, "record what a CUDA program does on the GPU: a trace")                              \
    X(policy, "learned and other policies: list, info, check, new")                                \
    X(model, "networks of learned policies: train, import, info, eval")

#define X(name, summary) int cmd_##name(int argc, char **argv, struct err *e);
COMMANDS(X)
#undef X
int cmd_model_cost(int argc, char **argv, struct err *e); /* of cmd_model, in a file of its own */

#endif
