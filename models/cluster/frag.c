#include "models/cluster/frag.h"

#include <stdlib.h>

#include "policies/fragments.h"

struct frag {
    const struct nodes *nodes;
    const struct demand *demand;
    uint64_t *at; /* [nodes] */
    uint64_t sum;
};

void frag_changed(struct frag *f, uint32_t node)
{
    const struct fragments_node free = fragments_node(&f->nodes->node[node]);
    const uint64_t now = fragments(&free, f->demand->kind, f->demand->n);
    f->sum += now - f->at[node];
    f->at[node] = now;
}

struct frag *frag_new(const struct nodes *n, const struct demand *d)
{
    struct frag *f = calloc(1, sizeof *f);
    if (f)
        *f = (struct frag){.nodes = n, .demand = d, .at = calloc(n->n, sizeof *f->at)};
    if (!f || !f->at) {
        free(f);
        return NULL;
    }
    for (uint32_t i = 0; i < n->n; i++)
        frag_changed(f, i);
    return f;
}

void frag_free(struct frag *f)
{
    if (f)
        free(f->at);
    free(f);
}

double frag_milli(const struct frag *f)
{
    return f->demand->weight ? (double)f->sum / (double)f->demand->weight : 0;
}
