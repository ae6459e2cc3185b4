/* source.c - opens trace sections. */
#include "traces/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"
#include "traces/schema.h"
#include "traces/source_section.h"

#define NS_PER_S 1e9

static void copy(char *to, size_t n, const char *from)
{
    size_t len = strnlen(from, n - 1);
    memcpy(to, from, len);
    to[len] = 0;
}

static void about_meta(struct trace_about *a, const struct trace_meta *m)
{
    copy(a->source, sizeof a->source, m->source);
    copy(a->licence, sizeof a->licence, m->licence);
    copy(a->format, sizeof a->format, m->format);
    a->requests = schema_meta_rows(m);
    a->first_ns = m->first_ns;
    a->span_ns = m->span_ns - (m->first_ns < m->span_ns ? m->first_ns : m->span_ns);
    a->failed = m->failed_requests;
    a->skipped_rows = m->skipped_rows;
}

/* The whole input once: its digest, its span and all its errors, before anything runs. */
static void about_input(struct trace_about *a, const struct trace_meta *m)
{
    about_meta(a, m);
    copy(a->input_sha256, sizeof a->input_sha256, m->input_sha256);
}

static int survey(struct importer *im, struct trace_about *a, struct err *e)
{
    union trace_row row;
    int rc;
    while ((rc = import_next(im, &row, e)) == 1) {
    }
    if (rc)
        return rc;
    about_input(a, import_meta(im));
    return 0;
}

/* Refuses what the section's reader does not want. */
static int want_table(const char *path, const char *what, enum trace_table t, unsigned tables,
                      struct err *e)
{
    char names[80];
    if (tables & 1u << t)
        return 0;
    return err_set(e, ERR_EPARSE, "%s: got %s, want %s", path, what,
                   trace_tables_text(tables, names));
}

static int open_import(const struct source_section *s, const char *path, unsigned tables,
                       struct row_source **out, struct trace_about *a, struct err *e)
{
    struct importer *im;
    int rc = import_open(&im, path, s->format, s->skip_bad, e);
    if (rc)
        return rc;
    const struct import_format *format = im->format;
    rc = want_table(path, format->title, format->table, tables, e);
    const bool held = format->table == TRACE_JOBS; /* read once, and kept */
    if (!rc && !held)
        rc = survey(im, a, e);
    import_close(im);
    if (!rc)
        rc = source_over_import(out, path, format, s->skip_bad, e);
    if (!rc && held)
        about_input(a, source_sorted_meta(*out));
    if (!rc)
        (*out)->expected = a->requests;
    return rc;
}

static int open_file(const char *path, unsigned tables, struct row_source **out, uint64_t seek_ns,
                     struct trace_about *a, struct err *e)
{
    struct store_reader *r;
    char what[32];
    int rc = store_open(&r, path, e);
    if (rc)
        return rc;
    snprintf(what, sizeof what, "a trace of %s", trace_schemas[store_table(r)].table);
    if ((rc = want_table(path, what, store_table(r), tables, e))) {
        store_close(r);
        return rc;
    }
    about_meta(a, store_meta(r));
    copy(a->input_sha256, sizeof a->input_sha256, store_meta(r)->digest);
    return source_over_store(out, r, seek_ns, e);
}

static int open_clients(const struct source_section *s, const char *path, uint64_t seed,
                        struct row_source **out, struct trace_about *a, struct err *e)
{
    struct clients *c;
    int rc = source_section_clients(&c, s, path, e);
    if (rc)
        return rc;
    copy(a->input_sha256, sizeof a->input_sha256, c->digest);
    if (!s->path)
        copy(a->name, sizeof a->name, "synth:clients");
    copy(a->source, sizeof a->source, "made by malv from a description of clients");
    copy(a->licence, sizeof a->licence, "Apache-2.0");
    copy(a->format, sizeof a->format, "synth");
    a->requests = c->requests;
    a->span_ns = (uint64_t)(clients_span_s(c) * NS_PER_S); /* nominal, for windows */
    return clients_open(out, c, seed, e);
}

static int open_synth(const struct source_section *s, uint64_t seed, struct row_source **out,
                      struct trace_about *a, struct err *e)
{
    const struct synth_kind *k = synth_kind_of(s->synth.table);
    const void *params = &s->synth.p;
    const char *name = k->name(params), *source = synth_any_source(&s->synth);
    char *json = k->json(params);
    if (!json)
        return err_set(e, ERR_ENOMEM, "out of memory");
    sha256_text(json, a->input_sha256);
    free(json);
    snprintf(a->name, sizeof a->name, "synth:%s", *name ? name : "custom");
    copy(a->source, sizeof a->source,
         source ? source : "synthesized by malv, after published traces");
    copy(a->licence, sizeof a->licence, "Apache-2.0");
    copy(a->format, sizeof a->format, "synth");
    a->requests = k->rows(params);
    return k->open(out, params, seed, e);
}

