/* import.c - the frame around the formats: opening, skipping, counting. */
#include "traces/import.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "traces/parse.h"
#include "traces/schema.h"
#include "sim/near.h"

#define SESSION_MAX (UINT64_MAX >> 1)

static const struct import_format *const formats[] = {
#define X(f) &import_##f,
    IMPORT_FORMATS(X)
#undef X
};
#define N_FORMATS (sizeof formats / sizeof *formats)

const struct import_format *import_format_at(size_t i)
{
    return i < N_FORMATS ? formats[i] : NULL;
}

const struct import_format *import_format(const char *name)
{
    for (size_t i = 0; i < N_FORMATS; i++)
        if (!strcmp(formats[i]->name, name))
            return formats[i];
    return NULL;
}

int import_format_named(const char *name, const struct import_format **out, struct err *e)
{
    if ((*out = import_format(name)))
        return 0;
    struct near n;
    near_begin(&n, name);
    for (size_t i = 0; i < N_FORMATS; i++)
        near_offer(&n, formats[i]->name);
    return err_set(e, ERR_ENAME, "no format \"%s\"%s", name,
                   n.best ? near_words(&n) : "; malv trace import --help lists them");
}

static const struct import_format *fits(const char *head, size_t len, bool whole)
{
    for (size_t i = 0; i < N_FORMATS; i++)
        if (formats[i]->whole == whole && formats[i]->sniff && formats[i]->sniff(head, len))
            return formats[i];
    return NULL;
}

static int sniff_head(const char *path, const struct import_format **out, struct err *e)
{
    struct input *in;
    size_t len = 0;
    long n = 1;
    char *head = malloc(IMPORT_HEAD);
    if (!head)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = input_open(&in, path, e);
    for (; !rc && len < IMPORT_HEAD && n > 0; len += n > 0 ? (size_t)n : 0)
        n = input_read(in, head + len, IMPORT_HEAD - len, e);
    if (!rc) {
        input_close(in);
        rc = n < 0 ? (int)n : 0;
    }
    *out = rc ? NULL : fits(head, len, true);
    free(head);
    return rc;
}

static int sniff_line(const char *path, const struct import_format **out, struct err *e)
{
    struct input *in;
    struct lines l;
    int rc = input_open(&in, path, e);
    if (rc || (rc = lines_open(&l, in, e)))
        return rc;
    rc = lines_next(&l, e);
    if (rc == 0)
        rc = err_set(e, ERR_EPARSE, "%s:1:1: got an empty file, want a trace", path);
    if (rc == 1)
        *out = fits(l.text, l.len, false);
    lines_close(&l);
    if (rc < 0 || *out)
        return rc < 0 ? rc : 0;
    return err_set(e, ERR_EPARSE,
                   "%s:1:1: the first line fits no known format; malv trace import --help lists "
                   "them, -f or \"format\" names one",
                   path);
}

/* The beginning says which format it is; reading it again is cheaper than a seekable input. */
int import_sniff(const char *path, const struct import_format **out, struct err *e)
{
    struct stat st;
    *out = NULL;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(e, ERR_EUSAGE, "%s: a pipe is read once only: say its format", path);
    int rc = sniff_head(path, out, e);
    return rc || *out ? rc : sniff_line(path, out, e);
}

static void set_meta(struct importer *im, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct trace_meta *m = &im->meta;
    snprintf(m->source, sizeof m->source, "%s", im->format->source);
    snprintf(m->licence, sizeof m->licence, "%s", im->format->licence);
    snprintf(m->format, sizeof m->format, "%s", im->format->name);
    snprintf(m->importer, sizeof m->importer, "%s", MALV_IMPORTER);
    snprintf(m->input, sizeof m->input, "%s", slash ? slash + 1 : path);
}

