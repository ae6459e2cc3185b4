/* cuda_program.c - plays a CUDA program and its driver, for tests of malv capture: loads the
 * recorder as the driver does, then says to fake_cupti.c what it did.
 *
 *   cuda-program idle | plain [STATUS] | graph | many N | abort | kill | twice | fork [WHAT] */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/cupti.h"

enum {
    LAUNCH = 1,
    COPY,
    COPY_ASYNC,
    EVENT,
    WAIT,
    STREAM_SYNC,
    DEVICE_SYNC,
    GET_DEVICE,
    EVENT_SYNC
};
#define T(us) (UINT64_C(1700000000000000000) + (us)*UINT64_C(1000))

static void (*record)(const void *record, size_t size);

static void *symbol(const char *library, const char *name)
{
    void *l = library ? dlopen(library, RTLD_NOW | RTLD_GLOBAL) : NULL,
         *s = l ? dlsym(l, name) : NULL;
    if (!s)
        fprintf(stderr, "cuda-program: %s\n", dlerror());
    return s;
}

/* What cuInit does. */
static int start_cuda(void)
{
    int (*inject)(void);
    const char *library = getenv("CUDA_INJECTION64_PATH"), *loaded = getenv("MALV_CAPTURE_PRELOAD");
    void *s = library ? symbol(library, "InitializeInjection") : NULL, *r;
    if (!library && !(loaded && *loaded == '1'))
        return 0;
    memcpy(&inject, &s, sizeof s);
    if ((library && (!s || inject() != 1)) || !(r = symbol(getenv("MALV_LIBCUPTI"), "fake_record")))
        return -1;
    memcpy(&record, &r, sizeof r);
    return 0;
}

static void call(uint32_t which, uint32_t correlation, uint64_t begin, uint64_t end)
{
    struct cupti_api a = {CUPTI_RUNTIME, which, T(begin), T(end), 1, 4711, correlation, 0};
    record(&a, sizeof a);
}

static void kernel(const char *name, uint32_t correlation, uint32_t stream, uint64_t begin,
                   uint64_t end)
{
    struct cupti_kernel k = {.kind = CUPTI_CONCURRENT_KERNEL,
                             .registers = 32,
                             .begin = T(begin),
                             .end = T(end),
                             .device = 0,
                             .context = 1,
                             .stream = stream,
                             .grid = {4, 2, 1},
                             .block = {128, 1, 1},
                             .smem_static = 1024,
                             .smem_dynamic = 2048,
                             .correlation = correlation,
                             .name = name};
    record(&k, sizeof k);
}

static void copy(uint8_t kind, uint32_t correlation, uint32_t stream, uint64_t bytes,
                 uint64_t begin, uint64_t end)
{
    struct cupti_memcpy c = {.kind = CUPTI_MEMCPY,
                             .copy = kind,
                             .bytes = bytes,
                             .begin = T(begin),
                             .end = T(end),
                             .context = 1,
                             .stream = stream,
                             .correlation = correlation};
    record(&c, sizeof c);
}

static void synchronize(uint32_t type, uint32_t correlation, uint32_t stream, uint32_t event,
                        uint64_t begin, uint64_t end)
{
    struct cupti_sync s = {CUPTI_SYNC, type, T(begin), T(end), correlation, 1, stream, event};
    record(&s, sizeof s);
}

/* Times in us.  Device records come before or after their calls, as CUPTI's do. */
static void plain(void)
{
    struct cupti_api driver = {CUPTI_DRIVER, 307, T(15), T(25), 1, 4711, 1, 0};
    struct cupti_event event = {CUPTI_EVENT, 2, 1, 7, 9};
    record(&driver, sizeof driver); /* within the runtime's call */
    call(LAUNCH, 1, 10, 30);
    call(EVENT, 2, 35, 36);
    record(&event, sizeof event);
    synchronize(2, 3, 13, 9, 37, 38); /* stream 13 waits for event 9 */
    call(WAIT, 3, 37, 38);
    call(LAUNCH, 4, 40, 45);
    kernel("first", 1, 7, 50, 150);
    call(COPY_ASYNC, 5, 46, 47);
    kernel("second", 4, 13, 160, 200);
    copy(2, 5, 13, 4096, 210, 220);
    synchronize(3, 6, 13, UINT32_MAX, 48, 230); /* the thread waits for stream 13 */
    call(STREAM_SYNC, 6, 48, 230);
    copy(1, 7, 7, 1 << 20, 300, 380);
    call(COPY, 7, 240, 400);
    call(GET_DEVICE, 8, 405, 406);
    synchronize(4, 9, UINT32_MAX, UINT32_MAX, 410, 420); /* for all of the context */
    call(DEVICE_SYNC, 9, 410, 420);
}

/* One call that launches a graph of three kernels on two streams; then an event, waited for. */
static void graph(void)
{
    struct cupti_event event = {CUPTI_EVENT, 2, 1, 13, 9};
    call(LAUNCH, 1, 10, 20);
    kernel("a", 1, 7, 30, 40);
    kernel("b", 1, 7, 50, 60);
    kernel("c", 1, 13, 70, 80);
    call(EVENT, 2, 21, 22);
    record(&event, sizeof event);
    synchronize(1, 3, UINT32_MAX, 9, 23, 85);
    call(EVENT_SYNC, 3, 23, 85);
}

static void many(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        call(LAUNCH, i + 1, 10 * i, 10 * i + 3);
        kernel("one of many", i + 1, 7, 10 * i + 5, 10 * i + 12);
    }
}

static int act(const char *what, const char *more, char *self)
{
    if (!record)
        return 0;
    if (!strcmp(what, "many"))
        many((uint32_t)atoi(more));
    else if (!strcmp(what, "graph"))
        graph();
    else
        plain();
    if (!strcmp(what, "abort"))
        abort();
    if (!strcmp(what, "kill") || !strcmp(what, "twice"))
        usleep(600000); /* three times the period */
    if (!strcmp(what, "kill"))
        raise(SIGKILL);
    if (!strcmp(what, "twice")) { /* another program in the same process */
        execl(self, self, "plain", (char *)NULL);
        return 1;
    }
    if (!strcmp(what, "fork") && fork() == 0) /* the child is another process */
        execl(self, self, more ? more : "plain", (char *)NULL);
    while (wait(NULL) > 0)
        ;
    return more && strcmp(what, "fork") ? atoi(more) : 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "idle", *more = argc > 2 ? argv[2] : NULL;
    if (!strcmp(what, "idle"))
        return 0;
    if (start_cuda())
        return 99;
    int status = act(what, more, argv[0]);
    return strcmp(what, "many") ? status : 0;
}
