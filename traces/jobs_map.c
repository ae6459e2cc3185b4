#include "traces/jobs_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TIME, SPAN, SHARE, MILLI, BYTES, TEXT };

static const struct {
    const char *name;
    enum kind kind;
} fields[JOBS_FIELDS] = {
    [JOBS_SUBMIT] = {"submit", TIME},
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
    [JOBS_NAME] = {"name", TEXT},
};

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
static const struct unit *const units_of[] = {time_units,  time_units, share_units,
                                              milli_units, byte_units, NULL};
#define SPAN_UNITS 6 /* without datetime */

const char *jobs_map_field_name(enum jobs_fields f)
{
    return fields[f].name;
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
                struct jobs_field *f, struct err *e)
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

static int read_field(const struct config *at, enum jobs_fields which, struct jobs_field *f,
                      struct err *e)
{
    static const struct config_field keys[] = {
        CONFIG_STR(struct field_text, column, true),
        CONFIG_STR(struct field_text, times, false),
        CONFIG_ANY(struct field_text, unit, false),
        CONFIG_END,
    };
    const enum kind kind = fields[which].kind;
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
    if (t.unit && kind == TEXT)
        return config_complain(t.unit, e, "none: it is a text");
    return kind == TEXT ? 0 : unit(at, t.unit, kind, f, e);
}

static bool given(const struct jobs_map *m, enum jobs_fields f)
{
    return *m->field[f].column;
}

static int check(const struct jobs_map *m, const struct config *at, bool header, struct err *e)
{
    static const enum jobs_fields times[] = {JOBS_START, JOBS_END};
    if (!given(m, JOBS_SUBMIT))
        return config_complain(at, e, "a field \"submit\"");
    if (given(m, JOBS_END) && !given(m, JOBS_START) && !given(m, JOBS_DURATION))
        return config_complain(at, e, "\"start\" beside \"end\"");
    for (int i = 0; i < 2; i++)
        if (given(m, times[i]) && m->field[times[i]].datetime != m->field[JOBS_SUBMIT].datetime)
            return config_complain(config_get(at, fields[times[i]].name), e,
                                   "datetime as \"submit\", or neither");
    if (!header && !m->n_columns)
        return config_complain(at, e, "\"columns\", as the file has no line of names");
    return 0;
}

/* A column that the list of them lacks would never be found. */
static int check_columns(const struct jobs_map *m, const struct config *at, struct err *e)
{
    for (int i = 0; i < JOBS_FIELDS && m->n_columns; i++) {
        const char *const want[] = {m->field[i].column, m->field[i].times};
        for (int k = 0; k < 2; k++) {
            bool is = !*want[k];
            for (int c = 0; c < m->n_columns && !is; c++)
                is = !strcmp(m->column[c], want[k]);
            if (!is)
                return config_complain(config_get(at, fields[i].name), e,
                                       "columns that \"columns\" lists");
        }
    }
    return 0;
}

static int refuse_unknown(const struct config *at, struct err *e)
{
    static const char *const words[] = {"title",  "source",  "licence", "columns",
                                        "header", "missing", "label"};
    for (size_t i = 0; i < config_count(at); i++) {
        const struct config *c = config_at(at, i);
        bool known = false;
        for (size_t k = 0; k < sizeof words / sizeof *words; k++)
            known |= !strcmp(config_key(c), words[k]);
        for (int k = 0; k < JOBS_FIELDS; k++)
            known |= !strcmp(config_key(c), fields[k].name);
        if (!known)
            return err_set(e, ERR_ENAME, "%s: unknown key", config_path(c));
    }
    return 0;
}

static void dress(struct jobs_map *m, bool header)
{
    bool times = false;
    for (int i = 0; i < JOBS_FIELDS; i++)
        times |= *m->field[i].times != 0;
    m->format = import_jobs_map;
    m->format.title = m->title;
    m->format.source = m->source;
    m->format.licence = m->licence;
    m->format.open = jobs_map_open;
    m->format.row = jobs_map_row;
    m->format.bare = header ? 0 : m->n_columns;
    m->format.head = header ? jobs_map_head : NULL;
    m->format.put = times ? NULL : jobs_map_put; /* what was multiplied is not known apart */
}

int jobs_map_read(struct jobs_map *m, const struct config *at, struct err *e)
{
    bool header = true;
    *m = (struct jobs_map){
        .title = "jobs by a column map", .source = "not said", .licence = "not said"};
    if (config_kind(at) != CONFIG_OBJECT)
        return config_complain(at, e, "a column map: an object of fields");
    int rc = refuse_unknown(at, e);
    if (rc || (rc = text(at, "title", m->title, sizeof m->title, e)) ||
        (rc = text(at, "source", m->source, sizeof m->source, e)) ||
        (rc = text(at, "licence", m->licence, sizeof m->licence, e)) ||
        (rc = texts(config_get(at, "columns"), m->column[0], sizeof *m->column, JOBS_COLUMNS,
                    &m->n_columns, e)) ||
        (rc = texts(config_get(at, "missing"), m->missing[0], sizeof *m->missing, JOBS_MISSING,
                    &m->n_missing, e)) ||
        (rc = config_get(at, "header") ? config_bool(config_get(at, "header"), &header, e) : 0))
        return rc;
    for (int i = 0; i < JOBS_FIELDS && !rc; i++) {
        const struct config *c = config_get(at, fields[i].name);
        rc = c ? read_field(c, (enum jobs_fields)i, &m->field[i], e) : 0;
    }
    if (rc || (rc = check(m, at, header, e)) || (rc = check_columns(m, at, e)))
        return rc;
    char *canonical = config_text(at);
    if (!canonical)
        return err_set(e, ERR_ENOMEM, "out of memory");
    sha256_text(canonical, m->digest);
    free(canonical);
    dress(m, header);
    return 0;
}

void jobs_map_copy(struct jobs_map *to, const struct jobs_map *from)
{
    *to = *from;
    dress(to, !from->format.bare);
}

const struct jobs_map *jobs_map_of(const struct import_format *f)
{
    return f && f->row == jobs_map_row ? (const struct jobs_map *)(const void *)f : NULL;
}

char *jobs_map_path(const char *name)
{
    char *path = NULL;
    if (strchr(name, '/') || strchr(name, '.'))
        return strdup(name);
    return asprintf(&path, JOBS_MAPS "%s.json", name) < 0 ? NULL : path;
}
