/* fuzz_rows.c - any bytes as a trace of io, pages, scheduler events or a VM: refused with a
 * sentence that says where, or records which an export gives back, as in fuzz_import.c. The first
 * byte picks the format.                                          */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/import.h"
#include "traces/schema.h"

#define BEFORE  5 /* formats that fuzz_import.c has */
#define FORMATS 8

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
    sha256_init(&s);
    while ((rc = import_next(im, &row, &e)) == 1) {
        assert(row.page.time_ns >= last);
        last = row.page.time_ns;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char first[SHA256_HEX], second[SHA256_HEX];
    size_t len;
    if (size == 0)
        return 0;
    const struct import_format *f = import_format_at(BEFORE + data[0] % FORMATS);
    struct importer *im = open_bytes(f, data + 1, size - 1);
    if (!im)
        return 0;
    uint64_t n = read_rows(im, first, NULL);
    import_close(im);
    char *text = export_again(f, data + 1, size - 1, &len);
    struct importer *again = open_bytes(f, text, len);
    assert(again);
    if (again) {
        assert(read_rows(again, second, NULL) == n);
        assert(!strcmp(first, second));
        import_close(again);
    }
    free(text);
    return 0;
}
