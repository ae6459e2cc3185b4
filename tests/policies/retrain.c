#include "tests/policies/retrain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "tests/sanitized.h"

static void run(const char *command, const char *dir)
{
    char line[2048];
    int n = snprintf(line, sizeof line, BUILD "/%s -q -o %s", command, dir);
    cr_assert(n > 0 && (size_t)n < sizeof line);
    cr_expect_eq(system(line), 0, "train it again: %s", command);
}

static void compare(const char *name, const char *a, const char *b)
{
    static const char *const suffix[] = {"safetensors", "json"};
    for (int i = 0; i < 2; i++) {
        char line[512];
        snprintf(line, sizeof line, "cmp %s/%s.%s %s/%s.%s", a, name, suffix[i], b, name,
                 suffix[i]);
        cr_expect_eq(system(line), 0, "%s", line);
    }
}

static void as_shipped(const char *name, const char *dir)
{
    struct config *c;
    struct err e = {0};
    const char *command, *malv = "malv ";
    char path[128];
    snprintf(path, sizeof path, "policies/weights/%s.json", name);
    cr_assert_eq(config_load(&c, path, &e), 0, "%s", e.msg);
    cr_assert_eq(config_str(config_get(c, "command"), &command, &e), 0, "%s", e.msg);
    cr_assert_eq(strncmp(command, malv, strlen(malv)), 0);
    run(command, dir);
    compare(name, dir, "policies/weights");
    config_free(c);
}

static void made(char *dir)
{
    strcpy(dir, "/tmp/malv-retrain-XXXXXX");
    cr_assert(mkdtemp(dir));
}

void retrain(const char *name, const char *smaller)
{
    char a[32], b[32], line[128];
    made(a);
    made(b);
    if (SANITIZED) {
        snprintf(line, sizeof line, "malv model train %s %s", name, smaller);
        run(line, a);
        run(line, b);
        compare(name, a, b);
    } else
        as_shipped(name, a);
    snprintf(line, sizeof line, "rm -r %s %s", a, b);
    cr_expect_eq(system(line), 0);
}
