/* machine_load.c - a profile's JSON into named constants. */
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include "models/machine.h"

static const struct {
    const char *name;
    enum quantity quantity;
    double base; /* one of it, in base units */
} units[] = {
    {"ps", QUANTITY_TIME, 1},      {"ns", QUANTITY_TIME, 1e3},      {"us", QUANTITY_TIME, 1e6},
    {"ms", QUANTITY_TIME, 1e9},    {"s", QUANTITY_TIME, 1e12},      {"B", QUANTITY_BYTES, 1},
    {"KiB", QUANTITY_BYTES, 1024}, {"MiB", QUANTITY_BYTES, 0x1p20}, {"GiB", QUANTITY_BYTES, 0x1p30},
    {"GB", QUANTITY_BYTES, 1e9},   {"GB/s", QUANTITY_RATE, 1e9},    {"MHz", QUANTITY_CLOCK, 1e6},
    {"GHz", QUANTITY_CLOCK, 1e9},  {"1", QUANTITY_COUNT, 1},
};

struct leaf { /* a cost or table as written */
    double value;
    const char *unit, *source, *note;
    const struct config *evidence, *x, *y;
};
static const struct config_field scalar_fields[] = {
    CONFIG_F64(struct leaf, value, 0, 1e15, true), CONFIG_STR(struct leaf, unit, true),
    CONFIG_STR(struct leaf, source, true),         CONFIG_ANY(struct leaf, evidence, true),
    CONFIG_STR(struct leaf, note, false),          CONFIG_END,
};
static const struct config_field table_fields[] = {
    CONFIG_ANY(struct leaf, x, true),
    CONFIG_ANY(struct leaf, y, true),
    CONFIG_STR(struct leaf, unit, true),
    CONFIG_STR(struct leaf, source, true),
    CONFIG_STR(struct leaf, note, false),
    CONFIG_ANY(struct leaf, evidence, true),
    CONFIG_END,
};

/* Units by name; the complaint lists them. */
static int read_unit(const struct config *obj, const char *unit, struct machine_cost *c,
                     double *base, struct err *e)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(units[i].name, unit)) {
            c->quantity = units[i].quantity;
            *base = units[i].base;
            return 0;
        }
    return config_complain(config_get(obj, "unit"), e,
                           "one of ps, ns, us, ms, s, B, KiB, MiB, GiB, GB, GB/s, MHz, GHz, 1");
}

static int read_evidence(const struct leaf *leaf, struct machine_cost *c, struct err *e)
{
    static const char *const names[] = {"measured", "published", "assumed", NULL};
    int v;
    int rc = config_choice(leaf->evidence, names, &v, e);
    if (!rc)
        c->evidence = (enum evidence)v;
    return rc;
}

static int read_knots(const struct leaf *leaf, struct machine_cost *c, double base, struct err *e)
{
    size_t n = config_count(leaf->x);
    if (config_kind(leaf->x) != CONFIG_ARRAY || !n)
        return config_complain(leaf->x, e, "an array of at least one ascending integer");
    if (config_kind(leaf->y) != CONFIG_ARRAY || config_count(leaf->y) != n)
        return config_complain(leaf->y, e, "an array as long as x (%zu)", n);
    c->n = n;
    c->x = calloc(n, sizeof *c->x);
    c->y = calloc(n, sizeof *c->y);
    if (!c->x || !c->y)
        return err_set(e, ERR_ENOMEM, "machine profile: out of memory");
    for (size_t i = 0; i < n; i++) {
        double y;
        int rc =
            config_u64(config_at(leaf->x, i), i ? c->x[i - 1] + 1 : 0, UINT32_MAX, &c->x[i], e);
        if (!rc)
            rc = config_f64(config_at(leaf->y, i), 0, MACHINE_MOST / base, &y, e);
        if (rc)
            return rc;
        c->y[i] = llround(y * base);
    }
    return 0;
}

static int read_leaf(const struct config *obj, struct machine_cost *c, struct err *e)
{
    struct leaf leaf = {0};
    double base = 1;
    bool table = !config_get(obj, "value");
    int rc = config_fill(obj, table ? table_fields : scalar_fields, &leaf, e);
    if (!rc)
        rc = read_unit(obj, leaf.unit, c, &base, e);
    if (!rc)
        rc = read_evidence(&leaf, c, e);
    if (!rc && !leaf.source[0])
        rc = config_complain(config_get(obj, "source"), e, "where the number comes from");
    if (!rc && table)
        rc = read_knots(&leaf, c, base, e);
    if (rc)
        return rc;
    c->value = leaf.value * base;
    if (c->quantity == QUANTITY_TIME && c->value > MACHINE_MOST)
        return config_complain(config_get(obj, "value"), e, "at most 10000 s");
    c->unit = strdup(leaf.unit);
    c->source = strdup(leaf.source);
    return c->unit && c->source ? 0 : err_set(e, ERR_ENOMEM, "machine profile: out of memory");
}

