/* bench_machine.h - a shipped machine profile, for benchmarks. */
#ifndef HARNESS_BENCH_BENCH_MACHINE_H
#define HARNESS_BENCH_BENCH_MACHINE_H

#include "models/machine.h"

/* path: "machines/h100-server.json".  *m is to be freed; NULL where it fails. */
int bench_machine(struct machine **m, const char *path, struct err *e) MUST_CHECK;

#endif
