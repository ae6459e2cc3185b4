#include "sim/sketch.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/dmath.h"
#include "sim/err.h"

/* Bucket i holds (GAMMA^(i-1), GAMMA^i]; its middle is within SKETCH_ERROR of all of them. */
#define GAMMA     ((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR))
#define TINY      1e-9 /* at and below: bucket FIRST, reported as the minimum or zero */
#define HUGE_MOST 1e15 /* above: bucket LAST */
enum { FIRST = -2074, LAST = 3455 };

/* The array reaches from bucket `first` on; it covers what was seen and no more. */
struct buckets {
    uint64_t *count;
    int first;
    uint32_t n;
};

struct values {
    double *at;
    uint64_t n, cap, sorted; /* the first so many are in order */
};

struct sketch {
    bool exact, failed;
    uint64_t count;
    double sum, lost;         /* Neumaier: what the running sum has rounded away */
    double min, max, per_log; /* 1 / log(GAMMA) */
    struct buckets b;
    struct values *v; /* behind a pointer: sorting them changes no answer */
};

struct sketch *sketch_new(bool exact)
{
    struct sketch *s = calloc(1, sizeof *s);
    struct values *v = calloc(1, sizeof *v);
    if (!s || !v) {
        free(s);
        free(v);
        return NULL;
    }
    *s = (struct sketch){.exact = exact, .v = v, .per_log = 1 / dmath_log(GAMMA)};
    return s;
}

void sketch_free(struct sketch *s)
{
    if (!s)
        return;
    free(s->b.count);
    free(s->v->at);
    free(s->v);
    free(s);
}

/* ---- adding ---- */

static int bucket_by_log(const struct sketch *s, double v)
{
    return (int)ceil(dmath_log(v) * s->per_log);
}

/* log2(1 + f) for f in [0, 1), interpolated at seven Chebyshev points: off by up to 2.5e-6. */
static inline double rough_log2(double f)
{
    const double f2 = f * f;
    return 2.4434387204086113e-06 + 1.442453526210603 * f +
           (-0.717312780264868 + 0.45450849219969686 * f) * f2 +
           (-0.2726975648527274 + 0.11761308406653846 * f - 0.02456853474526543 * f2) * (f2 * f2);
}

/* A rough logarithm names the bucket wherever it is not near the border of two: there the other one
 * decides, so that every value lies where that puts it. */
#define NEAR 5e-4 /* buckets: 69.3 of them double a value, 69.3 * 2.5e-6 is 1.7e-4 */
static inline int bucket_of(const struct sketch *s, double v)
{
    if (v <= TINY)
        return FIRST;
    if (v > HUGE_MOST)
        return LAST;
    uint64_t u;
    double m;
    memcpy(&u, &v, sizeof u);
    const uint64_t mantissa = (u & (UINT64_MAX >> 12)) | UINT64_C(0x3ff) << 52; /* of 1 to 2 */
    memcpy(&m, &mantissa, sizeof m);
    const double log2 = (double)((int)(u >> 52) - 0x3ff) + rough_log2(m - 1);
    const double at = log2 * (s->per_log * 0.6931471805599453) - FIRST + 1; /* above 0 */
    const int below = (int)at;
    const double past = at - below;
    return past > NEAR && past < 1 - NEAR ? below + FIRST : bucket_by_log(s, v);
}

/* Makes room for buckets lo..hi, with slack, so that growth is rare. */
static bool buckets_cover(struct buckets *b, int lo, int hi)
{
    if (b->n && lo >= b->first && hi < b->first + (int)b->n)
        return true;
    int from = b->n && b->first < lo ? b->first : lo - 32;
    int to = b->n && b->first + (int)b->n - 1 > hi ? b->first + (int)b->n - 1 : hi + 32;
    from = from < FIRST ? FIRST : from;
    to = to > LAST ? LAST : to;
    uint64_t *count = calloc((size_t)(to - from + 1), sizeof *count);
    if (!count)
        return false;
    if (b->n)
        memcpy(count + (b->first - from), b->count, b->n * sizeof *count);
    free(b->count);
    *b = (struct buckets){count, from, (uint32_t)(to - from + 1)};
    return true;
}

