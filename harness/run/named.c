#include "harness/run/named.h"

#include <stdlib.h>

#define NAMES_MAX 256

const struct config *named_at(const struct setup *s, enum named_kind kind)
{
    return kind == NAMED_PROGRAMS ? s->programs : s->tables;
}

unsigned named_rows(enum named_kind kind)
{
    return 1u << (kind == NAMED_PROGRAMS ? TRACE_OPS : TRACE_COSTS);
}

static int fits(enum named_kind kind, const struct setup *s, struct err *e)
{
    const struct model_ops *m = s->model;
    int (*ask)(const struct config *, const struct config *, struct err *) =
        kind == NAMED_PROGRAMS ? m->programs : m->tables;
    return ask ? ask(s->section, named_at(s, kind), e) : 0;
}

int named_check(enum named_kind kind, const struct setup *s, const struct trace_places *where,
                struct textset *seen, struct err *e)
{
    const struct config *all = named_at(s, kind);
    int rc = fits(kind, s, e);
    if (rc || !all)
        return rc;
    if (config_kind(all) != CONFIG_OBJECT || config_count(all) == 0 ||
        config_count(all) > NAMES_MAX)
        return config_complain(all, e, "an object of 1 to 256 trace sections by name");
    for (size_t i = 0; i < config_count(all); i++) {
        const struct config *at = config_at(all, i);
        enum trace_table table;
        bool is_new;
        if (config_kind(at) != CONFIG_OBJECT)
            return config_complain(at, e, "a trace section");
        if ((rc = textset_add(seen, config_text(at), &is_new, e)) ||
            (is_new && (rc = trace_rows_check(at, named_rows(kind), where, &table, e))))
            return rc;
    }
    return 0;
}

int named_open(struct named *p, enum named_kind kind, const struct setup *s, uint64_t seed,
               const struct trace_places *where, struct err *e)
{
    const struct config *all = named_at(s, kind);
    const size_t n = all ? config_count(all) : 0;
    struct trace_about about;
    int rc = 0;
    if (n && !(p->v = calloc(n, sizeof *p->v)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < n && !rc; i++) {
        const struct config *at = config_at(all, i);
        p->v[i].name = config_key(at);
        rc = trace_rows_open(at, named_rows(kind), seed, where, &p->v[i].rows, &about, e);
        p->n += !rc;
    }
    return rc;
}

void named_close(struct named *p)
{
    for (size_t i = 0; i < p->n; i++)
        p->v[i].rows->close(p->v[i].rows);
    free(p->v);
    *p = (struct named){0};
}