int import_open_input(struct importer **out, struct input *in, const struct import_format *format,
                      uint64_t skip_bad, struct err *e)
{
    struct importer *im = calloc(1, sizeof *im);
    *out = NULL;
    if (!im || !(im->names = names_new())) {
        input_close(in);
        free(im);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    im->format = format;
    im->skip_left = skip_bad;
    im->in = in;
    im->path = input_name(in);
    int rc = format->whole  ? 0
             : format->bare ? csv_open_bare(&im->csv, in, format->bare, e)
             : format->csv  ? csv_open(&im->csv, in, e)
                            : lines_open(&im->csv.lines, in, e);
    if (!rc) {
        set_meta(im, input_name(in));
        rc = format->open ? format->open(im, e) : 0;
    }
    if (rc) {
        import_close(im);
        return rc;
    }
    *out = im;
    return 0;
}

int import_open(struct importer **im, const char *path, const struct import_format *format,
                uint64_t skip_bad, struct err *e)
{
    struct input *in;
    *im = NULL;
    int rc = format ? 0 : import_sniff(path, &format, e);
    if (rc || (rc = input_open(&in, path, e)))
        return rc;
    return import_open_input(im, in, format, skip_bad, e);
}

/* What every row of every timed format must satisfy; job lists are published unsorted. */
static int check_time(struct importer *im, uint64_t t, struct err *e)
{
    if (im->format->whole)
        assert(!im->started || t >= im->last_ns);
    if (im->started && t < im->last_ns)
        return err_set(e, ERR_ERANGE,
                       "%s:%llu:1: got a time of %.9g s, want none before the row above (%.9g s)",
                       input_name(im->csv.lines.in), (unsigned long long)im->csv.lines.number,
                       (double)t * 1e-9, (double)im->last_ns * 1e-9);
    return 0;
}

static void count(struct importer *im, const union trace_row *row)
{
    struct trace_meta *m = &im->meta;
    const struct trace_schema *sc = &trace_schemas[im->format->table];
    uint64_t t = sc->timed ? row->request.time_ns : 0;
    const uint64_t *values;
    ++*schema_rows(im->format->table, m);
    if (sc->ragged)
        *schema_values(im->format->table, m) += ragged_get(sc->ragged, row, &values);
    if (im->format->table == TRACE_REQUESTS)
        m->failed_requests += row->request.output_tokens == 0;
    if (!im->started || t < m->first_ns)
        m->first_ns = t;
    if (t > m->span_ns)
        m->span_ns = t;
    im->started = true;
    im->last_ns = t;
    im->crlf |= im->csv.lines.crlf; /* the last line may have no end to tell by */
}

static int one(struct importer *im, union trace_row *row, struct err *e)
{
    memset(row, 0, sizeof *row);
    int rc = im->format->row(im, row, e);
    if (rc == 1 && im->format->table != TRACE_JOBS && trace_schemas[im->format->table].timed) {
        int bad = check_time(im, row->request.time_ns, e);
        return bad ? bad : 1;
    }
    return rc;
}

int import_next(struct importer *im, union trace_row *row, struct err *e)
{
    for (;;) {
        int rc = one(im, row, e);
        if (rc == 1)
            count(im, row);
        if (rc >= 0 || (rc != ERR_EPARSE && rc != ERR_ERANGE) || im->skip_left == 0)
            return rc;
        im->skip_left--;
        im->meta.skipped_rows++;
        if (e)
            *e = (struct err){0};
    }
}

const struct trace_meta *import_meta(struct importer *im)
{
    struct trace_meta *m = &im->meta;
    int n = snprintf(m->style, sizeof m->style, "eol=%s;end=%d;flags=%u", im->crlf ? "crlf" : "lf",
                     im->csv.lines.unended ? 0 : 1, im->flags);
    if (*m->epoch && n > 0)
        snprintf(m->style + n, sizeof m->style - (size_t)n, ";digits=%d;elide=%d;zone=%s",
                 im->stamp.digits, im->stamp.elide, im->stamp.zone);
    input_sha256(im->in, m->input_sha256);
    return m;
}

void import_close(struct importer *im)
{
    if (!im)
        return;
    if (im->format->done)
        im->format->done(im);
    if (im->format->whole)
        input_close(im->in);
    else
        csv_close(&im->csv);
    names_free(im->names);
    free(im->prefix.v);
    free(im);
}

int import_label(struct importer *im, const char *text, uint32_t *id, struct err *e)
{
    *id = names_id(im->names, text, strlen(text));
    return *id == TRACE_NAME_NONE ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
}

/* What an export wrote for a session whose name it no longer knew. */
static bool parse_hashed(const char *s, size_t len, uint64_t *out)
{
    if (len != 17 || s[0] != '#')
        return false;
    *out = 0;
    for (size_t i = 1; i < len; i++) {
        const char *digit = strchr("0123456789abcdef", s[i]);
        if (!digit || !s[i])
            return false;
        *out = *out << 4 | (uint64_t)(digit - "0123456789abcdef");
    }
    return *out >> 63;
}

uint64_t import_session(const struct csv_field *f)
{
    uint64_t id, h = UINT64_C(14695981039346656037);
    if (f->len == 0)
        return 0;
    if (parse_u64(f->text, f->len, SESSION_MAX - 1, &id))
        return id + 1;
    if (parse_hashed(f->text, f->len, &id))
        return id;
    for (size_t i = 0; i < f->len; i++)
        h = (h ^ (unsigned char)f->text[i]) * UINT64_C(1099511628211);
    return h | UINT64_C(1) << 63;
}

int import_name(struct importer *im, int field, uint32_t *id, struct err *e)
{
    const struct csv_field *f = &im->csv.field[field];
    *id = TRACE_NAME_NONE;
    if (f->len == 0)
        return 0;
    if (memchr(f->text, 0, f->len))
        return csv_complain(&im->csv, field, e, "a name without NUL bytes");
    *id = names_id(im->names, f->text, f->len);
    return *id == TRACE_NAME_NONE ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
}
