/* fake_cupti.c - a libcupti for tests: hands out buffers of activity records as CUPTI 13 lays them
 * out, of which a program (cuda_program.c) says what is in them.  FAKE_CUPTI=old is a version that
 * is too old; =silent one that refuses to record; =slow one that brings nothing until it is forced
 * to; =hoard one that keeps full buffers until then. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "capture/cupti.h"

void fake_record(const void *record, size_t size);

#define X(name, args) cupti_result name args;
CUPTI_CALLS(X)
#undef X

enum { NOT_COMPATIBLE = 38, MAX_LIMIT_REACHED = 12, INVALID = 1, HOARD = 128 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static cupti_request_fn *request;
static cupti_complete_fn *complete;
static uint8_t *buffer;
static size_t room, used, dropped;
static uint64_t enabled;

static int is(const char *what)
{
    const char *fake = getenv("FAKE_CUPTI");
    return fake && !strcmp(fake, what);
}

cupti_result cuptiGetVersion(uint32_t *v)
{
    *v = is("old") ? 10 : 130001;
    return 0;
}

cupti_result cuptiGetTimestamp(uint64_t *t)
{
    *t = UINT64_C(1700000000000000000);
    return 0;
}

cupti_result cuptiGetCallbackName(int domain, uint32_t call, const char **name)
{
    static const char *const runtime[] = {"",
                                          "cudaLaunchKernel_v7000",
                                          "cudaMemcpy_v3020",
                                          "cudaMemcpyAsync_v3020",
                                          "cudaEventRecord_v3020",
                                          "cudaStreamWaitEvent_v3020",
                                          "cudaStreamSynchronize_v3020",
                                          "cudaDeviceSynchronize_v3020",
                                          "cudaGetDevice_v3020",
                                          "cudaEventSynchronize_v3020"};
    *name = domain == CUPTI_DOMAIN_DRIVER             ? "cuLaunchKernel"
            : call < sizeof runtime / sizeof *runtime ? runtime[call]
                                                      : NULL;
    return *name ? 0 : INVALID;
}

cupti_result cuptiGetResultString(cupti_result r, const char **name)
{
    *name = r == NOT_COMPATIBLE ? "CUPTI_ERROR_NOT_COMPATIBLE" : "CUPTI_ERROR_UNKNOWN";
    return 0;
}

cupti_result cuptiActivityRegisterCallbacks(cupti_request_fn *ask, cupti_complete_fn *give)
{
    request = ask;
    complete = give;
    return 0;
}

cupti_result cuptiActivityEnable(int kind)
{
    enabled |= UINT64_C(1) << kind;
    return is("silent") ? NOT_COMPATIBLE : 0;
}

static struct {
    uint8_t *buffer;
    size_t used;
} hoard[HOARD];
static int hoarded;

/* Full buffers go to whoever asked for them: at once, or (FAKE_CUPTI=hoard) at the end. */
static void bring(int forced)
{
    if (buffer && hoarded < HOARD) {
        hoard[hoarded].buffer = buffer;
        hoard[hoarded++].used = used;
    }
    buffer = NULL;
    used = 0;
    for (int i = 0; i < hoarded && (forced || !is("hoard")); i++)
        complete(NULL, 0, hoard[i].buffer, room, hoard[i].used);
    hoarded = forced || !is("hoard") ? 0 : hoarded;
}

cupti_result cuptiActivityFlushAll(uint32_t flags)
{
    pthread_mutex_lock(&lock);
    if ((!is("slow") && !is("hoard")) || flags == CUPTI_FLUSH_FORCED)
        bring(flags == CUPTI_FLUSH_FORCED);
    pthread_mutex_unlock(&lock);
    return 0;
}

/* Sizes of CUPTI 13: CUpti_ActivityKernel10, Memcpy6, MemcpyPtoP4, Memset4, API,
 * Synchronization2, CudaEvent2. */
static size_t size_of(uint32_t kind)
{
    switch (kind) {
    case CUPTI_CONCURRENT_KERNEL:
        return 216;
    case CUPTI_MEMCPY:
    case CUPTI_MEMCPY_PEER:
        return 96;
    case CUPTI_MEMSET:
        return 88;
    case CUPTI_SYNC:
    case CUPTI_EVENT:
        return 56;
    }
    return 40;
}

cupti_result cuptiActivityGetNextRecord(uint8_t *from, size_t valid, uint8_t **record)
{
    *record = *record ? *record + size_of(*(uint32_t *)(void *)*record) : from;
    return (size_t)(*record - from) < valid ? 0 : MAX_LIMIT_REACHED;
}

cupti_result cuptiActivityGetNumDroppedRecords(void *context, uint32_t stream, size_t *n)
{
    (void)context, (void)stream;
    *n = dropped;
    dropped = 0;
    return 0;
}

void fake_record(const void *record, size_t size)
{
    uint32_t kind = *(const uint32_t *)record;
    size_t n = size_of(kind), most;
    if (!request)
        return;
    pthread_mutex_lock(&lock);
    if (buffer && used + n > room)
        bring(0);
    if (!buffer)
        request(&buffer, &room, &most);
    if (!(enabled >> kind & 1)) {
        ;
    } else if (!buffer) {
        dropped++;
    } else {
        memset(buffer + used, 0xa5, n);
        memcpy(buffer + used, record, size);
        used += n;
    }
    pthread_mutex_unlock(&lock);
}
