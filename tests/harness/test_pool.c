/* Workers that answer, crash, hang and lie: what the parent makes of each. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/run/pool.h"

enum act {
    ANSWER,
    CRASH_OUTSIDE,
    CRASH_INSIDE,
    HANG_INSIDE,
    EXIT_INSIDE,
    CRASH_TWICE,
    CRASH_IN_TWO
};

static const struct {
    const char *name;
    enum act act;
    const char *want; /* what becomes of trial 1 of 3 */
} cases[] = {
    {"an answer comes back", ANSWER, "answer 1"},
    {"a crash outside a policy loses the trial", CRASH_OUTSIDE,
     "lost: the worker process ended by signal 9 (Killed)"},
    {"a crash inside is run again", CRASH_INSIDE, "crash at 7: signal 9 (Killed)"},
    {"a hang inside is ended and run again", HANG_INSIDE, "timeout at 7: not back after 0.3 s"},
    {"a policy that leaves is a crash", EXIT_INSIDE, "crash at 7: exit with status 0"},
    {"twice is enough", CRASH_TWICE,
     "lost: the worker process ended by signal 9 (Killed) inside the policy, again after the "
     "policy had been ejected"},
    {"two policies, one after the other", CRASH_IN_TWO,
     "crash at 7: signal 9 (Killed); crash at 9: signal 9 (Killed)"},
};

struct fake {
    enum act act;
    uint64_t next, total;
    char got[8][160];
};

static void run(void *ctx, const struct pool_task *t, struct policy_beat *beat, struct buf *answer)
{
    const struct fake *f = ctx;
    const struct pool_eject *first = &t->eject[0], *second = &t->eject[POLICY_SLOTS - 1];
    char text[320];
    bool once = first->why == EJECT_NONE || f->act == CRASH_TWICE;
    bool other = f->act == CRASH_IN_TWO && !once && second->why == EJECT_NONE;
    if (t->index == 1 && f->act != ANSWER && (once || other)) {
        beat->decision = other ? 9 : 7;
        beat->inside = other ? POLICY_SLOTS : f->act != CRASH_OUTSIDE;
        if (f->act == EXIT_INSIDE)
            _exit(0);
        while (f->act == HANG_INSIDE)
            usleep(1000);
        kill(getpid(), SIGKILL); /* not SIGSEGV: a sanitizer would catch that */
    }
    int n = snprintf(text, sizeof text, "answer %d", (int)t->index);
    if (first->why != EJECT_NONE)
        n = snprintf(text, sizeof text, "%s at %d: %s",
                     first->why == EJECT_CRASH ? "crash" : "timeout", (int)first->at, first->text);
    if (second->why != EJECT_NONE)
        snprintf(text + n, sizeof text - (size_t)n, "; crash at %d: %s", (int)second->at,
                 second->text);
    buf_str(answer, text);
}

static enum pool_next next(void *ctx, uint64_t *index)
{
    struct fake *f = ctx;
    if (f->next == f->total)
        return POOL_DONE;
    *index = f->next++;
    return POOL_TASK;
}

static int take(void *ctx, uint64_t index, struct buf *answer, struct err *e)
{
    struct fake *f = ctx;
    (void)e;
    char *text = buf_take_str(answer);
    snprintf(f->got[index], sizeof f->got[index], "%s", text ? text : "(short)");
    free(text);
    return 0;
}

static int lost(void *ctx, uint64_t index, const char *why, struct err *e)
{
    struct fake *f = ctx;
    (void)e;
    snprintf(f->got[index], sizeof f->got[index], "lost: %s", why);
    return 0;
}

ParameterizedTestParameters(pool, what_becomes_of_a_trial)
{
    static int row[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, pool, what_becomes_of_a_trial, .timeout = 60)
{
    for (unsigned jobs = 1; jobs <= 3; jobs += 2) {
        struct fake f = {.act = cases[*row].act, .total = 3};
        struct pool_ops ops = {.ctx = &f, .run = run, .next = next, .take = take, .lost = lost};
        struct pool_options opt = {.jobs = jobs, .limit_s = 0.3};
        struct err e = {0};
        cr_expect_eq(pool_run(&ops, &opt, &e), 0, "%s", e.msg);
        cr_expect_str_eq(f.got[0], "answer 0");
        cr_expect_str_eq(f.got[1], cases[*row].want, "%s: %s", cases[*row].name, f.got[1]);
        cr_expect_str_eq(f.got[2], "answer 2");
    }
}

static enum pool_next endless(void *ctx, uint64_t *index)
{
    struct fake *f = ctx;
    if (f->next++ == 20)
        raise(SIGTERM);
    *index = 0;
    return POOL_TASK;
}

Test(pool, a_signal_ends_it_after_what_was_taken, .timeout = 60)
{
    struct fake f = {.act = ANSWER};
    struct pool_ops ops = {.ctx = &f, .run = run, .next = endless, .take = take, .lost = lost};
    struct pool_options opt = {.jobs = 2, .limit_s = 1};
    struct err e = {0};
    cr_expect_eq(pool_run(&ops, &opt, &e), ERR_EFAIL);
    cr_expect_str_eq(e.msg, "stopped by signal 15 (Terminated)");
    cr_expect_str_eq(f.got[0], "answer 0");
}
