/* nsys_file.h - databases of Nsight Systems, made here by SQLite from a text of SQL. */
#ifndef TESTS_TRACES_NSYS_FILE_H
#define TESTS_TRACES_NSYS_FILE_H

#include <stddef.h>

/* The file's bytes; malloc'd. */
unsigned char *nsys_bytes(const char *sql, size_t *len);

#define NSYS_KERNELS_SQL                                                                           \
    "CREATE TABLE StringIds(id INTEGER NOT NULL PRIMARY KEY, value TEXT NOT NULL);"                \
    "INSERT INTO StringIds VALUES(11,'gemm'),(12,'ncclDevKernel_AllReduce'),(21,"                  \
    "'cudaLaunchKernel_v7000'),(22,'cudaStreamSynchronize_v3020'),(23,'cudaMemcpyAsync_v3020'),"   \
    "(24,'cudaEventRecord_v3020'),(25,'cudaStreamWaitEvent_v3020'),(26,'cudaMalloc_v3020'),"       \
    "(27,'cudaDeviceSynchronize_v3020'),(28,'cudaGraphLaunch_v10000');"                            \
    "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL(start INTEGER NOT NULL, end INTEGER NOT NULL, "       \
    "deviceId INTEGER, contextId INTEGER, streamId INTEGER, correlationId INTEGER, globalPid "     \
    "INTEGER, shortName INTEGER, gridX INTEGER, gridY INTEGER, gridZ INTEGER, blockX INTEGER, "    \
    "blockY INTEGER, blockZ INTEGER, registersPerThread INTEGER, staticSharedMemory INTEGER, "     \
    "dynamicSharedMemory INTEGER);"
#define NSYS_CALLS_SQL                                                                             \
    "CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME(start INTEGER, end INTEGER, globalTid INTEGER, "     \
    "correlationId INTEGER, nameId INTEGER);"
#define NSYS_COPIES_SQL                                                                            \
    "CREATE TABLE CUPTI_ACTIVITY_KIND_MEMCPY(start INTEGER, end INTEGER, deviceId INTEGER, "       \
    "contextId INTEGER, streamId INTEGER, correlationId INTEGER, globalPid INTEGER, bytes "        \
    "INTEGER, copyKind INTEGER, srcDeviceId INTEGER, dstDeviceId INTEGER);"
#define NSYS_SYNCS_SQL                                                                             \
    "CREATE TABLE CUPTI_ACTIVITY_KIND_SYNCHRONIZATION(start INTEGER, end INTEGER, deviceId "       \
    "INTEGER, contextId INTEGER, streamId INTEGER, correlationId INTEGER, globalPid INTEGER, "     \
    "syncType INTEGER, eventSyncId INTEGER);"
#define NSYS_EVENTS_SQL                                                                            \
    "CREATE TABLE CUPTI_ACTIVITY_KIND_CUDA_EVENT(deviceId INTEGER, contextId INTEGER, streamId "   \
    "INTEGER, correlationId INTEGER, globalPid INTEGER, eventSyncId INTEGER);"

#endif
