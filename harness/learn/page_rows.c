#include "harness/learn/page_rows.h"

#include <stdlib.h>
#include <string.h>

#include "models/mem/page_table.h"
#include "sim/rng.h"

enum { PAGES_MOST = 1 << 20 };

struct past { /* of a page */
    uint8_t bin[PLACE_STEPS];
    uint32_t accesses; /* in the period that runs */
};

struct collecting {
    struct page_rows *rows;
    struct page_table table;
    struct past *page; /* [PAGES_MOST], the first `rows->pages` taken */
};

static int touch(struct collecting *c, const struct trace_page *t, struct err *e)
{
    const uint64_t pages = t->pages ? t->pages : 1;
    for (uint64_t i = 0, before = 0; i < pages; i++) {
        const uint64_t upto = (uint64_t)t->count * (i + 1) / pages; /* spread evenly */
        const uint64_t page = t->page + i;
        uint32_t at = page_table_find(&c->table, page);
        if (at == PAGE_TABLE_NONE) {
            if (c->rows->pages == PAGES_MOST)
                return err_set(e, ERR_ERANGE, "more than %d pages", PAGES_MOST);
            at = (uint32_t)c->rows->pages++;
            page_table_put(&c->table, page, at);
        }
        c->page[at].accesses += (uint32_t)(upto - before);
        before = upto;
    }
    return 0;
}

static bool seen(const uint8_t bin[PLACE_STEPS])
{
    uint8_t any = 0;
    for (int i = 0; i < PLACE_STEPS; i++)
        any |= bin[i];
    return any;
}

static int grow(struct page_rows *r, struct err *e)
{
    if (r->n < r->room)
        return 0;
    const size_t room = r->room ? 2 * r->room : 4096;
    uint8_t *id = realloc(r->id, room * PLACE_STEPS);
    if (id)
        r->id = id;
    uint8_t *next = realloc(r->next, room);
    if (next)
        r->next = next;
    if (!id || !next)
        return err_set(e, ERR_ENOMEM, "out of memory");
    r->room = room;
    return 0;
}

static int end_period(struct collecting *c, struct err *e)
{
    struct page_rows *r = c->rows;
    for (size_t i = 0; i < r->pages; i++) {
        struct past *p = &c->page[i];
        const uint8_t now = (uint8_t)place_bin(p->accesses);
        if (r->periods >= PLACE_STEPS && seen(p->bin)) {
            int rc = grow(r, e);
            if (rc)
                return rc;
            memcpy(r->id + r->n * PLACE_STEPS, p->bin, PLACE_STEPS);
            r->next[r->n++] = now;
        }
        memmove(p->bin, p->bin + 1, PLACE_STEPS - 1);
        p->bin[PLACE_STEPS - 1] = now;
        p->accesses = 0;
    }
    r->periods++;
    return 0;
}

static int collect(struct collecting *c, struct row_source *from, uint64_t period, struct err *e)
{
    union trace_row row;
    int rc = 0, got = 0;
    for (uint64_t n = 0; !rc && (got = from->next(from, &row, e)) > 0;) {
        if (row.page.count == 0)
            continue;
        rc = touch(c, &row.page, e);
        if (!rc && ++n % period == 0)
            rc = end_period(c, e);
    }
    return rc ? rc : got;
}

int page_rows_collect(struct page_rows *rows, struct row_source *from, uint64_t period,
                      struct err *e)
{
    *rows = (struct page_rows){0};
    struct collecting c = {.rows = rows, .page = calloc(PAGES_MOST, sizeof *c.page)};
    if (!c.page || !page_table_init(&c.table, PAGES_MOST)) {
        free(c.page);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    int rc = collect(&c, from, period, e);
    page_table_free(&c.table);
    free(c.page);
    return rc;
}

void page_rows_thin(struct page_rows *r, size_t most, uint64_t seed)
{
    struct rng choice;
    size_t kept = 0, n = r->n;
    rng_init(&choice, seed, "train", "pages");
    for (size_t i = 0; i < n && n > most; i++) {
        if (rng_below(&choice, n - i) >= most - kept)
            continue;
        memmove(r->id + kept * PLACE_STEPS, r->id + i * PLACE_STEPS, PLACE_STEPS);
        r->next[kept++] = r->next[i];
    }
    r->n = n > most ? kept : n;
}

void page_rows_free(struct page_rows *r)
{
    free(r->id);
    free(r->next);
    *r = (struct page_rows){0};
}
