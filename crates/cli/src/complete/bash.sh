# Completion for clauth in bash, 3.2 or later; the names of the profiles are asked for when they are wanted.
_clauth() {
    local IFS=$' \t\n' rest=${COMP_LINE:0:COMP_POINT} typed=${2//[\\\"\']/} piece blank line prefix q i
    local -a words starts
    COMPREPLY=()
    # Bash also breaks words at = : and @, which stand in names: what no blank parts is one word again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blank=${rest%%[! $'\t']*}
        rest=${rest#"$blank"}
        piece=${COMP_WORDS[i]}
        [[ $rest == "$piece"* ]] || piece=$rest
        rest=${rest#"$piece"}
        if ((i == 0)) || [[ -n $blank ]]; then
            words[${#words[@]}]=$piece
            starts[${#starts[@]}]=$i
        else
            words[${#words[@]} - 1]+=$piece
        fi
    done
    local last=$((${#words[@]} - 1))
    local cur=${words[last]//[\\\"\']/}
    for ((i = 1; i <= last; i++)); do words[i]=${words[i]//[\\\"\']/}; done
    while IFS= read -r line; do
        case $line in
            :claude\ *) _clauth_claude "${starts[${line#:claude } + 1]}" ;;
            :files) compopt -o filenames 2>/dev/null; _clauth_paths -f "$cur" ;;
            :dirs) compopt -o filenames 2>/dev/null; _clauth_paths -d "$cur" ;;
            *)
                printf -v q %q "${line%%$'\t'*}"
                COMPREPLY[${#COMPREPLY[@]}]=$q
                ;;
        esac
    done < <(clauth __complete bash -- "${words[@]:1}" 2>/dev/null)
    # What bash does not replace is on the line already: all before the last break. An @ is replaced with what follows it.
    prefix=
    [[ $# -lt 2 || $cur != *"$typed" ]] || prefix=${cur%"$typed"}
    [[ -z $prefix ]] || COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
}
_clauth_paths() {
    local path
    while IFS= read -r path; do COMPREPLY[${#COMPREPLY[@]}]=$path; done < <(compgen "$1" -- "$2")
}
# As if `claude` stood before its own words; paths where nobody completes for it.
_clauth_claude() {
    local complete
    complete=$(complete -p claude 2>/dev/null)
    if [[ $complete =~ \ -F\ ([^\ ]+) ]]; then
        local complete=${BASH_REMATCH[1]}
        COMP_WORDS=(claude "${COMP_WORDS[@]:$1}")
        COMP_CWORD=$((COMP_CWORD - $1 + 1))
        COMP_LINE="${COMP_WORDS[*]}"
        COMP_POINT=${#COMP_LINE}
        "$complete" claude "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    else
        compopt -o filenames 2>/dev/null
        _clauth_paths -f "${COMP_WORDS[COMP_CWORD]}"
    fi
}
complete -F _clauth clauth
