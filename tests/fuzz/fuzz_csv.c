/* fuzz_csv.c - any bytes as CSV: fields lie inside their line, every row is as wide as the
 * header, and a row that is written quoted reads back as it was.            */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/csv.h"

static void put_quoted(FILE *f, const struct csv *c)
{
    for (int i = 0; i < c->fields; i++) {
        fputs(i ? ",\"" : "\"", f);
        for (size_t k = 0; k < c->field[i].len; k++) {
            if (c->field[i].text[k] == '"')
                fputc('"', f);
            fputc(c->field[i].text[k], f);
        }
        fputc('"', f);
    }
    fputc('\n', f);
}

static void expect_same(const struct csv *c, const char *text, size_t len)
{
    struct csv again;
    struct input *in;
    struct err e = {0};
    assert(input_open_memory(&in, "again", text, len, &e) == 0);
    assert(csv_open(&again, in, &e) == 0);
    assert(again.fields == c->fields);
    for (int i = 0; i < c->fields; i++) {
        assert(again.field[i].len == c->field[i].len);
        assert(!memcmp(again.field[i].text, c->field[i].text, c->field[i].len));
    }
    csv_close(&again);
}

static void check_row(const struct csv *c)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    assert(f);
    for (int i = 0; i < c->fields; i++)
        assert(c->field[i].text >= c->lines.text && c->field[i].column >= 1 &&
               c->field[i].text + c->field[i].len <= c->lines.text + c->lines.len);
    put_quoted(f, c);
    fclose(f);
    expect_same(c, text, len);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv c;
    struct input *in;
    struct err e = {0};
    int rc;
    if (input_open_memory(&in, "fuzz", data, size, &e) || csv_open(&c, in, &e)) {
        assert(e.code && !strncmp(e.msg, "fuzz", 4));
        return 0;
    }
    while ((rc = csv_next(&c, &e)) == 1) {
        assert(c.fields == c.columns);
        check_row(&c);
    }
    assert(rc == 0 || !strncmp(e.msg, "fuzz:", 5));
    csv_close(&c);
    return 0;
}
