/* fuzz_journal.c - any bytes as a journal of results, and as one packed trial of it (which the
 * journal's checksums would keep the fuzzer from): refused with a sentence, or trials whose
 * packed form unpacks again to the same packed form.                         */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "results/journal.h"

static void round_trip(const struct result_trial *t)
{
    struct buf once = {0}, again = {0};
    struct result_trial back;
    struct err e = {0};
    result_trial_pack(t, &once);
    assert(!once.failed);
    assert(result_trial_unpack(&back, &once, &e) == 0);
    result_trial_pack(&back, &again);
    assert(once.len == again.len && !memcmp(once.data, again.data, once.len));
    result_trial_clear(&back);
    buf_free(&once);
    buf_free(&again);
}

static void one_trial(const uint8_t *data, size_t size)
{
    struct buf b = {0};
    struct result_trial t;
    struct err e = {0};
    buf_bytes(&b, data, size);
    if (result_trial_unpack(&t, &b, &e)) {
        assert(e.code && e.msg[0]);
    } else {
        round_trip(&t);
        result_trial_clear(&t);
    }
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct result_set *rs;
    struct err e = {0};
    one_trial(data, size);
    int fd = memfd_create("journal", 0);
    assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (journal_read(&rs, path, &e)) {
        assert(e.code && !strncmp(e.msg, path, strlen(path)));
    } else {
        for (size_t i = 0; i < rs->n_trial; i++)
            round_trip(&rs->trial[i]);
        results_free(rs);
    }
    close(fd);
    return 0;
}
