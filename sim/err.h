/* err.h - one error value: a code, where it began, and a sentence that grows.
 *
 * Fallible functions return 0 or a negative enum err_code and fill *e.
 * The innermost cause is written first; each caller that can name the thing
 * it was doing adds a prefix with err_wrap().  e may be NULL (code only).
 * main() alone prints the sentence and chooses the exit status.             */
#ifndef SIM_ERR_H
#define SIM_ERR_H

/* id, what it means, exit status of the program */
#define ERR_MAP(X)                                                                                 \
    X(EIO, "input/output failed", 2)                                                               \
    X(EPARSE, "text does not parse", 2)                                                            \
    X(ERANGE, "value outside its range", 2)                                                        \
    X(ENAME, "no such name", 2)                                                                    \
    X(EUSAGE, "wrong command line", 2)                                                             \
    X(EABI, "built against another interface", 2)                                                  \
    X(EMUTE, "a policy that nobody would ask", 2)                                                  \
    X(ENOMEM, "out of memory", 1)                                                                  \
    X(EFAIL, "the run failed", 1)                                                                  \
    X(ETOL, "a stated tolerance was missed", 3)

enum err_code {
    ERR_OK = 0,
    ERR_BASE_ = -1000,
#define X(id, text, status) ERR_##id,
    ERR_MAP(X)
#undef X
};

struct err {
    int code;
    int line; /* where it was first set */
    const char *file;
    char msg[1024]; /* "outer: inner: cause" */
};

#define MUST_CHECK            __attribute__((warn_unused_result))
#define err_set(e, code, ...) err_set_((e), (code), __FILE__, __LINE__, __VA_ARGS__)

/* Both return the code, so `return err_set(...)` is the idiom. */
int err_set_(struct err *e, int code, const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int err_wrap(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *err_name(int code);
int err_status(int code); /* exit status of the program for this code; 0 for ERR_OK */

#endif
