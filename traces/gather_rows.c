/* gather_rows.c - facts of block requests, page accesses and VMs. */
#include "traces/gather_rows.h"

#include <stdlib.h>
#include <string.h>

#include "traces/lru.h"

struct times {
    struct tally gaps;
    uint64_t rows, first_ns, last_ns;
};

static void add_time(struct times *t, uint64_t at)
{
    if (t->rows)
        tally_add(&t->gaps, at - t->last_ns);
    else
        t->first_ns = at;
    t->last_ns = at;
    t->rows++;
}

static void put_span(struct facts *f, const struct times *t)
{
    facts_number(f, "", "span_s", (double)(t->last_ns - t->first_ns) / 1e9);
}

struct io {
    struct times times;
    struct tally size[2], latency[2], device, tenant;
};

static int io_row(void *state, const union trace_row *row, struct err *e)
{
    struct io *s = state;
    const struct trace_io *r = &row->io;
    (void)e;
    add_time(&s->times, r->time_ns);
    tally_add(&s->size[r->write != 0], r->bytes);
    tally_add(&s->device, r->device);
    tally_add(&s->tenant, r->tenant);
    if (r->latency_ns != TRACE_TIME_NONE)
        tally_add(&s->latency[r->write != 0], r->latency_ns);
    return 0;
}

static void io_end(void *state, const struct import_format *format, const struct trace_names *names,
                   struct facts *f)
{
    struct io *s = state;
    (void)format;
    put_span(f, &s->times);
    facts_integer(f, "", "reads", s->size[0].n);
    facts_integer(f, "", "writes", s->size[1].n);
    facts_summary(f, "read size bytes", &s->size[0], 1, false);
    facts_summary(f, "write size bytes", &s->size[1], 1, false);
    facts_summary(f, "interarrival_us", &s->times.gaps, 1e3, true);
    if (s->latency[0].n)
        facts_summary(f, "read response us", &s->latency[0], 1e3, false);
    if (s->latency[1].n)
        facts_summary(f, "write response us", &s->latency[1], 1e3, false);
    facts_counts(f, "requests by device", &s->device, NULL);
    facts_counts(f, "requests by tenant", &s->tenant, names);
}

static void io_done(void *state)
{
    struct io *s = state;
    tally_free(&s->times.gaps);
    for (int i = 0; i < 2; i++) {
        tally_free(&s->size[i]);
        tally_free(&s->latency[i]);
    }
    tally_free(&s->device);
    tally_free(&s->tenant);
}

const struct gather_ops gather_io = {sizeof(struct io), io_row, io_end, io_done};

#define PAGE_LINES 64 /* of 64 bytes */
#define LINE_BYTES 64

struct pages {
    struct times times;
    struct tally length;
    struct lru *pages, *lines; /* that never forget: sets.  NULL: not begun, or full */
    uint64_t distinct_pages, distinct_lines, reads, writes, accesses, snapshots;
    bool full;
};

static bool begin_sets(struct pages *s)
{
    s->pages = lru_new(0);
    s->lines = lru_new(0);
    return s->pages && s->lines;
}

/* 1 it is new. */
static int touch(struct pages *s, struct lru *set, uint64_t id)
{
    int hit = s->full ? 1 : lru_touch(set, id);
    s->full |= hit < 0;
    return hit == 0;
}

static int pages_row(void *state, const union trace_row *row, struct err *e)
{
    struct pages *s = state;
    const struct trace_page *p = &row->page;
    if (!s->times.rows && !begin_sets(s))
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->snapshots += !s->times.rows || p->time_ns != s->times.last_ns;
    add_time(&s->times, p->time_ns);
    tally_add(&s->length, p->pages);
    s->reads += !p->write;
    s->writes += p->write != 0;
    s->accesses += p->count;
    if (p->pages != 1)
        return 0;
    s->distinct_pages += (uint64_t)touch(s, s->pages, p->page);
    if (!p->write)
        s->distinct_lines +=
            (uint64_t)touch(s, s->lines, p->page * PAGE_LINES + p->offset / LINE_BYTES);
    return 0;
}

/* Of Ramulator's traces under the names that their publishers' format has. */
static void put_accesses(struct facts *f, const struct pages *s, bool instructions)
{
    facts_integer(f, "", instructions ? "requests" : "reads", s->reads);
    facts_integer(f, "", instructions ? "writebacks" : "writes", s->writes);
    if (instructions) /* time is what came before the last read, the reads before it included */
        facts_integer(f, "", "non_mem_instr", s->reads ? s->times.last_ns - (s->reads - 1) : 0);
}

static void pages_end(void *state, const struct import_format *format,
                      const struct trace_names *names, struct facts *f)
{
    struct pages *s = state;
    bool regions = s->length.n && s->length.max > 1;
    (void)names;
    put_span(f, &s->times);
    put_accesses(f, s, format && !strcmp(format->name, "ramulator"));
    facts_integer(f, "", "accesses", s->accesses);
    if (regions) {
        facts_integer(f, "", "snapshots", s->snapshots);
        facts_summary(f, "region pages", &s->length, 1, false);
    } else if (!s->full) {
        facts_integer(f, "", "distinct_4K_pages", s->distinct_pages);
        facts_integer(f, "", "distinct_64B_read_lines", s->distinct_lines);
    }
}

static void pages_done(void *state)
{
    struct pages *s = state;
    tally_free(&s->times.gaps);
    tally_free(&s->length);
    lru_free(s->pages);
    lru_free(s->lines);
}

const struct gather_ops gather_pages = {sizeof(struct pages), pages_row, pages_end, pages_done};

struct vms {
    struct times times;
    struct tally util, vcpus, life, steps;
};

static int vms_row(void *state, const union trace_row *row, struct err *e)
{
    struct vms *s = state;
    const struct trace_vm *v = &row->vm;
    (void)e;
    add_time(&s->times, v->time_ns);
    tally_add(&s->vcpus, v->vcpus);
    tally_add(&s->steps, v->step_ns);
    if (v->end_ns != TRACE_TIME_NONE)
        tally_add(&s->life, v->end_ns - v->time_ns);
    for (uint32_t i = 0; i < v->n_util; i++)
        tally_add(&s->util, v->util[i]);
    return 0;
}

static void vms_end(void *state, const struct import_format *format,
                    const struct trace_names *names, struct facts *f)
{
    struct vms *s = state;
    (void)format;
    (void)names;
    put_span(f, &s->times);
    facts_summary(f, "utilisation pct", &s->util, 10, true);
    facts_summary(f, "step_s", &s->steps, 1e9, false);
    facts_summary(f, "lifetime_s", &s->life, 1e9, false);
    facts_counts(f, "vms by vcpus", &s->vcpus, NULL);
}

static void vms_done(void *state)
{
    struct vms *s = state;
    tally_free(&s->times.gaps);
    tally_free(&s->util);
    tally_free(&s->vcpus);
    tally_free(&s->life);
    tally_free(&s->steps);
}

const struct gather_ops gather_vms = {sizeof(struct vms), vms_row, vms_end, vms_done};
