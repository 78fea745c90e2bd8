# clauth: keeps CLAUTH_PROFILE, the profile whose login `claude` uses in this shell, for your prompt.
# Before each prompt it reads a small file or two; it starts no process.
_clauth_value() {
    emulate -L zsh
    local line
    REPLY=
    [[ -r $1 ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        case $line in
            ("$2"[\ =]*\"*\"*) line=${line#*\"}; REPLY=${line%%\"*}; return 0 ;;
            (\[*) return 0 ;;
        esac
    done < "$1"
}
_clauth_profile() {
    local code=$?
    emulate -L zsh
    local root=${CLAUTH_HOME:-@ROOT@} config=${CLAUDE_CONFIG_DIR-} REPLY=
    if [[ $config == "$root"/profiles/*/runtime || $config == "$root"/profiles/*/isolated/* ]]; then
        REPLY=${config#"$root"/profiles/}
        REPLY=${REPLY%%/*}
    else
        [[ -z $config ]] || _clauth_value "$root/settings.toml" home
        if [[ $config == "$REPLY" ]]; then
            _clauth_value "$root/profiles.toml" active_profile
        else
            REPLY=
        fi
    fi
    if [[ -n $REPLY ]]; then export CLAUTH_PROFILE=$REPLY; else unset CLAUTH_PROFILE; fi
    return $code
}
typeset -ga precmd_functions
(( ${precmd_functions[(I)_clauth_profile]} )) || precmd_functions+=(_clauth_profile)