static bool values_add(struct values *v, double x)
{
    if (v->n == v->cap) {
        uint64_t cap = v->cap ? 2 * v->cap : 256;
        double *at = realloc(v->at, cap * sizeof *at);
        if (!at)
            return false;
        v->at = at;
        v->cap = cap;
    }
    v->at[v->n++] = x;
    return true;
}

static inline bool store(struct sketch *s, double v)
{
    if (s->exact)
        return values_add(s->v, v);
    const int i = bucket_of(s, v);
    const uint32_t at = (uint32_t)i - (uint32_t)s->b.first;
    if (at < s->b.n) {
        s->b.count[at]++;
        return true;
    }
    if (!buckets_cover(&s->b, i, i))
        return false;
    s->b.count[i - s->b.first]++;
    return true;
}

static void sum_add(struct sketch *s, double v)
{
    double t = s->sum + v;
    s->lost += s->sum >= v ? (s->sum - t) + v : (v - t) + s->sum; /* both are >= 0 */
    s->sum = t;
}

void sketch_add(struct sketch *s, double v)
{
    assert(v >= 0 && v <= 1.7e308); /* NaN and infinity are bugs of the caller */
    if (!store(s, v)) {
        s->failed = true;
        return;
    }
    s->min = s->count && s->min < v ? s->min : v;
    s->max = s->count && s->max > v ? s->max : v;
    s->count++;
    sum_add(s, v);
}

bool sketch_failed(const struct sketch *s)
{
    return s->failed;
}

static bool merge_buckets(struct sketch *into, const struct sketch *from)
{
    const struct buckets *f = &from->b;
    if (!f->n)
        return true;
    if (!buckets_cover(&into->b, f->first, f->first + (int)f->n - 1))
        return false;
    for (uint32_t i = 0; i < f->n; i++)
        into->b.count[f->first - into->b.first + (int)i] += f->count[i];
    return true;
}

int sketch_merge(struct sketch *into, const struct sketch *from)
{
    if (into->exact && !from->exact)
        return ERR_EUSAGE; /* values cannot be had back from buckets */
    bool ok = from->exact || merge_buckets(into, from);
    for (uint64_t i = 0; ok && from->exact && i < from->v->n; i++)
        ok = store(into, from->v->at[i]);
    if (!ok || from->failed) {
        into->failed = true;
        return ERR_ENOMEM;
    }
    if (!from->count)
        return 0;
    into->min = into->count && into->min < from->min ? into->min : from->min;
    into->max = into->count && into->max > from->max ? into->max : from->max;
    into->count += from->count;
    sum_add(into, from->sum);
    into->lost += from->lost;
    return 0;
}

/* ---- asking ---- */

uint64_t sketch_count(const struct sketch *s)
{
    return s->count;
}

double sketch_sum(const struct sketch *s)
{
    return s->sum + s->lost;
}

double sketch_mean(const struct sketch *s)
{
    return s->count ? sketch_sum(s) / (double)s->count : 0;
}

double sketch_min(const struct sketch *s)
{
    return s->min;
}

double sketch_max(const struct sketch *s)
{
    return s->max;
}

static double clamp(const struct sketch *s, double v)
{
    return v < s->min ? s->min : v > s->max ? s->max : v;
}

