#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"

struct machine {
    uint64_t cores;
    uint32_t nodes;
    double ghz;
    bool smt;
    const char *name;
    const struct config *links;
};

static const struct config_field fields[] = {
    CONFIG_U64(struct machine, cores, 1, 1024, true),
    CONFIG_U32(struct machine, nodes, 1, 8, false),
    CONFIG_F64(struct machine, ghz, 0.1, 10, false),
    CONFIG_BOOL(struct machine, smt, false),
    CONFIG_STR(struct machine, name, false),
    CONFIG_ANY(struct machine, links, false),
    CONFIG_END,
};

static const struct {
    const char *text, *sentence;
} wrong[] = {
    {"{}", "m.json: key \"cores\" is missing"},
    {"{\"cores\": -3}", "m.json: cores: got -3, want an integer 1..1024"},
    {"{\"cores\": \"1\"}", "m.json: cores: got \"1\", want an integer 1..1024"},
    {"{\"cores\": 2.5}", "m.json: cores: got 2.5, want an integer 1..1024"},
    {"{\"coers\": 1}", "m.json: unknown key \"coers\"; did you mean \"cores\"?"},
    {"{\"cores\": 1, \"cores\": 2}", "m.json: key \"cores\" is given twice"},
    {"{\"cores\": 1, \"ghz\": 11}", "m.json: ghz: got 11, want a number 0.1..10"},
    {"{\"cores\": 1, \"smt\": 1}", "m.json: smt: got 1, want true or false"},
    {"{\"cores\": 1, \"name\": [1, 2]}", "m.json: name: got an array of 2, want a string"},
    {"[]", "m.json: got an array of 0, want an object"},
    {"{\"cores\":\n  1 2}", "m.json:2:5: got \"2}\", want valid JSON"},
    {"{\"cores\": 1} x", "m.json:1:14: got \"x\", want valid JSON"},
    {"{\"cores\": 1", "m.json:1:12: got the end of the text, want the rest of the JSON"},
    {"", "m.json:1:1: got the end of the text, want the rest of the JSON"},
};

ParameterizedTestParameters(config, every_mistake_has_its_sentence)
{
    static int row[sizeof wrong / sizeof *wrong];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, config, every_mistake_has_its_sentence)
{
    struct err e = {0};
    struct config *c = NULL;
    struct machine m = {0};
    int rc = config_parse(&c, "m.json", wrong[*row].text, strlen(wrong[*row].text), &e);
    if (!rc)
        rc = config_fill(c, fields, &m, &e);
    cr_expect_neq(rc, 0);
    cr_expect_str_eq(e.msg, wrong[*row].sentence);
    config_free(c);
}

static struct config *parsed(const char *text)
{
    struct err e = {0};
    struct config *c = NULL;
    cr_assert_eq(config_parse(&c, "m.json", text, strlen(text), &e), 0, "%s", e.msg);
    return c;
}

Test(config, fills_a_struct_and_keeps_defaults)
{
    struct config *c = parsed("{\"cores\": 32, \"name\": \"h100\", \"smt\": true, \"links\": [7]}");
    struct machine m = {.nodes = 2, .ghz = 3};
    cr_assert_eq(config_fill(c, fields, &m, NULL), 0);
    cr_expect_eq(m.cores, 32u);
    cr_expect_eq(m.nodes, 2u);
    cr_expect_eq(m.ghz, 3.0);
    cr_expect(m.smt);
    cr_expect_str_eq(m.name, "h100");
    cr_expect_str_eq(config_path(config_at(m.links, 0)), "m.json: links[0]");
    config_free(c);
}

Test(config, set_replaces_adds_and_takes_bare_words)
{
    struct config *c = parsed("{\"a\": {\"b\": [1, 2]}, \"s\": \"x\"}");
    cr_expect_eq(config_set(c, "a.b.1", "{\"k\": 0.1}", NULL), 0);
    cr_expect_eq(config_set(c, "s", "malv", NULL), 0);
    cr_expect_eq(config_set(c, "new.deep", "true", NULL), 0);
    struct err e = {0};
    cr_expect_eq(config_set(c, "s.t", "1", &e), ERR_ENAME);
    cr_expect_str_eq(e.msg, "m.json: s: nothing to set at \"t\" in path \"s.t\"");
    char *text = config_text(c);
    cr_expect_str_eq(text,
                     "{\"a\":{\"b\":[1,{\"k\":0.1}]},\"s\":\"malv\",\"new\":{\"deep\":true}}");
    free(text);
    struct config *copy = config_copy(c);
    config_free(c);
    cr_expect_str_eq(config_path(config_get(copy, "s")), "m.json: s");
    config_free(copy);
}

Test(config, numbers_come_back_in_the_fewest_digits)
{
    struct config *c = parsed("[0.1, 1e21, -0, 123456789012, 0.30000000000000004, 1e-7]");
    char *text = config_text(c);
    cr_expect_str_eq(text, "[0.1,1e+21,-0,123456789012,0.30000000000000004,1e-07]");
    free(text);
    config_free(c);
}
