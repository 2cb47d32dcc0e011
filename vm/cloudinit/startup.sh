#!/bin/sh
# Runs the startup script of an azlin VM, last, as root, and records what became of it.
set -u
umask 022
results=/var/lib/azlin/tools.jsonl
log=/run/azlin/startup.log
mkdir -p /var/lib/azlin /run/azlin
touch $results $log
chmod 0640 $results $log
chgrp adm $results $log
now() { echo $(($(date +%s%N) / 1000000)); } # milliseconds

echo "azlin: running the startup script"
printf '{"start":"startup-script"}\n' >>$results
began=$(now)
(cd /root && HOME=/root /var/lib/azlin/startup-script) >$log 2>&1 </dev/null
code=$?
cat $log
took=$(($(now) - began))
ok=true output=
if [ $code -ne 0 ]; then
	ok=false
	echo "exit code $code" >>$log
	output=$(tail -n 15 $log | tail -c 3000 | tr -d '\000-\010\013-\037\177' |
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/	/\\t/g' | awk '{ printf "%s%s", sep, $0; sep = "\\n" }')
fi
printf '{"tool":"startup-script","ok":%s,"version":"","seconds":%d.%03d,"output":"%s"}\n' \
	$ok $((took / 1000)) $((took % 1000)) "$output" >>$results
rm -f $log
exit $code
