/* bench_coro.h - the least coroutine there is, for the M/M/1 calibration:
 * save six registers, change the stack, jump.  x86-64 only.                 */
#ifndef HARNESS_BENCH_BENCH_CORO_H
#define HARNESS_BENCH_BENCH_CORO_H

#include <stdbool.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define BENCH_CORO 1
#else
#define BENCH_CORO 0
#endif

struct coro {
    void *sp; /* where it stopped */
    char *stack;
};

/* entry(arg) must never return.  False when out of memory. */
bool coro_start(struct coro *c, void (*entry)(void *arg), void *arg);
void coro_free(struct coro *c);
/* Stops `from` here and continues `to`. */
void coro_switch(struct coro *from, struct coro *to);

#endif
