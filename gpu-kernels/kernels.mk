# kernels.mk - how the kernels are built for every backend (included by the Makefile)
