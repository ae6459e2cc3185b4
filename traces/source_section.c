/* source_section.c - reads a trace section and finds its file. */
#include "traces/source_section.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/schema.h"

#define SECONDS_MAX 1e9

/* dir/path when it is there; NULL when not. */
static char *there(const char *dir, const char *path)
{
    char *full = NULL;
    if (asprintf(&full, "%s/%s", dir, path) < 0)
        return NULL;
    if (access(full, R_OK) == 0)
        return full;
    free(full);
    return NULL;
}

static int find_data(const char *path, const struct trace_places *where, char **found,
                     struct err *e)
{
    const char *data = getenv("MALV_DATA");
    char *shared = NULL;
    if (data && *data) {
        *found = there(data, path);
    } else if (asprintf(&shared, "%s/../shared/traces", where->root ? where->root : ".") >= 0) {
        *found = there(shared, path);
        free(shared);
    }
    if (*found)
        return 0;
    return err_set(
        e, ERR_ENAME, "data:%s: not found%s%s; malv trace get says where to obtain it", path,
        data && *data ? " in MALV_DATA=" : "; MALV_DATA names the folder of public traces",
        data && *data ? data : "");
}

int trace_find(const char *path, const struct trace_places *where, char **found, struct err *e)
{
    *found = NULL;
    if (!strncmp(path, "data:", 5))
        return find_data(path + 5, where, found, e);
    if (path[0] == '/') {
        *found = access(path, R_OK) == 0 ? strdup(path) : NULL;
    } else {
        *found = there(where->base ? where->base : ".", path);
        if (!*found)
            *found = there(where->root ? where->root : ".", path);
    }
    return *found ? 0
                  : err_set(e, ERR_EIO,
                            "%s: no such file (looked beside the experiment and in "
                            "the repository)",
                            path);
}

struct section_text {
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    struct source_section s;
    const char *file;
    const struct config *import, *synth, *window, *otherwise;
};

struct import_text {
    const char *format, *file;
    const struct config *map;
    uint64_t skip_bad;
};

const char *trace_tables_text(unsigned tables, char to[80])
{
    size_t at = 0;
    to[0] = 0;
    for (int t = 0; t < TRACE_TABLES; t++) {
        if (!(tables & 1u << t))
            continue;
        bool last = !(tables >> t >> 1);
        at += (size_t)snprintf(to + at, 80 - at, "%s%s",
                               at == 0 ? ""
                               : last  ? " or "
                                       : ", ",
                               trace_schemas[t].table);
    }
    return to;
}

static int read_import(const struct config *c, unsigned tables, struct source_section *s,
                       struct err *e)
{
    const struct config_field fields[] = {
        CONFIG_STR(struct import_text, format, false),
        CONFIG_STR(struct import_text, file, true),
        CONFIG_ANY(struct import_text, map, false),
        CONFIG_U64(struct import_text, skip_bad, 0, 1e15, false),
        CONFIG_END,
    };
    struct import_text t = {0};
    char names[80];
    int rc = config_fill(c, fields, &t, e);
    if (rc)
        return rc;
    s->path = t.file;
    s->skip_bad = t.skip_bad;
    s->map_at = t.map;
    if (t.format && (rc = import_format_named(t.format, &s->format, e)))
        return err_wrap(e, rc, "%s", config_path(config_get(c, "format")));
    if (s->format && !(tables & 1u << s->format->table))
        return config_complain(config_get(c, "format"), e, "a format of %s",
                               trace_tables_text(tables, names));
    const bool mapped = s->format == &import_jobs_map || s->format == &import_requests_map;
    if (s->format && (t.map != NULL) != mapped)
        return t.map ? config_complain(config_get(c, "format"), e,
                                       "\"jobs-map\" or \"requests-map\" beside a map")
                     : config_complain(c, e, "a \"map\" for \"%s\"", s->format->name);
    if (t.map && !(tables & (1u << TRACE_JOBS | 1u << TRACE_REQUESTS)))
        return config_complain(t.map, e, "none: a map is of jobs or of requests, not of %s",
                               trace_tables_text(tables, names));
    return 0;
}

