/* source_streams.c - rows out of an importer, out of a store, and a cut of either. */
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

int source_over_import(struct row_source **out, const char *path,
                       const struct import_format *format, uint64_t skip_bad, struct err *e)
{
    struct over_import *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s || !(s->path = strdup(path))) {
        free(s);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct row_source){format->table, import_pull, import_again, import_done, 0};
    s->format = format;
    s->skip_bad = skip_bad;
    int rc = import_open(&s->im, path, format, skip_bad, e);
    if (rc)
        import_done(&s->base);
    else
        *out = &s->base;
    return rc;
}

struct over_store {
    struct row_source base;
    struct store_reader *r;
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
    store_close(((struct over_store *)self)->r);
    free(self);
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
    s->base =
        (struct row_source){store_table(r), store_pull, store_again, store_done, store_rows(r)};
    s->r = r;
    s->from_ns = from_ns;
    int rc = store_again(&s->base, e);
    if (rc)
        store_done(&s->base);
    else
        *out = &s->base;
    return rc;
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
    s->base = (struct row_source){inner->table, cut_pull, cut_again, cut_done, 0};
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
