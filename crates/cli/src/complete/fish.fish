# Completion for clauth in fish; the names of the profiles are asked for when they are wanted.
function __clauth_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    for line in (clauth __complete fish -- $words "$current" 2>/dev/null)
        switch $line
            case ':claude *'
                # As if `claude` stood before its own words.
                set -l at (string replace ':claude ' '' -- $line)
                set -l rest
                test (count $words) -gt $at; and set rest (string escape -- $words[(math $at + 1)..-1])
                complete -C (string join ' ' -- claude $rest "$current")
            case ':files'
                __fish_complete_path "$current"
            case ':dirs'
                __fish_complete_directories "$current" ''
            case '*'
                echo $line
        end
    end
end
complete -c clauth -e
complete -c clauth -k -f -a '(__clauth_complete)'
