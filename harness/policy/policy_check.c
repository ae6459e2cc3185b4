#include "harness/policy/policy_check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/policy/infer_host.h"
#include "harness/policy/policy_exercise.h"
#include "harness/policy/policy_host.h"

/* What the child leaves for its parent, in shared memory. */
struct trial {
    struct policy_beat beat;
    struct policy_check result;
    struct err e;
    bool finished;
};

/* ---- the child ------------------------------------------------------------------ */

static int once(struct trial *t, const struct policy_ops *ops, const struct policy_check_want *want,
                const struct model_infer *infer, uint64_t seed, uint64_t *hash)
{
    struct measures *m = measures_new();
    if (!m)
        return err_set(&t->e, ERR_ENOMEM, "out of memory");
    struct policy_slot slot = {.ops = ops, .label = ops->name, .beat = &t->beat, .out = m};
    struct policy_session_want host = {.seed = 1, .params = want->params, .infer = infer};
    struct policy_session *session;
    int rc = policy_host_open(&session, &slot, &host, &t->e);
    if (!rc) {
        *hash = policy_exercise(&slot, seed, want->steps ? want->steps : POLICY_CHECK_STEPS);
        t->result.calls += slot.calls;
        t->result.decisions += slot.decisions;
        rc = policy_host_close(session, &t->e);
    }
    if (!rc && slot.ejected != EJECT_NONE)
        snprintf(t->result.why, sizeof t->result.why, "%s (call %llu)", slot.eject_note,
                 (unsigned long long)slot.ejected_call);
    measures_free(m);
    return rc;
}

static void child(struct trial *t, const struct policy_ops *ops,
                  const struct policy_check_want *want)
{
    struct infer_host *infer;
    static const uint64_t worlds[] = {1, 1, 2};
    uint64_t hash[3] = {0};
    if (!infer_host_open(&infer, INFER_AUTO, &t->e)) {
        for (int i = 0; i < 3 && !t->e.code && !t->result.why[0]; i++)
            once(t, ops, want, infer_host_face(infer), worlds[i], &hash[i]);
        infer_host_close(infer);
    }
    if (!t->result.why[0] && hash[0] != hash[1])
        snprintf(t->result.why, sizeof t->result.why,
                 "the same inputs got other answers the second time: it keeps state outside "
                 "create and destroy, or reads a clock");
    t->result.fine = !t->e.code && !t->result.why[0];
    t->finished = true;
}

/* ---- the parent ------------------------------------------------------------------- */

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* False when one call took longer than the limit: the child was killed. */
static bool watch(struct trial *t, pid_t pid, double limit, int *status)
{
    uint64_t call = UINT64_MAX;
    double since = now();
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (!t->beat.inside || t->beat.decision != call) {
            call = t->beat.decision;
            since = now();
        }
        if (now() - since > limit) {
            kill(pid, SIGKILL);
            waitpid(pid, status, 0);
            return false;
        }
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return true;
}

static void judge(struct trial *t, bool in_time, double limit, int status)
{
    char *why = t->result.why;
    size_t n = sizeof t->result.why;
    unsigned long long call = t->beat.decision;
    if (!in_time)
        snprintf(why, n, "call %llu did not return within %g s", call, limit);
    else if (WIFSIGNALED(status))
        snprintf(why, n, "call %llu crashed: signal %d (%s)", call, WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (!t->finished)
        snprintf(why, n, "call %llu ended the process with status %d", call, WEXITSTATUS(status));
}

static int run(struct trial *t, const struct policy_ops *ops, const struct policy_check_want *want,
               struct err *e)
{
    double limit = want->limit_s > 0 ? want->limit_s : POLICY_CHECK_LIMIT;
    int status = 0;
    fflush(NULL); /* what the parent has buffered is not printed twice */
    pid_t pid = fork();
    if (pid < 0)
        return err_set(e, ERR_EFAIL, "no process to try the policy in");
    if (pid == 0) {
        child(t, ops, want);
        _exit(0);
    }
    bool in_time = watch(t, pid, limit, &status);
    judge(t, in_time, limit, status);
    return t->finished && t->e.code ? err_set(e, t->e.code, "%s", t->e.msg) : 0;
}

int policy_check(struct policy_check *result, const struct policy_ops *ops,
                 const struct policy_check_want *want, struct err *e)
{
    *result = (struct policy_check){0};
    struct trial *t =
        mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t == MAP_FAILED)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = run(t, ops, want, e);
    *result = t->result;
    munmap(t, sizeof *t);
    return rc;
}
