/* synth_vms.h - VMs that come, use their vCPUs more or less, and go.
 *
 * Exponential gaps between arrivals and exponential lifetimes.  Utilisation
 * (1/1000 of all vCPUs, every step_s) follows one of
 *   diurnal  mean + amplitude cos(2 pi (t - peak of the VM) / 24 h) + noise
 *   bursty   low, or high with probability `burst`; a state lasts burst_steps on average
 *   mixed    each VM is one of the two, with equal probability
 * Noise is AR(1) with coefficient 0.9 and a standard deviation of `noise`; peaks lie within
 * +- 2 h of each other.  Values are clipped to 0..1000.                     */
#ifndef TRACES_SYNTH_VMS_H
#define TRACES_SYNTH_VMS_H

#include "traces/synth_rows.h"

#define SYNTH_VM_SIZES 16
#define SYNTH_VM_STEPS (1u << 16) /* of one VM's series: half a year of 5 min */

enum synth_vm_pattern { VMS_DIURNAL, VMS_BURSTY, VMS_MIXED, VMS_PATTERNS };

struct synth_vms {
    struct synth_head head;
    enum synth_vm_pattern pattern;
    double gap_s, lifetime_h, step_s, peak_h;
    double mean, amplitude, noise;        /* diurnal; shares of the vCPUs */
    double low, high, burst, burst_steps; /* bursty */
    double gib_per_vcpu;
    uint32_t vcpus[SYNTH_VM_SIZES], sizes; /* each as likely as the others */
};

int synth_vms_open(struct row_source **out, const void *params, uint64_t seed,
                   struct err *e) MUST_CHECK;

#endif
