# kernels.mk - how the kernels are built for every backend (included by the Makefile)

KERNELS := $(wildcard gpu-kernels/*.c)
OBJ     += $(KERNELS:%.c=$B/%.o)

# One file per instruction set; cpu.c runs it only where the processor can.
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
AVX2   := -O3 -mavx2 -mfma
AVX512 := $(AVX2) -mavx512f -mavx512bw -mavx512dq -mavx512vl
$B/gpu-kernels/cpu_avx2.o:   CFLAGS += $(AVX2)
$B/gpu-kernels/cpu_avx512.o: CFLAGS += $(AVX512)
$B/gpu-kernels/cpu_vnni.o:   CFLAGS += $(AVX512) -mavx512vnni
endif
$B/gpu-kernels/cpu_scalar.o: CFLAGS += -O3

# emu: the kernels once more, as C11 for the host.
CU  := $(wildcard gpu-kernels/*.cu)
OBJ += $(CU:%.cu=$B/%.emu.o)
$B/%.emu.o: %.cu Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -x c -c $< -o $@

# The tests' own kernels (tests/gpu-kernels/bugs) go the same ways.
BUGS := $B/tests/gpu-kernels/bugs/bugs
$B/run-tests: $(BUGS).emu.o
