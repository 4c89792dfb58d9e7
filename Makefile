# Each target sets up all that it needs by itself and can be interrupted and started again.
# LAB is where `make lab` keeps its clusters; BENCH are further options of tests.benchmarks, such as BENCH="--nodes 500 --mib 0".
LAB ?= .lab/demo
.PHONY: help demo test test-all lint bench lab clean

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: ## Boot two clusters in which incident 001 is planted; find it, repair it, prove it
	@scripts/demo

test: ## Everything that must be green: lint, documentation, sanity, unit tests on the oldest and newest core, the lab
	@scripts/check

test-all: ## The same, and every further incident, kill and scenario that differs from those only in its particulars: hours on a small machine
	@scripts/check
	@scripts/check exhaustive

lint: ## The linters only
	@scripts/check lint docs sanity

bench: ## Measure reading and judging a cluster of 5,000 nodes, beside curl, kubectl and k8s_info, and a bundle of 1 GiB; figures go into the documentation
	@scripts/run python -m tests.benchmarks --docs $(BENCH)

lab: ## Boot the clusters of incident 001 and leave them running in $(LAB); `make clean` stops them
	@scripts/run python -m tests.lab up --dir $(LAB) --incident 001

clean: ## Stop the lab and remove what the other targets made in the checkout (not the build cache)
	@if [ -x .venv/bin/python ] && [ -d .lab ]; then for dir in .lab/*/; do if [ -f "$$dir/lab.json" ]; then scripts/run python -m tests.lab down --dir "$$dir"; fi; done; fi
	@rm -rf .lab .venv .venv-oldest .hypothesis reports
