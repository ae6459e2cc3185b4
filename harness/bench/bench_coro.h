/* bench_coro.h - the least coroutine there is, for the M/M/1 calibration:
 * save six registers, change the stack, go on there.  x86-64 only.                */
#ifndef HARNESS_BENCH_BENCH_CORO_H
#define HARNESS_BENCH_BENCH_CORO_H

#include <stdbool.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define BENCH_CORO 1
#else
#define BENCH_CORO 0
#endif

/* How a switch leaves: with the `ret` of the usual hand-written one, or with pop and jmp,
 * which spares the return predictor a miss. */
enum coro_ending { CORO_RET, CORO_JMP };

struct coro {
    void *sp; /* where it stopped */
    char *stack;
};

/* entry(arg) must never return.  False when out of memory. */
bool coro_start(struct coro *c, void (*entry)(void *arg), void *arg);
void coro_free(struct coro *c);
/* Stops `from` here and continues `to`. */
void coro_switch(struct coro *from, struct coro *to, enum coro_ending ending);

#endif
