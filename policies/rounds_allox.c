/* rounds_allox.c - AlloX (Le et al., EuroSys'20) as Gavel's evaluation has it: jobs that wait are
 * matched with free GPUs and with places in line before them so that the mean completion time is
 * least; whoever comes first in a line has that GPU until it ends.  Jobs on one GPU only.
 *
 * A job at the k-th place from the end of a line delays k jobs by its own length, so a match costs
 * k x length.  Least cost: the Hungarian method (Kuhn 1955; Jonker and Volgenant 1987), jobs in
 * order of arrival.                                                                            */
#include <string.h>

#include "rounds_book.h"

#define NEVER 1e10 /* seconds a step, where a job can't run: as the authors' code has it */

struct column {                /* a place in the line of a free GPU */
    uint32_t type, gpu, place; /* place: from the end, 1 the last */
};

struct match {
    uint32_t rows, cols, rows_room, cols_room;
    uint32_t *job;  /* [rows]: place in o->job */
    double *length; /* [rows][types] */
    struct column *column;
    double *row_price, *col_price, *slack;
    uint32_t *row_of, *way; /* of a column, 1-based; 0: none */
    bool *seen;
};

struct allox {
    struct book book;
    struct match m;
};

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = calloc(1, sizeof(struct allox));
    return *self ? 0 : -1;
}

static void match_free(struct match *m)
{
    free(m->job);
    free(m->length);
    free(m->column);
    free(m->row_price);
    free(m->col_price);
    free(m->slack);
    free(m->row_of);
    free(m->way);
    free(m->seen);
    memset(m, 0, sizeof *m);
}

static void destroy(void *self)
{
    struct allox *s = self;
    free(s->book.note);
    match_free(&s->m);
    free(s);
}

static bool reserve(struct match *m, uint32_t rows, uint32_t cols, uint32_t types)
{
    if (rows <= m->rows_room && cols <= m->cols_room)
        return true;
    match_free(m);
    m->rows_room = 2 * rows + 1;
    m->cols_room = 2 * cols + 1;
    m->job = malloc(m->rows_room * sizeof *m->job);
    m->length = malloc((size_t)m->rows_room * types * sizeof *m->length);
    m->row_price = malloc(m->rows_room * sizeof *m->row_price);
    m->column = malloc(m->cols_room * sizeof *m->column);
    m->col_price = malloc(m->cols_room * sizeof *m->col_price);
    m->slack = malloc(m->cols_room * sizeof *m->slack);
    m->row_of = malloc(m->cols_room * sizeof *m->row_of);
    m->way = malloc(m->cols_room * sizeof *m->way);
    m->seen = malloc(m->cols_room * sizeof *m->seen);
    return m->job && m->length && m->row_price && m->column && m->col_price && m->slack &&
           m->row_of && m->way && m->seen;
}

static double cost(const struct match *m, uint32_t types, uint32_t row, uint32_t col)
{
    const struct column *c = &m->column[col - 1];
    return m->length[(row - 1) * types + c->type] * c->place;
}

/* The cheapest column that the tree of alternating paths can take in next. */
static uint32_t grow(struct match *m, uint32_t types, uint32_t at)
{
    const uint32_t row = m->row_of[at];
    uint32_t next = 0;
    double least = 0;
    for (uint32_t c = 1; c <= m->cols; c++) {
        if (m->seen[c])
            continue;
        const double slack = cost(m, types, row, c) - m->row_price[row] - m->col_price[c];
        if (m->way[c] == POLICY_NONE || slack < m->slack[c]) {
            m->slack[c] = slack;
            m->way[c] = at;
        }
        if (!next || m->slack[c] < least) {
            least = m->slack[c];
            next = c;
        }
    }
    for (uint32_t c = 0; c <= m->cols; c++)
        if (m->seen[c]) {
            m->row_price[m->row_of[c]] += least;
            m->col_price[c] -= least;
        } else {
            m->slack[c] -= least;
        }
    return next;
}

