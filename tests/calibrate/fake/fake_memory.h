/* fake_memory.h - what the device of fake_gpu.c has allocated: the host's memory, all of it. */
#ifndef TESTS_FAKE_MEMORY_H
#define TESTS_FAKE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Of the allocation that begins there; 0: none does. */
size_t fake_memory_size(const void *at);
/* It lies in memory of the host that was allocated as pinned. */
bool fake_memory_pinned(const void *at);

#endif
