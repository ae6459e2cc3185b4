/* synth_io.c - the next request of whichever device comes first. */
#include "traces/synth_io.h"

#include <stdlib.h>

#include "sim/dmath.h"
#include "sim/rng.h"

struct size_of {
    double mu, sigma, max; /* of the log of bytes; bytes */
};

struct stream {
    struct rng gaps, sizes, choices;
    struct size_of read, write;
    uint64_t next_ns;
};

struct io {
    struct synth_rows rows;
    struct synth_io p;
    struct stream stream[SYNTH_IO_DEVICES];
    uint64_t span;
};

static struct size_of size_of(const struct synth_io_size *z)
{
    double mu = dmath_log(z->median_kib * 1024), top = dmath_log(z->max_kib * 1024);
    return (struct size_of){mu, (top - mu) / 3, z->max_kib * 1024};
}

static void begin(struct synth_rows *r)
{
    struct io *s = (struct io *)r;
    for (uint32_t i = 0; i < s->p.devices; i++) {
        struct stream *d = &s->stream[i];
        rng_init_indexed(&d->gaps, r->seed, "synth-io", "gaps", i);
        rng_init_indexed(&d->sizes, r->seed, "synth-io", "sizes", i);
        rng_init_indexed(&d->choices, r->seed, "synth-io", "choices", i);
        d->read = size_of(&s->p.device[i].read_size);
        d->write = size_of(&s->p.device[i].write_size);
        d->next_ns = 0; /* as published: the first request comes at once */
    }
}

static uint64_t round_up(uint64_t v)
{
    return (v + SYNTH_IO_ALIGN - 1) / SYNTH_IO_ALIGN * SYNTH_IO_ALIGN;
}

static uint64_t draw_size(const struct size_of *z, struct rng *r)
{
    double bytes = rng_lognormal(r, z->mu, z->sigma);
    uint64_t n = (uint64_t)(bytes < z->max ? bytes : z->max);
    return round_up(n ? n : 1);
}

static uint64_t draw_offset(const struct io *s, struct rng *r)
{
    uint64_t at = round_up(rng_below(r, s->span));
    return at < SYNTH_IO_LOWEST ? SYNTH_IO_LOWEST : at < s->span ? at : s->span;
}

static uint32_t first_of(const struct io *s)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < s->p.devices; i++)
        if (s->stream[i].next_ns < s->stream[first].next_ns)
            first = i;
    return first;
}

static void make(struct synth_rows *r, union trace_row *out)
{
    struct io *s = (struct io *)r;
    uint32_t i = first_of(s);
    struct stream *d = &s->stream[i];
    uint32_t write = rng_unit(&d->choices) >= s->p.device[i].read;
    out->io = (struct trace_io){.time_ns = d->next_ns,
                                .device = i,
                                .write = write,
                                .offset = draw_offset(s, &d->choices),
                                .bytes = draw_size(write ? &d->write : &d->read, &d->sizes),
                                .latency_ns = TRACE_TIME_NONE};
    d->next_ns += (uint64_t)(rng_exponential(&d->gaps, s->p.device[i].gap_us * 1e3) + 0.5);
}

static void end(struct synth_rows *r)
{
    free(r);
}

int synth_io_open(struct row_source **out, const void *params, uint64_t seed, struct err *e)
{
    const struct synth_io *p = params;
    struct io *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->p = *p;
    s->span = (uint64_t)(p->span_gib * 0x1p30);
    s->rows.begin = begin;
    s->rows.make = make;
    s->rows.end = end;
    synth_rows_open(&s->rows, TRACE_IO, &p->head, seed);
    *out = &s->rows.base;
    return 0;
}