/* Rows and columns count from 1 here; column 0 stands for the row that looks for a place. */
static void solve(struct match *m, uint32_t types)
{
    memset(m->row_price, 0, (m->rows + 1) * sizeof *m->row_price);
    memset(m->col_price, 0, (m->cols + 1) * sizeof *m->col_price);
    memset(m->row_of, 0, (m->cols + 1) * sizeof *m->row_of);
    for (uint32_t row = 1; row <= m->rows; row++) {
        uint32_t at = 0;
        m->row_of[0] = row;
        memset(m->seen, 0, (m->cols + 1) * sizeof *m->seen);
        memset(m->way, 0xff, (m->cols + 1) * sizeof *m->way);
        do {
            m->seen[at] = true;
            at = grow(m, types, at);
        } while (m->row_of[at]);
        for (; at; at = m->way[at])
            m->row_of[at] = m->row_of[m->way[at]];
    }
}

static void line_up(struct match *m, const struct policy_round_obs *o, const uint32_t *free_gpus)
{
    m->cols = 0;
    for (uint32_t place = 1; place <= m->rows; place++)
        for (uint32_t t = 0; t < o->types; t++)
            for (uint32_t g = 0; g < free_gpus[t] && g < m->rows; g++)
                m->column[m->cols++] = (struct column){t, g, place};
    for (uint32_t r = 0; r < m->rows; r++)
        for (uint32_t t = 0; t < o->types; t++) {
            const struct policy_round_job *j = &o->job[m->job[r]];
            const double rate = o->rate[t * o->kinds + j->kind];
            m->length[r * o->types + t] = rate > 0 ? j->steps / rate : j->steps * NEVER;
        }
}

/* The first in the line of each GPU has it. */
static void heads(struct allox *s, uint32_t cols)
{
    const struct match *m = &s->m;
    for (uint32_t c = 1; c <= cols; c++) {
        const struct column *me = &m->column[c - 1];
        bool first = m->row_of[c] != 0;
        for (uint32_t k = c + 1; first && k <= cols; k++)
            first = !m->row_of[k] || m->column[k - 1].type != me->type ||
                    m->column[k - 1].gpu != me->gpu;
        if (first)
            s->book.note[m->job[m->row_of[c] - 1]].on = me->type;
    }
}

static bool match_all(struct allox *s, const struct policy_round_obs *o, const uint32_t *free_gpus)
{
    uint32_t waiting = 0, places = 0;
    for (uint32_t i = 0; i < o->n; i++)
        waiting += s->book.note[i].on == POLICY_NONE && o->job[i].gpus == 1;
    for (uint32_t t = 0; t < o->types; t++)
        places += free_gpus[t] < waiting ? free_gpus[t] : waiting;
    if (!waiting || !places)
        return true;
    if (!reserve(&s->m, waiting, waiting * places, o->types))
        return false;
    s->m.rows = 0;
    for (uint32_t i = 0; i < o->n; i++)
        if (s->book.note[i].on == POLICY_NONE && o->job[i].gpus == 1)
            s->m.job[s->m.rows++] = i;
    line_up(&s->m, o, free_gpus);
    solve(&s->m, o->types);
    heads(s, s->m.cols);
    return true;
}

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    struct allox *s = self;
    uint32_t n = 0, free_gpus[ROUNDS_TYPES];
    if (o->types > ROUNDS_TYPES || !book_turn(&s->book, o))
        return 0;
    for (uint32_t t = 0; t < o->types; t++)
        free_gpus[t] = o->gpus[t];
    for (uint32_t i = 0; i < o->n; i++)
        if (s->book.note[i].on != POLICY_NONE)
            free_gpus[s->book.note[i].on]--;
    if (!match_all(s, o, free_gpus))
        return 0;
    for (uint32_t i = 0; i < o->n && n < o->most; i++)
        if (s->book.note[i].on != POLICY_NONE)
            part[n++] = (struct policy_part){i, POLICY_NONE, s->book.note[i].on, 1};
    return n;
}

POLICY(.name = "rounds-allox", .summary = "least mean completion time by matching (AlloX)",
       .create = create, .destroy = destroy, .cluster_share = share);
