/* facts.c - the list of facts. */
#include "traces/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void facts_free(struct facts *f)
{
    free(f->fact);
    *f = (struct facts){0};
}

static struct fact *add(struct facts *f, const char *group, const char *key, enum fact_kind kind)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 64;
        struct fact *more = realloc(f->fact, cap * sizeof *more);
        if (!more) {
            f->failed = true;
            return NULL;
        }
        f->fact = more;
        f->cap = cap;
    }
    struct fact *a = &f->fact[f->n++];
    memset(a, 0, sizeof *a);
    a->kind = kind;
    snprintf(a->group, sizeof a->group, "%s", group);
    snprintf(a->key, sizeof a->key, "%s", key);
    return a;
}

void facts_integer(struct facts *f, const char *group, const char *key, uint64_t v)
{
    struct fact *a = add(f, group, key, FACT_INTEGER);
    if (a)
        a->integer = v;
}

void facts_number(struct facts *f, const char *group, const char *key, double v)
{
    struct fact *a = add(f, group, key, FACT_NUMBER);
    if (a)
        a->number = v;
}

void facts_bool(struct facts *f, const char *group, const char *key, bool v)
{
    struct fact *a = add(f, group, key, FACT_BOOL);
    if (a)
        a->integer = v;
}

void facts_text(struct facts *f, const char *group, const char *key, const char *v)
{
    struct fact *a = add(f, group, key, FACT_TEXT);
    if (a)
        snprintf(a->text, sizeof a->text, "%s", v);
}

const struct fact *facts_find(const struct facts *f, const char *group, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->fact[i].group, group) && !strcmp(f->fact[i].key, key))
            return &f->fact[i];
    return NULL;
}
