/* convert.c - loops over rows. */
#include "traces/convert.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traces/schema.h"
#include "traces/sha256.h"

#define TICK_ROWS 8192

struct job_list {
    struct trace_job *job;
    size_t n, cap;
};

static int add_job(struct job_list *l, const struct trace_job *j, struct err *e)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4096;
        struct trace_job *more = realloc(l->job, cap * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "out of memory at %zu jobs", l->n);
        l->job = more;
        l->cap = cap;
    }
    l->job[l->n++] = *j;
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const struct trace_job *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int by_row(const void *a, const void *b)
{
    const struct trace_job *x = a, *y = b;
    return x->row < y->row ? -1 : x->row > y->row;
}

static int read_jobs(struct trace_file *from, struct job_list *l,
                     int (*order)(const void *, const void *), struct err *e)
{
    union trace_row row;
    int rc;
    while ((rc = trace_file_next(from, &row, e)) == 1)
        if ((rc = add_job(l, &row.job, e)))
            return rc;
    if (rc == 0 && l->n)
        qsort(l->job, l->n, sizeof *l->job, order);
    return rc;
}

static int put_jobs(struct trace_file *from, struct store_writer *w, struct err *e)
{
    struct job_list l = {0};
    union trace_row row;
    int rc = read_jobs(from, &l, by_time, e);
    for (size_t i = 0; !rc && i < l.n; i++) {
        row.job = l.job[i];
        rc = store_put(w, &row, e);
    }
    free(l.job);
    return rc;
}

static int put_rows(struct trace_file *from, struct store_writer *w, convert_tick *tick, void *ctx,
                    struct err *e)
{
    union trace_row row;
    uint64_t n = 0;
    int rc;
    while ((rc = trace_file_next(from, &row, e)) == 1) {
        if ((rc = store_put(w, &row, e)))
            return rc;
        if (tick && ++n % TICK_ROWS == 0)
            tick(ctx, n);
    }
    return rc;
}

int convert_to_store(struct trace_file *from, const char *out, enum store_filter filter,
                     struct trace_meta *meta, convert_tick *tick, void *ctx, struct err *e)
{
    struct store_writer *w;
    enum trace_table table = trace_file_table(from);
    int rc = store_create(&w, out, table, filter, e);
    if (rc)
        return rc;
    rc = table == TRACE_JOBS ? put_jobs(from, w, e) : put_rows(from, w, tick, ctx, e);
    if (rc) {
        store_abort(w);
        return rc;
    }
    *meta = *trace_file_meta(from);
    return store_commit(w, meta, trace_file_names(from), e);
}

static int put_stream(struct row_source *s, struct store_writer *w, convert_tick *tick, void *ctx,
                      struct err *e)
{
    union trace_row row;
    uint64_t n = 0;
    int rc;
    while ((rc = s->next(s, &row, e)) == 1) {
        if ((rc = store_put(w, &row, e)))
            return rc;
        if (tick && ++n % TICK_ROWS == 0)
            tick(ctx, n);
    }
    return rc;
}

/* The parameters of rows themselves when they fit; the digest of all always. */
static int describe_synth(const struct synth_any *s, uint64_t seed, struct trace_meta *m,
                          struct err *e)
{
    const struct synth_kind *k = synth_kind_of(s->table);
    const char *name = k->name(&s->p), *source = synth_any_source(s);
    char *json = k->json(&s->p);
    if (!json)
        return err_set(e, ERR_ENOMEM, "out of memory");
    memset(m, 0, sizeof *m);
    sha256_text(json, m->input_sha256);
    snprintf(m->source, sizeof m->source, "synthesized: %s", source ? source : "nobody's trace");
    snprintf(m->licence, sizeof m->licence, "Apache-2.0");
    snprintf(m->format, sizeof m->format, "synth");
    snprintf(m->importer, sizeof m->importer, "%s", MALV_IMPORTER);
    snprintf(m->input, sizeof m->input, "synth:%s", *name ? name : "custom");
    if (s->table == TRACE_REQUESTS)
        snprintf(m->synth, sizeof m->synth,
                 "{\"preset\":\"%s\",\"requests\":%llu,\"rate_per_s\":%.17g}", name,
                 (unsigned long long)k->rows(&s->p), s->p.requests.rate_per_s);
    else if (strlen(json) < sizeof m->synth)
        snprintf(m->synth, sizeof m->synth, "%s", json);
    else
        snprintf(m->synth, sizeof m->synth, "{\"preset\":\"%s\",\"rows\":%llu}", name,
                 (unsigned long long)k->rows(&s->p));
    free(json);
    m->seed = seed;
    k->seeded(&s->p, &m->seed);
    return 0;
}

