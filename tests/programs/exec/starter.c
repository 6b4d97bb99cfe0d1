/* Starts programs in one of the ways there are, and tells what came of it: a line for each path on standard input.
   Called `show`, it is an interpreter that tells its arguments.

     starter WAY <paths

   One line is `PATH: ERRNO`, or `PATH: 0` and what the program wrote. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
#ifndef __GLIBC__
#define execveat(...) (errno = ENOSYS, -1)
#define eaccess(...) (errno = ENOSYS, -1)
#define euidaccess(...) (errno = ENOSYS, -1)
#endif

static char *bare[] = {"A=b", NULL};

static int show(int argc, char **argv)
{
    char line[1 << 16];
    size_t used = 0;
    for (int i = 0; i < argc; i++) {
        for (const char *c = argv[i]; *c && used + 3 < sizeof line; c++)
            used += sprintf(line + used, "%02x", (unsigned char)*c);
        line[used++] = ' ';
    }
    return write(1, line, used) == (ssize_t)used ? 0 : 1;
}

/* One of the ways; comes back with errno only. */
static void start(const char *way, char *path, char **argv)
{
    char copy[4096], copy2[4096];
    snprintf(copy, sizeof copy, "%s", path);
    snprintf(copy2, sizeof copy2, "%s", path);
    if (!strcmp(way, "execve") || !strcmp(way, "vfork") || !strcmp(way, "thread")) execve(path, argv, environ);
    if (!strcmp(way, "bare")) execve(path, argv, bare);
    if (!strcmp(way, "nothing")) execve(path, argv, NULL);
    if (!strcmp(way, "execv")) execv(path, argv);
    if (!strcmp(way, "execvp")) execvp(path, argv);
    if (!strcmp(way, "execvpe")) execvpe(path, argv, bare);
    if (!strcmp(way, "execl")) execl(path, argv[0], argv[1], argv[2], argv[1], argv[2], argv[1], argv[2], NULL);
    if (!strcmp(way, "execlp")) execlp(path, argv[0], argv[1], argv[2], NULL);
    if (!strcmp(way, "execle")) execle(path, argv[0], argv[1], NULL, bare);
    if (!strcmp(way, "raw")) syscall(SYS_execve, path, argv, environ);
    if (!strcmp(way, "empty")) syscall(SYS_execve, path, argv + 3, environ);
    if (!strcmp(way, "search")) {
        setenv("PATH", dirname(copy), 1);
        execvp(basename(copy2), argv);
    }
    if (!strcmp(way, "fexecve")) fexecve(open(path, O_RDONLY), argv, environ);
    if (!strcmp(way, "place")) fexecve(open(path, O_PATH), argv, environ);
    if (!strcmp(way, "cloexec")) fexecve(open(path, O_RDONLY | O_CLOEXEC), argv, environ);
    if (!strcmp(way, "at")) {
        int directory = open(dirname(copy), O_RDONLY);
        syscall(SYS_execveat, directory, basename(copy2), argv, environ, 0);
    }
    if (!strcmp(way, "execveat")) {
        int directory = open(dirname(copy), O_RDONLY);
        execveat(directory, basename(copy2), argv, environ, 0);
    }
    if (!strcmp(way, "nofollow")) syscall(SYS_execveat, AT_FDCWD, path, argv, environ, AT_SYMLINK_NOFOLLOW);
    if (!strcmp(way, "descriptor")) {
        char name[64];
        sprintf(name, "/proc/self/fd/%d", open(path, O_RDONLY));
        execve(name, argv, environ);
    }
}

struct job { const char *way; char *path; char **argv; int error; };

static void *in_thread(void *job_)
{
    struct job *job = job_;
    start(job->way, job->path, job->argv);
    job->error = errno;
    return NULL;
}

/* posix_spawn: 0 or an errno, and the child. */
static int spawn(const char *way, char *path, char **argv, int output, pid_t *child)
{
    char copy[4096], copy2[4096];
    snprintf(copy, sizeof copy, "%s", path);
    snprintf(copy2, sizeof copy2, "%s", path);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!strcmp(way, "spawn")) return posix_spawn(child, path, &actions, NULL, argv, environ);
    if (!strcmp(way, "spawnp")) return posix_spawnp(child, path, &actions, NULL, argv, bare);
    if (!strcmp(way, "spawn-search")) {
        setenv("PATH", dirname(copy), 1);
        return posix_spawnp(child, basename(copy2), &actions, NULL, argv, environ);
    }
    if (!strcmp(way, "spawn-chdir")) {
        posix_spawn_file_actions_addchdir_np(&actions, dirname(copy));
        return posix_spawn(child, basename(copy2), &actions, NULL, argv, environ);
    }
    return ENOSYS;
}

static int ask(const char *way, const char *path)
{
    if (!strcmp(way, "access")) return access(path, X_OK);
    if (!strcmp(way, "access-read")) return access(path, R_OK | X_OK);
    if (!strcmp(way, "access-write")) return access(path, W_OK | X_OK);
    if (!strcmp(way, "faccessat")) return faccessat(AT_FDCWD, path, X_OK, 0);
    if (!strcmp(way, "faccessat-effective")) return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
    if (!strcmp(way, "eaccess")) return eaccess(path, X_OK);
    if (!strcmp(way, "euidaccess")) return euidaccess(path, X_OK);
    if (!strcmp(way, "faccessat-raw")) return syscall(SYS_faccessat, AT_FDCWD, path, X_OK);
    return -2;
}

static void tell(const char *way, char *path)
{
    char *argv[] = {"zero", "one", "two words", NULL};
    int answer = ask(way, path);
    if (answer != -2) {
        printf("%s: %d\n", path, answer ? errno : 0);
        return;
    }
    int output[2], error[2], number = 0;
    pid_t child;
    if (pipe2(output, O_CLOEXEC) || pipe2(error, O_CLOEXEC)) exit(3);
    if (!strncmp(way, "spawn", 5)) {
        number = spawn(way, path, argv, output[1], &child);
        if (number) {
            printf("%s: %d\n", path, number);
            child = -1;
        }
    } else {
        child = !strcmp(way, "vfork") ? vfork() : fork();
        if (child == 0) {
            dup2(output[1], 1);
            struct job job = {way, path, argv, 0};
            pthread_t thread;
            if (!strcmp(way, "thread") && !pthread_create(&thread, NULL, in_thread, &job))
                pthread_join(thread, NULL);
            else {
                start(way, path, argv);
                job.error = errno;
            }
            if (write(error[1], &job.error, sizeof job.error) < 0) _exit(4);
            _exit(5);
        }
    }
    close(output[1]);
    close(error[1]);
    if (child > 0 && read(error[0], &number, sizeof number) > 0)
        printf("%s: %d\n", path, number);
    else if (child > 0) {
        char text[1 << 16];
        size_t used = 0;
        ssize_t more;
        while (used < sizeof text && (more = read(output[0], text + used, sizeof text - used)) > 0) used += more;
        printf("%s: 0 %.*s\n", path, (int)used, text);
    }
    close(output[0]);
    close(error[0]);
    if (child > 0) waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0] ? argv[0] : "show", '/');
    name = name ? name + 1 : argv[0];
    if (strcmp(name, "starter")) return show(argc, argv);
    /* All at once: what is started may read, too. */
    static char paths[4 << 20];
    paths[fread(paths, 1, sizeof paths - 1, stdin)] = 0;
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 2);
    close(null);
    for (char *path = strtok(paths, "\n"); path; path = strtok(NULL, "\n")) {
        tell(argv[1], path);
        fflush(stdout);
    }
    return 0;
}
