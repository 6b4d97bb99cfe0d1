# fish completion for hexec(1); generated from the tables that it parses its options with.
# Options end where the command begins, which is completed as ever.

function __hexec_takes_options
    set -l expected no
    for word in (commandline -opc)[2..-1]
        if test $expected = yes
            set expected no
            continue
        end
        switch $word
            case -
                return 1
            case --by --skip
                set expected yes
            case --
                return 1
            case '-?*'
            case '*'
                return 1
        end
    end
end

complete -c hexec -n __hexec_takes_options -l by -r -f -a 'supervisor preload' -d 'who reads #! lines: supervisor, asked about every exec, or preload, a library [supervisor]'
complete -c hexec -n __hexec_takes_options -l skip -r -f -a '(__fish_complete_command)' -d 'leave alone what this program starts; a name or a path, may be repeated'
complete -c hexec -n __hexec_takes_options -l restrict-file -d 'tell interpreters to run only files that may be executed (Linux 6.14)'
complete -c hexec -n __hexec_takes_options -l deny-interactive -d 'tell them to run no code that stands in no file'
complete -c hexec -n __hexec_takes_options -l lock -d 'nobody beneath can take that back'
complete -c hexec -n __hexec_takes_options -l help -d 'print this and leave'
complete -c hexec -n __hexec_takes_options -l version -d 'print the version and leave'
complete -c hexec -f -a '(__fish_complete_subcommand - --by --skip)'
