#include "harness/bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double bench_cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Somewhere to write when there is no memory: the caller need not look. */
static struct bench_row *row_new(struct bench *b)
{
    static struct bench_row lost;
    struct bench_row *row = realloc(b->row, (b->rows + 1) * sizeof *row);
    if (!row) {
        b->failed = true;
        return &lost;
    }
    b->row = row;
    row[b->rows] = (struct bench_row){.unit = ""};
    return &row[b->rows++];
}

static void fill(struct bench_row *row, double *sample, int n)
{
    qsort(sample, (size_t)n, sizeof *sample, by_value);
    row->min = sample[0];
    row->median = n % 2 ? sample[n / 2] : 0.5 * (sample[n / 2 - 1] + sample[n / 2]);
}

struct bench_row *bench_add(struct bench *b, const char *unit, double *sample, int n,
                            const char *name_fmt, ...)
{
    struct bench_row *row = row_new(b);
    va_list ap;
    va_start(ap, name_fmt);
    vsnprintf(row->name, sizeof row->name, name_fmt, ap);
    va_end(ap);
    row->unit = unit;
    fill(row, sample, n);
    return row;
}

struct bench_row *bench_ratio(struct bench *b, const double *ours, const double *theirs, int n,
                              double target, const char *name_fmt, ...)
{
    double ratio[BENCH_REPEATS] = {0};
    for (int i = 0; i < n; i++)
        ratio[i] = ours[i] / theirs[i];
    struct bench_row *row = row_new(b);
    va_list ap;
    va_start(ap, name_fmt);
    vsnprintf(row->name, sizeof row->name, name_fmt, ap);
    va_end(ap);
    row->unit = "1";
    row->target = target;
    fill(row, ratio, n);
    return row;
}
