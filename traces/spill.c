/* spill.c - runs sorted in memory, merged from a file. */
#include "traces/spill.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/spill_file.h"

#define FIRST_RECORDS 1024
#define LEAST_RECORDS 4
#define LEAST_FAN     2

struct place { /* of a record in memory */
    uint64_t key;
    size_t at;
};

struct run {
    uint64_t at, end;  /* in the file, bytes: what is not yet in the block */
    uint64_t begin;    /* to rewind to */
    size_t next, have; /* in its block, records */
    unsigned char *block;
};

struct spill {
    size_t size, max_bytes;
    unsigned char *records; /* being added; or the block of all runs while merging */
    struct place *order;    /* two of each: sorted, and room to sort */
    size_t n, cap, most;    /* records in memory; room; its limit */
    size_t next;            /* to give out, when nothing was spilled */
    uint64_t count;
    int fd; /* -1: nothing was spilled */
    uint64_t file_bytes;
    struct run *run;
    size_t runs, runs_cap;
    size_t *heap; /* runs by their first record, while reading */
    size_t heaped, block_records;
    bool sorted;
};

int spill_new(struct spill **out, size_t record_size, size_t max_bytes, struct err *e)
{
    assert(record_size >= sizeof(uint64_t));
    struct spill *s = *out = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->size = record_size;
    s->max_bytes = max_bytes;
    s->fd = -1;
    s->most = max_bytes / (record_size + 2 * sizeof *s->order);
    if (s->most < LEAST_RECORDS)
        s->most = LEAST_RECORDS;
    return 0;
}

static uint64_t key_of(const void *record)
{
    uint64_t key;
    memcpy(&key, record, sizeof key);
    return key;
}

static int grow(struct spill *s, struct err *e)
{
    size_t cap = s->cap ? 2 * s->cap : FIRST_RECORDS;
    if (cap > s->most)
        cap = s->most;
    unsigned char *records = realloc(s->records, cap * s->size);
    s->records = records ? records : s->records;
    struct place *order = realloc(s->order, 2 * cap * sizeof *order);
    s->order = order ? order : s->order;
    if (!records || !order)
        return err_set(e, ERR_ENOMEM, "out of memory at %llu records to sort",
                       (unsigned long long)s->count);
    s->cap = cap;
    return 0;
}

static void merge_places(const struct place *a, size_t na, const struct place *b, size_t nb,
                         struct place *to)
{
    while (na && nb) {
        bool first = a->key <= b->key;
        *to++ = first ? *a : *b;
        a += first;
        na -= first;
        b += !first;
        nb -= !first;
    }
    memcpy(to, na ? a : b, (na + nb) * sizeof *to);
}

/* Bottom up; the sorted half may be either, so `order` is told by the return. */
static const struct place *sort_places(struct place *v, struct place *spare, size_t n)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t i = 0; i < n; i += 2 * width) {
            size_t na = n - i < width ? n - i : width;
            size_t nb = n - i - na < width ? n - i - na : width;
            merge_places(v + i, na, v + i + na, nb, spare + i);
        }
        struct place *swap = v;
        v = spare;
        spare = swap;
    }
    return v;
}

/* What was added, in order: most traces are in order nearly everywhere, hence the look first. */
static const struct place *sort_memory(struct spill *s)
{
    bool ordered = true;
    for (size_t i = 0; i < s->n; i++) {
        s->order[i] = (struct place){key_of(s->records + i * s->size), i};
        ordered &= i == 0 || s->order[i - 1].key <= s->order[i].key;
    }
    return ordered ? s->order : sort_places(s->order, s->order + s->cap, s->n);
}

static int add_run(struct run **list, size_t *n, size_t *cap, uint64_t from, uint64_t to,
                   struct err *e)
{
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 16;
        struct run *v = realloc(*list, more * sizeof *v);
        if (!v)
            return err_set(e, ERR_ENOMEM, "out of memory");
        *list = v;
        *cap = more;
    }
    (*list)[(*n)++] = (struct run){.at = from, .begin = from, .end = to};
    return 0;
}

/* Memory becomes the file's next run. */
static int flush_memory(struct spill *s, struct err *e)
{
    struct spill_outlet o;
    int rc = s->fd < 0 ? spill_open_file(&s->fd, e) : 0;
    if (rc || (rc = spill_outlet_open(&o, s->fd, s->file_bytes, s->size, e)))
        return rc;
    const struct place *p = sort_memory(s);
    for (size_t i = 0; !rc && i < s->n; i++)
        rc = spill_outlet_put(&o, s->records + p[i].at * s->size, s->size, e);
    if (!rc)
        rc = spill_outlet_flush(&o, e);
    if (!rc)
        rc = add_run(&s->run, &s->runs, &s->runs_cap, s->file_bytes, o.at, e);
    s->file_bytes = o.at;
    s->n = 0;
    free(o.buf);
    return rc;
}

int spill_add(struct spill *s, const void *record, struct err *e)
{
    assert(!s->sorted);
    int rc = 0;
    if (s->n == s->cap)
        rc = s->cap < s->most ? grow(s, e) : flush_memory(s, e);
    if (rc)
        return rc;
    memcpy(s->records + s->n++ * s->size, record, s->size);
    s->count++;
    return 0;
}

static const unsigned char *head(const struct spill *s, const struct run *r)
{
    return r->block + r->next * s->size;
}