/* Nominal for a synthesized trace, whose end nobody knows before it is made. */
static double span_s(const struct source_section *s, const struct trace_about *a)
{
    if (s->kind == SOURCE_SYNTH && !s->clients)
        return synth_kind_of(s->synth.table)->span_s(&s->synth.p);
    return (double)a->span_ns / NS_PER_S;
}

static int place_window(const struct source_section *s, uint64_t seed, struct trace_about *a,
                        struct source_cut *cut, struct err *e)
{
    const struct source_window *w = &s->window;
    double start = w->start_s, span = span_s(s, a);
    cut->from_ns = a->first_ns; /* some traces begin months after their own time 0 */
    if (w->length_s <= 0)
        return 0;
    if (start + w->length_s > span)
        return err_set(e, ERR_ERANGE,
                       "%s: got %.6g s from %.6g s on, want a window in the trace's %.6g s",
                       config_path(config_get(s->at, "window")), w->length_s, start, span);
    if (w->random) {
        struct rng r;
        rng_init(&r, seed, "trace", "window");
        start = rng_unit(&r) * (span - w->length_s);
    }
    a->window_from_ns = (uint64_t)(start * NS_PER_S);
    a->window_ns = (uint64_t)(w->length_s * NS_PER_S + 0.5);
    cut->from_ns = a->first_ns + a->window_from_ns;
    cut->to_ns = cut->from_ns + a->window_ns;
    return 0;
}

static int open_kind(const struct source_section *s, const char *path, unsigned tables,
                     uint64_t seed, struct row_source **out, struct trace_about *a, struct err *e)
{
    static const char *const kinds[] = {"file", "import", "synth"};
    copy(a->kind, sizeof a->kind, kinds[s->kind]);
    if (s->path)
        copy(a->name, sizeof a->name, s->path);
    a->rate_scale = s->rate_scale;
    a->otherwise = s->otherwise;
    switch (s->kind) {
    case SOURCE_FILE:
        return open_file(path, tables, out, 0, a, e);
    case SOURCE_IMPORT:
        return open_import(s, path, tables, out, a, e);
    default:
        return s->clients ? open_clients(s, path, seed, out, a, e) : open_synth(s, seed, out, a, e);
    }
}

/* The input's digest and everything that the section does to it; not the seed, not the path. */
static void name_it(const struct source_section *s, struct trace_about *a)
{
    char text[512];
    snprintf(text, sizeof text, "%s window=%.17g,%.17g,%d rate=%.17g limit=%llu failed=%d%s%s",
             a->input_sha256, s->window.length_s, s->window.start_s, s->window.random,
             s->rate_scale, (unsigned long long)s->limit, s->keep_failed, s->map_at ? " map=" : "",
             s->map_at ? s->map.digest : "");
    sha256_text(text, a->digest);
}

/* A window in a file is found by binary search, not by reading up to it. */
static int seek_window(const struct source_section *s, const char *path, uint64_t from_ns,
                       struct row_source **inner, struct trace_about *a, struct err *e)
{
    if (s->kind != SOURCE_FILE || from_ns == 0)
        return 0;
    unsigned table = 1u << (*inner)->table;
    (*inner)->close(*inner);
    *inner = NULL;
    return open_file(path, table, inner, from_ns, a, e);
}

int trace_rows_open(const struct config *section, unsigned tables, uint64_t seed,
                    const struct trace_places *where, struct row_source **out,
                    struct trace_about *about, struct err *e)
{
    struct source_section s;
    struct row_source *inner = NULL;
    struct trace_about unwanted = {0}, *a = about ? about : &unwanted;
    char *path;
    *out = NULL;
    memset(a, 0, sizeof *a);
    int rc = source_section_read(section, tables, where, &s, &path, e);
    if (rc)
        return rc;
    rc = open_kind(&s, path, tables, seed, &inner, a, e);
    struct source_cut cut = {0, UINT64_MAX, s.rate_scale, s.limit, s.keep_failed};
    if (!rc)
        rc = source_section_fits(&s, a->table = inner->table, e);
    if (!rc)
        rc = place_window(&s, seed, a, &cut, e);
    if (!rc)
        rc = seek_window(&s, path, a->window_from_ns ? cut.from_ns : 0, &inner, a, e);
    free(path);
    if (rc) {
        if (inner)
            inner->close(inner);
        return rc;
    }
    name_it(&s, a);
    return source_cut(out, inner, &cut, e);
}

