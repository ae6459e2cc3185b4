#include "tests/bad/cases.h"

#include <assert.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bad_case table[BAD_CASES], base;
static size_t n_cases, n_lists,
    first_of[BAD_LISTS + 1];                /* the first case of each file, and the end */
static struct bad_file given_up[BAD_CASES]; /* of earlier bases: their cases borrow the names */
static size_t n_given_up;

static void begin_base(void)
{
    assert(n_given_up + base.n_file <= BAD_CASES);
    for (size_t i = 0; i < base.n_file; i++)
        given_up[n_given_up++] = base.file[i];
    base = (struct bad_case){.status = 2};
}

static void add_file(struct bad_case *to, char *name, char *text)
{
    assert(to->n_file < BAD_FILES);
    to->file[to->n_file++] = (struct bad_file){strdup(name), text ? strdup(text) : NULL};
}

static void append_line(struct bad_case *to, const char *line)
{
    assert(to->n_file);
    char **text = &to->file[to->n_file - 1].text;
    size_t had = *text ? strlen(*text) : 0, more = strlen(line);
    *text = realloc(*text, had + more + 2);
    assert(*text);
    snprintf(*text + had, more + 2, "%s\n", line);
}

/* One line "WORD REST"; cur is the case or base being filled. */
static struct bad_case *take(char *line, struct bad_case *cur, const char *path, int at)
{
    line[strcspn(line, "\n")] = 0;
    char *rest = line + strcspn(line, " ");
    char *end_of_word = rest;
    rest += strspn(rest, " ");
    if (line[0] == '|') {
        append_line(cur, line[1] == ' ' ? line + 2 : line + 1);
        return cur;
    }
    *end_of_word = 0;
    if (!*line || *line == '#')
        return cur;
    if (!strcmp(line, "base")) {
        begin_base();
        return &base;
    }
    if (!strcmp(line, "case")) {
        assert(n_cases < BAD_CASES);
        cur = &table[n_cases++];
        *cur = base;
        cur->title = strdup(rest);
        snprintf(cur->where, sizeof cur->where, "%s:%d", path, at);
        for (size_t i = 0; i < cur->n_file;
             i++) /* own the text: a case may add lines to its last file */
            cur->file[i].text = base.file[i].text ? strdup(base.file[i].text) : NULL;
        return cur;
    }
    char *name_end = rest + strcspn(rest, " ");
    char *text = *name_end ? name_end + 1 : NULL;
    if (!strcmp(line, "copy") || !strcmp(line, "file"))
        *name_end = 0;
    if (!strcmp(line, "copy"))
        add_file(cur, rest, NULL);
    else if (!strcmp(line, "file")) {
        add_file(cur, rest, "");
        if (text)
            append_line(cur, text);
    } else if (!strcmp(line, "run"))
        cur->run = strdup(rest);
    else if (!strcmp(line, "says"))
        cur->says = strdup(rest);
    else if (!strcmp(line, "exit"))
        cur->status = atoi(rest);
    else {
        fprintf(stderr, "%s:%d: no such word \"%s\"\n", path, at, line);
        abort();
    }
    return cur;
}

static void read_cases(const char *path)
{
    FILE *f = fopen(path, "r");
    assert(f);
    char line[8192];
    begin_base();
    struct bad_case *cur = &base;
    for (int at = 1; fgets(line, sizeof line, f); at++)
        cur = take(line, cur, path, at);
    fclose(f);
}

size_t bad_lists(void)
{
    glob_t files;
    if (!n_cases && !glob("tests/bad/*.cases", 0, NULL, &files)) {
        assert(files.gl_pathc <= BAD_LISTS);
        for (; n_lists < files.gl_pathc; first_of[++n_lists] = n_cases)
            read_cases(files.gl_pathv[n_lists]);
        globfree(&files);
    }
    return n_lists;
}

size_t bad_cases(size_t list, const struct bad_case **out)
{
    assert(list < bad_lists());
    *out = &table[first_of[list]];
    return first_of[list + 1] - first_of[list];
}
