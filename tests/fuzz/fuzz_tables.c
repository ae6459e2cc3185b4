/* fuzz_tables.c - any bytes as a log of jobs or of requests, or as a table of costs. The first byte
 * picks the format, or one of a few column maps.                                          */
#include "tests/fuzz/fuzz_formats.h"
#include "traces/column_map.h"

static const char *const maps[] = {
    "{\"submit\": {\"column\": \"at\", \"unit\": \"datetime\"}, \"start\": {\"column\": \"b\", "
    "\"unit\": "
    "\"datetime\"}, \"end\": {\"column\": \"e\", \"unit\": \"datetime\"}, \"gpus\": {\"column\": "
    "\"n\"}, "
    "\"mem\": {\"column\": \"m\", \"unit\": \"GiB\"}, \"user\": {\"column\": \"u\"}, \"missing\": "
    "[\"None\"]}",
    "{\"header\": false, \"columns\": [\"at\", \"d\", \"w\", \"n\", \"c\", \"x\"], \"submit\": "
    "{\"column\": "
    "\"at\", \"unit\": \"min\"}, \"duration\": {\"column\": \"d\", \"unit\": \"h\"}, \"wait\": "
    "{\"column\": "
    "\"w\", \"unit\": \"us\"}, \"gpus\": {\"column\": \"n\", \"unit\": \"percent\"}, \"cpus\": "
    "{\"column\": "
    "\"c\", \"unit\": \"percent\"}}",
    "{\"submit\": {\"column\": \"at\", \"unit\": \"s\"}, \"start\": {\"column\": \"at\", \"unit\": "
    "\"s\"}, "
    "\"end\": {\"column\": \"e\", \"unit\": \"s\"}, \"gpus\": {\"column\": \"n\", \"times\": "
    "\"k\"}, \"mem\": "
    "{\"column\": \"m\", \"unit\": \"B\", \"times\": \"k\"}}",
};
#define MAPS (sizeof maps / sizeof *maps)

static const char requests[] =
    "{\"table\": \"requests\", \"arrival\": {\"column\": \"at\", \"unit\": \"datetime\"}, "
    "\"prompt_tokens\": {\"column\": \"p\"}, \"output_tokens\": {\"column\": \"o\"}, \"tenant\": "
    "{\"column\": \"t\"}, \"session\": {\"column\": \"s\"}, \"missing\": [\"-\"]}";

static void fuzz_map(const char *text, const uint8_t *data, size_t size)
{
    struct config *c;
    struct column_map m;
    struct err e = {0};
    assert(config_parse(&c, "map", text, strlen(text), &e) == 0);
    assert(column_map_read(&m, c, &e) == 0);
    config_free(c);
    fuzz_format(&m.format, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"philly", "pai-sim", "costs-csv"},
                             *const more[] = {"llmservingsim", "vllm-bench", "aiconfigurator",
                                              "splitwise",     "distserve",  "gavel"};
    const unsigned which = size ? data[0] % (3 + MAPS + 6 + 1) : 0;
    if (size && which < 3)
        fuzz_format(import_format(formats[which]), data + 1, size - 1);
    else if (size && which < 3 + MAPS)
        fuzz_map(maps[which - 3], data + 1, size - 1);
    else if (size && which == 3 + MAPS + 6)
        fuzz_map(requests, data + 1, size - 1);
    else if (size)
        fuzz_format(import_format(more[which - 3 - MAPS]), data + 1, size - 1);
    return 0;
}
