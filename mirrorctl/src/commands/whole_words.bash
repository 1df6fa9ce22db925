
# Bash takes words apart at the characters of COMP_WORDBREAKS, and addresses hold some of them (`acl.a.User:app/…`). What is
# asked about is the whole word; what is answered is what comes after the last break, because that is all that bash replaces.
_mirrorctl_whole_words() {
    local breaks='' char
    for char in : = @; do
        [[ $COMP_WORDBREAKS == *$char* ]] && breaks+=$char
    done
    if [[ -z $breaks ]]; then
        _clap_complete_mirrorctl "$@"
        return
    fi
    local at word last='' joins='' whole=()
    for ((at = 0; at <= COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ $at -gt 1 && $word =~ ^[$breaks]+$ ]]; then
            whole[last]+=$word
            joins=yes
            continue
        fi
        # of the one under the cursor only what lies before that
        [[ $at -eq $COMP_CWORD ]] && word=$2
        if [[ $joins ]]; then
            whole[last]+=$word
            joins=''
        else
            whole+=("$word")
            last=$((${#whole[@]} - 1))
        fi
    done
    local COMP_WORDS=("${whole[@]}") COMP_CWORD=$last
    word=${whole[last]}
    _clap_complete_mirrorctl "$1" "$word" "${whole[last - 1]}"
    local before=${word%"${word##*[$breaks]}"}
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
}
eval "$(
    spec=$(complete -p mirrorctl)
    echo "${spec/_clap_complete_mirrorctl/_mirrorctl_whole_words}"
)"
