#!/usr/bin/env bash
# Builds and tests /src of a chroot inside it. Called by `./run test --on ...` as root, in a mount
# namespace of its own, so that nothing stays mounted.
#   in_chroot.sh <chroot>
set -euo pipefail

chroot=$1
mount -t proc proc "$chroot/proc"
mount --rbind /dev "$chroot/dev"
cp /etc/resolv.conf "$chroot/etc/resolv.conf"

# What went away outside goes away inside; the build folder and the cache stay.
(
    cd "$chroot/src"
    find . -path ./build -prune -o -type f -printf '%P\n' | LC_ALL=C sort |
        LC_ALL=C comm -23 - ../src.list | tr '\n' '\0' | xargs -0 -r rm -f
)
exec chroot "$chroot" env -i HOME=/root LC_ALL=C.UTF-8 SIDELINE_JOBS="$JOBS" SIDELINE_NO_FORMAT=1 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    bash -c 'cd /src && exec ./run test native'
