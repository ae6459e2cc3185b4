#include "sim/measures.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SERIES_FIRST_WIDTH SIM_MS /* ns: short runs get fine bins, long ones double them */

struct measures *measures_new(void)
{
    return calloc(1, sizeof(struct measures));
}

void measures_free(struct measures *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_number; i++) {
        free(m->number[i].name);
        free(m->number[i].unit);
    }
    for (size_t i = 0; i < m->n_sketch; i++) {
        free(m->sketch[i].name);
        free(m->sketch[i].unit);
        sketch_free(m->sketch[i].sketch);
    }
    for (size_t i = 0; i < m->n_series; i++) {
        free(m->series[i].name);
        free(m->series[i].unit);
    }
    for (size_t i = 0; i < m->n_incident; i++) {
        free(m->incident[i].kind);
        free(m->incident[i].who);
        free(m->incident[i].text);
    }
    free(m->number);
    free(m->sketch);
    free(m->series);
    free(m->incident);
    free(m);
}

/* One more zeroed element at the end of a growing array; NULL and sticky failure if there is no
 * memory.  Growth is by eights: a trial has tens of measures, not thousands. */
static void *more(struct measures *m, void **array, size_t *n, size_t size)
{
    if (m->failed)
        return NULL;
    if (*n % 8 == 0) {
        void *grown = realloc(*array, (*n + 8) * size);
        if (!grown) {
            m->failed = true;
            return NULL;
        }
        *array = grown;
    }
    void *slot = (char *)*array + *n * size;
    memset(slot, 0, size);
    ++*n;
    return slot;
}

static char *keep(struct measures *m, const char *s)
{
    char *copy = strdup(s);
    if (!copy)
        m->failed = true;
    return copy;
}

static struct measure_number *find_number(const struct measures *m, const char *name)
{
    for (size_t i = 0; i < m->n_number; i++)
        if (m->number[i].name && !strcmp(m->number[i].name, name))
            return &m->number[i];
    return NULL;
}

void measures_number(struct measures *m, const char *name, const char *unit, enum better better,
                     double value)
{
    struct measure_number *n = find_number(m, name);
    if (!n) {
        n = more(m, (void **)&m->number, &m->n_number, sizeof *n);
        if (!n)
            return;
        n->name = keep(m, name);
        n->unit = keep(m, unit);
        n->better = better;
    }
    n->value = value;
}

const double *measures_find(const struct measures *m, const char *name)
{
    const struct measure_number *n = find_number(m, name);
    return n ? &n->value : NULL;
}

struct sketch *measures_sketch(struct measures *m, const char *name, const char *unit, bool exact)
{
    for (size_t i = 0; i < m->n_sketch; i++)
        if (m->sketch[i].name && !strcmp(m->sketch[i].name, name))
            return m->sketch[i].sketch;
    struct measure_sketch *s = more(m, (void **)&m->sketch, &m->n_sketch, sizeof *s);
    if (!s)
        return NULL;
    s->name = keep(m, name);
    s->unit = keep(m, unit);
    s->sketch = sketch_new(exact);
    m->failed |= !s->sketch;
    return s->sketch;
}

/* Series are held by pointer by their writers, so room for all of them is taken at once. */
#define SERIES_MAX 64

struct measure_series *measures_series(struct measures *m, const char *name, const char *unit)
{
    for (size_t i = 0; i < m->n_series; i++)
        if (m->series[i].name && !strcmp(m->series[i].name, name))
            return &m->series[i];
    if (!m->series && !(m->series = calloc(SERIES_MAX, sizeof *m->series)))
        m->failed = true;
    if (m->failed || m->n_series == SERIES_MAX) {
        m->failed = true;
        return NULL;
    }
    struct measure_series *s = &m->series[m->n_series++];
    s->name = keep(m, name);
    s->unit = keep(m, unit);
    s->width = SERIES_FIRST_WIDTH;
    return s;
}

static void halve_resolution(struct measure_series *s)
{
    for (size_t i = 0; i < SERIES_BINS / 2; i++)
        s->sum[i] = s->sum[2 * i] + s->sum[2 * i + 1];
    memset(s->sum + SERIES_BINS / 2, 0, sizeof s->sum / 2);
    s->width *= 2;
    s->bins = (s->bins + 1) / 2;
}

void series_level(struct measure_series *s, sim_time now, double level)
{
    if (!s)
        return;
    assert(now >= s->since);
    if (now < s->end) {
        s->sum[s->bins - 1] += s->level * (double)(now - s->since);
        s->since = now;
        s->level = level;
        return;
    }
    while (now / s->width >= SERIES_BINS)
        halve_resolution(s);
    for (sim_time t = s->since; t < now;) {
        sim_time bin = t / s->width, end = (bin + 1) * s->width;
        if (end > now)
            end = now;
        s->sum[bin] += s->level * (double)(end - t);
        t = end;
    }
    s->bins = (uint32_t)(now / s->width) + 1;
    s->end = s->bins * s->width;
    s->since = now;
    s->level = level;
}

void measures_incident(struct measures *m, const char *kind, const char *who, sim_time when,
                       uint64_t decision, const char *text)
{
    struct measure_incident *x = more(m, (void **)&m->incident, &m->n_incident, sizeof *x);
    if (!x)
        return;
    x->kind = keep(m, kind);
    x->who = keep(m, who);
    x->text = keep(m, text);
    x->when = when;
    x->decision = decision;
}
