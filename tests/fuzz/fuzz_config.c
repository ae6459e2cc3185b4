/* fuzz_config.c - any bytes as an experiment file: refused with a sentence, or
 * a tree whose canonical text parses again to the same canonical text.       */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"

static void visit(const struct config *c, int depth)
{
    struct err e = {0};
    double f;
    uint64_t u;
    const char *s;
    assert(config_path(c));
    (void)!config_f64(c, -1e9, 1e9, &f, &e);
    (void)!config_u64(c, 0, 1000, &u, NULL);
    (void)!config_str(c, &s, NULL);
    (void)config_get(c, "schema");
    for (size_t i = 0; depth < 8 && i < config_count(c) && i < 64; i++)
        visit(config_at(c, i), depth + 1);
}

static void round_trip(const struct config *c)
{
    char *text = config_text(c);
    assert(text);
    struct config *again;
    struct err e = {0};
    assert(config_parse(&again, "again", text, strlen(text), &e) == 0);
    char *same = config_text(again);
    assert(same && !strcmp(text, same));
    free(same);
    free(text);
    config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c;
    struct err e = {0};
    if (config_parse(&c, "fuzz", (const char *)data, size, &e)) {
        assert(e.code && !strncmp(e.msg, "fuzz", 4)); /* the sentence says where */
        return 0;
    }
    visit(c, 0);
    round_trip(c);
    if (config_set(c, "serve.max_running", "64", &e) == 0)
        round_trip(c);
    config_free(c);
    return 0;
}
