/* convert.h - whole traces from one form into another: what import, synth,
 * export and verify do.  Bounded memory, except that job lists (published
 * unsorted, at most a few million pods) are sorted in memory.               */
#ifndef TRACES_CONVERT_H
#define TRACES_CONVERT_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/err.h"
#include "traces/clients.h"
#include "traces/file.h"
#include "traces/synth_kinds.h"

/* Called every few thousand rows, for progress; may be NULL. */
typedef void convert_tick(void *ctx, uint64_t rows);

int convert_to_store(struct trace_file *from, const char *out, enum store_filter filter,
                     struct trace_meta *meta, convert_tick *tick, void *ctx,
                     struct err *e) MUST_CHECK;
int convert_synth(const struct synth_any *p, uint64_t seed, const char *out,
                  enum store_filter filter, struct trace_meta *meta, convert_tick *tick, void *ctx,
                  struct err *e) MUST_CHECK;
/* Of a description of clients, which it takes over; name says where that is from. */
int convert_clients(struct clients *c, const char *name, uint64_t seed, const char *out,
                    enum store_filter filter, struct trace_meta *meta, convert_tick *tick,
                    void *ctx, struct err *e) MUST_CHECK;
int convert_export(struct trace_file *from, const struct import_format *format, FILE *to,
                   struct err *e) MUST_CHECK;

/* Reads everything and holds it against what the attributes say: counts, digest, order, names.
 * 0: as it says; ERR_ETOL with a sentence: it is not.                       */
int convert_verify(const char *path, struct trace_meta *meta, convert_tick *tick, void *ctx,
                   struct err *e) MUST_CHECK;

#endif
