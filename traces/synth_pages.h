/* synth_pages.h - page accesses with the patterns that tell replacement policies apart.
 *
 *   sequential  0, 1, .. pages-1, and again: a loop; with more pages than the
 *               cache, LRU never hits
 *   strided     every stride-th page; the next round begins one page on
 *   uniform     all pages alike
 *   zipf        P(rank k) ~ k^-zipf; ranks are scattered over the pages
 *   phases      hot_share of the accesses go to a hot part of the pages, which
 *               moves on by its own length after every phase_accesses
 *   drift       uniform in a window that moves on by one page every drift_accesses
 *   scan        zipf, mixed with a loop over scan_pages further pages (a share
 *               `scan` of all)
 *   files       so many files of `pages` pages, each a tenant, the next access in
 *               any of them; each is read in a mode for mode_accesses of its own:
 *               forwards, backwards, at random, or in runs of run_pages pages that
 *               begin anywhere.  Mode "any" draws one whenever the time is over,
 *               and with run_pages 0 the length of the runs, 2 .. 64, with it.
 *
 * Accesses are gap_ns apart, writes with probability `write`.               */
#ifndef TRACES_SYNTH_PAGES_H
#define TRACES_SYNTH_PAGES_H

#include "traces/synth_rows.h"

enum synth_pattern {
    PAGES_SEQUENTIAL,
    PAGES_STRIDED,
    PAGES_UNIFORM,
    PAGES_ZIPF,
    PAGES_PHASES,
    PAGES_DRIFT,
    PAGES_SCAN,
    PAGES_FILES,
    PAGES_PATTERNS
};

/* How a file is read. */
enum synth_mode { MODE_RANDOM, MODE_SEQUENTIAL, MODE_REVERSE, MODE_RUNS, MODE_ANY, MODES };
#define SYNTH_FILES_MAX 1024
#define SYNTH_RUN_DRAWN 6 /* runs of 2, 4, .. 2^6 pages, when they are drawn */

struct synth_pages {
    struct synth_head head;
    enum synth_pattern pattern;
    uint64_t pages, gap_ns;
    double write; /* probability */
    uint64_t stride, phase_accesses, window, drift_accesses, scan_pages;
    double zipf, hot, hot_share, scan; /* hot: share of the pages */
    uint32_t files;
    enum synth_mode mode;
    uint64_t mode_accesses, run_pages;
};

int synth_pages_open(struct row_source **out, const void *params, uint64_t seed,
                     struct err *e) MUST_CHECK;

#endif
