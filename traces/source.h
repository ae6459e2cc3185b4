/* source.h - a trace section of an experiment, opened as a stream of requests or of rows.
 *
 *   {"file": "x.h5"}                      canonical trace
 *   {"import": {"format": F, "file": P, "skip_bad": N}}   what the field publishes
 *   {"import": {"file": P, "map": M}}     a log by a column map (column_map.h): the map
 *                                         itself, its path, or the name of one of traces/maps
 *   {"synth": {...}}                      made on the fly (synth.h)
 *   {"synth": {"clients": [..] or the path of a description, ...}}   the same (clients.h)
 * and beside any of them
 *   "window": {"length_s": L, "start_s": S, "pick": "start"|"random"}
 * (times count from the first row of the input, or from the window's start)
 *   "rate_scale": 2.0   arrivals twice as fast     "limit": N   the first N rows
 *   "keep_failed": true requests without output too (else left out: nothing was served)
 *   "otherwise": {a trace section}        used when a data: file is absent
 *
 * Paths: absolute; data:P below $MALV_DATA, else below ROOT/../shared/traces;
 * else below the experiment's folder, else below ROOT.
 *
 * A random window depends on the seed; its span must fit into the trace.    */
#ifndef TRACES_SOURCE_H
#define TRACES_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/config.h"
#include "sim/err.h"
#include "traces/record.h"
#include "traces/sha256.h"

struct trace_places {
    const char *base; /* folder of the experiment file; NULL: the working directory */
    const char *root; /* of the repository; NULL: the working directory */
};

struct trace_about {
    char kind[8];            /* "file", "import", "synth" */
    char digest[SHA256_HEX]; /* names input and section, whatever the seed */
    char
        input_sha256[SHA256_HEX]; /* of the input's records or bytes; of the parameters for synth */
    char name[256];               /* as the section names it: a path, or synth:PRESET */
    char source[256], licence[256], format[64];
    enum trace_table table;
    uint64_t requests; /* rows of its table in the input, before window and limit */
    uint64_t first_ns; /* of its first row: time 0 of the stream */
    uint64_t span_ns;  /* from there to its last; 0: not known before the end (synth) */
    uint64_t failed;   /* requests without output in the input */
    uint64_t skipped_rows;
    uint64_t window_from_ns, window_ns; /* window_ns 0: no window */
    double rate_scale;
    bool otherwise; /* the data: file was absent */
};

int trace_source_open(const struct config *section, uint64_t seed, const struct trace_places *where,
                      struct request_source **out, struct trace_about *about,
                      struct err *e) MUST_CHECK;
/* The same for any of the tables in the bit set (1 << TRACE_x); (*out)->table says which it is.
 * A window of VMs holds those that start in it; rate_scale moves their starts, not their lengths.
 */
int trace_rows_open(const struct config *section, unsigned tables, uint64_t seed,
                    const struct trace_places *where, struct row_source **out,
                    struct trace_about *about, struct err *e) MUST_CHECK;
/* A stream of requests out of one of rows, whose table they are; takes it over, errors too. */
int trace_rows_requests(struct request_source **out, struct row_source *rows,
                        struct err *e) MUST_CHECK;
/* Keys, ranges, names, and that files are there; reads none of their data. */
int trace_source_check(const struct config *section, const struct trace_places *where,
                       struct err *e) MUST_CHECK;
/* The same for any of the tables; *table is the one that the section holds (a published file
 * without a format: by its first line). */
int trace_rows_check(const struct config *section, unsigned tables,
                     const struct trace_places *where, enum trace_table *table,
                     struct err *e) MUST_CHECK;
/* "io or pages" of a bit set. */
const char *trace_tables_text(unsigned tables, char to[80]);
char *trace_about_json(const struct trace_about *about); /* malloc'd; NULL: out of memory */

/* Where a path of a section lies; malloc'd.  ERR_ENAME when it is a data: path that is absent. */
int trace_find(const char *path, const struct trace_places *where, char **found,
               struct err *e) MUST_CHECK;

#endif
