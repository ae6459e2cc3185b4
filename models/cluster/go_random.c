#include "models/cluster/go_random.h"

#include <string.h>

enum { LAG = GO_RANDOM_LAG, TAP = 273 };
#define STEPS UINT64_C(7800000000000)

static uint32_t congruential(uint32_t x) /* 48271 x mod 2^31 - 1 */
{
    return (uint32_t)((uint64_t)x * 48271 % 0x7fffffff);
}

static uint32_t seed_of(int64_t seed)
{
    seed %= 0x7fffffff;
    if (seed < 0)
        seed += 0x7fffffff;
    return seed ? (uint32_t)seed : 89482311;
}

/* LAG numbers, each of three of the sequence shifted over one another. */
static void sequence(uint64_t out[LAG], int64_t seed, int shift)
{
    uint32_t x = seed_of(seed);
    for (int i = 0; i < 20; i++)
        x = congruential(x);
    for (int i = 0; i < LAG; i++) {
        out[i] = 0;
        for (int k = 2; k >= 0; k--) {
            x = congruential(x);
            out[i] ^= (uint64_t)x << k * shift;
        }
    }
}

/* p (of degree below 2 LAG - 1) modulo t^607 = t^334 + 1. */
static void reduce(uint64_t p[2 * LAG])
{
    for (int i = 2 * LAG - 1; i >= LAG; i--) {
        p[i - LAG] += p[i];
        p[i - TAP] += p[i];
        p[i] = 0;
    }
}

/* t^n modulo the characteristic polynomial, coefficients modulo 2^64. */
static void power(uint64_t p[2 * LAG], uint64_t n)
{
    memset(p, 0, 2 * LAG * sizeof *p);
    p[0] = 1;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t square[2 * LAG] = {0};
        for (int i = 0; i < LAG; i++)
            for (int k = 0; p[i] && k < LAG; k++)
                square[i + k] += p[i] * p[k];
        if (n >> bit & 1) { /* times t */
            memmove(square + 1, square, (2 * LAG - 1) * sizeof *square);
            square[0] = 0;
        }
        reduce(square);
        memcpy(p, square, sizeof square);
    }
}

/* The state of the unseeded generator after STEPS: slot (333 - m) mod 607 has what step m gave. */
static void cooked(uint64_t out[LAG])
{
    uint64_t start[LAG], x[2 * LAG], p[2 * LAG];
    sequence(start, 1, 10);
    for (int k = 0; k < LAG; k++) /* x[k] is step k - 607 */
        x[k] = start[(LAG - TAP - 1 - k + 2 * LAG) % LAG];
    for (int k = LAG; k < 2 * LAG; k++)
        x[k] = x[k - LAG] + x[k - TAP];
    power(p, STEPS);
    for (int k = 0; k < LAG; k++) {
        uint64_t sum = 0;
        for (int i = 0; i < LAG; i++)
            sum += p[i] * x[i + k];
        const uint64_t step = STEPS - LAG + (uint64_t)k; /* modulo 607, with 333 - step >= 0 */
        out[(LAG - TAP - 1 + LAG - step % LAG) % LAG] = sum;
    }
}

void go_random_seed(struct go_random *r, int64_t seed)
{
    uint64_t mixed[LAG];
    cooked(mixed);
    sequence(r->state, seed, 20);
    for (int i = 0; i < LAG; i++)
        r->state[i] ^= mixed[i];
    r->tap = 0;
    r->feed = LAG - TAP;
}

uint64_t go_random_u64(struct go_random *r)
{
    r->tap = (r->tap ? r->tap : LAG) - 1;
    r->feed = (r->feed ? r->feed : LAG) - 1;
    return r->state[r->feed] += r->state[r->tap];
}

static uint64_t int63(struct go_random *r)
{
    return go_random_u64(r) & INT64_MAX;
}

uint32_t go_random_intn(struct go_random *r, uint32_t n)
{
    const uint32_t most = (uint32_t)(0x7fffffff - (UINT64_C(1) << 31) % n);
    uint32_t v = (uint32_t)(int63(r) >> 32);
    if (!(n & (n - 1)))
        return v & (n - 1);
    while (v > most)
        v = (uint32_t)(int63(r) >> 32);
    return v % n;
}

uint32_t go_random_swap(struct go_random *r, uint32_t i)
{
    const uint32_t n = i + 1, least = -n % n;
    uint64_t wide = (uint64_t)(uint32_t)(int63(r) >> 31) * n;
    while ((uint32_t)wide < least)
        wide = (uint64_t)(uint32_t)(int63(r) >> 31) * n;
    return (uint32_t)(wide >> 32);
}
