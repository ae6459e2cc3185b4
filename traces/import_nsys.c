/* import_nsys.c - what `nsys export --type sqlite` writes.
 *
 * Kept: kernels, copies, memsets and graphs traced as a whole (CUPTI_ACTIVITY_KIND_KERNEL, _MEMCPY,
 * _MEMSET, _GRAPH_TRACE) and the calls of host threads (_RUNTIME, which has the driver's too); what
 * a call waited for is in _SYNCHRONIZATION and in names (op_join.h).  Versions of the schema
 * differ: columns are looked up by name, tables may be missing.  Left out: NVTX ranges, overhead of
 * the profiler, operating-system calls, copies from host to host.
 * A process (globalPid) is a tenant, numbered as they are met.  The device of a synchronization is
 * that of its context where an operation says so: some versions write 0.  Time 0 is the first row.
 */
#include <stdlib.h>
#include <string.h>

#include "traces/import.h"
#include "traces/import_nsys.h"
#include "traces/parse.h"

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

static int skip(struct importer *im, int rc, struct err *e)
{
    if (!im->skip_left)
        return rc;
    im->skip_left--;
    im->meta.skipped_rows++;
    if (e)
        *e = (struct err){0};
    return 0;
}

static int read_table(struct nsys *n, int which, struct err *e)
{
    struct op_raw r;
    bool bad;
    int rc = nsys_db_select(n->db, &nsys_queries[which], e);
    while (!rc && (rc = nsys_db_next(n->db, &bad, e))) {
        if (rc == 1) {
            rc = nsys_raw(n, which, &r, e);
            bad = rc == ERR_EPARSE;
        }
        if (rc == 1)
            rc = op_join_add(n->join, &r, e);
        else if (rc < 0 && bad)
            rc = skip(n->im, rc, e);
    }
    return rc;
}

/* How many rows the tables have whose facts are published. */
static int write_notes(struct nsys *n, struct err *e)
{
    static const char *const tables[] = {NSYS_CUPTI "KERNEL",
                                         NSYS_CUPTI "MEMCPY",
                                         NSYS_CUPTI "MEMSET",
                                         NSYS_CUPTI "OVERHEAD",
                                         NSYS_CUPTI "RUNTIME",
                                         NSYS_CUPTI "SYNCHRONIZATION",
                                         "META_DATA_EXPORT",
                                         "NVTX_EVENTS",
                                         "NVTX_PAYLOAD_SCHEMAS",
                                         "NVTX_PAYLOAD_SCHEMA_ENTRIES",
                                         "StringIds",
                                         "TARGET_INFO_CUDA_STREAM"};
    char *to = n->im->meta.notes;
    size_t at = 0;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        uint64_t rows;
        if (!nsys_db_has(n->db, tables[i], NULL))
            continue;
        int rc = nsys_db_rows(n->db, tables[i], &rows, e);
        if (rc)
            return rc;
        at += (size_t)snprintf(to + at, META_TEXT - at, "%s%s rows=%llu", at ? ";" : "", tables[i],
                               (unsigned long long)rows);
    }
    if (n->left_out)
        snprintf(to + at, META_TEXT - at, "%scopies from host to host, left out=%llu",
                 at ? ";" : "", (unsigned long long)n->left_out);
    return 0;
}

/* When the session began, since 1970: times count from there. */
static int read_epoch(struct nsys *n, uint64_t zero, struct err *e)
{
    static const struct nsys_column columns[] = {{"utcEpochNs", INT64_MAX, false, false}, {0}};
    static const struct nsys_query q = {
        "TARGET_INFO_SESSION_START_TIME", columns, {NULL, NULL}, NULL, {NULL, NULL}};
    uint64_t epoch;
    bool bad;
    if (!nsys_db_has(n->db, q.table, columns->name))
        return 0;
    int rc = nsys_db_select(n->db, &q, e);
    if (rc || (rc = nsys_db_next(n->db, &bad, e)) <= 0)
        return rc;
    if (nsys_db_get(n->db, 0, &epoch) && epoch) {
        format_stamp(n->im->meta.epoch, epoch + zero, 9);
        n->im->stamp.digits = 9;
    }
    return 0;
}

static int read_all(struct nsys *n, struct err *e)
{
    uint64_t zero = 0;
    bool any = false;
    int rc = 0;
    n->one_process = nsys_db_has(n->db, nsys_queries[NSYS_KERNELS].table, NULL) &&
                     !nsys_db_has(n->db, nsys_queries[NSYS_KERNELS].table, "globalPid");
    for (int i = 0; !rc && i < NSYS_QUERIES; i++) {
        if (!nsys_db_has(n->db, nsys_queries[i].table, NULL))
            continue;
        any |= i < NSYS_SYNCS;
        rc = read_table(n, i, e);
    }
    if (!rc && !any)
        rc = err_set(e, ERR_EPARSE,
                     "%s: got a database without " NSYS_CUPTI
                     "KERNEL, _MEMCPY, _MEMSET or _RUNTIME, "
                     "want what nsys export --type sqlite writes",
                     n->im->path);
    if (!rc)
        rc = write_notes(n, e);
    if (!rc)
        rc = op_join_sort(n->join, &zero, e);
    return rc ? rc : read_epoch(n, zero, e);
}

static void nsys_done(struct importer *im)
{
    struct nsys *n = im->own;
    if (!n)
        return;
    nsys_db_close(n->db);
    op_join_free(n->join);
    names_free(n->texts);
    free(n->name_of);
    free(n->pid);
    free(n);
}

static int nsys_open(struct importer *im, struct err *e)
{
    struct nsys *n = im->own = calloc(1, sizeof *n);
    if (!n || !(n->texts = names_new()))
        return no_memory(e);
    n->im = im;
    int rc = nsys_db_open(&n->db, im->in, e);
    if (!rc)
        rc = op_join_new(&n->join, e);
    if (!rc)
        rc = read_all(n, e);
    nsys_db_close(n->db);
    n->db = NULL;
    return rc;
}

static int name(struct nsys *n, uint32_t *id, struct err *e)
{
    if (*id == TRACE_NAME_NONE)
        return 0;
    if (!n->name_of) {
        size_t all = names_count(n->texts);
        if (!(n->name_of = malloc(all * sizeof *n->name_of)))
            return no_memory(e);
        memset(n->name_of, 0xff, all * sizeof *n->name_of);
    }
    uint32_t *of = &n->name_of[*id];
    int rc = *of == TRACE_NAME_NONE ? import_label(n->im, names_text(n->texts, *id), of, e) : 0;
    *id = *of;
    return rc;
}

static int nsys_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct nsys *n = im->own;
    int rc = op_join_next(n->join, &out->op, e);
    if (rc <= 0)
        return rc;
    rc = name(n, &out->op.name, e);
    return rc ? rc : 1;
}

static bool nsys_sniff(const char *head, size_t len)
{
    static const char magic[] = "SQLite format 3";
    return len >= sizeof magic && !memcmp(head, magic, sizeof magic);
}

const struct import_format import_nsys = {
    .name = "nsys",
    .title = "Nsight Systems, exported to SQLite",
    .source = "an Nsight Systems report, exported to SQLite",
    .licence = "the publisher's",
    .table = TRACE_OPS,
    .whole = true,
    .sniff = nsys_sniff,
    .open = nsys_open,
    .done = nsys_done,
    .row = nsys_row,
};
