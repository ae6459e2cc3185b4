/* forest_simd.h - the twin for SIMD, whose lanes are rows or trees.
 *
 * Four vectors walk at once, since each step waits for two gathers.  Blocks of
 * four vectors of rows go down one tree after the other; what remains goes row
 * by row, with trees in the lanes.  forest_avx2.c and forest_avx512.c define
 * before they include this:
 *
 *     LANES, vec, ivec    floats and 32-bit integers, LANES of them
 *     walk(p, x, root[4], from[4], most, leaf[4])
 *                         leaves of the trees at root[], of the rows that begin
 *                         from[] floats behind x, at most `most` splits away
 *     vec_zero() vec_load(p) vec_store(p, v) vec_add(a, b)
 *     ivec_load(p) ivec_all(i) ivec_ramp(step)
 *     chunk_sum(const vec v[32 / LANES])  the butterfly over 32 lanes        */
enum { SIDE = 4, BLOCK = SIDE * LANES, PER_CHUNK = 32 / LANES, IN_16 = 16 / LANES };

static uint32_t at_most(uint32_t v, uint32_t most)
{
    return v < most ? v : most;
}

/* ---- lanes are rows ----------------------------------------------------------- */

/* c[w] of LANES rows: the butterfly over 32 vectors. */
static vec sum_rows(const float *s, uint32_t trees)
{
    vec v[32];
    const uint32_t n = at_most(trees, 32);
    for (uint32_t l = 0; l < 32; l++)
        v[l] = l < n ? vec_load(s + (size_t)l * BLOCK) : vec_zero();
    for (uint32_t distance = 16; distance; distance /= 2)
        for (uint32_t l = 0; l < distance; l++)
            v[l] = vec_add(v[l], v[l + distance]);
    return v[0];
}

static void finish_rows(const struct forest_pack *p, uint32_t o, const float *s, uint32_t trees,
                        float *y)
{
    float c[BLOCK][FOREST_WARPS] = {{0}}, lane[LANES];
    for (uint32_t w = 0; w < FOREST_WARPS && w * 32 < trees; w++)
        for (uint32_t g = 0; g < SIDE; g++) {
            vec_store(lane, sum_rows(s + (size_t)w * 32 * BLOCK + g * LANES, trees - w * 32));
            for (uint32_t i = 0; i < LANES; i++)
                c[g * LANES + i][w] = lane[i];
        }
    for (uint32_t r = 0; r < BLOCK; r++)
        y[r * p->n_out + o] = forest_finish(p, c[r]);
}

/* BLOCK rows; s is [FOREST_LANES][BLOCK]. */
static void block(const struct forest_pack *p, const float *x, float *y, float *s)
{
    ivec from[SIDE];
    for (uint32_t g = 0; g < SIDE; g++)
        from[g] = ivec_ramp(g * LANES, p->n_in);
    for (uint32_t o = 0; o < p->n_out; o++) {
        const uint32_t trees = forest_trees(p->n_trees, p->n_out, o);
        memset(s, 0, at_most(trees, FOREST_LANES) * BLOCK * sizeof *s);
        for (uint32_t k = 0; k < trees; k++) {
            const uint32_t at = o * p->stride + k;
            const ivec root = ivec_all(p->roots[at]);
            float *sum = s + (size_t)(k % FOREST_LANES) * BLOCK;
            vec leaf[SIDE];
            walk(p->nodes, x, (ivec[SIDE]){root, root, root, root}, from, p->longest[at / 16],
                 leaf);
            for (uint32_t g = 0; g < SIDE; g++)
                vec_store(sum + g * LANES, vec_add(vec_load(sum + g * LANES), leaf[g]));
        }
        finish_rows(p, o, s, trees, y);
    }
}

/* ---- lanes are trees ------------------------------------------------------------ */

static float row_output(const struct forest_pack *p, uint32_t o, const float *x)
{
    const uint32_t trees = forest_trees(p->n_trees, p->n_out, o), at = o * p->stride;
    const ivec from[SIDE] = {ivec_all(0), ivec_all(0), ivec_all(0), ivec_all(0)};
    vec s[FOREST_LANES / LANES];
    float c[FOREST_WARPS] = {0};
    for (uint32_t i = 0; i < FOREST_LANES / LANES; i++)
        s[i] = vec_zero();
    for (uint32_t k = 0; k < trees; k += BLOCK) {
        ivec root[SIDE];
        vec leaf[SIDE];
        uint32_t most = 0;
        for (uint32_t g = 0; g < SIDE; g++) { /* stride is no multiple of BLOCK */
            const uint32_t t = k + g * LANES;
            root[g] = t < trees ? ivec_load(p->roots + at + t) : ivec_all(p->n_nodes);
            if (t < trees && p->longest[(at + t) / 16] > most)
                most = p->longest[(at + t) / 16];
        }
        walk(p->nodes, x, root, from, most, leaf);
        for (uint32_t g = 0; g < SIDE; g++) {
            const uint32_t l = (k / LANES + g) % (FOREST_LANES / LANES);
            s[l] = vec_add(s[l], leaf[g]);
        }
    }
    for (uint32_t w = 0; w < FOREST_WARPS && w * 32 < trees; w++)
        c[w] = chunk_sum(s + w * PER_CHUNK);
    return forest_finish(p, c);
}

static void forward(const struct forest_pack *p, uint32_t rows, const float *x, float *y)
{
    _Alignas(64) float s[FOREST_LANES * BLOCK];
    for (; rows >= BLOCK; rows -= BLOCK, x += BLOCK * p->n_in, y += BLOCK * p->n_out)
        block(p, x, y, s);
    for (; rows; rows--, x += p->n_in, y += p->n_out)
        for (uint32_t o = 0; o < p->n_out; o++)
            y[o] = row_output(p, o, x);
}
