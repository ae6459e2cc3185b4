#include "traces/column_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TIME, SPAN, SHARE, MILLI, BYTES, COUNT, TEXT };

struct map_table {
    const char *name, *title;
    const struct import_format *format;
    int (*open)(struct importer *im, struct err *e);
    int (*row)(struct importer *im, union trace_row *out, struct err *e);
    void (*head)(struct exporter *x);
    void (*put)(struct exporter *x, const union trace_row *row); /* NULL: it is read only */
    int (*check)(const struct column_map *m, const struct config *at, struct err *e);
    int n;
    struct {
        const char *name;
        enum kind kind;
    } field[MAP_FIELDS];
};

static int check_jobs(const struct column_map *m, const struct config *at, struct err *e);
static int check_requests(const struct column_map *m, const struct config *at, struct err *e);

static const struct map_table tables[] = {
    {.name = "jobs",
     .title = "jobs by a column map",
     .format = &import_jobs_map,
     .open = jobs_map_open,
     .row = jobs_map_row,
     .head = jobs_map_head,
     .put = jobs_map_put,
     .check = check_jobs,
     .n = JOBS_FIELDS,
     .field = {[JOBS_SUBMIT] = {"submit", TIME},
               [JOBS_START] = {"start", TIME},
               [JOBS_END] = {"end", TIME},
               [JOBS_DURATION] = {"duration", SPAN},
               [JOBS_WAIT] = {"wait", SPAN},
               [JOBS_GPUS] = {"gpus", SHARE},
               [JOBS_GPU_MILLI] = {"gpu_milli", MILLI},
               [JOBS_CPUS] = {"cpus", SHARE},
               [JOBS_MEM] = {"mem", BYTES},
               [JOBS_USER] = {"user", TEXT},
               [JOBS_GROUP] = {"group", TEXT},
               [JOBS_GPU_TYPE] = {"gpu_type", TEXT},
               [JOBS_STATUS] = {"status", TEXT},
               [JOBS_QOS] = {"qos", TEXT},
               [JOBS_NAME] = {"name", TEXT}}},
    {.name = "requests",
     .title = "requests by a column map",
     .format = &import_requests_map,
     .open = requests_map_open,
     .row = requests_map_row,
     .check = check_requests,
     .n = REQUESTS_FIELDS,
     .field = {[REQUESTS_ARRIVAL] = {"arrival", TIME},
               [REQUESTS_PROMPT] = {"prompt_tokens", COUNT},
               [REQUESTS_OUTPUT] = {"output_tokens", COUNT},
               [REQUESTS_TENANT] = {"tenant", TEXT},
               [REQUESTS_MODEL] = {"model", TEXT},
               [REQUESTS_SESSION] = {"session", TEXT}}},
};
#define TABLES ((int)(sizeof tables / sizeof *tables))

#define MS UINT64_C(1000000)
static const struct unit {
    const char *name;
    uint64_t scale;
} time_units[] = {{"ns", 1},           {"us", 1000},        {"ms", MS},      {"s", 1000 * MS},
                  {"min", 60000 * MS}, {"h", 3600000 * MS}, {"datetime", 1}, {NULL, 0}},
  share_units[] = {{"1", 1000}, {"percent", 10}, {"milli", 1}, {NULL, 0}},
  milli_units[] = {{"milli", 1}, {NULL, 0}},
  byte_units[] = {{"B", 1},     {"KiB", 1 << 10}, {"MiB", 1 << 20},  {"GiB", 1 << 30},
                  {"KB", 1000}, {"MB", MS},       {"GB", 1000 * MS}, {NULL, 0}};
static const struct unit *const units_of[] = {time_units, time_units, share_units, milli_units,
                                              byte_units, NULL,       NULL};
#define SPAN_UNITS 6 /* without datetime */

const char *column_map_field_name(const struct column_map *m, int field)
{
    return m->table->field[field].name;
}

/* Copies a text that must have room and no NUL or line end of its own. */
static int copy(char *to, size_t room, const struct config *at, const char *s, struct err *e)
{
    if (strlen(s) >= room || strpbrk(s, "\r\n"))
        return config_complain(at, e, "one line of at most %zu characters", room - 1);
    snprintf(to, room, "%s", s);
    return 0;
}

static int text(const struct config *map, const char *key, char *to, size_t room, struct err *e)
{
    const struct config *at = config_get(map, key);
    const char *s;
    int rc = at ? config_str(at, &s, e) : 0;
    return rc || !at ? rc : copy(to, room, at, s, e);
}

