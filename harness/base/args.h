/* args.h - what every command says of an option that it cannot take.
 *
 * getopt prints its own complaints on standard error; ours are sentences in
 * struct err, so that main alone prints.  args_begin() before the first
 * getopt_long(), args_refuse() when it answers '?'.                         */
#ifndef HARNESS_BASE_ARGS_H
#define HARNESS_BASE_ARGS_H

#include <getopt.h>

#include "sim/err.h"

void args_begin(void);
int args_refuse(const char *command, char **argv, const struct option *known, struct err *e);
/* The value of --repeats: 1..most. */
int args_repeats(const char *text, int most, int *repeats, struct err *e) MUST_CHECK;

#endif
