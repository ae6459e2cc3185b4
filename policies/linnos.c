/* linnos.c - LinnOS's network in front of each device: fast, or go elsewhere.
 *
 * Before a read goes into its device, a 31-256-2 perceptron (weights/linnos*,
 * trained by `malv model train --steer`; features: linnos_features.h) says
 * whether it will be among the device's slowest tenth.  If so the next device
 * in turn is tried (Hao et al., LinnOS, OSDI'20; LAKE's replayer goes round
 * its three the same way).
 *
 * What it remembers of finished reads is in the feature store: a registry
 * "linnos.DEVICE" for each device, with the latency of a read and the pages
 * that were pending when it was sent, and the three before it.
 *
 * Good where replicas are unequally loaded and each read's wait shows in what
 * is pending; where all are alike it sends a read from one queue to another
 * and has only its own cost to show for it.  It sees no more of a read's size
 * than the pages pending, and only the one device.
 *
 * Parameters
 *   model   which weights; several, with commas between: of device 0, 1 .. and
 *           from the first again                                      ("linnos")
 *   margin  how far "slow" must be ahead of "fast" in the network's outputs  (0)  */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linnos_features.h"
#include "steer_net.h"

#define DEVICES 16

enum { LATENCY, PAGES, FIELDS };
static const struct policy_field fields[FIELDS] = {
    [LATENCY] = {"latency_us", POLICY_IO_HISTORY}, [PAGES] = {"pages", POLICY_IO_HISTORY}};

struct linnos {
    struct steer_net net; /* its model: of the device last asked about */
    int model[DEVICES];
    uint32_t n_models;
    int history[DEVICES]; /* registries; -1: not yet opened */
};

/* The networks of a list of names; 0, or -1 after saying why. */
static int open_all(struct linnos *s, const struct policy_host *h)
{
    const char *list = h->param_text(h->host, "model", "linnos");
    char name[256];
    for (const char *from = list, *next; from; from = next) {
        const size_t n = strcspn(from, ",");
        next = from[n] ? from + n + 1 : NULL;
        if (n >= sizeof name || s->n_models == DEVICES) {
            h->log(h->host, "model: want at most 16 names of at most 255 characters");
            return -1;
        }
        memcpy(name, from, n);
        name[n] = '\0';
        const int model = open_named_net(h, name, LINNOS_N, 2);
        if (model < 0)
            return -1;
        s->model[s->n_models++] = model;
    }
    return 0;
}

static int create(void **self, const struct policy_host *h)
{
    struct linnos *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    for (int i = 0; i < DEVICES; i++)
        s->history[i] = -1;
    if (steer_net_margin(&s->net, h, 1000) || open_all(s, h)) {
        free(s);
        return -1;
    }
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

/* The registry of a device; -1: there is none, as the log says. */
static int history(struct linnos *s, uint32_t device)
{
    char name[32];
    if (device >= DEVICES)
        return -1;
    if (s->history[device] < 0) {
        snprintf(name, sizeof name, "linnos.%u", device);
        s->history[device] = s->net.h->features(s->net.h->host, name, fields, FIELDS, 1);
    }
    return s->history[device];
}

static void done(void *self, const struct policy_io_done *d)
{
    struct linnos *s = self;
    const struct policy_host *h = s->net.h;
    const int r = d->write ? -1 : history(s, d->device);
    const uint64_t us = d->latency_ns / 1000, pages = d->then_pending_pages;
    if (r < 0)
        return;
    h->feature_begin(h->host, r);
    h->feature_put(h->host, r, LATENCY, (float)(us < LINNOS_MOST_US ? us : LINNOS_MOST_US));
    h->feature_put(h->host, r, PAGES, (float)(pages < LINNOS_MOST ? pages : LINNOS_MOST));
    h->feature_commit(h->host, r, d->now_ns);
}

/* What the store knows of a device's last reads; zero where it knows nothing yet. */
static void remember(struct linnos *s, uint32_t device, struct policy_device *to)
{
    float row[FIELDS * POLICY_IO_HISTORY] = {0};
    const int r = history(s, device);
    if (r >= 0)
        s->net.h->feature_get(s->net.h->host, r, 0, 1, row, NULL);
    for (int i = 0; i < POLICY_IO_HISTORY; i++) {
        to->latency_us[i] = (uint32_t)row[LATENCY * POLICY_IO_HISTORY + i];
        to->then_pending_pages[i] = (uint32_t)row[PAGES * POLICY_IO_HISTORY + i];
    }
}

static uint32_t steer(void *self, const struct policy_steer_obs *o)
{
    struct linnos *s = self;
    float x[LINNOS_N], y[2]; /* y: fast, slow */
    struct policy_device home = o->device[o->home];
    s->net.model = s->model[o->home % s->n_models];
    remember(s, o->home, &home);
    linnos_features(&home, o->bytes, x);
    return steer_net_answer(&s->net, o, x, y);
}

POLICY(.name = "linnos", .summary = "turns a read away where a network expects it to be slow",
       .create = create, .destroy = destroy, .io_steer = steer, .io_done = done);