static int store_stream(struct row_source *s, const struct trace_names *names, const char *out,
                        enum store_filter filter, struct trace_meta *meta, convert_tick *tick,
                        void *ctx, struct err *e)
{
    struct store_writer *w;
    int rc = store_create(&w, out, s->table, filter, e);
    if (rc)
        return rc;
    if (!(rc = put_stream(s, w, tick, ctx, e)))
        return store_commit(w, meta, names, e);
    store_abort(w);
    return rc;
}

int convert_synth(const struct synth_any *p, uint64_t seed, const char *out,
                  enum store_filter filter, struct trace_meta *meta, convert_tick *tick, void *ctx,
                  struct err *e)
{
    const struct synth_kind *k = synth_kind_of(p->table);
    struct trace_names *names = k->names ? k->names(&p->p) : NULL;
    struct row_source *s;
    int rc = k->names && !names ? err_set(e, ERR_ENOMEM, "out of memory")
                                : describe_synth(p, seed, meta, e);
    if (!rc)
        rc = k->open(&s, &p->p, seed, e);
    if (rc) {
        names_free(names);
        return rc;
    }
    rc = store_stream(s, names, out, filter, meta, tick, ctx, e);
    s->close(s);
    names_free(names);
    return rc;
}

int convert_clients(struct clients *c, const char *name, uint64_t seed, const char *out,
                    enum store_filter filter, struct trace_meta *meta, convert_tick *tick,
                    void *ctx, struct err *e)
{
    struct row_source *s;
    memset(meta, 0, sizeof *meta);
    memcpy(meta->input_sha256, c->digest, sizeof c->digest);
    snprintf(meta->source, sizeof meta->source, "synthesized: a description of %u clients", c->all);
    snprintf(meta->licence, sizeof meta->licence, "Apache-2.0");
    snprintf(meta->format, sizeof meta->format, "synth");
    snprintf(meta->importer, sizeof meta->importer, "%s", MALV_IMPORTER);
    snprintf(meta->input, sizeof meta->input, "%s", name);
    meta->seed = seed;
    int rc = clients_open(&s, c, seed, e);
    if (rc)
        return rc;
    rc = store_stream(s, clients_names(s), out, filter, meta, tick, ctx, e);
    s->close(s);
    return rc;
}

/* Job lists go out in the order they came in. */
static int export_jobs(struct trace_file *from, struct exporter *x, struct err *e)
{
    struct job_list l = {0};
    union trace_row row;
    int rc = read_jobs(from, &l, by_row, e);
    for (size_t i = 0; !rc && i < l.n; i++) {
        row.job = l.job[i];
        export_row(x, &row);
    }
    free(l.job);
    return rc;
}

int convert_export(struct trace_file *from, const struct import_format *format, FILE *to,
                   struct err *e)
{
    struct exporter x;
    union trace_row row;
    if (format->table != trace_file_table(from))
        return err_set(e, ERR_EUSAGE, "%s holds %s, this trace holds %s", format->name,
                       trace_schemas[format->table].table,
                       trace_schemas[trace_file_table(from)].table);
    if (!format->put)
        return err_set(e, ERR_EUSAGE, "%s is read, not written: say a format, as in -f kineto",
                       format->name);
    int rc = export_begin(&x, format, trace_file_meta(from), trace_file_names(from), to, e);
    if (rc)
        return rc;
    if (format->table == TRACE_JOBS) {
        rc = export_jobs(from, &x, e);
    } else {
        while ((rc = trace_file_next(from, &row, e)) == 1)
            export_row(&x, &row);
    }
    return rc ? rc : export_end(&x, e);
}

