#include "tests/traces/synth_rig.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "sim/config.h"

struct row_source *synth_text(const char *text, uint64_t seed, struct err *e)
{
    struct config *c;
    struct synth_any p;
    struct row_source *s = NULL;
    cr_assert_eq(config_parse(&c, "t", text, strlen(text), e), 0, "%s", e->msg);
    if (synth_any_read(c, &p, e) == 0)
        cr_assert_eq(synth_kind_of(p.table)->open(&s, &p.p, seed, e), 0, "%s", e->msg);
    config_free(c);
    return s;
}

struct row_source *synth_preset(const char *preset, uint64_t rows, uint64_t seed)
{
    struct err e = {0};
    struct synth_any p;
    struct row_source *s;
    cr_assert_eq(synth_any_preset(preset, &p, &e), 0, "%s", e.msg);
    const struct synth_kind *k = synth_kind_of(p.table);
    if (rows)
        k->set_rows(&p.p, rows);
    cr_assert_eq(k->open(&s, &p.p, seed, &e), 0, "%s", e.msg);
    return s;
}

void moments_add(struct moments *m, double v)
{
    m->n++;
    m->sum += v;
    m->squares += v * v;
}

void moments_near(const char *what, const struct moments *m, double want)
{
    const double mean = m->sum / m->n, sd = sqrt(m->squares / m->n - mean * mean);
    cr_expect_leq(fabs(mean - want), 4.5 * sd / sqrt(m->n) + 1e-9, "%s: mean %g of %g, want %g",
                  what, mean, m->n, want);
}
