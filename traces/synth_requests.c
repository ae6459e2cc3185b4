/* synth_requests.c - the synthesizer of requests (synth.h) as one of the kinds. */
#include <stdlib.h>
#include <string.h>

#include "traces/synth_kinds.h"

struct over_requests {
    struct row_source base;
    struct request_source *inner;
    struct synth_params p;
    uint64_t seed;
};

static int pull(struct row_source *self, union trace_row *out, struct err *e)
{
    struct over_requests *s = (struct over_requests *)self;
    return s->inner->next(s->inner, &out->request, e);
}

static int begin_again(struct row_source *self, struct err *e)
{
    struct over_requests *s = (struct over_requests *)self;
    struct request_source *fresh;
    int rc = synth_open(&fresh, &s->p, s->seed, e);
    if (rc)
        return rc;
    s->inner->close(s->inner);
    s->inner = fresh;
    return 0;
}

static void done(struct row_source *self)
{
    struct over_requests *s = (struct over_requests *)self;
    s->inner->close(s->inner);
    free(s);
}

static int open_rows(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    struct over_requests *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->p = *(const struct synth_params *)params;
    s->seed = seed;
    int rc = synth_open(&s->inner, &s->p, seed, e);
    if (rc) {
        free(s);
        return rc;
    }
    s->base =
        (struct row_source){TRACE_REQUESTS, pull, begin_again, done, s->inner->expected, NULL};
    *out = &s->base;
    return 0;
}

static int read_params(const struct config *section, void *params, struct err *e)
{
    return synth_params_read(section, params, e);
}

static char *json(const void *params)
{
    return synth_params_json(params);
}

static uint64_t rows(const void *params)
{
    return ((const struct synth_params *)params)->requests;
}

static void set_rows(void *params, uint64_t n)
{
    ((struct synth_params *)params)->requests = n;
}

static double span_s(const void *params)
{
    const struct synth_params *p = params;
    return (double)p->requests / p->rate_per_s;
}

static const char *name_of(const void *params)
{
    return ((const struct synth_params *)params)->preset;
}

static bool seeded(const void *params, uint64_t *seed)
{
    const struct synth_params *p = params;
    if (p->seeded)
        *seed = p->seed;
    return p->seeded;
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    const struct synth_preset *known = synth_preset_at(i);
    if (!known)
        return false;
    *what = (struct synth_named){known->name, known->title, known->source};
    if (params)
        *(struct synth_params *)params = known->params;
    return true;
}

const struct synth_kind synth_kind_requests = {.table = TRACE_REQUESTS,
                                               .read = read_params,
                                               .json = json,
                                               .open = open_rows,
                                               .set_rows = set_rows,
                                               .rows = rows,
                                               .span_s = span_s,
                                               .name = name_of,
                                               .seeded = seeded,
                                               .preset_at = preset_at};
