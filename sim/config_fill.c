/* config_fill.c - looking things up, scalars with complaints, objects by table. */
#include "sim/config_tree.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/near.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53: the largest integer JSON's doubles hold exactly */

enum config_kind config_kind(const struct config *c)
{
    return c->kind;
}
const char *config_key(const struct config *c)
{
    return c->key;
}
size_t config_count(const struct config *c)
{
    return c->n_child;
}

const struct config *config_at(const struct config *c, size_t i)
{
    return i < c->n_child ? c->child[i] : NULL;
}

const struct config *config_get(const struct config *c, const char *key)
{
    for (size_t i = 0; i < c->n_child; i++)
        if (c->child[i]->key && !strcmp(c->child[i]->key, key))
            return c->child[i];
    return NULL;
}

static const struct config *root_of(const struct config *c)
{
    while (c->parent)
        c = c->parent;
    return c;
}

/* "a.b[2]" of c, without the document's name. */
static void write_path(const struct config *c, FILE *f)
{
    if (!c->parent)
        return;
    write_path(c->parent, f);
    if (c->key)
        fprintf(f, "%s%s", c->parent->parent ? "." : "", c->key);
    else
        fprintf(f, "[%zu]", c->index);
}

const char *config_path(const struct config *c)
{
    if (c->path)
        return c->path;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return "";
    const struct config *root = root_of(c);
    fputs(root->name ? root->name : "", f);
    if (c->parent)
        fputs(": ", f);
    write_path(c, f);
    fclose(f);
    ((struct config *)c)->path = text; /* a cache: the value does not change */
    return text ? text : "";
}

static void describe(const struct config *c, char *out, size_t n)
{
    char number[40];
    switch (c->kind) {
    case CONFIG_NULL:
        snprintf(out, n, "null");
        break;
    case CONFIG_BOOL:
        snprintf(out, n, "%s", c->truth ? "true" : "false");
        break;
    case CONFIG_NUMBER:
        config_number_text(c->number, number, sizeof number);
        snprintf(out, n, "%s", number);
        break;
    case CONFIG_STRING:
        snprintf(out, n, "\"%.60s\"", c->string);
        break;
    case CONFIG_ARRAY:
        snprintf(out, n, "an array of %zu", c->n_child);
        break;
    case CONFIG_OBJECT:
        snprintf(out, n, "an object");
        break;
    }
}

int config_complain(const struct config *c, struct err *e, const char *want_fmt, ...)
{
    char want[256], got[80];
    va_list ap;
    va_start(ap, want_fmt);
    vsnprintf(want, sizeof want, want_fmt, ap);
    va_end(ap);
    describe(c, got, sizeof got);
    return err_set(e, ERR_ERANGE, "%s: got %s, want %s", config_path(c), got, want);
}

int config_f64(const struct config *c, double lo, double hi, double *out, struct err *e)
{
    if (c->kind == CONFIG_NUMBER && c->number >= lo && c->number <= hi) {
        *out = c->number;
        return 0;
    }
    char a[40], b[40];
    config_number_text(lo, a, sizeof a);
    config_number_text(hi, b, sizeof b);
    return config_complain(c, e, "a number %s..%s", a, b);
}

int config_u64(const struct config *c, uint64_t lo, uint64_t hi, uint64_t *out, struct err *e)
{
    double v = c->number;
    if (c->kind == CONFIG_NUMBER && v >= 0 && v <= EXACT_MAX && v == floor(v) &&
        (uint64_t)v >= lo && (uint64_t)v <= hi) {
        *out = (uint64_t)v;
        return 0;
    }
    if ((double)hi >= EXACT_MAX)
        hi = (uint64_t)EXACT_MAX;
    return config_complain(c, e, "an integer %llu..%llu", (unsigned long long)lo,
                           (unsigned long long)hi);
}

int config_bool(const struct config *c, bool *out, struct err *e)
{
    if (c->kind != CONFIG_BOOL)
        return config_complain(c, e, "true or false");
    *out = c->truth;
    return 0;
}

int config_str(const struct config *c, const char **out, struct err *e)
{
    if (c->kind != CONFIG_STRING)
        return config_complain(c, e, "a string");
    *out = c->string;
    return 0;
}

int config_choice(const struct config *c, const char *const *names, int *out, struct err *e)
{
    char list[200] = "";
    for (int i = 0; names[i]; i++) {
        if (c->kind == CONFIG_STRING && !strcmp(c->string, names[i])) {
            *out = i;
            return 0;
        }
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s\"%s\"", i ? ", " : "", names[i]);
    }
    return config_complain(c, e, "one of %s", list);
}

static int fill_one(const struct config *c, const struct config_field *f, void *at, struct err *e)
{
    uint64_t u = 0;
    int rc = 0;
    switch (f->type) {
    case CONFIG_T_U64:
        return config_u64(c, (uint64_t)f->min, (uint64_t)f->max, at, e);
    case CONFIG_T_U32:
        rc = config_u64(c, (uint64_t)f->min, (uint64_t)f->max, &u, e);
        if (!rc)
            *(uint32_t *)at = (uint32_t)u;
        return rc;
    case CONFIG_T_F64:
        return config_f64(c, f->min, f->max, at, e);
    case CONFIG_T_BOOL:
        return config_bool(c, at, e);
    case CONFIG_T_STR:
        return config_str(c, at, e);
    case CONFIG_T_ANY:
        *(const struct config **)at = c;
        return 0;
    }
    return rc;
}

static const struct config_field *find_field(const struct config_field *fields, const char *key)
{
    for (; fields->key; fields++)
        if (!strcmp(fields->key, key))
            return fields;
    return NULL;
}

static int unknown_key(const struct config *obj, const char *key, const struct config_field *fields,
                       struct err *e)
{
    struct near n;
    near_begin(&n, key);
    for (; fields->key; fields++)
        near_offer(&n, fields->key);
    return err_set(e, ERR_ENAME, "%s: unknown key \"%s\"%s", config_path(obj), key, near_words(&n));
}

int config_fill(const struct config *obj, const struct config_field *fields, void *out,
                struct err *e)
{
    if (obj->kind != CONFIG_OBJECT)
        return config_complain(obj, e, "an object");
    for (size_t i = 0; i < obj->n_child; i++) { /* a typo is never ignored */
        const struct config *c = obj->child[i];
        const struct config_field *f = find_field(fields, c->key);
        if (!f)
            return unknown_key(obj, c->key, fields, e);
        int rc = fill_one(c, f, (char *)out + f->offset, e);
        if (rc)
            return rc;
    }
    for (const struct config_field *f = fields; f->key; f++)
        if (f->required && !config_get(obj, f->key))
            return err_set(e, ERR_ENAME, "%s: key \"%s\" is missing", config_path(obj), f->key);
    return 0;
}
