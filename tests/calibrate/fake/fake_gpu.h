/* fake_gpu.h - the times of the device of fake_gpu.c. */
#ifndef TESTS_FAKE_GPU_H
#define TESTS_FAKE_GPU_H

#include <stdint.h>

#define FAKE_SMS          40
#define FAKE_GAP_NS       1300
#define FAKE_GRAPH_GAP_NS 250
#define FAKE_SLICE_NS     1000000
#define FAKE_SWITCH_NS    150000
#define FAKE_LINK         25e9 /* bytes/s */
#define FAKE_DUPLEX       38e9
#define FAKE_PAGEABLE     10e9
#define FAKE_COPY_NS      1200
#define FAKE_BANDWIDTH    2e12 /* from half of the SMs on */
#define FAKE_CACHE        (256 << 10)
#define FAKE_NEAR_NS      30
#define FAKE_FAR_NS       500

uint64_t fake_now(void);

#endif
