/* runner_ranks.c - the trials of one experiment over several ranks.
 *
 * Rank 0 keeps the books and works as well; the others ask it for a trial
 * (WANT), are given one (TASK) or sent home (DONE), and hand back what came
 * out (ANSWER).  Nobody leaves before rank 0 has heard everybody's BYE, so no
 * message is ever left behind.                                              */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/run/runner_parts.h"
#include "harness/run/sweep_ranks.h"

enum { WANT = 1, TASK, DONE, ANSWER, FAIL, BYE, READY, START, STOP };

static int mpi_failed(struct err *e)
{
    return err_set(e, ERR_EFAIL, "a message between ranks failed");
}

static int send_index(const struct ranks *k, unsigned to, int tag, uint64_t index, struct err *e)
{
    return k->ops->send(to, tag, &index, sizeof index) ? mpi_failed(e) : 0;
}

static int send_text(const struct ranks *k, int tag, const char *text, struct err *e)
{
    return k->ops->send(0, tag, text, strlen(text) + 1) ? mpi_failed(e) : 0;
}

/* ---- rank 0 --------------------------------------------------------------------- */

static int hear(struct runner *r, unsigned from, int tag, const void *data, size_t n, struct err *e)
{
    uint64_t index = 0;
    struct buf answer = {0};
    int rc = 0;
    switch (tag) {
    case WANT:
        return runner_next(r, &index) ? send_index(r->ranks, from, TASK, index, e)
                                      : send_index(r->ranks, from, DONE, 0, e);
    case ANSWER:
        buf_bytes(&answer, data, n);
        rc = runner_keep(r, &answer, e);
        buf_free(&answer);
        return rc;
    case FAIL:
        return err_set(e, ERR_EFAIL, "rank %u: %.*s", from, (int)n, (const char *)data);
    case BYE:
        r->gone++;
    }
    return 0;
}

int ranks_serve(struct runner *r, struct err *e)
{
    int rc = 0;
    for (;;) {
        unsigned from;
        int tag;
        size_t n;
        void *data;
        int got = r->ranks->ops->receive(&from, &tag, &data, &n);
        if (got <= 0)
            return got ? mpi_failed(e) : rc;
        rc = hear(r, from, tag, data, n, e);
        free(data);
        if (rc)
            return rc;
    }
}

int ranks_finish(struct runner *r, int rc, struct err *e)
{
    for (unsigned i = 1; i < r->ranks->size; i++)
        if (send_index(r->ranks, i, STOP, (uint64_t)-rc, NULL) && !rc)
            rc = mpi_failed(e);
    if (rc) /* what still comes in is dropped: its trials will be run again */
        r->next = r->x->planned;
    while (r->gone + 1 < r->ranks->size) {
        unsigned from;
        int tag;
        size_t n;
        void *data;
        int got = r->ranks->ops->receive(&from, &tag, &data, &n);
        if (got < 0)
            return rc ? rc : mpi_failed(e);
        if (got == 0) {
            usleep(1000);
            continue;
        }
        r->gone += tag == BYE;
        free(data);
    }
    return rc;
}

/* ---- the others ----------------------------------------------------------------- */

static enum pool_next next(void *ctx, uint64_t *index)
{
    struct runner *r = ctx;
    if (r->has) {
        r->has = r->asked = false;
        *index = r->given;
        return POOL_TASK;
    }
    if (r->done)
        return POOL_DONE;
    if (!r->asked)
        r->asked = !send_index(r->ranks, 0, WANT, 0, NULL);
    return POOL_WAIT;
}

static int take(void *ctx, uint64_t index, struct buf *answer, struct err *e)
{
    const struct runner *r = ctx;
    (void)index;
    size_t n = answer->len - answer->at;
    return r->ranks->ops->send(0, ANSWER, answer->data + answer->at, n) ? mpi_failed(e) : 0;
}

static int lost(void *ctx, uint64_t index, const char *why, struct err *e)
{
    const struct runner *r = ctx;
    struct buf answer = {0};
    int rc = runner_loss(r->x, index, why, &answer, e);
    if (!rc)
        rc = take(ctx, index, &answer, e);
    buf_free(&answer);
    return rc;
}

/* What rank 0 says. STOP with a code: it failed, and says itself why. */
static int tick(void *ctx, struct err *e)
{
    struct runner *r = ctx;
    unsigned from;
    int tag, got, rc = 0;
    size_t n;
    void *data;
    while (!rc && (got = r->ranks->ops->receive(&from, &tag, &data, &n)) != 0) {
        uint64_t word = 0;
        if (got < 0)
            return mpi_failed(e);
        memcpy(&word, data, n < sizeof word ? n : sizeof word);
        free(data);
        if (tag == TASK) {
            r->has = true;
            r->given = word;
        } else {
            r->done = true;
            rc = tag == STOP ? -(int)word : 0;
        }
    }
    return rc;
}

int ranks_work(struct runner *r, struct err *e)
{
    struct pool_ops ops = {
        .ctx = r, .run = runner_work, .next = next, .take = take, .lost = lost, .tick = tick};
    struct pool_options opt = {.jobs = r->o->jobs ? r->o->jobs : 1,
                               .limit_s =
                                   r->o->policy_limit_s > 0 ? r->o->policy_limit_s : POOL_LIMIT_S,
                               .tick_ms = 2};
    int rc = pool_run(&ops, &opt, e);
    if (rc && e->msg[0])
        rc = send_text(r->ranks, FAIL, e->msg, e) ? rc : rc;
    e->msg[0] = '\0'; /* rank 0 speaks for all */
    if (send_index(r->ranks, 0, BYE, 0, NULL) && !rc)
        rc = mpi_failed(e);
    return rc;
}

/* ---- before the first trial ------------------------------------------------------ */

static int await(const struct ranks *k, int *tag, char *text, size_t n)
{
    unsigned from;
    void *data;
    size_t len;
    int got;
    while ((got = k->ops->receive(&from, tag, &data, &len)) == 0)
        usleep(1000);
    if (got < 0)
        return -1;
    size_t keep = len < n - 1 ? len : n - 1;
    memcpy(text, data, keep);
    text[keep] = '\0';
    free(data);
    return (int)from;
}

static int agree_first(const struct ranks *k, int rc, struct err *e)
{
    char text[512];
    int tag;
    for (unsigned i = 1; i < k->size; i++) {
        int from = await(k, &tag, text, sizeof text);
        if (from < 0)
            return mpi_failed(e);
        if (tag == FAIL && !rc)
            rc = err_set(e, ERR_EFAIL, "rank %d: %s", from, text);
    }
    for (unsigned i = 1; i < k->size; i++)
        if (send_index(k, i, rc ? STOP : START, (uint64_t)-rc, e))
            return rc ? rc : ERR_EFAIL;
    return rc;
}

int runner_agree(const struct ranks *k, int rc, struct err *e)
{
    union {
        char text[16];
        uint64_t word;
    } said = {{0}};
    int tag;
    if (k->size < 2)
        return rc;
    if (k->rank == 0)
        return agree_first(k, rc, e);
    int sent = send_text(k, rc ? FAIL : READY, rc ? e->msg : "", NULL);
    e->msg[0] = '\0'; /* rank 0 speaks for all */
    if (sent || await(k, &tag, said.text, sizeof said.text) < 0)
        return rc ? rc : ERR_EFAIL;
    return tag == START ? 0 : rc ? rc : -(int)said.word;
}
