# bcce: build with PGXS.  `make help` lists what there is to make.

EXTENSION = bcce
MODULE_big = bcce
DATA = bcce--$(BCCE_VERSION).sql
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/*/*.c))
LOCAL_HEADERS = $(wildcard src/*.h src/*/*.h)

BCCE_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" bcce.control)

# One topic, one regression test.
REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))
REGRESS_OPTS = --load-extension=bcce

PG_CPPFLAGS = -I$(srcdir)/src
PG_CFLAGS = -fvisibility=hidden -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-clobbered $(if $(STRICT),-Werror)
SHLIB_LINK = -lsodium -lm

# Bitcode for the JIT inliner is not worth a second compiler.
override with_llvm = no

PG_CONFIG ?= pg_config
PG_MAJOR := $(shell $(PG_CONFIG) --version 2>/dev/null | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p')

ifeq ($(MAKECMDGOALS),help)
help:
	@sed -n 's/^## \(.*\)/\1/p' $(firstword $(MAKEFILE_LIST))
else

ifeq ($(PG_MAJOR),)
$(error "$(PG_CONFIG)" did not answer: install the server development package (Debian: postgresql-server-dev-15) or name it with PG_CONFIG=/path/to/pg_config)
endif
ifneq ($(shell test $(PG_MAJOR) -ge 15 && echo ok),ok)
$(error bcce needs PostgreSQL 15 or later, and $(PG_CONFIG) is PostgreSQL $(PG_MAJOR): name another with PG_CONFIG=/path/to/pg_config)
endif

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
endif

## make               build the library and the install script
## make install       put both where PG_CONFIG's server finds them
## make installcheck  regression tests against a running server
## make lint          warnings as errors, assembly drift, formatting
## make assemble      write bcce--VERSION.sql anew from src/sql
## make help          this list
##
## scripts/check      set up a private server and run every test
## scripts/demo       the same set-up, with real data and the reports

.PHONY: help lint assemble

# PGXS does not track headers.
$(OBJS): $(LOCAL_HEADERS)

# A product and a sum fused would round otherwise than on another platform.
src/stats/sketch_read.o src/stats/survival.o src/stats/quality.o src/stats/two_samples.o: CFLAGS += -ffp-contract=off

all: bcce--$(BCCE_VERSION).sql

assemble:
	scripts/assemble > bcce--$(BCCE_VERSION).sql

bcce--$(BCCE_VERSION).sql: scripts/assemble bcce.control $(wildcard src/sql/* src/sql/*/*.sql)
	scripts/assemble > $@

lint:
	scripts/lint $(PG_CONFIG)
