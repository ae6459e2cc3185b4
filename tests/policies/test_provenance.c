/* What stands beside the weights that ship: of every model how good it is on rows that were not
 * fitted, in the same four ways. */
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/model_file.h"
#include "harness/learn/model_trainer.h"
#include "sim/config.h"

/* Of one file: what is said of its rows, wherever it stands. */
struct said {
    const char *file;
    uint32_t n_in;
    int accuracy, confusion, calibration, importance, split;
};

static bool begins(const char *key, const char *with)
{
    return key && !strncmp(key, with, strlen(with));
}

static double number(const struct config *c)
{
    struct err e = {0};
    double v = NAN;
    cr_assert_eq(config_f64(c, -1e300, 1e300, &v, &e), 0, "%s", e.msg);
    return v;
}

static double sum(const struct config *c)
{
    double all = 0;
    if (config_kind(c) == CONFIG_NUMBER)
        return number(c);
    for (size_t i = 0; config_kind(c) != CONFIG_STRING && i < config_count(c); i++)
        all += sum(config_at(c, i));
    return all;
}

/* Every scored row is in one place of the matrix; the classes' names beside it are no numbers. */
static void look_confusion(struct said *s, const struct config *of, const struct config *c)
{
    if (config_kind(c) == CONFIG_STRING)
        return; /* says what the matrices further down mean */
    cr_expect_eq(sum(c), number(config_get(of, "rows")), "%s", config_path(c));
    s->confusion++;
}

/* Pairs of what was predicted and what was, or bins whose rows are all there are. */
static void look_calibration(struct said *s, const struct config *of, const struct config *c)
{
    const struct config *bins = config_get(c, "bins") ? config_get(c, "bins") : c;
    double rows = 0;
    cr_expect_geq(config_count(bins), 1, "%s", config_path(c));
    for (size_t i = 0; i < config_count(bins); i++) {
        const struct config *bin = config_at(bins, i), *n = config_get(bin, "rows");
        if (!n)
            cr_expect_eq(config_count(bin), 2, "%s", config_path(bin));
        rows += n ? number(n) : number(config_get(of, "rows")) / (double)config_count(bins);
    }
    cr_expect_float_eq(rows, number(config_get(of, "rows")), 1e-6 * rows, "%s", config_path(c));
    s->calibration++;
}

static void look_importance(struct said *s, const struct config *c)
{
    cr_expect_eq(config_count(c), s->n_in, "%s: %zu of %u inputs", config_path(c), config_count(c),
                 s->n_in);
    cr_expect(isfinite(sum(c)), "%s", config_path(c));
    s->importance++;
}

static void look_split(struct said *s, const struct config *c)
{
    /* Pairings of programs that were fitted are not scored: stricter than by time.  LAKE splits by
     * chance, and what is left decides nothing. */
    const bool lake = strstr(s->file, "/linnos_");
    const char *by = "", *want = strstr(s->file, "/share.json") ? "pairing"
                                 : lake                         ? "chance"
                                                                : "time";
    struct err e = {0};
    cr_assert_eq(config_str(config_get(c, "by"), &by, &e), 0, "%s", e.msg);
    cr_expect_str_eq(by, want, "%s", config_path(c));
    cr_expect(number(config_get(c, "train")) > 0 && number(config_get(c, "test")) > 0 &&
                  (lake || number(config_get(c, "validation")) > 0),
              "%s", config_path(c));
    s->split++;
}

static void look(struct said *s, const struct config *c)
{
    if (config_kind(c) != CONFIG_OBJECT && config_kind(c) != CONFIG_ARRAY)
        return;
    for (size_t i = 0; i < config_count(c); i++) {
        const struct config *in = config_at(c, i);
        const char *key = config_key(in);
        const bool figure = config_kind(in) == CONFIG_NUMBER;
        s->accuracy += figure && (begins(key, "accuracy") || begins(key, "class_accuracy") ||
                                  begins(key, "mae_log2"));
        if (begins(key, "confusion"))
            look_confusion(s, c, in);
        else if (begins(key, "calibration") && !figure)
            look_calibration(s, c, in);
        else if (begins(key, "importance"))
            look_importance(s, in);
        else if (begins(key, "split"))
            look_split(s, in);
        else
            look(s, in);
    }
}

static uint32_t inputs_of(const char *path)
{
    struct model_file *m;
    struct err e = {0};
    char name[64];
    uint32_t n_in, n_out;
    const char *at = strrchr(path, '/') + 1;
    snprintf(name, sizeof name, "%.*s", (int)(strlen(at) - strlen(".json")), at);
    cr_assert_eq(model_file_open(&m, name, &e), 0, "%s", e.msg);
    infer_shape(model_file_net(m), &n_in, &n_out);
    model_file_free(m);
    return n_in;
}

Test(provenance, every_shipped_model_says_how_good_it_is)
{
    glob_t g;
    cr_assert_eq(glob("policies/weights/*.json", 0, NULL, &g), 0);
    cr_expect_geq(g.gl_pathc, 8);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        struct said s = {.file = g.gl_pathv[i], .n_in = inputs_of(g.gl_pathv[i])};
        struct config *c;
        struct err e = {0};
        const bool classes = !strstr(s.file, "/share.json"); /* of a latency there are none */
        cr_assert_eq(config_load(&c, s.file, &e), 0, "%s", e.msg);
        look(&s, c);
        cr_expect(s.accuracy, "%s: no accuracy", s.file);
        cr_expect_eq(s.confusion > 0, classes, "%s: %d matrices", s.file, s.confusion);
        cr_expect(s.calibration, "%s: no calibration curve", s.file);
        cr_expect_eq(s.importance, s.calibration, "%s: %d and %d", s.file, s.importance,
                     s.calibration);
        cr_expect(s.split, "%s: no split", s.file);
        config_free(c);
    }
    globfree(&g);
}

/* The command of a provenance names its kind. */
Test(provenance, every_kind_of_network_is_an_option_of_the_command)
{
    const struct model_trainer *k;
    for (size_t i = 0; (k = model_trainer_at(i)); i++) {
        char line[128];
        snprintf(line, sizeof line, BUILD "/malv model train x --%s --help >/dev/null", k->option);
        cr_expect_eq(system(line), 0, "--%s", k->option);
    }
}
