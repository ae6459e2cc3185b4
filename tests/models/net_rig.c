/* net_rig.c - see net_rig.h. */
#include "tests/models/net_rig.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t operations, asked;

static uint64_t flops(void *ctx, int model)
{
    (void)ctx, (void)model;
    return operations;
}

static struct infer_tap tap;
const struct model_infer net_infer = {.flops = flops, .tap = &tap};

void net_costs(double us)
{
    operations = (uint64_t)(us * 100); /* 1000 take 10 us */
}

void net_asked(void)
{
    asked++;
    if (tap.called)
        tap.called(tap.ctx, 0, 1);
}

uint64_t net_answers(void)
{
    const uint64_t n = asked;
    asked = 0;
    return n;
}

struct machine *net_machine(void)
{
    static const char text[] =
        "{\"schema\":\"malv-machine/1\",\"name\":\"one-net\",\"infer\":{\"flops\":{\"value\":1000,"
        "\"unit\":\"1\",\"source\":\"t\",\"evidence\":\"assumed\"},\"cpu\":{\"x\":[1,101],\"y\":["
        "10,1010],"
        "\"unit\":\"us\",\"source\":\"t\",\"evidence\":\"assumed\"}}}";
    struct config *json;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(config_parse(&json, "one-net", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    config_free(json);
    return m;
}
