/* Programs op by op: what waits for what, and what the wait is booked as. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/spans.h"
#include "tests/models/host_rig.h"

static const char *const stacks[] = {"native", "kvm", "lake", "malv"};

/* The quick thread waits 200 us for the slow one at a barrier: that is the slow one's computing. */
static const char barrier[] =
    "{'cpus':4,'duration_s':1,'vms':[{'name':'b','vcpus':2,'tick_hz':0,'workload':{'program':'ops',"
    "'jitter':0,'crews':["
    "{'ops':[{'op':'loop','count':0,'ops':[{'op':'begin'},{'op':'compute','us':100},"
    "{'op':'barrier','count':2},{'op':'done'}]}]},"
    "{'daemon':true,'ops':[{'op':'loop','count':0,'ops':[{'op':'compute','us':300},"
    "{'op':'barrier','count':2}]}]}]}}]}";

Test(host_ops, a_barrier_is_as_slow_as_its_slowest)
{
    for (int i = 0; i < 4; i++) {
        struct rig r = {.stack = stacks[i], .seed = 1};
        struct host_result res;
        rig_run(&r, barrier, &res);
        const double ms = rig_number(&r, "b.1.op_mean");
        cr_expect(ms > 0.3 && ms < 0.32, "%s: %g", stacks[i], ms);
        cr_expect_gt(rig_number(&r, "share.compute"), 0.95, "%s", stacks[i]);
        cr_expect_lt(rig_number(&r, "share.queue"), 0.01, "%s", stacks[i]);
        rig_end(&r);
    }
}

/* One input thread takes 50 ms a batch, the GPU nothing: the step is its computing. */
static const char input[] =
    "{'cpus':4,'duration_s':4,'warmup_s':1,'vms':[{'name':'t','vcpus':2,'tick_hz':0,'workload':{"
    "'program':'training','workers':1,'load_us':50000,'read_mib':0,'batch_mib':0,'framework_us':0,"
    "'kernels':1,'kernel_us':1,'memory_bound':0,'jitter':0}}]}";

Test(host_ops, a_trainer_that_waits_for_input_computes_where_its_input_does)
{
    for (int i = 0; i < 4; i++) {
        struct rig r = {.stack = stacks[i], .seed = 1};
        struct host_result res;
        rig_run(&r, input, &res);
        cr_expect_float_eq(rig_number(&r, "t.1.op_mean"), 50, 0.1, "%s", stacks[i]);
        cr_expect_gt(rig_number(&r, "share.compute"), 0.99, "%s", stacks[i]);
        rig_end(&r);
    }
}

/* Every op there is, on every stack: comes to its end, and what is counted adds up. */
static const char every[] =
    "{'cpus':4,'duration_s':5,'vms':[{'name':'e','vcpus':2,'pages':'2m','workload':{'program':'ops'"
    ","
    "'crews':[{'threads':2,'own_stream':true,'ops':[{'op':'loop','count':20,'ops':["
    "{'op':'begin'},{'op':'syscall'},{'op':'lock','id':3},{'op':'compute','us':10,"
    "'memory_bound':0.5,'working_set_mib':64},{'op':'unlock','id':3},{'op':'read','kib':16},"
    "{'op':'write','kib':4},{'op':'send','count':3},{'op':'touch','kib':4096},{'op':'stage',"
    "'kib':64},{'op':'copy','kib':64},{'op':'launch','us':20,'count':5},{'op':'sync'},"
    "{'op':'launch','us':20},{'op':'sync','poll':true},{'op':'sleep','us':50},"
    "{'op':'barrier','id':1,'count':2},{'op':'put','id':2,'count':4},{'op':'take','id':2,"
    "'count':4},{'op':'done'}]}]}]}}]}";

Test(host_ops, every_op_runs_on_every_stack)
{
    for (int i = 0; i < 4; i++) {
        struct rig r = {.stack = stacks[i], .seed = 1};
        struct host_result res;
        rig_run(&r, every, &res);
        cr_expect_eq(res.finished, 1, "%s", stacks[i]);
        cr_expect_eq(res.operations, 40, "%s", stacks[i]);
        cr_expect_eq(res.raised, res.delivered, "%s", stacks[i]);
        cr_expect_eq(res.jobs, res.jobs_done, "%s", stacks[i]);
        const bool vm = !strcmp(stacks[i], "kvm") || !strcmp(stacks[i], "malv");
        cr_expect_eq(rig_number(&r, "exits") > 0, vm, "%s", stacks[i]);
        if (vm) { /* 2 faults, a read, a write and three packets in each of 40 rounds */
            cr_expect_eq(rig_number(&r, "exits.page_fault"), 80);
            cr_expect_eq(rig_number(&r, "exits.read"), 40);
            cr_expect_eq(rig_number(&r, "exits.write"), 40);
            cr_expect_eq(rig_number(&r, "exits.send"), 120);
        }
        rig_end(&r);
    }
}

/* Small pages cost walks, in a guest more of them; large ones hardly any (models/mem/walk.h). */
#define WALKS(pages)                                                                               \
    "{'cpus':4,'duration_s':1,'vms':[{'name':'w','vcpus':1,'tick_hz':0,'pages':'" pages            \
    "','workload':{'program':'memory','memory_bound':0.5,'working_set_mib':1024}}]}"

Test(host_ops, page_walks_take_their_share)
{
    struct rig r = {.stack = "native", .seed = 1};
    struct host_result res;
    rig_run(&r, WALKS("4k"), &res);
    const double metal = rig_number(&r, "share.walk");
    r.stack = "kvm";
    rig_run(&r, WALKS("4k"), &res);
    const double guest = rig_number(&r, "share.walk");
    rig_run(&r, WALKS("2m"), &res);
    const double large = rig_number(&r, "share.walk");
    cr_expect(0.01 < metal && metal < guest && guest < 0.6, "%g %g", metal, guest);
    cr_expect_lt(large, metal);
    rig_end(&r);
}

Test(host_ops, spans_show_vcpus_and_gpus)
{
    char file[] = "/tmp/malv-host-spans-XXXXXX", text[4096] = "";
    struct err e = {0};
    struct spans *sp;
    const int fd = mkstemp(file);
    cr_assert_geq(fd, 0);
    cr_assert_eq(spans_open(&sp, file, &e), 0, "%s", e.msg);
    struct rig r = {.stack = "kvm", .seed = 1, .spans = sp};
    struct host_result res;
    rig_run(&r, input, &res);
    cr_assert_eq(spans_close(sp, &e), 0, "%s", e.msg);
    cr_expect_gt(read(fd, text, sizeof text - 1), 1000);
    cr_expect(strstr(text, "\"vcpu 0\"") && strstr(text, "\"gpu 0\"") &&
              strstr(text, "\"kernel\""));
    close(fd);
    unlink(file);
    rig_end(&r);
}
