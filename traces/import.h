/* import.h - what the field publishes, as a stream of canonical records.
 *
 * A format is one const table in import_NAME.c and one line in
 * IMPORT_FORMATS.  Rows are pulled one at a time.  A bad row is an error
 * FILE:LINE:COLUMN; up to skip_bad of them are passed over and counted.
 * Timed rows that go back in time are bad rows: the canonical trace
 * is in time order.  Job lists are published unsorted, so jobs come in input
 * order and who stores them sorts.                                          */
#ifndef TRACES_IMPORT_H
#define TRACES_IMPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/err.h"
#include "traces/csv.h"
#include "traces/meta.h"
#include "traces/names.h"
#include "traces/record.h"

/* clang-format off */
#define IMPORT_FORMATS(X)                                                                          \
    X(azure_llm) X(mooncake) X(burstgpt) X(openb_pods) X(openb_nodes)                              \
    X(ftrace) X(perf_sched) X(damon) X(ramulator) X(msr) X(vscsi) X(bitbrains) X(azure_vm)           \
    X(orion) X(kineto) X(nsys)                                                                     \
    X(malv_raw) X(disb) X(reef) X(philly) X(pai_sim)                                               \
    X(costs_csv) X(jobs_map) X(requests_map) X(ops_llmservingsim) X(vllm_bench) X(ops_aiconfigurator)              \
    X(splitwise) X(distserve) X(gavel)
/* clang-format on */

struct importer;
struct exporter;

/* What `info` calls the columns: the names of the format itself. */
struct import_labels {
    const char *prompt, *output;
};

struct import_format {
    const char *name, *title, *source, *licence;
    enum trace_table table;
    struct import_labels labels;
    bool csv; /* else: lines */
    int bare; /* CSV without a line of names, of this many columns; 0: it has one */
    /* Neither: open reads im->in (or the file im->path) as it likes and keeps im->own, which done
     * frees.  Its rows come in time order all the same: who finds them in another sorts them.  */
    bool whole;
    bool (*sniff)(const char *head, size_t len); /* the first line, without its end; whole: the
                                                    first bytes, up to IMPORT_HEAD of them.
                                                    NULL: only -f or "format" names it */
    int (*open)(struct importer *im, struct err *e);
    void (*done)(struct importer *im);
    /* 1 a record, 0 the end, negative an error; ERR_EPARSE and ERR_ERANGE may be skipped. */
    int (*row)(struct importer *im, union trace_row *out, struct err *e);
    /* Writes a record as the format has it, without a line end. */
    void (*head)(struct exporter *x); /* NULL: no header */
    void (*tail)(struct exporter *x); /* after the last record; NULL: nothing */
    void (*put)(struct exporter *x, const union trace_row *row); /* NULL: it is read only */
    bool (*joins)(const union trace_row *row); /* the line goes on; NULL: a row is a line */
};

#define IMPORT_HEAD  (UINT64_C(1) << 20)
#define IMPORT_STATE 20
#define IMPORT_HELD  12

struct importer {
    const struct import_format *format;
    struct csv csv;   /* its lines serve formats without columns too */
    struct input *in; /* what it all comes from */
    const char *path; /* as in->name: for libraries that open files themselves */
    void *own;
    struct trace_names *names;
    struct trace_meta meta;
    uint64_t skip_left, last_ns;
    uint64_t rows, time_zero;
    unsigned flags;             /* the format's own: handed to its export through the style */
    int column[IMPORT_STATE];   /* the format's own: where its columns are */
    uint64_t held[IMPORT_HELD]; /* the format's own: what one line leaves for the next */
    bool started, crlf;
    struct {
        uint64_t *v;
        uint32_t n, cap;
    } prefix; /* ragged values of the current record */
    struct stamp_style {
        int digits;
        bool elide;
        char zone[8];
    } stamp;
};

/* Which format the first line of a file is of. */
int import_sniff(const char *path, const struct import_format **out, struct err *e) MUST_CHECK;
/* format NULL: found by its first line. */
int import_open(struct importer **im, const char *path, const struct import_format *format,
                uint64_t skip_bad, struct err *e) MUST_CHECK;
int import_open_input(struct importer **im, struct input *in, const struct import_format *format,
                      uint64_t skip_bad, struct err *e) MUST_CHECK; /* takes `in` over */
int import_next(struct importer *im, union trace_row *row, struct err *e) MUST_CHECK;
/* Counts and digests; complete once import_next has said 0. */
const struct trace_meta *import_meta(struct importer *im);
void import_close(struct importer *im);

const struct import_format *import_format(const char *name); /* NULL: no such name */
int import_format_named(const char *name, const struct import_format **out,
                        struct err *e) MUST_CHECK;
const struct import_format *import_format_at(size_t i); /* NULL past the end */

/* Shared by formats. */
int import_name(struct importer *im, int field, uint32_t *id, struct err *e) MUST_CHECK;
/* A session's id: numbers are kept (plus one: 0 is "not said"), other texts become a hash with the
 * top bit set, which export writes and this reads as "#" and sixteen hex digits. */
uint64_t import_session(const struct csv_field *f);
int import_label(struct importer *im, const char *text, uint32_t *id, struct err *e) MUST_CHECK;

/* export: the same format again.  meta->style says how its lines ended. */
struct exporter {
    const struct import_format *format;
    const struct trace_meta *meta;
    const struct trace_names *names;
    FILE *to;
    uint64_t epoch_ns; /* of time 0, for formats with calendar times */
    struct stamp_style stamp;
    bool crlf, unended, began;
    unsigned flags;             /* what the importer said */
    uint64_t held[IMPORT_HELD]; /* the format's own */
};
int export_begin(struct exporter *x, const struct import_format *f, const struct trace_meta *meta,
                 const struct trace_names *names, FILE *to, struct err *e) MUST_CHECK;
void export_row(struct exporter *x, const union trace_row *row);
int export_end(struct exporter *x, struct err *e) MUST_CHECK;
void export_csv_name(struct exporter *x, uint32_t id); /* quoted if it must be; nothing for NONE */
void export_csv_text(struct exporter *x, const char *s);
/* The value of "key=" in a style text, or NULL. */
const char *style_get(const char *style, const char *key, char out[64]);

#define X(f) extern const struct import_format import_##f;
IMPORT_FORMATS(X)
#undef X

#endif
