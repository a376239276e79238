#include "tests/support/faulty_sqlite.h"

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace posthorn::testing {
namespace {

std::atomic<FaultyFileSystem*> faults{nullptr};

bool may_write() {
  FaultyFileSystem* files = faults;
  return files == nullptr || files->allow_write();
}

bool may_sync() {
  FaultyFileSystem* files = faults;
  return files == nullptr || files->allow_sync();
}

// A file of the shim; the real one lies behind it in the same memory.
struct ShimFile {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
static_assert(sizeof(ShimFile) % alignof(void*) == 0);

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<ShimFile*>(file)->real(); }
const sqlite3_io_methods& methods(sqlite3_file* file) { return *real(file)->pMethods; }

const sqlite3_io_methods shim_methods = [] {
  sqlite3_io_methods shim{};
  shim.iVersion = 2;
  shim.xClose = [](sqlite3_file* file) { return methods(file).xClose(real(file)); };
  shim.xRead = [](sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
    return methods(file).xRead(real(file), bytes, size, offset);
  };
  shim.xWrite = [](sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
    return may_write() ? methods(file).xWrite(real(file), bytes, size, offset) : SQLITE_IOERR_WRITE;
  };
  shim.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
    return may_sync() ? methods(file).xTruncate(real(file), size) : SQLITE_IOERR_TRUNCATE;
  };
  // Not done: tests are many, and power does not fail in them.
  shim.xSync = [](sqlite3_file*, int) { return may_sync() ? SQLITE_OK : SQLITE_IOERR_FSYNC; };
  shim.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
    return methods(file).xFileSize(real(file), size);
  };
  shim.xLock = [](sqlite3_file* file, int level) { return methods(file).xLock(real(file), level); };
  shim.xUnlock = [](sqlite3_file* file, int level) { return methods(file).xUnlock(real(file), level); };
  shim.xCheckReservedLock = [](sqlite3_file* file, int* answer) {
    return methods(file).xCheckReservedLock(real(file), answer);
  };
  shim.xFileControl = [](sqlite3_file* file, int operation, void* argument) {
    return methods(file).xFileControl(real(file), operation, argument);
  };
  shim.xSectorSize = [](sqlite3_file* file) { return methods(file).xSectorSize(real(file)); };
  shim.xDeviceCharacteristics = [](sqlite3_file* file) {
    return methods(file).xDeviceCharacteristics(real(file));
  };
  shim.xShmMap = [](sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
    return methods(file).xShmMap(real(file), region, size, extend, memory);
  };
  shim.xShmLock = [](sqlite3_file* file, int offset, int count, int flags) {
    return methods(file).xShmLock(real(file), offset, count, flags);
  };
  shim.xShmBarrier = [](sqlite3_file* file) { methods(file).xShmBarrier(real(file)); };
  shim.xShmUnmap = [](sqlite3_file* file, int deletes) {
    return methods(file).xShmUnmap(real(file), deletes);
  };
  return shim;
}();

sqlite3_vfs* system_vfs() {
  static sqlite3_vfs* found = sqlite3_vfs_find("unix");
  return found;
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  std::memset(file, 0, sizeof(ShimFile));
  const int code = system_vfs()->xOpen(system_vfs(), name, real(file), flags, out_flags);
  if (real(file)->pMethods != nullptr) file->pMethods = &shim_methods;
  return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync) {
  return may_sync() ? system_vfs()->xDelete(system_vfs(), name, sync) : SQLITE_IOERR_DELETE;
}

sqlite3_vfs& shim_vfs() {
  static sqlite3_vfs shim = [] {
    sqlite3_vfs copy = *system_vfs();
    copy.zName = "posthorn-faulty";
    copy.szOsFile += static_cast<int>(sizeof(ShimFile));
    copy.pNext = nullptr;
    copy.xOpen = open_file;
    copy.xDelete = delete_file;
    return copy;
  }();
  return shim;
}

}  // namespace

FaultySqlite::FaultySqlite(FaultyFileSystem& files) {
  if (faults.exchange(&files) != nullptr) std::abort();
  sqlite3_initialize();
  sqlite3_vfs_register(&shim_vfs(), 1);
}

FaultySqlite::~FaultySqlite() {
  sqlite3_vfs_unregister(&shim_vfs());
  sqlite3_vfs_register(system_vfs(), 1);
  faults = nullptr;
}

}  // namespace posthorn::testing