/* A list of up to `max` texts of `room` characters, one after the other in `to`. */
static int texts(const struct config *at, char *to, size_t room, int max, int *n, struct err *e)
{
    if (!at)
        return 0;
    if (config_kind(at) != CONFIG_ARRAY || config_count(at) > (size_t)max)
        return config_complain(at, e, "a list of at most %d texts", max);
    int rc = 0;
    for (*n = 0; *n < (int)config_count(at) && !rc; ++*n) {
        const struct config *item = config_at(at, (size_t)*n);
        const char *s;
        rc = config_str(item, &s, e);
        if (!rc)
            rc = copy(to + room * (size_t)*n, room, item, s, e);
    }
    return rc;
}

static int unit(const struct config *at, const struct config *said, enum kind kind,
                struct map_field *f, struct err *e)
{
    const char *names[8] = {0};
    const struct unit *all = units_of[kind];
    int n = 0, chosen = 0;
    for (; all[n].name && (kind != SPAN || n < SPAN_UNITS); n++)
        names[n] = all[n].name;
    if (!said && kind != SHARE && kind != MILLI)
        return config_complain(at, e, "a \"unit\" beside the column");
    int rc = said ? config_choice(said, names, &chosen, e) : 0;
    f->scale = all[chosen].scale;
    f->datetime = !strcmp(all[chosen].name, "datetime");
    return rc;
}

struct field_text {
    const char *column, *times;
    const struct config *unit;
};

static int read_field(const struct config *at, enum kind kind, struct map_field *f, struct err *e)
{
    static const struct config_field keys[] = {
        CONFIG_STR(struct field_text, column, true),
        CONFIG_STR(struct field_text, times, false),
        CONFIG_ANY(struct field_text, unit, false),
        CONFIG_END,
    };
    struct field_text t = {0};
    if (config_kind(at) == CONFIG_NUMBER && (kind == SHARE || kind == MILLI)) {
        int rc = config_u64(at, 0, kind == SHARE ? 1 << 16 : 1000, &f->constant, e);
        f->constant *= kind == SHARE ? 1000 : 1;
        return rc;
    }
    int rc = config_fill(at, keys, &t, e);
    if (rc || (rc = copy(f->column, sizeof f->column, at, t.column, e)) ||
        (rc = t.times ? copy(f->times, sizeof f->times, at, t.times, e) : 0))
        return rc;
    if (!*f->column)
        return config_complain(config_get(at, "column"), e, "the name of a column");
    if (t.times && kind != SHARE && kind != BYTES)
        return config_complain(config_get(at, "times"), e, "none: only gpus, cpus and mem");
    if (t.unit && !units_of[kind])
        return config_complain(t.unit, e, "none: it is a %s", kind == TEXT ? "text" : "number");
    return units_of[kind] ? unit(at, t.unit, kind, f, e) : 0;
}

static bool given(const struct column_map *m, int f)
{
    return *m->field[f].column;
}

static int check_requests(const struct column_map *m, const struct config *at, struct err *e)
{
    for (int i = REQUESTS_ARRIVAL; i <= REQUESTS_OUTPUT; i++)
        if (!given(m, i))
            return config_complain(at, e, "a field \"%s\"", column_map_field_name(m, i));
    return 0;
}

static int check_jobs(const struct column_map *m, const struct config *at, struct err *e)
{
    static const enum jobs_field times[] = {JOBS_START, JOBS_END};
    if (!given(m, JOBS_SUBMIT))
        return config_complain(at, e, "a field \"submit\"");
    if (given(m, JOBS_END) && !given(m, JOBS_START) && !given(m, JOBS_DURATION))
        return config_complain(at, e, "\"start\" beside \"end\"");
    for (int i = 0; i < 2; i++)
        if (given(m, times[i]) && m->field[times[i]].datetime != m->field[JOBS_SUBMIT].datetime)
            return config_complain(config_get(at, column_map_field_name(m, times[i])), e,
                                   "datetime as \"submit\", or neither");
    return 0;
}

