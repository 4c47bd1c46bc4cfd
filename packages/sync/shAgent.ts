import { ledgerOfAnother } from './ledger';

/**
 * The agent for containers that have a POSIX shell with dd and tar (busybox, or dash and the GNU tools). The shell's own commands do what
 * they can: each process that is started costs half a millisecond.
 *
 * Guarantee: the same as Node's, except that in an archive (ten changes and more at once, none of them asked to be atomic) an existing
 * file is emptied before it is written, within the same few microseconds, and a new file appears before it is whole.
 *
 * A file with a second name, which may be outside of what is synced, is replaced instead of written in place, where there is stat.
 *
 * It reads its standard input only by `read`, which takes byte by byte and so never too much, and by dd with a full block.
 */
export const shAgentSource = `
header=$2 name=$1 folders=$3
shift 3
nl='
'
tab='	'
start=$PWD
had_locale=\${LC_ALL+x} locale=\${LC_ALL-}
# Bytes are bytes; nothing is a pattern; what is made can be read by all.
LC_ALL=C
set -f
umask 022
temporary=.slipway-new
block=65536

# ---- what comes in

# As many bytes as asked for, to standard output.
take() {
  [ "$1" -gt 0 ] || return 0
  if [ "$1" -le 1048576 ]; then dd bs="$1" count=1 iflag=fullblock 2>/dev/null; return; fi
  dd bs=$block count=$(($1 / block)) iflag=fullblock 2>/dev/null || return
  [ $(($1 % block)) = 0 ] || dd bs=$(($1 % block)) count=1 iflag=fullblock 2>/dev/null
}

# dd is content with less when the stream is cut: what is to be done with a content is done when its end was read.
content_end() { IFS= read -r end && [ "$end" = . ] || exit 1; }

# A text of so many bytes, in text. A command's output loses its last line ends, but not with something behind them.
take_text() {
  text=$(take "$1" && echo /) || exit 1
  text=\${text%?}
  content_end
}

# The intentions of an archive or of removals; each ends with a tab and a dot, which no path has.
take_intentions() {
  intentions=$(take "$1")
  case $intentions in *"$tab.") ;; *) exit 1 ;; esac
}

# A file's content with what proves that it is whole, to standard output. It is read once (then got is set) and to its end, even where it
# cannot be written: more follows in the stream.
receive() {
  got=1
  if [ "$1" -gt 1048576 ]; then
    take "$1" | write_all cat
  elif [ "$1" -gt 0 ]; then
    dd bs="$1" count=1 iflag=fullblock
  fi
  rc=$?
  content_end
  return $rc
}

# What comes to a command that may fail before it has read its input.
write_all() {
  "$@"
  rc=$?
  [ $rc = 0 ] || cat >/dev/null
  return $rc
}

# ---- where files may go

# Whether the directory we are in, which was asked for as $1, is where it seems to be, or below a root.
inside() {
  [ "$PWD" = "$1" ] && return
  IFS=$nl
  for root in $real_roots; do
    case $PWD/ in "\${root%/}"/*) return ;; esac
  done
  why="outside: it is reached through a link to $PWD"
  return 1
}

# Goes to the nearest directory at or above $1 that exists; the rest of the path is left in rest.
approach() {
  near=\${1:-/}
  while [ ! -d "$near" ]; do
    near=\${near%/*}
    [ -n "$near" ] || near=/
  done
  cd -P "$near" || return
  inside "$near" || return
  rest=\${1#"\${near%/}"}
  rest=\${rest#/}
  [ -n "$rest" ] || ! { [ -e $temporary ] || [ -L $temporary ]; } || rm -f $temporary
}

# Goes to a directory, making it where it is missing.
enter() {
  [ "$1" = "$at" ] && return
  approach "$1" || return
  if [ -n "$rest" ]; then
    mkdir -p "./$rest" && cd -P "$1" && inside "$1" || return
  fi
  at=$1
}

# ---- what is done to a path, in its directory, by its name in base

present() { [ -e "./$base" ] || [ -L "./$base" ]; }

regular() { [ -f "./$base" ] && [ ! -L "./$base" ]; }

# The other name of a file may be anywhere: it keeps what it has. Where there is no stat, nobody knows of it.
has_other_name() { case $(stat -c %h "$1" 2>/dev/null) in '' | 1) return 1 ;; esac; }

clear_way() {
  ! present || rm -rf "./$base" || return
  at=none
}

set_mode() {
  chmod "$mode" "$1" && return
  # Somebody else's file that we may write: its mode matters only where it says whether it can be run.
  case $mode in
  [1357]*) [ -x "$1" ] ;;
  *) [ ! -x "$1" ] ;;
  esac
}

in_place() {
  { receive "$size"; } 1<>"./$base" || return
  dd if=/dev/null of="./$base" bs=1 seek="$size" count=0 2>/dev/null || return
  [ "$flag" = - ] || set_mode "./$base"
}

make_new() {
  { receive "$size"; } >$temporary && { [ "$mode" = 644 ] || chmod "$mode" $temporary; } && mv -f $temporary "./$base" && return
  # On a full disk it would keep its room from what comes next.
  rm -f $temporary
  return 1
}

put_file() {
  enter "$parent" || return
  if regular; then
    if [ "$flag" != a ] && ! has_other_name "./$base"; then
      in_place && return
      # It could not be opened for writing: it runs, or is not ours. It can still be replaced.
      [ -z "$got" ] || return
    fi
  elif present; then
    clear_way && enter "$parent" || return
  fi
  make_new
}

put_link() {
  enter "$parent" || return
  clear_way && ln -s -- "$target" "./$base"
}

put_directory() {
  enter "$parent" || return
  [ "$kind" = d ] && [ -d "./$base" ] && [ ! -L "./$base" ] && return
  clear_way && mkdir "./$base"
}

drop() {
  [ -d "\${parent:-/}" ] || return 0
  enter "$parent" && clear_way
}

# ---- answers

refuse() {
  reason=$why
  # Lines that begin with a number are dd's counts.
  [ -n "$reason" ] || while IFS= read -r reason; do case $reason in [0-9]*) reason= ;; *) break ;; esac; done 2>/dev/null <"$errors"
  printf 'r\\t%s\\t%s\\t%s\\n' "$number" "$1" "\${reason:-it could not be done}" >&4
  refused="$refused$1 "
}

# ---- the three forms of a part

split_path() {
  parent=\${path%/*}
  base=\${path##*/}
}

operations() {
  set --
  intentions=
  while [ $# -lt "$count" ]; do
    IFS= read -r line || exit 1
    set -- "$@" "$line"
    intentions="$intentions$line$nl"
  done
  write_ahead "$intentions"
  index=0
  for line do
    IFS=' ' read -r kind path_bytes size mode flag || exit 1
    path=\${line#????}
    path=\${path%??}
    [ "$path_bytes" = 0 ] || { take_text "$path_bytes"; path=$text; }
    split_path
    got=
    why=$obstacle
    case $kind in
    f)
      { [ -z "$why" ] && put_file; } 2>"$errors" || refuse $index
      [ -n "$got" ] || receive "$size" >/dev/null 2>&1
      ;;
    l)
      take_text "$size"
      target=$text
      { [ -z "$why" ] && put_link; } 2>"$errors" || refuse $index
      ;;
    d | e) { [ -z "$why" ] && put_directory; } 2>"$errors" || refuse $index ;;
    -) { [ -z "$why" ] && drop; } 2>"$errors" || refuse $index ;;
    *) exit 1 ;;
    esac
    index=$((index + 1))
  done
  IFS=' ' read -r end bytes && [ "$end" = e ] || exit 1
  index=0
  records=
  while [ $index -lt "$count" ]; do
    IFS= read -r line || exit 1
    case $refused in *" $index "*) ;; *) records="$records$line$nl" ;; esac
    index=$((index + 1))
  done
  printf '\\n%s' "$records" >&3
}

# Makes way for an archive: links are not written through, and a file does not become a directory by itself. Busybox's tar leaves
# the mode of a file that is there as it is.
make_way() {
  set --
  IFS=$nl
  for line in $intentions; do
    path=\${line#????}
    path=\${path%??}
    split_path
    if [ "$parent" != "$at" ]; then
      approach "$parent" || return
      at=$parent
    fi
    [ -z "$rest" ] || continue
    case $line in
    ??f*)
      if regular; then
        set -- "$@" "$path"
        [ $# -lt 100 ] || { ready "$@" || return; set --; }
      elif present; then
        clear_way || return
      fi
      ;;
    ??d*) [ -d "./$base" ] && [ ! -L "./$base" ] || clear_way || return ;;
    *) clear_way || return ;;
    esac
  done
  [ $# = 0 ] || ready "$@"
}

# Readies files that are there for an archive.
ready() {
  case $(stat -c %h "$@" 2>/dev/null) in
  *[!1$nl]* | *11*)
    for each do
      shift
      if has_other_name "$each"; then rm -f "$each" || return; else set -- "$@" "$each"; fi
    done
    ;;
  esac
  [ "$mode" = - ] || [ $# = 0 ] || chmod "$mode" "$@"
}

unpack() {
  cd / || return
  take "$size" | write_all tar -x -m -o $overwrite -f -
}

archive() {
  take_intentions "$bytes"
  write_ahead "$intentions$nl"
  IFS=' ' read -r size mode || exit 1
  why=$obstacle
  if [ -z "$why" ] && make_way 2>"$errors"; then
    unpack 2>"$errors" || refuse 0
  else
    refuse 0
    take "$size" >/dev/null
  fi
  content_end
  all_or_nothing
}

removals() {
  take_intentions "$bytes"
  write_ahead "$intentions$nl"
  why=$obstacle
  { [ -z "$why" ] && drop_all; } 2>"$errors" || refuse 0
  all_or_nothing
}

drop_all() {
  set --
  IFS=$nl
  for line in $intentions; do
    path=\${line#????}
    path=\${path%??}
    split_path
    if [ "$parent" != "$at" ]; then
      approach "$parent" || return
      at=$parent
    fi
    [ -z "$rest" ] && present || continue
    set -- "$@" "$path"
    [ $# -lt 100 ] || { rm -rf -- "$@" || return; set --; }
  done
  [ $# = 0 ] || rm -rf -- "$@"
}

all_or_nothing() {
  IFS=' ' read -r end bytes && [ "$end" = e ] || exit 1
  if [ "$refused" = ' ' ]; then
    { printf '\\n'; take "$bytes"; } >&3
  else
    take "$bytes" >/dev/null
  fi
}

# Without its intention written down, nothing may be touched.
write_ahead() {
  still_here
  obstacle=
  printf '\\n%s' "$1" 2>/dev/null >&3 || obstacle="the ledger $ledger cannot be written"
}

part() {
  number=$1 form=$2 count=$3 bytes=$4
  at=none refused=' ' rest=
  case $form in
  o) operations ;;
  t) archive ;;
  r) removals ;;
  *) exit 1 ;;
  esac
  printf 'k\\t%s\\n' "$number"
}

# ---- commands

command_of() {
  id=$1 count=$2
  set --
  while [ $# -lt "$count" ]; do
    IFS= read -r size || exit 1
    take_text "$size"
    set -- "$@" "$text"
  done
  (
    unset LC_ALL
    [ -z "$had_locale" ] || export LC_ALL="$locale"
    cd "$start"
    command "$@" >"$output" 2>&1 </dev/null 3>&- 4>&-
    rc=$?
    exec 5<"$output"
    [ "$output" = /dev/null ] || rm -f "$output"
    { printf '\\n\\036run\\t%s\\t%s\\n' "$id" $rc; cat <&5; printf '\\n\\036end\\n'; } >&2
  ) &
}

# ---- the ledger

open_ledger() {
  IFS=:
  for folder in $folders; do
    IFS= read -r line <"$folder/$name" && [ "$line" = "$header" ] && true >>"$folder/$name" && { ledger=$folder/$name; return; }
  done
  for folder in $folders; do
    IFS= read -r line <"$folder/$name" && true >>"$folder/$name" || continue
    case $line in slipway-ledger*) ledger=$folder/$name another=1; return ;; esac
  done
  for folder in $folders; do
    { printf '%s\\n' "$header" >"$folder/$name"; } && { ledger=$folder/$name; return; }
  done
}

# The lines of another container are no more than a hint.
adopt_ledger() {
  { printf '%s\\n' "$header"; cat "$ledger"; printf '\\n%s\\n' '${ledgerOfAnother}'; } >"$ledger.new" && mv -f "$ledger.new" "$ledger" || ledger=
}

replace_ledger() {
  [ -n "$ledger" ] || { take "$1" >/dev/null; content_end; return; }
  still_here
  take "$1" >"$ledger.new"
  rc=$?
  content_end
  still_here
  if [ $rc = 0 ]; then mv -f "$ledger.new" "$ledger" && exec 3>>"$ledger"; else rm -f "$ledger.new"; fi
}

# ---- the agent before this one

# State, parent and start of a process.
about_process() {
  state=
  IFS= read -r line <"/proc/$1/stat" || return
  IFS=' '
  set -- \${line##*) }
  state=$1 parent=$2 began=\${20}
} 2>/dev/null

# Its stream was lost, but it may still be busy with what it was sent: it must be gone, with what it started, before its ledger
# is read. Each is stopped before those that it started are looked for, so that none is missed.
end_former() {
  { IFS=' ' read -r former since <"$ledger.pid"; } 2>/dev/null || return
  about_process "$former" && [ "$began" = "$since" ] || return
  set +f
  family=
  found=$former
  while [ -n "$found" ]; do
    kill -STOP $found 2>/dev/null
    family="$family $found"
    found=
    for directory in /proc/[0-9]*; do
      process=\${directory#/proc/}
      about_process "$process" || continue
      case "$family " in *" $process "*) continue ;; *" $parent "*) found="$found $process" ;; esac
    done
  done
  set -f
  IFS=' '
  kill -KILL $family 2>/dev/null
  for process in $family; do
    while about_process "$process" && [ "$state" != Z ]; do :; done
  done
}

# Another agent may have taken over while what this one was sent before its stream was lost was still on its way here: nothing of it counts, and the
# ledger is the other's.
still_here() {
  [ -n "$self" ] || return 0
  { IFS= read -r line <"$ledger.pid"; } 2>/dev/null && [ "$line" = "$self" ] || exit 1
}

leave() {
  [ -n "$ledger" ] || return
  rm -f "$errors"
  { IFS= read -r line <"$ledger.pid"; } 2>/dev/null && [ "$line" = "$self" ] && rm -f "$ledger.pid"
}

# ---- hello

# The user's number; a process to ask for it is saved.
user=
while read -r key real effective others; do
  case $key in Uid:) user=$effective; break ;; esac
done 2>/dev/null </proc/self/status
printf 'user\\t%s\\n' "$user"

# A shell's word for it is not enough: busybox looks at no more than the owner and the mode, not at whether the file system is only read.
can_write() { [ -w "$1" ] && rm -f "$1/$temporary" && true >"$1/$temporary" && rm -f "$1/$temporary"; }

# Sets state, for a root and the directory near it: w can be written, o is on a file system that is only read, r may not be written.
look_at_root() {
  state=w
  can_write "$near" 2>/dev/null && return
  state=r
  case $(set -C; { true >"$near/$temporary"; } 2>&1) in *ead-only*) state=o ;; esac
  { [ -f "$1" ] && [ -w "$1" ]; } || return
  # It may be a mount of its own. Only then it is opened: what watches it in the container hears of that.
  [ $state = r ] || { true >>"$1"; } 2>/dev/null && state=w
}

# First of all: nobody else may be writing from here on.
ledger= self= another=
open_ledger 2>/dev/null
[ -z "$ledger" ] || end_former
[ -z "$another" ] || adopt_ledger 2>/dev/null
if [ -n "$ledger" ]; then
  about_process $$ && printf '%s %s\\n' $$ "$began" 2>/dev/null >"$ledger.pid" && self="$$ $began"
  errors=$ledger.err output=$ledger.out
  exec 3>>"$ledger"
else
  errors=/dev/null output=/dev/null
  exec 3>/dev/null
fi
trap leave EXIT
# Answers go out even while standard output is a file.
exec 4>&1
real_roots=
index=0
for root do
  near=$root
  while [ ! -d "$near" ]; do
    near=\${near%/*}
    [ -n "$near" ] || near=/
  done
  look_at_root "$root"
  printf 'root\\t%s\\t%s\\n' $index $state
  index=$((index + 1))
  below=\${root#"\${near%/}"}
  cd -P "$near" 2>/dev/null && real_roots="$real_roots\${PWD%/}$below$nl"
done

# An existing file keeps its identity in an archive only where tar knows how.
case $(tar --help 2>&1) in *--overwrite*) overwrite=--overwrite ;; *) overwrite= ;; esac
printf 'ledger\\t%s\\n' "$ledger"
[ -z "$ledger" ] || cat "$ledger"
printf '\\nready\\n'

while IFS=' ' read -r word first second third fourth; do
  case $word in
  b) part "$first" "$second" "$third" "$fourth" ;;
  x) command_of "$first" "$second" ;;
  c) replace_ledger "$first" ;;
  *) break ;;
  esac
done
`;
