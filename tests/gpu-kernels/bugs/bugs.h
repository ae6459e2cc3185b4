/* bugs.h - what every kernel of bugs.cu is given. */
#ifndef TESTS_BUGS_H
#define TESTS_BUGS_H

#define BUG_THREADS 64

struct bug_args {
    const float *in; /* BUG_THREADS of them */
    float *out;
};

#endif
