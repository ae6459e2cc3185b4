# kernels.mk - how the kernels are built for every backend (included by the Makefile)
#
#   cpu    one object per instruction set, picked at run time
#   emu    each .cu once more, as C11 for the host
#   cuda   each .cu to PTX: by nvcc if there is one, else by clang alone, with no
#          NVIDIA software.  make PTX_FROM=clang (or nvcc, none) says which.

# A name with a hyphen is a shared object of its own.
KERNELS := $(filter-out $(wildcard gpu-kernels/*-*.c),$(wildcard gpu-kernels/*.c))
CU      := $(wildcard gpu-kernels/*.cu)
KINDS   := mlp forest lstm knn # of networks, as in kind.h
OBJ     += $(KERNELS:%.c=$B/%.o) $(CU:%.cu=$B/%.emu.o)

# ---- cpu ----
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
AVX2   := -O3 -mavx2 -mfma
AVX512 := $(AVX2) -mavx512f -mavx512bw -mavx512dq -mavx512vl
$B/gpu-kernels/cpu_avx2.o:   CFLAGS += $(AVX2)
$B/gpu-kernels/cpu_avx512.o: CFLAGS += $(AVX512)
# Else gcc branches between the halves of tanh, one neuron at a time: a division might trap.
$B/gpu-kernels/lstm_avx2.o:   CFLAGS += $(AVX2) -fno-trapping-math
$B/gpu-kernels/lstm_avx512.o: CFLAGS += $(AVX512)
$B/gpu-kernels/cpu_narrow512.o: CFLAGS += $(AVX512)
$B/gpu-kernels/cpu_vnni.o:   CFLAGS += $(AVX512) -mavx512vnni
$B/gpu-kernels/forest_avx2.o:   CFLAGS += $(AVX2)
$B/gpu-kernels/forest_avx512.o: CFLAGS += $(AVX512)
$B/gpu-kernels/knn_avx2.o:   CFLAGS += $(AVX2)
$B/gpu-kernels/knn_avx512.o: CFLAGS += $(AVX512)
$B/gpu-kernels/knn_vnni.o:   CFLAGS += $(AVX512) -mavx512vnni
endif
$B/gpu-kernels/cpu_scalar.o: CFLAGS += -O3
$B/gpu-kernels/lstm_scalar.o: CFLAGS += -O3
$B/gpu-kernels/knn_scalar.o: CFLAGS += -O3

# ---- emu ----
$B/%.emu.o: %.cu Makefile
	@mkdir -p $(@D)
	$(call say,EMU)$(CC) $(CFLAGS) -MMD -MP -x c -c $< -o $@

# ---- cuda ----
NVCC  := $(firstword $(shell command -v nvcc) $(wildcard /usr/local/cuda/bin/nvcc))
PTXAS := $(if $(NVCC),$(wildcard $(dir $(NVCC))ptxas))
CLANG := $(firstword $(foreach c,clang clang-19 clang-16 clang-14,$(shell command -v $c)))
PTX_COMPILERS := $(if $(NVCC),nvcc) $(if $(CLANG),clang)
PTX_FROM      := $(firstword $(PTX_COMPILERS) none)

# nvcc writes the newest PTX dialect; ours uses nothing newer than 7.4, so any
# driver since 470 takes it (ptxas assembles the lowered text below).
$B/%.nvcc.ptx: %.cu gpu-kernels/kernels.mk
	@mkdir -p $(@D)
	$(call say,NVCC)$(NVCC) -std=c++17 -arch=compute_80 -fmad=false -I. -ptx $< -o $@.new -MD -MF $@.d -MT $@
	@sed -e 's/^\.version .*/.version 7.4/' -e '/used_bytes_mask/d' $@.new >$@ && rm $@.new
$B/%.clang.ptx: %.cu gpu-kernels/kernels.mk
	@mkdir -p $(@D)
	$(call say,PTX)$(CLANG) -x cuda -std=c++17 -O3 -ffp-contract=off -fdeclspec --cuda-device-only \
	  --cuda-gpu-arch=sm_80 -Xclang -target-feature -Xclang +ptx74 -nocudainc -nocudalib \
	  -Wno-unknown-cuda-version -include gpu-kernels/cu_clang.h -I. -S $< -o $@ -MD -MF $@.d -MT $@

# Changing the mind about the compiler is a change of source.
CHOICE := $B/gpu-kernels/ptx_from
$(shell mkdir -p $(dir $(CHOICE)); echo $(PTX_FROM) | cmp -s - $(CHOICE) || echo $(PTX_FROM) >$(CHOICE))
$B/gpu-kernels/cuda_image.o: $(CHOICE)

ifeq ($(PTX_FROM),none)
ifneq ($(wildcard build/.ready-*),) # before that, bootstrap has not had its turn
$(info kernels: neither nvcc nor clang found: the cuda backend is built without kernels (apt install clang))
endif
else
PTX := $(KINDS:%=$B/gpu-kernels/%.$(PTX_FROM).ptx)
$B/gpu-kernels/cuda_image.o: CFLAGS += -DCUDA_PTX_DIR='"$B/gpu-kernels"' -DCUDA_PTX_FROM='"$(PTX_FROM)"'
$B/gpu-kernels/cuda_image.o: $(PTX)
# What measures a device must run on any: these kernels use nothing that sm_70 lacks.
PROBE := $B/gpu-kernels/probe.any.ptx
$(PROBE): $B/gpu-kernels/probe.$(PTX_FROM).ptx
	@sed 's/^\.target .*/.target sm_70/' $< >$@
$B/gpu-kernels/cuprobe.o: CFLAGS += -DPROBE_PTX='"$(PROBE)"'
$B/gpu-kernels/cuprobe.o: $(PROBE) $(CHOICE)
endif

ifneq ($(PTXAS),)
CUBINS := $(foreach k,$(KINDS),$(patsubst %,$B/gpu-kernels/$k.sm_%.cubin,80 90 100 120))
define CUBIN
$B/gpu-kernels/$1.sm_%.cubin: $B/gpu-kernels/$1.nvcc.ptx
	$$(call say,SASS)$$(PTXAS) -arch=sm_$$* -warn-spills -warn-lmem-usage -Werror $$< -o $$@
endef
$(foreach k,$(KINDS),$(eval $(call CUBIN,$k)))
$(KINDS:%=$B/gpu-kernels/%.clang.cubin): %.clang.cubin: %.clang.ptx # what the driver would do with it
	$(call say,SASS)$(PTXAS) -arch=sm_90 $< -o $@
$B/gpu-kernels/probe.%.cubin: $B/gpu-kernels/probe.%.ptx # as above: assembled by a test build alone
	$(call say,SASS)$(PTXAS) -arch=sm_90 -warn-spills -warn-lmem-usage -Werror $< -o $@
$B/libmalv-cuda.so: gpu-kernels/libmalv-cuda.c $(CUBINS)
	$(call say,SO)$(CC) $(CFLAGS) -DCUDA_CUBINS='"$B/gpu-kernels"' -fvisibility=hidden -shared $< -o $@
all: $B/libmalv-cuda.so
endif

# ---- malv bench infer: the libraries it compares with, where they are installed ----
RIVALS := $(if $(wildcard /usr/include/*/openblas*/cblas.h /usr/include/cblas.h),openblas) \
          $(if $(wildcard /usr/include/dnnl.h),dnnl) \
          $(if $(wildcard /usr/include/xgboost/c_api.h),xgboost)
ifneq ($(strip $(RIVALS)),)
$B/malv-rivals.so: $(wildcard gpu-kernels/malv-rivals*.c gpu-kernels/*rivals.h) gpu-kernels/kernels.mk
	@mkdir -p $(@D)
	$(call say,SO)$(CC) $(CFLAGS) $(RIVALS:%=-DHAVE_%) -fvisibility=hidden -shared $(filter %.c,$^) $(RIVALS:%=-l%) -o $@
all: $B/malv-rivals.so
endif

# ---- tests: kernels with planted bugs, every PTX that can be made here, the
# interpreter of PTX, and over it a driver for the cuda backend to open ----
GKT  := $B/tests/gpu-kernels
PTXI := $(patsubst %.c,$B/%.o,$(wildcard tests/gpu-kernels/ptx/*.c))
FAKE := $(GKT)/fake/libcuda.so.1
$(PTXI): CFLAGS += -fvisibility=hidden # the driver has its own copy
$(FAKE): $(GKT)/fake/fake_libcuda.o $(PTXI)
	$(call say,SO)$(CC) $(CFLAGS) -shared -Wl,-soname,libcuda.so.1 $^ -lm -lpthread -o $@
KNOWN := $B/tests/calibrate/fake
# -Bsymbolic: it has an emulator of its own
$(KNOWN)/libcuda.so.1: $(KNOWN)/fake_gpu.o $(KNOWN)/fake_memory.o $B/gpu-kernels/probe.emu.o $(filter $B/gpu-kernels/emu%,$(KERNELS:%.c=$B/%.o))
	$(call say,SO)$(CC) $(CFLAGS) -shared -Wl,-soname,libcuda-of-known-times -Wl,-Bsymbolic $^ $B/libmalv.a -lm -o $@
$(KNOWN)/libcuda.so.1: $B/libmalv.a
$B/run-tests: | $(KNOWN)/libcuda.so.1
$B/run-tests: $(GKT)/bugs/bugs.emu.o $(GKT)/bugs/lstm_bugs.emu.o $(PTXI)
$B/run-tests: | $(FAKE) $(foreach c,$(PTX_COMPILERS),$(GKT)/bugs/bugs.$c.ptx $(GKT)/bugs/lstm_bugs.$c.ptx $(KINDS:%=$B/gpu-kernels/%.$c.ptx))
ifneq ($(and $(PTXAS),$(CLANG)),)
$B/run-tests: | $(KINDS:%=$B/gpu-kernels/%.clang.cubin)
$B/run-tests: | $B/gpu-kernels/probe.clang.cubin $B/gpu-kernels/probe.nvcc.cubin
endif
CUDA_H := $(and $(NVCC),$(wildcard $(dir $(NVCC))../include/cuda.h))
ifneq ($(CUDA_H),)
$(GKT)/test_cudrv.o: CFLAGS += -DHAVE_CUDA_H -isystem $(dir $(CUDA_H))
endif

-include $(wildcard $B/gpu-kernels/*.d $(GKT)/*/*.d)
