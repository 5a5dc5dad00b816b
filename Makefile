# make repro   the whole pipeline on the bundled miniature world -> reports/mini/index.html
# make test    the test suite
# Both make the environment first; nothing else has to be installed by hand.

PYTHON ?= python3
BIN := .venv/bin
# stages call `neurodecode` by name; DVC must find the one of this environment
export PATH := $(CURDIR)/$(BIN):$(PATH)
export HF_HUB_OFFLINE ?= 1

.PHONY: help setup repro published encode guided adapt meeg gaze listen hear hear-train regions test real bench lint pretrain clean

help:
	@echo "make repro              run the pipeline on the miniature world -> reports/mini/index.html"
	@echo "make test               run the tests"
	@echo "make real DATA=FOLDER   the same pipeline on real recordings  -> reports/real/index.html"
	@echo "make published          the published decoders in small, side by side (after make repro)"
	@echo "make encode             encoders region by region and where they look -> reports/encoding/index.html"
	@echo "make guided             reconstructions guided by an encoder, after make repro -> reports/guided*"
	@echo "make adapt              learning curves of new subjects       -> reports/adaptation"
	@echo "make meeg               MEG and EEG of the miniature world, after make repro -> reports/meeg/index.html"
	@echo "make gaze [DATA=FOLDER]  where people look: miniature viewers, and OSIE if it is in FOLDER"
	@echo "make listen [DATA=FOLDER]  who is listened to: two talkers -> reports/auditory"
	@echo "make hear               whoever is attended out of a mixture, after make listen -> reports/hearing"
	@echo "make regions DATA=FOLDER  states of the whole brain, region by region -> reports/regions/index.html"
	@echo "make setup              only make the environment (.venv)"
	@echo "make bench              run the benchmarks -> benchmarks/results"
	@echo "make pretrain           train the bundled weights again (about 1.5 hours on two cores)"
	@echo "make lint               style and layers"

setup: .venv/.complete

.venv/.complete: pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and f"neurodecode needs Python 3.11 to 3.13, $(PYTHON) is {v[0]}.{v[1]}: try make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv
	# uv, not pip: it takes builds of torch and torchvision that belong together; compiled once
	# here, or every command would compile 5000 modules where Python may not cache them (10 s)
	$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python -c constraints.txt -e '.[dev]'
	@touch $@

repro: setup
	dvc repro
	@echo "Open reports/mini/index.html"

published: setup
	dvc repro pipelines/published/dvc.yaml
	@echo "Open reports/published/index.html"

test: setup
	python -m pytest -n auto --dist loadfile --no-loadscope-reorder

real: setup
	neurodecode locate --data "$(DATA)" --require v4 haxby2001 --out data/raw/sources.yaml
	dvc repro pipelines/real/dvc.yaml
	@echo "Open reports/real/index.html"

encode: setup
	dvc repro pipelines/encoding/dvc.yaml
	@echo "Open reports/encoding/index.html"

guided: setup
	dvc repro pipelines/guided/dvc.yaml
	if [ -d data/stores/v4 ]; then dvc repro pipelines/guided-real/dvc.yaml; fi
	@echo "Open reports/guided*/index.html"

adapt: setup
	dvc repro pipelines/adaptation/dvc.yaml:report@mini-fmri
	if [ -d data/stores/v4 ]; then dvc repro pipelines/adaptation/dvc.yaml:report@v4; fi
	@echo "Open reports/adaptation/*/index.html"

meeg: setup
	dvc repro pipelines/meeg/dvc.yaml:report
	@echo "Open reports/meeg/index.html"

gaze: setup
	dvc repro pipelines/gaze/dvc.yaml:report-mini-gaze pipelines/gaze/dvc.yaml:report-mini-gaze-layouts pipelines/gaze/dvc.yaml:decode-mini-gaze
	if [ -n "$(DATA)" ]; then neurodecode scanpath locate --data "$(DATA)" --require osie --out data/raw/gaze.yaml && dvc repro pipelines/gaze/dvc.yaml:report-osie pipelines/gaze/dvc.yaml:report-osie-reference; fi
	@echo "Open reports/gaze/*/index.html"

# DATA: folder with dtu_speech_eeg, single-talker EEG of the vlaai evaluation set
listen: setup
	dvc repro pipelines/auditory/dvc.yaml:report pipelines/auditory/dvc.yaml:follow
	if [ -n "$(DATA)" ]; then ln -sfn "$(abspath $(DATA))/dtu_speech_eeg" data/raw/dtu && dvc repro pipelines/auditory/dvc.yaml:report-dtu; fi
	@echo "Open reports/auditory*/index.html"

hear: setup
	dvc repro pipelines/hearing/dvc.yaml
	@echo "Open reports/hearing/index.html"

# the networks of `make hear` again: about 40 minutes of one core
hear-train: setup
	dvc repro pipelines/hearing/dvc.yaml:simulate
	dvc repro pipelines/hearing-train/dvc.yaml

# DATA: folder with haxby2001
regions: setup
	neurodecode locate --data "$(DATA)" --require haxby2001-series --out data/raw/sources.yaml
	dvc repro pipelines/regions/dvc.yaml
	@echo "Open reports/regions/index.html"

pretrain: setup
	dvc repro pipelines/pretrain/dvc.yaml

bench: setup
	python -m benchmarks.run

lint: setup
	ruff check neurodecode kernels tests benchmarks
	lint-imports

clean:
	rm -rf data/raw data/stores data/embeddings data/pretrain runs reports
