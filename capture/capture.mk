# capture.mk - the library that malv capture loads into a CUDA program (included by the Makefile).
# It needs no header of NVIDIA's; where cupti.h is, a test holds our declarations against it.

CAPTURE := $(wildcard capture/*.c)
$B/libmalv-capture.so: $(CAPTURE:%.c=$B/%.o)
	$(call say,SO)$(CC) $(CFLAGS) -shared $^ -ldl -lpthread -o $@
$(CAPTURE:%.c=$B/%.o): CFLAGS += -fvisibility=hidden
all: $B/libmalv-capture.so

CUPTI_H := $(firstword $(wildcard $(if $(NVCC),$(dir $(NVCC))../include/cupti.h) \
             /usr/local/cuda*/include/cupti.h /usr/local/cuda*/extras/CUPTI/include/cupti.h /usr/include/cupti.h))
ifneq ($(CUPTI_H),)
$B/tests/capture/test_cupti.o: CFLAGS += -DHAVE_CUPTI_H -isystem $(dir $(CUPTI_H)) \
  $(if $(NVCC),-isystem $(dir $(NVCC))../include)
endif

# ---- tests: a CUPTI that tells made-up records, and a program that it tells them of ----
CAPT := $B/tests/capture/fake
$(CAPT)/libcupti.so: $(CAPT)/fake_cupti.o
	$(call say,SO)$(CC) $(CFLAGS) -shared $^ -o $@
$(CAPT)/cuda-program: $(CAPT)/cuda_program.o
	$(call say,LINK)$(CC) $(CFLAGS) $^ -ldl -lpthread -o $@
$B/run-tests: | $(CAPT)/libcupti.so $(CAPT)/cuda-program $B/libmalv-capture.so
