# fish completion for hlua(1); generated from the tables that it parses its options with.
# Options end where the script begins: from there on files are completed.

function __hlua_takes_options
    set -l expected no
    for word in (commandline -opc)[2..-1]
        if test $expected = yes
            set expected no
            continue
        end
        switch $word
            case -
                return 1
            case --allow-read --allow-write --allow-env --limit-memory --limit-cpu --limit-time --limit-files --limit-file-size --limit-processes --rlimit --policy --without -e -l
                set expected yes
            case --
                return 1
            case '-?*'
            case '*'
                return 1
        end
    end
end

complete -c hlua -n __hlua_takes_options -l allow-read -r -F -d 'let the script read a file, or everything beneath a directory'
complete -c hlua -n __hlua_takes_options -l allow-write -r -F -d 'let it write, create and remove there; reading is not implied'
complete -c hlua -n __hlua_takes_options -l allow-run -f -a '(__fish_complete_command)' -d 'let it start this program, or those of the system; they stay in the sandbox'
complete -c hlua -n __hlua_takes_options -l allow-env -r -f -a '(set --names --export)' -d 'let one environment variable in'
complete -c hlua -n __hlua_takes_options -l limit-memory -r -f -a 'none' -d 'memory for the script [1G]'
complete -c hlua -n __hlua_takes_options -l limit-cpu -r -f -a 'none' -d 'CPU time, whole seconds [60s]'
complete -c hlua -n __hlua_takes_options -l limit-time -r -f -a 'none' -d 'time by the clock; status 124 when it is over [none]'
complete -c hlua -n __hlua_takes_options -l limit-files -r -f -a 'none' -d 'open files [256]'
complete -c hlua -n __hlua_takes_options -l limit-file-size -r -f -a 'none' -d 'size of a file that is written [256M]'
complete -c hlua -n __hlua_takes_options -l limit-processes -r -f -a 'none' -d 'processes and threads [64]'
complete -c hlua -n __hlua_takes_options -l rlimit -r -f -a 'as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= rtprio= sigpending= stack=' -d 'one of the kernel\'s resource limits by its name'
complete -c hlua -n __hlua_takes_options -l private-tmp -d 'give it an empty directory as TMPDIR, which is removed at the end'
complete -c hlua -n __hlua_takes_options -l policy -r -F -d 'read grants and limits from a TOML file'
complete -c hlua -n __hlua_takes_options -l without -r -f -a 'landlock seccomp neutering scopes' -d 'go without landlock, seccomp, scopes or neutering: weaker, and said so'
complete -c hlua -n __hlua_takes_options -l explain -d 'print the policy and what enforces it; run nothing'
complete -c hlua -n __hlua_takes_options -l help -d 'print this and leave'
complete -c hlua -n __hlua_takes_options -l version -d 'print the version and leave'
complete -c hlua -n __hlua_takes_options -l allow-bytecode -d 'let load, dofile and require take precompiled chunks'
complete -c hlua -n __hlua_takes_options -s 'e' -x -d 'execute string \'stat\''
complete -c hlua -n __hlua_takes_options -s 'i' -d 'enter interactive mode after executing \'script\''
complete -c hlua -n __hlua_takes_options -s 'l' -x -d 'require library \'mod\' into global \'mod\' or \'g\''
complete -c hlua -n __hlua_takes_options -s 'v' -d 'show version information'
complete -c hlua -n __hlua_takes_options -s 'E' -d 'ignore environment variables'
complete -c hlua -n __hlua_takes_options -s 'W' -d 'turn warnings on'
