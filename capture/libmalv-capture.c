/* libmalv-capture.c - loaded into a CUDA program, records what it does on the GPU.
 *
 * The driver loads it when the program calls cuInit, by CUDA_INJECTION64_PATH
 * (malv capture sets it), and calls InitializeInjection; or LD_PRELOAD loads
 * it with MALV_CAPTURE_PRELOAD=1.  It asks CUPTI for activity records, turns
 * them into raw ones (raw.h) and writes those to MALV_CAPTURE_DIR/PID.raw.
 *
 * The program's threads do none of this: CUPTI's own thread brings full
 * buffers, and a thread of ours asks for the others a few times a second, so
 * that a killed program loses no more than PERIOD_MS.  At exit, and on a
 * signal that would end the program, what is left is brought and written.
 * Memory is bounded: past BUFFERS buffers CUPTI drops records and counts them.
 *
 * A forked child records nothing (CUDA is not for it either); a program that
 * it executes loads the library again.                                      */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "capture/cupti.h"
#include "capture/sink.h"
#include "capture/translate.h"

#define EXPORT __attribute__((visibility("default")))

enum { BUFFER_BYTES = 1 << 20, BUFFERS = 64, PERIOD_MS = 200, LAST_WAIT_MS = 2000 };

static struct cupti cupti;
static struct sink sink = {.fd = -1};
static struct translate translate = {.cupti = &cupti, .sink = &sink};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of sink and translate */
static pthread_t flusher;
static sem_t wake;
static atomic_int buffers, begun, on, urgent, drained;

static uint64_t mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- what CUPTI calls ---- */

static void give_buffer(uint8_t **buffer, size_t *size, size_t *records)
{
    *records = 0; /* as many as fit */
    *size = 0;
    *buffer = atomic_fetch_add(&buffers, 1) < BUFFERS ? aligned_alloc(8, BUFFER_BYTES) : NULL;
    if (*buffer)
        *size = BUFFER_BYTES;
    else
        atomic_fetch_sub(&buffers, 1);
}

static void put_lost(void *context, uint32_t stream)
{
    size_t lost = 0;
    struct raw_lost r = {.head = {RAW_LOST, sizeof r, 0}};
    if (cupti.cuptiActivityGetNumDroppedRecords(context, stream, &lost) || !lost)
        return;
    r.records = lost;
    sink_put(&sink, &r);
}

static void take_buffer(void *context, uint32_t stream, uint8_t *buffer, size_t size, size_t valid)
{
    uint8_t *record = NULL;
    (void)size;
    pthread_mutex_lock(&lock);
    if (sink.fd >= 0) {
        while (valid && !cupti.cuptiActivityGetNextRecord(buffer, valid, &record))
            translate_record(&translate, record);
        put_lost(context, stream);
        sink_flush(&sink);
    }
    pthread_mutex_unlock(&lock);
    free(buffer);
    atomic_fetch_sub(&buffers, 1);
}

/* ---- the thread that keeps the file fresh ---- */

static void *keep_fresh(void *unused)
{
    sigset_t all;
    sigfillset(&all); /* the program's signals are for its own threads */
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (atomic_load(&on)) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PERIOD_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        sem_timedwait(&wake, &until);
        int forced = atomic_exchange(&urgent, 0);
        cupti.cuptiActivityFlushAll(forced ? CUPTI_FLUSH_FORCED : 0);
        if (forced)
            atomic_store(&drained, 1);
    }
    return unused;
}

/* ---- the ends of a program ---- */

static void finish(void)
{
    if (!atomic_exchange(&on, 0))
        return;
    sem_post(&wake);
    pthread_join(flusher, NULL);
    cupti.cuptiActivityFlushAll(CUPTI_FLUSH_FORCED);
    pthread_mutex_lock(&lock);
    if (sink.fd >= 0) {
        struct raw_head end = {RAW_END, sizeof end, 0};
        sink_put(&sink, &end);
    }
    sink_close(&sink);
    pthread_mutex_unlock(&lock);
}

/* Only what a signal handler may do: asks the thread, waits a moment, then dies as it was to. */
static void last_words(int number)
{
    struct timespec nap = {.tv_nsec = 5000000};
    signal(number, SIG_DFL);
    if (atomic_load(&on) && !pthread_equal(pthread_self(), flusher)) {
        atomic_store(&urgent, 1);
        sem_post(&wake);
        for (int ms = 0; ms < LAST_WAIT_MS && !atomic_load(&drained); ms += 5)
            nanosleep(&nap, NULL);
    }
    raise(number);
}

static void watch_signals(void)
{
    static const int fatal[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT,
                                SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction was, act = {.sa_handler = last_words, .sa_flags = SA_ONSTACK};
        if (!sigaction(fatal[i], NULL, &was) && was.sa_handler == SIG_DFL)
            sigaction(fatal[i], &act, NULL);
    }
}

static void in_child(void)
{
    if (!atomic_exchange(&on, 0))
        return;
    close(sink.fd);
    sink.fd = -1;
}

/* ---- the beginning ---- */

static int refuse(const char *what, const char *why)
{
    fprintf(stderr, "malv capture: process %d is not captured: %s%s\n", (int)getpid(), what, why);
    return -1;
}

static int begin_file(const char *dir)
{
    struct raw_begin begin = {
        .magic = RAW_MAGIC, .version = RAW_VERSION, .pid = (uint32_t)getpid()};
    snprintf(begin.program, sizeof begin.program, "%s", program_invocation_short_name);
    cupti.cuptiGetTimestamp(&begin.cupti_ns);
    begin.mono_ns = mono_ns();
    return sink_open(&sink, dir, &begin);
}

static int ask_cupti(void)
{
    static const int kinds[] = {CUPTI_CONCURRENT_KERNEL,
                                CUPTI_MEMCPY,
                                CUPTI_MEMCPY_PEER,
                                CUPTI_MEMSET,
                                CUPTI_SYNC,
                                CUPTI_EVENT,
                                CUPTI_RUNTIME,
                                CUPTI_DRIVER};
    cupti_result r = cupti.cuptiActivityRegisterCallbacks(give_buffer, take_buffer);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !r; i++) {
        r = cupti.cuptiActivityEnable(kinds[i]);
        if (r && i >= 4) /* without these a trace is poorer, but one */
            r = 0;
    }
    return r ? refuse("CUPTI says ", cupti_error(&cupti, r)) : 0;
}

static int start(void)
{
    const char *dir = getenv("MALV_CAPTURE_DIR");
    char why[512];
    if (atomic_exchange(&begun, 1))
        return 0;
    if (!dir)
        return refuse("MALV_CAPTURE_DIR is not set", "");
    if (cupti_open(&cupti, why, sizeof why))
        return refuse(why, "");
    if (ask_cupti() || begin_file(dir) || sem_init(&wake, 0, 0))
        return -1;
    atomic_store(&on, 1);
    if (pthread_create(&flusher, NULL, keep_fresh, NULL)) {
        atomic_store(&on, 0);
        return refuse("no thread to be had", "");
    }
    pthread_atfork(NULL, NULL, in_child);
    atexit(finish);
    watch_signals();
    return 0;
}

EXPORT int InitializeInjection(void);
EXPORT int InitializeInjection(void)
{
    (void)start(); /* a program that can not be captured still runs */
    return 1;
}

__attribute__((constructor)) static void preloaded(void)
{
    const char *wanted = getenv("MALV_CAPTURE_PRELOAD");
    if (wanted && !strcmp(wanted, "1"))
        (void)start();
}
