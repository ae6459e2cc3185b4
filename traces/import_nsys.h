/* import_nsys.h - a database of Nsight Systems, table by table.  Private to import_nsys*.c.
 *
 * The input is read once, for its digest: up to NSYS_MEMORY of it stays in
 * memory; of what is larger, a packed one goes to a file without a name in
 * $TMPDIR, a plain one is read where it lies.  Only tables are read, never
 * views, and nothing is written.  Errors: FILE: and a sentence.             */
#ifndef TRACES_IMPORT_NSYS_H
#define TRACES_IMPORT_NSYS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/err.h"
#include "traces/import.h"
#include "traces/op_join.h"

#define NSYS_MEMORY  ((size_t)64 << 20)
#define NSYS_COLUMNS 24

struct nsys_db;

struct nsys_column {
    const char *name;
    uint64_t max;  /* a value is 0..max */
    bool required; /* else it may be absent, or NULL */
    bool joined;   /* of the table that is joined */
};

/* What to read: columns up to one without a name, the name of each row, perhaps another table's
 * row beside each, by pairs of equal columns. */
struct nsys_query {
    const char *table;
    const struct nsys_column *columns;
    const char *named_by[2]; /* column that points into StringIds; the second where the first is
                                absent */
    const char *joins, *by[2];
};

int nsys_db_open(struct nsys_db **db, struct input *in, struct err *e) MUST_CHECK;
void nsys_db_close(struct nsys_db *db);                                      /* NULL is fine */
bool nsys_db_has(struct nsys_db *db, const char *table, const char *column); /* NULL: any */
int nsys_db_rows(struct nsys_db *db, const char *table, uint64_t *n, struct err *e) MUST_CHECK;

int nsys_db_select(struct nsys_db *db, const struct nsys_query *q, struct err *e) MUST_CHECK;
/* 1 a row, 0 the end, negative an error; ERR_EPARSE with bad set: this row, others may be good. */
int nsys_db_next(struct nsys_db *db, bool *bad, struct err *e) MUST_CHECK;
bool nsys_db_get(const struct nsys_db *db, int column, uint64_t *v); /* false: not said, v is 0 */
const char *nsys_db_name(const struct nsys_db *db); /* NULL: not said; until the next row */
/* "FILE: table T, row N: COLUMN: got V, want WANT" of the current row. */
int nsys_db_complain(const struct nsys_db *db, const char *column, const char *want, struct err *e);

/* What is held while a database is read. */
#define NSYS_CUPTI    "CUPTI_ACTIVITY_KIND_"
#define NSYS_CONTEXTS 4096

enum nsys_table {
    NSYS_KERNELS,
    NSYS_GRAPHS,
    NSYS_COPIES,
    NSYS_MEMSETS,
    NSYS_CALLS,
    NSYS_SYNCS, /* last: contexts are known from the others */
    NSYS_QUERIES
};
extern const struct nsys_query nsys_queries[NSYS_QUERIES];

struct nsys_context {
    uint64_t tenant, id;
    uint32_t device;
};

struct nsys {
    struct importer *im;
    struct nsys_db *db;
    struct op_join *join;
    struct trace_names *texts; /* as met; the trace's own are numbered as rows come out */
    uint32_t *name_of, names_cap;
    uint64_t *pid;
    uint32_t pids, contexts;
    bool one_process; /* operations do not say whose they are */
    struct nsys_context context[NSYS_CONTEXTS];
    uint64_t left_out;
};

/* What the current row of a table says: 1 a record, 0 it is not kept, negative an error. */
int nsys_raw(struct nsys *n, int which, struct op_raw *r, struct err *e) MUST_CHECK;

#endif
