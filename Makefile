# make            build everything             make test    build, run the tests
# make demo       build, run the demo          make lint    layers, style, static analysis
# make fuzz       a minute over every parser   make bench   the simulator's own speed
# make cov        coverage of the tests        make fmt     clang-format, in place
# make SAN=1 ..   address + undefined          make CC=clang ..   another compiler
# Each installs the Debian packages it needs first (tools/bootstrap); clean removes what was built.
# CUDA and MPI are used when nvcc / mpicc are there; nothing else needs them.

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
GOAL := $(or $(MAKECMDGOALS),all)
B    := build$(if $(SAN),-san)$(if $(COV),-cov)$(if $(FUZZ),-fuzz)$(if $(findstring clang,$(CC)),-clang)
STD  := -std=c11 -D_GNU_SOURCE
WARN := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
PKGS := hdf5-serial libcjson zlib liblzma libzstd yajl sqlite3 libprotobuf-c
SANS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# pkg-config is asked once, and only when something is compiled: it may not be installed yet.
pkg    = $(or $(pkg_$1),$(eval pkg_$1 := $(shell pkg-config --$1 $(PKGS)))$(pkg_$1))
CFLAGS = $(STD) $(WARN) -O2 -g -fPIC -ffp-contract=off -I. -I$B $(call pkg,cflags)
LDLIBS = $(call pkg,libs) -lglpk -ldl -lm -lpthread
ifdef SAN # at a fixed place: half a million pointers in its tables are not relocated for each test
LDLIBS += -no-pie
endif
ifneq ($(SAN)$(COV),)    # gcc guesses at string lengths there that it knows at -O2
CFLAGS += $(if $(SAN),-O1 -g1 $(SANS)) $(if $(COV),-O0 --coverage)
CFLAGS += $(if $(findstring clang,$(CC)),,-Wno-format-truncation)
endif
ifdef FUZZ
CFLAGS += -O1 -g1 $(SANS) -fsanitize=fuzzer-no-link
endif

say    = $(if $V,,@printf '  %-4s %s\n' $1 $@;)   # V=1 shows the whole commands

# make re-reads itself after making these, so what they install is seen by the tests for tools below.
ifneq ($(filter-out clean fmt lint,$(GOAL)),)
include build/.ready-$(or $(if $(SAN),ci),$(filter fuzz bench cov,$(firstword $(GOAL))),$(if $(filter test %/run-tests,$(GOAL)),test,build))
endif
build/.ready-%: tools/bootstrap
	@tools/bootstrap $*
	@mkdir -p build && touch $@

