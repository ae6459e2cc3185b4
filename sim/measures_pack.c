/* measures_pack.c - measures to bytes and back: what workers send and the journal keeps. */
#include "sim/measures.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC UINT64_C(0x31534d564c414d) /* "MALVMS1" */

void measures_pack(const struct measures *m, struct buf *b)
{
    if (m->failed) { /* names may be missing: nothing worth sending */
        b->failed = true;
        return;
    }
    buf_u64(b, MAGIC);
    buf_u64(b, m->n_number);
    for (size_t i = 0; i < m->n_number; i++) {
        buf_str(b, m->number[i].name);
        buf_str(b, m->number[i].unit);
        buf_u64(b, m->number[i].better);
        buf_f64(b, m->number[i].value);
    }
    buf_u64(b, m->n_sketch);
    for (size_t i = 0; i < m->n_sketch; i++) {
        buf_str(b, m->sketch[i].name);
        buf_str(b, m->sketch[i].unit);
        sketch_pack(m->sketch[i].sketch, b);
    }
    buf_u64(b, m->n_series);
    for (size_t i = 0; i < m->n_series; i++) {
        const struct measure_series *s = &m->series[i];
        buf_str(b, s->name);
        buf_str(b, s->unit);
        buf_u64(b, s->width);
        buf_u64(b, s->bins);
        buf_u64(b, s->since);
        for (uint32_t k = 0; k < s->bins; k++)
            buf_f64(b, s->sum[k]);
    }
    buf_u64(b, m->n_incident);
    for (size_t i = 0; i < m->n_incident; i++) {
        buf_str(b, m->incident[i].kind);
        buf_str(b, m->incident[i].who);
        buf_str(b, m->incident[i].text);
        buf_u64(b, m->incident[i].when);
        buf_u64(b, m->incident[i].decision);
    }
}

static void take_numbers(struct measures *m, struct buf *b)
{
    for (uint64_t n = buf_take_u64(b); n && !b->failed; n--) {
        char *name = buf_take_str(b), *unit = buf_take_str(b);
        uint64_t better = buf_take_u64(b);
        double value = buf_take_f64(b);
        b->failed |= better > BETTER_MORE;
        if (!b->failed)
            measures_number(m, name, unit, (enum better)better, value);
        free(name);
        free(unit);
    }
}

/* Puts what was read in place of the empty sketch that the name was just given; a name that is
 * already taken makes the input malformed. */
static bool adopt(struct measures *m, const char *name, const char *unit, struct sketch *from)
{
    size_t had = m->n_sketch;
    struct sketch *empty = measures_sketch(m, name, unit, false);
    if (!empty || m->n_sketch == had)
        return false;
    m->sketch[had].sketch = from;
    sketch_free(empty);
    return true;
}

static void take_sketches(struct measures *m, struct buf *b)
{
    for (uint64_t n = buf_take_u64(b); n && !b->failed; n--) {
        char *name = buf_take_str(b), *unit = buf_take_str(b);
        struct sketch *from = b->failed ? NULL : sketch_unpack(b);
        if (!from || !adopt(m, name, unit, from)) {
            sketch_free(from);
            b->failed = true;
        }
        free(name);
        free(unit);
    }
}

static void take_series(struct measures *m, struct buf *b)
{
    for (uint64_t n = buf_take_u64(b); n && !b->failed; n--) {
        char *name = buf_take_str(b), *unit = buf_take_str(b);
        uint64_t width = buf_take_u64(b), bins = buf_take_u64(b), since = buf_take_u64(b);
        b->failed |= bins > SERIES_BINS || !width;
        struct measure_series *s = b->failed ? NULL : measures_series(m, name, unit);
        if (s) {
            s->width = width;
            s->bins = (uint32_t)bins;
            s->since = since;
        }
        for (uint64_t k = 0; s && k < bins; k++)
            s->sum[k] = buf_take_f64(b);
        free(name);
        free(unit);
    }
}

static void take_incidents(struct measures *m, struct buf *b)
{
    for (uint64_t n = buf_take_u64(b); n && !b->failed; n--) {
        char *kind = buf_take_str(b), *who = buf_take_str(b), *text = buf_take_str(b);
        uint64_t when = buf_take_u64(b), decision = buf_take_u64(b);
        if (!b->failed)
            measures_incident(m, kind, who, when, decision, text);
        free(kind);
        free(who);
        free(text);
    }
}

int measures_unpack(struct measures **out, struct buf *b, struct err *e)
{
    *out = NULL;
    struct measures *m = measures_new();
    if (!m)
        return err_set(e, ERR_ENOMEM, "out of memory");
    if (buf_take_u64(b) != MAGIC)
        b->failed = true;
    if (!b->failed)
        take_numbers(m, b);
    if (!b->failed)
        take_sketches(m, b);
    if (!b->failed)
        take_series(m, b);
    if (!b->failed)
        take_incidents(m, b);
    if (b->failed || m->failed) {
        measures_free(m);
        return err_set(e, ERR_EPARSE, "packed measures are cut short or not ours");
    }
    *out = m;
    return 0;
}
