/* cuda_mail.c - see cuda_mail.h
 *
 * A group's boxes are launched together and leave one by one.  When a box that
 * is needed was left, those of its group that have nothing to answer are told
 * to go too, and the group is launched anew: its kernels find the letters that
 * still lie in their boxes.                                                  */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/cuda_mail.h"

enum { GROUPS = 3, BOXES_MAX = 64, LINE = 16, SPINS = 4096, WAKES = 3 };
static const uint32_t group_first[GROUPS + 1] = {0, 1, 4, BOXES_MAX};

struct group {
    cu_stream stream;
    uint32_t first, boxes, launch; /* launch 0: never yet */
};

struct cuda_mail {
    struct cuda_model *of;
    void *host;
    cu_pointer device;
    uint32_t rows;             /* that a box holds */
    uint32_t x_words, y_words; /* of a row */
    uint32_t stride, y;        /* as mail_args */
    uint32_t tag;              /* of the last letter */
    uint32_t share[BOXES_MAX]; /* rows of the present letter */
    struct group group[GROUPS];
    void *staged;
};

static uint64_t *word(const struct cuda_mail *m, uint32_t box, uint32_t at)
{
    return (uint64_t *)m->host + (size_t)box * m->stride + at;
}

static uint64_t look(const struct cuda_mail *m, uint32_t box, uint32_t at)
{
    return __atomic_load_n(word(m, box, at), __ATOMIC_RELAXED);
}

static void put(struct cuda_mail *m, uint32_t box, uint32_t at, uint32_t tag, uint32_t value)
{
    __atomic_store_n(word(m, box, at), (uint64_t)tag << 32 | value, __ATOMIC_RELAXED);
}

static uint32_t next_tag(struct cuda_mail *m)
{
    return m->tag = m->tag == UINT32_MAX ? 1 : m->tag + 1;
}

/* ---- who has answered, who has left -------------------------------------------- */

static bool answered(const struct cuda_mail *m, uint32_t box, uint32_t tag)
{
    for (uint32_t i = m->share[box] * m->y_words; i--;)
        if ((uint32_t)(look(m, box, m->y + i) >> 32) != tag)
            return false;
    return true;
}

static bool left(const struct cuda_mail *m, const struct group *g, uint32_t box)
{
    return look(m, box, MAIL_LEFT) == g->launch;
}

/* Whether the group's kernel still runs; -1 when it has failed. */
static int runs(const struct cuda_mail *m, const struct group *g, char *why, size_t n)
{
    const struct cuda *c = m->of->on;
    sched_yield(); /* it has taken long already */
    cu_result r = c->drv.cuStreamQuery(g->stream);
    return r == CU_NOT_READY ? 1 : cuda_check(c, r, "a kernel that stays", why, n);
}

/* ---- a group's kernel ------------------------------------------------------------ */

static int start(struct cuda_mail *m, struct group *g, uint32_t tag, char *why, size_t n)
{
    const struct cuda *c = m->of->on;
    const struct kind_places places = cuda_places(m->of);
    struct kind_launch l;
    g->launch++;
    for (uint32_t b = g->first; b < g->first + g->boxes; b++) {
        const bool open = m->share[b] && !answered(m, b, tag);
        *word(m, b, MAIL_ANSWERED) = open ? tag - 1 : look(m, b, MAIL_HEAD) >> 32;
    }
    const struct mail_args args = {.boxes = (uint64_t *)(uintptr_t)m->device +
                                            (size_t)g->first * m->stride,
                                   .stride = m->stride,
                                   .y = m->y,
                                   .launch = g->launch,
                                   .idle = c->looks};
    m->of->kind->mail(&m->of->pack, &places, &args, &l);
    l.blocks = g->boxes;
    return cuda_launch(m->of, &l, g->stream, why, n);
}

/* Until all of a group have left; those that owe an answer to `tag` may give it first. */
static int send_away(struct cuda_mail *m, struct group *g, uint32_t tag, char *why, size_t n)
{
    bool told[BOXES_MAX] = {false}, some = true;
    for (uint32_t spin = 1; some; spin++) {
        some = false;
        for (uint32_t b = g->first; b < g->first + g->boxes; b++) {
            if (left(m, g, b))
                continue;
            some = true;
            if (told[b] || (m->share[b] && !answered(m, b, tag)))
                continue;
            put(m, b, MAIL_HEAD, next_tag(m), MAIL_LEAVE);
            told[b] = true;
        }
        const int running = spin % SPINS ? 1 : runs(m, g, why, n);
        if (running < 0)
            return -1;
        some = some && running;
    }
    return cuda_check(m->of->on, m->of->on->drv.cuStreamSynchronize(g->stream),
                      "a kernel that stays", why, n);
}

/* ---- letters ----------------------------------------------------------------------- */

static uint32_t boxes_for(const struct cuda_mail *m, uint32_t rows)
{
    return (rows + m->rows - 1) / m->rows;
}

/* Shares the rows out evenly, each box's words before its head. */
static void post(struct cuda_mail *m, uint32_t rows, uint32_t tag)
{
    const uint32_t boxes = boxes_for(m, rows), *x = m->staged;
    memset(m->share, 0, sizeof m->share);
    for (uint32_t b = 0; b < boxes; b++) {
        m->share[b] = rows / (boxes - b);
        rows -= m->share[b];
        for (uint32_t i = 0; i < m->share[b] * m->x_words; i++)
            put(m, b, MAIL_X + i, tag, *x++);
        put(m, b, MAIL_HEAD, tag, m->share[b]);
    }
}

