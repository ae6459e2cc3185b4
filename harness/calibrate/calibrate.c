#include "harness/calibrate/calibrate.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t calibrate_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void calibrate_pin(unsigned cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one); /* a refusal costs only steadiness */
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double calibrate_median(double *sample, int n)
{
    qsort(sample, (size_t)n, sizeof *sample, by_value);
    return n % 2 ? sample[n / 2] : 0.5 * (sample[n / 2 - 1] + sample[n / 2]);
}

/* Somewhere to write when there is no memory: the caller need not look. */
static struct calibrate_row *row_new(struct calibration *c, const char *name)
{
    static struct calibrate_row lost;
    struct calibrate_row *row = realloc(c->row, (c->rows + 1) * sizeof *row);
    if (!row) {
        c->failed = true;
        return &lost;
    }
    c->row = row;
    row = &row[c->rows++];
    *row = (struct calibrate_row){.unit = "1"};
    snprintf(row->name, sizeof row->name, "%s", name);
    return row;
}

struct calibrate_row *calibrate_add(struct calibration *c, const char *name, const char *unit,
                                    double *sample, int n, const char *how)
{
    struct calibrate_row *row = row_new(c, name);
    row->unit = unit;
    snprintf(row->how, sizeof row->how, "%s", how);
    row->value = calibrate_median(sample, n);
    row->least = sample[0];
    row->most = sample[n - 1];
    return row;
}

void calibrate_fact(struct calibration *c, const char *name, const char *unit, double value,
                    const char *how)
{
    calibrate_add(c, name, unit, &value, 1, how);
}

void calibrate_skip(struct calibration *c, const char *name, const char *why)
{
    struct calibrate_row *row = row_new(c, name);
    snprintf(row->skipped, sizeof row->skipped, "%s", why);
}

struct calibrate_row *calibrate_table(struct calibration *c, const char *name, const char *unit,
                                      const char *how)
{
    struct calibrate_row *row = row_new(c, name);
    row->unit = unit;
    snprintf(row->how, sizeof row->how, "%s", how);
    return row;
}

void calibrate_knot(struct calibrate_row *row, uint64_t x, double y)
{
    if (row->n == CALIBRATE_KNOTS)
        return;
    row->x[row->n] = x;
    row->y[row->n++] = y;
}
