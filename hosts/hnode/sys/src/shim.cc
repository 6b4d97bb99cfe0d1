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

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The options of each environment are among Node's own headers, which the package has as well. What these say of the
// build is what Debian's build says; `hnode_start` sees that the options lie where they are looked for.
#define NODE_WANT_INTERNALS 1
#define HAVE_INSPECTOR 1
#define HAVE_OPENSSL 1
#include "env-inl.h"
#include "node.h"
#include "node_options.h"
#include "uv.h"

namespace node {
// Not in the headers, but among the library's symbols.
void ResetStdio();
int ReadFileSync(std::string* result, const char* path);
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
std::string debugger_refused;

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

// The function of the library's that ours stands before.
template <typename Function>
Function next(const char* symbol) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, symbol));
}

bool is_first(const node::PerIsolateOptions& options) {
  const std::vector<std::string>& modules = options.per_env->preload_cjs_modules;
  return !modules.empty() && modules.front() == preload_name;
}

// Our module runs before all others that are preloaded. Returns whether it was among them.
bool put_first(node::PerIsolateOptions* options) {
  std::vector<std::string>& modules = options->per_env->preload_cjs_modules;
  const auto place = std::find(modules.begin(), modules.end(), preload_name);
  const bool found = place != modules.end();
  if (found) modules.erase(place);
  modules.insert(modules.begin(), preload_name);
  return found;
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

// The main thread's environment, each worker's and that of loader hooks: whatever options a script gives to a worker, our
// module comes first, there is no debugger that could listen, and no native code.
Environment* CreateEnvironment(IsolateData* isolate_data, v8::Local<v8::Context> context,
                               const std::vector<std::string>& args, const std::vector<std::string>& exec_args,
                               EnvironmentFlags::Flags flags, ThreadId thread_id,
                               std::unique_ptr<InspectorParentHandle> inspector_parent_handle) {
  static const auto create = next<decltype(&CreateEnvironment)>(
      "_ZN4node17CreateEnvironmentEPNS_11IsolateDataEN2v85LocalINS2_7ContextEEERKSt6vectorINSt7__cxx1112basic_string"
      "IcSt11char_traitsIcESaIcEEESaISC_EESG_NS_16EnvironmentFlags5FlagsENS_8ThreadIdESt10unique_ptrINS_"
      "21InspectorParentHandleESt14default_deleteISL_EE");
  // A worker without options of its own shares those of the process, where the module is already.
  PerIsolateOptions* options = isolate_data->options().get();
  if (!is_first(*options)) put_first(options);
  flags = static_cast<EnvironmentFlags::Flags>(flags | EnvironmentFlags::kNoCreateInspector |
                                               EnvironmentFlags::kNoNativeAddons);
  return create(isolate_data, context, args, exec_args, flags, thread_id, std::move(inspector_parent_handle));
}

namespace options_parser {

// The options that a script gives to a worker: it is told that it gets no debugger.
template <>
void OptionsParser<PerIsolateOptions>::Parse(StringVector* const args, StringVector* const exec_args,
                                             StringVector* const v8_args, PerIsolateOptions* const options,
                                             OptionEnvvarSettings settings, StringVector* const errors) const {
  using Parser = void (*)(const OptionsParser*, StringVector*, StringVector*, StringVector*, PerIsolateOptions*,
                          OptionEnvvarSettings, StringVector*);
  static const auto parse = next<Parser>(
      "_ZNK4node14options_parser13OptionsParserINS_17PerIsolateOptionsEE5ParseEPSt6vectorINSt7__cxx1112basic_string"
      "IcSt11char_traitsIcESaIcEEESaISA_EESD_SD_PS2_NS_20OptionEnvvarSettingsESD_");
  parse(this, args, exec_args, v8_args, options, settings, errors);
  if (options->per_env->debug_options().inspector_enabled && !debugger_refused.empty()) {
    errors->push_back(debugger_refused);
  }
}

}  // namespace options_parser
}  // namespace node

// A private method of the loader's.
extern "C" void add_builtin(node::builtins::BuiltinLoader* loader, const char* id, const char* path) __asm__(
    "_ZN4node8builtins13BuiltinLoader22AddExternalizedBuiltinEPKcS3_");

// Each environment has a loader of builtin modules. Ours is one of them, so that it needs no file, has what only builtin
// modules have, and exists in every realm and thread.
extern "C" void _ZN4node8builtins13BuiltinLoaderC1Ev(node::builtins::BuiltinLoader* loader) {
  using Constructor = void (*)(node::builtins::BuiltinLoader*);
  static const auto construct = next<Constructor>("_ZN4node8builtins13BuiltinLoaderC1Ev");
  construct(loader);
  if (!preload_source.empty()) add_builtin(loader, preload_name.c_str(), kPreloadPath);
}

namespace {

// Debian's library reads some of its JavaScript from files when the first loader is made, and keeps it. This one is made
// before the doors and never used.
void read_files() {
  using node::builtins::BuiltinLoader;
  alignas(BuiltinLoader) static char loader[sizeof(BuiltinLoader)];
  _ZN4node8builtins13BuiltinLoaderC1Ev(reinterpret_cast<BuiltinLoader*>(loader));
}

}  // namespace

void hnode_keep_title(int argc, char** argv) { uv_setup_args(argc, argv); }

void hnode_split_options(const char* options, void (*each)(void* into, const char* word), void* into) {
  // What cannot be split Node will say itself.
  std::vector<std::string> errors;
  for (const std::string& word : node::ParseNodeOptionsEnvVar(options, &errors)) each(into, word.c_str());
}

int hnode_initialize(int argc, const char* const* argv, const char* preload, int* status) {
  std::vector<std::string> words(argv, argv + argc);
  // That it is found in the options shows that they lie where we look for them.
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

int hnode_start(unsigned threads, unsigned heap, const char* source, size_t length, const char* hint,
                const char* debugger, char* error, size_t size) {
  if (!put_first(node::per_process::cli_options->per_isolate.get())) {
    snprintf(error, size, "this libnode is not of the build that hnode is made for");
    return -1;
  }
  preload_source.assign(source, length);
  heap_hint = hint;
  debugger_refused = debugger;
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
