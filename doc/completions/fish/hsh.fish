# fish completion for hsh(1); generated from the tables that it parses its options with.
# Options end where the script begins: from there on files are completed.

function __hsh_takes_options
    set -l expected no
    for word in (commandline -opc)[2..-1]
        if test $expected = yes
            set expected no
            continue
        end
        switch $word
            case -
                return 1
            case --allow-read --allow-write --allow-net --allow-env --limit-memory --limit-cpu --limit-time --limit-files --limit-file-size --limit-processes --rlimit --policy --without -o -O --init-file --rcfile --shell
                set expected yes
            case --
                return 1
            case '-?*' '+?*'
            case '*'
                return 1
        end
    end
end

complete -c hsh -n __hsh_takes_options -l allow-read -r -F -d 'let the script read a file, or everything beneath a directory'
complete -c hsh -n __hsh_takes_options -l allow-write -r -F -d 'let it write, create and remove there; reading is not implied'
complete -c hsh -n __hsh_takes_options -l allow-run -f -a '(__fish_complete_command)' -d 'let it start this program, or those of the system; they stay in the sandbox'
complete -c hsh -n __hsh_takes_options -l allow-net -r -f -a 'connect: listen:' -d 'let it use a TCP port; connect:PORT or listen:PORT for one direction'
complete -c hsh -n __hsh_takes_options -l allow-env -r -f -a '(set --names --export)' -d 'let one environment variable in'
complete -c hsh -n __hsh_takes_options -l limit-memory -r -f -a 'none' -d 'memory for the script [1G]'
complete -c hsh -n __hsh_takes_options -l limit-cpu -r -f -a 'none' -d 'CPU time, whole seconds [60s]'
complete -c hsh -n __hsh_takes_options -l limit-time -r -f -a 'none' -d 'time by the clock; status 124 when it is over [none]'
complete -c hsh -n __hsh_takes_options -l limit-files -r -f -a 'none' -d 'open files [256]'
complete -c hsh -n __hsh_takes_options -l limit-file-size -r -f -a 'none' -d 'size of a file that is written [256M]'
complete -c hsh -n __hsh_takes_options -l limit-processes -r -f -a 'none' -d 'processes and threads [64]'
complete -c hsh -n __hsh_takes_options -l rlimit -r -f -a 'as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= rtprio= sigpending= stack=' -d 'one of the kernel\'s resource limits by its name'
complete -c hsh -n __hsh_takes_options -l private-tmp -d 'give it an empty directory as TMPDIR, which is removed at the end'
complete -c hsh -n __hsh_takes_options -l policy -r -F -d 'read grants and limits from a TOML file'
complete -c hsh -n __hsh_takes_options -l without -r -f -a 'landlock seccomp neutering scopes' -d 'go without landlock, seccomp, scopes or neutering: weaker, and said so'
complete -c hsh -n __hsh_takes_options -l explain -d 'print the policy and what enforces it; run nothing'
complete -c hsh -n __hsh_takes_options -l help -d 'print this and leave'
complete -c hsh -n __hsh_takes_options -l version -d 'print the version and leave'
complete -c hsh -n __hsh_takes_options -s 'c' -d 'the first argument is the program'
complete -c hsh -n __hsh_takes_options -s 's' -d 'read the program from standard input; all arguments are its own'
complete -c hsh -n __hsh_takes_options -s 'i' -d 'a dialogue, whatever standard input is'
complete -c hsh -n __hsh_takes_options -s 'l' -d 'a login shell: reads /etc/profile and ~/.profile as far as they may be read'
complete -c hsh -n __hsh_takes_options -s 'r' -d 'a restricted shell'
complete -c hsh -n __hsh_takes_options -s 'D' -d 'print the strings to translate'
complete -c hsh -n __hsh_takes_options -s 'o' -x -d 'an option of set by its name'
complete -c hsh -n __hsh_takes_options -s 'O' -x -d 'an option of shopt by its name'
complete -c hsh -n __hsh_takes_options -s 'a' -d 'export what is assigned'
complete -c hsh -n __hsh_takes_options -s 'b' -d 'tell of jobs at once'
complete -c hsh -n __hsh_takes_options -s 'e' -d 'leave when a command fails'
complete -c hsh -n __hsh_takes_options -s 'f' -d 'no patterns in file names'
complete -c hsh -n __hsh_takes_options -s 'h' -d 'remember where commands are'
complete -c hsh -n __hsh_takes_options -s 'k' -d 'assignments anywhere in a command'
complete -c hsh -n __hsh_takes_options -s 'm' -d 'job control'
complete -c hsh -n __hsh_takes_options -s 'n' -d 'read only, run nothing'
complete -c hsh -n __hsh_takes_options -s 'p' -d 'privileged: ignore ENV and BASH_ENV'
complete -c hsh -n __hsh_takes_options -s 't' -d 'leave after one command'
complete -c hsh -n __hsh_takes_options -s 'u' -d 'an unset variable is an error'
complete -c hsh -n __hsh_takes_options -s 'v' -d 'print lines as they are read'
complete -c hsh -n __hsh_takes_options -s 'x' -d 'print commands as they are run'
complete -c hsh -n __hsh_takes_options -s 'B' -d 'brace expansion'
complete -c hsh -n __hsh_takes_options -s 'C' -d 'redirections overwrite no file'
complete -c hsh -n __hsh_takes_options -s 'E' -d 'functions inherit the ERR trap'
complete -c hsh -n __hsh_takes_options -s 'H' -d 'history expansion'
complete -c hsh -n __hsh_takes_options -s 'P' -d 'cd follows no links by name'
complete -c hsh -n __hsh_takes_options -s 'T' -d 'functions inherit DEBUG and RETURN traps'
complete -c hsh -n __hsh_takes_options -l debugger -d 'bash\'s debugging mode'
complete -c hsh -n __hsh_takes_options -l dump-po-strings -d 'as -D, in the format of gettext'
complete -c hsh -n __hsh_takes_options -l dump-strings -d 'as -D'
complete -c hsh -n __hsh_takes_options -l init-file -x -d 'as --rcfile'
complete -c hsh -n __hsh_takes_options -l login -d 'as -l'
complete -c hsh -n __hsh_takes_options -l noediting -d 'no line editing in a dialogue'
complete -c hsh -n __hsh_takes_options -l noprofile -d 'a login shell without its profiles'
complete -c hsh -n __hsh_takes_options -l norc -d 'a dialogue without ~/.bashrc'
complete -c hsh -n __hsh_takes_options -l posix -d 'POSIX mode'
complete -c hsh -n __hsh_takes_options -l pretty-print -d 'print the program, formatted'
complete -c hsh -n __hsh_takes_options -l rcfile -x -d 'read this file instead of ~/.bashrc in a dialogue'
complete -c hsh -n __hsh_takes_options -l restricted -d 'as -r'
complete -c hsh -n __hsh_takes_options -l shell -x -d 'another shell, such as dash, instead of bash; started behind the doors'
complete -c hsh -n __hsh_takes_options -l verbose -d 'as -v'
