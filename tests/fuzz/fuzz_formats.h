/* fuzz_formats.h - any bytes as a published trace: refused with a sentence that says where, or
 * records which an export gives back.                                       */
#ifndef TESTS_FUZZ_FUZZ_FORMATS_H
#define TESTS_FUZZ_FUZZ_FORMATS_H

#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/import.h"
#include "traces/schema.h"

static struct importer *open_bytes(const struct import_format *f, const void *data, size_t size)
{
    struct err e = {0};
    struct input *in;
    struct importer *im;
    if (input_open_memory(&in, "fuzz", data, size, &e) || import_open_input(&im, in, f, 0, &e)) {
        assert(e.code && !strncmp(e.msg, "fuzz", 4));
        return NULL;
    }
    return im;
}

/* Digests the rows up to the end or the first bad one; writes them when x is given. */
static uint64_t read_rows(struct importer *im, char hex[SHA256_HEX], struct exporter *x)
{
    struct err e = {0};
    union trace_row row;
    struct sha256 s;
    uint64_t n = 0, last = 0;
    int rc;
    const bool timed = trace_schemas[im->format->table].timed && im->format->table != TRACE_JOBS;
    sha256_init(&s);
    while ((rc = import_next(im, &row, &e)) == 1) {
        if (timed) {
            assert(row.page.time_ns >= last);
            last = row.page.time_ns;
        }
        schema_digest(im->format->table, &row, &s);
        n++;
        if (x)
            export_row(x, &row);
    }
    assert(rc == 0 || (e.code && !strncmp(e.msg, "fuzz", 4)));
    sha256_hex(&s, hex);
    return n;
}

/* How lines end and stamps look is known only after a first reading. */
static char *export_again(const struct import_format *f, const uint8_t *data, size_t size,
                          size_t *len)
{
    struct importer *im = open_bytes(f, data, size), *style = open_bytes(f, data, size);
    struct exporter x;
    struct err e = {0};
    char hex[SHA256_HEX], *text = NULL;
    FILE *to = open_memstream(&text, len);
    assert(im && style && to);
    read_rows(style, hex, NULL);
    assert(export_begin(&x, f, import_meta(style), im->names, to, &e) == 0);
    read_rows(im, hex, &x);
    assert(export_end(&x, &e) == 0);
    fclose(to);
    import_close(im);
    import_close(style);
    return text;
}

/* Import, export, import is the same as import, where the format is written at all. */
static void fuzz_format(const struct import_format *f, const uint8_t *data, size_t size)
{
    char first[SHA256_HEX], second[SHA256_HEX];
    size_t len;
    struct importer *im = open_bytes(f, data, size);
    if (!im)
        return;
    uint64_t n = read_rows(im, first, NULL);
    import_close(im);
    if (!f->put)
        return;
    char *text = export_again(f, data, size, &len);
    struct importer *again = open_bytes(f, text, len);
    const bool may_be_empty = f->table <= TRACE_NODES || f->table == TRACE_COSTS;
    assert(again || (n == 0 && may_be_empty));
    if (again) {
        assert(read_rows(again, second, NULL) == n);
        assert(!strcmp(first, second));
        import_close(again);
    }
    free(text);
}

#endif