/* The map itself, or its name. */
static int read_map(struct source_section *s, const struct trace_places *where, struct err *e)
{
    const char *name;
    if (config_kind(s->map_at) != CONFIG_STRING)
        return column_map_read(&s->map, s->map_at, e);
    int rc = config_str(s->map_at, &name, e);
    struct config *doc = NULL;
    char *path = rc ? NULL : column_map_path(name), *found = NULL;
    if (!rc && !path)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc && (rc = trace_find(path, where, &found, e)))
        err_wrap(e, rc, "%s", config_path(s->map_at));
    if (!rc)
        rc = config_load(&doc, found, e);
    if (!rc)
        rc = column_map_read(&s->map, doc, e);
    config_free(doc);
    free(found);
    free(path);
    return rc;
}

/* The format is the map's from now on. */
static int choose_map(struct source_section *s, unsigned tables, const struct trace_places *where,
                      struct err *e)
{
    char names[80];
    int rc = read_map(s, where, e);
    if (rc)
        return rc;
    const struct import_format *f = &s->map.format;
    if (!(tables & 1u << f->table))
        return config_complain(s->map_at, e, "a map of %s", trace_tables_text(tables, names));
    if (s->format && strcmp(s->format->name, f->name))
        return config_complain(s->map_at, e, "a map of %s, as \"format\" says",
                               trace_schemas[s->format->table].table);
    s->format = f;
    return 0;
}

struct window_text {
    struct source_window w;
    const struct config *pick;
};

static int read_window(const struct config *c, struct source_window *w, struct err *e)
{
    static const char *const picks[] = {"start", "random", NULL};
    const struct config_field fields[] = {
        {"length_s", CONFIG_T_F64, offsetof(struct window_text, w.length_s), 1e-6, SECONDS_MAX,
         true},
        {"start_s", CONFIG_T_F64, offsetof(struct window_text, w.start_s), 0, SECONDS_MAX, false},
        CONFIG_ANY(struct window_text, pick, false),
        CONFIG_END,
    };
    struct window_text t = {.w = *w};
    int pick = 0, rc = config_fill(c, fields, &t, e);
    if (!rc && t.pick)
        rc = config_choice(t.pick, picks, &pick, e);
    if (rc)
        return rc;
    *w = t.w;
    w->random = pick == 1;
    if (w->random && w->start_s > 0)
        return err_set(e, ERR_ENAME, "%s: start_s: no use beside \"pick\": \"random\"",
                       config_path(c));
    return 0;
}

/* A description in a file, or the section itself. */
static int read_clients(const struct config *c, struct source_section *s, struct err *e)
{
    struct clients_text {
        const char *clients;
    } t;
    const struct config_field fields[] = {CONFIG_STR(struct clients_text, clients, true),
                                          CONFIG_END};
    s->synth.table = TRACE_REQUESTS;
    if (config_kind(config_get(c, "clients")) != CONFIG_STRING)
        return 0;
    int rc = config_fill(c, fields, &t, e);
    if (!rc)
        s->path = t.clients;
    return rc;
}

int source_section_clients(struct clients **out, const struct source_section *s, const char *found,
                           struct err *e)
{
    struct config *doc = NULL;
    *out = NULL;
    int rc = found ? config_load(&doc, found, e) : 0;
    if (!rc)
        rc = clients_read(out, doc ? doc : s->clients, e);
    config_free(doc);
    return rc;
}

static int read_synth(const struct config *c, unsigned tables, struct source_section *s,
                      struct err *e)
{
    char names[80];
    s->clients = config_kind(c) == CONFIG_OBJECT && config_get(c, "clients") ? c : NULL;
    int rc = s->clients ? read_clients(c, s, e) : synth_any_read(c, &s->synth, e);
    if (!rc && !(tables & 1u << s->synth.table))
        rc = err_set(e, ERR_ENAME, "%s: makes %s, want %s", config_path(c),
                     trace_schemas[s->synth.table].table, trace_tables_text(tables, names));
    return rc;
}

