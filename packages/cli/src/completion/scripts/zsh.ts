/** zsh 5, in a directory of fpath or sourced after compinit. */
export const ZSH = `#compdef banger
# Completion of banger for zsh. banger itself says what may stand at the cursor.
_banger() {
  local -a reply choices
  local line at
  reply=("\${(@f)$(command banger __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case $reply[1] in
    (files|directories)
      [[ $PREFIX != --*=* ]] || compset -P '*='
      if [[ $reply[1] == files ]]; then _files; else _files -/; fi ;;
    (words)
      for line in "\${(@)reply[2,-1]}"; do
        # A colon parts a word from what it is.
        choices+=("\${\${line%%$'\\t'*}//:/\\\\:}\${\${(M)line%%$'\\t'*}:+:\${line#*$'\\t'}}")
      done
      _describe -t banger banger choices ;;
    (places)
      choices=("\${(@)\${(@)reply[2,-1]}%%$'\\t'*}")
      compadd -S '' -- $choices
      _files ;;
    (command)
      at=\${words[(i)--]}
      words=("\${(@)words[at+1,-1]}")
      (( CURRENT -= at ))
      _normal ;;
    (*) return 1 ;;
  esac
}
if [[ $funcstack[1] == _banger ]]; then _banger "$@"; else compdef _banger banger; fi
`
