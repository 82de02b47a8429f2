# lib.sh: what demo, check and lint share.  Sourced, not run.
#
# Nothing here touches a cluster or a server installation of the machine: the
# server's files are copied into a work folder (PostgreSQL finds its files
# relative to its program), bcce is installed into that copy, and a private
# cluster runs from it on a unix socket.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
began=$(date +%s)

say() { printf '%s\n' "$*"; }
step() { printf '\n[%3ds] %s\n' "$(($(date +%s) - began))" "$*"; }
die() {
    printf 'error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'hint:  %s\n' "$2" >&2
    exit 1
}

# Newest first: the majors from 15 on whose server and headers are installed.
installed_majors() {
    local dir major
    for dir in /usr/lib/postgresql/*/; do
        major=$(basename "$dir")
        [[ $major =~ ^[0-9]+$ ]] && [ "$major" -ge 15 ] || continue
        [ -x "$dir/bin/postgres" ] && [ -e "$dir/lib/pgxs/src/makefiles/pgxs.mk" ] && echo "$major"
    done | sort -rn
}

# The major that Debian offers where none is installed: 15 where it can be had.
offered_major() {
    if apt-cache show postgresql-15 >/dev/null 2>&1; then
        echo 15
    else
        apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -n 1
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Installs what is missing, after saying what.  $1: yes or no (--no-install);
# the rest: extra packages, with @ for the major version.
ensure_packages() {
    local allowed=$1 major packages=() missing=() package
    shift
    command -v dpkg-query >/dev/null || die "this script needs Debian or a system like it" \
        "elsewhere build by hand: make, make install, CREATE EXTENSION bcce (see README.md)"
    major=$(installed_majors | tail -n 1)
    if [ -z "$major" ]; then
        major=$(offered_major)
        if [ -z "$major" ] && [ "$allowed" = yes ]; then
            say "Refreshing the package lists (apt-get update)."
            as_root apt-get update -qq
            major=$(offered_major)
        fi
        [ -n "$major" ] || die "no PostgreSQL from 15 on is installed or offered" "run: apt-get update"
    fi
    packages=("postgresql-$major" "postgresql-server-dev-$major" libsodium-dev gcc make "${@//@/$major}")
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$allowed" != yes ]; then
        die "missing Debian packages: ${missing[*]}" "install them, or run without --no-install"
    fi
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        die "missing Debian packages: ${missing[*]}" "run as root, or install sudo"
    say "Installing from Debian: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$work/apt.log" 2>&1 ||
        { tail -n 5 "$work/apt.log" >&2; die "apt-get could not install the packages" "see above; run it by hand"; }
}

# What the server's environment holds besides: NAME=value.
server_env=()

# The server refuses to run as root; it then runs as the user postgres.
if [ "$(id -u)" -eq 0 ]; then
    server_user=postgres
else
    server_user=$(id -un)
fi
as_server() {
    if [ "$(id -un)" = "$server_user" ]; then
        "$@"
    else
        (cd / && runuser -u "$server_user" -- "$@")
    fi
}

# A folder of its own, short enough for a unix socket.
make_work() {
    work=$(mktemp -d "/tmp/bcce-$1.XXXXXX")
    chmod 755 "$work"
}

# Copies the server's files: $1 major.  Sets pg_bin and pg_config.
make_tree() {
    local major=$1 tree="$work/pg$1"
    if [ ! -e "$tree" ]; then
        mkdir -p "$tree/usr/lib/postgresql" "$tree/usr/share/postgresql" "$tree/usr/include"
        cp -a "/usr/lib/postgresql/$major" "$tree/usr/lib/postgresql/"
        cp -a "/usr/share/postgresql/$major" "$tree/usr/share/postgresql/"
        ln -s /usr/include/postgresql "$tree/usr/include/postgresql"
    fi
    pg_bin="$tree/usr/lib/postgresql/$major/bin"
    pg_config="$pg_bin/pg_config"
}

# Builds the library and installs it into the copy: arguments go to make.
build() {
    make -s -C "$root_dir" clean PG_CONFIG="$pg_config" >/dev/null 2>&1 || true
    make -s -C "$root_dir" install PG_CONFIG="$pg_config" STRICT=1 "$@" >"$work/build.log" 2>&1 ||
        { tail -n 30 "$work/build.log" >&2; die "the build failed" "the whole log: $work/build.log"; }
}

# Makes and starts a cluster: $1 name, the rest are settings (-c ...).
# Sets PGHOST, PGPORT, PGUSER and cluster; needs pg_bin.
start_cluster() {
    local name=$1
    shift
    cluster="$work/$name"
    mkdir -p "$cluster"
    [ "$(id -u)" -ne 0 ] || chown "$server_user" "$cluster"
    as_server "$pg_bin/initdb" -D "$cluster/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log" 2>&1 ||
        { tail -n 5 "$work/initdb.log" >&2; die "initdb failed"; }
    resume_cluster "$name" "$@"
}

# Starts a cluster that exists.  Without JIT: compiling the plan of a report
# over a hundred partitions takes seconds, running it a fraction of one.
resume_cluster() {
    local name=$1
    shift
    cluster="$work/$name"
    export PGHOST="$cluster" PGPORT=5432 PGUSER=postgres
    as_server env ${server_env[@]+"${server_env[@]}"} "$pg_bin/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w \
        -o "-c listen_addresses='' -c unix_socket_directories='$cluster' -c port=5432 -c fsync=off -c jit=off $*" start >"$work/start.log" 2>&1 ||
        { tail -n 5 "$cluster/log" >&2; die "the private cluster did not start"; }
}

stop_cluster() {
    as_server "$pg_bin/pg_ctl" -D "$work/$1/data" -m fast -w stop >/dev/null 2>&1 || true
}

# Stops every cluster of the work folder.
stop_clusters() {
    local data
    for data in "$work"/*/data "$work"/*/*/data; do
        [ ! -e "$data/postmaster.pid" ] || as_server "$pg_bin/pg_ctl" -D "$data" -m immediate stop >/dev/null 2>&1 || true
    done
}

# For trap: stops every cluster of the work folder and removes it.
clean_up() {
    stop_clusters
    rm -rf "$work"
}
