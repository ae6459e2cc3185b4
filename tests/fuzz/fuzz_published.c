/* fuzz_published.c - any bytes as a CSV of published values: refused with a
 * sentence that says where, or rows whose every value is a finite number, a
 * finite band around its middle, or missing altogether.                      */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "harness/report/published.h"

static void check(const struct published_row *r)
{
    assert(isfinite(r->x) && *r->series && r->source);
    if (isnan(r->value))
        return;
    assert(isfinite(r->lo) && isfinite(r->hi));
    assert(r->lo <= r->value && r->value <= r->hi);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct published p;
    struct err e = {0};
    if (published_parse(&p, "fuzz", (const char *)data, size, &e)) {
        assert(e.code && !strncmp(e.msg, "fuzz", 4));
        assert(p.n == 0);
        return 0;
    }
    assert(p.n > 0);
    for (size_t i = 0; i < p.n; i++)
        check(&p.row[i]);
    published_free(&p);
    return 0;
}
