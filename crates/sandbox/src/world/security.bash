#!/bin/bash
# A fake of macOS' `security`, as far as Claude Code and clauth use it: generic passwords as files in
# ~/Library/Keychains, exit 44 for one that is not there, commands on standard input cut at 4096 bytes, secrets that are
# not printable shown in hex. What it does wrong on purpose is said by ~/.security-mode.
set -u
items=$HOME/Library/Keychains
mode=well
[ -f "$HOME/.security-mode" ] && mode=$(<"$HOME/.security-mode")
printf '%s\n' "$*" >>"$HOME/.security-log"

[ -f "$HOME/.sandbox" ] || { echo 'this is no sandbox' >&2; exit 9; }
case $mode in
  locked) exit 36 ;;
  denied) exit 51 ;;
  hang) sleep 60 ;;
esac

decode() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")"; }
encode() { od -An -v -tx1 "$1" | tr -d ' \n'; }

add() {
  local account= service= hex=
  while [ $# -gt 0 ]; do
    case $1 in
      -a) account=$2; shift ;;
      -s) service=$2; shift ;;
      -X) hex=$2; shift ;;
    esac
    shift
  done
  [ -n "$account" ] && [ -n "$service" ] || exit 2
  case $mode in
    lie) return ;;
    truncate) hex=${hex:0:40} ;;
    hang-write) sleep 60 ;;
    refuse-write) exit 51 ;;
  esac
  decode "$hex" >"$items/.new-$$" && mv "$items/.new-$$" "$items/$service"
}

find_item() {
  local account= service= show=
  while [ $# -gt 0 ]; do
    case $1 in
      -a) account=$2; shift ;;
      -s) service=$2; shift ;;
      -w) show=1 ;;
    esac
    shift
  done
  [ -n "$account" ] && [ -f "$items/$service" ] || exit 44
  if [ -z "$show" ]; then
    printf 'keychain: "login.keychain-db"\nattributes:\n    "mdat"<timedate>=0x00  "%sZ\\000"\n' \
      "$(date -u -r "$items/$service" +%Y%m%d%H%M%S)"
  elif LC_ALL=C grep -q '[^ -~]' "$items/$service" || [ "$(tail -c1 "$items/$service")" = '' ]; then
    encode "$items/$service"; echo
  else
    cat "$items/$service"; echo
  fi
}

delete() {
  local service=
  while [ $# -gt 0 ]; do
    [ "$1" = -s ] && { service=$2; shift; }
    shift
  done
  [ -f "$items/$service" ] || exit 44
  [ "$mode" = lie ] || rm "$items/$service"
}

run() {
  local command=$1
  shift
  case $command in
    add-generic-password) add "$@" ;;
    find-generic-password) find_item "$@" ;;
    delete-generic-password) delete "$@" ;;
    *) exit 2 ;;
  esac
}

if [ "${1-}" = -i ]; then
  IFS= read -r -N 4096 line || true
  eval "words=(${line%%$'\n'*})"
  run "${words[@]}"
else
  run "$@"
fi
