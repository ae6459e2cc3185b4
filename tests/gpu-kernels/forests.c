/* forests.c - see forests.h */
#include "tests/gpu-kernels/forests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cu_math.h"
#include "tests/gpu-kernels/nets.h"

enum { GUARD = 16, POISON = 0x7fe5a5a5, GRID = 9 };

static uint32_t below(uint64_t *s, uint32_t n)
{
    return (uint32_t)(nets_random(s) >> 20) % n;
}

/* One of a few values, the same for splits and inputs. */
static float some_value(uint64_t *s)
{
    return (float)((int)below(s, GRID) - GRID / 2) * 0.375f;
}

/* A tree, grown breadth first: each node splits unless it is deep, or at random. */
static uint32_t grow(struct forest *f, size_t at, uint32_t depth, uint64_t *s)
{
    static uint8_t level[FOREST_NODES_MAX + 2];
    uint32_t size = 1;
    const bool full = below(s, 6) == 0;
    level[0] = 0;
    for (uint32_t i = 0; i < size; i++) {
        f->values[at + i] = some_value(s);
        f->default_left[at + i] = (uint8_t)below(s, 2);
        if (level[i] < depth && (full || below(s, 10) < 8)) {
            f->features[at + i] = (int32_t)below(s, f->f.n_in);
            level[size] = level[size + 1] = (uint8_t)(level[i] + 1);
            size += 2;
        } else {
            f->features[at + i] = -1;
            f->values[at + i] = nets_uniform(s) * (below(s, 20) ? 1.0f : 1000.0f);
        }
    }
    return size;
}

struct forest *forest_make(uint32_t n_in, uint32_t n_out, uint32_t n_trees, uint32_t depth,
                           uint64_t seed)
{
    struct forest *f = calloc(1, sizeof *f);
    const size_t most = (size_t)n_trees * ((2u << depth) - 1);
    uint32_t at = 0;
    f->sizes = malloc(n_trees * sizeof *f->sizes);
    f->first = malloc(n_trees * sizeof *f->first);
    f->features = malloc(most * sizeof *f->features);
    f->values = malloc(most * sizeof *f->values);
    f->default_left = malloc(most);
    f->f = (struct infer_forest){n_in,
                                 n_out,
                                 n_trees,
                                 (enum forest_transform)(seed % FOREST_TRANSFORMS),
                                 nets_uniform(&seed),
                                 f->sizes,
                                 f->features,
                                 f->values,
                                 f->default_left};
    for (uint32_t t = 0; t < n_trees; t++) {
        f->first[t] = at;
        at += f->sizes[t] = grow(f, at, depth, &seed);
    }
    f->net = (struct infer_net){.kind = INFER_FOREST, .forest = &f->f};
    return f;
}

struct forest *forest_make_any(uint64_t seed)
{
    static const uint32_t trees[] = {1, 3, 31, 32, 33, 64, 100, 255, 257, 520, 17, 48};
    uint64_t s = seed + 99;
    uint32_t n_in = 1 + below(&s, 128), n_out = seed % 3 ? 1 : 1 + below(&s, 16);
    return forest_make(n_in, n_out, trees[seed % 12] + n_out - 1, below(&s, seed % 5 ? 7 : 11),
                       seed);
}

void forest_free(struct forest *f)
{
    void *owned[] = {f->sizes, f->first, f->features, f->values, f->default_left, f};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

float *forest_inputs(const struct forest *f, uint32_t rows, uint64_t seed)
{
    const size_t n = (size_t)rows * f->f.n_in;
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        const uint32_t what = below(&seed, 40);
        x[i] = what < 4    ? NAN
               : what == 4 ? INFINITY
               : what == 5 ? -INFINITY
               : what < 20 ? some_value(&seed)
                           : nets_uniform(&seed) * 2;
    }
    return x;
}

/* Node `at` of a tree, by the definition: its children are numbered by the splits before it. */
static float walk(const struct forest *f, uint32_t t, uint32_t at, const float *x)
{
    const uint32_t first = f->first[t];
    const int32_t feature = f->features[first + at];
    uint32_t splits = 0;
    if (feature < 0)
        return f->values[first + at];
    for (uint32_t i = 0; i < at; i++)
        splits += f->features[first + i] >= 0;
    bool right = !(x[feature] < f->values[first + at]);
    if (isnan(x[feature]))
        right = !f->default_left[first + at];
    return walk(f, t, 2 * splits + 1 + right, x);
}

double forest_exact(const struct forest *f, const float *x, uint32_t o, double *scale)
{
    double y = (double)f->f.base;
    *scale = fabs(y);
    for (uint32_t t = o; t < f->f.n_trees; t += f->f.n_out) {
        const double v = (double)walk(f, t, 0, x);
        y += v;
        *scale += fabs(v);
    }
    return y;
}

static float add_halves(const float *v, uint32_t n, uint32_t step)
{
    return n == 1 ? *v : add_halves(v, n / 2, step * 2) + add_halves(v + step, n / 2, step * 2);
}

static float canonical(const struct forest *f, const float *x, uint32_t o)
{
    float s[256] = {0}, c[8];
    for (uint32_t t = o, k = 0; t < f->f.n_trees; t += f->f.n_out, k++)
        s[k % 256] += walk(f, t, 0, x);
    for (uint32_t w = 0; w < 8; w++) /* at distances 16 .. 1: lanes of one parity together, .. */
        c[w] = add_halves(s + 32 * w, 32, 1);
    float y = f->f.base + (((c[0] + c[1]) + (c[2] + c[3])) + ((c[4] + c[5]) + (c[6] + c[7])));
    if (isnan(y))
        return NAN;
    return f->f.transform == FOREST_SIGMOID ? cu_sigmoid(y)
           : f->f.transform == FOREST_EXP   ? cu_exp(fminf(fmaxf(y, -87), 87))
                                            : y;
}

void forest_canonical(const struct forest *f, uint32_t rows, const float *x, float *y)
{
    for (uint32_t r = 0; r < rows; r++, x += f->f.n_in)
        for (uint32_t o = 0; o < f->f.n_out; o++)
            *y++ = canonical(f, x, o);
}

float *forest_outputs(const struct forest *f, uint32_t rows)
{
    const size_t count = (size_t)rows * f->f.n_out + GUARD;
    uint32_t *y = malloc(count * sizeof *y);
    for (size_t i = 0; i < count; i++)
        y[i] = POISON;
    return (float *)y;
}

bool forest_overran(const struct forest *f, uint32_t rows, const float *y)
{
    const uint32_t poison = POISON;
    for (size_t i = 0; i < GUARD; i++)
        if (memcmp(y + (size_t)rows * f->f.n_out + i, &poison, sizeof poison))
            return true;
    return false;
}

size_t forest_differ(const struct forest *f, uint32_t rows, const float *a, const float *b)
{
    size_t differ = 0;
    for (size_t i = 0; i < (size_t)rows * f->f.n_out; i++)
        differ += memcmp(a + i, b + i, sizeof *a) != 0;
    return differ;
}
