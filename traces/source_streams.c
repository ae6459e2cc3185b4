/* source_streams.c - rows out of an importer, out of a store, jobs in time order, and a cut. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traces/source_section.h"

struct over_import {
    struct row_source base;
    struct importer *im;
    char *path;
    const struct import_format *format;
    uint64_t skip_bad;
    struct column_map map; /* where the format is one */
};

static int import_pull(struct row_source *self, union trace_row *out, struct err *e)
{
    return import_next(((struct over_import *)self)->im, out, e);
}

static int import_again(struct row_source *self, struct err *e)
{
    struct over_import *s = (struct over_import *)self;
    import_close(s->im);
    return import_open(&s->im, s->path, s->format, s->skip_bad, e);
}

static void import_done(struct row_source *self)
{
    struct over_import *s = (struct over_import *)self;
    import_close(s->im);
    free(s->path);
    free(s);
}

static const char *import_text(const struct row_source *self, uint32_t id)
{
    return names_text(((const struct over_import *)self)->im->names, id);
}

int source_over_import(struct row_source **out, const char *path,
                       const struct import_format *format, uint64_t skip_bad, struct err *e)
{
    struct over_import *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base =
        (struct row_source){format->table, import_pull, import_again, import_done, 0, import_text};
    s->format = format;
    s->skip_bad = skip_bad;
    if (column_map_of(format)) {
        column_map_copy(&s->map, column_map_of(format));
        s->format = &s->map.format;
    }
    int rc = import_open(&s->im, path, s->format, skip_bad, e);
    if (rc)
        import_done(&s->base);
    else
        *out = &s->base;
    return rc || format->table != TRACE_JOBS ? rc : source_sorted(out, *out, e);
}

struct over_store {
    struct row_source base;
    struct store_reader *r;
    struct trace_names *names;
    uint64_t from_ns;
};

static int store_pull(struct row_source *self, union trace_row *out, struct err *e)
{
    return store_next(((struct over_store *)self)->r, out, e);
}

static int store_again(struct row_source *self, struct err *e)
{
    struct over_store *s = (struct over_store *)self;
    if (s->from_ns)
        return store_seek(s->r, s->from_ns, e);
    store_rewind(s->r);
    return 0;
}

static void store_done(struct row_source *self)
{
    struct over_store *s = (struct over_store *)self;
    store_close(s->r);
    names_free(s->names);
    free(s);
}

static const char *store_text(const struct row_source *self, uint32_t id)
{
    return names_text(((const struct over_store *)self)->names, id);
}

int source_over_store(struct row_source **out, struct store_reader *r, uint64_t from_ns,
                      struct err *e)
{
    struct over_store *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        store_close(r);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct row_source){store_table(r), store_pull,    store_again,
                                  store_done,     store_rows(r), store_text};
    s->r = r;
    s->from_ns = from_ns;
    int rc = store_names(r, &s->names, e);
    if (!rc)
        rc = store_again(&s->base, e);
    if (rc)
        store_done(&s->base);
    else
        *out = &s->base;
    return rc;
}

/* Jobs are published unsorted: all of them, held. */
struct sorted {
    struct row_source base, *inner;
    struct trace_job *job;
    size_t n, cap, at;
};

static int sorted_pull(struct row_source *self, union trace_row *out, struct err *e)
{
    struct sorted *s = (struct sorted *)self;
    (void)e;
    if (s->at == s->n)
        return 0;
    out->job = s->job[s->at++];
    return 1;
}

static int sorted_again(struct row_source *self, struct err *e)
{
    (void)e;
    ((struct sorted *)self)->at = 0;
    return 0;
}

static void sorted_done(struct row_source *self)
{
    struct sorted *s = (struct sorted *)self;
    s->inner->close(s->inner);
    free(s->job);
    free(s);
}

static const char *sorted_text(const struct row_source *self, uint32_t id)
{
    const struct row_source *inner = ((const struct sorted *)self)->inner;
    return inner->name(inner, id);
}

static int sorted_fill(struct sorted *s, struct err *e)
{
    union trace_row row;
    int rc;
    while ((rc = s->inner->next(s->inner, &row, e)) == 1) {
        if (s->n == s->cap) {
            size_t cap = s->cap ? 2 * s->cap : 1024;
            struct trace_job *more = realloc(s->job, cap * sizeof *more);
            if (!more)
                return err_set(e, ERR_ENOMEM, "out of memory for %zu jobs", cap);
            s->job = more;
            s->cap = cap;
        }
        s->job[s->n++] = row.job;
    }
    return rc;
}

