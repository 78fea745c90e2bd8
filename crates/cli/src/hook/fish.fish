# clauth: keeps CLAUTH_PROFILE, the profile whose login `claude` uses in this shell, for your prompt.
# Before each prompt it reads a small file or two; it starts no process.
function __clauth_value --argument-names file key
    test -r "$file"; or return
    while read -l line
        set -l found (string match -r "^$key *= *\"([^\"]*)\"" -- $line)
        if set -q found[2]
            echo $found[2]
            return
        end
        string match -q '[*' -- $line; and return
    end <"$file"
end
function __clauth_profile --on-event fish_prompt
    set -l root @ROOT@
    set -q CLAUTH_HOME; and test -n "$CLAUTH_HOME"; and set root $CLAUTH_HOME
    set -l name
    set -l prefix "$root/profiles/"
    set -l below (string replace -- "$prefix" '' "$CLAUDE_CONFIG_DIR")
    if test "$prefix$below" = "$CLAUDE_CONFIG_DIR"; and string match -qr '^[^/]+/(runtime|isolated/[^/]+)$' -- "$below"
        set name (string replace -r '/.*$' '' -- "$below")
    else if test -z "$CLAUDE_CONFIG_DIR"; or test "$CLAUDE_CONFIG_DIR" = "$(__clauth_value $root/settings.toml home)"
        set name (__clauth_value $root/profiles.toml active_profile)
    end
    if test -n "$name"
        set -gx CLAUTH_PROFILE $name
    else
        set -e CLAUTH_PROFILE
    end
end
