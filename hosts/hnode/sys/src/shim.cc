// libnode's C++ behind the interface of shim.h.
//
// The order of events is the sandbox's, not Node's: Node starts its threads when it starts V8's platform, so all that can be
// done before that is done in `hnode_initialize`, and the threads come up behind the first door.

#include "shim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node.h"
#include "uv.h"

namespace node {
// Not in the headers, but among the library's symbols.
void ResetStdio();
int ReadFileSync(std::string* result, const char* path);
namespace builtins {
class BuiltinLoader {
 public:
  void AddExternalizedBuiltin(const char* id, const char* path);
};
}  // namespace builtins
}  // namespace node

namespace {

// Where the preloaded module's source is, for node::ReadFileSync.
constexpr char kPreloadPath[] = "hnode:preload";

std::unique_ptr<node::InitializationResult> initialized;
std::unique_ptr<node::MultiIsolatePlatform> platform;
std::unique_ptr<node::CommonEnvironmentSetup> setup;
std::string preload_name;
std::string preload_source;
std::string heap_hint;

void write_all(const char* text, size_t length) {
  while (length > 0) {
    ssize_t written = write(STDERR_FILENO, text, length);
    if (written <= 0) return;
    text += written;
    length -= static_cast<size_t>(written);
  }
}

// V8 asks once for more before it gives up; it gets nothing, and who reads the report that follows knows why.
size_t near_heap_limit(void*, size_t current, size_t) {
  static bool said = false;
  if (!said) write_all(heap_hint.data(), heap_hint.size());
  said = true;
  return current;
}

bool has(const std::vector<std::string>& words, std::string_view start) {
  for (const std::string& word : words) {
    if (std::string_view(word).substr(0, start.size()) == start) return true;
  }
  return false;
}

}  // namespace

// The library's own functions call these through its table of symbols, in which a program's come first.

namespace node {

// Reads a file whole; the answer is libuv's error number, or 0.
int ReadFileSync(std::string* result, const char* path) {
  if (strcmp(path, kPreloadPath) == 0) {
    *result = preload_source;
    return 0;
  }
  std::string name = path;
#ifdef LIBNODE_ROOT
  if (name.compare(0, 5, "/usr/") == 0) name = LIBNODE_ROOT + name;
#endif
  FILE* file = fopen(name.c_str(), "re");
  if (file == nullptr) return UV_ENOENT;
  char buffer[16384];
  size_t length;
  while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) result->append(buffer, length);
  int error = ferror(file) != 0 ? UV_EIO : 0;
  fclose(file);
  return error;
}

}  // namespace node

// Each environment has a loader of builtin modules. Ours is one of them, so that it needs no file, has what only builtin
// modules have, and exists in every realm and thread.
extern "C" void _ZN4node8builtins13BuiltinLoaderC1Ev(node::builtins::BuiltinLoader* loader) {
  using Constructor = void (*)(node::builtins::BuiltinLoader*);
  static Constructor next =
      reinterpret_cast<Constructor>(dlsym(RTLD_NEXT, "_ZN4node8builtins13BuiltinLoaderC1Ev"));
  next(loader);
  if (!preload_source.empty()) loader->AddExternalizedBuiltin(preload_name.c_str(), kPreloadPath);
}

namespace {

// Debian's library reads some of its JavaScript from files when the first loader is made, and keeps it. This one is made
// before the doors and never used; how large it is only the library knows, some hundred bytes.
void read_files() {
  alignas(64) static char loader[4096];
  _ZN4node8builtins13BuiltinLoaderC1Ev(reinterpret_cast<node::builtins::BuiltinLoader*>(loader));
}

}  // namespace

void hnode_keep_title(int argc, char** argv) { uv_setup_args(argc, argv); }

int hnode_initialize(int argc, const char* const* argv, const char* preload, int* status) {
  std::vector<std::string> words(argv, argv + argc);
  // Before all that the command line or NODE_OPTIONS preload.
  preload_name = preload;
  words.insert(words.begin() + 1, {"--require", preload_name});
  const auto flags = static_cast<node::ProcessInitializationFlags::Flags>(
      node::ProcessInitializationFlags::kNoInitializeV8 |
      node::ProcessInitializationFlags::kNoInitializeNodeV8Platform |
      node::ProcessInitializationFlags::kNoUseLargePages);
  initialized = node::InitializeOncePerProcess(words, flags);
  for (const std::string& error : initialized->errors()) {
    fprintf(stderr, "%s: %s\n", initialized->args().at(0).c_str(), error.c_str());
  }
  *status = initialized->exit_code();
  if (!initialized->early_return()) read_files();
  return initialized->early_return() ? 1 : 0;
}

int hnode_start(unsigned threads, unsigned heap, const char* source, size_t length, const char* hint, char* error,
                size_t size) {
  preload_source.assign(source, length);
  heap_hint = hint;
  const std::vector<std::string>& args = initialized->args();
  // What was typed, as a script is to see it.
  std::vector<std::string> exec_args = initialized->exec_args();
  if (exec_args.size() >= 2) exec_args.erase(exec_args.begin(), exec_args.begin() + 2);
  if (heap != 0 && !has(exec_args, "--max-old-space-size") && !has(exec_args, "--max_old_space_size")) {
    const std::string flag = "--max-old-space-size=" + std::to_string(heap);
    v8::V8::SetFlagsFromString(flag.c_str(), flag.size());
  }
  platform = node::MultiIsolatePlatform::Create(static_cast<int>(threads));
  v8::V8::InitializePlatform(platform.get());
  v8::V8::Initialize();
  std::vector<std::string> errors;
  const auto flags = static_cast<node::EnvironmentFlags::Flags>(node::EnvironmentFlags::kDefaultFlags |
                                                                node::EnvironmentFlags::kNoNativeAddons |
                                                                node::EnvironmentFlags::kNoCreateInspector);
  setup = node::CommonEnvironmentSetup::Create(platform.get(), &errors, args, exec_args, flags);
  if (!setup) {
    snprintf(error, size, "%s", errors.empty() ? "no reason given" : errors.front().c_str());
    return -1;
  }
  setup->isolate()->AddNearHeapLimitCallback(near_heap_limit, nullptr);
  return 0;
}

int hnode_run() {
  v8::Isolate* isolate = setup->isolate();
  v8::Locker locker(isolate);
  v8::Isolate::Scope isolate_scope(isolate);
  v8::HandleScope handle_scope(isolate);
  v8::Context::Scope context_scope(setup->context());
  node::Environment* env = setup->env();
  node::SetProcessExitHandler(env, [](node::Environment*, int status) { hnode_leave(status); });
  // An error here has been reported, or a handler of the script's has taken it.
  (void)node::LoadEnvironment(env, node::StartExecutionCallback{}).IsEmpty();
  return node::SpinEventLoop(env).FromMaybe(1);
}

void hnode_leave(int status) {
  node::ResetStdio();
  fflush(nullptr);
  _exit(status);
}
