/* export.c - canonical records back into the format that they came from.
 *
 * The style that the importer noted (line ends, digits of stamps, columns)
 * is followed, so that an unedited trace comes back byte for byte.          */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "traces/import.h"
#include "traces/parse.h"

const char *style_get(const char *style, const char *key, char out[64])
{
    size_t n = strlen(key);
    for (const char *p = style; p && *p; p = strchr(p, ';') ? strchr(p, ';') + 1 : NULL) {
        if (strncmp(p, key, n) || p[n] != '=')
            continue;
        snprintf(out, 64, "%.*s", (int)strcspn(p + n + 1, ";"), p + n + 1);
        return out;
    }
    return NULL;
}

static int style_number(const char *style, const char *key, int otherwise)
{
    char v[64];
    return style_get(style, key, v) ? atoi(v) : otherwise;
}

/* A trace without a calendar (a synthetic one) begins at the epoch. */
static int read_epoch(struct exporter *x, struct err *e)
{
    struct stamp s = {0};
    if (*x->meta->epoch && !parse_stamp(x->meta->epoch, strlen(x->meta->epoch), &s))
        return err_set(e, ERR_EPARSE, "attribute epoch: got \"%s\", want a calendar time",
                       x->meta->epoch);
    x->epoch_ns = s.ns;
    return 0;
}

int export_begin(struct exporter *x, const struct import_format *f, const struct trace_meta *meta,
                 const struct trace_names *names, FILE *to, struct err *e)
{
    const char *style = meta->style;
    char v[64];
    if (!f->put)
        return err_set(e, ERR_EUSAGE, "%s is read, not written", f->name);
    *x = (struct exporter){.format = f, .meta = meta, .names = names, .to = to};
    x->crlf = style_get(style, "eol", v) && !strcmp(v, "crlf");
    x->unended = style_number(style, "end", 1) == 0;
    x->flags = (unsigned)style_number(style, "flags", 0);
    /* a trace that no format wrote keeps every ns, so that its replay is the same run */
    x->stamp.digits = style_number(style, "digits", 9);
    x->stamp.elide = style_number(style, "elide", 0) != 0;
    if (x->stamp.digits < 0 || x->stamp.digits > 9)
        return err_set(e, ERR_ERANGE, "attribute style: got digits=%d, want 0..9", x->stamp.digits);
    if (style_get(style, "zone", v))
        snprintf(x->stamp.zone, sizeof x->stamp.zone, "%.7s", v);
    int rc = read_epoch(x, e);
    if (!rc && f->head) {
        f->head(x);
        x->began = true;
    }
    return rc;
}

/* A line end goes before every line but the first: the last may have none. */
void export_row(struct exporter *x, const union trace_row *row)
{
    if (x->began && !(x->format->joins && x->format->joins(row)))
        fputs(x->crlf ? "\r\n" : "\n", x->to);
    x->format->put(x, row);
    x->began = true;
}

int export_end(struct exporter *x, struct err *e)
{
    if (x->format->tail)
        x->format->tail(x);
    if (x->began && !x->unended)
        fputs(x->crlf ? "\r\n" : "\n", x->to);
    if (fflush(x->to) || ferror(x->to))
        return err_set(e, ERR_EIO, "writing the export: %s", strerror(errno));
    return 0;
}

void export_csv_text(struct exporter *x, const char *s)
{
    if (!strpbrk(s, ",\"\r\n")) {
        fputs(s, x->to);
        return;
    }
    fputc('"', x->to);
    for (; *s; s++)
        fputs((char[]){*s, *s == '"' ? '"' : 0, 0}, x->to);
    fputc('"', x->to);
}

void export_csv_name(struct exporter *x, uint32_t id)
{
    const char *s = id == TRACE_NAME_NONE ? NULL : names_text(x->names, id);
    if (s)
        export_csv_text(x, s);
}
