#include "harness/learn/train_rows.h"

#include <stdlib.h>

/* Requests whose answer is still being written, in a heap by (finish, id). */
struct flight {
    uint64_t finish;
    struct policy_request request;
    uint32_t tokens;
};

struct replay {
    struct length_state seen;
    struct flight *heap;
    size_t n, cap;
};

static int sooner(const struct flight *a, const struct flight *b)
{
    return a->finish != b->finish ? a->finish < b->finish : a->request.id < b->request.id;
}

static int push(struct replay *r, const struct flight *f)
{
    if (r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 256;
        struct flight *grown = realloc(r->heap, cap * sizeof *grown);
        if (!grown)
            return -1;
        r->heap = grown;
        r->cap = cap;
    }
    size_t i = r->n++;
    for (; i && sooner(f, &r->heap[(i - 1) / 2]); i = (i - 1) / 2)
        r->heap[i] = r->heap[(i - 1) / 2];
    r->heap[i] = *f;
    return 0;
}

static struct flight pop(struct replay *r)
{
    struct flight top = r->heap[0], last = r->heap[--r->n];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < r->n) {
        child += child + 1 < r->n && sooner(&r->heap[child + 1], &r->heap[child]);
        if (!sooner(&r->heap[child], &last))
            break;
        r->heap[i] = r->heap[child];
        i = child;
    }
    r->heap[i] = last;
    return top;
}

static int grow(struct train_rows *rows)
{
    if (rows->n < rows->cap)
        return 0;
    size_t cap = rows->cap ? 2 * rows->cap : 4096;
    float *x = realloc(rows->x, cap * LENGTH_N * sizeof *x);
    if (x)
        rows->x = x;
    uint32_t *tokens = x ? realloc(rows->tokens, cap * sizeof *tokens) : NULL;
    if (!tokens)
        return -1;
    rows->tokens = tokens;
    rows->cap = cap;
    return 0;
}

static int arrive(struct replay *r, struct train_rows *rows, const struct trace_request *t)
{
    while (r->n && r->heap[0].finish <= t->time_ns) {
        struct flight f = pop(r);
        length_done(&r->seen, &f.request, f.tokens);
    }
    struct flight f = {.finish = t->time_ns + TRAIN_FIRST_NS + TRAIN_TOKEN_NS * t->output_tokens,
                       .request = {.id = rows->n,
                                   .arrived_ns = t->time_ns,
                                   .tenant = t->tenant,
                                   .model = t->model,
                                   .prompt_tokens = t->prompt_tokens},
                       .tokens = t->output_tokens};
    if (grow(rows) || push(r, &f))
        return -1;
    length_features(&r->seen, &f.request, rows->x + rows->n * LENGTH_N);
    length_arrived(&r->seen, &f.request);
    rows->tokens[rows->n++] = t->output_tokens;
    return 0;
}

int train_rows_replay(struct train_rows *rows, struct request_source *from, size_t most,
                      struct err *e)
{
    struct replay *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ERR_ENOMEM, "out of memory");
    struct trace_request t = {0};
    int rc = 0;
    while (rows->n < most && (rc = from->next(from, &t, e)) == 1)
        if (arrive(r, rows, &t)) {
            rc = err_set(e, ERR_ENOMEM, "row %zu: out of memory", rows->n);
            break;
        }
    free(r->heap);
    free(r);
    return rc < 0 ? rc : 0;
}

void train_rows_free(struct train_rows *rows)
{
    free(rows->x);
    free(rows->tokens);
    *rows = (struct train_rows){0};
}
