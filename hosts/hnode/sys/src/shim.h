/* The C interface to libnode: a few functions, each called once, in this order, by one thread. No exception crosses it. */
#ifndef HNODE_SHIM_H
#define HNODE_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Keeps the block of the command line, which the process's title is written into. */
void hnode_keep_title(int argc, char** argv);

/* Calls `each` with the words of NODE_OPTIONS as Node splits them. */
void hnode_split_options(const char* options, void (*each)(void* into, const char* word), void* into);

/* Reads the command line, and starts all that needs no thread. `preload` is the name of the module that is to run before
 * anything else. Returns 1 when Node has said what it was asked or what is wrong, with the exit status in `status`. */
int hnode_initialize(int argc, const char* const* argv, const char* preload, int* status);

/* Starts the platform's threads and the environment. `source` is the preloaded module's, JavaScript in UTF-8;
 * `heap` the size of V8's old space in MiB, 0 for its own choice, and `hint` what is said when it is full. `debugger` is what a
 * script is told that wants one for a worker; empty, if none is refused by name. Returns 0, or -1 with a sentence in `error`,
 * cut to `size` bytes. */
int hnode_start(unsigned threads, unsigned heap, const char* source, size_t length, const char* hint,
                const char* debugger, char* error, size_t size);

/* Runs the preloaded module, then what the command line says, until nothing is left to do. Returns the exit status. */
int hnode_run(void);

/* Ends the process as it is: threads, and what they hold, are the kernel's to clear away. */
void hnode_leave(int status) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
