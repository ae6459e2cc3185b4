/* Importers of block I/O, pages, scheduler events and VMs: good rows, bad rows, round trips.
 * The lines are made up after the formats' descriptions, but for those of test_facts.c. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/traces/import_rig.h"
#include "traces/schema.h"

#define VS                                                                                         \
    "#Vscsi Cmd Trace. (Trace Format Version 1)\n#Serial Number,IO Data Length,Num SG "            \
    "Entries,Command Type,LBN,Time Stamp (microseconds)\n"
#define BB "Timestamp [ms];\tCPU cores;\tCPU usage [%];\tMemory capacity provisioned [KB]\n"
#define VM "0123456789abcdef0123456789abcdef"

static const struct {
    const char *format, *text, *want;
} bad[] = {
    {"ftrace", "a line\n", "t:1:1: got \"a line\", want comm-pid [cpu] seconds: event: .."},
    {"ftrace", "  a-x [000] 1.0: sched_switch: x\n",
     "t:1:3: got \"a-x [000] 1.0: sched_switch: x\", want comm-pid [cpu] seconds: event: .."},
    {"ftrace", "a-1 [000] soon: sched_switch: x\n",
     "t:1:11: got \"soon: sched_switch: x\", want a time in seconds and an event"},
    {"ftrace", "a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=1\n",
     "t:1:30: got \"prev_comm=a prev_pid=1\", want prev_comm= .. next_prio=, or comm:pid [prio] S "
     "==> .."},
    {"ftrace",
     "a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=z prev_prio=1 prev_state=S ==> next_comm=b "
     "next_pid=2 next_prio=1\n",
     "t:1:51: got \"z\", want a pid"},
    {"ftrace",
     "a-1 [000] 1.0: sched_switch: prev_comm=a prev_pid=1 prev_prio=1 prev_state=Q ==> next_comm=b "
     "next_pid=2 next_prio=1\n",
     "t:1:76: got \"Q\", want a state: letters as R, S, D|I, or bits"},
    {"ftrace", "a-1 [000] 1.0: sched_wakeup: comm=b pid=2 prio=high target_cpu=1\n",
     "t:1:48: got \"high\", want a priority"},
    {"ftrace", "a-1 [000] 1.0: sched_wakeup: comm=b pid=2 prio=1 target_cpu=x\n",
     "t:1:61: got \"x\", want a CPU"},
    {"ftrace", "a-1 [000] 1.0: sched_wakeup: a pid=:2 [120] CPU:001\n",
     "t:1:30: got \"a pid=\", want a task's name without \"pid=\" and \" [\""},
    {"ftrace", "a-1 [000] 2.0: x: \na-1 [000] 1.0: x: \n",
     "t:2:1: got a time of 1 s, want none before the row above (2 s)"},
    {"perf-sched", "a-1 [000] 2.0: sched:x: \n",
     "t:1:1: got \"a-1 [000] 2.0: sched:x:\", want comm pid [cpu] seconds: sched:event: .."},
    {"damon", "1000-2000 (4 KiB) 1 0\n",
     "t:1:1: got \"1000-2000 (4 KiB) 1 0\", want a monitoring_start above it"},
    {"damon", "monitoring_start: 1 fortnight\n",
     "t:1:19: got \"1 fortnight\", want a time as 104.599 ms"},
    {"damon", "monitoring_start: 1 s\n1000-2001 (4 KiB) 1 0\n",
     "t:2:1: got \"1000-2001 (4 KiB) 1 0\", want a region start-end of whole 4 KiB pages, up to 16 "
     "TiB"},
    {"damon", "monitoring_start: 1 s\n1000-2000 (4 KiB) many\n",
     "t:2:19: got \"many\", want a number of accesses 0..4294967295"},
    {"damon", "monitoring_start: 1 s\nhello\n",
     "t:2:1: got \"hello\", want a region as 1000-3000 (8.000 KiB) 1 0"},
    {"damon", "base_time_absolute: 1 s\nbase_time_absolute: 1 s\n",
     "t:2:1: got \"base_time_absolute: 1 s\", want one record: cut the text at each "
     "base_time_absolute"},
    {"ramulator", "5\n", "t:1:1: got \"5\", want instructions, a read address and perhaps another"},
    {"ramulator", "5 x\n", "t:1:3: got \"x\", want an integer 0..18446744073709551615"},
    {"ramulator", "5 1 2 3\n", "t:1:5: got \"2 3\", want an integer 0..18446744073709551615"},
    {"msr", "1,hm,0,Read,0,512,5\n",
     "t:1:1: got \"1\", want a Windows filetime from 1970 on: 100 ns since 1601"},
    {"msr", "128166372003061629,hm,0,Trim,0,512,5\n", "t:1:25: got \"Trim\", want Read or Write"},
    {"msr", "128166372003061629,hm,0,Read,0,512\n", "t:1:1: got fewer than 7 fields, want 7"},
    {"msr", "128166372003061629,hm,0,Read,0,512,5,6\n", "t:1:1: got more than 7 fields, want 7"},
    {"msr", "128166372003061629,hm,0,Read,-5,512,5\n",
     "t:1:30: got \"-5\", want an integer 0..18446744073709551615"},
    {"vscsi", "1,4096,1,write,8,5\n",
     "t:1:1: got \"1,4096,1,write,8,5\", want the line of names, #Serial Number,.., first"},
    {"vscsi", "#Serial Number,LBN\n",
     "t:1:1: got \"#Serial Number,LBN\", want a column \"IO Data Length\" among at most 8"},
    {"vscsi", VS "1,4096,1,trim,8,5\n", "t:3:10: got \"trim\", want read or write"},
    {"vscsi", VS "1,4096,1,read,8\n", "t:3:1: got fewer than 6 fields, want 6"},
    {"bitbrains", "", "t:1:1: got an empty file, want a line of column names"},
    {"bitbrains", "Timestamp [ms];\tCPU cores\n",
     "t:1:1: got \"Timestamp [ms];\tCPU cores\", want a column \"CPU usage [%]\""},
    {"bitbrains", BB "1376314846;\t4;\tidle;\t1\n", "t:2:16: got \"idle\", want a percentage"},
    {"bitbrains", BB "1376314846;\t4;\t1;\t1\n1376314846;\t4;\t1;\t1\n",
     "t:3:1: got \"1376314846\", want a time after the reading above"},
    {"bitbrains", BB "1000000000;\t4;\t1;\t1\n1000000300;\t4;\t1;\t1\n1000000310;\t4;\t1;\t1\n",
     "t:4:1: got \"1000000310\", want one reading in each step of 300 s"},
    {"azure-vm", "0," VM ",1,2,3\n300,other,1,2,3\n",
     "t:2:5: got \"other\", want one VM's rows, the first row's"},
    {"azure-vm", "0," VM ",1,2\n", "t:1:1: got fewer than 5 fields, want 5"},
};

ParameterizedTestParameters(import_rows, bad_rows)
{
    static int row[sizeof bad / sizeof *bad];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, import_rows, bad_rows)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text(bad[*row].format, bad[*row].text, 0, &rc, &e);
    while (!rc && (rc = import_next(im, &r, &e)) == 1)
        rc = 0;
    cr_expect_lt(rc, 0, "%s: it was taken", bad[*row].text);
    cr_expect_str_eq(e.msg, bad[*row].want);
    import_close(im);
}

Test(import_rows, ramulator_time_is_instructions)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text("ramulator", "10 4097 8192\n5 64\n", 0, &rc, &e);
    cr_assert_eq(import_next(im, &r, &e), 1);
    cr_expect(r.page.time_ns == 10 && r.page.page == 1 && r.page.offset == 1 && !r.page.write);
    cr_assert_eq(import_next(im, &r, &e), 1);
    cr_expect(r.page.time_ns == 10 && r.page.page == 2 && r.page.offset == 0 && r.page.write);
    cr_assert_eq(import_next(im, &r, &e), 1);
    cr_expect(r.page.time_ns == 16 && r.page.page == 0 && r.page.offset == 64 && !r.page.write);
    cr_assert_eq(import_next(im, &r, &e), 0);
    import_close(im);
}

Test(import_rows, msr_times_are_of_the_calendar)
{
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text("msr",
                                      "128166372003061629,hm,1,Read,383496192,32768,113736\n"
                                      "128166372016382155,hm,1,Write,7014912,4096,26\n",
                                      0, &rc, &e);
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    cr_expect(r.io.time_ns == 0 && r.io.device == 1 && !r.io.write);
    cr_expect(r.io.bytes == 32768 && r.io.latency_ns == 11373600);
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    cr_expect_eq(r.io.time_ns, UINT64_C(1332052600));
    cr_expect_str_eq(import_meta(im)->epoch, "2007-02-22 17:00:00.3061629");
    import_close(im);
}

/* Requests are logged when they are complete. */
Test(import_rows, msr_rows_within_a_window_come_in_the_order_of_their_issue)
{
    struct err e = {0};
    union trace_row r;
    uint64_t n = 0, last = 0;
    int rc;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    for (unsigned i = 0; i < 5000; i++) /* each block of 1000 backwards */
        fprintf(f, "%llu,hm,0,Read,%u,512,5\n",
                128166372000000000ull + i / 1000 * 1000 + (999 - i % 1000), i);
    fclose(f);
    struct importer *im = import_text("msr", text, 0, &rc, &e);
    for (; (rc = import_next(im, &r, &e)) == 1; n++) {
        cr_assert_eq(r.io.time_ns, n * 100);
        cr_assert_geq(r.io.time_ns, last);
        last = r.io.time_ns;
    }
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_expect_eq(n, 5000);
    import_close(im);
    free(text);

    f = open_memstream(&text, &len);
    for (unsigned i = 0; i < 2000; i++)
        fprintf(f, "%llu,hm,0,Read,%u,512,5\n", 128166372000002000ull + i, i);
    fputs("128166372000002001,hm,0,Read,0,512,5\n", f);
    fclose(f);
    im = import_text("msr", text, 0, &rc, &e);
    while ((rc = import_next(im, &r, &e)) == 1) {
    }
    cr_expect_str_eq(e.msg,
                     "t:2001:1: got \"128166372000002001\", want a time at most 1024 rows out "
                     "of order");
    import_close(im);
    free(text);
}

