/* test_machine_names.c - no constant of a profile is idle: some model asks for it by its name.
 *
 * Names are read out of the models' text.  A string there either is the whole name ("cost.launch"),
 * or a pattern whose directives stand for what an experiment names ("llm.%s.%s"); where a pattern
 * ends with a directive, its last word must stand in the same room as a word of its own.  Rooms
 * that put "PREFIX." before a string are asked for the prefix and the rest. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"

#define MOST_ROOMS 32

/* A pattern whose last word is a model's own name for a thing that only trials name. */
static const char *const open_families[] = {"gpu.colocate."};

struct room {
    char folder[64];
    char *text;
};

static struct room rooms[MOST_ROOMS];
static size_t n_rooms;

static struct room *room_of(const char *path)
{
    const int n = (int)(strrchr(path, '/') - path);
    for (size_t i = 0; i < n_rooms; i++)
        if (!strncmp(rooms[i].folder, path, (size_t)n) && !rooms[i].folder[n])
            return &rooms[i];
    cr_assert_lt(n_rooms, MOST_ROOMS);
    snprintf(rooms[n_rooms].folder, sizeof rooms->folder, "%.*s", n, path);
    return &rooms[n_rooms++];
}

/* What a comment names is not asked for. */
static void blank_comments(char *text)
{
    for (char *p = text, *end; (p = strstr(p, "/*")) && (end = strstr(p, "*/")); p = end)
        memset(p, ' ', (size_t)(end + 2 - p));
}

static void add_file(const char *path)
{
    struct room *r = room_of(path);
    char *more = NULL, *all = NULL;
    size_t n = 0;
    FILE *f = fopen(path, "r");
    cr_assert(f, "%s", path);
    cr_assert_geq(getdelim(&more, &n, 0, f), 0, "%s", path);
    fclose(f);
    blank_comments(more);
    cr_assert_geq(asprintf(&all, "%s\n%s", r->text ? r->text : "", more), 0);
    free(more);
    free(r->text);
    r->text = all;
}

static void read_models(void)
{
    glob_t g;
    cr_assert_eq(glob("models/*.[ch]", 0, NULL, &g), 0);
    cr_assert_eq(glob("models/*/*.[ch]", GLOB_APPEND, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++)
        add_file(g.gl_pathv[i]);
    globfree(&g);
}

static bool in_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Does the word stand in the text with nothing of a word on either side? */
static bool has_word(const char *text, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = text; (p = strstr(p, word)); p += n)
        if ((p == text || !in_word(p[-1])) && !in_word(p[n]))
            return true;
    return false;
}

/* "memory.tlb.l%d_%s" as a shell's pattern. */
static void as_glob(const char *s, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = s[i] == '%' ? '*' : s[i];
        if (s[i] == '%')
            i += strcspn(s + i, "sdug");
    }
    *out = 0;
}

/* Of the shortest ends that the last directive may stand for, is one a word of the room? */
static bool ends_known(const char *pattern, const char *name, const char *text)
{
    const size_t n = strlen(pattern);
    if (pattern[n - 1] != '*')
        return true;
    const char before = n > 1 ? pattern[n - 2] : '.';
    for (const char *p = name + strlen(name); p > name; p--)
        if (p[-1] == before && has_word(text, p))
            return true;
    return false;
}

/* One string of the models' text against one name. */
static bool string_asks(const char *s, size_t n, const char *name, const char *text)
{
    char pattern[128];
    if (n >= sizeof pattern || !islower((unsigned char)*s) || memchr(s, ' ', n) ||
        !memchr(s, '.', n))
        return false;
    as_glob(s, n, pattern);
    const char *star = strchr(pattern, '*'), *dot = strchr(pattern, '.');
    if (!star)
        return !strcmp(pattern, name);
    return dot < star && !fnmatch(pattern, name, 0) && ends_known(pattern, name, text);
}

/* A prefix that a macro puts before: "gpu.mig." and "%s.memory", "hypervisor." and "exit.pmu". */
static bool prefix_asks(const char *name, const char *text)
{
    static const char *const prefixes[] = {"hypervisor.", "gpu.mig."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char quoted[80];
        const size_t n = strlen(prefixes[i]);
        snprintf(quoted, sizeof quoted, "\"%s\"", prefixes[i]);
        if (strncmp(name, prefixes[i], n) || !strstr(text, quoted))
            continue;
        snprintf(quoted, sizeof quoted, "\"%s\"", name + n);
        const char *last = strrchr(name, '.') + 1;
        return i == 0 ? strstr(text, quoted) != NULL : has_word(text, last);
    }
    return false;
}

static bool room_asks(const struct room *r, const char *name)
{
    for (const char *p = strchr(r->text, '"'); p; p = strchr(p + 1, '"')) {
        const size_t n = strcspn(p + 1, "\"\n");
        if (string_asks(p + 1, n, name, r->text))
            return true;
    }
    return prefix_asks(name, r->text);
}

static bool asked_for(const char *name)
{
    for (size_t i = 0; i < sizeof open_families / sizeof *open_families; i++)
        if (!strncmp(name, open_families[i], strlen(open_families[i])))
            return true;
    for (size_t i = 0; i < n_rooms; i++)
        if (room_asks(&rooms[i], name))
            return true;
    return false;
}

static void check(const char *path)
{
    struct config *c = NULL;
    struct machine *m = NULL;
    struct err e = {0};
    cr_assert_eq(profile_load(&c, path, &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, c, &e), 0, "%s", e.msg);
    for (size_t i = 0; i < m->n_cost; i++)
        cr_expect(asked_for(m->cost[i].name), "%s: no model asks for \"%s\"", path,
                  m->cost[i].name);
    machine_free(m);
    config_free(c);
}

Test(machine_names, a_model_asks_for_each_constant)
{
    glob_t g;
    read_models();
    cr_assert_eq(glob("machines/*.json", 0, NULL, &g), 0);
    cr_assert_eq(glob("machines/memory/*.json", GLOB_APPEND, NULL, &g), 0);
    cr_assert_eq(glob("machines/kernels/*.json", GLOB_APPEND, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++)
        check(g.gl_pathv[i]);
    globfree(&g);
}

Test(machine_names, each_part_is_taken_by_a_profile)
{
    glob_t g;
    cr_assert_eq(glob("machines/parts/*.json", 0, NULL, &g), 0);
    for (size_t i = 0; i < g.gl_pathc; i++) {
        char search[256];
        snprintf(search, sizeof search, "grep -rqF '%s\"' machines",
                 strrchr(g.gl_pathv[i], '/') + 1);
        cr_expect_eq(system(search), 0, "no profile includes %s", g.gl_pathv[i]);
    }
    globfree(&g);
}

/* The rule itself can say no. */
Test(machine_names, a_name_that_nobody_asks_for_is_seen)
{
    static const char *const idle[] = {
        "cpu.clock",         "link.copy_call",        "cost.ukernel.clack",
        "hypervisor.exit.x", "gpu.mig.1g.5gb.colour", "llm.llama.colour",
        "memory.tlb.l1_3k",  "cost.launches"};
    read_models();
    for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
        cr_expect_not(asked_for(idle[i]), "%s", idle[i]);
    cr_expect(asked_for("cost.launch"));
    cr_expect(asked_for("memory.tlb.l1_4k"));
}
