/* tally.c - a sorted list of (value, count) and a buffer that is merged in. */
#include "traces/tally.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_MIN ((size_t)1 << 16)
#define HALF      (UINT64_C(1) << 63)

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Keeps the 12 leading bits. */
static uint64_t coarsen(uint64_t v)
{
    int drop = v ? 64 - __builtin_clzll(v) - 12 : 0;
    return drop > 0 ? v >> drop << drop : v;
}

static void make_coarse(struct tally *t)
{
    size_t to = 0;
    for (size_t i = 0; i < t->pairs; i++) {
        uint64_t v = coarsen(t->pair[i].value);
        if (to && t->pair[to - 1].value == v)
            t->pair[to - 1].count += t->pair[i].count;
        else
            t->pair[to++] = (struct tally_pair){v, t->pair[i].count};
    }
    t->pairs = to;
    t->coarse = true;
}

/* Different values among the sorted fresh ones. */
static size_t distinct(const struct tally *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->fresh_n; i++)
        n += i == 0 || t->fresh[i] != t->fresh[i - 1];
    return n;
}

/* Merges from the back, in place: the list has room for everything. */
static void merge(struct tally *t)
{
    size_t i = t->pairs, j = t->fresh_n, to = t->pairs + distinct(t), end = to;
    while (j) {
        uint64_t v = t->fresh[j - 1], count = 0;
        while (i && t->pair[i - 1].value > v)
            t->pair[--to] = t->pair[--i];
        while (j && t->fresh[j - 1] == v)
            j--, count++;
        if (i && t->pair[i - 1].value == v)
            count += t->pair[--i].count;
        t->pair[--to] = (struct tally_pair){v, count};
    }
    assert(to >= i);
    memmove(t->pair + i, t->pair + to,
            (end - to) * sizeof *t->pair); /* values met before leave a gap */
    t->pairs = i + end - to;
}

static bool reserve(struct tally *t, size_t pairs)
{
    if (pairs <= t->pair_cap)
        return true;
    size_t cap = pairs + pairs / 2;
    struct tally_pair *more = realloc(t->pair, cap * sizeof *more);
    if (!more)
        return false;
    t->pair = more;
    t->pair_cap = cap;
    return true;
}

void tally_settle(struct tally *t)
{
    if (!t->fresh_n || t->failed)
        return;
    for (size_t i = 0; t->coarse && i < t->fresh_n; i++)
        t->fresh[i] = coarsen(t->fresh[i]);
    qsort(t->fresh, t->fresh_n, sizeof *t->fresh, ascending);
    if (!reserve(t, t->pairs + t->fresh_n)) {
        t->failed = true;
        return;
    }
    merge(t);
    t->fresh_n = 0;
    if (!t->coarse && t->pairs > TALLY_DISTINCT)
        make_coarse(t);
}

/* The buffer grows with the list, so that merging stays linear in all. */
static bool make_room(struct tally *t)
{
    tally_settle(t);
    size_t cap = t->pairs / 2 > FRESH_MIN ? t->pairs / 2 : FRESH_MIN;
    if (t->failed)
        return false;
    if (cap <= t->fresh_cap)
        return true;
    uint64_t *more = realloc(t->fresh, cap * sizeof *more);
    if (!more)
        return false;
    t->fresh = more;
    t->fresh_cap = cap;
    return true;
}

void tally_add(struct tally *t, uint64_t v)
{
    if (t->fresh_n == t->fresh_cap && !make_room(t))
        t->failed = true;
    if (t->failed)
        return;
    t->fresh[t->fresh_n++] = v;
    if (t->n == 0 || v < t->min)
        t->min = v;
    if (v > t->max)
        t->max = v;
    t->n++;
    t->sum_high += (double)(v >> 63);
    t->sum_low += v & (HALF - 1);
    if (t->sum_low & HALF) {
        t->sum_high += 1;
        t->sum_low &= HALF - 1;
    }
}

/* The value of 1-based rank r. */
static uint64_t at_rank(const struct tally *t, uint64_t r)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < t->pairs; i++)
        if ((seen += t->pair[i].count) >= r)
            return t->pair[i].value;
    return t->max;
}

static double deviation(const struct tally *t, double mean)
{
    double sum = 0;
    for (size_t i = 0; i < t->pairs; i++) {
        double d = (double)t->pair[i].value - mean;
        sum += d * d * (double)t->pair[i].count;
    }
    return sqrt(sum / (double)t->n);
}

struct summary tally_summary(struct tally *t)
{
    struct summary s = {.n = t->n, .min = t->min, .max = t->max};
    tally_settle(t);
    if (t->failed || t->n == 0)
        return s;
    s.exact = !t->coarse;
    s.sum = t->sum_high * (double)HALF + (double)t->sum_low;
    s.mean = s.sum / (double)t->n;
    s.median = ((double)at_rank(t, (t->n + 1) / 2) + (double)at_rank(t, t->n / 2 + 1)) / 2;
    s.p99 = at_rank(t, t->n - t->n / 100); /* ceil(0.99 n) */
    s.sd = deviation(t, s.mean);
    s.cv = s.mean > 0 ? s.sd / s.mean : 0;
    return s;
}

void tally_free(struct tally *t)
{
    free(t->pair);
    free(t->fresh);
    *t = (struct tally){0};
}
