/* pool.c - the parent's loop: hand out, read, watch, bury. */
#include "harness/run/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "harness/run/pool_worker.h"

#define WATCH_MS 100 /* how closely the limit of a policy call is kept */

struct pool {
    const struct pool_ops *ops;
    const struct pool_options *opt;
    struct worker *worker;
    struct pollfd *fd;
    struct policy_beat *beat;
    bool done; /* next has nothing more, ever */
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* Wall clock: for the limit on policies only; no result sees it. */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int give(struct pool *p, struct worker *w, const struct pool_task *task, struct err *e)
{
    if (!w->pid) {
        int rc = worker_start(w, p->worker, p->opt->jobs, p->ops, e);
        if (rc)
            return rc;
    }
    worker_give(w, task); /* a worker already gone shows at its pipe */
    return 0;
}

static int hand_out(struct pool *p, struct err *e)
{
    for (unsigned i = 0; i < p->opt->jobs && !p->done; i++) {
        struct worker *w = &p->worker[i];
        struct pool_task task = {0};
        if (w->busy)
            continue;
        enum pool_next next = p->ops->next(p->ops->ctx, &task.index);
        p->done = next == POOL_DONE;
        if (next != POOL_TASK)
            break;
        int rc = give(p, w, &task, e);
        if (rc)
            return rc;
    }
    return 0;
}

/* Dead inside a policy: once more, with the call known. Dead elsewhere, or twice in one: lost. */
static int bury(struct pool *p, struct worker *w, struct err *e)
{
    char how[80];
    struct pool_task task = w->task;
    bool was_busy = w->busy, overstayed = w->overstayed;
    /* A call we ended may have returned in that very moment: it counts as the one that hung. */
    uint32_t inside = overstayed ? w->seen_inside : w->beat->inside;
    uint64_t call = overstayed ? w->seen_call : w->beat->decision;
    struct pool_eject *eject = inside - 1 < POLICY_SLOTS ? &task.eject[inside - 1] : NULL;
    worker_bury(w, how, sizeof how);
    if (!was_busy)
        return 0;
    if (eject && eject->why == EJECT_NONE) {
        eject->at = call;
        eject->why = overstayed ? EJECT_TIMEOUT : EJECT_CRASH;
        if (overstayed)
            snprintf(eject->text, sizeof eject->text, "not back after %g s", p->opt->limit_s);
        else
            snprintf(eject->text, sizeof eject->text, "%s", how);
        return give(p, w, &task, e);
    }
    char why[192];
    snprintf(why, sizeof why, "the worker process ended by %s%s", how,
             eject ? " inside the policy, again after the policy had been ejected" : "");
    return p->ops->lost(p->ops->ctx, task.index, why, e);
}

static int hear(struct pool *p, struct worker *w, struct err *e)
{
    int got = worker_read(w);
    if (got < 0)
        return bury(p, w, e);
    if (got == 0)
        return 0;
    w->busy = false;
    return w->in.failed ? err_set(e, ERR_ENOMEM, "out of memory for a trial's results")
                        : p->ops->take(p->ops->ctx, w->task.index, &w->in, e);
}

static void watch(const struct pool *p, struct worker *w, double now)
{
    uint64_t call = w->beat->decision;
    uint32_t inside = w->beat->inside;
    if (!w->busy || !inside) {
        w->seen_since = 0;
    } else if (w->seen_since == 0 || call != w->seen_call || inside != w->seen_inside) {
        w->seen_call = call;
        w->seen_inside = inside;
        w->seen_since = now;
    } else if (now - w->seen_since > p->opt->limit_s && !w->overstayed) {
        w->overstayed = true;
        kill(w->pid, SIGKILL);
    }
}

static bool any_busy(const struct pool *p)
{
    for (unsigned i = 0; i < p->opt->jobs; i++)
        if (p->worker[i].busy)
            return true;
    return false;
}

static int wait_and_hear(struct pool *p, struct err *e)
{
    int wait_ms = p->ops->tick && p->opt->tick_ms < WATCH_MS ? p->opt->tick_ms : WATCH_MS;
    for (unsigned i = 0; i < p->opt->jobs; i++)
        p->fd[i] = (struct pollfd){.fd = p->worker[i].from, .events = POLLIN}; /* -1 is skipped */
    int n = poll(p->fd, p->opt->jobs, wait_ms), rc = 0;
    if (n < 0 && errno != EINTR)
        return err_set(e, ERR_EFAIL, "waiting for workers: %s", strerror(errno));
    for (unsigned i = 0; i < p->opt->jobs && n > 0 && !rc; i++)
        if (p->fd[i].revents)
            rc = hear(p, &p->worker[i], e);
    double now = now_s();
    for (unsigned i = 0; i < p->opt->jobs; i++)
        watch(p, &p->worker[i], now);
    return rc;
}

static int loop(struct pool *p, struct err *e)
{
    int rc = 0;
    while (!rc) {
        if (stop_signal)
            return err_set(e, ERR_EFAIL, "stopped by signal %d (%s)", (int)stop_signal,
                           strsignal(stop_signal));
        rc = hand_out(p, e);
        if (!rc && p->done && !any_busy(p))
            return 0;
        if (!rc)
            rc = wait_and_hear(p, e);
        if (!rc && p->ops->tick)
            rc = p->ops->tick(p->ops->ctx, e);
    }
    return rc;
}

static int begin(struct pool *p, struct err *e)
{
    unsigned n = p->opt->jobs;
    p->worker = calloc(n, sizeof *p->worker);
    p->fd = calloc(n, sizeof *p->fd);
    p->beat =
        mmap(NULL, n * sizeof *p->beat, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p->beat == MAP_FAILED)
        p->beat = NULL;
    if (!p->worker || !p->fd || !p->beat)
        return err_set(e, ERR_ENOMEM, "out of memory for %u workers", n);
    for (unsigned i = 0; i < n; i++) {
        p->worker[i].to = p->worker[i].from = -1;
        p->worker[i].beat = &p->beat[i];
    }
    return 0;
}

static void end(struct pool *p)
{
    for (unsigned i = 0; p->worker && i < p->opt->jobs; i++)
        worker_end(&p->worker[i]);
    if (p->beat)
        munmap(p->beat, p->opt->jobs * sizeof *p->beat);
    free(p->worker);
    free(p->fd);
}

int pool_run(const struct pool_ops *ops, const struct pool_options *opt, struct err *e)
{
    struct pool p = {.ops = ops, .opt = opt};
    struct sigaction stop = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};
    struct sigaction was_int, was_term, was_pipe;
    stop_signal = 0;
    sigaction(SIGINT, &stop, &was_int);
    sigaction(SIGTERM, &stop, &was_term);
    sigaction(SIGPIPE, &ignore, &was_pipe); /* a dead worker's pipe is an error, not our end */
    int rc = begin(&p, e);
    if (!rc)
        rc = loop(&p, e);
    end(&p);
    sigaction(SIGINT, &was_int, NULL);
    sigaction(SIGTERM, &was_term, NULL);
    sigaction(SIGPIPE, &was_pipe, NULL);
    return rc;
}
