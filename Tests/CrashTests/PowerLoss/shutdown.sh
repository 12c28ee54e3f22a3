# Runs a program on a file system of its own, shuts that down in the middle (FS_IOC_SHUTDOWN, the journal is not
# written out), mounts it again, and copies what is left. Ends with 77 where that cannot be done on this machine.
#
#   shutdown.sh DISK MOUNTED COPY MILLISECONDS PRELOAD PROGRAM ARGUMENTS…
#
# In a mount namespace of its own, so that nothing stays mounted. The lines of the program are printed as they come.
disk=$1 mounted=$2 copy=$3 milliseconds=$4 preload=$5
shift 5
truncate -s 64M "$disk" && mkdir "$mounted" && mkfs.ext4 -q -E lazy_itable_init=0 "$disk" 2>&1 || exit 77
mount -o loop "$disk" "$mounted" 2>&1 || exit 77
mkdir "$mounted/chores" && sync -f "$mounted" || exit 77
LD_PRELOAD=$preload "$@" &
program=$!
python3 - "$mounted" "$milliseconds" <<'PYTHON' || exit 77
import fcntl, os, struct, sys, time

time.sleep(int(sys.argv[2]) / 1000)
folder = os.open(sys.argv[1], os.O_RDONLY)
try:
    # _IOR('X', 125, __u32) with EXT4_GOING_FLAGS_NOLOGFLUSH
    fcntl.ioctl(folder, 0x8004587D, struct.pack("I", 2))
except OSError as error:
    print("shell", error, flush=True)
    sys.exit(1)
PYTHON
kill -9 "$program" 2>/dev/null
wait "$program" 2>/dev/null
umount "$mounted" && mount -o loop "$disk" "$mounted" || exit 77
cp -R "$mounted/chores/." "$copy/" || exit 1
umount "$mounted"
