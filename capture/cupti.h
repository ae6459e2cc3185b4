/* cupti.h - the activity part of CUPTI, found at run time.
 *
 * Neither building nor running needs NVIDIA's headers: the few calls are
 * declared here, and of each activity record the beginning that has been the
 * same since CUDA 10 (later versions only add at the end; a test holds this
 * against the header where there is one).  The library is the one that the
 * process has loaded already, else the one that the loader finds, or the one
 * that MALV_LIBCUPTI names: the tests bring their own.                      */
#ifndef CAPTURE_CUPTI_H
#define CAPTURE_CUPTI_H

#include <stddef.h>
#include <stdint.h>

typedef unsigned cupti_result; /* CUptiResult; 0 is success */
typedef void cupti_request_fn(uint8_t **buffer, size_t *size, size_t *records);
typedef void cupti_complete_fn(void *context, uint32_t stream, uint8_t *buffer, size_t size,
                               size_t valid);

enum cupti_kind { /* CUpti_ActivityKind */
                  CUPTI_MEMCPY = 1,
                  CUPTI_MEMSET = 2,
                  CUPTI_KERNEL = 3,
                  CUPTI_DRIVER = 4,
                  CUPTI_RUNTIME = 5,
                  CUPTI_CONCURRENT_KERNEL = 10,
                  CUPTI_MEMCPY_PEER = 22,
                  CUPTI_EVENT = 36,
                  CUPTI_SYNC = 38,
};
enum {
    CUPTI_DOMAIN_DRIVER = 1, /* CUpti_CallbackDomain */
    CUPTI_DOMAIN_RUNTIME = 2,
    CUPTI_FLUSH_FORCED = 1,
    CUPTI_VERSION_MIN = 12, /* of CUDA 10.2 */
};

/* Records are packed and 8-byte aligned. */
struct cupti_kernel {
    uint32_t kind;
    uint8_t cache, smem_config;
    uint16_t registers;
    uint64_t carveout_, begin, end, completed;
    uint32_t device, context, stream;
    int32_t grid[3], block[3];
    int32_t smem_static, smem_dynamic;
    uint32_t local, local_total, correlation;
    int64_t grid_id;
    const char *name;
};
struct cupti_memcpy {
    uint32_t kind;
    uint8_t copy, from, to, flags;
    uint64_t bytes, begin, end;
    uint32_t device, context, stream, correlation;
};
struct cupti_memcpy_peer {
    uint32_t kind;
    uint8_t copy, from, to, flags;
    uint64_t bytes, begin, end;
    uint32_t device, context, stream;
    uint32_t from_device, from_context, to_device, to_context, correlation;
};
struct cupti_memset {
    uint32_t kind, value;
    uint64_t bytes, begin, end;
    uint32_t device, context, stream, correlation;
};
struct cupti_api {
    uint32_t kind, call;
    uint64_t begin, end;
    uint32_t process, thread, correlation, result;
};
struct cupti_sync {
    uint32_t kind, type;
    uint64_t begin, end;
    uint32_t correlation, context, stream, event;
};
struct cupti_event {
    uint32_t kind, correlation, context, stream, event;
};

#define CUPTI_CALLS(X)                                                                             \
    X(cuptiGetVersion, (uint32_t *))                                                               \
    X(cuptiGetTimestamp, (uint64_t *))                                                             \
    X(cuptiGetCallbackName, (int, uint32_t, const char **))                                        \
    X(cuptiGetResultString, (cupti_result, const char **))                                         \
    X(cuptiActivityRegisterCallbacks, (cupti_request_fn *, cupti_complete_fn *))                   \
    X(cuptiActivityEnable, (int))                                                                  \
    X(cuptiActivityFlushAll, (uint32_t))                                                           \
    X(cuptiActivityGetNextRecord, (uint8_t *, size_t, uint8_t **))                                 \
    X(cuptiActivityGetNumDroppedRecords, (void *, uint32_t, size_t *))

struct cupti {
    void *library;
    uint32_t version;
#define X(call, args) cupti_result(*call) args;
    CUPTI_CALLS(X)
#undef X
};

/* 0, or -1 with the reason in one sentence. */
int cupti_open(struct cupti *c, char *why, size_t n);
const char *cupti_error(const struct cupti *c, cupti_result r);

#endif