static int read_kind(const struct section_text *t, const struct config *at, unsigned tables,
                     struct source_section *s, struct err *e)
{
    if ((t->file != NULL) + (t->import != NULL) + (t->synth != NULL) != 1)
        return err_set(e, ERR_ENAME, "%s: want exactly one of file, import, synth",
                       config_path(at));
    s->kind = t->file ? SOURCE_FILE : t->import ? SOURCE_IMPORT : SOURCE_SYNTH;
    s->path = t->file;
    if (t->import)
        return read_import(t->import, tables, s, e);
    return t->synth ? read_synth(t->synth, tables, s, e) : 0;
}

static int read_one(const struct config *at, unsigned tables, struct source_section *out,
                    const struct config **otherwise, struct err *e)
{
    const struct config_field fields[] = {
        {"label", CONFIG_T_STR, offsetof(struct section_text, label), 0, 0, false},
        {"file", CONFIG_T_STR, offsetof(struct section_text, file), 0, 0, false},
        {"import", CONFIG_T_ANY, offsetof(struct section_text, import), 0, 0, false},
        {"synth", CONFIG_T_ANY, offsetof(struct section_text, synth), 0, 0, false},
        {"window", CONFIG_T_ANY, offsetof(struct section_text, window), 0, 0, false},
        {"otherwise", CONFIG_T_ANY, offsetof(struct section_text, otherwise), 0, 0, false},
        {"rate_scale", CONFIG_T_F64, offsetof(struct section_text, s.rate_scale), 1e-3, 1e6, false},
        {"limit", CONFIG_T_U64, offsetof(struct section_text, s.limit), 1, 1e15, false},
        {"keep_failed", CONFIG_T_BOOL, offsetof(struct section_text, s.keep_failed), 0, 0, false},
        CONFIG_END,
    };
    struct section_text t = {.s = {.at = at, .rate_scale = 1}};
    int rc = config_fill(at, fields, &t, e);
    if (rc || (rc = read_kind(&t, at, tables, &t.s, e)))
        return rc;
    if (t.window && (rc = read_window(t.window, &t.s.window, e)))
        return rc;
    if (t.otherwise && (!t.s.path || strncmp(t.s.path, "data:", 5)))
        return err_set(e, ERR_ENAME, "%s: of use only beside a data: file, which may be absent",
                       config_path(t.otherwise));
    *otherwise = t.otherwise;
    *out = t.s;
    return 0;
}

/* Rows without a time of their own have no window, and nothing to hasten. */
static int timed_fits(const struct source_section *s, enum trace_table table, struct err *e)
{
    const char *key = s->window.length_s > 0 ? "window" : s->rate_scale != 1 ? "rate_scale" : NULL;
    if (!key || trace_schemas[table].timed)
        return 0;
    return err_set(e, ERR_ENAME, "%s: of no use: %s have no time",
                   config_path(config_get(s->at, key)), trace_schemas[table].table);
}

int source_section_fits(const struct source_section *s, enum trace_table table, struct err *e)
{
    int rc = timed_fits(s, table, e);
    if (rc)
        return rc;
    if (!s->keep_failed || table == TRACE_REQUESTS)
        return 0;
    return err_set(e, ERR_ENAME, "%s: of use only for requests, this trace holds %s",
                   config_path(config_get(s->at, "keep_failed")), trace_schemas[table].table);
}

int source_section_read(const struct config *at, unsigned tables, const struct trace_places *where,
                        struct source_section *s, char **found, struct err *e)
{
    bool fell_back = false;
    *found = NULL;
    for (;;) {
        const struct config *otherwise = NULL;
        int rc = read_one(at, tables, s, &otherwise, e);
        s->otherwise = fell_back;
        if (!rc && s->map_at)
            rc = choose_map(s, tables, where, e);
        if (rc || !s->path)
            return rc;
        rc = trace_find(s->path, where, found, e);
        if (rc != ERR_ENAME || !otherwise)
            return rc ? err_wrap(e, rc, "%s", config_path(at)) : 0;
        if (e)
            *e = (struct err){0};
        at = otherwise;
        fell_back = true;
    }
}
