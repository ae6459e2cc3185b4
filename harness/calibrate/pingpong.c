#include "harness/calibrate/pingpong.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct table { /* what the two share */
    enum pingpong_by by;
    int fd[2][2];           /* to the peer, and back: [way][0] is read, [way][1] written */
    _Atomic uint32_t *turn; /* futex: whose turn it is */
};

static bool fd_pass(int fd)
{
    uint64_t one = 1;
    return write(fd, &one, sizeof one) == sizeof one;
}

static bool fd_wait(int fd)
{
    uint64_t got;
    return read(fd, &got, sizeof got) == sizeof got;
}

static bool futex_pass(_Atomic uint32_t *turn, uint32_t whose)
{
    atomic_store(turn, whose);
    return syscall(SYS_futex, turn, FUTEX_WAKE, 1, NULL, NULL, 0) >= 0;
}

static bool futex_wait(_Atomic uint32_t *turn, uint32_t me)
{
    while (atomic_load(turn) != me)
        if (syscall(SYS_futex, turn, FUTEX_WAIT, 1 - me, NULL, NULL, 0) < 0 && errno != EAGAIN &&
            errno != EINTR)
            return false;
    return true;
}

/* Way 0 goes to the peer, way 1 comes back. */
static bool pass(struct table *t, int way)
{
    return t->by == PINGPONG_FUTEX ? futex_pass(t->turn, way ? 0 : 1) : fd_pass(t->fd[way][1]);
}

static bool await(struct table *t, int way)
{
    return t->by == PINGPONG_FUTEX ? futex_wait(t->turn, way ? 0 : 1) : fd_wait(t->fd[way][0]);
}

static void peer(struct table *t, unsigned cpu, uint64_t rounds)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not wait for somebody who is gone */
    calibrate_pin(cpu);
    bool going = true;
    for (uint64_t i = 0; i < rounds && going; i++)
        going = await(t, 0) && pass(t, 1);
    _exit(going ? 0 : 1);
}

static bool open_way(struct table *t, int way)
{
    int *fd = t->fd[way];
    if (t->by == PINGPONG_PIPE)
        return !pipe(fd);
    if (t->by == PINGPONG_EVENTFD)
        fd[0] = fd[1] = eventfd(0, 0);
    return t->by == PINGPONG_FUTEX || fd[0] >= 0;
}

static bool table_open(struct table *t)
{
    for (int way = 0; way < 2; way++)
        if (!open_way(t, way))
            return false;
    t->turn =
        mmap(NULL, sizeof *t->turn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return t->turn != MAP_FAILED;
}

static void table_close(struct table *t)
{
    for (int way = 0; way < 2; way++) {
        if (t->fd[way][0] >= 0)
            close(t->fd[way][0]);
        if (t->by == PINGPONG_PIPE && t->fd[way][1] >= 0)
            close(t->fd[way][1]);
    }
    if (t->turn && t->turn != MAP_FAILED)
        munmap(t->turn, sizeof *t->turn);
}

static bool play(struct table *t, int rounds, double *sample, int n)
{
    bool going = true;
    for (int i = 0; i < n && going; i++) {
        uint64_t begin = calibrate_ns();
        for (int k = 0; k < rounds && going; k++)
            going = pass(t, 0) && await(t, 1);
        sample[i] = (double)(calibrate_ns() - begin) / (2.0 * rounds);
    }
    return going;
}

int pingpong(enum pingpong_by by, unsigned here, unsigned there, int rounds, double *sample, int n,
             struct err *e)
{
    struct table t = {.by = by, .fd = {{-1, -1}, {-1, -1}}};
    bool good = table_open(&t);
    pid_t child = good ? fork() : -1;
    if (child == 0)
        peer(&t, there, (uint64_t)rounds * (uint64_t)n);
    if (child > 0) {
        calibrate_pin(here);
        good = play(&t, rounds, sample, n);
        if (!good)
            kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    int why = errno;
    table_close(&t);
    return good && child > 0 ? 0 : err_set(e, ERR_EFAIL, "ping-pong: %s", strerror(why));
}