static int by_time(const void *a, const void *b)
{
    const struct trace_job *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

int source_sorted(struct row_source **out, struct row_source *inner, struct err *e)
{
    struct sorted *s = calloc(1, sizeof *s);
    *out = NULL;
    assert(inner->table == TRACE_JOBS);
    if (!s) {
        inner->close(inner);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct row_source){TRACE_JOBS,  sorted_pull, sorted_again,
                                  sorted_done, 0,           inner->name ? sorted_text : NULL};
    s->inner = inner;
    int rc = sorted_fill(s, e);
    if (rc) {
        sorted_done(&s->base);
        return rc;
    }
    if (s->n)
        qsort(s->job, s->n, sizeof *s->job, by_time);
    s->base.expected = s->n;
    *out = &s->base;
    return 0;
}

const struct trace_meta *source_sorted_meta(const struct row_source *s)
{
    return import_meta(((const struct over_import *)((const struct sorted *)s)->inner)->im);
}

struct cut {
    struct row_source base, *inner;
    struct source_cut c;
    uint64_t per_million; /* the rate scale in parts per million: times stay exact integers */
    uint64_t given;
};

__extension__ typedef unsigned __int128 u128;

/* 1 it is in, 0 pass it over, -1 the window is over. */
static int judge(const struct cut *s, const union trace_row *r)
{
    if (r->request.time_ns >= s->c.to_ns)
        return -1;
    if (r->request.time_ns < s->c.from_ns)
        return 0;
    return s->c.keep_failed || s->base.table != TRACE_REQUESTS || r->request.output_tokens > 0;
}

/* Times count from the window's start; a VM keeps its length whatever the rate. */
static void shift(const struct cut *s, union trace_row *r)
{
    uint64_t was = r->request.time_ns, t = was - s->c.from_ns;
    if (s->per_million != 1000000)
        t = (uint64_t)((u128)t * 1000000 / s->per_million);
    if (s->base.table == TRACE_VMS && r->vm.end_ns != TRACE_TIME_NONE)
        r->vm.end_ns = t + (r->vm.end_ns > was ? r->vm.end_ns - was : 0);
    r->request.time_ns = t;
}

static int cut_pull(struct row_source *self, union trace_row *out, struct err *e)
{
    struct cut *s = (struct cut *)self;
    for (;;) {
        if (s->c.limit && s->given == s->c.limit)
            return 0;
        int rc = s->inner->next(s->inner, out, e);
        if (rc <= 0)
            return rc;
        int in = judge(s, out);
        if (in < 0)
            return 0;
        if (in == 0)
            continue;
        shift(s, out);
        s->given++;
        return 1;
    }
}

static int cut_again(struct row_source *self, struct err *e)
{
    struct cut *s = (struct cut *)self;
    s->given = 0;
    return s->inner->rewind(s->inner, e);
}

static void cut_done(struct row_source *self)
{
    struct cut *s = (struct cut *)self;
    s->inner->close(s->inner);
    free(s);
}

static const char *cut_text(const struct row_source *self, uint32_t id)
{
    const struct row_source *inner = ((const struct cut *)self)->inner;
    return inner->name(inner, id);
}

static bool does_nothing(const struct source_cut *c, enum trace_table table)
{
    return c->from_ns == 0 && c->to_ns == UINT64_MAX && c->rate_scale == 1 && !c->limit &&
           (c->keep_failed || table != TRACE_REQUESTS);
}

int source_cut(struct row_source **out, struct row_source *inner, const struct source_cut *cut,
               struct err *e)
{
    *out = inner;
    if (does_nothing(cut, inner->table))
        return 0;
    struct cut *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        inner->close(inner);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct row_source){inner->table, cut_pull, cut_again,
                                  cut_done,     0,        inner->name ? cut_text : NULL};
    if (cut->to_ns == UINT64_MAX)
        s->base.expected = inner->expected;
    if (cut->limit && (!s->base.expected || cut->limit < s->base.expected))
        s->base.expected = cut->limit;
    s->inner = inner;
    s->c = *cut;
    s->per_million = (uint64_t)(cut->rate_scale * 1e6 + 0.5);
    assert(s->per_million > 0 && cut->from_ns <= cut->to_ns);
    *out = &s->base;
    return 0;
}

struct of_requests {
    struct request_source base;
    struct row_source *inner;
};

static int request_pull(struct request_source *self, struct trace_request *out, struct err *e)
{
    struct of_requests *s = (struct of_requests *)self;
    union trace_row row;
    int rc = s->inner->next(s->inner, &row, e);
    if (rc == 1)
        *out = row.request;
    return rc;
}

static void request_done(struct request_source *self)
{
    struct of_requests *s = (struct of_requests *)self;
    s->inner->close(s->inner);
    free(s);
}

int trace_rows_requests(struct request_source **out, struct row_source *inner, struct err *e)
{
    struct of_requests *s = calloc(1, sizeof *s);
    *out = NULL;
    assert(inner->table == TRACE_REQUESTS);
    if (!s) {
        inner->close(inner);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct request_source){request_pull, request_done, inner->expected};
    s->inner = inner;
    *out = &s->base;
    return 0;
}
