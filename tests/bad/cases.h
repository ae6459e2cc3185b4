/* cases.h - reads tests/bad/ *.cases (the format is in README.md beside it). */
#ifndef TESTS_BAD_CASES_H
#define TESTS_BAD_CASES_H

#include <stddef.h>

enum { BAD_FILES = 16, BAD_CASES = 1024, BAD_LISTS = 64 };

struct bad_file {
    char *name, *text; /* text NULL: copied from tests/bad/files/ */
};

struct bad_case {
    char *title, *run, *says;
    char where[64]; /* file:line of the case */
    int status;
    size_t n_file;
    struct bad_file file[BAD_FILES];
};

/* Reads every case once, and returns how many *.cases there are: at most BAD_LISTS. */
size_t bad_lists(void);

/* The cases of one of them, from 0; they live until the process ends. Returns how many. */
size_t bad_cases(size_t list, const struct bad_case **out);

#endif
