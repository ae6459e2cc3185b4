/* facts.c - the list of facts. */
#include "traces/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/parse.h"

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

/* One KEY=VALUE of n bytes; a whole number is one. */
static void note(struct facts *f, const char *group, const char *item, size_t n)
{
    char key[80], value[80];
    const char *is = memchr(item, '=', n);
    uint64_t v;
    if (!is)
        return;
    size_t len = (size_t)(item + n - is - 1);
    snprintf(key, sizeof key, "%.*s", (int)(is - item < 79 ? is - item : 79), item);
    snprintf(value, sizeof value, "%.*s", (int)(len < 79 ? len : 79), is + 1);
    if (parse_u64(value, strlen(value), UINT64_MAX, &v))
        facts_integer(f, group, key, v);
    else
        facts_text(f, group, key, value);
}

void facts_notes(struct facts *f, const char *notes)
{
    char group[80];
    for (const char *p = notes; *p; p += *p == ';') {
        const char *end = p + strcspn(p, ";"), *colon = memchr(p, ':', (size_t)(end - p));
        size_t n = colon ? (size_t)(colon - p) : 0;
        snprintf(group, sizeof group, "%.*s", (int)(n < 79 ? n : 79), p);
        for (p = colon ? colon + 1 : p; p < end; p += *p == ',') {
            size_t len = strcspn(p, colon ? ",;" : ";");
            note(f, group, p, len);
            p += len;
        }
    }
}

const struct fact *facts_find(const struct facts *f, const char *group, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (!strcmp(f->fact[i].group, group) && !strcmp(f->fact[i].key, key))
            return &f->fact[i];
    return NULL;
}