struct check {
    const struct trace_names *names;
    enum trace_table table;
    struct sha256 sha;
    uint64_t rows, last_ns, first_ns, failed, values;
};

/* Every column in units of names points at one. */
static int check_names(const struct check *c, const union trace_row *row, struct err *e)
{
    const struct trace_schema *sc = &trace_schemas[c->table];
    for (unsigned i = 0; i < sc->n_columns; i++) {
        if (strcmp(sc->columns[i].unit, "name"))
            continue;
        uint64_t id = column_get(&sc->columns[i], row);
        if (id != TRACE_NAME_NONE && id >= names_count(c->names))
            return err_set(e, ERR_ETOL, "row %llu: column %s: got name %llu of %u",
                           (unsigned long long)c->rows, sc->columns[i].name, (unsigned long long)id,
                           names_count(c->names));
    }
    return 0;
}

static int check_row(struct check *c, const union trace_row *row, struct err *e)
{
    const struct trace_schema *sc = &trace_schemas[c->table];
    const uint64_t *values;
    if (sc->timed) {
        if (c->rows == 0)
            c->first_ns = row->request.time_ns;
        c->last_ns = row->request.time_ns;
    }
    if (c->table == TRACE_REQUESTS)
        c->failed += row->request.output_tokens == 0;
    if (sc->ragged)
        c->values += ragged_get(sc->ragged, row, &values);
    int rc = check_names(c, row, e);
    schema_digest(c->table, row, &c->sha);
    c->rows++;
    return rc;
}

static int differs(const char *what, uint64_t says, uint64_t is, struct err *e)
{
    if (says == is)
        return 0;
    return err_set(e, ERR_ETOL, "attribute %s says %llu, the records say %llu", what,
                   (unsigned long long)says, (unsigned long long)is);
}

static int check_end(const struct check *c, const struct trace_meta *m, struct err *e)
{
    char digest[SHA256_HEX];
    struct trace_meta said = *m;
    int rc;
    if ((rc = differs("span_ns", m->span_ns, c->last_ns, e)) ||
        (rc = differs("first_ns", m->first_ns, c->first_ns, e)) ||
        (rc = differs("failed_requests", m->failed_requests, c->failed, e)) ||
        (trace_schemas[c->table].ragged &&
         (rc = differs(trace_schemas[c->table].ragged->meta_name, *schema_values(c->table, &said),
                       c->values, e))))
        return rc;
    struct sha256 all = c->sha;
    schema_digest_names(c->names, &all);
    sha256_hex(&all, digest);
    if (strcmp(digest, m->digest))
        return err_set(e, ERR_ETOL, "attribute digest says %.16s..., the records say %.16s...",
                       m->digest, digest);
    return 0;
}

/* A file that says it is a trace and is damaged has failed its check. */
static int missed(struct err *e)
{
    if (e)
        e->code = ERR_ETOL;
    return ERR_ETOL;
}

int convert_verify(const char *path, struct trace_meta *meta, convert_tick *tick, void *ctx,
                   struct err *e)
{
    struct trace_file *f;
    union trace_row row;
    if (!store_is(path))
        return err_set(e, ERR_EIO, "%s: not a canonical trace (HDF5); malv trace import makes one",
                       path);
    int rc = trace_file_open(&f, path, NULL, 0, e);
    if (rc)
        return rc == ERR_EPARSE ? missed(e) : rc;
    struct check c = {.names = trace_file_names(f), .table = trace_file_table(f)};
    sha256_init(&c.sha);
    while ((rc = trace_file_next(f, &row, e)) == 1) {
        if ((rc = check_row(&c, &row, e)))
            break;
        if (tick && c.rows % TICK_ROWS == 0)
            tick(ctx, c.rows);
    }
    *meta = *trace_file_meta(f);
    bool in_row = rc == ERR_ETOL;
    if (rc == ERR_EPARSE)
        rc = missed(e);
    else if (rc == 0 && (rc = check_end(&c, meta, e)))
        in_row = true;
    trace_file_close(f);
    return in_row ? err_wrap(e, rc, "%s", path) : rc;
}
