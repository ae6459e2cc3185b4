/* calibrate_kernel.c - what the kernel charges for its services. */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness/calibrate/calibrate.h"
#include "harness/calibrate/pingpong.h"

static int repeats_of(const struct calibration *c, int full)
{
    return c->quick ? full / 20 + 1 : full;
}

static void syscall_cost(struct calibration *c)
{
    double us[CALIBRATE_REPEATS];
    int n = repeats_of(c, 200000);
    for (int i = 0; i < c->repeats; i++) {
        uint64_t begin = calibrate_ns();
        for (int k = 0; k < n; k++)
            syscall(SYS_getppid);
        us[i] = (double)(calibrate_ns() - begin) / n / 1e3;
    }
    calibrate_add(c, "cost.syscall", "us", us, c->repeats, "getppid through syscall(2)");
}

static void caught(int sig)
{
    (void)sig;
}

static void signal_cost(struct calibration *c)
{
    double us[CALIBRATE_REPEATS];
    int n = repeats_of(c, 50000);
    struct sigaction before, act = {.sa_handler = caught};
    sigaction(SIGUSR2, &act, &before);
    for (int i = 0; i < c->repeats; i++) {
        uint64_t begin = calibrate_ns();
        for (int k = 0; k < n; k++)
            raise(SIGUSR2);
        us[i] = (double)(calibrate_ns() - begin) / n / 1e3;
    }
    sigaction(SIGUSR2, &before, NULL);
    calibrate_add(c, "kernel.signal", "us", us, c->repeats,
                  "raise(3) of a caught signal, handler and return included");
}

/* A pipe written and read by one process: a ping-pong without the switch. */
static double pipe_alone(int rounds)
{
    int fd[2];
    uint64_t word = 1;
    if (pipe(fd))
        return 0;
    uint64_t begin = calibrate_ns();
    for (int k = 0; k < rounds; k++)
        if (write(fd[1], &word, sizeof word) != sizeof word ||
            read(fd[0], &word, sizeof word) != sizeof word)
            break;
    double ns = (double)(calibrate_ns() - begin) / rounds;
    close(fd[0]);
    close(fd[1]);
    return ns;
}

static int context_switch(struct calibration *c, struct err *e)
{
    double us[CALIBRATE_REPEATS];
    int rounds = repeats_of(c, 10000);
    int rc = pingpong(PINGPONG_PIPE, c->cpu, c->cpu, rounds, us, c->repeats, e);
    if (rc)
        return rc;
    double alone = pipe_alone(rounds);
    for (int i = 0; i < c->repeats; i++)
        us[i] = (us[i] - alone) / 1e3;
    calibrate_add(
        c, "cpu.context_switch", "us", us, c->repeats,
        "one way of a pipe ping-pong between two processes on one CPU, less the write and "
        "the read alone");
    return 0;
}

static int wakes(struct calibration *c, struct err *e)
{
    static const struct {
        enum pingpong_by by;
        const char *leaf, *how;
    } each[] = {
        {PINGPONG_EVENTFD, "cost.wake", "one way of an eventfd ping-pong between two CPUs"},
        {PINGPONG_PIPE, "kernel.pipe_cross", "one way of a pipe ping-pong between two CPUs"},
        {PINGPONG_FUTEX, "kernel.futex_cross", "one way of a futex ping-pong between two CPUs"},
    };
    double us[CALIBRATE_REPEATS];
    for (size_t k = 0; k < sizeof each / sizeof *each; k++) {
        if (c->cpu == c->other) {
            calibrate_skip(c, each[k].leaf, "there is only one CPU to run on");
            continue;
        }
        int rc = pingpong(each[k].by, c->cpu, c->other, repeats_of(c, 10000), us, c->repeats, e);
        if (rc)
            return rc;
        for (int i = 0; i < c->repeats; i++)
            us[i] /= 1e3;
        calibrate_add(c, each[k].leaf, "us", us, c->repeats, each[k].how);
    }
    return 0;
}

/* How late a sleeper is woken: slack, timer interrupt, wake-up. */
static void timer_late(struct calibration *c)
{
    double us[CALIBRATE_REPEATS], late[200];
    int n = c->quick ? 10 : 200;
    for (int i = 0; i < c->repeats; i++) {
        for (int k = 0; k < n; k++) {
            struct timespec nap = {.tv_nsec = 100000};
            uint64_t begin = calibrate_ns();
            nanosleep(&nap, NULL);
            late[k] = (double)(calibrate_ns() - begin) / 1e3 - 100;
        }
        us[i] = calibrate_median(late, n);
    }
    calibrate_add(c, "kernel.timer_late", "us", us, c->repeats,
                  "median lateness of a sleep of 100 us, default timer slack");
}

int calibrate_kernel(struct calibration *c, struct err *e)
{
    calibrate_pin(c->cpu);
    syscall_cost(c);
    signal_cost(c);
    int rc = context_switch(c, e);
    if (!rc)
        rc = wakes(c, e);
    if (!rc)
        timer_late(c);
    return rc;
}
