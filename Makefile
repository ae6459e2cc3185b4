# make            build everything            make test    set up, build, run the tests
# make demo       set up, build, run the demo make lint    layers, style, static analysis
# make SAN=1 ..   address + undefined         make CC=clang ..  another compiler
# make fuzz       a minute of every parser    make clean
# CUDA and MPI are used when nvcc / mpicc are there; nothing else needs them.

B      := build$(if $(SAN),-san)$(if $(filter clang,$(CC)),-clang)
STD    := -std=c11 -D_GNU_SOURCE
WARN   := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
PKGS   := hdf5-serial libcjson zlib liblzma libzstd
CFLAGS  = $(STD) $(WARN) -O2 -g -fPIC -ffp-contract=off -I. $(shell pkg-config --cflags $(PKGS))
LDLIBS  = $(shell pkg-config --libs $(PKGS)) -ldl -lm -lpthread
ifdef SAN
CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

ROOMS := sim models traces results harness
SRC   := $(filter-out harness/main.c,$(wildcard $(ROOMS:%=%/*.c)))
OBJ   := $(SRC:%.c=$B/%.o)
SO    := $(patsubst %.c,$B/%.so,$(wildcard policies/*.c))
TESTS := $(wildcard tests/*.c tests/*/*.c)

all: $B/malv $(SO)

include gpu-kernels/kernels.mk

$B/malv: $B/harness/main.o $B/libmalv.a
	$(CC) $(CFLAGS) -rdynamic $^ $(LDLIBS) -o $@
$B/libmalv.a: $(OBJ)
	rm -f $@ && $(AR) rcs $@ $^
$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@
$B/policies/%.so: policies/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ipolicies -fvisibility=hidden -MMD -MP -MF $(@:.so=.d) -shared $< -lm -o $@
$B/tests/%.o: CFLAGS += -DBUILD='"$B"'
$B/run-tests: $(TESTS:%.c=$B/%.o) $B/libmalv.a
	$(CC) $(CFLAGS) -rdynamic $^ $(LDLIBS) -lcriterion -o $@

test: all $B/run-tests
	ASAN_OPTIONS=abort_on_error=1 $B/run-tests
lint:
	tools/layers
clean:
	rm -rf build build-*

-include $(OBJ:.o=.d) $(SO:.so=.d) $(TESTS:%.c=$B/%.d) $B/harness/main.d
.PHONY: all test demo lint fuzz clean
.DELETE_ON_ERROR:
