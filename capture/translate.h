/* translate.h - from CUPTI's records to raw ones.
 *
 * Of API calls only those are kept that launch, copy, set, record, wait or
 * synchronize; their names come from CUPTI, without the version at the end.  */
#ifndef CAPTURE_TRANSLATE_H
#define CAPTURE_TRANSLATE_H

#include "capture/cupti.h"
#include "capture/sink.h"

enum { TRANSLATE_CALLS = 4096 };

struct translate {
    const struct cupti *cupti;
    struct sink *sink;
    struct translate_call {
        enum { CALL_NEW, CALL_KEPT, CALL_DROPPED } state;
        uint32_t name;
    } call[2][TRANSLATE_CALLS]; /* driver, runtime; by its number */
};

/* Puts what is worth it; other kinds of record are passed over. */
void translate_record(struct translate *t, const void *record);

#endif
