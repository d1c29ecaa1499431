#!/bin/sh
# Makes what compose.yaml needs and no repository may hold: secrets/ (readable by you alone) and .env. What is there
# already stays as it is, so it can be run twice.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

# make NAME COMMAND…: secrets/NAME is what the command says
make() {
    name=$1
    shift
    if [ ! -s "secrets/$name" ]; then
        "$@" > "secrets/$name.new"
        mv "secrets/$name.new" "secrets/$name"
        echo "made secrets/$name"
    fi
}

url() {
    printf 'postgres://dangol:%s@postgres:5432/dangol\n' "$(cat secrets/postgres_password)"
}

make site_key openssl rand -base64 32
make postgres_password openssl rand -hex 24
make database_url url

# whose the workspace and the keys are: yours; of root they are `nonroot` of the image
uid=$(id -u)
gid=$(id -g)
if [ "$uid" -eq 0 ]; then
    uid=65532
    gid=65532
fi
if [ ! -e .env ]; then
    sed -e "s/^DANGOL_UID=.*/DANGOL_UID=$uid/" -e "s/^DANGOL_GID=.*/DANGOL_GID=$gid/" .env.example > .env
    echo "made .env"
fi
mkdir -p shop
if [ "$(id -u)" -eq 0 ]; then
    chown "$uid:$gid" secrets/site_key secrets/database_url shop
fi
