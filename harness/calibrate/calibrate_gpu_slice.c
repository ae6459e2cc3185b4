/* calibrate_gpu_slice.c - two processes spin on one device and note when they did not run.
 *
 * The driver is opened in children alone: what has been forked with it open can not use it.  Each
 * child says that it is ready, waits for the word, spins, and sends what it saw.               */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/calibrate/calibrate_gpu.h"

enum { GAP_NS = 10000 }; /* an interrupted thread; below the shortest slice, above a cache miss */

/* ---- what follows from it ---- */

static double first_after(const struct probe_spins *s, double t, double *until)
{
    double from = (double)s->begin;
    for (uint64_t i = 0; i <= s->gaps; i++) {
        *until = i < s->gaps ? (double)s->gap[i].off : (double)s->end;
        if (from >= t)
            return from;
        from = i < s->gaps ? (double)s->gap[i].on : from;
    }
    return -1;
}

/* While a was off, b was on once: that is a slice, and what is around it are two switches. */
bool calibrate_gpu_turns(const struct probe_spins *a, const struct probe_spins *b, double *slice,
                         double *gap)
{
    static double slices[PROBE_GAPS], gaps[2 * PROBE_GAPS];
    int n = 0;
    for (uint64_t i = 0; i < a->gaps && i < PROBE_GAPS; i++) {
        double off = (double)a->gap[i].off, on = (double)a->gap[i].on, until;
        double from = first_after(b, off, &until);
        if (from < 0 || until > on)
            continue;
        slices[n] = (until - from) / 1e3;
        gaps[2 * n] = (from - off) / 1e3;
        gaps[2 * n + 1] = (on - until) / 1e3;
        n++;
    }
    if (n < 3)
        return false;
    *slice = calibrate_median(slices, n);
    *gap = calibrate_median(gaps, 2 * n);
    return true;
}

/* ---- the children ---- */

struct report {
    char why[256];
    char name[128];
    int version;
    struct probe_spins spins;
};

static void spin(struct cuprobe *p, uint64_t ns, int go, int tell, struct report *r)
{
    cu_pointer at = 0;
    struct probe_spins *out = cuprobe_pinned(p, sizeof *out, &at);
    struct probe_spin_args args = {(void *)(uintptr_t)at, 100000, GAP_NS};
    char word = 0;
    cuprobe_launch(p, PROBE_spin, 1, &args, NULL); /* the first launch loads the code */
    cuprobe_wait(p, NULL);
    if (write(tell, "r", 1) != 1 || read(go, &word, 1) != 1)
        return;
    args.spin_ns = ns;
    cuprobe_launch(p, PROBE_spin, 1, &args, NULL);
    cuprobe_wait(p, NULL);
    if (out && !p->bad)
        r->spins = *out;
    cuprobe_unpin(p, out);
}

static void send(int to, const void *from, size_t n)
{
    const char *at = from;
    while (n) {
        ssize_t done = write(to, at, n);
        if (done <= 0)
            return;
        at += done;
        n -= (size_t)done;
    }
}

static void child(uint64_t ns, int go, int tell)
{
    static struct report r;
    static struct cuprobe p;
    if (cuprobe_open(&p, r.why, sizeof r.why)) {
        send(tell, "x", 1);
    } else {
        spin(&p, ns, go, tell, &r);
        cuprobe_failed(&p, r.why, sizeof r.why);
        snprintf(r.name, sizeof r.name, "%s", p.d.name);
        r.version = p.d.version;
    }
    send(tell, &r, sizeof r);
    _exit(0);
}

struct spinner {
    pid_t pid;
    int go, hear;
};

static int start(struct spinner *s, uint64_t ns, struct err *e)
{
    int go[2], tell[2];
    if (pipe(go))
        return err_set(e, ERR_EFAIL, "no pipe");
    if (pipe(tell)) {
        close(go[0]);
        close(go[1]);
        return err_set(e, ERR_EFAIL, "no pipe");
    }
    s->pid = fork();
    if (s->pid == 0) {
        close(go[1]);
        close(tell[0]);
        child(ns, go[0], tell[1]);
    }
    close(go[0]);
    close(tell[1]);
    s->go = go[1];
    s->hear = tell[0];
    return s->pid < 0 ? err_set(e, ERR_EFAIL, "no process") : 0;
}

static bool hear(int from, void *to, size_t n)
{
    char *at = to;
    while (n) {
        ssize_t got = read(from, at, n);
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static void finish(struct spinner *s, struct report *r)
{
    memset(r, 0, sizeof *r);
    if (s->pid <= 0)
        return;
    close(s->go);
    if (!hear(s->hear, r, sizeof *r) && !r->why[0])
        snprintf(r->why, sizeof r->why, "a process that spun on the device did not end well");
    close(s->hear);
    waitpid(s->pid, NULL, 0);
}

static void add(struct calibrate_gpu *g, const struct report r[2])
{
    double slice, gap;
    snprintf(g->p.d.name, sizeof g->p.d.name, "%s", r[0].name); /* for the method's text */
    g->p.d.version = r[0].version;
    if (!calibrate_gpu_turns(&r[0].spins, &r[1].spins, &slice, &gap)) {
        calibrate_skip(g->c, "gpu.timeslice", "two processes did not take turns on the device");
        calibrate_skip(g->c, "gpu.context_switch", "two processes did not take turns");
        return;
    }
    calibrate_gpu_add(g, "gpu.timeslice", "us", &slice, 1,
                      "median time that one of two spinning processes ran before the other did");
    calibrate_gpu_add(
        g, "gpu.context_switch", "us", &gap, 1,
        "median time between the last sight of one process and the first of the other");
}

int calibrate_gpu_slices(struct calibrate_gpu *g, struct err *e)
{
    static struct report r[2];
    struct spinner s[2] = {{0}};
    char ready[2] = {0};
    uint64_t ns = g->c->quick ? 20000000 : 200000000;
    signal(SIGPIPE, SIG_IGN); /* of a child that has gone already */
    int rc = start(&s[0], ns, e);
    if (!rc)
        rc = start(&s[1], ns, e);
    for (int i = 0; i < 2 && !rc; i++)
        (void)hear(s[i].hear, &ready[i], 1);
    for (int i = 0; i < 2 && !rc; i++) /* both, before either is waited for */
        (void)!write(s[i].go, "g", 1);
    for (int i = 0; i < 2; i++)
        finish(&s[i], &r[i]);
    for (int i = 0; i < 2 && !rc; i++)
        if (r[i].why[0])
            rc = err_set(e, ERR_EFAIL, "no GPU to measure: %s", r[i].why);
    if (!rc)
        add(g, r);
    return rc;
}
