#include "harness/run/programs.h"

#include <stdlib.h>

#define TABLES    (1u << TRACE_OPS)
#define NAMES_MAX 256

int programs_check(const struct setup *s, const struct trace_places *where, struct textset *seen,
                   struct err *e)
{
    int rc = s->model->programs ? s->model->programs(s->section, s->programs, e) : 0;
    if (rc || !s->programs)
        return rc;
    if (config_kind(s->programs) != CONFIG_OBJECT || config_count(s->programs) == 0 ||
        config_count(s->programs) > NAMES_MAX)
        return config_complain(s->programs, e, "an object of 1 to 256 trace sections by name");
    for (size_t i = 0; i < config_count(s->programs); i++) {
        const struct config *at = config_at(s->programs, i);
        enum trace_table table;
        bool is_new;
        if (config_kind(at) != CONFIG_OBJECT)
            return config_complain(at, e, "a trace section");
        if ((rc = textset_add(seen, config_text(at), &is_new, e)) ||
            (is_new && (rc = trace_rows_check(at, TABLES, where, &table, e))))
            return rc;
    }
    return 0;
}

int programs_open(struct programs *p, const struct setup *s, uint64_t seed,
                  const struct trace_places *where, struct err *e)
{
    const size_t n = s->programs ? config_count(s->programs) : 0;
    struct trace_about about;
    int rc = 0;
    if (n && !(p->v = calloc(n, sizeof *p->v)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < n && !rc; i++) {
        const struct config *at = config_at(s->programs, i);
        p->v[i].name = config_key(at);
        rc = trace_rows_open(at, TABLES, seed, where, &p->v[i].rows, &about, e);
        p->n += !rc;
    }
    return rc;
}

void programs_close(struct programs *p)
{
    for (size_t i = 0; i < p->n; i++)
        p->v[i].rows->close(p->v[i].rows);
    free(p->v);
    *p = (struct programs){0};
}
