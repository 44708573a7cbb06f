/** fish 3.4 and newer. */
export const FISH = `# Completion of banger for fish. banger itself says what may stand at the cursor.
function __banger_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    # No name has quotes in it: what is typed of one is known without them.
    set -l word (string replace -ra '["\\'\\\\\\\\]' '' -- $typed)
    set -l reply (command banger __complete $before[2..] "$word" 2>/dev/null)
    switch "$reply[1]"
        case words
            string join \\n -- $reply[2..]
        case places
            string match -r -- "^$(string escape --style=regex -- $word).*" $reply[2..]
            __fish_complete_path $word
        case files
            __fish_complete_path $word
        case directories
            __fish_complete_directories $word
        case command
            set -l at (contains -i -- -- $before)
            set -l command (string escape -- $before[(math $at + 1)..])
            complete -C "$(string join ' ' -- $command $typed)"
    end
end
complete -c banger -f -k -a '(__banger_complete)'
`
