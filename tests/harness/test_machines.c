/* Profiles are read once for an experiment, whatever becomes of the files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/run/experiment.h"
#include "harness/run/machines.h"
#include "harness/run/setup.h"
#include "models/machine.h"

static char folder[] = "/tmp/malv-machines-XXXXXX";

static void put(const char *name, int value)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    FILE *f = fopen(path, "w");
    fprintf(
        f,
        "{\"schema\": \"malv-machine/1\", \"name\": \"%s\", \"cost\": {\"syscall\": {\"value\": "
        "%d, \"unit\": \"ns\", \"source\": \"a test\", \"evidence\": \"assumed\"}}}",
        name, value);
    fclose(f);
}

static void gone(const char *name)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    unlink(path);
}

/* An experiment with as many machines as there are numbers below n. */
static struct experiment *made(int n)
{
    char text[600], file[80];
    struct config *doc;
    struct experiment *x;
    struct err e = {0};
    int at = snprintf(text, sizeof text,
                      "{\"schema\": \"malv-experiment/1\", \"name\": \"m\", \"model\": \"serve\", "
                      "\"serve\": {}, \"sweep\": {\"machine\": [");
    for (int i = 0; i < n; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%s\"m%d.json\"", i ? ", " : "", i);
    snprintf(text + at, sizeof text - (size_t)at, "]}}");
    snprintf(file, sizeof file, "%s/x.json", folder);
    cr_assert_eq(config_parse(&doc, file, text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(experiment_from(&x, doc, file, NULL, &e), 0, "%s", e.msg);
    config_free(doc);
    return x;
}

/* The system call of a combination's machine, ps; negative: the code. */
static double syscall_of(const struct experiment *x, uint64_t combination, struct err *e)
{
    struct config *doc;
    struct setup s;
    struct machine *m;
    char *text;
    cr_assert_eq(experiment_combination(x, combination, &doc, e), 0);
    cr_assert_eq(setup_read(&s, doc, e), 0);
    const int rc = machines_get(x, &s, &m, &text, e);
    const double v = rc ? rc : machine_find(m, "cost.syscall")->value;
    machine_free(m);
    free(text);
    config_free(doc);
    return v;
}

Test(machines, a_profile_is_what_it_was_when_first_read)
{
    struct err e = {0};
    cr_assert(mkdtemp(folder));
    put("m0", 100);
    struct experiment *x = made(1);
    cr_expect_eq(syscall_of(x, 0, &e), 100e3);
    put("m0", 200);
    cr_expect_eq(syscall_of(x, 0, &e), 100e3);
    gone("m0");
    cr_expect_eq(syscall_of(x, 0, &e), 100e3);
    experiment_free(x);
    x = made(1);
    cr_expect_eq(syscall_of(x, 0, &e), ERR_EIO);
    cr_expect(strstr(e.msg, "m0.json"), "%s", e.msg);
    experiment_free(x);
    rmdir(folder);
}

/* More than are kept: those that were dropped are read again. */
Test(machines, any_number_of_profiles)
{
    enum { N = 20 };
    struct err e = {0};
    char name[8];
    cr_assert(mkdtemp(folder));
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "m%d", i);
        put(name, i + 1);
    }
    struct experiment *x = made(N);
    for (int again = 0; again < 2; again++)
        for (int i = 0; i < N; i++)
            cr_expect_eq(syscall_of(x, (uint64_t)i, &e), 1e3 * (i + 1));
    experiment_free(x);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "m%d", i);
        gone(name);
    }
    rmdir(folder);
}
