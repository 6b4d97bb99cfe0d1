# fish completion for hpython(1); generated from the tables that it parses its options with.
# Options end where the script begins: from there on files are completed.

function __hpython_takes_options
    set -l expected no
    for word in (commandline -opc)[2..-1]
        if test $expected = yes
            set expected no
            continue
        end
        switch $word
            case -c -m
                return 1
            case --allow-read --allow-write --allow-net --allow-env --limit-memory --limit-cpu --limit-time --limit-files --limit-file-size --limit-processes --rlimit --policy --without -W -X --check-hash-based-pycs
                set expected yes
            case --
                return 1
            case '-?*'
            case '*'
                return 1
        end
    end
end

complete -c hpython -n __hpython_takes_options -l allow-read -r -F -d 'let the script read a file, or everything beneath a directory'
complete -c hpython -n __hpython_takes_options -l allow-write -r -F -d 'let it write, create and remove there; reading is not implied'
complete -c hpython -n __hpython_takes_options -l allow-run -f -a '(__fish_complete_command)' -d 'let it start this program, or those of the system; they stay in the sandbox'
complete -c hpython -n __hpython_takes_options -l allow-net -r -f -a 'connect: listen:' -d 'let it use a TCP port; connect:PORT or listen:PORT for one direction'
complete -c hpython -n __hpython_takes_options -l allow-env -r -f -a '(set --names --export)' -d 'let one environment variable in'
complete -c hpython -n __hpython_takes_options -l limit-memory -r -f -a 'none' -d 'memory for the script [1G]'
complete -c hpython -n __hpython_takes_options -l limit-cpu -r -f -a 'none' -d 'CPU time, whole seconds [60s]'
complete -c hpython -n __hpython_takes_options -l limit-time -r -f -a 'none' -d 'time by the clock; status 124 when it is over [none]'
complete -c hpython -n __hpython_takes_options -l limit-files -r -f -a 'none' -d 'open files [256]'
complete -c hpython -n __hpython_takes_options -l limit-file-size -r -f -a 'none' -d 'size of a file that is written [256M]'
complete -c hpython -n __hpython_takes_options -l limit-processes -r -f -a 'none' -d 'processes and threads [64]'
complete -c hpython -n __hpython_takes_options -l rlimit -r -f -a 'as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= rtprio= sigpending= stack=' -d 'one of the kernel\'s resource limits by its name'
complete -c hpython -n __hpython_takes_options -l private-tmp -d 'give it an empty directory as TMPDIR, which is removed at the end'
complete -c hpython -n __hpython_takes_options -l policy -r -F -d 'read grants and limits from a TOML file'
complete -c hpython -n __hpython_takes_options -l without -r -f -a 'landlock seccomp neutering scopes' -d 'go without landlock, seccomp, scopes or neutering: weaker, and said so'
complete -c hpython -n __hpython_takes_options -l explain -d 'print the policy and what enforces it; run nothing'
complete -c hpython -n __hpython_takes_options -l help -d 'print this and leave'
complete -c hpython -n __hpython_takes_options -l version -d 'print the version and leave'
complete -c hpython -n __hpython_takes_options -s 'b' -d 'warn about comparing bytes with str; -bb: an error'
complete -c hpython -n __hpython_takes_options -s 'B' -d 'write no .pyc files'
complete -c hpython -n __hpython_takes_options -s 'c' -x -d 'the program, as text; ends the options'
complete -c hpython -n __hpython_takes_options -s 'd' -d 'debug output of the parser'
complete -c hpython -n __hpython_takes_options -s 'E' -d 'ignore PYTHON* environment variables'
complete -c hpython -n __hpython_takes_options -s 'h' -d 'python\'s own help'
complete -c hpython -n __hpython_takes_options -s '?' -d 'the same'
complete -c hpython -n __hpython_takes_options -s 'i' -d 'a dialogue after the script'
complete -c hpython -n __hpython_takes_options -s 'I' -d 'isolated: -E, -P and -s'
complete -c hpython -n __hpython_takes_options -s 'm' -x -d 'the program, as the name of a module; ends the options'
complete -c hpython -n __hpython_takes_options -s 'O' -d 'no assertions; -OO: no docstrings either'
complete -c hpython -n __hpython_takes_options -s 'P' -d 'do not put the script\'s directory before sys.path'
complete -c hpython -n __hpython_takes_options -s 'q' -d 'no banner in a dialogue'
complete -c hpython -n __hpython_takes_options -s 'R' -d 'hash seeds at random, as always'
complete -c hpython -n __hpython_takes_options -s 's' -d 'without the user\'s site directory'
complete -c hpython -n __hpython_takes_options -s 'S' -d 'without site'
complete -c hpython -n __hpython_takes_options -s 't' -d 'ignored, as in python3'
complete -c hpython -n __hpython_takes_options -s 'u' -d 'unbuffered standard output and error'
complete -c hpython -n __hpython_takes_options -s 'v' -d 'trace imports'
complete -c hpython -n __hpython_takes_options -s 'V' -d 'print Python\'s version; -VV: more of it'
complete -c hpython -n __hpython_takes_options -s 'W' -x -d 'control of warnings'
complete -c hpython -n __hpython_takes_options -s 'x' -d 'skip the first line of the source'
complete -c hpython -n __hpython_takes_options -s 'X' -x -d 'options of the implementation'
complete -c hpython -n __hpython_takes_options -l check-hash-based-pycs -x -d 'how hash-based .pyc files are checked'
complete -c hpython -n __hpython_takes_options -l help-env -d 'python\'s help about environment variables'
complete -c hpython -n __hpython_takes_options -l help-xoptions -d 'python\'s help about -X'
complete -c hpython -n __hpython_takes_options -l help-all -d 'all of python\'s help'
