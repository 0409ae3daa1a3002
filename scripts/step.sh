#!/bin/sh
# scripts/step.sh NAME COMMAND...: runs a command as a named step and says how long it took.
set -u
name=$1
shift
echo "== $name"
begun=$(date +%s)
"$@"
status=$?
if [ "$status" -eq 0 ]; then end=ok; else end="FAILED ($status)"; fi
echo "== $name: $end in $(($(date +%s) - begun)) s"
exit "$status"
