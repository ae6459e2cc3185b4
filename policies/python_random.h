/* python_random.h - the random numbers of Python's module `random`.
 *
 * Published simulators in Python draw their workloads, and some of their policies, from it: with
 * the same numbers their trace of a seed is ours.  MT19937 (Matsumoto and Nishimura, TOMACS 1998),
 * seeded as CPython seeds it from an integer; the derived draws are CPython's (Lib/random.py since
 * 3.2).                                                                                       */
#ifndef PYTHON_RANDOM_H
#define PYTHON_RANDOM_H

#include <assert.h>
#include <stdint.h>

struct pyrandom {
    uint32_t state[624];
    uint32_t used; /* of the 624 */
};

static inline void pyrandom_fill_(struct pyrandom *r, uint32_t seed)
{
    r->state[0] = seed;
    for (uint32_t i = 1; i < 624; i++)
        r->state[i] = 1812433253u * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
    r->used = 624;
}

/* random.Random(seed): the original's init_by_array, on the 32-bit words of the seed. */
static inline void pyrandom_seed(struct pyrandom *r, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t words = key[1] ? 2 : 1;
    uint32_t *s = r->state, i = 1, j = 0;
    pyrandom_fill_(r, 19650218u);
    for (uint32_t k = 624; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[j] + j;
        if (++i == 624)
            s[0] = s[623], i = 1;
        j = (j + 1) % words;
    }
    for (uint32_t k = 623; k; k--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - i;
        if (++i == 624)
            s[0] = s[623], i = 1;
    }
    s[0] = 0x80000000u;
}

static inline void pyrandom_twist_(struct pyrandom *r)
{
    for (uint32_t i = 0; i < 624; i++) {
        uint32_t y = (r->state[i] & 0x80000000u) | (r->state[(i + 1) % 624] & 0x7fffffffu);
        r->state[i] = r->state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    r->used = 0;
}

/* getrandbits(32) */
static inline uint32_t pyrandom_word(struct pyrandom *r)
{
    if (r->used == 624)
        pyrandom_twist_(r);
    uint32_t y = r->state[r->used++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* random(): [0, 1), 53 bits */
static inline double pyrandom_unit(struct pyrandom *r)
{
    uint32_t a = pyrandom_word(r) >> 5, b = pyrandom_word(r) >> 6;
    return ((double)a * 67108864.0 + (double)b) / 9007199254740992.0;
}

static inline double pyrandom_uniform(struct pyrandom *r, double a, double b)
{
    return a + (b - a) * pyrandom_unit(r);
}

/* randrange(n), and the index that choice takes of n; 1 <= n */
static inline uint32_t pyrandom_below(struct pyrandom *r, uint32_t n)
{
    assert(n > 0);
    uint32_t bits = 32 - (uint32_t)__builtin_clz(n), v;
    do
        v = pyrandom_word(r) >> (32 - bits);
    while (v >= n);
    return v;
}

static inline void pyrandom_shuffle(struct pyrandom *r, uint32_t *v, uint32_t n)
{
    for (uint32_t i = n; i-- > 1;) {
        uint32_t j = pyrandom_below(r, i + 1), keep = v[i];
        v[i] = v[j];
        v[j] = keep;
    }
}

/* sample(range(n), 2): of up to 21 it draws from a pool, of more until they differ.  2 <= n */
static inline void pyrandom_two(struct pyrandom *r, uint32_t n, uint32_t v[2])
{
    v[0] = pyrandom_below(r, n);
    if (n <= 21) {
        v[1] = pyrandom_below(r, n - 1);
        v[1] = v[1] == v[0] ? n - 1 : v[1];
        return;
    }
    do
        v[1] = pyrandom_below(r, n);
    while (v[1] == v[0]);
}

#endif
