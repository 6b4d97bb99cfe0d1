// Debian's `node` where another vendor's is installed: the same three lines around the same library, which is unpacked beside.
// The library reads four of its files by absolute name; here they are beneath LIBNODE_ROOT.

#include <stdio.h>

#include <string>

#include "node.h"
#include "uv.h"

namespace node {

int ReadFileSync(std::string* result, const char* path) {
  std::string name = path;
  if (name.compare(0, 5, "/usr/") == 0) name = LIBNODE_ROOT + name;
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

int main(int argc, char* argv[]) {
  return node::Start(argc, argv);
}