/* The value whose relative distance to both ends of the bucket is SKETCH_ERROR. */
static double middle(const struct sketch *s, int i)
{
    if (i == FIRST)
        return s->min;
    if (i == LAST)
        return s->max;
    return clamp(s, 2 * dmath_exp(i / s->per_log) / (GAMMA + 1));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort(struct values *v)
{
    if (v->sorted != v->n)
        qsort(v->at, v->n, sizeof *v->at, by_value);
    v->sorted = v->n;
}

double sketch_quantile(const struct sketch *s, double q)
{
    assert(q >= 0 && q <= 1);
    if (!s->count)
        return 0;
    double want = ceil(q * (double)s->count);
    uint64_t rank = want < 1 ? 1 : want > (double)s->count ? s->count : (uint64_t)want;
    if (rank == 1)
        return s->min;
    if (rank == s->count)
        return s->max;
    if (s->exact) {
        sort(s->v);
        return s->v->at[rank - 1];
    }
    uint64_t seen = 0;
    for (uint32_t i = 0; i < s->b.n; i++)
        if ((seen += s->b.count[i]) >= rank)
            return middle(s, s->b.first + (int)i);
    return s->max;
}

void sketch_each(const struct sketch *s, void (*f)(void *ctx, double value, uint64_t count),
                 void *ctx)
{
    for (uint32_t i = 0; i < s->b.n; i++)
        if (s->b.count[i])
            f(ctx, middle(s, s->b.first + (int)i), s->b.count[i]);
    if (!s->exact)
        return;
    sort(s->v);
    for (uint64_t i = 0, j; i < s->v->n; i = j) {
        for (j = i + 1; j < s->v->n && s->v->at[j] == s->v->at[i]; j++)
            ;
        f(ctx, s->v->at[i], j - i);
    }
}

/* ---- packed: portable, and read with suspicion ---- */

#define MAGIC UINT64_C(0x31484354454b53) /* "SKETCH1" */

static void pack_buckets(const struct buckets *b, struct buf *out)
{
    uint32_t lo = 0, hi = b->n;
    while (lo < hi && !b->count[lo])
        lo++;
    while (hi > lo && !b->count[hi - 1])
        hi--;
    int first = lo < hi ? b->first + (int)lo : 0; /* of an empty sketch: as a new one has it */
    buf_u64(out, (uint64_t)(first - FIRST));
    buf_u64(out, hi - lo);
    for (uint32_t i = lo; i < hi; i++)
        buf_u64(out, b->count[i]);
}

void sketch_pack(const struct sketch *s, struct buf *b)
{
    buf_u64(b, MAGIC);
    buf_u64(b, s->exact);
    buf_u64(b, s->count);
    buf_f64(b, s->sum);
    buf_f64(b, s->lost);
    buf_f64(b, s->min);
    buf_f64(b, s->max);
    if (!s->exact)
        pack_buckets(&s->b, b);
    for (uint64_t i = 0; s->exact && i < s->v->n; i++)
        buf_f64(b, s->v->at[i]);
}

static bool unpack_buckets(struct sketch *s, struct buf *b)
{
    uint64_t first = buf_take_u64(b), n = buf_take_u64(b), left = s->count;
    if (b->failed || first > LAST - FIRST || n > LAST - FIRST + 1 - first)
        return false;
    int lo = FIRST + (int)first;
    if (n && !buckets_cover(&s->b, lo, lo + (int)n - 1))
        return false;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t c = buf_take_u64(b);
        if (c > left)
            return false;
        left -= c;
        s->b.count[lo - s->b.first + (int)i] = c;
    }
    return left == 0;
}

static bool unpack_values(struct sketch *s, struct buf *b)
{
    if (s->count > (b->len - b->at) / sizeof(double))
        return false;
    for (uint64_t i = 0; i < s->count; i++) {
        double v = buf_take_f64(b);
        if (!(v >= s->min && v <= s->max) || !values_add(s->v, v))
            return false;
    }
    return true;
}

struct sketch *sketch_unpack(struct buf *b)
{
    uint64_t magic = buf_take_u64(b), exact = buf_take_u64(b);
    if (b->failed || magic != MAGIC || exact > 1)
        return NULL;
    struct sketch *s = sketch_new(exact);
    if (!s)
        return NULL;
    s->count = buf_take_u64(b);
    s->sum = buf_take_f64(b);
    s->lost = buf_take_f64(b);
    s->min = buf_take_f64(b);
    s->max = buf_take_f64(b);
    bool sane = s->min >= 0 && s->max >= s->min && s->max <= 1.7e308 && s->sum >= 0;
    if (sane && (exact ? unpack_values(s, b) : unpack_buckets(s, b)) && !b->failed)
        return s;
    sketch_free(s);
    return NULL;
}
