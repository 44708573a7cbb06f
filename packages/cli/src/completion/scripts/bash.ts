/** bash 4.3 and newer, with bash-completion or without. */
export const BASH = `# Completion of banger for bash. banger itself says what may stand at the cursor.
_banger() {
  local line=\${COMP_LINE:0:COMP_POINT} before= part= gap i word words=() reply=()
  # readline splits words at = and : too. Put together what no blank parts; before is what stands in the same word already.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    gap=\${line%%[![:space:]]*}
    line=\${line:\${#gap}}
    part=\${COMP_WORDS[i]}
    ((i < COMP_CWORD)) || part=$line
    if [[ $i -eq 0 || -n $gap ]]; then
      before=
      words+=("$part")
    else
      before=\${words[-1]}
      words[-1]+=$part
    fi
    line=\${line:\${#part}}
  done
  # What is replaced begins behind them.
  case $part in [=:]*) before=\${words[-1]} ;; esac
  # No name has quotes in it: what is typed of one is known without them.
  words=("\${words[@]//[\\"\\'\\\\]/}")
  before=\${before//[\\"\\'\\\\]/}
  mapfile -t reply < <(command banger __complete "\${words[@]:1}" 2>/dev/null)
  COMPREPLY=()
  case \${reply[0]-} in
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
    words|places)
      for word in "\${reply[@]:1}"; do
        word=\${word%%$'\\t'*}
        [[ $word == "\${words[-1]}"* ]] || continue
        word=\${word#"$before"}
        # As the quote asks for that is open.
        case $part in
          \\"*) word=$(sed 's/[\\\\"$\`]/\\\\&/g' <<<"$word") ;;
          \\'*) word=\${word//\\'/\\'\\\\\\'\\'} ;;
          *) printf -v word %q "$word" ;;
        esac
        COMPREPLY+=("$word")
      done
      if [[ \${reply[0]} == places ]]; then
        compopt -o nospace
        while IFS= read -r word; do
          [[ ! -d $word ]] || word+=/
          [[ $part == [\\"\\']* ]] || printf -v word %q "$word"
          COMPREPLY+=("$word")
        done < <(compgen -f -- "\${words[-1]}")
      fi ;;
    command)
      for ((i = 1; i < COMP_CWORD; i++)); do
        [[ \${COMP_WORDS[i]} != -- ]] || break
      done
      if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset $((i + 1))
      elif declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((i + 1 == COMP_CWORD)); then
        mapfile -t COMPREPLY < <(compgen -c -- "\${words[-1]}")
      else
        compopt -o default
      fi ;;
  esac
}
complete -F _banger banger
`
