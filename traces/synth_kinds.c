/* synth_kinds.c - which synthesizer reads a section. */
#include "traces/synth_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/schema.h"

static const struct synth_kind *const kinds[] = {
    &synth_kind_requests, &synth_kind_io,  &synth_kind_pages, &synth_kind_sched,
    &synth_kind_vms,      &synth_kind_ops, &synth_kind_jobs,  &synth_kind_nodes};
#define SPAN_MAX_S 1e9
#define KINDS      (sizeof kinds / sizeof *kinds)

const struct synth_kind *synth_kind_at(size_t i)
{
    return i < KINDS ? kinds[i] : NULL;
}

const struct synth_kind *synth_kind_of(enum trace_table table)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i]->table == table)
            return kinds[i];
    return NULL;
}

/* Which of the kind's presets it is; SIZE_MAX: none. */
static size_t preset_named(const struct synth_kind *k, const char *name)
{
    struct synth_named p;
    for (size_t i = 0; k->preset_at(i, &p, NULL); i++)
        if (!strcmp(p.name, name))
            return i;
    return SIZE_MAX;
}

static const struct synth_kind *kind_with_preset(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (preset_named(kinds[i], name) != SIZE_MAX)
            return kinds[i];
    return NULL;
}

int synth_any_preset(const char *name, struct synth_any *s, struct err *e)
{
    struct synth_named p;
    const struct synth_kind *k = kind_with_preset(name);
    if (!k)
        return err_set(e, ERR_ENAME, "no preset \"%s\"; malv trace synth --help lists them", name);
    s->table = k->table;
    (void)k->preset_at(preset_named(k, name), &p, &s->p);
    return 0;
}

static int no_preset(const struct synth_kind *k, const char *name, struct err *e)
{
    struct synth_named p;
    char known[400];
    size_t at = 0;
    for (size_t i = 0; k->preset_at(i, &p, NULL) && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", p.name);
    return err_set(e, ERR_ENAME, "no preset \"%s\"; known are %s", name, known);
}

int synth_preset_read(const struct config *section, const struct synth_kind *k, void *params,
                      struct err *e)
{
    const struct config *preset =
        config_kind(section) == CONFIG_OBJECT ? config_get(section, "preset") : NULL;
    struct synth_named p;
    const char *name;
    int rc = preset ? config_str(preset, &name, e) : 0;
    if (!preset || rc)
        return rc;
    if (!k->preset_at(preset_named(k, name), &p, params))
        return err_wrap(e, no_preset(k, name, e), "%s", config_path(preset));
    return 0;
}

int synth_name_check(const struct config *at, const char *name, size_t room, struct err *e)
{
    const size_t len = strlen(name);
    const char *fit = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
    if (len && len < room && strspn(name, fit) == len)
        return 0;
    return config_complain(at, e, "1..%zu letters, digits and any of _-./", room - 1);
}

static int table_named(const struct config *c, enum trace_table *out, struct err *e)
{
    const char *names[KINDS + 1] = {NULL};
    int at = 0;
    for (size_t i = 0; i < KINDS; i++)
        names[i] = trace_schemas[kinds[i]->table].table;
    int rc = config_choice(c, names, &at, e);
    *out = rc ? TRACE_REQUESTS : kinds[at]->table;
    return rc;
}

int synth_any_read(const struct config *section, struct synth_any *s, struct err *e)
{
    const struct config *table = NULL, *preset = NULL;
    const struct synth_kind *k = NULL;
    const char *name;
    s->table = TRACE_REQUESTS;
    if (config_kind(section) == CONFIG_OBJECT) {
        table = config_get(section, "table");
        preset = config_get(section, "preset");
    }
    int rc = table ? table_named(table, &s->table, e) : 0;
    if (!rc && !table && preset && !(rc = config_str(preset, &name, e)) &&
        (k = kind_with_preset(name)))
        s->table = k->table;
    if (rc || (rc = synth_kind_of(s->table)->read(section, &s->p, e)))
        return rc;
    if (s->table != TRACE_REQUESTS && synth_kind_of(s->table)->span_s(&s->p) > SPAN_MAX_S)
        return config_complain(section, e, "a trace of at most %.0g s: times count ns in 64 bits",
                               SPAN_MAX_S);
    return 0;
}

const char *synth_any_source(const struct synth_any *s)
{
    const struct synth_kind *k = synth_kind_of(s->table);
    struct synth_named p;
    return k->preset_at(preset_named(k, k->name(&s->p)), &p, NULL) ? p.source : NULL;
}
