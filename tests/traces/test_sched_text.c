/* Scheduler events as the texts of ftrace and perf have them. */
#include <criterion/criterion.h>

#include "tests/traces/import_rig.h"
#include "traces/sched_text.h"

#define SWITCH(state) "a b:7 [120] " state " ==> c:d:8 [-2]"

Test(sched_text, a_switch_reads_the_same_in_every_dress)
{
    static const struct {
        const char *format, *line;
        uint32_t state;
    } cases[] = {
        {"ftrace", "a b-7 [003] 1.5: sched_switch: " SWITCH("S"), 1},
        {"ftrace", "   a b-7     (   7) [003] d..2. 1.500000: sched_switch: " SWITCH("R+"), 256},
        {"ftrace",
         "<...>-7 [003] 1.5: sched_switch: prev_comm=a b prev_pid=7 prev_prio=120 prev_state=130 "
         "next_comm=c:d next_pid=8 next_prio=-2",
         130},
        {"perf-sched", "a b 7 [003] 1.5: sched:sched_switch: " SWITCH("D|I"), 130},
        {"perf-sched",
         "  a b     7/7 [003]     1.500000: sched:sched_switch: prev_comm=a b prev_pid=7 "
         "prev_prio=120 prev_state=D|K ==> next_comm=c:d next_pid=8 next_prio=-2",
         130},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = {0};
        union trace_row r;
        int rc;
        struct importer *im = import_text(cases[i].format, cases[i].line, 0, &rc, &e);
        cr_assert_eq(import_next(im, &r, &e), 1, "%s: %s", cases[i].line, e.msg);
        cr_expect_eq(r.sched.event, SCHED_SWITCH);
        cr_expect_eq(r.sched.time_ns, UINT64_C(1500000000));
        cr_expect_eq(r.sched.cpu, 3);
        cr_expect_eq(r.sched.state, cases[i].state, "%s", cases[i].line);
        cr_expect(r.sched.pid == 7 && r.sched.prio == 120);
        cr_expect(r.sched.next_pid == 8 && r.sched.next_prio == -2);
        cr_expect_str_eq(names_text(im->names, r.sched.task), "a b");
        cr_expect_str_eq(names_text(im->names, r.sched.next_task), "c:d");
        import_close(im);
    }
}

Test(sched_text, a_wakeup_reads_the_same_in_every_dress)
{
    static const char *const lines[] = {
        "a-7 [003] 1.5: sched_wakeup: comm=b c pid=8 prio=-2 success=1 target_cpu=002",
        "a-7 [003] 1.5: sched_wakeup: comm=b c pid=8 prio=-2 target_cpu=002",
        "a-7 [003] 1.5: sched_wakeup: b c:8 [-2] success=1 CPU:002",
        "a-7 [003] 1.5: sched_wakeup: b c:8 [-2]<CANT FIND FIELD success> CPU:002",
        "a-7 [003] 1.5: sched_wakeup: b c:8 [-2] CPU:002",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct err e = {0};
        union trace_row r;
        int rc;
        struct importer *im = import_text("ftrace", lines[i], 0, &rc, &e);
        cr_assert_eq(import_next(im, &r, &e), 1, "%s: %s", lines[i], e.msg);
        cr_expect(r.sched.event == SCHED_WAKEUP && r.sched.cpu == 3 && r.sched.target_cpu == 2);
        cr_expect(r.sched.pid == 8 && r.sched.prio == -2);
        cr_expect_str_eq(names_text(im->names, r.sched.task), "b c");
        import_close(im);
    }
}

Test(sched_text, states_go_to_letters_and_back)
{
    for (uint32_t bits = 0; bits < 1024; bits++) {
        char text[32];
        uint32_t again;
        cr_assert(sched_state_text(bits, text));
        cr_assert(sched_state_parse(slice_of(text), &again), "%s", text);
        cr_assert_eq(again, bits, "%s", text);
    }
    char text[32];
    cr_assert_not(sched_state_text(4096, text), "no letter for it");
}
