/* column_map.h - a column map: which columns of a log are which fields of a record, so that any CSV
 * of jobs or of requests reads as the canonical table.  A JSON object:
 *
 *   "table"     "jobs" (the default) or "requests"
 *   "name", "title", "source", "licence"   words, all optional
 *   "columns"   list of the file's columns, in order; needed when "header" is false
 *   "header"    whether its first line names them (default true)
 *   "missing"   list of texts that stand for "not said", beside the empty one
 * and the fields, each {"column": C, "unit": U, "times": C2}, of which a column and of times a
 * unit must be there ("times": a column to multiply by, of gpus, cpus and mem), or a constant.
 * Those of a job:
 *   "submit"                    "datetime", "ns", "us", "ms", "s", "min", "h"; must be there
 *   "start", "end"              the same; end - start is the duration unless "duration" is there,
 *                               start - submit the wait unless "wait" is
 *   "duration", "wait"          a unit of time
 *   "gpus", "cpus"              "1" (the default), "percent", "milli"; a part of a GPU is gpus 1 of
 *                               that many thousandths, 1.5 GPUs are gpus 2 of 750
 *   "gpu_milli"                 thousandths of each GPU, where gpus says how many
 *   "mem"                       "B", "KiB", "MiB", "GiB", "KB", "MB", "GB"
 *   "user", "group", "gpu_type", "status", "qos", "name"    texts
 * and of a request:
 *   "arrival"                   as "submit"; must be there; the first row's is time 0
 *   "prompt_tokens", "output_tokens"    numbers; must be there
 *   "tenant", "model", "session"        texts
 *
 * Plain data: copied by column_map_copy, owned by nobody, and itself a format of import.h.  */
#ifndef TRACES_COLUMN_MAP_H
#define TRACES_COLUMN_MAP_H

#include "sim/config.h"
#include "traces/import.h"
#include "traces/sha256.h"

enum jobs_field {
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
enum requests_field {
    REQUESTS_ARRIVAL,
    REQUESTS_PROMPT,
    REQUESTS_OUTPUT,
    REQUESTS_TENANT,
    REQUESTS_MODEL,
    REQUESTS_SESSION,
    REQUESTS_FIELDS
};
#define MAP_FIELDS  JOBS_FIELDS /* of either */
#define COLUMN_MAPS "traces/maps/"
#define MAP_COLUMNS 48
#define MAP_MISSING 8

struct map_field {
    char column[64], times[64]; /* "": none */
    uint64_t scale;    /* of the record's unit (ns, 1/1000, bytes) in one of the column's */
    uint64_t constant; /* without a column, in the record's unit */
    bool datetime;
};

struct map_table; /* what records of a table have: column_map.c */

struct column_map {
    struct import_format format; /* "jobs-map" or "requests-map", with the map's own words */
    const struct map_table *table;
    char title[128], source[256], licence[64], digest[SHA256_HEX];
    char column[MAP_COLUMNS][64], missing[MAP_MISSING][16];
    int n_columns, n_missing;
    struct map_field field[MAP_FIELDS];
};

int column_map_read(struct column_map *m, const struct config *at, struct err *e) MUST_CHECK;
void column_map_copy(struct column_map *to, const struct column_map *from);
const struct column_map *column_map_of(const struct import_format *f); /* NULL: it is no map */
const char *column_map_field_name(const struct column_map *m, int field);
/* "helios" is traces/maps/helios.json in the source tree; anything else is a path as it is.
 * malloc'd; NULL: out of memory. */
char *column_map_path(const char *name);

/* ---- for formats that read by a map (column_map_row.c): field is one of their table's ---- */

/* Finds every field's column: im->column[field], -1 where the map has none. */
int column_map_open(struct importer *im, struct err *e) MUST_CHECK;
int column_map_find(const struct importer *im, const char *name, int *out,
                    struct err *e) MUST_CHECK; /* "": -1 */
bool column_map_missing(const struct importer *im, int column);
/* "12.5" of `unit`, up to max, rounded half up, exactly; units need not be powers of ten. */
bool column_map_decimal(const struct csv_field *f, uint64_t unit, uint64_t max, uint64_t *out);
/* A time or a span, ns; TRACE_TIME_NONE when it is not said.  Calendar times are as the wall clock
 * wrote them, since 1970; a log has one zone. */
int column_map_time(struct importer *im, int field, uint64_t *ns, struct err *e) MUST_CHECK;

/* The methods of the two (import_jobs_map.c, import_requests_map.c). */
int jobs_map_open(struct importer *im, struct err *e) MUST_CHECK;
int jobs_map_row(struct importer *im, union trace_row *out, struct err *e) MUST_CHECK;
void jobs_map_head(struct exporter *x);
void jobs_map_put(struct exporter *x, const union trace_row *row);
int requests_map_open(struct importer *im, struct err *e) MUST_CHECK;
int requests_map_row(struct importer *im, union trace_row *out, struct err *e) MUST_CHECK;

#endif
