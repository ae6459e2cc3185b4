/* fuzz_synth.c - any bytes as the section "synth" of a trace: refused with a sentence that says
 * where, or a stream of rows in time order that begins again with the same rows.    */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "traces/schema.h"
#include "traces/clients.h"
#include "traces/synth_kinds.h"

#define ROWS 60

static void read_rows(struct row_source *s, char hex[SHA256_HEX])
{
    struct err e = {0};
    union trace_row row;
    struct sha256 sha;
    uint64_t last = 0;
    int rc = 1;
    sha256_init(&sha);
    for (int i = 0; i < ROWS && (rc = s->next(s, &row, &e)) == 1; i++) {
        assert(s->table == TRACE_NODES || row.request.time_ns >= last); /* nodes have no time */
        last = row.request.time_ns;
        schema_digest(s->table, &row, &sha);
    }
    assert(rc >= 0);
    sha256_hex(&sha, hex);
}

/* Tables as large as asked for are made at once: what is too large for a test is left out. */
static bool small(const struct synth_any *s)
{
    return (s->table != TRACE_PAGES || s->p.pages.pages < 1000000) &&
           (s->table != TRACE_OPS || synth_ops_kernels(&s->p.ops) < 10000);
}

static void read_twice(struct row_source *s)
{
    char first[SHA256_HEX], again[SHA256_HEX];
    struct err e = {0};
    read_rows(s, first);
    assert(s->rewind(s, &e) == 0);
    read_rows(s, again);
    assert(!strcmp(first, again));
    s->close(s);
}

static void fuzz_clients(const struct config *doc)
{
    struct clients *c;
    struct row_source *s;
    struct err e = {0};
    if (clients_read(&c, doc, &e)) {
        assert(e.code && !strncmp(e.msg, "fuzz", 4));
        return;
    }
    assert(clients_span_s(c) >= 0);
    if (c->all > 1000) {
        clients_free(c);
        return;
    }
    assert(clients_open(&s, c, 1, &e) == 0);
    read_twice(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct config *c;
    struct synth_any p;
    struct row_source *s;
    if (config_parse(&c, "fuzz", (const char *)data, size, &e))
        return 0;
    if (config_kind(c) == CONFIG_OBJECT && config_get(c, "clients")) {
        fuzz_clients(c);
        config_free(c);
        return 0;
    }
    int rc = synth_any_read(c, &p, &e);
    config_free(c);
    if (rc) {
        assert(e.code && !strncmp(e.msg, "fuzz", 4));
        return 0;
    }
    if (!small(&p))
        return 0;
    const struct synth_kind *k = synth_kind_of(p.table);
    char *json = k->json(&p.p);
    assert(json && k->span_s(&p.p) >= 0);
    free(json);
    assert(k->open(&s, &p.p, 1, &e) == 0);
    read_twice(s);
    return 0;
}