ROOMS := sim models $(patsubst %/,%,$(wildcard models/*/)) traces results harness $(patsubst %/,%,$(wildcard harness/*/))
SRC   := $(filter-out harness/main.c harness/run/sweep_mpi.c harness/learn/forest_xgboost.c,$(wildcard $(ROOMS:%=%/*.c)))
PROTO := $(wildcard harness/learn/*.proto)
OBJ   := $(SRC:%.c=$B/%.o) $(PROTO:%.proto=$B/%.pb-c.o)
SO    := $(patsubst %.c,$B/%.so,$(wildcard policies/*.c))
ifneq ($(and $(wildcard harness/run/sweep_mpi.c),$(shell command -v mpicc)),)
SO    += $B/malv-mpi.so
endif
ifneq ($(wildcard /usr/include/xgboost/c_api.h),)
SO    += $B/malv-xgboost.so
endif
TESTS := $(wildcard tests/*.c $(filter-out tests/fuzz/%,$(wildcard tests/*/*.c)))
FUZZN := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
TOOLS := $(patsubst tests/policies/bad/%.c,$B/tests/policies/%.so,$(wildcard tests/policies/bad/*.c)) \
         $(FUZZN:%=$B/tests/fuzz/replay-%)

all: $B/malv $(SO)

include gpu-kernels/kernels.mk
include capture/capture.mk

$B/malv: $B/harness/main.o $B/libmalv.a
	$(call say,LINK)$(CC) $(CFLAGS) -rdynamic $^ $(LDLIBS) -o $@
$B/commit.h: .FORCE   # what it was built from; only a change of it is written
	@mkdir -p $B; printf '#define MALV_COMMIT "%s"\n' "$$(tools/commit)" >$@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$B/harness/main.o: $B/commit.h
$B/libmalv.a: $(OBJ)
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^
$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@
$B/%.pb-c.c $B/%.pb-c.h: %.proto
	@mkdir -p $(@D)
	$(call say,PB)protoc-c --c_out=$B $<
$B/%.pb-c.o: $B/%.pb-c.c Makefile
	$(call say,CC)$(CC) $(CFLAGS) -w -c $< -o $@
$(patsubst %.c,$B/%.o,$(wildcard harness/learn/*onnx*.c tests/policies/*onnx*.c)): $(PROTO:%.proto=$B/%.pb-c.h)
$B/policies/%.so: policies/%.c Makefile
	@mkdir -p $(@D)
	$(call say,SO)$(CC) $(CFLAGS) -Ipolicies -fvisibility=hidden -MMD -MP -MF $(@:.so=.d) -shared $< -lm -o $@
$B/malv-mpi.so: harness/run/sweep_mpi.c Makefile
	@mkdir -p $(@D)
	$(call say,MPI)OMPI_CC=$(CC) mpicc $(CFLAGS) -MMD -MP -MF $(@:.so=.d) -shared $< -o $@
$B/malv-xgboost.so: harness/learn/forest_xgboost.c Makefile
	@mkdir -p $(@D)
	$(call say,SO)$(CC) $(CFLAGS) -Wno-strict-prototypes -fvisibility=hidden -MMD -MP -MF $(@:.so=.d) -shared $< -lxgboost -lm -o $@
$B/tests/policies/%.so: tests/policies/bad/%.c Makefile
	@mkdir -p $(@D)
	$(call say,SO)$(CC) $(CFLAGS) -Ipolicies -fvisibility=hidden -MMD -MP -MF $(@:.so=.d) -shared $< -o $@
$B/tests/%.o: CFLAGS += -DBUILD='"$B"'
$B/run-tests: $(TESTS:%.c=$B/%.o) $B/libmalv.a
	$(call say,LINK)$(CC) $(CFLAGS) -rdynamic $^ $(LDLIBS) -lcriterion -o $@
$B/tests/fuzz/replay-%: $B/tests/fuzz/fuzz_%.o $B/tests/fuzz/replay.o $B/libmalv.a
	$(call say,LINK)$(CC) $(CFLAGS) -rdynamic $^ $(LDLIBS) -o $@
$B/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/libmalv.a
	$(call say,LINK)$(CC) $(CFLAGS) -fsanitize=fuzzer -rdynamic $^ $(LDLIBS) -o $@

test: all $B/run-tests $(TOOLS)
	ASAN_OPTIONS=abort_on_error=1 $B/run-tests --tap=$B/tests.tap  # else Criterion lets a leak pass
	@sed -n 's/^ok - \(.*[^ ]\) *# SKIP/  skipped \1:/p' $B/tests.tap
equality: all $B/run-tests
	MALV_EQUALITY_ROWS=100000 $B/run-tests --filter 'equality/*'
demo: all
	tools/demo
bench: all
	$B/malv bench
fuzz:
	$(MAKE) FUZZ=1 CC=clang $(FUZZN:%=build-fuzz-clang/fuzz_%)
	tools/fuzz build-fuzz-clang $(or $(FUZZ_SECONDS),60)
cov:
	$(MAKE) COV=1 test
	gcovr -r . --object-directory build-cov --exclude tests --exclude build-cov --print-summary | tail -80
lint:
	tools/bootstrap ci
	tools/lint
fmt:
	git ls-files '*.[ch]' '*.cu' | xargs clang-format -i
clean:
	rm -rf build build-*

-include $(wildcard $B/*.d $B/*/*.d $B/*/*/*.d)
.PHONY: .FORCE all test equality demo bench fuzz cov lint fmt clean
.SECONDARY:
.DELETE_ON_ERROR:
