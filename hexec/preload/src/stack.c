/* Variable argument lists, and room on the stack: between vfork and exec nothing may be allocated, since the memory is
   the parent's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void hexec_with_room(size_t words, void (*use)(void *, uintptr_t *), void *context)
{
    uintptr_t room[words + 1];
    use(context, room);
}

static size_t length(va_list list)
{
    size_t count = 1;
    while (va_arg(list, char *) != NULL)
        count++;
    return count;
}

/* The list with its null, which `first` opens. It may be that null: the header, which forbids it, is not included. */
#define COLLECT(first, argv, rest)                 \
    va_list rest;                                  \
    va_start(rest, first);                         \
    size_t count = first ? length(rest) : 0;       \
    va_end(rest);                                  \
    char *argv[count + 1];                         \
    argv[0] = (char *)first;                       \
    va_start(rest, first);                         \
    for (size_t i = 1; i <= count; i++)            \
        argv[i] = va_arg(rest, char *)

extern char **environ;
int execve(const char *path, char *const argv[], char *const envp[]);
int execvp(const char *file, char *const argv[]);

int execl(const char *path, const char *first, ...)
{
    COLLECT(first, argv, rest);
    va_end(rest);
    return execve(path, argv, environ);
}

int execlp(const char *file, const char *first, ...)
{
    COLLECT(first, argv, rest);
    va_end(rest);
    return execvp(file, argv);
}

int execle(const char *path, const char *first, ...)
{
    COLLECT(first, argv, rest);
    char **envp = count ? va_arg(rest, char **) : environ;
    va_end(rest);
    return execve(path, argv, envp);
}
