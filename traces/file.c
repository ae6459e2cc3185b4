/* file.c - an importer or a store reader behind one face. */
#include "traces/file.h"

#include <stdlib.h>
#include <string.h>

struct trace_file {
    struct importer *im; /* one of the two */
    struct store_reader *r;
    struct trace_names *names; /* of the reader; the importer has its own */
};

int trace_file_open(struct trace_file **out, const char *path, const struct import_format *format,
                    uint64_t skip_bad, struct err *e)
{
    struct trace_file *f = calloc(1, sizeof *f);
    int rc;
    *out = NULL;
    if (!f)
        return err_set(e, ERR_ENOMEM, "out of memory");
    if (!format && store_is(path)) {
        rc = store_open(&f->r, path, e);
        if (!rc)
            rc = store_names(f->r, &f->names, e);
    } else {
        rc = import_open(&f->im, path, format, skip_bad, e);
    }
    if (rc) {
        trace_file_close(f);
        return rc;
    }
    *out = f;
    return 0;
}

static int set_label(char *to, const char *option, const char *text, struct err *e)
{
    if (strlen(text) >= META_TEXT || strpbrk(text, "\r\n"))
        return err_set(e, ERR_EUSAGE, "%s: want one line of at most %d characters", option,
                       META_TEXT - 1);
    snprintf(to, META_TEXT, "%s", text);
    return 0;
}

int trace_file_label(struct trace_file *f, const char *source, const char *licence, struct err *e)
{
    int rc = 0;
    if (!source && !licence)
        return 0;
    if (!f->im)
        return err_set(e, ERR_EUSAGE, "--source, --licence: the trace says whose it is already");
    if (source)
        rc = set_label(f->im->meta.source, "--source", source, e);
    if (!rc && (source || licence))
        rc = set_label(f->im->meta.licence, "--licence", licence ? licence : "not said", e);
    return rc;
}

int trace_file_next(struct trace_file *f, union trace_row *row, struct err *e)
{
    return f->im ? import_next(f->im, row, e) : store_next(f->r, row, e);
}

void trace_file_close(struct trace_file *f)
{
    if (!f)
        return;
    import_close(f->im);
    store_close(f->r);
    names_free(f->names);
    free(f);
}

enum trace_table trace_file_table(const struct trace_file *f)
{
    return f->im ? f->im->format->table : store_table(f->r);
}

const struct import_format *trace_file_format(const struct trace_file *f)
{
    return f->im ? f->im->format : import_format(store_meta(f->r)->format);
}

bool trace_file_canonical(const struct trace_file *f)
{
    return f->r != NULL;
}

uint64_t trace_file_expected(const struct trace_file *f)
{
    return f->r ? store_rows(f->r) : 0;
}

const struct trace_meta *trace_file_meta(struct trace_file *f)
{
    return f->im ? import_meta(f->im) : store_meta(f->r);
}

const struct trace_names *trace_file_names(struct trace_file *f)
{
    return f->im ? f->im->names : f->names;
}