Test(import_rows, readings_without_a_step_repeat_the_last)
{
    static const uint64_t want[] = {932, 1, 1, 1, 51};
    struct err e = {0};
    union trace_row r;
    int rc;
    struct importer *im = import_text("bitbrains",
                                      BB "1376314846;\t4;\t93.23333333333335;\t6.7108864E7\n"
                                         "1376315146;\t4;\t0.06666;\t6.7108864E7\n"
                                         "1376316045;\t2;\t5.05E0;\t6.7108864E7\n",
                                      0, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    cr_assert_eq(import_next(im, &r, &e), 1, "%s", e.msg);
    cr_assert_eq(r.vm.n_util, 5);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(r.vm.util[i], want[i], "%d: %llu", i, (unsigned long long)r.vm.util[i]);
    cr_expect(r.vm.step_ns == UINT64_C(300000000000) && r.vm.vcpus == 4);
    cr_expect_eq(r.vm.mem_bytes, UINT64_C(64) << 30);
    cr_expect_eq(r.vm.end_ns, 5 * r.vm.step_ns);
    cr_expect_eq(import_next(im, &r, &e), 0);
    cr_expect_str_eq(import_meta(im)->epoch, "2013-08-12 13:40:46");
    import_close(im);
}

/* What an export writes reads as the same records; `same`: as the same bytes. */
static const struct {
    const char *format, *text;
    bool same;
} trips[] = {
    {"ftrace",
     "# tracer: nop\n#\n a-1 [000] 1.000001: sched_switch: a:1 [120] S ==> b:2 [120]\n"
     " b-2 [000] 1.000002: sched_wakeup_new: comm=a pid=1 prio=120 success=1 target_cpu=001\n"
     " b-2 [000] 1.0000021: sched_waking: comm=a pid=1\n"
     " b-2 [000] 1.5: sched_migrate_task: comm=a pid=1 prio=120 orig_cpu=1 dest_cpu=0\n"
     " b-2 [000] 1.6: sched_switch: prev_comm=b prev_pid=2 prev_prio=120 prev_state=4096 "
     "next_comm=x y next_pid=3 next_prio=-1\n",
     false},
    {"perf-sched", "a 1/2 [000] 1.0: sched:sched_wakeup: b:2 [120] CPU:001\n", false},
    {"damon",
     "base_time_absolute: 8 m 59.809 s\n\nmonitoring_start: 0 ns\ntarget_id: 1844\nnr_regions: 2\n"
     "# start_addr     end_addr        length  nr_accesses   age\n"
     "563ebaa00000-563ebc99e000(  31.617 MiB):        1\n"
     "7f938d7e1000-7f938ddfc000 (   6.105 MiB)        0    -1\n"
     "monitoring_start: 1 m 104.599 ms\nmonitoring_end: 2 s\ntarget_id: 7\n1000-2000 (4 KiB) 5 6\n",
     false},
    {"damon",
     "kdamond.0 1234 [003] 194.624000: damon:damon_aggregated: target_id=0 nr_regions=2 "
     "4096-8192: 3 5\n",
     false},
    {"ramulator", "0 9618752\n13 140734746854976 64\n0 1\n0 2 3", true},
    {"ramulator", "18446 1\r\n3 4 5\r\n", true},
    {"msr",
     "128166372003061629,hm,0,Write,7014912,4096,26\n128166372016382155,prn,1,Read,0,512,0\n",
     true},
    {"vscsi", VS "1,4096,1,write,24048792,2756778716647\n2,512,1,read,8,2756778716648\n", true},
    {"vscsi", VS "2147483692,4608,2,write,24048792,2756778716647\n", false},
    {"bitbrains", BB "1376314846;\t4;\t93.2;\t67108864\n1376315146;\t4;\t0.1;\t67108864\n", true},
    {"bitbrains", BB "1376314846500;\t4;\t93.2;\t67108864", true},
    {"azure-vm", "600," VM ",,,22.6\n900," VM ",,,1.6\n", true},
    {"azure-vm", "600," VM ",1,2,22.6307\n1500," VM ",1,2,1.55\n2399," VM ",0,0,0\n", false},
};

ParameterizedTestParameters(import_rows, round_trips)
{
    static int row[sizeof trips / sizeof *trips];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

/* Digests the rows by the texts of their names: numbers of names may differ. */
static void digest(const char *format, const char *text, char hex[SHA256_HEX], struct exporter *x)
{
    struct err e = {0};
    union trace_row r;
    struct sha256 sha;
    int rc;
    struct importer *im = import_text(format, text, 0, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    sha256_init(&sha);
    if (x)
        x->names = im->names;
    while ((rc = import_next(im, &r, &e)) == 1) {
        schema_digest(im->format->table, &r, &sha);
        if (x)
            export_row(x, &r);
    }
    cr_assert_eq(rc, 0, "%s", e.msg);
    schema_digest_names(im->names, &sha);
    sha256_hex(&sha, hex);
    import_close(im);
}

ParameterizedTest(int *row, import_rows, round_trips)
{
    const char *format = trips[*row].format, *text = trips[*row].text;
    char first[SHA256_HEX], second[SHA256_HEX], *out = NULL;
    struct err e = {0};
    struct exporter x;
    union trace_row r;
    size_t len;
    int rc;
    struct importer *style = import_text(format, text, 0, &rc, &e);
    cr_assert_eq(rc, 0, "%s", e.msg);
    while (import_next(style, &r, &e) == 1) {
    }
    FILE *to = open_memstream(&out, &len);
    cr_assert_eq(export_begin(&x, style->format, import_meta(style), NULL, to, &e), 0);
    digest(format, text, first, &x);
    x.names = style->names;
    cr_assert_eq(export_end(&x, &e), 0);
    fclose(to);
    digest(format, out, second, NULL);
    cr_expect_str_eq(first, second, "%s", out);
    if (trips[*row].same)
        cr_expect_str_eq(out, text);
    free(out);
    import_close(style);
}

Test(import_rows, first_lines_tell_the_formats_apart)
{
    static const struct {
        const char *line, *format;
    } cases[] = {
        {"version = 6", "ftrace"},
        {"# tracer: nop", "ftrace"},
        {" <idle>-0 [001] d..2 76.402065: sched_switch: a:1 [120] S ==> b:2 [120]", "ftrace"},
        {"swapper 0 [001] 76.402065: sched:sched_wakeup: b:2 [120] CPU:001", "perf-sched"},
        {"base_time_absolute: 8 m 59.809 s", "damon"},
        {"kdamond.0 1 [003] 1.0: damon:damon_aggregated: target_id=0 nr_regions=2 4096-8192: 3 5",
         "damon"},
        {"0 9618752", "ramulator"},
        {"13 140734746854976 64", "ramulator"},
        {"128166372003061629,hm,0,Write,7014912,4096,26", "msr"},
        {"#Vscsi Cmd Trace. (Trace Format Version 1)", "vscsi"},
        {"Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ]", "bitbrains"},
        {"0," VM ",19.8984,24.9964,22.6307", "azure-vm"},
        {"TIMESTAMP,ContextTokens,GeneratedTokens", "azure-llm"},
        {"5", NULL},
        {"1,2,3,4,5", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = NULL;
        int takers = 0;
        for (size_t k = 0; import_format_at(k); k++)
            if (import_format_at(k)->sniff &&
                import_format_at(k)->sniff(cases[i].line, strlen(cases[i].line))) {
                found = found ? found : import_format_at(k)->name;
                takers++;
            }
        cr_expect_leq(takers, 1, "%s", cases[i].line);
        cr_expect(cases[i].format ? found && !strcmp(found, cases[i].format) : !found, "%s: %s",
                  cases[i].line, found ? found : "none");
    }
}
