/* jobs_map.h - a column map: which columns of a log of jobs are which fields of a job, so that any
 * CSV of jobs reads as the canonical table.  A JSON object:
 *
 *   "name", "title", "source", "licence"   words, all optional
 *   "columns"   list of the file's columns, in order; needed when "header" is false
 *   "header"    whether its first line names them (default true)
 *   "missing"   list of texts that stand for "not said", beside the empty one
 * and the fields, each {"column": C, "unit": U, "times": C2}, of which a column and of times a
 * unit must be there ("times": a column to multiply by, of gpus, cpus and mem), or a constant:
 *   "submit"                    "datetime", "ns", "us", "ms", "s", "min", "h"; must be there
 *   "start", "end"              the same; end - start is the duration unless "duration" is there,
 *                               start - submit the wait unless "wait" is
 *   "duration", "wait"          a unit of time
 *   "gpus", "cpus"              "1" (the default), "percent", "milli"; a part of a GPU is gpus 1 of
 *                               that many thousandths, 1.5 GPUs are gpus 2 of 750
 *   "gpu_milli"                 thousandths of each GPU, where gpus says how many
 *   "mem"                       "B", "KiB", "MiB", "GiB", "KB", "MB", "GB"
 *   "user", "group", "gpu_type", "status", "qos", "name"    texts
 *
 * Plain data: copied by jobs_map_copy, owned by nobody, and itself a format of import.h.  */
#ifndef TRACES_JOBS_MAP_H
#define TRACES_JOBS_MAP_H

#include "sim/config.h"
#include "traces/import.h"
#include "traces/sha256.h"

enum jobs_fields {
    JOBS_SUBMIT,
    JOBS_START,
    JOBS_END,
    JOBS_DURATION,
    JOBS_WAIT,
    JOBS_GPUS,
    JOBS_GPU_MILLI,
    JOBS_CPUS,
    JOBS_MEM,
    JOBS_USER,
    JOBS_GROUP,
    JOBS_GPU_TYPE,
    JOBS_STATUS,
    JOBS_QOS,
    JOBS_NAME,
    JOBS_FIELDS
};
#define JOBS_MAPS    "traces/maps/"
#define JOBS_COLUMNS 48
#define JOBS_MISSING 8

struct jobs_field {
    char column[64], times[64]; /* "": none */
    uint64_t scale;    /* of the record's unit (ns, 1/1000, bytes) in one of the column's */
    uint64_t constant; /* without a column, in the record's unit */
    bool datetime;
};

struct jobs_map {
    struct import_format format; /* "jobs-map", with the map's own words */
    char title[128], source[256], licence[64], digest[SHA256_HEX];
    char column[JOBS_COLUMNS][64], missing[JOBS_MISSING][16];
    int n_columns, n_missing;
    struct jobs_field field[JOBS_FIELDS];
};

int jobs_map_read(struct jobs_map *m, const struct config *at, struct err *e) MUST_CHECK;
void jobs_map_copy(struct jobs_map *to, const struct jobs_map *from);
const struct jobs_map *jobs_map_of(const struct import_format *f); /* NULL: it is no map */
const char *jobs_map_field_name(enum jobs_fields f);
/* "helios" is traces/maps/helios.json in the source tree; anything else is a path as it is.
 * malloc'd; NULL: out of memory. */
char *jobs_map_path(const char *name);

/* The methods of such a format (import_jobs_map.c). */
int jobs_map_open(struct importer *im, struct err *e) MUST_CHECK;
int jobs_map_row(struct importer *im, union trace_row *out, struct err *e) MUST_CHECK;
void jobs_map_head(struct exporter *x);
void jobs_map_put(struct exporter *x, const union trace_row *row);

#endif