/* "prefix.key", malloc'd. */
static char *join(const char *prefix, const char *key)
{
    size_t n = strlen(prefix), k = strlen(key);
    char *s = malloc(n + k + 2);
    if (!s)
        return NULL;
    memcpy(s, prefix, n);
    if (n)
        s[n++] = '.';
    memcpy(s + n, key, k + 1);
    return s;
}

static int add_leaf(struct machine *m, const char *name, const struct config *obj, struct err *e)
{
    struct machine_cost *grown = realloc(m->cost, (m->n_cost + 1) * sizeof *grown);
    if (!grown)
        return err_set(e, ERR_ENOMEM, "machine profile: out of memory");
    m->cost = grown;
    struct machine_cost *c = &m->cost[m->n_cost++];
    *c = (struct machine_cost){.name = strdup(name)};
    if (!c->name)
        return err_set(e, ERR_ENOMEM, "machine profile: out of memory");
    return read_leaf(obj, c, e);
}

static bool is_leaf(const struct config *obj)
{
    return config_get(obj, "value") || config_get(obj, "x") || config_get(obj, "unit");
}

/* Sections nest a few deep at most; a hostile file must not nest us off the stack. */
static int walk(struct machine *m, const char *prefix, const struct config *obj, int depth,
                struct err *e)
{
    if (config_kind(obj) != CONFIG_OBJECT)
        return config_complain(obj, e,
                               "an object {value, unit, source, evidence} or a section of them");
    if (is_leaf(obj))
        return add_leaf(m, prefix, obj, e);
    if (depth > 8)
        return config_complain(obj, e, "sections nested at most 8 deep");
    for (size_t i = 0; i < config_count(obj); i++) {
        const struct config *child = config_at(obj, i);
        char *name = join(prefix, config_key(child));
        int rc = name ? walk(m, name, child, depth + 1, e)
                      : err_set(e, ERR_ENOMEM, "machine profile: out of memory");
        free(name);
        if (rc)
            return rc;
    }
    return 0;
}

struct head {
    const char *schema, *name, *title;
};
static const char *const head_keys[] = {"schema", "name", "title"};

static bool in_head(const char *key)
{
    for (size_t i = 0; i < sizeof head_keys / sizeof *head_keys; i++)
        if (!strcmp(key, head_keys[i]))
            return true;
    return false;
}

static int read_head(struct head *h, const struct config *json, struct err *e)
{
    const char **to[] = {&h->schema, &h->name, &h->title};
    if (config_kind(json) != CONFIG_OBJECT)
        return config_complain(json, e, "an object");
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        const struct config *at = config_get(json, head_keys[i]);
        int rc = at ? config_str(at, to[i], e) : 0;
        if (rc)
            return rc;
        if (!*to[i])
            return err_set(e, ERR_ENAME, "%s: key \"%s\" is missing", config_path(json),
                           head_keys[i]);
    }
    return 0;
}

/* Everything beside the head is a section: which ones there must be, the models say. */
static int load(struct machine *m, const struct config *json, struct err *e)
{
    struct head h = {.title = ""};
    int rc = read_head(&h, json, e);
    if (rc)
        return rc;
    if (strcmp(h.schema, "malv-machine/1"))
        return config_complain(config_get(json, "schema"), e, "\"malv-machine/1\"");
    m->name = strdup(h.name);
    m->title = strdup(h.title);
    if (!m->name || !m->title)
        return err_set(e, ERR_ENOMEM, "machine profile: out of memory");
    for (size_t i = 0; i < config_count(json) && !rc; i++) {
        const struct config *section = config_at(json, i);
        if (!in_head(config_key(section)))
            rc = walk(m, config_key(section), section, 0, e);
    }
    return rc;
}

int machine_load(struct machine **m, const struct config *json, struct err *e)
{
    *m = calloc(1, sizeof **m);
    if (!*m)
        return err_set(e, ERR_ENOMEM, "machine profile: out of memory");
    int rc = load(*m, json, e);
    if (rc) {
        machine_free(*m);
        *m = NULL;
    }
    return rc;
}
