/* progress.h - rate and ETA on standard error, only when it is a terminal.
 *
 * Reads the wall clock for people; nothing simulated ever sees it.          */
#ifndef SIM_PROGRESS_H
#define SIM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "trials", "rows" */
    uint64_t total;   /* 0: unknown */
    double started, shown;
    bool on;
};

void progress_begin(struct progress *p, const char *what, uint64_t total, bool quiet);
void progress_at(struct progress *p, uint64_t done); /* cheap: prints at most 5 times a second */
void progress_end(struct progress *p);

#endif
