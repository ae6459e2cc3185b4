/* forest_scalar.c - the twin for any processor, and forest.h said in plain C. */
#include "gpu-kernels/forest_pack.h"

static float leaf(const struct forest_node *nodes, uint32_t at, const float *x)
{
    while (nodes[at].meta >> FOREST_CHILD) {
        const struct forest_node n = nodes[at];
        const float v = x[n.meta & FOREST_FEATURE];
        const uint32_t left = v == v ? v < n.value : (n.meta & FOREST_MISSING) != 0;
        at = (n.meta >> FOREST_CHILD) + 1 - left;
    }
    return nodes[at].value;
}

static float butterfly(float s[32])
{
    for (int distance = 16; distance; distance /= 2)
        for (int l = 0; l < distance; l++)
            s[l] += s[l + distance];
    return s[0];
}

static float output(const struct forest_pack *p, uint32_t o, const float *x)
{
    const uint32_t trees = forest_trees(p->n_trees, p->n_out, o);
    const uint32_t *roots = p->roots + (size_t)o * p->stride;
    float s[FOREST_LANES] = {0}, c[FOREST_WARPS] = {0};
    for (uint32_t k = 0; k < trees; k++)
        s[k % FOREST_LANES] += leaf(p->nodes, roots[k], x);
    for (uint32_t w = 0; w < FOREST_WARPS && w * 32 < trees; w++)
        c[w] = butterfly(s + w * 32);
    return forest_finish(p, c);
}

void forest_scalar(const struct forest_pack *p, uint32_t rows, const float *x, float *y)
{
    for (uint32_t r = 0; r < rows; r++, x += p->n_in, y += p->n_out)
        for (uint32_t o = 0; o < p->n_out; o++)
            y[o] = output(p, o, x);
}