static int fill_block(struct spill *s, struct run *r, struct err *e)
{
    uint64_t left = (r->end - r->at) / s->size;
    r->have = left < s->block_records ? (size_t)left : s->block_records;
    r->next = 0;
    int rc = spill_read_all(s->fd, r->block, r->have * s->size, r->at, e);
    r->at += r->have * s->size;
    return rc;
}

/* Of equal keys, those of the earlier run were added first. */
static bool before(const struct spill *s, size_t a, size_t b)
{
    uint64_t x = key_of(head(s, &s->run[a])), y = key_of(head(s, &s->run[b]));
    return x != y ? x < y : a < b;
}

static void sink(struct spill *s, size_t i)
{
    size_t run = s->heap[i];
    for (size_t child; (child = 2 * i + 1) < s->heaped; i = child) {
        if (child + 1 < s->heaped && before(s, s->heap[child + 1], s->heap[child]))
            child++;
        if (!before(s, s->heap[child], run))
            break;
        s->heap[i] = s->heap[child];
    }
    s->heap[i] = run;
}

/* Readies runs first..first+n to be merged; their blocks share s->records. */
static int begin_merge(struct spill *s, size_t first, size_t n, struct err *e)
{
    s->heaped = 0;
    for (size_t i = 0; i < n; i++) {
        struct run *r = &s->run[first + i];
        r->at = r->begin;
        r->block = s->records + i * s->block_records * s->size;
        int rc = fill_block(s, r, e);
        if (rc)
            return rc;
        s->heap[s->heaped++] = first + i;
    }
    for (size_t i = s->heaped / 2; i-- > 0;)
        sink(s, i);
    return 0;
}

/* The first of all; it is good until the next call. */
static int merge_next(struct spill *s, void *record, struct err *e)
{
    if (!s->heaped)
        return 0;
    struct run *r = &s->run[s->heap[0]];
    memcpy(record, head(s, r), s->size);
    if (++r->next == r->have && r->at < r->end) {
        int rc = fill_block(s, r, e);
        if (rc)
            return rc;
    }
    if (r->next == r->have)
        s->heap[0] = s->heap[--s->heaped];
    if (s->heaped)
        sink(s, 0);
    return 1;
}

/* fan runs into one, again and again, from one file to another; neighbours, to stay stable. */
static int merge_round(struct spill *s, size_t fan, unsigned char *record, struct err *e)
{
    struct run *list = NULL;
    size_t n = 0, cap = 0;
    struct spill_outlet o = {0};
    int fd = -1, rc = spill_open_file(&fd, e);
    if (!rc)
        rc = spill_outlet_open(&o, fd, 0, s->size, e);
    for (size_t i = 0; !rc && i < s->runs; i += fan) {
        uint64_t from = o.at;
        rc = begin_merge(s, i, s->runs - i < fan ? s->runs - i : fan, e);
        while (!rc && (rc = merge_next(s, record, e)) == 1)
            rc = spill_outlet_put(&o, record, s->size, e);
        if (!rc)
            rc = spill_outlet_flush(&o, e);
        if (!rc)
            rc = add_run(&list, &n, &cap, from, o.at, e);
    }
    free(o.buf);
    if (rc) {
        free(list);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    close(s->fd);
    free(s->run);
    s->fd = fd;
    s->run = list;
    s->runs = n;
    s->runs_cap = cap;
    return 0;
}

/* How many runs are merged at once: as many as have room for a block each. */
static int merge_down(struct spill *s, struct err *e)
{
    size_t block = SPILL_BLOCK / s->size ? SPILL_BLOCK / s->size : 1;
    size_t fan = s->cap / block > LEAST_FAN ? s->cap / block : LEAST_FAN;
    unsigned char *record = malloc(s->size);
    int rc = record ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    s->block_records = s->cap / fan;
    if (!rc && !(s->heap = calloc(s->runs > fan ? fan : s->runs, sizeof *s->heap)))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    while (!rc && s->runs > fan)
        rc = merge_round(s, fan, record, e);
    free(record);
    if (rc)
        return rc;
    s->block_records = s->cap / s->runs;
    return begin_merge(s, 0, s->runs, e);
}

int spill_sort(struct spill *s, struct err *e)
{
    assert(!s->sorted);
    s->sorted = true;
    if (s->fd < 0) {
        const struct place *p = s->n ? sort_memory(s) : NULL;
        if (p && p != s->order)
            memcpy(s->order, p, s->n * sizeof *p);
        return 0;
    }
    int rc = s->n ? flush_memory(s, e) : 0;
    if (rc)
        return rc;
    free(s->order);
    s->order = NULL;
    return merge_down(s, e);
}

int spill_next(struct spill *s, void *record, struct err *e)
{
    assert(s->sorted);
    if (s->fd >= 0)
        return merge_next(s, record, e);
    if (s->next == s->n)
        return 0;
    memcpy(record, s->records + s->order[s->next++].at * s->size, s->size);
    return 1;
}

int spill_rewind(struct spill *s, struct err *e)
{
    assert(s->sorted);
    s->next = 0;
    return s->fd < 0 ? 0 : begin_merge(s, 0, s->runs, e);
}

uint64_t spill_count(const struct spill *s)
{
    return s->count;
}

void spill_free(struct spill *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->records);
    free(s->order);
    free(s->run);
    free(s->heap);
    free(s);
}
