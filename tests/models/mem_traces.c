#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "tests/models/mem_reference.h"

void page_trace_free(struct page_trace *t)
{
    free(t->page);
    free(t->write);
}

static void add(struct page_trace *t, uint64_t *number, uint64_t page, int write)
{
    if ((t->n & (t->n - 1)) == 0) {
        size_t room = t->n ? 2 * t->n : 1;
        t->page = realloc(t->page, room * sizeof *t->page);
        t->write = realloc(t->write, room);
    }
    uint32_t dense = 0;
    while (dense < t->pages && number[dense] != page)
        dense++;
    if (dense == t->pages)
        number[t->pages++] = page;
    t->page[t->n] = dense;
    t->write[t->n++] = (uint8_t)write;
}

int page_trace_ramulator(struct page_trace *t, const char *name)
{
    const char *data = getenv("MALV_DATA");
    char path[512], line[256];
    snprintf(path, sizeof path, "%s/spec2006-memtraces/%s.gz", data ? data : "../shared/traces",
             name);
    *t = (struct page_trace){0};
    gzFile f = gzopen(path, "rb");
    if (!f)
        return -1;
    uint64_t *number = malloc(65536 * sizeof *number);
    while (gzgets(f, line, sizeof line)) {
        unsigned long long bubbles, read, back;
        int n = sscanf(line, "%llu %llu %llu", &bubbles, &read, &back);
        if (n >= 2)
            add(t, number, read >> 12, 0);
        if (n == 3)
            add(t, number, back >> 12, 1);
    }
    gzclose(f);
    free(number);
    return 0;
}

/* xorshift64*, so that nothing of sim/ is needed */
static uint64_t roll(uint64_t *s)
{
    *s ^= *s >> 12, *s ^= *s << 25, *s ^= *s >> 27;
    return *s * UINT64_C(2685821657736338717) >> 11;
}

static uint32_t pick(const char *kind, uint32_t pages, size_t i, uint64_t *s)
{
    if (!strcmp(kind, "loop"))
        return (uint32_t)(i % pages);
    if (!strcmp(kind, "uniform"))
        return (uint32_t)(roll(s) % pages);
    if (!strcmp(kind, "zipf")) { /* a product of uniforms: heavy at small numbers */
        double u = (double)roll(s) * 0x1p-53, v = (double)roll(s) * 0x1p-53;
        return (uint32_t)(u * v * v * pages);
    }
    uint32_t hot = pages / 20 + 1, turn = (uint32_t)(roll(s) % 10);
    if (turn < 5)
        return (uint32_t)(roll(s) % hot);
    if (turn < 7)
        return (uint32_t)((i / 3) % pages);
    return (uint32_t)((i / 2000 * hot + roll(s) % hot) % pages);
}

void page_trace_make(struct page_trace *t, const char *kind, uint32_t pages, size_t n,
                     uint64_t seed)
{
    uint64_t s = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    *t = (struct page_trace){.n = n, .pages = pages};
    t->page = malloc(n * sizeof *t->page);
    t->write = malloc(n);
    for (size_t i = 0; i < n; i++) {
        t->page[i] = pick(kind, pages, i, &s);
        t->write[i] = roll(&s) % 4 == 0;
    }
}
