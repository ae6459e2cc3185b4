/* source_streams.c - requests out of an importer, out of a store, and a cut of either. */
#include <assert.h>
#include <stdlib.h>

#include "traces/source_section.h"

struct over_import {
    struct request_source base;
    struct importer *im;
};

static int import_pull(struct request_source *self, struct trace_request *out, struct err *e)
{
    union trace_row row;
    int rc = import_next(((struct over_import *)self)->im, &row, e);
    if (rc == 1)
        *out = row.request;
    return rc;
}

static void import_done(struct request_source *self)
{
    import_close(((struct over_import *)self)->im);
    free(self);
}

int source_over_import(struct request_source **out, struct importer *im, struct err *e)
{
    struct over_import *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        import_close(im);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct request_source){import_pull, import_done, 0};
    s->im = im;
    *out = &s->base;
    return 0;
}

struct over_store {
    struct request_source base;
    struct store_reader *r;
};

static int store_pull(struct request_source *self, struct trace_request *out, struct err *e)
{
    union trace_row row;
    int rc = store_next(((struct over_store *)self)->r, &row, e);
    if (rc == 1)
        *out = row.request;
    return rc;
}

static void store_done(struct request_source *self)
{
    store_close(((struct over_store *)self)->r);
    free(self);
}

int source_over_store(struct request_source **out, struct store_reader *r, struct err *e)
{
    struct over_store *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        store_close(r);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct request_source){store_pull, store_done, store_rows(r)};
    s->r = r;
    *out = &s->base;
    return 0;
}

struct cut {
    struct request_source base, *inner;
    struct source_cut c;
    uint64_t per_million; /* the rate scale in parts per million: times stay exact integers */
    uint64_t given;
};

__extension__ typedef unsigned __int128 u128;

/* 1 it is in, 0 pass it over, -1 the window is over. */
static int judge(const struct cut *s, const struct trace_request *r)
{
    if (r->time_ns >= s->c.to_ns)
        return -1;
    if (r->time_ns < s->c.from_ns)
        return 0;
    return s->c.keep_failed || r->output_tokens > 0;
}

static int cut_pull(struct request_source *self, struct trace_request *out, struct err *e)
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
        out->time_ns -= s->c.from_ns;
        if (s->per_million != 1000000)
            out->time_ns = (uint64_t)((u128)out->time_ns * 1000000 / s->per_million);
        s->given++;
        return 1;
    }
}

static void cut_done(struct request_source *self)
{
    struct cut *s = (struct cut *)self;
    s->inner->close(s->inner);
    free(s);
}

static bool does_nothing(const struct source_cut *c)
{
    return c->from_ns == 0 && c->to_ns == UINT64_MAX && c->rate_scale == 1 && !c->limit &&
           c->keep_failed;
}

int source_cut(struct request_source **out, struct request_source *inner,
               const struct source_cut *cut, struct err *e)
{
    *out = inner;
    if (does_nothing(cut))
        return 0;
    struct cut *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        inner->close(inner);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    s->base = (struct request_source){cut_pull, cut_done, 0};
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
