#include "gpu-kernels/forest_pack.h"

#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/pack.h"

/* Where each node of f goes: place[i] for node i of all trees in a row. */
struct placing {
    const struct infer_forest *f;
    uint32_t *place, *first; /* first[t]: the root of tree t among all nodes of f */
    uint32_t next;
};

static uint32_t count_nodes(const struct infer_forest *f, uint32_t *first)
{
    uint32_t n = 0;
    for (uint32_t t = 0; t < f->n_trees; t++) {
        first[t] = n;
        n += f->sizes[t];
    }
    return n;
}

/* Trees t, t + n_out, .. of one output: `together` of them, as far as there are. */
static void place_together(struct placing *p, uint32_t t, uint32_t together)
{
    const uint32_t step = p->f->n_out, n = p->f->n_trees;
    uint32_t biggest = 0, to = n - t > (uint64_t)step * together ? t + step * together : n;
    for (uint32_t i = t; i < to; i += step) {
        p->place[p->first[i]] = p->next++;
        biggest = p->f->sizes[i] > biggest ? p->f->sizes[i] : biggest;
    }
    for (uint32_t child = 1; child < biggest; child += 2)
        for (uint32_t i = t; i < to; i += step)
            if (child < p->f->sizes[i]) {
                p->place[p->first[i] + child] = p->next++;
                p->place[p->first[i] + child + 1] = p->next++;
            }
}

static void place_all(struct placing *p, uint32_t together)
{
    const uint32_t out = p->f->n_out;
    for (uint32_t o = 0; o < out; o++)
        for (uint32_t t = o; t < p->f->n_trees; t += out * together)
            place_together(p, t, together);
}

/* Puts a tree at its place; returns the splits on its longest path. */
static uint32_t put_tree(struct forest_node *nodes, const struct placing *p, uint32_t t)
{
    uint8_t depth[FOREST_NODES_MAX] = {0};
    uint32_t from = p->first[t], child = 1, deepest = 0;
    for (uint32_t i = 0; i < p->f->sizes[t]; i++) {
        struct forest_node *n = &nodes[p->place[from + i]];
        n->value = p->f->values[from + i];
        if (p->f->features[from + i] < 0)
            continue;
        n->meta = (uint32_t)p->f->features[from + i] |
                  (p->f->default_left[from + i] ? FOREST_MISSING : 0) |
                  p->place[from + child] << FOREST_CHILD;
        depth[child] = depth[child + 1] = (uint8_t)(depth[i] + 1);
        deepest = depth[child];
        child += 2;
    }
    return deepest;
}

static void put_all(struct forest_pack *to, const struct placing *p)
{
    for (uint32_t i = 0; i < to->n_out * to->stride; i++)
        to->roots[i] = to->n_nodes;
    for (uint32_t t = 0; t < to->n_trees; t++) {
        const uint32_t at = t % to->n_out * to->stride + t / to->n_out;
        const uint32_t deepest = put_tree(to->nodes, p, t);
        to->roots[at] = p->place[p->first[t]];
        if (deepest > to->longest[at / 16])
            to->longest[at / 16] = (uint8_t)deepest;
    }
}

bool forest_pack_make(struct forest_pack *to, const struct infer_forest *f, uint32_t together)
{
    const uint32_t stride = (forest_trees(f->n_trees, f->n_out, 0) + 31) / 32 * 32;
    struct placing p = {.f = f, .first = malloc(f->n_trees * sizeof *p.first)};
    *to = (struct forest_pack){.n_in = f->n_in,
                               .n_out = f->n_out,
                               .n_trees = f->n_trees,
                               .stride = stride,
                               .transform = f->transform,
                               .base = f->base};
    to->n_nodes = p.first ? count_nodes(f, p.first) : 0;
    p.place = malloc((to->n_nodes + 1) * sizeof *p.place);
    to->nodes = pack_alloc((to->n_nodes + 1) * sizeof *to->nodes);
    to->roots = pack_alloc(f->n_out * stride * sizeof *to->roots);
    to->longest = pack_alloc(f->n_out * stride / 16);
    const bool made = p.first && p.place && to->nodes && to->roots && to->longest;
    if (made) {
        place_all(&p, together);
        put_all(to, &p);
    } else {
        forest_pack_free(to);
    }
    free(p.first);
    free(p.place);
    return made;
}

void forest_pack_free(struct forest_pack *p)
{
    free(p->nodes);
    free(p->roots);
    free(p->longest);
    *p = (struct forest_pack){0};
}
