/* journal.h - finished trials, kept while others still run.
 *
 * A file of frames, each with its length and checksum, each on the disk
 * before journal_append returns.  The first frame says what is being run:
 * everything about the results but the trials.  After a kill the last frame
 * may be torn; opening cuts it off.  One process at a time may hold it.     */
#ifndef RESULTS_JOURNAL_H
#define RESULTS_JOURNAL_H

#include "results/results.h"

#define JOURNAL_SUFFIX ".journal"

struct journal;

/* Begins a journal, or continues the one that is there: its trials are added
 * to `rs`, whose head says what is run now.  A journal of anything else is
 * refused, naming what differs.                                             */
int journal_open(struct journal **j, const char *path, struct result_set *rs,
                 struct err *e) MUST_CHECK;
int journal_append(struct journal *j, const struct result_trial *t, struct err *e) MUST_CHECK;
void journal_close(struct journal *j);  /* NULL is fine; the file stays */
void journal_remove(struct journal *j); /* closes, and deletes the file */

int journal_read(struct result_set **rs, const char *path, struct err *e) MUST_CHECK;

#endif
