#include "sim/near.h"

#include <stdio.h>
#include <string.h>

#define WRONG_MAX 3

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
    unsigned d[3][NEAR_MAX + 1]; /* rows i - 2, i - 1, i, in turn */
    for (size_t k = 0; k <= m; k++)
        d[0][k] = (unsigned)k;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= m; k++) {
            row[k] = least(up[k - 1] + (a[i - 1] != b[k - 1]), least(up[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = least(row[k], up2[k - 2] + 1);
        }
    }
    return d[n % 3][m];
}

void near_begin(struct near *n, const char *said)
{
    *n = (struct near){.said = said};
    n->distance = 1 + least((unsigned)strlen(said) / 3, WRONG_MAX); /* what is too far */
}

void near_offer(struct near *n, const char *known)
{
    const size_t a = strlen(n->said), b = strlen(known);
    if (a > NEAR_MAX || b > NEAR_MAX)
        return;
    const unsigned d = distance(n->said, a, known, b);
    if (d >= n->distance)
        return;
    n->distance = d;
    n->best = known;
}

const char *near_words(struct near *n)
{
    if (n->best)
        snprintf(n->words, sizeof n->words, "; did you mean \"%s\"?", n->best);
    return n->words;
}
