#!/bin/sh
# Serve with a password: the given one, or one made at random in the data directory at first start.
set -eu
: "${MODELWIRE_DATA_DIR:=/data}" "${MODELWIRE_USER:=modelwire}"
umask 077

if [ -z "${MODELWIRE_PASSWORD:-}" ]; then
    file=$MODELWIRE_DATA_DIR/password
    [ -s "$file" ] || python -c 'import secrets; print(secrets.token_urlsafe(18))' >"$file"
    MODELWIRE_PASSWORD=$(cat "$file")
    echo "The password of user $MODELWIRE_USER is in $file" >&2
fi

export MODELWIRE_DATA_DIR MODELWIRE_USER MODELWIRE_PASSWORD
exec modelwire serve "$@"
