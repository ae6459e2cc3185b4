/* cmd_trace.h - the verbs of malv trace, one function each; argv[0] is the verb. */
#ifndef HARNESS_CMD_TRACE_H
#define HARNESS_CMD_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/err.h"
#include "sim/progress.h"
#include "traces/column_map.h"
#include "traces/meta.h"
#include "traces/store.h"

#define TRACE_VERBS(X)                                                                             \
    X(import, "make a canonical trace (HDF5) of a published one")                                  \
    X(info, "say what is in a trace: counts, moments, quantiles")                                  \
    X(verify, "hold a canonical trace against its own digest and counts")                          \
    X(synth, "make a trace of any length after published moments")                                 \
    X(export, "write a canonical trace in a published format")                                     \
    X(list, "public traces, and which of them are here")                                           \
    X(get, "how to obtain a public trace and where to put it")

#define X(verb, summary) int trace_##verb(int argc, char **argv, struct err *e);
TRACE_VERBS(X)
#undef X

struct trace_options {
    const char *format, *map, *out, *filter, *preset, *params, *source, *licence;
    unsigned long long skip_bad, n, seed;
    double rate;
    bool json, quiet, help;
};
/* Options in any order among the operands; on return argv[0 .. *argc) are the operands. */
int trace_options(int *argc, char ***argv, const char *accepts, struct trace_options *o,
                  struct err *e) MUST_CHECK;
/* What -f or --map names; NULL: neither.  The map is kept in *m. */
int trace_format(const struct trace_options *o, struct column_map *m,
                 const struct import_format **out, struct err *e) MUST_CHECK;
void trace_print_formats(void); /* and the maps that are there */
int trace_filter(const struct trace_options *o, enum store_filter *f, struct err *e) MUST_CHECK;
void trace_tick(void *progress, uint64_t rows); /* a convert_tick */
void trace_print_written(const struct trace_options *o, const char *out, const struct trace_meta *m,
                         double seconds);
double trace_clock(void); /* wall seconds, for rates that people read */
/* The folder of public traces: $MALV_DATA, else ROOT/../shared/traces; malloc'd. */
char *trace_data_dir(void);

#endif
