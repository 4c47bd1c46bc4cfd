#!/bin/sh
# Runs a program, and runs it again on HUP, which Slipway sends when edited files have arrived (sync.after in slipway.yaml).
# A program that ends by itself waits for the next one: a mistake of a minute must not restart the container.
again=
program=
trap 'again=1; kill "$program" 2>/dev/null' HUP
trap 'kill "$program" "$!" 2>/dev/null; wait "$program" 2>/dev/null; exit 0' TERM INT
while :; do
  again=
  "$@" &
  program=$!
  if [ -n "$again" ]; then kill "$program"; fi
  # A signal ends the wait and not the program.
  while kill -0 "$program" 2>/dev/null; do wait "$program" 2>/dev/null; done
  if [ -z "$again" ]; then echo "$1 has ended; it is started again after the next edit" >&2; fi
  while [ -z "$again" ]; do
    sleep 1 &
    wait $!
  done
done
