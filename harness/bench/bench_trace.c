/* bench_trace.c - rows per second of everything that a trace goes through:
 * made, written, read, exported, imported.  One CPU, no disk to wait for but
 * the page cache; times are CPU time of this thread.                        */
#include "harness/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/convert.h"

static const char *const steps[] = {"synth", "write", "read", "export", "import", "verify"};
enum { SYNTH, WRITE, READ, EXPORT, IMPORT, VERIFY, STEPS };

struct paths {
    char store[256], csv[256], again[256];
};

static int make(const struct synth_params *p, struct err *e)
{
    struct request_source *s;
    struct trace_request r;
    int rc = synth_open(&s, p, 1, e);
    if (rc)
        return rc;
    while ((rc = s->next(s, &r, e)) == 1) {
    }
    s->close(s);
    return rc;
}

static int read_through(const char *path, struct err *e)
{
    struct store_reader *r;
    union trace_row row;
    int rc = store_open(&r, path, e);
    if (rc)
        return rc;
    while ((rc = store_next(r, &row, e)) == 1) {
    }
    store_close(r);
    return rc;
}

static int export_csv(const struct paths *p, struct err *e)
{
    struct trace_file *f;
    int rc = trace_file_open(&f, p->store, NULL, 0, e);
    if (rc)
        return rc;
    FILE *to = fopen(p->csv, "w");
    rc = to ? convert_export(f, import_format("azure-llm"), to, e)
            : err_set(e, ERR_EIO, "%s: can't be written", p->csv);
    if (to)
        fclose(to);
    trace_file_close(f);
    return rc;
}

static int import_csv(const struct paths *p, struct err *e)
{
    struct trace_file *f;
    struct trace_meta m;
    int rc = trace_file_open(&f, p->csv, NULL, 0, e);
    if (rc)
        return rc;
    rc = convert_to_store(f, p->again, STORE_DEFLATE, &m, NULL, NULL, e);
    trace_file_close(f);
    return rc;
}

static int step(int which, const struct synth_params *p, const struct paths *at, struct err *e)
{
    struct trace_meta m;
    struct synth_any any = {TRACE_REQUESTS, {*p}};
    switch (which) {
    case SYNTH:
        return make(p, e);
    case WRITE: /* and synth */
        return convert_synth(&any, 1, at->store, STORE_DEFLATE, &m, NULL, NULL, e);
    case READ:
        return read_through(at->store, e);
    case EXPORT:
        return export_csv(at, e);
    case IMPORT:
        return import_csv(at, e);
    default:
        return convert_verify(at->again, &m, NULL, NULL, e);
    }
}

static int repeat(struct bench *b, const struct synth_params *p, const struct paths *at,
                  double rate[STEPS][BENCH_REPEATS], struct err *e)
{
    for (int i = 0; i < b->repeats; i++)
        for (int k = 0; k < STEPS; k++) {
            double began = bench_cpu_s();
            int rc = step(k, p, at, e);
            if (rc)
                return rc;
            rate[k][i] = (double)p->requests / (bench_cpu_s() - began);
        }
    return 0;
}

int bench_trace(struct bench *b, struct err *e)
{
    double rate[STEPS][BENCH_REPEATS];
    struct synth_params p;
    struct paths at;
    const char *tmp = getenv("TMPDIR");
    long pid = (long)getpid();
    snprintf(at.store, sizeof at.store, "%s/malv-bench-%ld.h5", tmp ? tmp : "/tmp", pid);
    snprintf(at.csv, sizeof at.csv, "%s/malv-bench-%ld.csv", tmp ? tmp : "/tmp", pid);
    snprintf(at.again, sizeof at.again, "%s/malv-bench-%ld-again.h5", tmp ? tmp : "/tmp", pid);
    int rc = synth_params_preset("azure-conv", &p, e);
    p.requests = b->quick ? 50000 : 1000000;
    if (!rc)
        rc = repeat(b, &p, &at, rate, e);
    for (int k = 0; !rc && k < STEPS; k++) {
        struct bench_row *r = bench_add(b, "rows/s", rate[k], b->repeats, "%s.%llu", steps[k],
                                        (unsigned long long)p.requests);
        if (r && k == WRITE)
            r->note = "synth and write";
    }
    unlink(at.store);
    unlink(at.csv);
    unlink(at.again);
    return rc;
}
