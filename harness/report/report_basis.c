#include "harness/report/report_basis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"

/* A member as text, whatever its kind; "" when absent. */
static char *member(const struct config *obj, const char *key)
{
    const struct config *c = config_get(obj, key);
    const char *s;
    if (!c)
        return strdup("");
    if (config_kind(c) == CONFIG_STRING && !config_str(c, &s, NULL))
        return strdup(s);
    return config_text(c);
}

/* The path inside the document, without the file that config_path puts first. */
static char *path_of(const struct config *c)
{
    const char *path = config_path(c), *colon = strstr(path, ": ");
    return strdup(colon ? colon + 2 : path);
}

static int add_constant(struct basis *b, const struct config *c, struct err *e)
{
    struct basis_constant *grown = realloc(b->constant, (b->n + 1) * sizeof *grown);
    if (!grown)
        return err_set(e, ERR_ENOMEM, "out of memory");
    b->constant = grown;
    struct basis_constant *new = &b->constant[b->n++];
    *new = (struct basis_constant){path_of(c),          member(c, "value"),    member(c, "unit"),
                                   member(c, "source"), member(c, "evidence"), false};
    if (!new->path || !new->value || !new->unit || !new->source || !new->evidence)
        return err_set(e, ERR_ENOMEM, "out of memory");
    b->assumed += !strcmp(new->evidence, "assumed");
    b->published += !strcmp(new->evidence, "published");
    b->measured += !strcmp(new->evidence, "measured");
    return 0;
}

static int walk(struct basis *b, const struct config *c, struct err *e)
{
    const enum config_kind kind = config_kind(c);
    int rc = 0;
    if (kind != CONFIG_OBJECT && kind != CONFIG_ARRAY)
        return 0;
    if (kind == CONFIG_OBJECT && config_get(c, "evidence"))
        rc = add_constant(b, c, e);
    for (size_t i = 0; !rc && i < config_count(c); i++)
        rc = walk(b, config_at(c, i), e);
    return rc;
}

static void mark_used(struct basis *b, const struct measures *m)
{
    for (size_t i = 0; m && i < m->n_incident; i++)
        for (size_t k = 0; !strcmp(m->incident[i].kind, "assumed") && k < b->n; k++)
            if (!b->constant[k].used && !strcmp(b->constant[k].path, m->incident[i].who)) {
                b->constant[k].used = true;
                b->used++;
            }
}

int basis_find(struct basis *b, const struct result_set *rs, struct err *e)
{
    struct config *c;
    *b = (struct basis){0};
    if (!rs->machine_json || !*rs->machine_json)
        return 0;
    int rc = config_parse(&c, "machine", rs->machine_json, strlen(rs->machine_json), e);
    if (rc)
        return rc;
    rc = walk(b, c, e);
    config_free(c);
    for (size_t i = 0; !rc && i < rs->n_trial; i++)
        mark_used(b, rs->trial[i].measures);
    if (rc)
        basis_free(b);
    return rc;
}

void basis_free(struct basis *b)
{
    for (size_t i = 0; i < b->n; i++) {
        free(b->constant[i].path);
        free(b->constant[i].value);
        free(b->constant[i].unit);
        free(b->constant[i].source);
        free(b->constant[i].evidence);
    }
    free(b->constant);
    *b = (struct basis){0};
}
