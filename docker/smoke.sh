#!/usr/bin/env bash
# Build what the image holds, start it, run the main job with a real MySQL client, stop it.
#
# usage: docker/smoke.sh              with a Docker engine
#        docker/smoke.sh --no-docker  the image's steps in a temporary directory, and not as root;
#                                     needs the mariadb or mysql client
#
# --no-docker takes the embedded model from the file MODELWIRE_LOCAL_MODEL, if that is set.
set -euo pipefail
cd "$(dirname "$0")/.."

MODELWIRE_USER=modelwire
MODELWIRE_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
MODELWIRE_PORT=${MODELWIRE_PORT:-3317}
export MODELWIRE_USER MODELWIRE_PASSWORD MODELWIRE_PORT
readonly CONTAINER_USER=10001

say() { printf '\n== %s\n' "$*"; }

# ask CLIENT...: the main job through a command that takes SQL on standard input.
ask() {
    local answer
    answer=$("$@" --table --verbose --verbose <docker/main_job.sql)
    printf '%s\n' "$answer"
    if ! grep -Eq '^\| I love machine learning! \| positive +\|$' <<<"$answer"; then
        echo "FAILED: 'I love machine learning!' is not positive" >&2
        return 1
    fi
}

with_docker() {
    compose=(docker compose -f docker/compose.yaml -p modelwire-smoke)
    trap '"${compose[@]}" down --volumes --timeout 40' EXIT
    say "build and start"
    "${compose[@]}" up --build --wait modelwire
    say "the main job, by a client in a container of its own"
    ask "${compose[@]}" run --rm --no-TTY client
}

# Before a command: run it as the image's user if we are root, as we are otherwise.
unprivileged=()
if [ "$(id -u)" = 0 ]; then
    unprivileged=(setpriv --reuid "$CONTAINER_USER" --regid "$CONTAINER_USER" --clear-groups)
fi

# The first Python that is new enough and that the unprivileged user may run.
find_python() {
    local python
    for python in "${PYTHON:-python3}" python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        python=$(command -v "$python") || continue
        if "${unprivileged[@]}" "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    echo "no Python 3.11 or newer that an unprivileged user may run" >&2
    return 1
}

root='' server=''
clean_up() {
    if [ -n "$server" ]; then
        kill "$server" || true
        wait "$server" || true
    fi
    rm -rf "$root"
}

without_docker() {
    local python client
    python=$(find_python)
    client=$(command -v mariadb || command -v mysql) || { echo "no mariadb or mysql client" >&2; return 1; }
    root=$(mktemp -d)
    trap clean_up EXIT
    chmod 755 "$root"
    export MODELWIRE_HOST=127.0.0.1 MODELWIRE_DATA_DIR="$root/data"

    say "install, as the Dockerfile does, with $("$python" --version)"
    mkdir "$root/source" "$root/data"
    cp -R pyproject.toml requirements.lock README.md LICENSE NOTICE engines catalog proxy "$root/source"
    if [ -n "${MODELWIRE_LOCAL_MODEL:-}" ]; then
        cp "$MODELWIRE_LOCAL_MODEL" "$root/data/model.gguf"
        export MODELWIRE_LOCAL_MODEL="$root/data/model.gguf"
    fi
    if [ "$(id -u)" = 0 ]; then
        chown -R "$CONTAINER_USER:$CONTAINER_USER" "$root/data"
    fi
    sh docker/install.sh "$python" "$root/source" "$root/venv"
    export PATH="$root/venv/bin:$PATH" HOME="$root/data"

    say "start, as user $("${unprivileged[@]}" id -u)"
    cd "$root/data" # nothing of the checkout can be imported from here
    "${unprivileged[@]}" modelwire serve &
    server=$!
    cd "$OLDPWD"
    wait_until_healthy "$server"

    say "the main job, by $client"
    MYSQL_PWD=$MODELWIRE_PASSWORD ask "$client" --host=127.0.0.1 --port="$MODELWIRE_PORT" --user="$MODELWIRE_USER"

    say "stop"
    kill "$server"
    wait "$server"
    server=''
}

wait_until_healthy() {
    for _ in $(seq 300); do
        kill -0 "$1" || { echo "FAILED: the server is gone" >&2; return 1; }
        python docker/health.py 2>/dev/null && return
        sleep 0.2
    done
    echo "FAILED: no greeting within a minute" >&2
    return 1
}

case "${1:-}" in
    "") with_docker ;;
    --no-docker) without_docker ;;
    *)
        sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" >&2
        exit 2
        ;;
esac
say "the smoke test passed"
