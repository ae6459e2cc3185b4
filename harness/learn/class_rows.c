#include "harness/learn/class_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct class_rows *r, size_t n)
{
    if (r->n + n <= r->cap)
        return true;
    size_t cap = r->cap ? r->cap : 1024;
    while (cap < r->n + n)
        cap *= 2;
    float *x = realloc(r->x, cap * r->n_in * sizeof *x);
    if (x)
        r->x = x;
    unsigned char *label = realloc(r->label, cap);
    if (label)
        r->label = label;
    if (!x || !label)
        return false;
    r->cap = cap;
    return true;
}

bool class_rows_add(struct class_rows *r, const float *x, uint32_t label)
{
    assert(label < 256);
    if (!reserve(r, 1))
        return false;
    memcpy(r->x + r->n * r->n_in, x, r->n_in * sizeof *x);
    r->label[r->n++] = (unsigned char)label;
    return true;
}

bool class_rows_append(struct class_rows *r, const struct class_rows *from, size_t at, size_t n)
{
    assert(r->n_in == from->n_in && at + n <= from->n);
    if (!n)
        return true;
    if (!reserve(r, n))
        return false;
    memcpy(r->x + r->n * r->n_in, from->x + at * r->n_in, n * r->n_in * sizeof *r->x);
    memcpy(r->label + r->n, from->label + at, n);
    r->n += n;
    return true;
}

void class_rows_free(struct class_rows *r)
{
    free(r->x);
    free(r->label);
    *r = (struct class_rows){.n_in = r->n_in};
}
