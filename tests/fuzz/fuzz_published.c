/* fuzz_published.c - any bytes as a CSV of published values: refused with a
 * sentence that says where, or rows whose every value is a finite number.    */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "harness/report/published.h"

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
        assert(isfinite(p.row[i].x) && isfinite(p.row[i].value) && *p.row[i].series &&
               p.row[i].source);
    published_free(&p);
    return 0;
}