/* The group's answers; false in *all when a box was left before it gave one. */
static int collect(struct cuda_mail *m, struct group *g, uint32_t tag, bool *all, char *why,
                   size_t n)
{
    *all = true;
    for (uint32_t b = g->first; b < g->first + g->boxes && m->share[b] && *all; b++)
        for (uint32_t spin = 1; !answered(m, b, tag) && *all; spin++) {
            const int running = spin % SPINS ? 1 : runs(m, g, why, n);
            if (running < 0)
                return -1;
            /* It may have answered and left since we looked. */
            *all = (running && !left(m, g, b)) || answered(m, b, tag);
        }
    return 0;
}

static int serve(struct cuda_mail *m, struct group *g, uint32_t tag, char *why, size_t n)
{
    bool all = g->launch != 0;
    if (!all && start(m, g, tag, why, n))
        return -1;
    for (int wakes = 0; wakes <= WAKES; wakes++) {
        if (collect(m, g, tag, &all, why, n))
            return -1;
        if (all)
            return 0;
        if (send_away(m, g, tag, why, n) || start(m, g, tag, why, n))
            return -1;
    }
    return infer_fail(why, n, "a kernel on %s left its box %d times without an answer",
                      m->of->on->drv.name, WAKES + 1);
}

static void take(const struct cuda_mail *m, float *out)
{
    for (uint32_t b = 0; b < BOXES_MAX && m->share[b]; b++)
        for (uint32_t i = 0; i < m->share[b] * m->y_words; i++, out++) {
            const uint32_t bits = (uint32_t)look(m, b, m->y + i);
            memcpy(out, &bits, sizeof bits);
        }
}

/* ---- open and close ------------------------------------------------------------------ */

static uint32_t box_rows(const struct cuda_model *m)
{
    const struct kind_places nowhere = {0};
    const struct mail_args args = {0};
    struct kind_launch l;
    return m->kind->mail ? m->kind->mail(&m->pack, &nowhere, &args, &l) : 0;
}

bool cuda_mail_holds(const struct cuda_model *m, uint32_t rows)
{
    if (!m->mail && m->on->staying == MAIL_NETWORKS)
        return false;
    return rows <= (m->mail ? m->mail->rows : box_rows(m)) * BOXES_MAX;
}

static int make_boxes(struct cuda_mail *m, char *why, size_t n)
{
    const struct cuda *c = m->of->on;
    const uint32_t lines = (MAIL_X + m->rows * (m->x_words + m->y_words) + LINE - 1) / LINE;
    m->stride = lines * LINE;
    m->y = MAIL_X + m->rows * m->x_words;
    const size_t bytes = (size_t)m->stride * BOXES_MAX * sizeof(uint64_t);
    m->staged = malloc((size_t)m->rows * BOXES_MAX * m->x_words * sizeof(uint32_t));
    if (!m->staged)
        return infer_fail(why, n, "out of memory");
    if (cuda_check(c, c->drv.cuMemHostAlloc(&m->host, bytes, CU_HOST_ALLOC_MAPPED),
                   "pinning memory", why, n))
        return -1;
    memset(m->host, 0, bytes);
    return cuda_check(c, c->drv.cuMemHostGetDevicePointer_v2(&m->device, m->host, 0),
                      "pinning memory", why, n);
}

static int open_mail(struct cuda_model *of, char *why, size_t n)
{
    struct cuda_mail *m = of->mail = calloc(1, sizeof *m);
    if (!m)
        return infer_fail(why, n, "out of memory");
    m->of = of;
    of->on->staying++;
    m->rows = box_rows(of);
    m->x_words = (uint32_t)(of->pack.row_size / sizeof(uint32_t));
    m->y_words = of->pack.n_out;
    int rc = make_boxes(m, why, n);
    for (int i = 0; i < GROUPS && !rc; i++) {
        struct group *g = &m->group[i];
        *g = (struct group){.first = group_first[i], .boxes = group_first[i + 1] - group_first[i]};
        rc = cuda_check(of->on, of->on->drv.cuStreamCreate(&g->stream, CU_STREAM_OWN),
                        "making a stream", why, n);
    }
    if (rc) {
        cuda_mail_close(m);
        of->mail = NULL;
    }
    return rc;
}

int cuda_mail_run(struct cuda_model *of, uint32_t rows, const float *in, float *out, char *why,
                  size_t n)
{
    if (!of->mail && open_mail(of, why, n))
        return -1;
    struct cuda_mail *m = of->mail;
    const uint32_t tag = next_tag(m);
    of->kind->stage(&of->pack, m->staged, in, rows);
    post(m, rows, tag);
    for (int i = 0; i < GROUPS; i++)
        if (m->share[m->group[i].first] && serve(m, &m->group[i], tag, why, n))
            return -1;
    take(m, out);
    return 0;
}

void cuda_mail_close(struct cuda_mail *m)
{
    char why[256];
    if (!m)
        return;
    const struct cudrv *d = &m->of->on->drv;
    memset(m->share, 0, sizeof m->share);
    for (int i = 0; i < GROUPS; i++) {
        if (m->group[i].launch)
            (void)send_away(m, &m->group[i], m->tag, why, sizeof why);
        if (m->group[i].stream)
            d->cuStreamDestroy_v2(m->group[i].stream);
    }
    if (m->host)
        d->cuMemFreeHost(m->host);
    m->of->on->staying--;
    free(m->staged);
    free(m);
}