int trace_source_open(const struct config *section, uint64_t seed, const struct trace_places *where,
                      struct request_source **out, struct trace_about *about, struct err *e)
{
    struct row_source *rows;
    *out = NULL;
    int rc = trace_rows_open(section, 1u << TRACE_REQUESTS, seed, where, &rows, about, e);
    return rc ? rc : trace_rows_requests(out, rows, e);
}

/* Which table a file holds, from its head alone. */
static int table_of(const struct source_section *s, const char *path, enum trace_table *out,
                    struct err *e)
{
    const struct import_format *f = s->format;
    struct store_reader *r;
    int rc;
    if (s->kind == SOURCE_SYNTH) {
        struct clients *c = NULL;
        *out = s->synth.table;
        rc = s->clients ? source_section_clients(&c, s, path, e) : 0;
        clients_free(c);
        return rc;
    }
    if (s->kind == SOURCE_IMPORT) {
        rc = f ? 0 : import_sniff(path, &f, e);
        *out = rc ? TRACE_REQUESTS : f->table;
        return rc;
    }
    if (!(rc = store_open(&r, path, e))) {
        *out = store_table(r);
        store_close(r);
    }
    return rc;
}

static int check_file(const struct source_section *s, const char *path, struct err *e)
{
    if (s->kind != SOURCE_FILE || store_is(path))
        return 0;
    return err_set(e, ERR_EPARSE, "%s: %s: not an HDF5 file; want a canonical trace, or \"import\"",
                   config_path(config_get(s->at, "file")), path);
}

int trace_rows_check(const struct config *section, unsigned tables,
                     const struct trace_places *where, enum trace_table *table, struct err *e)
{
    struct source_section s;
    char *path, what[32];
    int rc = source_section_read(section, tables, where, &s, &path, e);
    if (!rc)
        rc = check_file(&s, path, e);
    if (!rc && !(rc = table_of(&s, path, table, e))) {
        snprintf(what, sizeof what, "a trace of %s", trace_schemas[*table].table);
        rc = want_table(s.path ? s.path : "synth", what, *table, tables, e);
        if (rc)
            err_wrap(e, rc, "%s", config_path(s.at));
        if (!rc)
            rc = source_section_fits(&s, *table, e);
    }
    free(path);
    return rc;
}

int trace_source_check(const struct config *section, const struct trace_places *where,
                       struct err *e)
{
    struct source_section s;
    struct clients *c = NULL;
    char *path;
    int rc = source_section_read(section, 1u << TRACE_REQUESTS, where, &s, &path, e);
    if (!rc)
        rc = check_file(&s, path, e);
    if (!rc && s.clients)
        rc = source_section_clients(&c, &s, path, e);
    clients_free(c);
    free(path);
    return rc;
}

static void put_text(FILE *f, const char *key, const char *s)
{
    fprintf(f, "\"%s\":\"", key);
    for (; *s; s++)
        if ((unsigned char)*s < 0x20)
            fprintf(f, "\\u%04x", (unsigned)*s);
        else
            fprintf(f, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
    fputs("\",", f);
}

char *trace_about_json(const struct trace_about *a)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    fputc('{', f);
    put_text(f, "kind", a->kind);
    put_text(f, "name", a->name);
    put_text(f, "digest", a->digest);
    put_text(f, "input_sha256", a->input_sha256);
    put_text(f, "format", a->format);
    put_text(f, "source", a->source);
    put_text(f, "licence", a->licence);
    if (a->table != TRACE_REQUESTS)
        put_text(f, "table", trace_schemas[a->table].table);
    fprintf(f, "\"requests\":%llu,\"span_ns\":%llu,\"failed\":%llu,\"skipped_rows\":%llu,",
            (unsigned long long)a->requests, (unsigned long long)a->span_ns,
            (unsigned long long)a->failed, (unsigned long long)a->skipped_rows);
    fprintf(f, "\"window_from_ns\":%llu,\"window_ns\":%llu,\"rate_scale\":%.17g,\"otherwise\":%s}",
            (unsigned long long)a->window_from_ns, (unsigned long long)a->window_ns, a->rate_scale,
            a->otherwise ? "true" : "false");
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}
