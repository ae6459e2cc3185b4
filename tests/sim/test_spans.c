#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config.h"
#include "sim/spans.h"

static struct config *written(void (*fill)(struct spans *sp))
{
    char path[] = "/tmp/malv-spans-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    struct err e = {0};
    struct spans *sp = NULL;
    cr_assert_eq(spans_open(&sp, path, &e), 0, "%s", e.msg);
    fill(sp);
    cr_assert_eq(spans_close(sp, &e), 0, "%s", e.msg);
    struct config *c = NULL;
    cr_assert_eq(config_load(&c, path, &e), 0, "%s", e.msg);
    unlink(path);
    return c;
}

static void two_tracks(struct spans *sp)
{
    uint32_t compute = spans_track(sp, "gpu0", "compute"), copy = spans_track(sp, "gpu0", "copy");
    spans_slice(sp, compute, "prefill \"a\"", 1234567, 2000000);
    spans_instant(sp, copy, "arrival", 5);
    spans_counter(sp, compute, "waiting", 7, 3);
}

Test(spans, the_file_is_chrome_trace_json_and_keeps_every_nanosecond)
{
    struct config *c = written(two_tracks);
    const struct config *ev = config_get(c, "traceEvents");
    cr_assert_eq(config_count(ev), 6u); /* one process, two threads, three events */
    const struct config *slice = config_at(ev, 3);
    const char *name = NULL;
    double ts = 0, dur = 0;
    cr_assert_eq(config_str(config_get(slice, "name"), &name, NULL), 0);
    cr_assert_eq(config_f64(config_get(slice, "ts"), 0, 1e9, &ts, NULL), 0);
    cr_assert_eq(config_f64(config_get(slice, "dur"), 0, 1e9, &dur, NULL), 0);
    cr_expect_str_eq(name, "prefill \"a\"");
    cr_expect_eq(ts, 1234.567);
    cr_expect_eq(dur, 765.433);
    config_free(c);
}

static void nothing(struct spans *sp)
{
    (void)sp;
}

Test(spans, an_empty_recording_is_valid_too)
{
    struct config *c = written(nothing);
    cr_expect_eq(config_count(config_get(c, "traceEvents")), 0u);
    config_free(c);
}

Test(spans, no_recorder_means_no_work)
{
    cr_expect_eq(spans_track(NULL, "a", "b"), 0u);
    spans_slice(NULL, 0, "x", 0, 1);
    cr_expect_eq(spans_close(NULL, NULL), 0);
}

Test(spans, a_path_that_can_not_be_written_is_a_sentence)
{
    struct err e = {0};
    struct spans *sp = NULL;
    cr_expect_eq(spans_open(&sp, "/nowhere/at/all.json", &e), ERR_EIO);
    cr_expect_str_eq(e.msg, "/nowhere/at/all.json: No such file or directory");
}