/* A column that the list of them lacks would never be found. */
static int check_columns(const struct column_map *m, const struct config *at, bool header,
                         struct err *e)
{
    if (!header && !m->n_columns)
        return config_complain(at, e, "\"columns\", as the file has no line of names");
    for (int i = 0; i < m->table->n && m->n_columns; i++) {
        const char *const want[] = {m->field[i].column, m->field[i].times};
        for (int k = 0; k < 2; k++) {
            bool is = !*want[k];
            for (int c = 0; c < m->n_columns && !is; c++)
                is = !strcmp(m->column[c], want[k]);
            if (!is)
                return config_complain(config_get(at, column_map_field_name(m, i)), e,
                                       "columns that \"columns\" lists");
        }
    }
    return 0;
}

static int refuse_unknown(const struct map_table *t, const struct config *at, struct err *e)
{
    static const char *const words[] = {"table",   "title",  "source",  "licence",
                                        "columns", "header", "missing", "label"};
    for (size_t i = 0; i < config_count(at); i++) {
        const struct config *c = config_at(at, i);
        bool known = false;
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            known |= !strcmp(config_key(c), words[k]);
        for (int k = 0; k < t->n; k++)
            known |= !strcmp(config_key(c), t->field[k].name);
        if (!known)
            return err_set(e, ERR_ENAME, "%s: unknown key", config_path(c));
    }
    return 0;
}

static void dress(struct column_map *m, bool header)
{
    bool times = false;
    for (int i = 0; i < MAP_FIELDS; i++)
        times |= *m->field[i].times != 0;
    m->format = *m->table->format;
    m->format.title = m->title;
    m->format.source = m->source;
    m->format.licence = m->licence;
    m->format.open = m->table->open;
    m->format.row = m->table->row;
    m->format.bare = header ? 0 : m->n_columns;
    m->format.head = header ? m->table->head : NULL;
    m->format.put = times ? NULL : m->table->put; /* what was multiplied is not known apart */
}

static int table_of(const struct config *at, const struct map_table **t, struct err *e)
{
    const char *const names[] = {tables[0].name, tables[1].name, NULL};
    int which = 0;
    if (config_kind(at) != CONFIG_OBJECT)
        return config_complain(at, e, "a column map: an object of fields");
    int rc = config_get(at, "table") ? config_choice(config_get(at, "table"), names, &which, e) : 0;
    *t = &tables[which];
    return rc ? rc : refuse_unknown(*t, at, e);
}

int column_map_read(struct column_map *m, const struct config *at, struct err *e)
{
    bool header = true;
    const struct map_table *t = NULL;
    int rc = table_of(at, &t, e);
    if (rc)
        return rc;
    *m = (struct column_map){.table = t, .source = "not said", .licence = "not said"};
    snprintf(m->title, sizeof m->title, "%s", t->title);
    if ((rc = text(at, "title", m->title, sizeof m->title, e)) ||
        (rc = text(at, "source", m->source, sizeof m->source, e)) ||
        (rc = text(at, "licence", m->licence, sizeof m->licence, e)) ||
        (rc = texts(config_get(at, "columns"), m->column[0], sizeof *m->column, MAP_COLUMNS,
                    &m->n_columns, e)) ||
        (rc = texts(config_get(at, "missing"), m->missing[0], sizeof *m->missing, MAP_MISSING,
                    &m->n_missing, e)) ||
        (rc = config_get(at, "header") ? config_bool(config_get(at, "header"), &header, e) : 0))
        return rc;
    for (int i = 0; i < t->n && !rc; i++) {
        const struct config *c = config_get(at, t->field[i].name);
        rc = c ? read_field(c, t->field[i].kind, &m->field[i], e) : 0;
    }
    if (rc || (rc = t->check(m, at, e)) || (rc = check_columns(m, at, header, e)))
        return rc;
    char *canonical = config_text(at);
    if (!canonical)
        return err_set(e, ERR_ENOMEM, "out of memory");
    sha256_text(canonical, m->digest);
    free(canonical);
    dress(m, header);
    return 0;
}

void column_map_copy(struct column_map *to, const struct column_map *from)
{
    *to = *from;
    dress(to, !from->format.bare);
}

const struct column_map *column_map_of(const struct import_format *f)
{
    for (int i = 0; f && i < TABLES; i++)
        if (f->row == tables[i].row)
            return (const struct column_map *)(const void *)f;
    return NULL;
}

char *column_map_path(const char *name)
{
    char *path = NULL;
    if (strchr(name, '/') || strchr(name, '.'))
        return strdup(name);
    return asprintf(&path, COLUMN_MAPS "%s.json", name) < 0 ? NULL : path;
}
