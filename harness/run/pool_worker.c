/* pool_worker.c - starting, feeding, reading and burying a worker process. */
#include "harness/run/pool_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool write_all(int fd, const void *data, size_t n)
{
    const char *p = data;
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool read_all(int fd, void *data, size_t n)
{
    char *p = data;
    while (n) {
        ssize_t done = read(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool send_answer(int fd, const struct buf *answer)
{
    struct buf head = {0};
    buf_u64(&head, answer->len);
    bool ok = !head.failed && !answer->failed && write_all(fd, head.data, head.len) &&
              write_all(fd, answer->data, answer->len);
    buf_free(&head);
    return ok;
}

/* The life of a worker: trials until the parent closes the pipe. */
static void serve(const struct pool_ops *ops, int in, int out, struct policy_beat *beat)
{
    struct pool_task task;
    bool ok = true;
    while (ok && read_all(in, &task, sizeof task)) {
        struct buf answer = {0};
        ops->run(ops->ctx, &task, beat, &answer);
        beat->inside = 0;
        ok = send_answer(out, &answer);
        buf_free(&answer);
    }
    _exit(0); /* the parent's buffers and handlers are not ours to flush or run */
}

static void become_worker(const struct worker *others, unsigned n, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before that took hold */
        _exit(1);
    /* A crash must look the same whoever installed handlers in the parent (MPI does). */
    static const int plain[] = {SIGTERM, SIGPIPE, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        signal(plain[i], SIG_DFL);
    signal(SIGINT, SIG_IGN); /* a ^C reaches the whole group; the parent decides */
    for (unsigned i = 0; i < n; i++) {
        if (others[i].to >= 0)
            close(others[i].to);
        if (others[i].from >= 0)
            close(others[i].from);
    }
}

int worker_start(struct worker *w, const struct worker *others, unsigned n,
                 const struct pool_ops *ops, struct err *e)
{
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC))
        return err_set(e, ERR_EFAIL, "starting a worker: %s", strerror(errno));
    if (pipe2(up, O_CLOEXEC)) {
        close(down[0]);
        close(down[1]);
        return err_set(e, ERR_EFAIL, "starting a worker: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        become_worker(others, n, parent);
        close(down[1]);
        close(up[0]);
        serve(ops, down[0], up[1], w->beat);
    }
    close(down[0]);
    close(up[1]);
    w->to = down[1];
    w->from = up[0];
    w->pid = pid > 0 ? pid : 0;
    w->busy = w->overstayed = false;
    if (pid > 0 && fcntl(w->from, F_SETFL, O_NONBLOCK) == 0)
        return 0;
    int rc = err_set(e, ERR_EFAIL, "starting a worker: %s", strerror(errno));
    worker_end(w);
    return rc;
}

bool worker_give(struct worker *w, const struct pool_task *task)
{
    w->task = *task;
    w->busy = true;
    w->in.len = w->in.at = 0;
    w->seen_since = 0;
    w->beat->inside = 0;
    return write_all(w->to, task, sizeof *task);
}

int worker_read(struct worker *w)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(w->from, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return -1;
        if (n < 0)
            return 0;
        buf_bytes(&w->in, chunk, (size_t)n);
        if (w->in.len < 8)
            continue;
        w->in.at = 0;
        if (w->in.len - 8 == buf_take_u64(&w->in))
            return 1;
    }
}

void worker_bury(struct worker *w, char *how, size_t n)
{
    int status = 0;
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) {
    }
    w->pid = 0;
    if (WIFSIGNALED(status))
        snprintf(how, n, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(how, n, "exit with status %d", WEXITSTATUS(status));
    worker_end(w);
}

void worker_end(struct worker *w)
{
    if (w->to >= 0)
        close(w->to);
    if (w->from >= 0)
        close(w->from);
    w->to = w->from = -1;
    if (w->pid) {
        kill(w->pid, SIGKILL);
        while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    w->pid = 0;
    w->busy = false;
    buf_free(&w->in);
    w->in = (struct buf){0};
}
