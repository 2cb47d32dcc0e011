# Takes from a system what belongs to people or to one machine, so that it can begin many others.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
failed() {
	echo "azlin: $*" >&2
	exit 1
}

# People, with all that is in their homes.
people() { awk -F: '$3 >= 1000 && $3 < 60000 { print $1 }' /etc/passwd; }
for who in $(people); do
	home=$(getent passwd "$who" | cut -d: -f6)
	pkill -KILL -u "$who" 2>/dev/null
	userdel --force --remove "$who" 2>/dev/null
	case $home in /home/*) rm -rf "$home" ;; esac
done
[ -z "$(people)" ] || failed "these users could not be removed: $(people | tr '\n' ' ')"
rm -f /etc/sudoers.d/90-cloud-init-users /etc/sudoers.d/waagent
find /root -mindepth 1 -maxdepth 1 -exec rm -rf {} +
for file in bashrc profile; do
	[ ! -e /usr/share/base-files/dot.$file ] || cp /usr/share/base-files/dot.$file /root/.$file
done

# What makes a machine this one: its keys, its ids, what it was told at its first boot. The agent's last download is
# this script.
rm -f /etc/ssh/ssh_host_*_key* /etc/docker/key.json /var/lib/systemd/random-seed /var/lib/dbus/machine-id
rm -f /etc/netplan/50-cloud-init.yaml /var/lib/dhcp/* /var/lib/waagent/ovf-env.xml /var/lib/waagent/CustomData /var/lib/waagent/provisioned
find /var/lib/waagent/run-command/download /var/lib/waagent/custom-script/download -mindepth 1 -maxdepth 1 ! -samefile "$PWD" -exec rm -rf {} + 2>/dev/null
cloud-init clean --logs || failed "cloud-init could not be made to forget this machine"
rm -rf /var/lib/cloud/* /var/lib/azlin
printf 'uninitialized\n' >/etc/machine-id

# What azlin shows in tmux comes again with the next first boot.
[ ! -e /etc/tmux.conf ] || sed -i '/^# azlin: how the installation of tools goes/,/^}/d' /etc/tmux.conf

# What has gathered.
DEBIAN_FRONTEND=noninteractive apt-get -q clean
find /var/log -type f \( -name '*.gz' -o -name '*.[0-9]' -o -name '*.journal*' \) -delete
find /var/log -type f -exec truncate --size=0 {} +
find /tmp /var/tmp -mindepth 1 -maxdepth 1 -exec rm -rf {} +
rm -rf /var/crash/*
sync
[ -z "$(ls /etc/ssh/ssh_host_*_key 2>/dev/null)" ] || failed "a host key is left"
echo "azlin: clean"
