#compdef clauth
# Completion for clauth in zsh; the names of the profiles are asked for when they are wanted.
_clauth() {
    local line at
    local -a lines told
    lines=("${(@f)$(clauth __complete zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${lines[@]}"; do
        case $line in
            ('') ;;
            (:claude\ *)
                # As if `claude` stood before its own words.
                at=${line#:claude }
                words=(claude "${(@)words[at+2,-1]}")
                (( CURRENT -= at ))
                _normal
                return
                ;;
            (:files) _files; return ;;
            (:dirs) _files -/; return ;;
            (*$'\t'*) told+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            (*) told+=("${line//:/\\:}") ;;
        esac
    done
    (( ${#told} )) && _describe -t values 'clauth' told
}
if [[ ${funcstack[1]} == _clauth ]]; then
    _clauth "$@"
else
    (( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit -i }
    compdef _clauth clauth
fi
