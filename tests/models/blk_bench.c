/* blk_bench.c - see blk_bench.h. */
#include "tests/models/blk_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"

struct ssd_params blk_drive(uint64_t read_ns, uint64_t program_ns)
{
    static uint64_t x[] = {4096};
    static int64_t y[16];
    static struct machine_cost table[16];
    static unsigned next;
    const unsigned i = next++ % 16;
    y[i] = (int64_t)read_ns * 1000;
    table[i] = (struct machine_cost){.n = 1, .x = x, .y = &y[i]};
    return (struct ssd_params){.dies = 1,
                               .depth = 1 << 20,
                               .stripe = 65536,
                               .buffer = UINT64_C(1) << 50,
                               .program = program_ns * 1000,
                               .read = &table[i],
                               .free = UINT64_C(1) << 50,
                               .block = 8,
                               .valid = 4};
}

/* ---- one drive ------------------------------------------------------------------- */

struct source {
    struct sim *sim;
    struct ssd *d;
    const struct blk_load *l;
    struct rng gaps, places;
    struct blk_seen seen;
    uint64_t made, inside;
    sim_time since;
};
struct one {
    struct ssd_io io;
    uint64_t number;
};

static void level(struct source *s)
{
    s->seen.inside_ns += (double)s->inside * (double)(sim_now(s->sim) - s->since);
    s->since = sim_now(s->sim);
}

static void ended(void *ctx, uint64_t arg)
{
    struct source *s = ctx;
    struct one *q = (struct one *)(uintptr_t)arg;
    level(s);
    s->inside--;
    uint64_t sum = 0;
    for (int i = 0; i < SSD_PARTS_N; i++)
        sum += q->io.part[i];
    cr_assert_eq(sum, q->io.ended - q->io.submitted, "parts sum to %lu, latency is %lu",
                 (unsigned long)sum, (unsigned long)(q->io.ended - q->io.submitted));
    if (!q->io.write && q->number >= s->l->warmup) {
        s->seen.reads++;
        s->seen.sojourn_ns += (double)sum;
        s->seen.wait_ns += (double)(sum - q->io.part[SSD_flash]);
    }
    free(q);
}

static void come(void *ctx, uint64_t arg)
{
    (void)arg;
    struct source *s = ctx;
    struct one *q = calloc(1, sizeof *q);
    q->number = s->made++;
    q->io = (struct ssd_io){.offset = rng_below(&s->places, 1 << 20) * 65536,
                            .bytes = s->l->bytes,
                            .write = rng_unit(&s->places) >= s->l->reads,
                            .done = ended,
                            .ctx = s,
                            .arg = (uintptr_t)q};
    level(s);
    s->inside++;
    ssd_submit(s->d, &q->io);
    if (s->made < s->l->n)
        sim_after(s->sim, (sim_time)(rng_exponential(&s->gaps, s->l->gap_ns) + 0.5), 0, come, s, 0);
}

struct blk_seen blk_drive_run(const struct ssd_params *p, const struct blk_load *l)
{
    struct source s = {.sim = sim_new(NULL), .l = l};
    s.d = ssd_new(s.sim, p);
    rng_init(&s.gaps, l->seed, "bench", "gaps");
    rng_init(&s.places, l->seed, "bench", "places");
    sim_after(s.sim, 0, 0, come, &s, 0);
    sim_run(s.sim, SIM_NEVER);
    cr_assert_not(sim_failed(s.sim));
    cr_assert_eq(s.inside, 0, "%lu I/Os never ended", (unsigned long)s.inside);
    s.seen.end = sim_now(s.sim);
    ssd_stats(s.d, &s.seen.stats);
    s.seen.wait_ns /= s.seen.reads > 0 ? s.seen.reads : 1;
    s.seen.sojourn_ns /= s.seen.reads > 0 ? s.seen.reads : 1;
    ssd_free(s.d);
    sim_free(s.sim);
    return s.seen;
}

/* ---- model "io" ---------------------------------------------------------------------- */

struct rows {
    struct row_source base;
    const struct trace_io *row;
    size_t n, at;
};

static int next(struct row_source *self, union trace_row *out, struct err *e)
{
    (void)e;
    struct rows *r = (struct rows *)self;
    if (r->at == r->n)
        return 0;
    out->io = r->row[r->at++];
    return 1;
}

static void close_rows(struct row_source *self)
{
    free(self);
}

struct row_source *blk_rows(const struct trace_io *rows, size_t n)
{
    struct rows *r = calloc(1, sizeof *r);
    *r = (struct rows){{.table = TRACE_IO, .next = next, .close = close_rows}, rows, n, 0};
    return &r->base;
}

static struct machine *load(const char *text)
{
    struct config *json;
    struct machine *m;
    struct err e = {0};
    if (text)
        cr_assert_eq(config_parse(&json, "toy", text, strlen(text), &e), 0, "%s", e.msg);
    else
        cr_assert_eq(profile_load(&json, "machines/lake-testbed.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    config_free(json);
    return m;
}

struct measures *blk_run(const struct blk_run *b, struct err *why)
{
    struct err e = {0};
    struct config *section;
    struct machine *m = load(b->machine);
    struct measures *out = measures_new();
    cr_assert_eq(config_parse(&section, "io", b->section, strlen(b->section), &e), 0, "%s", e.msg);
    struct model_env env = {.seed = b->seed,
                            .sim = {.shuffle_ties = b->shuffle, .shuffle_seed = b->shuffle},
                            .machine = m,
                            .rows = b->rows,
                            .policy = b->policy,
                            .infer = b->infer,
                            .stack = b->stack,
                            .exact = true};
    int rc = model_io.run(section, &env, out, &e);
    if (why)
        *why = e;
    else
        cr_assert_eq(rc, 0, "%s", e.msg);
    b->rows->close(b->rows);
    config_free(section);
    machine_free(m);
    return out;
}

double blk_number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert_not_null(v, "no measure %s", name);
    return *v;
}
